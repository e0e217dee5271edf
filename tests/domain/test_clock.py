"""What a clock that was set looks like."""

from datetime import UTC, datetime, timedelta

import pytest

from lumen_desktop.domain.clock import Anomaly, Reading, ago, anomaly

LAST = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
START = Reading(LAST, 1000.0)


def at(seconds: float, passed: float | None = None) -> Reading:
    return Reading(LAST + timedelta(seconds=seconds), 1000.0 + (seconds if passed is None else passed))


@pytest.mark.parametrize(
    ("last", "start", "now", "expected"),
    [
        (None, None, at(0), None),
        (None, None, at(1e9), None),
        (LAST, None, at(0), None),
        (LAST, None, at(-2), None),
        (LAST, None, at(-2.1), Anomaly.SET_BACK),
        (LAST, None, at(-7200), Anomaly.SET_BACK),
        (LAST, None, at(86400), None),
        (LAST, None, at(86401), Anomaly.GAP),
        (LAST, START, at(5), None),
        (LAST, START, at(90_000), None),
        (LAST, START, at(125, 5), None),
        (LAST, START, at(126, 5), Anomaly.JUMPED),
        (LAST, START, at(5, 126), Anomaly.JUMPED),
        (LAST, START, at(90_000, 5), Anomaly.JUMPED),
        (LAST, START, at(-60, 60), Anomaly.SET_BACK),
        (None, START, at(-60, 60), None),
        (None, START, at(-60, 61), Anomaly.JUMPED),
    ],
)
def test_table(last: datetime | None, start: Reading | None, now: Reading, expected: Anomaly | None) -> None:
    assert anomaly(last, start, now) is expected


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "just now"), (119, "just now"), (120, "2 minutes ago"), (7200, "2 hours ago"), (172_800, "2 days ago"),
     (-7200, "2 hours ahead of the clock")],
)  # fmt: skip
def test_how_long_since(seconds: float, words: str) -> None:
    assert ago(seconds) == words
