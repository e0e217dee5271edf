"""Examination questions in each of their forms; an answer that is not certain is never taken."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from lumen_desktop.errors import InputError
from lumen_desktop.formats.document import Fault, PublicDocument
from lumen_desktop.formats.mcq import documents

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "mcq"


def medmcqa(number: int, cop: Any, **changes: Any) -> dict[str, Any]:
    options = {"opa": "Ten", "opb": "Twenty", "opc": "Thirty", "opd": "Forty"}
    item = {"id": f"m{number}", "question": f"How many, number {number}?", **options, "cop": cop}
    return {
        **item,
        "exp": "Because.",
        "subject_name": "Anatomy",
        "topic_name": "Hand",
        "choice_type": "single",
        **changes,
    }


MEDQA = {
    "question": "A patient presents. Which one?",
    "options": {"A": "Alpha", "B": "Beta", "C": "Gamma", "D": "Delta", "E": "Epsilon"},
    "answer_idx": "E",
    "answer": "Epsilon",
    "meta_info": "step1",
}


def as_lines(*items: Any) -> bytes:
    return "".join(json.dumps(item) + "\n" for item in items).encode()


def read(text: bytes) -> list[PublicDocument | Fault]:
    return list(documents(io.BytesIO(text), "train.json"))


def answers(text: bytes) -> list[str]:
    return [one.facts["answer"] if isinstance(one, PublicDocument) else one.reason for one in read(text)]


def test_medmcqa_as_published_counts_from_one() -> None:
    first = read(as_lines(medmcqa(1, 2), medmcqa(2, 4)))[0]
    assert isinstance(first, PublicDocument)
    assert (first.id, first.kind, first.title) == ("m1", "mcq", "How many, number 1?")
    assert first.facts == {
        "form": "medmcqa",
        "question": "How many, number 1?",
        "options": {"A": "Ten", "B": "Twenty", "C": "Thirty", "D": "Forty"},
        "answer": "B",
        "explanation": "Because.",
        "subject": "Anatomy",
        "topic": "Hand",
    }
    (section,) = first.sections
    assert section.path == ("Anatomy", "Hand")
    assert section.text == ("How many, number 1?\nA. Ten\nB. Twenty\nC. Thirty\nD. Forty\nAnswer: B. Twenty\nBecause.")


def test_a_copy_of_medmcqa_that_counts_from_nought() -> None:
    assert answers(as_lines(medmcqa(1, 2), medmcqa(2, 0))) == ["C", "A"]


def test_where_it_cannot_be_told_from_where_answers_are_counted_none_is_taken() -> None:
    assert answers(as_lines(medmcqa(1, 1), medmcqa(2, 3))) == ["no-answer", "no-answer"]
    assert answers(as_lines(medmcqa(1, 0), medmcqa(2, 4))) == ["no-answer", "no-answer"]


def test_the_test_split_of_medmcqa_has_no_answers() -> None:
    assert answers(as_lines(medmcqa(1, -1), medmcqa(2, None))) == ["no-answer", "no-answer"]
    assert answers(as_lines(medmcqa(1, 4), medmcqa(2, 5), medmcqa(3, "x"))) == ["D", "no-answer", "no-answer"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"question": " "}, "wrong-form"), ({"opc": None}, "no-text"), ({"id": ""}, "no-id")],
)
def test_an_item_that_lacks_something(changes: dict[str, Any], reason: str) -> None:
    assert answers(as_lines(medmcqa(1, 4), medmcqa(2, 1, **changes)))[1] == reason


def test_medqa_as_lines_and_as_a_list() -> None:
    for text in (as_lines(MEDQA), json.dumps([MEDQA]).encode(), b"\xef\xbb\xbf" + as_lines(MEDQA)):
        (found,) = read(text)
        assert isinstance(found, PublicDocument)
        assert found.facts["answer"] == "E"
        assert found.facts["form"] == "medqa"
        assert found.sections[0].text.endswith("E. Epsilon\nAnswer: E. Epsilon")
        assert len(found.id) == 16


def test_another_question_has_another_digest() -> None:
    found = read(as_lines(MEDQA, {**MEDQA, "question": "Another?"}, MEDQA))
    first, second, third = (one.id for one in found if isinstance(one, PublicDocument))
    assert first == third != second


def test_medqa_with_its_options_in_a_list() -> None:
    options = [{"key": "A", "value": "Alpha"}, {"key": "B", "value": "Beta"}]
    (found,) = read(as_lines({**MEDQA, "options": options, "answer_idx": "B", "answer": "Beta"}))
    assert isinstance(found, PublicDocument)
    assert found.facts["options"] == {"A": "Alpha", "B": "Beta"}


def test_medqa_whose_letter_and_words_disagree_is_not_taken() -> None:
    assert answers(as_lines({**MEDQA, "answer": "Alpha"})) == ["no-answer"]
    assert answers(as_lines({**MEDQA, "answer": "E"}, {**MEDQA, "answer": ""})) == ["no-answer", "E"]


def test_options_must_be_lettered() -> None:
    assert answers(as_lines({**MEDQA, "options": {"A": "Alpha", "C": "Gamma"}})) == ["wrong-form"]
    assert answers(as_lines({**MEDQA, "options": {"A": "Alpha"}})) == ["wrong-form"]
    assert answers(as_lines({**MEDQA, "options": "A or B"})) == ["wrong-form"]


def test_lines_that_are_no_questions_are_counted() -> None:
    assert answers(as_lines(MEDQA) + b"nonsense\n" + as_lines(MEDQA)) == ["E", "wrong-form", "E"]
    assert answers(json.dumps([MEDQA, "nonsense"]).encode()) == ["E", "wrong-form"]


def test_mirage() -> None:
    item = {"question": "Which?", "options": {"A": "Alpha", "B": "Beta"}, "answer": "A"}
    for indent in (None, 1):
        text = json.dumps({"mmlu": {"anatomy-1": item, "anatomy-2": []}, "bioasq": {"7": item}}, indent=indent)
        first, second, third = read(text.encode())
        assert isinstance(first, PublicDocument)
        assert (first.id, first.facts["form"], first.facts["subject"]) == ("mmlu/anatomy-1", "mirage", "mmlu")
        assert isinstance(second, Fault)
        assert isinstance(third, PublicDocument)
        assert third.id == "bioasq/7"


def test_a_long_question_has_a_short_title() -> None:
    (found,) = read(as_lines({**MEDQA, "question": "word " * 100}))
    assert isinstance(found, PublicDocument)
    assert len(found.title) <= 120


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"", "FMT-002"),
        (b"question,answer\n", "FMT-001"),
        (b'{"a": {"b": {"question": "Q"}}}', "FMT-003"),
        (b'{"question": "Q", "answer": "A"}\n', "FMT-003"),
        (b'[{"question": "Q", "answer": "A"}]', "FMT-003"),
        (as_lines(MEDQA) + as_lines(MEDQA)[:40], "FMT-002"),
        (json.dumps([MEDQA, MEDQA]).encode()[:-20], "FMT-002"),
    ],
)
def test_a_file_that_is_not_read(text: bytes, code: str) -> None:
    with pytest.raises(InputError) as caught:
        read(text)
    assert caught.value.code == code


def test_the_real_questions() -> None:
    if not SHARED.is_dir():
        pytest.skip("no ../shared/data/mcq")
    with (SHARED / "mcq_dev_200.json").open("rb") as stream:
        found = list(documents(stream, "mcq_dev_200.json"))
    assert len(found) == 200
    assert {one.facts["subject"] for one in found if isinstance(one, PublicDocument)} == {"mmlu", "medmcqa"}
    assert not [one for one in found if isinstance(one, Fault)]
