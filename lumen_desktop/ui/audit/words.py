"""What the trail's names look like to people; the stored names stay what they are. Knows no widget."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from lumen_desktop.domain.accounts import Profile, Role
from lumen_desktop.domain.audit import Verdict
from lumen_desktop.domain.clock import Anomaly, ClockTrouble, ago
from lumen_desktop.domain.permissions import Act, Reach, who_may
from lumen_desktop.ui.formatting import counted, listed, number, with_zone

NO_TIME = "Write a time as 2026-11-22 or 2026-11-22 09:30, in UTC."
_DAY = len("2026-11-22")
_CLOCK = {
    Anomaly.SET_BACK: "The computer's clock was set back: it showed {after} where {before} was reached already.",
    Anomaly.JUMPED: "The computer's clock jumped: it showed {after} where {before} was to be expected.",
}


def plain(name: str) -> str:
    """A kind of things as people say it: source document."""
    return name.replace("_", " ")


def duty(roles: str) -> str:
    """The duty, or duties, that an event names: QA officer."""
    known = {role.value: role.words for role in Role}
    return ", ".join(known.get(role, plain(role)) for role in roles.split(","))


def permitted(act: Act, profile: Profile, *, least: Reach = Reach.OWN) -> str:
    """Who may do an act: QA officers, QA approvers and admins."""
    return listed([f"{role.words}s" for role in who_may(act, profile, least=least)])


def thing(event: dict[str, Any]) -> str:
    """What an event happened to: source document 12."""
    return f"{plain(event['entity'])} {event['entity_id']}".strip()


def in_utc(event: dict[str, Any]) -> str:
    """An event's time as its list shows it; what is no time stays as it is."""
    time = _time(event)
    return f"{time:%Y-%m-%d %H:%M:%S}" if time else str(event["time_utc"])


def at_the_time(event: dict[str, Any]) -> str:
    """An event's time on the clock of the computer that wrote it, with that computer's zone then."""
    time, minutes = _time(event), event.get("utc_offset_minutes")
    if time is None or not isinstance(minutes, int) or abs(minutes) >= 24 * 60:
        return "not told"
    local = time.astimezone(timezone(timedelta(minutes=minutes)))
    return f"{local:%Y-%m-%d %H:%M:%S} {local.tzname()}"


def _time(event: dict[str, Any]) -> datetime | None:
    try:
        time = datetime.fromisoformat(event["time_utc"])
    except (TypeError, ValueError):
        return None
    return time.astimezone(UTC) if time.tzinfo else None


def asked_time(given: str, *, end: bool) -> datetime | None:
    """A time as a person types it, in UTC; None where nothing is given.

    Args:
        given: a day, or a day and a time.
        end: whether it ends a span: a day then counts to its end.

    Raises:
        ValueError: it is no time.
        OverflowError: it is beyond all times.
    """
    words = given.strip()
    if not words:
        return None
    time = datetime.fromisoformat(words)
    time = time if time.tzinfo else time.replace(tzinfo=UTC)
    if end and len(words) == _DAY:
        time += timedelta(days=1)
    return time


def verdict(found: Verdict) -> str:
    """What a check of the whole trail found, one or two sentences."""
    if found.first_bad is None:
        return f"The audit trail is whole: {counted(found.events, 'event')}, head {found.head.hex()[:16]}…"
    until = f" Up to event {number(found.good_until)} an anchor vouches for it." if found.good_until else ""
    return f"The audit trail is broken at event {number(found.first_bad)}: {found.reason}{until}"


def anchor(found: Verdict, age_s: float | None) -> str:
    """How old the last anchor outside the database is."""
    if found.outside is None or age_s is None:
        return "No anchor lies outside the database yet."
    return f"Last anchor outside the database: event {number(found.outside.seq)}, {ago(age_s)}."


def clock(trouble: ClockTrouble) -> str:
    """What the clock did, and what follows from it."""
    before, after = (with_zone(datetime.fromisoformat(time)) for time in (trouble.before, trouble.after))
    said = _CLOCK[trouble.kind].format(before=before, after=after)
    return f"{said} Until somebody explains it nothing can be signed."
