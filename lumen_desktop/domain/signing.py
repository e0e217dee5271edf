"""Electronic signatures: which are needed in which order, who may give the next one, and what exactly is signed.

A `Route` is the list of steps that a kind of record takes; `refusal` says why a person may not take the next step, or
nothing. Pure: passwords, keys and storage are the service's, which asks this before it signs.

Source: 21 CFR 11.10(f), (g), 11.50, 11.70, 11.100, 11.200; EU GMP Annex 11 clause 14 and its draft of 2025, clause 13.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from lumen_desktop.domain.accounts import User
from lumen_desktop.domain.permissions import Act

SIGNATURE_DOMAIN = b"LUMEN-SIGNATURE-v1\0"  # before the bytes that are signed, so that they are nothing else


class Kind(StrEnum):
    """What can be signed."""

    SOURCE_DOCUMENT = "source_document"
    AUDIT_REVIEW = "audit_review"
    ACCESS_REVIEW = "access_review"


class Meaning(StrEnum):
    """What a signature says; frozen on it. Source: 21 CFR 11.50(a)(3)."""

    AUTHORED = "authored"
    REVIEWED = "reviewed"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"

    @property
    def statement(self) -> str:
        """The sentence that the person signs."""
        return _STATEMENTS[self]


_STATEMENTS = {
    Meaning.AUTHORED: "I wrote or adopted this content, and to my knowledge it is right.",
    Meaning.REVIEWED: "I read this content and the audit trail behind it, and found it right.",
    Meaning.APPROVED: "I approve this for use on behalf of the quality unit.",
    Meaning.REJECTED: "I reject this, for the reason given.",
    Meaning.WITHDRAWN: "I take this out of use, for the reason given.",
}
WITH_REASON = frozenset({Meaning.REJECTED, Meaning.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class Step:
    """One signature that a record needs.

    Attributes:
        meaning: what it says.
        act: the act that the signer's duties must include.
    """

    meaning: Meaning
    act: Act


@dataclass(frozen=True, slots=True)
class Route:
    """The signatures of a kind of record, in their order.

    Attributes:
        kind: what the record is, as people say it.
        steps: taken one after the other, each by another person.
        ends_by: what may end the record's use after all steps; none for one that only tells.
        rejectable: whether a signature may refuse a step; a review has a finding instead.
    """

    kind: str
    steps: tuple[Step, ...]
    ends_by: Step | None = None
    rejectable: bool = True


RELEASE = Route(
    "release of a source document",
    (Step(Meaning.REVIEWED, Act.SIGN_AS_REVIEWER), Step(Meaning.APPROVED, Act.RELEASE_DOCUMENTS)),
    ends_by=Step(Meaning.WITHDRAWN, Act.RELEASE_DOCUMENTS),
)
AUDIT_REVIEW = Route("review of the audit trail", (Step(Meaning.REVIEWED, Act.REVIEW_AUDIT),), rejectable=False)
ACCESS_REVIEW = Route("review of access", (Step(Meaning.REVIEWED, Act.REVIEW_ACCESS),), rejectable=False)
ROUTES = {Kind.SOURCE_DOCUMENT: RELEASE, Kind.AUDIT_REVIEW: AUDIT_REVIEW, Kind.ACCESS_REVIEW: ACCESS_REVIEW}


@dataclass(frozen=True, slots=True)
class Given:
    """A signature that stands on a revision already.

    Attributes:
        user_id: whose.
        meaning: what it says.
    """

    user_id: int
    meaning: Meaning


def allowed(route: Route, given: Sequence[Given]) -> tuple[Step, ...]:
    """The steps of which one may be taken now: the next one, or its rejection; after the last, the end of use."""
    if any(one.meaning in WITH_REASON for one in given):
        return ()
    if len(given) < len(route.steps):
        step = route.steps[len(given)]
        return (step, Step(Meaning.REJECTED, step.act)) if route.rejectable else (step,)
    return (route.ends_by,) if route.ends_by else ()


def in_force(route: Route, given: Sequence[Given]) -> bool:
    """Whether every signature that a record needs is there, and none that ends it."""
    return [one.meaning for one in given] == [step.meaning for step in route.steps]


def refusal(
    signer: User, meaning: Meaning, route: Route, given: Sequence[Given], *, author_id: int, reason: str
) -> str:
    """Why this person may not sign so now, one sentence; empty where they may.

    Whether their duties include the step's act, `authorize` says; password and clock are the service's as well.

    Args:
        signer: who.
        meaning: what they want to say.
        route: of the record.
        given: its signatures so far, in their order.
        author_id: who made or brought what is signed.
        reason: why, where the meaning needs one.
    """
    if not signer.may_ever_sign:
        return "Your identity and your acceptance of accountability must be on record before you sign."
    if meaning not in {step.meaning for step in allowed(route, given)}:
        return f"This {route.kind} does not take the signature “{meaning}” now."
    if meaning in WITH_REASON:
        return "" if reason.strip() else "Say why: this signature needs a reason."
    if meaning is not Meaning.AUTHORED and signer.id == author_id:
        return "Nobody reviews or approves what they made or brought themselves."
    if signer.id in {one.user_id for one in given}:
        return "You signed this already; the next signature is another person's."
    return ""


@dataclass(frozen=True, slots=True)
class Statement:
    """Everything that one signature binds together. Source: 21 CFR 11.50(a), 11.70.

    Attributes:
        record: what is signed: its kind and number.
        content_sha256: digest of its canonical content, hex.
        user_id: whose signature.
        user_name: their user name.
        printed_name: their name as printed.
        role: the duty they sign in.
        meaning: what it says.
        reason: why, where the meaning needs one.
        time_utc: when, aware UTC.
        utc_offset_minutes: of the place where it was signed.
        chain_seq: number of the audit trail's last event before it.
        chain_head: hash of that event, hex.
    """

    record: str
    content_sha256: str
    user_id: int
    user_name: str
    printed_name: str
    role: str
    meaning: Meaning
    reason: str
    time_utc: datetime
    utc_offset_minutes: int
    chain_seq: int
    chain_head: str

    def fields(self) -> dict[str, Any]:
        """As JSON values; their canonical form after `SIGNATURE_DOMAIN` is what is signed."""
        named = {name: getattr(self, name) for name in self.__slots__}
        return {**named, "meaning": self.meaning.value, "time_utc": self.time_utc.isoformat(timespec="microseconds")}
