"""The label sources: each says how it is had and reads the files it names."""

import io
import json
import re
import zipfile
from collections.abc import Callable

import pytest

from lumen_desktop.formats.document import PublicDocument
from tests.formats.test_drugsfda import PRODUCTS
from tests.formats.test_spl import label, section
from trainer.licences import LICENCES
from trainer.sources import Source, dailymed, drugsfda, ema, openfda

SOURCES = (dailymed.SOURCE, openfda.SOURCE, drugsfda.SOURCE, ema.SOURCE)


def _zipped() -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("Products.txt", PRODUCTS)
    return whole.getvalue()


def _partition() -> bytes:
    return json.dumps({"meta": {}, "results": [{"set_id": "a", "warnings": ["May harm."]}]}).encode()


def _leaflet() -> bytes:
    return json.dumps({"ema_id": "EU/1/1/1", "lang": "en", "sections": [{"title": "1. x", "text": "y"}]}).encode()


FILES: dict[str, Callable[[], bytes]] = {
    "dailymed": lambda: label(section("34067-9", "1 USES", "For pain.")),
    "openfda": _partition,
    "drugsfda": _zipped,
    "ema": _leaflet,
}


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_a_source_says_how_it_is_had_and_under_which_terms(source: Source) -> None:
    assert re.fullmatch(r"[a-z]+", source.name)
    assert source.licence in LICENCES
    assert source.url.startswith("https://")
    assert source.how.endswith(".")
    assert re.search(r"\d", source.size)
    assert all(ending == ending.lower() and ending.startswith(".") for ending in source.endings)
    assert source.on


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_a_source_reads_its_files_under_a_licence_that_is_known(source: Source) -> None:
    found = list(source.read(io.BytesIO(FILES[source.name]()), "file"))
    assert found
    for document in found:
        assert isinstance(document, PublicDocument)
        assert (document.licence or source.licence) in LICENCES
        assert document.sections


def test_the_sources_have_names_of_their_own() -> None:
    assert len({source.name for source in SOURCES}) == len(SOURCES)
