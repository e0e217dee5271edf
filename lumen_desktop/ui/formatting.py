"""Numbers, sizes and times as people read them; the only place where UTC becomes local time. Knows no Qt."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

_UNITS = ("bytes", "kB", "MB", "GB")
_MINUTE, _HOUR = 60, 3600


def size(size_bytes: int) -> str:
    """A file's size: 340 bytes, 1.2 MB."""
    value, unit = float(size_bytes), 0
    while value >= 1000 and unit < len(_UNITS) - 1:  # noqa: PLR2004 - SI prefixes
        value, unit = value / 1000, unit + 1
    return f"{value:.0f} {_UNITS[unit]}" if unit == 0 else f"{value:.1f} {_UNITS[unit]}"


def number(value: int) -> str:
    """A count with thousands parted."""
    return f"{value:,}"


def counted(value: int, one: str, many: str = "") -> str:
    """A count with its noun: 1 page, 3 pages."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """A span of time: 0.4 s, 12 s, 3 min, 1 h 20 min."""
    if seconds < 10:  # noqa: PLR2004 - below that tenths can be felt
        return f"{seconds:.1f} s"
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{int(seconds // _HOUR)} h {int(seconds % _HOUR // _MINUTE)} min"


def moment(time: datetime) -> str:
    """A time on this computer's clock, with its date: 22 Nov 2026, 10:30."""
    local = time.astimezone()
    return f"{local.day} {local:%b %Y, %H:%M}"


def day(time: datetime, now: datetime) -> str:
    """When something was, as lists say it: Today, Yesterday, 22 Nov, 22 Nov 2025."""
    then, today = time.astimezone().date(), now.astimezone().date()
    if then == today:
        return "Today"
    if then == today - timedelta(days=1):
        return "Yesterday"
    return f"{then.day} {then:%b}" if then.year == today.year else f"{then.day} {then:%b %Y}"


def with_zone(time: datetime) -> str:
    """A time as records need it: UTC, with the local time beside it where that differs."""
    utc, local = time.astimezone(UTC), time.astimezone()
    beside = f" ({local:%H:%M %Z})" if local.utcoffset() else ""
    return f"{utc:%Y-%m-%d %H:%M:%S} UTC{beside}"


def listed(words: Sequence[str]) -> str:
    """Words as a sentence lists them: clinicians, QA officers and admins."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def at_place(time: datetime, offset_minutes: int) -> str:
    """A time as it was where something was signed, with its zone, and UTC beside it where that differs."""
    local = time.astimezone(timezone(timedelta(minutes=offset_minutes)))
    beside = f" ({time.astimezone(UTC):%H:%M:%S} UTC)" if offset_minutes else ""
    return f"{local:%Y-%m-%d %H:%M:%S %Z}{beside}"
