"""An answer about a drug comes from text about that drug, and no name is replaced."""

from pathlib import Path

import pytest

from lumen_desktop.domain.drugs import DrugNames
from lumen_desktop.domain.library import Currency, Kind, Passage, Span
from lumen_desktop.domain.same_drug import DrugGuard

DRUGS = Path(__file__).resolve().parents[2] / "resources" / "drugs"


@pytest.fixture(scope="module")
def drugs() -> DrugNames:
    return DrugNames.load(DRUGS)


def passage(text: str, header: str = "Label — Dosage") -> Passage:
    return Passage(
        id=1, document_id=1, document="Label", kind=Kind.SOURCE, subject="", edition="", currency=Currency.IN_FORCE,
        paged=False, header=header, section="Dosage", text=text, spans=(Span(1, 0, len(text)),),
    )  # fmt: skip


METFORMIN = passage("The usual dose of metformin is stated here.")
WARFARIN = passage("The usual dose of warfarin is stated here.")
PLAIN = passage("Equipment is cleaned after use.")


def test_a_question_without_a_drug_is_not_watched(drugs: DrugNames) -> None:
    guard = DrugGuard.of("How is equipment cleaned?", [PLAIN, WARFARIN], drugs)
    assert not guard.watches
    assert guard.refusals == ()
    assert guard.admits(PLAIN)
    assert guard.admits(WARFARIN)
    assert guard.may_quote(WARFARIN, WARFARIN.text)


def test_a_drug_that_stands_nowhere_is_refused_by_name(drugs: DrugNames) -> None:
    guard = DrugGuard.of("What is the dose of metformin with warfarin?", [WARFARIN, PLAIN], drugs)
    assert guard.refusals == ("No passage found names metformin.",)


def test_only_text_about_the_drug_is_admitted(drugs: DrugNames) -> None:
    guard = DrugGuard.of("What is the dose of metformin?", [METFORMIN, WARFARIN, PLAIN], drugs)
    assert guard.refusals == ()
    assert [guard.admits(p) for p in (METFORMIN, WARFARIN, PLAIN)] == [True, False, False]
    by_brand = DrugGuard.of("What is the dose of Glucophage?", [METFORMIN], drugs)
    assert by_brand.refusals == ()
    assert by_brand.admits(METFORMIN)


def test_a_sentence_about_another_drug_is_not_quoted(drugs: DrugNames) -> None:
    both = passage("Metformin is given with food. The dose is halved. Warfarin needs 5 mg.", header="Interactions")
    guard = DrugGuard.of("What is the dose of metformin?", [both], drugs)
    assert guard.may_quote(both, "Metformin is given with food.")
    assert not guard.may_quote(both, "Warfarin needs 5 mg.")
    assert not guard.may_quote(both, "The dose is halved.")
    own = passage("The dose is halved. Warfarin needs 5 mg.", header="Metformin tablets — Dosage")
    assert guard.may_quote(own, "The dose is halved.")
    alone = passage("Metformin is given with food. The dose is halved.", header="Dosage")
    assert guard.may_quote(alone, "The dose is halved.")


def test_a_misspelt_name_is_asked_back(drugs: DrugNames) -> None:
    guard = DrugGuard.of("What is the dose of metfromin?", [METFORMIN], drugs)
    assert len(guard.refusals) == 1
    assert "“metfromin” is in no list" in guard.refusals[0]
    assert "Did you mean metformin" in guard.refusals[0]


def test_a_name_without_neighbours_is_refused_without_a_guess(drugs: DrugNames) -> None:
    (refusal,) = DrugGuard.of("What is the dose of qwxzyumab?", [METFORMIN], drugs).refusals
    assert "Did you mean" not in refusal


def test_a_word_of_the_sites_own_passages_is_watched_and_not_refused(drugs: DrugNames) -> None:
    own = passage("The dose of qwxzyumab is in the protocol.")
    guard = DrugGuard.of("What is the dose of qwxzyumab?", [own, METFORMIN], drugs)
    assert guard.refusals == ()
    assert guard.watches
    assert [guard.admits(p) for p in (own, METFORMIN)] == [True, False]
    assert guard.may_quote(own, own.text)
