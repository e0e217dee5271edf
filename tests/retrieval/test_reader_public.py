"""Documents in public formats as extracts, and files of many taken apart in the reader's process."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from lumen_desktop.errors import InputError
from lumen_desktop.formats import kept
from lumen_desktop.formats.document import Entity
from lumen_desktop.retrieval.passages import cut
from lumen_desktop.retrieval.readers import may_hold_many, public, read
from lumen_desktop.retrieval.readers.client import ReaderProcess
from lumen_desktop.retrieval.readers.parts import PartsAnswer
from lumen_desktop.retrieval.readers.untrusted import BrokenRuleError
from tests.conftest import SHARED
from tests.formats.test_kept import DOCUMENT, packed

ONE = kept.of_document(DOCUMENT).encode()
LEAFLETS = SHARED / "ema_leaflets" / "leaflets_150.jsonl"


@pytest.fixture
def reader() -> Iterator[ReaderProcess]:
    process = ReaderProcess()
    yield process
    process.close()


def test_a_passage_names_the_medicine_its_section_and_the_edition() -> None:
    extract = read("label.json", ONE)
    assert extract.title == "Zelborax (zelboraxine): prescribing information"
    (passage,) = cut(extract)
    assert passage.header == "Zelborax (zelboraxine): prescribing information — 2 Dosage › 2.1 Adults"
    assert passage.text == "The dose is 5 µg daily.\nAge | Dose"
    assert extract.metadata["edition"] == "version 3, 2024-05-01"
    assert extract.metadata["subject"] == "zelboraxine · set id a-1"
    assert (extract.metadata["ingredient"], extract.metadata["brand_name"]) == ("zelboraxine", "Zelborax")


def test_a_document_about_no_medicine_keeps_its_title() -> None:
    plain = replace(DOCUMENT, entity=Entity(), title="21 CFR 211", version="", as_of="", kind="regulation")
    extract = public.extract(plain)
    assert extract.title == "21 CFR 211"
    assert dict(extract.metadata) == {"subject": "a-1"}


def test_a_brand_that_is_the_ingredient_is_named_once() -> None:
    same = replace(DOCUMENT, entity=replace(DOCUMENT.entity, brands=("Zelboraxine",)))
    assert public.extract(same).title == "Zelboraxine: prescribing information"


def test_several_documents_in_one_file_are_not_read_as_one() -> None:
    other = kept.of_document(replace(DOCUMENT, id="b-2")).encode()
    with pytest.raises(InputError) as refused:
        read("two.zip", packed({"1.json": ONE, "2.json": other}))
    assert refused.value.code == "LIB-017"


def test_a_file_of_many_is_taken_apart_and_one_document_is_not(reader: ReaderProcess) -> None:
    other = kept.of_document(replace(DOCUMENT, id="b-2"))
    two = packed({"1.json": ONE, "2.json": other.encode()})
    assert may_hold_many(two)
    assert [(part.name, part.text) for part in reader.parts("two.zip", two)] == [("a-1", ONE.decode()), ("b-2", other)]
    assert list(reader.parts("one.json", ONE)) == []
    assert list(reader.parts("notes.zip", packed({"a.txt": b"text"}))) == []
    assert reader.read("one.json", ONE).title.startswith("Zelborax")


def test_what_breaks_in_the_middle_leaves_the_documents_before_it(reader: ReaderProcess) -> None:
    third = kept.of_document(replace(DOCUMENT, id="c-3"))
    files = {"1.json": ONE, "2.json": third.encode(), "3.json": b'{"lumen_public_document":9}'}
    found = reader.parts("three.zip", packed(files))
    assert [next(found).name, next(found).name] == ["a-1", "c-3"]
    with pytest.raises(InputError) as refused:
        next(found)
    assert refused.value.code == "FMT-003"
    assert reader.read("one.json", ONE).title.startswith("Zelborax")


def test_other_json_and_other_xml_are_refused() -> None:
    for name, content in (("package.json", b'{"name": "x"}'), ("feed.xml", b'<?xml version="1.0"?><feed>words</feed>')):
        with pytest.raises(InputError) as refused:
            read(name, content)
        assert refused.value.code == "LIB-003"


@pytest.mark.parametrize(
    "event",
    [
        {"event": "content", "text": 3},
        {"event": "part", "name": "a", "fault": ""},
        {"event": "part", "name": 1, "fault": "x"},
        {"event": "page"},
    ],
)
def test_an_answer_that_breaks_its_rules_is_refused(event: dict[str, object]) -> None:
    with pytest.raises(BrokenRuleError):
        PartsAnswer().take(event)


def test_a_document_with_a_fault_is_refused() -> None:
    answer = PartsAnswer()
    answer.take({"event": "content", "text": "x"})
    with pytest.raises(BrokenRuleError):
        answer.take({"event": "part", "name": "a", "fault": "why"})


def test_too_many_parts_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lumen_desktop.retrieval.readers.parts.MOST_PARTS", 1)
    answer = PartsAnswer()
    answer.take({"event": "part", "name": "a", "fault": "why"})
    with pytest.raises(BrokenRuleError):
        answer.take({"event": "part", "name": "b", "fault": "why"})
