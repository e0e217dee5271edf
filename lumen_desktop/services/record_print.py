"""A signed record on paper: what was signed, and each signature with all that it binds.

Called by `signing`. Source: 21 CFR 11.50 (manifestations), 11.10(b) (copies that can be read); EU GMP Annex 11,
clauses 8 and 14.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from lumen_desktop.domain.accounts import Role
from lumen_desktop.domain.clock import offset_minutes
from lumen_desktop.domain.library import Currency
from lumen_desktop.domain.signing import Kind
from lumen_desktop.rendering import pdf
from lumen_desktop.rendering.pages import (
    Block,
    Column,
    Envelope,
    Facts,
    Mark,
    Moment,
    Paragraph,
    Person,
    Section,
    SignatureShown,
    Table,
)
from lumen_desktop.rendering.pages import Record as PrintedRecord
from lumen_desktop.services.audit_export import Title
from lumen_desktop.services.signing import Record, Signature, status

_NAMES = {
    Kind.SOURCE_DOCUMENT: ("Release record", "REL"),
    Kind.AUDIT_REVIEW: ("Audit-trail review", "ATR"),
    Kind.ACCESS_REVIEW: ("Access review", "ACR"),
}
_FACTS = {
    "title": "Title", "file": "File", "sha256": "File, SHA-256", "size_bytes": "File, bytes", "pages": "Pages",
    "text_sha256": "Text read from it, SHA-256", "collection": "Collection", "kind": "Whose words", "subject": "About",
    "edition": "Edition", "as_of": "As of", "currency": "State of the rule", "added_utc": "Added, UTC",
    "added_by": "Added by",
    "first": "First event", "last": "Last event", "head": "Hash of the last event",
    "own_events_left": "The reviewer's own events, left to another", "site": "Site", "profile": "Profile",
    "as_of_utc": "As of, UTC",
}  # fmt: skip


def rendered(
    record: Record, signatures: Sequence[Signature], title: Title, *, site_id: str, made_utc: datetime
) -> bytes:
    """The record as PDF.

    Args:
        record: what was, or is to be, signed.
        signatures: given on it; one that does not hold says so.
        title: what stands at the head.
        site_id: identity of the site.
        made_utc: now.

    Raises:
        StorageError: a font is missing (PDF-001).
    """
    kind, letters = _NAMES[record.kind]
    said, marks = status(record, signatures), [Mark.DEMONSTRATION] if title.demonstration else []
    if said == "Withdrawn":
        marks.append(Mark.SUPERSEDED)
    by = Person(title.printed_names.get(title.by.name, title.by.name), title.by.name, _duty(title.by.role))
    envelope = Envelope(
        site=title.site, site_id=site_id, kind=kind, title=record.title,
        number=f"{letters}-{record.number:06}" if record.number else f"{letters}, to be signed", status=said,
        printed=Moment(made_utc, offset_minutes(made_utc)), printed_by=by, content_digest=record.sha256,
        chain_head=title.head, chain_events=title.total, marks=tuple(marks),
    )  # fmt: skip
    return pdf.render(PrintedRecord(envelope, _sections(record.content), tuple(map(_shown, signatures))))


def _sections(content: Mapping[str, Any]) -> tuple[Section, ...]:
    rows = tuple((name, _said(content[key])) for key, name in _FACTS.items() if content.get(key) not in {None, ""})
    found: list[tuple[str, Block]] = [("What is signed", Facts(rows))]
    if acts := content.get("acts"):
        counted = Table((Column("Act", 3), Column("Events")), tuple((act, str(n)) for act, n in acts.items()))
        found.append(("Events of others", counted))
    if people := content.get("people"):
        found.append(("People", _people(people)))
    if refused := content.get("refused_sign_ins"):
        heads = (Column("Time, UTC", 2), Column("User name", 2), Column("Code"))
        found.append(("Sign-ins refused", Table(heads, tuple(tuple(map(str, row)) for row in refused))))
    if finding := content.get("finding"):
        found.append(("What the reviewer found", Paragraph(finding)))
    return tuple(Section(heading, (block,)) for heading, block in found)


def _said(value: object) -> str:
    """A value as it is read: `in_force` as two words."""
    return str(value).replace("_", " ") if value in set(Currency) else str(value)


def _people(people: Sequence[Mapping[str, Any]]) -> Table:
    columns = (
        Column("User name", 2), Column("Name", 3), Column("Duties", 3), Column("Active"), Column("Identity checked", 3),
        Column("Last sign-in, UTC", 3),
    )  # fmt: skip
    rows = tuple(
        (
            one["user"], one["name"], _duty(",".join(one["duties"])), "yes" if one["active"] else "no",
            one["identity_checked"] or "no", one["last_signed_in_utc"] or "never",
        )
        for one in people
    )  # fmt: skip
    return Table(columns, rows)


def _shown(signature: Signature) -> SignatureShown:
    said = signature.statement
    meaning = f"{said.meaning.capitalize()}: {said.meaning.statement}"
    if said.reason:
        meaning += f" Reason: {said.reason}"
    if signature.flaw:
        meaning = f"DOES NOT HOLD: {signature.flaw} {meaning}"
    return SignatureShown(
        Person(said.printed_name, said.user_name, _duty(said.role)), meaning,
        Moment(said.time_utc, said.utc_offset_minutes), said.content_sha256, said.chain_head, f"S-{signature.id:06}",
    )  # fmt: skip


def _duty(role: str) -> str:
    return ", ".join(Role(one).words if one in set(Role) else one for one in role.split(","))
