"""MedQuAD: each answered question is a document, each unanswered one is counted."""

import io
from pathlib import Path

import pytest

from lumen_desktop.errors import InputError
from lumen_desktop.formats.document import Fault, PublicDocument
from lumen_desktop.formats.medquad import documents

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "medquad"
PAGE = """<?xml version="1.0" encoding="UTF-8"?>
<Document id="0000007_1" source="CancerGov" url="https://www.cancer.gov/types/example">
<Focus>Invented Disease</Focus>
<FocusAnnotations><UMLS><CUIs><CUI>C0000001</CUI><CUI>C0000002</CUI></CUIs></UMLS></FocusAnnotations>
<QAPairs>
  <QAPair pid="1">
  <Question qid="0000007_1-1" qtype="treatment">What are the treatments for Invented Disease ?</Question>
  <Answer>Take 2.5 mg
      of rest.    - Every  8 hours &amp; more.</Answer></QAPair>
  <QAPair pid="2"><Question qid="0000007_1-2" qtype="causes">What causes it ?</Question><Answer></Answer></QAPair>
  <QAPair pid="3"><Question qtype="outlook">What is the outlook ?</Question><Answer>Good.</Answer></QAPair>
  <QAPair pid="4"><Answer>An answer to nothing.</Answer></QAPair>
</QAPairs>
</Document>
"""


def read(text: str | bytes, name: str = "page.xml") -> list[PublicDocument | Fault]:
    return list(documents(io.BytesIO(text.encode() if isinstance(text, str) else text), name))


def test_a_page_of_the_repository() -> None:
    first, second, third, fourth = read(PAGE)
    assert isinstance(first, PublicDocument)
    assert (first.id, first.kind, first.title) == ("CancerGov/0000007_1-1-8aa8b0ba", "qa", "Invented Disease")
    assert (first.url, first.licence) == ("https://www.cancer.gov/types/example", "CC-BY-4.0")
    assert [(s.path, s.code, s.text) for s in first.sections] == [
        (("Treatment",), "treatment", "Take 2.5 mg\nof rest. - Every 8 hours & more.")
    ]
    assert first.facts == {
        "question": "What are the treatments for Invented Disease ?",
        "answer": "Take 2.5 mg\nof rest. - Every 8 hours & more.",
        "qtype": "treatment",
        "focus": "Invented Disease",
        "cuis": ["C0000001", "C0000002"],
    }
    assert second == Fault("CancerGov/0000007_1-2", "no-text", "The item has no answer.")
    assert isinstance(third, PublicDocument)
    assert third.id.startswith(
        "CancerGov/0000007_1-3-"
    )  # the page's id and the pair's stand for a question without one
    assert isinstance(fourth, Fault)
    assert fourth.reason == "wrong-form"


def test_the_same_items_as_lines() -> None:
    lines = (
        '{"id": "0000001-1", "source": "GARD", "focus": "X", "qtype": "", "question": "Q ?", "answer": "A."}\n'
        '{"id": "0000001-1", "source": "NINDS", "question": "Q ?", "answer": "B."}\n'
        '{"id": "3", "source": "GARD", "question": "Q ?", "answer": " "}\n'
        '{"question": "Q ?", "answer": null}\n'
        "[1]\n"
    )
    first, second, *faults = read(lines, "medquad.jsonl")
    assert isinstance(first, PublicDocument)
    assert isinstance(second, PublicDocument)
    assert first.id.startswith("GARD/0000001-1-")
    assert second.id.startswith("NINDS/0000001-1-")  # numbers repeat from institute to institute
    assert first.sections[0].path == ()
    assert second.title == "Q ?"
    assert [(one.where, one.reason) for one in faults if isinstance(one, Fault)] == [
        ("GARD/3", "no-text"), ("line 4", "no-text"), ("line 5", "wrong-form"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (PAGE[:700], "FMT-002"),
        (PAGE.replace("</Focus>", "</Fokus>"), "FMT-001"),
        ("<PubmedArticleSet><QAPair/></PubmedArticleSet>", "FMT-003"),
        ("<html><p>No.</p></html>", "FMT-003"),
        ('<!DOCTYPE Document [<!ENTITY a "b">]>' + PAGE.split("\n", 1)[1], "FMT-006"),
    ],
)
def test_a_file_that_is_not_read(text: str, code: str) -> None:
    with pytest.raises(InputError) as caught:
        read(text)
    assert caught.value.code == code


def test_the_real_items() -> None:
    if not SHARED.is_dir():
        pytest.skip("no ../shared/data/medquad")
    with (SHARED / "medquad_4000.jsonl").open("rb") as stream:
        found = list(documents(stream, "medquad_4000.jsonl"))
    assert len(found) == 4_000
    assert not [one for one in found if isinstance(one, Fault)]
    ids = [one.id for one in found if isinstance(one, PublicDocument)]
    assert len(set(ids)) == len(ids)  # of two pages with one number neither goes missing
    assert {one.facts["qtype"] for one in found if isinstance(one, PublicDocument)} >= {"symptoms", "treatment"}
