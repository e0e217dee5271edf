"""PubMedQA: all three parts, item by item, with the conclusion apart from the passages."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from lumen_desktop.errors import InputError
from lumen_desktop.formats.document import Fault, PublicDocument
from lumen_desktop.formats.pubmedqa import CONCLUSION, documents

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "pubmedqa"
ITEM: dict[str, Any] = {
    "QUESTION": "Does inventing help?",
    "CONTEXTS": ["We invented 12 trials.", "It helped (p<0.05)."],
    "LABELS": ["METHODS", "RESULTS"],
    "MESHES": ["Humans"],
    "YEAR": "2011",
    "final_decision": "yes",
    "LONG_ANSWER": "Inventing helps.",
}


def read(items: Any) -> list[PublicDocument | Fault]:
    return list(documents(io.BytesIO(json.dumps(items).encode()), "ori_pqal.json"))


def one(**changes: Any) -> PublicDocument | Fault:
    return read({"1": {**ITEM, **changes}})[0]


def test_an_item() -> None:
    found = one()
    assert isinstance(found, PublicDocument)
    assert (found.id, found.kind, found.title, found.as_of) == ("1", "qa", "Does inventing help?", "2011")
    assert found.url == "https://pubmed.ncbi.nlm.nih.gov/1/"
    assert [(s.path, s.code, s.text) for s in found.sections] == [
        (("Methods",), "METHODS", "We invented 12 trials."),
        (("Results",), "RESULTS", "It helped (p<0.05)."),
        (("Conclusion",), CONCLUSION, "Inventing helps."),
    ]
    assert found.facts == {"question": "Does inventing help?", "mesh": ["Humans"], "final_decision": "yes"}


def test_an_undecided_item_has_no_decision() -> None:
    undecided = {key: value for key, value in ITEM.items() if key not in ("final_decision", "YEAR", "LABELS")}
    (found,) = read({"7": undecided})
    assert isinstance(found, PublicDocument)
    assert "final_decision" not in found.facts
    assert found.as_of == ""
    assert [section.code for section in found.sections] == ["", "", CONCLUSION]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"QUESTION": ""}, "wrong-form"),
        ({"final_decision": "perhaps"}, "wrong-form"),
        ({"CONTEXTS": []}, "no-text"),
        ({"CONTEXTS": "one text"}, "no-text"),
        ({"CONTEXTS": [" ", None]}, "no-text"),
    ],
)
def test_an_item_that_cannot_be_used(changes: dict[str, Any], reason: str) -> None:
    found = one(**changes)
    assert isinstance(found, Fault)
    assert (found.where, found.reason) == ("1", reason)


def test_an_item_without_conclusion_is_its_abstract() -> None:
    found = one(LONG_ANSWER="")
    assert isinstance(found, PublicDocument)
    assert [section.code for section in found.sections] == ["METHODS", "RESULTS"]


def test_faults_do_not_end_the_file() -> None:
    found = read({"1": ITEM, "x": ITEM, "3": [], "4": ITEM})
    assert [type(each) for each in found] == [PublicDocument, Fault, Fault, PublicDocument]


@pytest.mark.parametrize("items", [{}, [ITEM], {"name": ITEM}, {"1": {"question": "Q"}}, {"1": "text"}])
def test_another_format_is_refused(items: Any) -> None:
    with pytest.raises(InputError, match="PubMedQA") as caught:
        read(items)
    assert caught.value.code == "FMT-003"


def test_a_file_cut_off_gives_what_it_held_and_then_refuses() -> None:
    whole = json.dumps({str(number): ITEM for number in range(1, 2_001)}).encode()
    found = documents(io.BytesIO(whole[: len(whole) // 2]), "x.json")
    assert isinstance(next(found), PublicDocument)
    with pytest.raises(InputError) as caught:
        list(found)
    assert caught.value.code == "FMT-002"


def test_the_real_items() -> None:
    if not SHARED.is_dir():
        pytest.skip("no ../shared/data/pubmedqa")
    with (SHARED / "pubmedqa_dev_500.json").open("rb") as stream:
        found = list(documents(stream, "pubmedqa_dev_500.json"))
    decisions = [each.facts["final_decision"] for each in found if isinstance(each, PublicDocument)]
    assert [decisions.count(word) for word in ("yes", "no", "maybe")] == [276, 169, 55]
