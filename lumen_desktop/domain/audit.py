"""The audit trail's rule: each event's hash covers the one before it, so a change anywhere shows.

Knows no database and no clock. Storage appends and reads; `first_break` is what verification of the chain alone
means, `anchors.check` what it means together with the anchors. `Filters` and `differences` serve who reads the trail.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

_DOMAIN = b"LUMEN-AUDIT-v1\0"


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One stored event.

    Attributes:
        seq: place in the chain, from 1, without gaps.
        body: canonical JSON (RFC 8785) of who, what, when, why, before and after; it repeats ``seq``.
        previous: hash of the event before, 32 bytes.
        hash: hash of this one, 32 bytes.
    """

    seq: int
    body: bytes
    previous: bytes
    hash: bytes


class Fault(StrEnum):
    """What is wrong with a trail, the gravest first."""

    NONE = ""
    BROKEN = "broken"  # an event does not follow from the one before it
    REWRITTEN = "rewritten"  # the chain holds, but an anchor vouches for another event
    TRUNCATED = "truncated"  # an anchor vouches for an event that is not there
    FORGED = "forged"  # an anchor was not signed by this site, or does not follow from the one before it
    APART = "apart"  # the anchors file holds what the database does not
    FILE_SHORT = "file short"  # the anchors file lost anchors that the database has


@dataclass(frozen=True, slots=True)
class Vouched:
    """How far an anchor vouches for the trail: up to which event, since when."""

    seq: int
    time_utc: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of the whole chain found.

    Attributes:
        events: how many events were read.
        first_bad: sequence number of the first event that is wrong, or at the latest of them: it lies after
            ``good_until`` and not after this; None if nothing is wrong.
        reason: what is wrong with it, one sentence; empty if nothing is.
        head: hash of the last event checked.
        fault: the kind of what is wrong.
        good_until: the last event that an anchor vouches for and that is as it was.
        outside: how far the anchors outside the database vouch; None without any.
    """

    events: int
    first_bad: int | None
    reason: str
    head: bytes
    fault: Fault = Fault.NONE
    good_until: int = 0
    outside: Vouched | None = None


class Order(StrEnum):
    """What events are sorted by; among equals by their place in the chain."""

    SEQ = "seq"
    TIME = "time"
    ACTOR = "actor"


@dataclass(frozen=True, slots=True)
class Filters:
    """Which events are wanted; what is empty excludes none.

    Attributes:
        since: this time and later.
        until: before this time.
        words: stands in the reason or in a value before or after, in capitals or not.
    """

    actor: str = ""
    role: str = ""
    act: str = ""
    entity: str = ""
    entity_id: str = ""
    since: datetime | None = None
    until: datetime | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of the events wanted, and in which order."""

    order: Order = Order.SEQ
    descending: bool = False
    offset: int = 0
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Choices:
    """What filters can name, in alphabetical order: the people, acts and kinds of things that a trail tells of."""

    actors: tuple[str, ...]
    acts: tuple[str, ...]
    entities: tuple[str, ...]


class Change(StrEnum):
    """What happened to a field."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that an event touched; a side on which it did not exist is None."""

    field: str
    change: Change
    before: Any
    after: Any


def differences(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[Difference]:
    """The fields in which two states differ, those of the first state first.

    Source: 21 CFR 11.10(e): a change does not obscure what was recorded before.
    """
    old, new = before or {}, after or {}
    found = []
    for name in {**old, **new}:
        if name not in new:
            found.append(Difference(name, Change.REMOVED, old[name], None))
        elif name not in old:
            found.append(Difference(name, Change.ADDED, None, new[name]))
        elif old[name] != new[name] or type(old[name]) is not type(new[name]):
            found.append(Difference(name, Change.CHANGED, old[name], new[name]))
    return found


def genesis(site_id: str) -> bytes:
    """What the first event of a site follows: 32 bytes that no other site has."""
    return hashlib.sha256(b"LUMEN-GENESIS-v1\0" + site_id.encode()).digest()


def link(previous: bytes, body: bytes) -> bytes:
    """Hash of an event with this body after this previous hash, 32 bytes.

    Source: 21 CFR 11.10(e); domain separation as in RFC 9162 section 2.1.
    """
    return hashlib.sha256(_DOMAIN + previous + body).digest()


def first_break(events: Iterable[AuditEvent], *, site_id: str) -> Verdict:
    """Follows the chain from its beginning and stops at the first event that does not fit."""
    head, count = genesis(site_id), 0
    for event in events:
        count += 1
        if reason := flaw(event, count, head):
            return Verdict(count, event.seq, reason, head, Fault.BROKEN)
        head = event.hash
    return Verdict(count, None, "", head)


def flaw(event: AuditEvent, expected: int, head: bytes) -> str:
    """Why an event does not follow from those before, one sentence; empty if it does.

    Args:
        event: the one to look at.
        expected: its number, if none is missing.
        head: hash of the event before.
    """
    if event.seq != expected:
        return f"Event {expected} is missing."
    if event.previous != head:
        return "It does not follow from the event before it."
    if link(event.previous, event.body) != event.hash:
        return "Its content was changed after it was written."
    return ""
