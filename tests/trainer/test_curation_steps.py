"""Each step of curation by itself: what it keeps, what it refuses, and why."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lumen_desktop.domain.grounding import ABSTENTION, build_prompt
from lumen_desktop.domain.library import Currency, Kind, Passage
from lumen_desktop.domain.quantities import quantities
from lumen_desktop.errors import InputError
from lumen_desktop.formats.document import Entity
from trainer.curation import Caps, Mix, Quality, Split
from trainer.curation.caps import over
from trainer.curation.contamination import Index
from trainer.curation.duplicates import redundant, stated, word_groups
from trainer.curation.evaluation import Item, items
from trainer.curation.keys import Key, same_words
from trainer.curation.mix import mixed
from trainer.curation.normalise import normalise, tidy
from trainer.curation.origins import Origins
from trainer.curation.quality import checkable, flaw
from trainer.curation.split import leaks, part
from trainer.curation.texts import asked, distinguishing, shown
from trainer.records import Example, Message, Origin, Record

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
LIMITS = Quality()


def an_example(
    question: str = "What is the dose of zolpex?", answer: str = "The dose is 10 mg.", **fields: object
) -> Example:
    plain = Example(
        family="label",
        template="t1",
        messages=(Message("user", question), Message("assistant", answer)),
        origins=(),
        doc_ids=("dailymed:1",),
        groups=("drug:zolpex",),
        licences=("CC0-1.0",),
        commercial=True,
    )
    return replace(plain, **fields)  # type: ignore[arg-type]


def a_passage(text: str) -> Passage:
    return Passage(
        id=1, document_id=1, document="Zolpex label", kind=Kind.SOURCE, subject="zolpex", edition="2024",
        currency=Currency.IN_FORCE, paged=False, header="Zolpex label — Dosage", section="Dosage", text=text, spans=(),
    )  # fmt: skip


def grounded(passage: str, answer: str, question: str = "What is the dose?", **fields: object) -> Example:
    system, user = build_prompt(question, [a_passage(passage)])
    messages = (Message("system", system), Message("user", user), Message("assistant", answer))
    return replace(an_example(), messages=messages, **fields)  # type: ignore[arg-type]


def a_key(number: int, **fields: object) -> Key:
    plain = Key(
        id=f"{number:032x}", rank=0, number=number, start=0, same=str(number), stated=stated(""), characters=10,
        as_of="2020", family="label", template="t", labeler="", groups=(f"drug:{number}",), answerable=None,
        synthetic=False,
    )  # fmt: skip
    return replace(plain, **fields)  # type: ignore[arg-type]


# texts


def test_the_question_is_taken_out_of_the_apps_own_prompt_form() -> None:
    example = grounded("Take 10 mg.\n\nQuestion: none.", "Take 10 mg. [1]", "How much?")
    assert asked(example) == "How much?"
    assert shown(example).endswith("Question: none.")
    assert shown(an_example()) == ""


def test_what_distinguishes_leaves_the_shown_passage_out_but_not_where_nothing_answers() -> None:
    assert distinguishing(grounded("Take 10 mg.", "Take 10 mg. [1]")) == "What is the dose?\nTake 10 mg."
    assert "Zolpex label" in distinguishing(grounded("Keep dry.", ABSTENTION, answerable=False))


# normalise


def test_normalising_composes_and_joins_spaces_and_keeps_paragraphs_and_numbers() -> None:
    text = "Cafe\u0301  10\u00a0mg\u200b\n\n\n  to 2.5\tmL "
    assert tidy(text) == "Café 10 mg\n\nto 2.5 mL"
    assert quantities(tidy(text)) == quantities(text)
    assert tidy("5 \u2126 and 3 \u212b") == "5 \u2126 and 3 \u212b"


def test_a_draft_is_told_apart_by_its_facts_and_keeps_its_turn() -> None:
    turn = "Sources:\n\n[1] Rule\nKeep records.\n\nFacts:\n- Batch: 12\n\nWrite the section."
    turns = (Message("system", "Draft."), Message("user", turn), Message("assistant", "The batch was 12."))
    draft = an_example(messages=turns)
    assert asked(draft) == "- Batch: 12\n\nWrite the section."
    assert shown(draft).endswith("Keep records.")
    assert normalise(draft) is draft
    assert flaw(draft, LIMITS, None) == ""
    assert (
        flaw(replace(draft, messages=(*turns[:2], Message("assistant", "The batch was 13."))), LIMITS, None) == "number"
    )


def test_a_turn_in_the_apps_form_keeps_its_bytes() -> None:
    example = grounded("Take  10 mg.\n\n\nNow.", "Take 10  mg. [1]")
    normal = normalise(example)
    assert normal.question == example.question
    assert normal.answer == "Take 10 mg. [1]"
    assert normalise(normal) is normal


# quality


@pytest.mark.parametrize(
    ("example", "reason"),
    [
        (an_example(), ""),
        (an_example(answer=" "), "empty"),
        (an_example(messages=(Message("user", "What?"),)), "turns"),
        (an_example(messages=(Message("system", "Do."),)), "turns"),
        (an_example(licences=("Invented-1.0",)), "licence-unknown"),
        (an_example(licences=("CC0-1.0", "CC-BY-NC-4.0")), "licence-conflict"),
        (an_example(licences=("CC0-1.0", "CC-BY-NC-4.0"), commercial=False), ""),
        (an_example(answer="word " * 1600), "long"),
        (an_example(question="q" * 33_000), "long"),
        (an_example(answer="The dose is \ufffd mg."), "damaged"),
        (an_example(answer="A\ud800 dose."), "damaged"),
        (an_example(answer="=== ||| +++ ~~~ dose"), "symbols"),
        (an_example(answer="take take take take it"), "repetition"),
        (an_example(answer="It is said that it is so. " * 12), "repetition"),
    ],
)
def test_a_flaw_is_named(example: Example, reason: str) -> None:
    assert flaw(example, LIMITS, None) == reason


def test_too_short_an_answer_is_refused_where_the_limit_says_so() -> None:
    assert flaw(an_example(answer="Yes."), Quality(answer_words=(2, 9)), None) == "answer-short"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("Adults take 10 mg once daily with food. [1]", ""),
        ("The dose is 10 mg once daily. [1]", ""),
        ("The dose is 20 mg once daily. [1]", "number"),
        ("The dose is 10 mcg once daily. [1]", "number"),
        ("Adults take 10 mg under § 211.192 once daily. [1]", "clause"),
        ("Bananas ripen slowly beside warm windows. [1]", "not-in-span"),
        (ABSTENTION, ""),
    ],
)
def test_an_answer_is_held_against_the_passages_shown(answer: str, reason: str) -> None:
    example = grounded("Adults take 10 mg once daily with food. The dose is fixed.", answer)
    assert flaw(example, LIMITS, None) == reason
    assert checkable(example, LIMITS, None) is (answer != ABSTENTION)


def a_record(text: str) -> Record:
    return Record(
        id="dailymed:1#1", doc_id="dailymed:1", source="dailymed", kind="label", version="1", as_of="2024", url="",
        licence="CC0-1.0", commercial=True, file="a.xml", title="Zolpex", entity=Entity(), section_code="34068-7",
        section_path=("Dosage",), language="en", text=text,
    )  # fmt: skip


def test_an_answer_is_held_against_the_characters_it_names_as_its_origin(tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"
    file.write_text(a_record("Adults take 10 mg. Children take 5 mg.").as_line() + "\n", encoding="utf-8")
    origins = Origins([file])
    right = an_example(answer="Adults take 10 mg.", origins=(Origin("dailymed:1#1", 0, 18),))
    assert flaw(right, LIMITS, origins) == ""
    wrong = replace(right, origins=(Origin("dailymed:1#1", 19, 38),))
    assert flaw(wrong, LIMITS, origins) == "number"
    assert flaw(wrong, LIMITS, None) == "", "without the records there is nothing to hold it against"
    missing = replace(right, origins=(Origin("dailymed:2#1", 0, 5),))
    assert flaw(missing, LIMITS, origins) == "origin-missing"
    assert not checkable(replace(right, family="replay"), LIMITS, origins)


# duplicates


def near(*texts: str) -> dict[int, int]:
    groups = [word_groups(text, 5) for text in texts]
    return redundant(range(len(texts)), groups.__getitem__, lambda n: stated(texts[n]), threshold=0.8)


LONG = " ".join(f"{word}ing" for word in "abcdefghijklmnopqrstuvwxyz") + " gives the dose of 10 mg a day to adults"


def test_case_and_punctuation_make_no_other_text() -> None:
    assert near(LONG, LONG.upper().replace(" ", " - ")) == {1: 0}
    assert same_words(an_example(answer="The dose is 10 mg")) == same_words(an_example(answer="the dose, is 10 mg!"))
    assert same_words(an_example(answer="Take 1.5 mg")) != same_words(an_example(answer="Take 15 mg"))


@pytest.mark.parametrize(
    ("old", "new"), [("10 mg", "20 mg"), ("10 mg", "10 mcg"), ("a day", "twice a day"), ("gives", "not gives")]
)
def test_another_quantity_or_a_denial_is_another_statement(old: str, new: str) -> None:
    text = f"{LONG} {LONG.replace('ing', 'ed')}"
    assert near(text, text.replace(old, new, 1)) == {}


def test_a_sentence_more_is_a_near_duplicate_and_a_chain_does_not_carry_over() -> None:
    assert near(f"{LONG} and some more words here", LONG) == {1: 0}
    words = LONG.split()
    chain = [" ".join(words[n : n + 28]) for n in (0, 2, 4, 6, 8)]
    gone = near(*chain)
    assert gone, "neighbours are alike"
    assert 4 not in gone, "the ends are not"


def test_short_and_empty_texts_are_compared_too() -> None:
    assert near("Take it.", "take it", "Leave it.") == {1: 0}
    assert len(word_groups("", 5)) == 0
    assert near() == {}


# contamination

SET = [
    Item("s", "short", "question", "What is acanthoma?"),
    Item(
        "s",
        "long",
        "question",
        "Which of the following drugs may cause the blood pressure of older adults to fall at night",
    ),
    Item("s", "answer", "answer", " ".join(f"word{n}" for n in range(40))),
    Item("s", "tiny", "answer", "Take with food."),
]


@pytest.mark.parametrize(
    ("question", "answer", "sign"),
    [
        ("What is acanthoma?", "A tumour of the skin.", "exact"),
        ("Please tell me: WHAT IS ACANTHOMA", "A tumour of the skin.", "part"),
        (SET[1].text.upper().replace(" ", "-"), "None.", "exact"),
        (f"Well then. {SET[1].text}? Say it.", "None.", "coverage"),
        ("Which of the following drugs may cause the blood pressure", "None.", "coverage"),
        ("Say all.", " ".join(f"word{n}" for n in range(20, 40)), "coverage"),
        ("Say some.", " ".join(f"word{n}" for n in range(30, 40)), ""),
        ("Take with food.", "Take with food.", ""),
        ("What is a wart?", "A small growth.", ""),
    ],
)
def test_a_copy_of_a_test_item_is_found(question: str, answer: str, sign: str) -> None:
    hits, _ = Index(SET, 0.5).look(an_example(question, answer))
    assert [hit.sign for hit in hits] == [sign] * bool(sign)


def test_what_cannot_be_checked_is_counted() -> None:
    index = Index(SET, 0.5)
    report = index.reports()["s"].as_json()
    assert (report["items"], report["not_checkable_8"], report["not_checkable_13"], report["unchecked"]) == (4, 2, 2, 1)
    assert index.look(an_example(answer=SET[2].text))[1] == {"s"}
    assert Index([], 0.5).look(an_example()) == ([], set())


def test_the_forms_of_evaluation_sets_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "beir"
    folder.mkdir()
    (folder / "queries.jsonl").write_text(
        '{"_id": "q1", "text": "Why?"}\n{"_id": "q2", "text": "How?", "answer": "So."}\n'
    )
    (folder / "qrels.tsv").write_text("q1\tp1\t1\nq2\tp1\t1\n")
    (folder / "corpus.jsonl").write_text('{"_id": "p1", "text": "Because."}\n{"_id": "p2", "text": "Never."}\n')
    assert [(i.id, i.part, i.text) for i in items([tmp_path])] == [
        ("q1", "question", "Why?"), ("q2", "question", "How?"), ("q2", "answer", "So."), ("q1", "answer", "Because."),
    ]  # fmt: skip
    choice = tmp_path / "mcq.json"
    choice.write_text(json.dumps({"mmlu": {"x-1": {"question": "Which?", "options": {"A": "This", "B": "That"}}}}))
    assert [(i.set, i.text) for i in items([choice])] == [("mcq/mmlu", "Which?\nThis\nThat"), ("mcq/mmlu", "Which?")]
    listed = tmp_path / "list.json"
    listed.write_text('[{"question": "When?", "answer": "Now."}]')
    assert [i.text for i in items([listed])] == ["When?", "Now."]


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 1}', "3"])
def test_a_file_that_is_no_evaluation_set_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "set.json"
    file.write_text(text)
    with pytest.raises(InputError, match=r"set\.json") as caught:
        list(items([file]))
    assert caught.value.code == "TRN-030"
    lines = tmp_path / "set.jsonl"
    lines.write_text("{")
    with pytest.raises(InputError):
        list(items([lines]))


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not here")
def test_the_real_evaluation_sets_are_read() -> None:
    found = list(items([DATA / "mcq", DATA / "pubmedqa", DATA / "retrieval"]))
    sets = {item.set for item in found}
    assert len(sets) >= 8
    assert len(found) > 5000
    assert all(item.text for item in found)


# caps, split, mix


def test_caps_hold_for_ingredient_labeler_and_wording() -> None:
    keys = [a_key(n, groups=("drug:a",), labeler="x" if n < 4 else "y", template=f"t{n % 3}") for n in range(9)]
    assert [why for _, why in over(keys, Caps(2, None, None))] == ["ingredient"] * 7
    assert [why for _, why in over(keys, Caps(None, 3, None))].count("labeler") == 3
    assert [why for _, why in over(keys, Caps(None, None, 1))] == ["template"] * 6
    assert list(over(keys, Caps(None, None, None))) == []


def test_no_ingredient_stands_in_two_parts_and_combinations_join_them() -> None:
    keys = [a_key(n, groups=(f"drug:{n % 40}",)) for n in range(400)]
    keys += [a_key(1000 + n, groups=(f"drug:{n}", f"drug:{n + 1}")) for n in range(0, 6, 2)]
    parted = part(keys, Split(0.1, 0.1), seed=3)
    parts = {name: [key for key in keys if parted.part[key.id] == name] for name in ("train", "validation", "test")}
    assert leaks(parts) == set()
    assert all(25 <= len(parts[name]) <= 60 for name in ("validation", "test"))
    assert (parted.sets, parted.bridges) == (37, [])
    assert part(keys, Split(0.1, 0.1), seed=4).part != parted.part


def test_a_leak_is_seen() -> None:
    assert leaks({"train": [a_key(1)], "test": [a_key(2), a_key(1)]}) == {"drug:1"}


def test_what_is_dated_goes_by_time() -> None:
    keys = [a_key(n, groups=(f"article:{n}",), as_of=f"{2000 + n}") for n in range(20)]
    parted = part(keys, Split(0.1, 0.1), seed=1)
    assert [parted.part[key.id] for key in keys[-4:]] == ["validation", "validation", "test", "test"]


def test_one_large_connected_set_is_parted_and_its_bridges_left_out() -> None:
    keys = [a_key(n, groups=(f"drug:{n % 50}",)) for n in range(1000)]
    keys += [a_key(2000 + n, groups=(f"drug:{n}", f"drug:{n + 1}")) for n in range(49)]
    parted = part(keys, Split(0.1, 0.1), seed=1)
    left = [key for key in keys if key not in parted.bridges]
    parts = {name: [key for key in left if parted.part[key.id] == name] for name in ("train", "validation", "test")}
    assert leaks(parts) == set()
    assert 0 < len(parted.bridges) < 49
    assert parted.largest == len(keys)
    assert all(60 <= len(parts[name]) <= 140 for name in ("validation", "test"))


def test_examples_without_a_group_are_parted_one_by_one() -> None:
    keys = [a_key(n, groups=()) for n in range(100)]
    parted = part(keys, Split(0.1, 0.1), seed=1)
    assert sum(name == "test" for name in parted.part.values()) == 10


def test_the_mix_takes_shares_and_says_what_is_missing() -> None:
    keys = [a_key(n, family="label" if n < 90 else "dosing") for n in range(100)]
    taken, portions = mixed(keys, Mix(80, {"label": 0.5, "dosing": 0.25, "mcq": 0.25}), share=0.5, seed=1)
    assert portions["label"].as_json() == {"wanted": 20, "there": 90, "taken": 20, "missing": 0}
    assert portions["dosing"].as_json()["missing"] == 0
    assert portions["mcq"].as_json() == {"wanted": 10, "there": 0, "taken": 0, "missing": 10}
    assert len({key.id for key in taken}) == len(taken) == 30
    assert (
        mixed(list(reversed(keys)), Mix(80, {"label": 0.5, "dosing": 0.25, "mcq": 0.25}), share=0.5, seed=1)[0] == taken
    )


def test_without_a_mix_everything_is_taken_and_a_number_alone_keeps_proportions() -> None:
    keys = [a_key(n, family="label" if n < 90 else "dosing") for n in range(100)]
    assert len(mixed(keys, Mix(), share=1.0, seed=1)[0]) == 100
    portions = mixed(keys, Mix(examples=50), share=1.0, seed=1)[1]
    assert {name: portion.taken for name, portion in portions.items()} == {"label": 45, "dosing": 5}
    only = mixed(keys, Mix(families={"dosing": 1}), share=1.0, seed=1)[1]
    assert {name: portion.taken for name, portion in only.items()} == {"label": 0, "dosing": 10}
