"""The sources of literature, regulation, guidance and letters: listed with what a user must know, and readable."""

import io
import re
from pathlib import Path

import pytest

from lumen_desktop.formats.document import PublicDocument
from trainer.licences import LICENCES
from trainer.sources import Source, ecfr, guidance, letters, pmc, pubmed

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
SOURCES = (pubmed.SOURCE, pmc.SOURCE, ecfr.SOURCE, guidance.SOURCE, letters.SOURCE)
FOLDERS = {"pubmed": "pubmed_xml", "pmc": "pmc_jats", "guidance": "guidance_pdf", "letters": "fda_letters_pdf"}


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_a_source_says_what_a_user_must_know(source: Source) -> None:
    assert re.fullmatch(r"[a-z]+", source.name)
    assert source.url.startswith("https://")
    assert source.how.endswith(".")
    assert source.size
    assert source.on
    assert not source.terms
    assert all(ending.startswith(".") and ending == ending.lower() for ending in source.endings)
    assert source.licence in LICENCES or not source.licence


def test_where_each_file_says_its_licence_there_is_no_other() -> None:
    assert [source.name for source in SOURCES if not source.licence] == ["pmc", "guidance", "letters"]


@pytest.mark.parametrize("source", [each for each in SOURCES if each.name in FOLDERS], ids=lambda source: source.name)
def test_real_files_are_read_under_known_licences(source: Source) -> None:
    folder = DATA / FOLDERS[source.name]
    if not folder.is_dir():
        pytest.skip(f"shared/data/{folder.name} is not there")
    files = [path for path in sorted(folder.iterdir()) if path.name.lower().endswith(source.endings)]
    assert files
    found = [each for path in files for each in source.read(io.BytesIO(path.read_bytes()), path.name)]
    documents = [each for each in found if isinstance(each, PublicDocument)]
    assert len(documents) >= len(files) - 1
    assert len({each.id for each in documents}) == len(documents)
    for document in documents:
        assert (document.licence or source.licence) in LICENCES
        assert all(section.path and section.text for section in document.sections)
