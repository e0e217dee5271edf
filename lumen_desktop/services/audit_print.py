"""The audit trail on paper: an extract as PDF, with what was asked for, by whom, and how far the chain went.

Called by `audit_export` as one of its formats. Source: 21 CFR 11.10(b), (e); EU GMP Annex 11 clauses 8 and 9.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from lumen_desktop.domain.accounts import Role
from lumen_desktop.domain.audit import AuditEvent, differences
from lumen_desktop.domain.clock import offset_minutes
from lumen_desktop.errors import InputError
from lumen_desktop.rendering.pages import (
    AnchorShown,
    AuditExtract,
    ChangeShown,
    Envelope,
    EventShown,
    Mark,
    Moment,
    Person,
)
from lumen_desktop.services.audit_export import Title
from lumen_desktop.storage import audit

MOST_EVENTS = 20_000  # some 2,400 pages, twenty seconds


def extract(
    events: Iterable[AuditEvent], title: Title, *, site_id: str, made_utc: datetime, selection: str
) -> tuple[bytes, int]:
    """The extract as PDF, and how many events are in it.

    The digest printed on it is SHA-256 of the hashes of its events, one after the other, 32 bytes each.

    Raises:
        InputError: more events than can be printed at once (AUD-018).
        IntegrityError: an event is not what was written (AUD-001).
        StorageError: a font is missing (PDF-001).
    """
    from lumen_desktop.rendering import pdf  # noqa: PLC0415 - loading reportlab takes 0.2 s that only printing needs

    shown: list[EventShown] = []
    digest = hashlib.sha256()
    for event in events:
        if len(shown) == MOST_EVENTS:
            raise InputError(
                f"More than {MOST_EVENTS:,} events cannot be printed at once.",
                code="AUD-018",
                hint="Choose fewer with --since and --until, or export as JSON.",
            )
        shown.append(_event(audit.shown(event), title))
        digest.update(event.hash)
    envelope = Envelope(
        site=title.site, site_id=site_id, kind="Audit trail", title="Extract of the audit trail",
        number=f"AT-{made_utc:%Y%m%d-%H%M%S}", status="Copy", printed=_moment(made_utc),
        printed_by=_person(title, title.by.name, title.by.role), content_digest=digest.hexdigest(),
        chain_head=title.head, chain_events=title.total, marks=(Mark.DEMONSTRATION,) if title.demonstration else (),
    )  # fmt: skip
    events_shown, anchor = tuple(shown), _anchor(title.last_anchor)
    whole = AuditExtract(envelope, title.profile, selection, events_shown, title.total, anchor)
    return pdf.render(whole), len(shown)


def _anchor(line: bytes) -> AnchorShown | None:
    if not line:
        return None
    fields = json.loads(line)
    at = _moment(datetime.fromisoformat(fields["time_utc"]))
    return AnchorShown(int(fields["n"]), str(fields["head"]), at, "the file anchors.jsonl in the site's folder")


def _event(fields: Mapping[str, Any], title: Title) -> EventShown:
    at = Moment(datetime.fromisoformat(fields["time_utc"]).astimezone(UTC), int(fields.get("utc_offset_minutes", 0)))
    changes = tuple(
        ChangeShown(one.field, _value(one.before), _value(one.after))
        for one in differences(fields.get("before"), fields.get("after"))
    )
    what = f"{fields['entity']} {fields['entity_id']}"
    who = _person(title, str(fields["actor"]), str(fields.get("role", "")))
    return EventShown(int(fields["seq"]), at, who, str(fields["act"]), what, str(fields["reason"]), changes)


def _person(title: Title, user_name: str, role: str) -> Person:
    duties = ", ".join(Role(one).words if one in set(Role) else one for one in role.split(","))
    return Person(title.printed_names.get(user_name, user_name), user_name, duties)


def _value(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _moment(utc: datetime) -> Moment:
    return Moment(utc.astimezone(UTC), offset_minutes(utc))
