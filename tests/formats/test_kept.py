"""The form in which a document taken out of a file of many is kept, and how files in public formats are told apart."""

import gzip
import io
import json
import zipfile

import pytest

from lumen_desktop.errors import InputError
from lumen_desktop.formats import kept, recognised
from lumen_desktop.formats.document import Entity, Ingredient, PublicDocument, PublicSection

DOCUMENT = PublicDocument(
    id="a-1",
    kind="label",
    title="ZELBORAX tablets",
    sections=(PublicSection(("2 Dosage", "2.1 Adults"), "34068-7", "The dose is 5 µg daily.\nAge | Dose"),),
    version="3",
    as_of="2024-05-01",
    licence="CC0-1.0",
    entity=Entity((Ingredient("zelboraxine", "ABC1234567"),), ("Zelborax",), "a-1", "Maker"),
    facts={"form": ["tablet"]},
)


def parsed(text: str) -> PublicDocument:
    (document,) = kept.documents(io.BytesIO(text.encode()), "x")
    assert isinstance(document, PublicDocument)
    return document


def test_a_document_comes_back_as_it_was_and_always_has_the_same_bytes() -> None:
    text = kept.of_document(DOCUMENT)
    assert parsed(text) == DOCUMENT
    assert kept.of_document(parsed(text)) == text
    assert recognised.of(text.encode()) == "kept"
    assert list(recognised.documents(text.encode(), "x")) == [DOCUMENT]


@pytest.mark.parametrize(
    "change",
    [
        lambda fields: fields.update(lumen_public_document=2),
        lambda fields: fields.pop("sections"),
        lambda fields: fields.update(entity=[]),
        lambda fields: fields.update(more=1),
        lambda fields: fields.update(sections=[{"path": [], "code": ""}]),
    ],
)
def test_another_form_is_refused(change: object) -> None:
    fields = json.loads(kept.of_document(DOCUMENT))
    change(fields)  # type: ignore[operator]
    with pytest.raises(InputError) as refused:
        parsed(json.dumps(fields))
    assert refused.value.code == "FMT-003"


@pytest.mark.parametrize(
    ("head", "module"),
    [
        (b'<?xml version="1.0"?>\n<!-- a --><document xmlns="urn:hl7-org:v3" a="b">', "spl"),
        (b"<document>", None),
        (
            b'<?xml version="1.0"?><!DOCTYPE PubmedArticleSet PUBLIC "a" "x.dtd">\n<PubmedArticleSet>',
            "pubmed",
        ),
        (b'\xef\xbb\xbf<!DOCTYPE article PUBLIC "x" "y"\n[<!ENTITY z "q">]>\n<article xmlns:m="n">', "jats"),
        (b"<ECFR><VOLUME/>", "ecfr"),
        (b'<?xml version="1.0"?><DLPSTEXTCLASS><HEADER/>', "ecfr"),
        (b'{\n "meta": {"disclaimer": "Do not rely"}, "results": [', "openfda"),
        (b'{"product": "x", "ema_id": "EU/1", "sections": []}', "ema"),
        (b'{"resourceType": "Bundle", "entry": []}', "ema"),
        (b'{"results": 3}', None),
        (b"# A heading\n\nText with <article> in it", None),
        (b"<html><body>", None),
        (b"<", None),
        (b"", None),
    ],
)
def test_a_format_is_told_by_its_bytes(head: bytes, module: str | None) -> None:
    assert recognised.of(head) == module


def packed(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_what_is_packed_is_unpacked_first() -> None:
    text = kept.of_document(DOCUMENT).encode()
    for content in (gzip.compress(text), packed({"picture.jpg": b"x", "label.json": text})):
        assert recognised.is_packed(content)
        assert recognised.packs_one(content)
        assert list(recognised.documents(content, "x")) == [DOCUMENT]


def test_an_archive_without_a_public_file_packs_none() -> None:
    assert not recognised.packs_one(packed({"a.xml": b"<other/>", "b.txt": b"text"}))
    assert not recognised.packs_one(b"PK\x03\x04 and nothing more")
    with pytest.raises(InputError) as refused:
        list(recognised.documents(packed({"a.xml": b"<other/>"}), "x"))
    assert refused.value.code == "FMT-003"
