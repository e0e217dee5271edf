"""Anchors: signed notes of how far the audit trail went, kept also outside the database.

A chain alone cannot show that its end was cut off, or that somebody with the database's key wrote it anew. An anchor
can: it states number and hash of an event, it is signed, and its copy outside stays as it was. `check` is what it means
to hold a trail against its anchors.

What no check can find: a trail and its anchors file that were cut back together to the same anchor, or what was
rewritten after the last anchor that still lies outside. Only a copy of the file kept elsewhere shows the former.

Knows no database, no file and no cryptography: storage makes the bytes, seals sign them and tell whose signature it is.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from lumen_desktop.domain.audit import AuditEvent, Fault, Verdict, Vouched, flaw, genesis

_DOMAIN = b"LUMEN-ANCHOR-v1\0"
EVERY_EVENTS = 100
EVERY_S = 300.0


@dataclass(frozen=True, slots=True)
class Anchor:
    """One anchor.

    Attributes:
        n: number of the last event that it vouches for.
        head: that event's hash, 32 bytes.
        time_utc: when it was made.
        previous: hash of the anchor before, 32 bytes; of a site's first one the trail's genesis.
        body: canonical JSON (RFC 8785) of these and of the site's public key: what was signed, after a prefix.
        genuine: whether the signature is that of the key which the anchor names.
        ours: whether that key is the site's.
    """

    n: int
    head: bytes
    time_utc: datetime
    previous: bytes
    body: bytes
    genuine: bool = True
    ours: bool = True

    @property
    def hash(self) -> bytes:
        """What the next anchor follows, 32 bytes."""
        return hashlib.sha256(signed_bytes(self.body)).digest()


def signed_bytes(body: bytes) -> bytes:
    """What the signature of an anchor with this body covers; no other signature of the product begins so."""
    return _DOMAIN + body


def is_due(*, events_since: int, seconds_since: float) -> bool:
    """Whether it is time for an anchor.

    Args:
        events_since: events appended since the last one.
        seconds_since: seconds since the last one, on a clock that nobody sets.
    """
    return events_since >= EVERY_EVENTS or (events_since > 0 and seconds_since >= EVERY_S)


@dataclass(frozen=True, slots=True)
class Outside:
    """The anchors outside the database, held against those in it.

    Attributes:
        anchors: those that can be read.
        fault: `Fault.APART` or `Fault.FILE_SHORT`, or nothing.
        n: number of the event of the first anchor in which they differ.
    """

    anchors: Sequence[Anchor] = ()
    fault: Fault = Fault.NONE
    n: int = 0


def check(events: Iterable[AuditEvent], kept: Sequence[Anchor], outside: Outside, *, site_id: str) -> Verdict:
    """Follows the chain from its beginning and holds it against all anchors; stops at the first fault.

    What is wrong with events goes before what is wrong with anchors.

    Args:
        events: the trail, in order.
        kept: anchors in the database, in order.
        outside: anchors outside it.
        site_id: whose trail this is.

    Source: 21 CFR 11.10(a), (e): altered records are discerned.
    """
    marks = _marks([*outside.anchors, *kept])
    verdict = _against(events, marks, site_id)
    if verdict.fault is Fault.NONE:
        verdict = _of_anchors(verdict, kept, outside, site_id)
    last = next((anchor for anchor in reversed(outside.anchors) if anchor.genuine and anchor.ours), None)
    return replace(verdict, outside=Vouched(last.n, last.time_utc) if last else None)


def _marks(anchors: Iterable[Anchor]) -> dict[int, set[bytes]]:
    """The hash that each event must have; of an event whose anchors disagree, several."""
    marks: dict[int, set[bytes]] = {}
    for anchor in anchors:
        if anchor.genuine:
            marks.setdefault(anchor.n, set()).add(anchor.head)
    return marks


def _against(events: Iterable[AuditEvent], marks: dict[int, set[bytes]], site_id: str) -> Verdict:
    head, count, good = genesis(site_id), 0, 0
    for event in events:
        count += 1
        if reason := flaw(event, count, head):
            return Verdict(count, event.seq, reason, head, Fault.BROKEN, good)
        head = event.hash
        if count in marks:
            if marks[count] != {head}:
                reason = f"It, or one after event {good}, was rewritten: the anchor of event {count} knows another one."
                return Verdict(count, count, reason, head, Fault.REWRITTEN, good)
            good = count
    if missing := [n for n in marks if n > count]:
        reason = (
            f"The trail ends at event {count}, but an anchor vouches for event {max(missing)}: events after event "
            f"{good} were removed or cut off."
        )
        return Verdict(count, count + 1, reason, head, Fault.TRUNCATED, good)
    return Verdict(count, None, "", head, Fault.NONE, good)


def _of_anchors(verdict: Verdict, kept: Sequence[Anchor], outside: Outside, site_id: str) -> Verdict:
    """The verdict on a trail whose events are right, once its anchors were looked at."""
    for anchors, place in ((kept, "the database"), (outside.anchors, "the anchors file")):
        if bad := first_false(anchors, site_id=site_id, alone=place == "the database"):
            reason = f"The anchor of this event in {place} is not one that this site made."
            return replace(verdict, first_bad=bad.n, reason=reason, fault=Fault.FORGED)
    if outside.fault is Fault.NONE:
        return verdict
    reasons = {
        Fault.APART: "From its anchor on, the anchors file holds what the database does not: one of them was changed "
        "or replaced by an older copy.",
        Fault.FILE_SHORT: "The anchors file lost the anchor of this event, which the database has.",
    }
    return replace(verdict, first_bad=outside.n, reason=reasons[outside.fault], fault=outside.fault)


def first_false(anchors: Sequence[Anchor], *, site_id: str, alone: bool = True) -> Anchor | None:
    """The first anchor that this site did not make, or that does not follow from the one before it.

    Args:
        anchors: in order.
        site_id: whose they are.
        alone: whether they are all there; else their order is not looked at.
    """
    previous, n = genesis(site_id), 0
    for anchor in anchors:
        if not (anchor.genuine and anchor.ours):
            return anchor
        if alone and (anchor.previous != previous or anchor.n <= n):
            return anchor
        previous, n = anchor.hash, anchor.n
    return None
