"""The chain's rule, apart from any database."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from lumen_desktop.domain.audit import AuditEvent, Change, differences, first_break, genesis, link

SITE = "a site"


def chain(length: int) -> list[AuditEvent]:
    events: list[AuditEvent] = []
    previous = genesis(SITE)
    for seq in range(1, length + 1):
        body = b'{"seq":%d}' % seq
        events.append(AuditEvent(seq, body, previous, link(previous, body)))
        previous = events[-1].hash
    return events


def test_a_whole_chain_has_no_break() -> None:
    events = chain(5)
    verdict = first_break(events, site_id=SITE)
    assert (verdict.events, verdict.first_bad, verdict.reason, verdict.head) == (5, None, "", events[-1].hash)


def test_an_empty_chain_is_whole_and_its_head_is_the_sites_own() -> None:
    verdict = first_break([], site_id=SITE)
    assert (verdict.events, verdict.first_bad, verdict.head) == (0, None, genesis(SITE))
    assert genesis(SITE) != genesis("another site")


def test_the_hash_is_the_published_formula() -> None:
    assert link(bytes(32), b"body") == hashlib.sha256(b"LUMEN-AUDIT-v1\0" + bytes(32) + b"body").digest()
    assert genesis("x") == hashlib.sha256(b"LUMEN-GENESIS-v1\0x").digest()


@pytest.mark.parametrize("place", range(5))
def test_each_kind_of_break_is_named_at_its_event(place: int) -> None:
    events = chain(5)
    edited = [*events]
    edited[place] = replace(events[place], body=b"other")
    assert first_break(edited, site_id=SITE).first_bad == place + 1
    assert "changed" in first_break(edited, site_id=SITE).reason
    unlinked = [*events]
    unlinked[place] = replace(events[place], previous=bytes(32))
    assert "follow" in first_break(unlinked, site_id=SITE).reason
    assert first_break(unlinked, site_id=SITE).first_bad == place + 1
    if place < 4:
        missing = events[:place] + events[place + 1 :]
        verdict = first_break(missing, site_id=SITE)
        assert verdict.reason == f"Event {place + 1} is missing."
        assert verdict.events == place + 1


def test_the_chain_of_another_site_breaks_at_its_first_event() -> None:
    assert first_break(chain(3), site_id="another site").first_bad == 1


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, None, []),
        ({"a": 1}, {"a": 1}, []),
        (None, {"a": 1, "b": None}, [("a", Change.ADDED, None, 1), ("b", Change.ADDED, None, None)]),
        ({"a": 1}, None, [("a", Change.REMOVED, 1, None)]),
        ({"a": 1, "b": 2}, {"b": 3, "c": 4}, [
            ("a", Change.REMOVED, 1, None), ("b", Change.CHANGED, 2, 3), ("c", Change.ADDED, None, 4),
        ]),
        ({"a": True}, {"a": 1}, [("a", Change.CHANGED, True, 1)]),
        ({"a": None}, {"a": ""}, [("a", Change.CHANGED, None, "")]),
    ],
)  # fmt: skip
def test_states_are_compared_field_by_field(
    before: dict[str, Any] | None, after: dict[str, Any] | None, expected: list[tuple[str, Change, Any, Any]]
) -> None:
    found = differences(before, after)
    assert [(one.field, one.change, one.before, one.after) for one in found] == expected
