"""Readers of the public sets, on small files in each publisher's form, and on broken ones."""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from lumen_desktop.errors import InputError
from tests.conftest import SHARED
from trainer.config import Config, load
from trainer.evaluation import sets
from trainer.evaluation.questions import Judge, digest, part, share
from trainer.evaluation.sets import choices, words
from trainer.evaluation.sets.medhalt import medhalt
from trainer.sources.pubmedqa_held_out import TEST_PMIDS

MEDQA = {"question": "Which one?", "options": {"A": "Iron", "B": "Zinc"}, "answer_idx": "B", "answer": "Zinc"}
MEDMCQA = {"id": "x1", "question": "Which vein?", "opa": "a1", "opb": "b1", "opc": "c1", "opd": "d1", "cop": 4,
           "subject_name": "Anatomy"}  # fmt: skip
PUBMEDQA = {"QUESTION": "Does it?", "CONTEXTS": ["It was tried.", "It did."], "LABELS": ["METHODS", "RESULTS"],
            "LONG_ANSWER": "It does.", "final_decision": "yes"}  # fmt: skip


def lines(path: Path, *records: Mapping[str, Any]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")
    return path


def table(path: Path, *rows: Sequence[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def refused(read: Callable[[Path], Any], path: Path) -> str:
    with pytest.raises(InputError) as caught:
        list(read(path))
    assert caught.value.code == "TRN-090"
    assert caught.value.message.endswith(".")
    assert "\n" not in caught.value.message
    return caught.value.message


def test_medqa_is_worded_as_the_harness_words_it(tmp_path: Path) -> None:
    [one] = choices.medqa(lines(tmp_path / "medqa.jsonl", MEDQA))
    assert one.prompt() == "Question: Which one?\nA. Iron\nB. Zinc\nAnswer:"
    assert (one.set, one.wanted, one.labels) == ("medqa", "B", ("A", "B"))


def test_turned_options_lead_back_to_the_published_letter(tmp_path: Path) -> None:
    [one] = choices.medqa(lines(tmp_path / "medqa.jsonl", {**MEDQA, "options": {"A": "i", "B": "j", "C": "k"},
                                                            "answer": "j"}))  # fmt: skip
    assert one.prompt(1) == "Question: Which one?\nA. j\nB. k\nC. i\nAnswer:"
    assert [one.original(letter, 1) for letter in "ABC"] == ["B", "C", "A"]
    assert [one.original(letter, 2) for letter in "ABC"] == ["C", "A", "B"]


def test_medmcqa_is_worded_as_the_harness_words_it(tmp_path: Path) -> None:
    file = lines(tmp_path / "dev.json", MEDMCQA, {**MEDMCQA, "id": "x2", "cop": 1})
    one, two = choices.medmcqa(file)
    assert one.prompt() == "Question: Which vein?\nChoices:\nA. a1\nB. b1\nC. c1\nD. d1\nAnswer:"
    assert (one.wanted, two.wanted, one.facts) == ("D", "A", {"subject": "Anatomy"})


def test_pubmedqa_is_worded_as_the_harness_words_it(tmp_path: Path) -> None:
    path = tmp_path / "pqal.json"
    path.write_text(json.dumps({"123": PUBMEDQA, "124": {**PUBMEDQA, "final_decision": "maybe"}}))
    one, two = choices.pubmed(path)
    assert one.prompt() == "Abstract: It was tried.\nIt did.\nQuestion: Does it?\nAnswer:"
    assert (one.labels, one.wanted, two.wanted, one.turns) == (("yes", "no", "maybe"), "yes", "maybe", False)


def test_of_a_whole_pubmedqa_the_public_test_half_is_asked(tmp_path: Path) -> None:
    path, tested = tmp_path / "pqal.json", min(TEST_PMIDS)
    path.write_text(json.dumps({"1": PUBMEDQA, tested: PUBMEDQA}))
    assert [one.id for one in choices.pubmed(path)] == [tested]


def mmlu(folder: Path, *, inside: str = "") -> Path:
    for subject in choices.MMLU_SUBJECTS:
        table(folder / inside / f"{subject}_test.csv", [" Which, then? ", "a", "b", "c", "d", "C"])
    return folder


@pytest.mark.parametrize("inside", ["", "test"])
def test_mmlu_is_worded_as_the_harness_words_it(tmp_path: Path, inside: str) -> None:
    found = list(choices.mmlu(mmlu(tmp_path, inside=inside)))
    assert len(found) == 6
    assert found[1].prompt() == (
        "The following are multiple choice questions (with answers) about clinical knowledge.\n\n"
        "Which, then?\nA. a\nB. b\nC. c\nD. d\nAnswer:"
    )
    assert {one.wanted for one in found} == {"C"}


def test_mirage_gives_a_set_for_each_of_its_sets(tmp_path: Path) -> None:
    path = tmp_path / "benchmark.json"
    item = {"question": "Which?", "options": {"A": "yes", "B": "no"}, "answer": "A"}
    path.write_text(json.dumps({"mmlu": {"medical_genetics-007": item}, "bioasq": {"q1": item}}))
    one, two = choices.mirage(path)
    assert (one.set, one.subject, two.set) == ("mirage/mmlu", "medical_genetics", "mirage/bioasq")
    assert one.prompt().startswith("The following are multiple choice questions (with answers) about medical genetics.")
    assert two.prompt() == "Question: Which?\nA. yes\nB. no\nAnswer:"


def test_medhalt_s_three_tests(tmp_path: Path) -> None:
    options = {"0": "It's red", "1": "blue", "2": "None of the above"}
    table(tmp_path / "reasoning_fake.csv", ["id", "question", "options"],
          ["f1", "On Zort, why?", "{'0': \"It's red\", '1': 'blue', '2': 'I do not know'}"])  # fmt: skip
    lines(tmp_path / "reasoning_nota.jsonl", {"id": "n1", "question": "Why?", "options": options, "correct_index": 2})
    table(tmp_path / "reasoning_FCT.csv", ["id", "question", "options", "correct_index"],
          ["c1", "Why?", str({**options, "correct answer": "blue"}), "0"],
          ["c2", "Why?", str({**options, "correct answer": "It's red"}), "0.0"])  # fmt: skip
    fake, nota, wrong, right = medhalt(tmp_path)
    assert (fake.set, fake.wanted, nota.set, nota.wanted) == ("medhalt-fake", "C", "medhalt-nota", "C")
    assert (wrong.wanted, right.wanted, wrong.labels) == ("no", "yes", ("yes", "no"))
    assert wrong.prompt() == (
        "Question: Why?\nA. It's red\nB. blue\nC. None of the above\nProposed answer: blue\n"
        "Is the proposed answer right?\nAnswer:"
    )


def test_questions_in_words(tmp_path: Path) -> None:
    asked = lines(tmp_path / "m.jsonl", {"Question": "what is it", "Answer": "a tablet"}, {"Question": "no answer"})
    [medication] = words.medicationqa(asked)
    assert (medication.judge, medication.wanted, medication.user) == (Judge.WORDS, "a tablet", "what is it")
    [kqa] = words.kqa(lines(tmp_path / "k.jsonl", {"Question": "why", "Must_have": ["Rest.", "See a\ndoctor."]}))
    assert (kqa.judge, kqa.wanted) == (Judge.STATEMENTS, "Rest.\nSee a doctor.")
    for kind in ("gpt4", "llama2"):
        table(tmp_path / "safety" / kind / "category_1.csv", ["", "harmful_medical_request", "safe_response"],
              ["0", "Do harm", "No"])  # fmt: skip
    one, two = words.medsafety(tmp_path / "safety")
    assert (one.set, one.judge, one.id, two.id) == (
        "medsafety",
        Judge.REFUSES,
        "gpt4/category_1-1",
        "llama2/category_1-1",
    )


@pytest.mark.parametrize(
    ("read", "content", "says"),
    [
        (choices.medqa, b'{"question": "Q", "options": {"A": "a", "B": "b"}, "answer_idx": "A"}\nnot json\n', "line 2"),
        (choices.medqa, b"{", "ends too early"),
        (choices.medqa, json.dumps(MEDMCQA).encode() + b"\n", "medqa's form"),
        (choices.medmcqa, json.dumps(MEDQA).encode() + b"\n", "medmcqa's form"),
        (choices.mirage, json.dumps(MEDQA).encode() + b"\n", "MIRAGE"),
        (choices.pubmed, b'{"a": 1}', "PubMedQA"),
        (choices.pubmed, b'{"1": {"QUESTION": "q", "CONTEXTS": ["c"]}}', "experts"),
        (words.medicationqa, b'{"Question": "q", "Answer": "a"}\n{"Answer": "a"}\n', "line 2"),
        (words.kqa, b'{"Question": "q", "Must_have": "text"}\n', "line 1"),
        (words.kqa, b'[{"Question": "q", "Must_have": []}, 7]', "record 2"),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_in_one_sentence(
    tmp_path: Path, read: Callable[[Path], Any], content: bytes, says: str
) -> None:
    path = tmp_path / "file.jsonl"
    path.write_bytes(content)
    message = refused(read, path)
    assert message.startswith("file.jsonl")
    assert says in message


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    for read in (choices.medqa, choices.pubmed, words.kqa):
        assert "cannot be read" in refused(read, tmp_path / "absent.json")


def test_bad_tables_are_refused_with_their_line(tmp_path: Path) -> None:
    folder = mmlu(tmp_path / "mmlu")
    table(folder / "anatomy_test.csv", ["Which?", "a", "b", "c", "d", "A"], ["Which?", "a", "b", "c", "d", "E"])
    assert "anatomy_test.csv, line 2" in refused(choices.mmlu, folder)
    (folder / "anatomy_test.csv").unlink()
    assert "anatomy_test.csv" in refused(choices.mmlu, folder)
    table(tmp_path / "h" / "reasoning_fake.csv", ["id", "question", "options"], ["1", "Why?", "__import__('os')"])
    assert "line 2" in refused(medhalt, tmp_path / "h")
    table(tmp_path / "h" / "reasoning_fake.csv", ["id", "question", "options"], ["1", "Why?"])
    assert "2 fields instead of 3" in refused(medhalt, tmp_path / "h")
    (tmp_path / "h" / "reasoning_fake.csv").write_bytes(b"id,question\n1,\xff\xfe\n")
    assert "UTF-8" in refused(medhalt, tmp_path / "h")
    (tmp_path / "h" / "reasoning_fake.csv").write_bytes(b'id,question\n1,"open\n')
    assert "CSV" in refused(medhalt, tmp_path / "h")
    for empty in (medhalt, words.medsafety):
        (tmp_path / "empty").mkdir(exist_ok=True)
        assert refused(empty, tmp_path / "empty").startswith("empty: it holds no")


def configured(tmp_path: Path, **named: str) -> Config:
    file = tmp_path / "c.yaml"
    file.write_text(json.dumps({"version": 1, "work": "work", "evaluate": {"sets": named}}))
    return load(file)


def test_only_sets_that_are_named_are_read(tmp_path: Path) -> None:
    lines(tmp_path / "medqa.jsonl", MEDQA)
    lines(tmp_path / "k.jsonl", {"Question": "why", "Must_have": ["Rest."]})
    config = configured(tmp_path, medqa="medqa.jsonl", kqa="k.jsonl")
    assert {name: len(some) for name, some in sets.letter_questions(config).items()} == {"medqa": 1}
    assert {name: len(some) for name, some in sets.word_questions(config).items()} == {"kqa": 1}


def test_a_part_of_a_set_is_fixed_and_keeps_the_order(tmp_path: Path) -> None:
    some = [{**MEDQA, "question": f"Which one of {number}?"} for number in range(50)]
    found = list(choices.medqa(lines(tmp_path / "medqa.jsonl", *some)))
    few = part(found, 10)
    assert few == part(found, 10)
    assert [one for one in found if one in few] == few
    assert part([*found, *found], 100) == found  # a question that is there twice is asked once
    assert {one.id for one in part(found[:40], 5)} - {one.id for one in part(found, 20)} == set()
    assert digest(few) != digest(part(found, 11)) != digest(part(found, 11), 1)


def test_a_limit_is_shared_out_evenly() -> None:
    assert share({"a": 500, "b": 20, "c": 500}, 600) == {"b": 20, "a": 290, "c": 290}
    assert share({"a": 5, "b": 5}, 600) == {"a": 5, "b": 5}
    assert sum(share({"a": 100, "b": 100, "c": 100}, 100).values()) == 100


@pytest.mark.skipif(not (SHARED / "pubmedqa").is_dir(), reason="needs ../shared/data")
def test_the_real_files_are_read(tmp_path: Path) -> None:
    found = list(choices.pubmed(SHARED / "pubmedqa" / "pubmedqa_dev_500.json"))
    assert len(found) == 500
    assert sum(one.wanted == "yes" for one in found) == 276
    by_set: dict[str, int] = {}
    for one in choices.mirage(SHARED / "mcq" / "mcq_dev_200.json"):
        by_set[one.set] = by_set.get(one.set, 0) + 1
    assert sum(by_set.values()) == 200
    assert set(by_set) == {"mirage/mmlu", "mirage/medmcqa"}
