"""The builders over the real data: spans that slice to the words used, the same bytes, documents one by one."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from lumen_desktop.domain.grounding import ABSTENTION, check
from lumen_desktop.domain.sentences import words
from lumen_desktop.formats.document import Entity, Ingredient
from tests.conftest import SHARED
from tests.trainer.making import record
from trainer.dataset import FAMILIES
from trainer.dataset.build import examples
from trainer.dataset.shown import MOST_WORDS, PART_WORDS, parts, passage
from trainer.dataset.statements import on_one_line
from trainer.dataset.subject import drugs
from trainer.records import Example, Record, Reject

LEAFLETS = SHARED / "ema_leaflets" / "leaflets_150.jsonl"
PAIRS = SHARED / "medquad" / "medquad_4000.jsonl"
STUDIES = SHARED / "pubmedqa" / "pubmedqa_dev_500.json"
needed = pytest.mark.skipif(not LEAFLETS.exists(), reason="the public files are not beside the project")


def leaflets(most: int) -> Iterator[list[Record]]:
    for line in LEAFLETS.read_text(encoding="utf-8").splitlines()[:most]:
        leaflet = json.loads(line)
        yield [
            record(section["text"], section["title"], number=n, kind="leaflet", title=f"{leaflet['product']} leaflet",
                   entity=Entity(brands=(leaflet["product"],)), doc=leaflet["ema_id"])
            for n, section in enumerate(leaflet["sections"], start=1) if section["text"].strip()
        ]  # fmt: skip


def pairs(most: int) -> Iterator[list[Record]]:
    for line in PAIRS.read_text(encoding="utf-8").splitlines()[:most]:
        one = json.loads(line)
        facts = {name: one[name] for name in ("question", "answer", "qtype", "focus")}
        yield [
            record(
                one["answer"],
                one["qtype"],
                kind="qa",
                title=one["focus"],
                entity=Entity(),
                doc=f"{one['collection']}/{one['id']}",
                facts=facts,
            )
        ]


def studies(most: int) -> Iterator[list[Record]]:
    for pmid, one in list(json.loads(STUDIES.read_text(encoding="utf-8")).items())[:most]:
        facts = {"question": one["QUESTION"], "final_decision": one["final_decision"]}
        sections = [*zip(one["LABELS"], one["CONTEXTS"], strict=True), ("CONCLUSION", one["LONG_ANSWER"])]
        yield [
            record(
                text,
                label,
                number=n,
                kind="qa",
                code=label,
                title=one["QUESTION"],
                entity=Entity(),
                doc=pmid,
                facts=facts,
            )
            for n, (label, text) in enumerate(sections, start=1)
        ]


@pytest.fixture(scope="module")
def documents() -> list[list[Record]]:
    return [*leaflets(16), *pairs(150), *studies(50)]


@pytest.fixture(scope="module")
def made(documents: list[list[Record]]) -> list[Example]:
    return [one for one in examples(documents, seed=7) if isinstance(one, Example)]


@needed
def test_real_files_give_many_examples_of_several_families(made: list[Example]) -> None:
    counts = Counter(one.family for one in made)
    assert len(made) >= 350
    assert set(counts) >= {
        "label",
        "dosing",
        "contraindication",
        "interaction",
        "patient",
        "consumer",
        "pubmed",
        "refusal",
    }
    assert set(counts) <= set(FAMILIES)
    shown = [one for one in made if one.answerable is not None and one.family != "refusal"]
    assert 0.1 <= sum(not one.answerable for one in shown) / len(shown) <= 0.2


@needed
def test_every_answer_is_made_of_the_words_at_its_origins(made: list[Example], documents: list[list[Record]]) -> None:
    by_id = {record.id: record for document in documents for record in document}
    for one in made:
        if one.answerable is False or one.template.startswith("refused"):
            continue
        slices = [on_one_line(by_id[o.record_id].text[o.start : o.end]) for o in one.origins]
        said = re.sub(r"\s*\[\d\]|^(?:Yes|No|Maybe) \[\d\]\.", "", one.answer)
        assert words(said) == words(" ".join(slices)), one.template


@needed
def test_the_app_would_strike_no_answer(made: list[Example], documents: list[list[Record]]) -> None:
    texts = {record.id: record for document in documents for record in document}
    for one in made[::3]:
        if one.answerable:
            answering = texts[one.origins[0].record_id]
            assert answering.text[one.origins[0].start : one.origins[0].end] in one.question
            shown = [passage(part) for part in parts(answering)]
            for line in re.sub(r"^(?:Yes|No|Maybe) \[\d\]\. ", "", one.answer).splitlines():
                assert not check(re.sub(r" \[\d\]", "", line), shown, drugs_in=drugs().ingredients).struck, one.answer


@needed
def test_an_abstention_shows_passages_and_says_nothing_else(made: list[Example]) -> None:
    for one in made:
        assert (one.answer == ABSTENTION) == (one.answerable is False)
        if one.answerable is False:
            assert one.question.startswith("Sources:\n\n[1] ")


@needed
def test_the_same_seed_gives_the_same_bytes_in_any_order(documents: list[list[Record]]) -> None:
    few = documents[::7]
    once = [one.as_line() for one in examples(few, seed=3)]
    assert once == [one.as_line() for one in examples(few, seed=3)]
    assert sorted(once) == sorted(one.as_line() for one in examples(reversed(few), seed=3))
    halves = [one.as_line() for half in (few[::2], few[1::2]) for one in examples(half, seed=3)]
    assert sorted(once) == sorted(halves)
    assert sorted(once) != sorted(one.as_line() for one in examples(few, seed=4))


@needed
def test_lines_of_examples_are_read_back(made: list[Example]) -> None:
    assert all(Example.from_line(one.as_line()) == one for one in made[::50])


@needed
def test_no_wording_dominates(made: list[Example]) -> None:
    counts = Counter(one.template for one in made)
    assert max(counts.values()) <= 0.05 * len(made)


@needed
def test_prompts_fit_the_length_that_is_trained_on(made: list[Example]) -> None:
    longest = max(sum(len(turn.content.split()) for turn in one.messages) for one in made)
    assert longest <= MOST_WORDS + PART_WORDS * 2


@needed
def test_only_the_wanted_families_are_given(documents: list[list[Record]]) -> None:
    wanted = frozenset({"dosing"})
    assert {
        one.family for one in examples(documents[:5], seed=7, families=wanted) if isinstance(one, Example)
    } == wanted


def test_a_kind_that_no_builder_knows_is_a_reject() -> None:
    assert [type(one) for one in examples([[record("Zelbor.", kind="drawing")]], seed=1)] == [Reject]


def test_a_document_in_another_language_is_a_reject() -> None:
    (one,) = examples([[replace(record("Zelbor ist ein Arzneimittel."), language="de")]], seed=1)
    assert isinstance(one, Reject)
    assert one.reason == "language"


def test_a_passage_says_of_its_document_what_the_app_says() -> None:
    entity = Entity((Ingredient("ZELBORAXIB"),), brands=("Zelbor",))
    one = record("Zelbor is given.", "x" * 600, entity=entity, facts={"state": "superseded"})
    shown = passage(parts(one)[0])
    assert shown.attribution == "Zelbor (zelboraxib): prescribing information (version 3, 2025-04-01) [superseded]"
    assert len(shown.header) == 500
    assert shown.header.endswith("x…")
    assert passage(parts(record("Rule.", kind="guidance", facts={"state": "unheard of"}))[0]).header == "Zelbor tablets"


def test_a_long_section_is_cut_between_sentences_and_nothing_is_lost() -> None:
    text = " ".join(f"Sentence number {n} tells of the use of Zelbor in adults." for n in range(90))
    cut = parts(record(text))
    assert all(100 <= part.words <= PART_WORDS + 20 for part in cut)
    assert " ".join(part.text for part in cut) == text
    listed = record("Intro of it. " * 100 + "They are:\n- one | two\n" + "row | cell\n" * 200)
    assert not any(part.text.endswith(":") for part in parts(listed))
