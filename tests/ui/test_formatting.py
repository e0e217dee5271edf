"""Numbers, sizes and times as people read them."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from lumen_desktop.ui import formatting

MORNING = datetime(2026, 11, 22, 9, 30, 5, tzinfo=UTC)


@pytest.fixture(params=["UTC", "CET-1"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The computer's time zone."""
    with monkeypatch.context() as changed:
        changed.setenv("TZ", request.param)
        time.tzset()
        yield request.param
    time.tzset()


@pytest.mark.parametrize(
    ("size_bytes", "words"), [(340, "340 bytes"), (1200, "1.2 kB"), (1_234_567, "1.2 MB"), (5 * 10**12, "5000.0 GB")]
)  # fmt: skip
def test_sizes(size_bytes: int, words: str) -> None:
    assert formatting.size(size_bytes) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.42, "0.4 s"), (12.2, "12 s"), (200, "3 min"), (4800, "1 h 20 min")]
)  # fmt: skip
def test_durations(seconds: float, words: str) -> None:
    assert formatting.duration(seconds) == words


def test_counts() -> None:
    assert formatting.number(1234567) == "1,234,567"
    assert [formatting.counted(n, "page") for n in (0, 1, 2000)] == ["0 pages", "1 page", "2,000 pages"]
    assert formatting.counted(2, "entry", "entries") == "2 entries"


def test_times_are_told_in_the_zone_of_the_computer(zone: str) -> None:
    there = {"UTC": "22 Nov 2026, 09:30", "CET-1": "22 Nov 2026, 10:30"}
    records = {"UTC": "2026-11-22 09:30:05 UTC", "CET-1": "2026-11-22 09:30:05 UTC (10:30 CET)"}
    assert formatting.moment(MORNING) == there[zone]
    assert formatting.with_zone(MORNING) == records[zone]


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (MORNING, "Today"),
        (datetime(2026, 11, 21, 12, tzinfo=UTC), "Yesterday"),
        (datetime(2026, 10, 2, 12, tzinfo=UTC), "2 Oct"),
        (datetime(2025, 10, 2, 12, tzinfo=UTC), "2 Oct 2025"),
    ],
)
def test_days_of_a_list(time: datetime, words: str) -> None:
    assert formatting.day(time, MORNING) == words


@pytest.mark.parametrize(
    ("offset_minutes", "words"),
    [
        (0, "2026-11-22 09:30:05 UTC"),
        (60, "2026-11-22 10:30:05 UTC+01:00 (09:30:05 UTC)"),
        (-330, "2026-11-22 04:00:05 UTC-05:30 (09:30:05 UTC)"),
    ],
)
def test_the_time_of_a_signature_is_that_of_its_place(offset_minutes: int, words: str) -> None:
    assert formatting.at_place(MORNING, offset_minutes) == words
