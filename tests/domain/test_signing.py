"""Who may sign what, when and with which meaning; and what a signature binds together."""

import dataclasses
import itertools
from datetime import UTC, datetime
from typing import Any

import pytest

from lumen_desktop.domain.accounts import User
from lumen_desktop.domain.permissions import Act
from lumen_desktop.domain.signing import (
    ACCESS_REVIEW,
    AUDIT_REVIEW,
    RELEASE,
    WITH_REASON,
    Given,
    Meaning,
    Route,
    Statement,
    Step,
    allowed,
    in_force,
    refusal,
)

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
AUTHOR, REVIEWER, APPROVER = 1, 2, 3
REVIEWED, APPROVED = Given(REVIEWER, Meaning.REVIEWED), Given(APPROVER, Meaning.APPROVED)
REJECTED, WITHDRAWN = Given(APPROVER, Meaning.REJECTED), Given(APPROVER, Meaning.WITHDRAWN)
WRITING = Route("note", (Step(Meaning.AUTHORED, Act.SIGN_AS_AUTHOR), Step(Meaning.APPROVED, Act.SIGN_AS_APPROVER)))


def person(number: int, *, identity: str = "passport seen", accountable: datetime | None = NOW) -> User:
    return User(
        number, f"person{number}", f"Person {number}", frozenset(), active=True, must_choose_password=False,
        second_factor=False, created_utc=NOW, identity_checked=identity, accountable_utc=accountable,
    )  # fmt: skip


def said(
    signer: int, meaning: Meaning, given: tuple[Given, ...] = (), *, route: Route = RELEASE, reason: str = ""
) -> str:
    return refusal(person(signer), meaning, route, given, author_id=AUTHOR, reason=reason)


@pytest.mark.parametrize(
    ("given", "meanings"),
    [
        ((), {Meaning.REVIEWED, Meaning.REJECTED}),
        ((REVIEWED,), {Meaning.APPROVED, Meaning.REJECTED}),
        ((REVIEWED, APPROVED), {Meaning.WITHDRAWN}),
        ((REVIEWED, REJECTED), set()),
        ((REVIEWED, APPROVED, WITHDRAWN), set()),
    ],
)
def test_the_order_of_a_release(given: tuple[Given, ...], meanings: set[Meaning]) -> None:
    assert {step.meaning for step in allowed(RELEASE, given)} == meanings
    for meaning in Meaning:
        taken = said(9, meaning, given, reason="the edition is old") == ""
        assert taken is (meaning in meanings), meaning


def test_a_rejection_needs_the_duty_of_the_step_that_it_ends() -> None:
    for given, act in (((), Act.SIGN_AS_REVIEWER), ((REVIEWED,), Act.RELEASE_DOCUMENTS)):
        assert {step.act for step in allowed(RELEASE, given)} == {act}


@pytest.mark.parametrize("route", [AUDIT_REVIEW, ACCESS_REVIEW])
def test_a_review_is_one_signature_and_nothing_ends_it(route: Route) -> None:
    assert said(REVIEWER, Meaning.REVIEWED, route=route) == ""
    assert {step.meaning for step in allowed(route, ())} == {Meaning.REVIEWED}, "nobody rejects their own finding"
    assert allowed(route, (REVIEWED,)) == ()
    assert in_force(route, (REVIEWED,))


def test_it_is_in_force_with_all_signatures_in_their_order_only() -> None:
    every = [REVIEWED, APPROVED, REJECTED, WITHDRAWN]
    for count in range(4):
        for given in itertools.permutations(every, count):
            assert in_force(RELEASE, given) is (given == (REVIEWED, APPROVED))


def test_nobody_reviews_or_approves_their_own_work() -> None:
    assert "themselves" in said(AUTHOR, Meaning.REVIEWED)
    assert "themselves" in said(AUTHOR, Meaning.APPROVED, (REVIEWED,))
    assert said(AUTHOR, Meaning.AUTHORED, route=WRITING) == ""
    assert said(AUTHOR, Meaning.REJECTED, reason="a page is missing") == ""  # who brought it may take it back


def test_nobody_signs_twice() -> None:
    assert "already" in said(REVIEWER, Meaning.APPROVED, (REVIEWED,))
    assert said(APPROVER, Meaning.APPROVED, (REVIEWED,)) == ""


@pytest.mark.parametrize("meaning", sorted(WITH_REASON))
@pytest.mark.parametrize("reason", ["", "  \n"])
def test_what_ends_a_record_says_why(meaning: Meaning, reason: str) -> None:
    given = (REVIEWED, APPROVED) if meaning is Meaning.WITHDRAWN else ()
    assert "reason" in said(9, meaning, given, reason=reason)
    assert said(9, meaning, given, reason="superseded by edition 4") == ""


@pytest.mark.parametrize("lacking", [{"identity": ""}, {"accountable": None}])
def test_without_identity_and_accountability_nothing_is_signed(lacking: dict[str, None]) -> None:
    signer = person(REVIEWER, **lacking)  # type: ignore[arg-type]
    assert "on record" in refusal(signer, Meaning.REVIEWED, RELEASE, (), author_id=AUTHOR, reason="")


def test_every_meaning_is_a_sentence_of_its_own() -> None:
    sentences = {meaning.statement for meaning in Meaning}
    assert len(sentences) == len(Meaning)
    assert all(sentence.startswith("I ") and sentence.endswith(".") for sentence in sentences)


def test_a_statement_binds_every_field() -> None:
    statement = Statement(
        "release 7",
        "a" * 64,
        REVIEWER,
        "rita",
        "Rita Reviewer",
        "qa_officer",
        Meaning.REVIEWED,
        "",
        NOW,
        60,
        41,
        "b" * 64,
    )
    fields = statement.fields()
    assert fields.keys() == {field.name for field in dataclasses.fields(Statement)}
    assert (fields["meaning"], fields["time_utc"]) == ("reviewed", "2026-11-22T09:30:00.000000+00:00")
    others: tuple[tuple[str, Any], ...] = (
        ("record", "release 8"), ("content_sha256", "c" * 64), ("user_id", 3), ("user_name", "x"),
        ("printed_name", "x"), ("role", "qa_approver"), ("meaning", Meaning.APPROVED), ("reason", "x"),
        ("time_utc", NOW.replace(microsecond=1)), ("utc_offset_minutes", 0), ("chain_seq", 40),
        ("chain_head", "d" * 64),
    )  # fmt: skip
    changed = [dataclasses.replace(statement, **{name: value}).fields() for name, value in others]
    assert len(changed) == len(fields)
    assert all(other != fields for other in changed)
