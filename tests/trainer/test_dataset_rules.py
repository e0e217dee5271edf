"""Examples of regulations, guidance and letters: citing, evidence, findings, gaps, definitions, narratives."""

import re

import pytest

from lumen_desktop.domain.drafting import INSTRUCTION, NOT_STATED
from lumen_desktop.domain.grounding import ABSTENTION
from lumen_desktop.domain.quantities import quantities
from lumen_desktop.formats.document import Entity
from tests.trainer.making import asked, built, over_seeds, record
from trainer.dataset.rules import finding, lowered, short
from trainer.records import Record

CLEANING = (
    "Equipment shall be cleaned at intervals that prevent contamination. Written procedures shall be established for "
    "the cleaning of equipment. Records shall be kept of each cleaning and of the inspection before use."
)
WATER = "The water system should be monitored at least daily for microbes. Limits should be set on the basis of trends."


def part(**options: str) -> list[Record]:
    kind = options.get("kind", "regulation")
    texts = ((CLEANING, "§ 211.67 Equipment cleaning", "211.67"), (WATER, "§ 211.72 Water systems", "211.72"))
    return [
        record(text, "Subpart D", heading, number=n, kind=kind, code=code if kind == "regulation" else "",
               title="21 CFR Part 211 Drug manufacturing", entity=Entity())
        for n, (text, heading, code) in enumerate(texts, start=1)
    ]  # fmt: skip


def test_the_clause_is_cited_with_its_words() -> None:
    made = [one for one in built(*part()) if one.template.startswith("cites")]
    assert {one.family for one in made} == {"regulation"}
    one = next(one for one in made if "Equipment shall be cleaned" in one.answer)
    assert "equipment shall be cleaned at intervals that prevent contamination" in asked(one)
    assert re.fullmatch(
        r"21 CFR 211\.67 \[(\d)\]\. It says: "
        r"Equipment shall be cleaned at intervals that prevent contamination \[\1\]\.",
        one.answer,
    )


def test_guidance_is_cited_by_title_and_heading() -> None:
    made = built(*part(kind="guidance"))
    assert any("“§ 211.67 Equipment cleaning” [" in one.answer for one in made if one.template.startswith("cites"))


def test_a_finding_is_the_requirement_turned_round() -> None:
    made = [one for one in built(*part()) if one.template.startswith("finding")]
    assert any("equipment had not been cleaned at intervals" in asked(one).lower() for one in made)
    assert all(one.answer.startswith("21 CFR 211.") for one in made)


@pytest.mark.parametrize(
    ("requirement", "found"),
    [
        ("Equipment shall be cleaned.", "equipment had not been cleaned"),
        ("Records must be kept of it.", "records had not been kept of it"),
        ("The system should include checks.", "the system did not include checks"),
        ("FDA staff must review the log.", "FDA staff did not review the log"),
        ("Any change should be recorded.", ""),
        ("Doors should not be opened.", ""),
        ("Doors should be closed and must be locked.", ""),
        ("Access should be possible.", ""),
    ],
)
def test_grammar_alone_turns_it_or_leaves_it(requirement: str, found: str) -> None:
    assert finding(requirement) == found


def test_a_gap_is_the_requirement_that_the_procedure_lacks() -> None:
    made = over_seeds(part(), "gap", range(12))
    assert made
    for one in made:
        missing = re.sub(r" \[\d\](?=\.$)", "", one.answer)
        procedure = asked(one)
        assert missing not in procedure
        assert procedure.count("shall") >= 2


def test_evidence_is_a_statement_that_names_records() -> None:
    answers = {re.sub(r" \[\d\]", "", one.answer) for one in over_seeds(part(), "evidence", range(12))}
    assert answers == set(re.findall(r"[WR]\w+ \w+ shall.*?\.|Records.*?\.", CLEANING))


def test_what_a_section_says_and_what_it_does_not() -> None:
    made = over_seeds(part(), "says", range(40))
    assert any(one.answer.startswith("The water system should be monitored") for one in made)
    absent = [one for one in made if not one.answerable]
    assert absent
    assert {one.answer for one in absent} == {ABSTENTION}
    assert not any("water systems" in asked(one) and "monitored at least daily" in one.question for one in absent)


def test_a_definition_is_given_as_it_stands() -> None:
    text = "The combination of the probability of harm and its severity."
    term = record(text, "7. Definitions", "Risk:", kind="guidance",
                  title="QUALITY RISK MANAGEMENT")  # fmt: skip
    (one,) = [one for one in built(term) if one.template.startswith("defines")]
    assert "risk" in asked(one)
    assert "“Quality Risk Management”" in asked(one)
    assert one.answer == "The combination of the probability of harm and its severity [1]."


def test_references_and_footnotes_are_no_sections_to_ask_on() -> None:
    left = record("Records should be kept of all changes to it.", "Footnotes", kind="guidance")
    assert [one.family for one in built(left)] == ["refusal"]


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("QUALITY RISK MANAGEMENT", "Quality Risk Management"),
        ("Principles of Software Validation - Final Guidance for Industry", "Principles of Software Validation"),
        ("Guidance for Industry - Part 11, Electronic Records; Scope", "Part 11, Electronic Records"),
        ("Annex 11: Computerised Systems", "Annex 11: Computerised Systems"),
        ("Annex", "Annex"),
    ],
)  # fmt: skip
def test_titles_are_spoken_short(title: str, said: str) -> None:
    assert short(title) == said


def test_names_keep_their_capital_within_a_sentence() -> None:
    assert lowered("Records are kept.") == "records are kept."
    assert lowered("HEPA filters are tested.") == "HEPA filters are tested."
    assert lowered("Part 11 applies.") == "Part 11 applies."


def test_a_narrative_states_its_facts_and_nothing_else() -> None:
    made = [one for one in built(*part()) if one.family == "narrative"]
    assert len(made) >= 3
    for one in made:
        assert one.messages[0].content == INSTRUCTION
        facts = dict(re.findall(r"^- ([^:]+): (.*)$", one.question.split("\n\nFacts:\n")[1], re.MULTILINE))
        written = one.answer.split("\n\n")[0]
        assert all(value in written for value in facts.values() if value != "(not given)")
        missing = [name for name, value in facts.items() if value == "(not given)"]
        assert [f"{name}: {NOT_STATED}" for name in missing] == re.findall(
            r"[\w ]+: Not stated\.", written.replace(". ", ".\n")
        )
        assert quantities(written) <= quantities(one.question)
        assert re.search(r"reads: .* \[1\]\.$", one.answer)


def letter() -> list[Record]:
    texts = (
        (
            "Submit the data of the leachables study. The data are not adequate to qualify the stopper of the vial.",
            "PRODUCT QUALITY",
        ),
        (
            "The labeling must conform to the content and format of 21 CFR 201.57. Call us at any time.",
            "PRESCRIBING INFORMATION",
        ),
    )
    return [
        record(text, heading, number=n, kind="letter", title="Complete response", entity=Entity())
        for n, (text, heading) in enumerate(texts, start=1)
    ]


def test_a_letter_is_asked_what_it_wants_and_which_clause_it_names() -> None:
    made = built(*letter())
    asks = next(one for one in made if one.template.startswith("letter-asks") and "quality" in asked(one))
    assert asks.answer.startswith("Submit the data of the leachables study [")
    (names,) = [one for one in made if one.template.startswith("letter-names")]
    assert "201.57" not in asked(names)
    assert "21 CFR 201.57 [" in names.answer


def test_a_numbered_paragraph_is_cited_with_its_number() -> None:
    text = (
        "8.1 Clear copies should be possible of all stored data.\n8.2 Printouts should show every change of the data."
    )
    made = over_seeds(
        [record(text, "8. Printouts", kind="guidance", title="Annex 11", entity=Entity())], "cites", range(4)
    )
    assert {one.answer.split(" [")[0] for one in made} == {
        "Annex 11, “8. Printouts”, 8.1",
        "Annex 11, “8. Printouts”, 8.2",
    }
