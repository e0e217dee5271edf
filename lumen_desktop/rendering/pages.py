"""What can be printed, as plain values: a record with its signatures, an extract of the audit trail.

Knows no file format, no database and no clock. Services make these; `pdf.render` prints them. Every text may come from
a stranger: it is set as it stands, never read as markup.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MOST_COLUMNS = 12
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Mark(StrEnum):
    """A status so important that it lies across every page.

    Source: PIC/S PI 041-1 section 8 (status and control of copies); EU GMP chapter 4, 4.2 and 4.3.
    """

    DRAFT = "DRAFT"
    TRAINING = "FOR TRAINING"
    SUPERSEDED = "SUPERSEDED"
    CANCELLED = "CANCELLED"
    DEMONSTRATION = "DEMONSTRATION"


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as it is printed: in UTC and as the clock on the wall showed it.

    Attributes:
        utc: aware, in UTC.
        offset_minutes: local time minus UTC, where and when it happened.

    Raises:
        ValueError: ``utc`` is not in UTC.
    """

    utc: datetime
    offset_minutes: int = 0

    def __post_init__(self) -> None:
        if self.utc.utcoffset() != timedelta(0):
            raise ValueError("A moment is given in UTC.")

    @property
    def zone(self) -> str:
        """Offset from UTC, as ``+01:00``."""
        hours, minutes = divmod(abs(self.offset_minutes), 60)
        return f"{'-' if self.offset_minutes < 0 else '+'}{hours:02}:{minutes:02}"

    @property
    def in_utc(self) -> str:
        """Date and time to the second, as ``2026-11-22 22:11:12 UTC``."""
        return f"{self.utc:%Y-%m-%d %H:%M:%S} UTC"

    @property
    def local(self) -> str:
        """The same moment on the local clock, as ``2026-11-22 23:11:12 +01:00``."""
        return f"{self.utc + timedelta(minutes=self.offset_minutes):%Y-%m-%d %H:%M:%S} {self.zone}"


@dataclass(frozen=True, slots=True)
class Person:
    """Who, as printed: full name, user name, the role acted in."""

    printed_name: str
    user_name: str
    role: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """What every printed thing says of itself, in its title block and at the head and foot of each page.

    Attributes:
        site: the site's name; site_id: its identity.
        kind: kind of document, such as ``Release record``.
        number: its own number, unique at the site; status: in words.
        printed: when this file was made; printed_by: by whom.
        content_digest: SHA-256 of the canonical content that is printed, 64 hexadecimal digits.
        chain_head: hash of the last audit event when this was printed, 64 hexadecimal digits.
        chain_events: how many events lead to that head.
        marks: what lies across each page.
        uncontrolled: whether the foot says "Uncontrolled when printed".
        language: of the text, by BCP 47.

    Raises:
        ValueError: a digest or a head is not 64 lower-case hexadecimal digits.

    Source: EU GMP chapter 4, 4.2 and 4.3; 21 CFR 11.10(b) (copies that can be read).
    """

    site: str
    site_id: str
    kind: str
    title: str
    number: str
    status: str
    printed: Moment
    printed_by: Person
    content_digest: str
    chain_head: str
    chain_events: int
    marks: tuple[Mark, ...] = ()
    uncontrolled: bool = False
    language: str = "en-GB"

    def __post_init__(self) -> None:
        _demand_digests(self.content_digest, self.chain_head)


@dataclass(frozen=True, slots=True)
class ChangeShown:
    """One field of an event's object before and after it; None where there was, or is, no value."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class EventShown:
    """One audit event as it is printed.

    Source: 21 CFR 11.10(e); EU GMP Annex 11 clause 9 (who, what, when, why, old and new value).
    """

    seq: int
    at: Moment
    who: Person
    act: str
    object: str
    reason: str = ""
    changes: tuple[ChangeShown, ...] = ()


@dataclass(frozen=True, slots=True)
class AnchorShown:
    """The last head of the chain that was written where the database cannot reach it."""

    seq: int
    head: str
    at: Moment
    place: str

    def __post_init__(self) -> None:
        _demand_digests(self.head)


@dataclass(frozen=True, slots=True)
class AuditExtract:
    """Events of the audit trail, with what was asked for and how much there is.

    Attributes:
        profile: the site's profile, such as ``GMP``.
        selection: the filter in words; empty means all events.
        events: in the order in which they are printed.
        total: number of events that the trail holds.
        anchor: None where no head ever left the database.
    """

    envelope: Envelope
    profile: str
    selection: str
    events: tuple[EventShown, ...]
    total: int
    anchor: AnchorShown | None = None


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text; its line breaks stay."""

    text: str


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list without order."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Names with their values, one a row."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading (with the unit, where it has one) and its share of the width against the others'."""

    heading: str
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of as many texts as there are columns, which are 1 to 12.

    Raises:
        ValueError: a row has more or fewer texts, or there are too many columns for a page.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.columns) <= MOST_COLUMNS:
            raise ValueError(f"A table has 1 to {MOST_COLUMNS} columns.")
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError("A row has as many texts as the table has columns.")


Block = Paragraph | Bullets | Facts | Table


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it; ``level`` is 1 to 3."""

    heading: str
    blocks: tuple[Block, ...] = ()
    level: int = 1


@dataclass(frozen=True, slots=True)
class SignatureShown:
    """The manifestation of an electronic signature.

    Attributes:
        meaning: what was declared, such as ``I approve this document``.
        content_digest: of what was signed; chain_head: the trail's head at signing; both 64 hexadecimal digits.

    Raises:
        ValueError: a digest or a head is not 64 lower-case hexadecimal digits.

    Source: 21 CFR 11.50(a) and (b); 11.70; EU GMP Annex 11 clause 14.
    """

    signer: Person
    meaning: str
    at: Moment
    content_digest: str
    chain_head: str
    signature_id: str

    def __post_init__(self) -> None:
        _demand_digests(self.content_digest, self.chain_head)


@dataclass(frozen=True, slots=True)
class Record:
    """Any record, with every signature given on it.

    Attributes:
        facts: further rows of the title block, such as the edition or the day from which it applies.
    """

    envelope: Envelope
    sections: tuple[Section, ...]
    signatures: tuple[SignatureShown, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()


Printed = AuditExtract | Record


def _demand_digests(*digests: str) -> None:
    if not all(map(_DIGEST.fullmatch, digests)):
        raise ValueError("A digest is 64 lower-case hexadecimal digits.")
