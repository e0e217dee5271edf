"""What holding a trail against its anchors means, apart from any database."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from lumen_desktop.domain.anchors import Anchor, Outside, check, first_false, is_due, signed_bytes
from lumen_desktop.domain.audit import AuditEvent, Fault, Verdict, Vouched, genesis, link

SITE = "a site"
TIME = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def chain(bodies: Sequence[bytes]) -> list[AuditEvent]:
    events: list[AuditEvent] = []
    previous = genesis(SITE)
    for seq, body in enumerate(bodies, 1):
        events.append(AuditEvent(seq, body, previous, link(previous, body)))
        previous = events[-1].hash
    return events


def bodies(count: int = 20) -> list[bytes]:
    return [b'{"seq":%d}' % seq for seq in range(1, count + 1)]


def anchored(events: Sequence[AuditEvent], *places: int) -> list[Anchor]:
    anchors: list[Anchor] = []
    for n in places:
        previous = anchors[-1].hash if anchors else genesis(SITE)
        head = events[n - 1].hash
        anchors.append(Anchor(n, head, TIME, previous, b"%d" % n + head + previous))
    return anchors


TRUE = chain(bodies())
ANCHORS = anchored(TRUE, 5, 10, 15)


def checked(
    events: Sequence[AuditEvent], *, kept: Sequence[Anchor] = ANCHORS, outside: Outside | None = None
) -> Verdict:
    return check(events, kept, outside or Outside(ANCHORS), site_id=SITE)


def found(verdict: Verdict) -> tuple[Fault, int | None, int]:
    assert verdict.reason.endswith(".")
    return verdict.fault, verdict.first_bad, verdict.good_until


def test_a_whole_trail_is_whole_and_tells_how_far_it_is_vouched_for() -> None:
    assert checked(TRUE) == Verdict(20, None, "", TRUE[-1].hash, Fault.NONE, 15, Vouched(15, TIME))
    assert checked([], kept=[], outside=Outside()) == Verdict(0, None, "", genesis(SITE))
    assert checked(TRUE, kept=[], outside=Outside()).outside is None


@pytest.mark.parametrize(("place", "at_most", "good"), [(1, 5, 0), (5, 5, 0), (6, 10, 5), (10, 10, 5), (12, 15, 10)])
def test_what_was_rewritten_lies_between_two_anchors(place: int, at_most: int, good: int) -> None:
    other = bodies()
    other[place - 1] = b"other"
    assert found(checked(chain(other))) == (Fault.REWRITTEN, at_most, good)


def test_after_the_last_anchor_nothing_vouches_for_the_trail() -> None:
    other = bodies()
    other[15] = b"other"
    assert checked(chain(other)).fault is Fault.NONE
    assert checked(TRUE[:15]).fault is Fault.NONE


@pytest.mark.parametrize("length", [0, 1, 4, 5, 9, 14])
def test_a_trail_that_ends_before_an_anchor_was_cut_off(length: int) -> None:
    assert found(checked(TRUE[:length])) == (Fault.TRUNCATED, length + 1, length // 5 * 5)


def test_a_trail_and_its_anchors_cut_back_together_look_whole() -> None:
    """Known limit: only an anchor that is kept elsewhere shows it."""
    back = anchored(TRUE, 5, 10)
    assert checked(TRUE[:10], kept=back, outside=Outside(back)).fault is Fault.NONE
    assert found(checked(TRUE[:10], kept=back, outside=Outside(ANCHORS)))[:2] == (Fault.TRUNCATED, 11)


@pytest.mark.parametrize("place", range(1, 16))
def test_a_broken_chain_is_named_at_its_event(place: int) -> None:
    events = [*TRUE]
    events[place - 1] = replace(events[place - 1], body=b"other")
    assert found(checked(events)) == (Fault.BROKEN, place, (place - 1) // 5 * 5)


def test_an_anchor_outside_counts_though_the_database_has_others() -> None:
    other = bodies()
    other[6] = b"other"
    forged = anchored(chain(other), 5, 10, 15)
    assert found(checked(chain(other), kept=forged, outside=Outside(ANCHORS, Fault.APART, 10)))[:2] == (
        Fault.REWRITTEN, 10,
    )  # fmt: skip
    assert found(checked(TRUE, kept=forged, outside=Outside(ANCHORS, Fault.APART, 10)))[:2] == (Fault.REWRITTEN, 10)


FALSE = [
    ([replace(ANCHORS[0], genuine=False), *ANCHORS[1:]], 5),
    ([ANCHORS[0], replace(ANCHORS[1], ours=False), ANCHORS[2]], 10),
    ([ANCHORS[0], ANCHORS[2]], 15),
    ([ANCHORS[0], ANCHORS[0]], 5),
    (ANCHORS[1:], 10),
]


@pytest.mark.parametrize(("anchors", "n"), FALSE)
def test_an_anchor_that_the_site_did_not_make_is_named(anchors: list[Anchor], n: int) -> None:
    false = first_false(anchors, site_id=SITE)
    assert false is not None
    assert false.n == n
    assert found(checked(TRUE, kept=anchors))[:2] == (Fault.FORGED, n)


def test_anchors_outside_need_not_be_all_but_each_genuine() -> None:
    assert checked(TRUE, outside=Outside(ANCHORS[1:])).fault is Fault.NONE
    false = [ANCHORS[0], replace(ANCHORS[1], genuine=False)]
    verdict = checked(TRUE, outside=Outside(false))
    assert found(verdict)[:2] == (Fault.FORGED, 10)
    assert verdict.outside == Vouched(5, TIME)


@pytest.mark.parametrize("fault", [Fault.APART, Fault.FILE_SHORT])
def test_a_file_that_is_not_the_databases_is_named(fault: Fault) -> None:
    assert found(checked(TRUE, outside=Outside(ANCHORS[:1], fault, 10))) == (fault, 10, 15)


def test_anchors_fall_due_by_events_and_by_time() -> None:
    assert is_due(events_since=100, seconds_since=0)
    assert is_due(events_since=1, seconds_since=300)
    assert not is_due(events_since=99, seconds_since=299)
    assert not is_due(events_since=0, seconds_since=9000)


def test_an_anchors_signature_is_taken_for_nothing_else() -> None:
    assert signed_bytes(b"{}") == b"LUMEN-ANCHOR-v1\0{}"
