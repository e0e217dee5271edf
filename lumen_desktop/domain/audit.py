"""The audit trail's rule: each event's hash covers the one before it, so a change anywhere shows.

Knows no database and no clock. Storage appends and reads; `first_break` is what verification means.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of the whole chain found.

    Attributes:
        events: how many events were read.
        first_bad: sequence number of the first that does not follow from those before; None if all do.
        reason: what is wrong with it, one sentence; empty if nothing is.
        head: hash of the last event checked.
    """

    events: int
    first_bad: int | None
    reason: str
    head: bytes


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
        if reason := _fault(event, count, head):
            return Verdict(count, event.seq, reason, head)
        head = event.hash
    return Verdict(count, None, "", head)


def _fault(event: AuditEvent, expected: int, head: bytes) -> str:
    if event.seq != expected:
        return f"Event {expected} is missing."
    if event.previous != head:
        return "It does not follow from the event before it."
    if link(event.previous, event.body) != event.hash:
        return "Its content was changed after it was written."
    return ""
