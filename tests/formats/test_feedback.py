"""Feedback is used while its consent holds, and holds nothing but what the schema names."""

import io
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from lumen_desktop.errors import InputError
from lumen_desktop.formats.document import Fault, PublicDocument
from lumen_desktop.formats.feedback import (
    ANSWER,
    CITED,
    CORRECTION,
    MOST_PASSAGES,
    Cited,
    Consent,
    Item,
    Rating,
    Role,
    Withdrawal,
    documents,
    line,
    withdrawals,
)

ITEM = Item(
    id="item-1",
    created_utc=datetime(2026, 11, 20, 23, 30, tzinfo=timezone(timedelta(hours=-2))),
    consent=Consent(id="consent-1", text_version="2026-11"),
    rating=Rating.WRONG,
    question="What is the maximum daily dose of fictirol?",
    answer="The maximum is 80 mg [1].",
    passages=(Cited(document="Fictirol label", section="2 Dosage", text="The maximum is 40 mg daily."),),
    correction="The maximum is 40 mg [1].",
    role=Role.PHARMACIST,
    build="ab" * 32,
)
TAKEN_BACK = Withdrawal(consent="consent-1", withdrawn_utc=datetime(2026, 11, 21, tzinfo=UTC))


def changed(**changes: Any) -> str:
    return json.dumps({**json.loads(line(ITEM)), **changes})


def read(*rows: str, withdrawn: frozenset[str] = frozenset()) -> list[PublicDocument | Fault]:
    text = "".join(f"{row}\n" for row in rows)
    return list(documents(io.BytesIO(text.encode()), "feedback.jsonl", withdrawn=withdrawn))


def test_what_is_written_is_read() -> None:
    (found,) = read(line(ITEM))
    assert isinstance(found, PublicDocument)
    assert (found.id, found.kind, found.as_of, found.version) == ("consent-1/item-1", "feedback", "2026-11-21", "1")
    assert found.licence == "LicenseRef-Consent"
    assert [(s.code, s.path, s.text) for s in found.sections] == [
        (ANSWER, ("Answer",), "The maximum is 80 mg [1]."),
        (CORRECTION, ("Correction",), "The maximum is 40 mg [1]."),
        (CITED, ("Fictirol label", "2 Dosage"), "The maximum is 40 mg daily."),
    ]
    assert found.facts == {
        "question": "What is the maximum daily dose of fictirol?",
        "rating": "wrong",
        "role": "pharmacist",
        "build": "ab" * 32,
        "consent": "consent-1",
        "consent_text_version": "2026-11",
    }


def test_the_line_is_of_one_form() -> None:
    fields = json.loads(line(ITEM))
    assert (fields["schema"], fields["version"]) == ("lumen-feedback", 1)
    assert fields["created_utc"] == "2026-11-21T01:30:00Z"
    assert list(fields) == sorted(fields)
    assert "\n" not in line(ITEM)


def test_an_item_without_consent_is_left_out() -> None:
    found = read(changed(consent=None), changed(consent={}))
    assert [(one.where, one.reason) for one in found if isinstance(one, Fault)] == [
        ("line 1", "no-consent"),
        ("line 2", "no-consent"),
    ]


def test_a_consent_taken_back_takes_all_that_rests_on_it() -> None:
    other = changed(id="item-2", consent={"id": "consent-2", "text_version": "2026-11"})
    taken = withdrawals(io.BytesIO(f"{line(TAKEN_BACK)}\n".encode()))
    assert taken == {"consent-1"}
    first, second, third = read(line(ITEM), changed(id="item-3"), other, withdrawn=taken)
    assert first == Fault("consent-1/item-1", "withdrawn", "The consent was taken back.")
    assert isinstance(second, Fault)
    assert isinstance(third, PublicDocument)


def test_the_list_read_as_feedback_names_the_consents() -> None:
    assert read(line(TAKEN_BACK)) == [Fault("consent-1", "withdrawn", "The consent was taken back.")]
    both = read(line(ITEM), line(TAKEN_BACK))  # files of several sites joined
    assert isinstance(both[0], PublicDocument)
    assert isinstance(both[1], Fault)


@pytest.mark.parametrize(
    "rows",
    [
        [line(TAKEN_BACK), "{broken"],
        [line(TAKEN_BACK), '{"schema": "lumen-feedback-withdrawals", "version": 2, "consent": "c"}'],
        [line(TAKEN_BACK), '{"schema": "lumen-feedback-withdrawals", "version": 1, "consent": "NAME"}'],
        [line(ITEM).replace("lumen-feedback", "lumen-feedback-withdrawals")],
    ],
)
def test_a_withdrawal_that_cannot_be_read_stops_everything(rows: list[str]) -> None:
    text = "".join(f"{row}\n" for row in rows).encode()
    for reader in (lambda: withdrawals(io.BytesIO(text)), lambda: read(*rows)):
        with pytest.raises(InputError) as caught:
            reader()
        assert caught.value.code == "FMT-032"


def test_feedback_given_as_the_list_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        withdrawals(io.BytesIO(line(ITEM).encode()))
    assert caught.value.code == "FMT-032"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": "Jane Doe"}, "id"),
        ({"id": "x" * 65}, "id"),
        ({"created_utc": "2026-11-20T12:00:00"}, "created_utc"),
        ({"created_utc": "yesterday"}, "created_utc"),
        ({"consent": {"id": "c"}}, "consent.text_version"),
        ({"rating": "good"}, "rating"),
        ({"question": ""}, "question"),
        ({"question": "x" * 4_001}, "question"),
        ({"answer": "x" * 20_001}, "answer"),
        ({"correction": "x" * 20_001}, "correction"),
        ({"passages": [{"document": "d", "text": "t"}] * (MOST_PASSAGES + 1)}, "passages"),
        ({"passages": [{"document": "", "text": "t"}]}, "passages.0.document"),
        ({"passages": [{"document": "d", "text": "t", "path": "/home/jane"}]}, "passages.0.path"),
        ({"role": "Jane Doe"}, "role"),
        ({"build": "not a digest"}, "build"),
        ({"user": "Jane Doe"}, "user"),
    ],
)
def test_nothing_beside_the_schema_is_let_in(changes: dict[str, Any], field: str) -> None:
    (found,) = read(changed(**changes))
    assert isinstance(found, Fault)
    assert (found.where, found.reason) == ("line 1", "wrong-form")
    assert found.words == f"Not as the schema says: {field}."  # and nothing of what stood there


@pytest.mark.parametrize(
    "changes",
    [
        {"question": " "},
        {"answer": "\u200b"},
        {"passages": [{"document": "d", "text": "\n"}, {"document": "d", "text": "t"}]},
    ],
)
def test_an_item_that_shows_nothing_is_left_out(changes: dict[str, Any]) -> None:
    (found,) = read(changed(**changes))
    assert isinstance(found, Fault)
    assert found.reason == "no-text"  # without a passage the references [n] would point to others


def test_half_a_character_is_no_text() -> None:
    (found,) = read(line(ITEM).replace("80 mg", "80 mg\\ud800"))
    assert isinstance(found, Fault)
    assert found.words == "Not as the schema says: answer."


def test_no_such_item_can_be_written_either() -> None:
    with pytest.raises(ValidationError):
        Item.model_validate({**ITEM.model_dump(), "user": "Jane Doe"})
    with pytest.raises(ValidationError):
        ITEM.model_copy().__class__.model_validate({**ITEM.model_dump(), "created_utc": datetime(2026, 1, 1)})  # noqa: DTZ001


@pytest.mark.parametrize("row", ['{"schema": "lumen-feedback", "version": 2}', '{"a": 1}', '{"schema": null}'])
def test_another_version_or_format_is_refused(row: str) -> None:
    with pytest.raises(InputError) as caught:
        read(row)
    assert caught.value.code == "FMT-003"


def test_a_line_of_another_version_further_on_is_counted() -> None:
    found = read(line(ITEM), changed(version=2), "{broken", line(ITEM))
    assert [one.reason if isinstance(one, Fault) else "" for one in found] == ["", "wrong-version", "wrong-form", ""]


def test_a_rating_alone_is_enough() -> None:
    bare = {"correction": "", "passages": [], "build": ""}
    (found,) = read(changed(**bare, rating="right"))
    assert isinstance(found, PublicDocument)
    assert [section.code for section in found.sections] == [ANSWER]
