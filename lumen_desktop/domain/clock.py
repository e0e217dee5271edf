"""What is wrong with the computer's clock, as far as the trail can tell.

Knows no clock itself; the audit service looks and says what it saw.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

BACKWARDS_S = 2.0  # what setting a clock right by the network does at most
JUMP_S = 120.0
GAP_S = 24 * 3600.0


class Anomaly(StrEnum):
    """What a clock did."""

    SET_BACK = "set back"  # it shows a time before the last event's
    JUMPED = "jumped"  # within one run it went on by more or less than time passed
    GAP = "gap"  # nothing was written for more than a day: information only


@dataclass(frozen=True, slots=True)
class ClockTrouble:
    """A clock that was set back or jumped, and nobody has explained it yet.

    Attributes:
        seq: the event that tells it.
        kind: what the clock did.
        before: the time that was to be expected, ISO 8601.
        after: the time that the clock showed, ISO 8601.
    """

    seq: int
    kind: Anomaly
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Reading:
    """Both clocks at one moment: the one that can be set, and one that only counts seconds (asleep as well)."""

    wall: datetime
    steady_s: float


def ago(seconds: float) -> str:
    """How long since, in whole units as people say it; a time yet to come is ahead of the clock."""
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if abs(seconds) >= 2 * length:
            return f"{round(abs(seconds) / length)} {unit}s {'ago' if seconds > 0 else 'ahead of the clock'}"
    return "just now"


def anomaly(last: datetime | None, start: Reading | None, now: Reading) -> Anomaly | None:
    """What the clock did, judged by the last event and by this run's start.

    Args:
        last: time of the last event; None in a new trail.
        start: both clocks when this run began; None at its very beginning.
        now: both clocks now.
    """
    if last is not None and (now.wall - last).total_seconds() < -BACKWARDS_S:
        return Anomaly.SET_BACK
    if start is not None:
        passed = (now.wall - start.wall).total_seconds()
        return Anomaly.JUMPED if abs(passed - (now.steady_s - start.steady_s)) > JUMP_S else None
    if last is not None and (now.wall - last).total_seconds() > GAP_S:
        return Anomaly.GAP
    return None


def offset_minutes(moment: datetime) -> int:
    """Local time minus UTC at a moment, where this computer is."""
    offset = moment.astimezone().utcoffset()
    return int(offset.total_seconds() // 60) if offset is not None else 0
