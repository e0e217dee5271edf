"""The audit trail in SQL: appended inside the transaction that it describes, never changed.

`database.Transaction` appends; the audit service lists and verifies. The triggers below refuse change
even to our own code; `missing_guards` tells whether one was lost (Alembic's batch mode drops them).
"""

import json
from collections.abc import Iterator
from typing import Any, ClassVar

import rfc8785
from sqlalchemy import text
from sqlmodel import Field, Session, col, select

from lumen_desktop.domain.audit import AuditEvent, Verdict, first_break, genesis, link
from lumen_desktop.errors import IntegrityError
from lumen_desktop.storage.rows import Row

GUARDS = {
    "audit_event_is_never_changed": """
        CREATE TRIGGER audit_event_is_never_changed BEFORE UPDATE ON audit_event
        BEGIN SELECT RAISE(ABORT, 'audit events are never changed'); END""",
    "audit_event_is_never_removed": """
        CREATE TRIGGER audit_event_is_never_removed BEFORE DELETE ON audit_event
        BEGIN SELECT RAISE(ABORT, 'audit events are never removed'); END""",
    "audit_event_follows_the_last": """
        CREATE TRIGGER audit_event_follows_the_last BEFORE INSERT ON audit_event
        WHEN NEW.seq IS NOT (SELECT COALESCE(MAX(seq), 0) + 1 FROM audit_event)
        BEGIN SELECT RAISE(ABORT, 'audit events follow each other without gaps'); END""",
    "audit_anchor_is_never_changed": """
        CREATE TRIGGER audit_anchor_is_never_changed BEFORE UPDATE ON audit_anchor
        BEGIN SELECT RAISE(ABORT, 'anchors are never changed'); END""",
    "audit_anchor_is_never_removed": """
        CREATE TRIGGER audit_anchor_is_never_removed BEFORE DELETE ON audit_anchor
        BEGIN SELECT RAISE(ABORT, 'anchors are never removed'); END""",
    "audit_anchor_follows_the_last": """
        CREATE TRIGGER audit_anchor_follows_the_last BEFORE INSERT ON audit_anchor
        WHEN NEW.n <= (SELECT COALESCE(MAX(n), 0) FROM audit_anchor)
        BEGIN SELECT RAISE(ABORT, 'anchors follow each other'); END""",
    "site_seal_is_never_changed": """
        CREATE TRIGGER site_seal_is_never_changed BEFORE UPDATE ON site_seal
        BEGIN SELECT RAISE(ABORT, 'a site keeps its seal'); END""",
    "site_seal_is_never_removed": """
        CREATE TRIGGER site_seal_is_never_removed BEFORE DELETE ON site_seal
        BEGIN SELECT RAISE(ABORT, 'a site keeps its seal'); END""",
}
_SAID = frozenset({"seq", "time_utc", "actor", "act", "entity", "entity_id", "reason"})


class AuditEventRow(Row, table=True):
    """One event of the chain; see `domain.audit.AuditEvent`."""

    __tablename__ = "audit_event"
    entity: ClassVar[str] = "audit_event"

    seq: int = Field(primary_key=True)
    body: bytes
    previous: bytes
    hash: bytes = Field(unique=True)


def append(session: Session, site_id: str, fields: dict[str, Any]) -> int:
    """Adds one event to the chain, inside the caller's transaction, and returns its number.

    Args:
        session: the open transaction; it holds the write lock, so that no other event comes between.
        site_id: whose chain this is.
        fields: JSON values; ``seq`` is added.
    """
    last = session.exec(select(AuditEventRow).order_by(col(AuditEventRow.seq).desc()).limit(1)).first()
    seq, previous = (last.seq + 1, last.hash) if last else (1, genesis(site_id))
    body = rfc8785.dumps({"seq": seq, **fields})
    session.add(AuditEventRow(seq=seq, body=body, previous=previous, hash=link(previous, body)))
    session.flush()
    return seq


def events(session: Session, *, newest: int | None = None) -> list[dict[str, Any]]:
    """Events as their fields plus ``hash`` (hex), oldest first.

    Args:
        session: a reading session.
        newest: only that many of the last ones; all if None.

    Raises:
        IntegrityError: one of them is not what was written (AUD-001).
    """
    query = select(AuditEventRow).order_by(col(AuditEventRow.seq).desc())
    rows = session.exec(query.limit(newest) if newest is not None else query).all()
    return [{**_fields(row), "hash": row.hash.hex()} for row in reversed(rows)]


def _fields(row: AuditEventRow) -> dict[str, Any]:
    """What an event says, where it still is what was written."""
    try:
        fields = json.loads(row.body)
    except (ValueError, RecursionError):
        fields = None
    if link(row.previous, row.body) != row.hash or not isinstance(fields, dict) or not fields.keys() >= _SAID:
        raise IntegrityError(
            f"Event {row.seq} of the audit trail was changed after it was written.",
            code="AUD-001",
            hint="Run `lumen audit verify`, restore a backup, and report the code.",
        )
    return fields


def verify(session: Session, site_id: str) -> Verdict:
    """Checks the chain alone; `anchors.verify` holds it against its anchors.

    Source: 21 CFR 11.10(a), (e): altered records are discerned.
    """
    return first_break(chain(session), site_id=site_id)


def chain(session: Session, *, first: int = 0) -> Iterator[AuditEvent]:
    """The events in order, those from a number on."""
    # plain columns: a row object for each would take longer than all the hashing
    query = select(AuditEventRow.seq, AuditEventRow.body, AuditEventRow.previous, AuditEventRow.hash)
    for row in session.exec(query.where(col(AuditEventRow.seq) >= first).order_by(col(AuditEventRow.seq))).yield_per(
        1000
    ):
        yield AuditEvent(*row)


def missing_guards(session: Session) -> list[str]:
    """Names of guard triggers that the database does not have, or has with other words."""
    rows = session.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
    found = {name: sql.split() for name, sql in rows.all()}
    return [name for name, sql in GUARDS.items() if found.get(name) != sql.split()]
