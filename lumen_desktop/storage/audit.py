"""The audit trail in SQL: appended inside the transaction that it describes, never changed.

`database.Transaction` appends; the audit service lists and verifies. The triggers below refuse change
even to our own code; `missing_guards` tells whether one was lost (Alembic's batch mode drops them).
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

import rfc8785
from sqlalchemy import text
from sqlmodel import Field, Session, col, select

from lumen_desktop.domain.audit import AuditEvent, Choices, Filters, Order, Page, Verdict, first_break, genesis, link
from lumen_desktop.errors import IntegrityError
from lumen_desktop.storage.rows import Row, as_bytes

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
# it holds all that is filtered and sorted by, and is far smaller than the bodies; left alone SQLite reads those
_BY_WORDS = "INDEXED BY audit_event_by_words"
_EXACT = ("actor", "role", "act", "entity", "entity_id")
_SORTED = {Order.SEQ: ("seq",), Order.TIME: ("time_utc", "seq"), Order.ACTOR: ("actor", "seq")}
# first the whole body, which is quick, then its values one by one: a field's name is not what was said
_SAYS = """instr(casefold(CAST(body AS TEXT)), :near) AND EXISTS (
    SELECT 1 FROM json_tree(CAST(body AS TEXT)) AS said
    WHERE (said.fullkey = '$.reason' OR said.path LIKE '$.before%' OR said.path LIKE '$.after%')
    AND instr(casefold(CAST(said.atom AS TEXT)), :words))"""
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
    return [shown(_event(row)) for row in reversed(rows)]


def event(session: Session, seq: int) -> dict[str, Any] | None:
    """One event as its fields plus ``hash`` and ``previous`` (hex); None where there is none of that number.

    Raises:
        IntegrityError: it is not what was written (AUD-001).
    """
    row = session.get(AuditEventRow, seq)
    if row is None:
        return None
    found = _event(row)
    return {**shown(found), "previous": found.previous.hex()}


def event_of(seq: int, body: object, previous: object, link: object) -> AuditEvent:
    """An event as its columns hold it."""
    return AuditEvent(seq, as_bytes(body), as_bytes(previous), as_bytes(link))


def _event(row: AuditEventRow) -> AuditEvent:
    return event_of(row.seq, row.body, row.previous, row.hash)


def shown(one: AuditEvent) -> dict[str, Any]:
    """What an event says plus ``hash`` (hex), where it still is what was written.

    Raises:
        IntegrityError: it is not (AUD-001).
    """
    try:
        fields = json.loads(one.body)
    except (ValueError, RecursionError):
        fields = None
    if link(one.previous, one.body) != one.hash or not isinstance(fields, dict) or not fields.keys() >= _SAID:
        raise IntegrityError(
            f"Event {one.seq} of the audit trail was changed after it was written.",
            code="AUD-001",
            hint="Run `lumen audit verify`, restore a backup, and report the code.",
        )
    return {**fields, "hash": one.hash.hex()}


def find(session: Session, filters: Filters, page: Page) -> list[dict[str, Any]]:
    """One page of the events that a person wants to see.

    Args:
        session: a reading session.
        filters: which are wanted.
        page: which part of them, in which order.

    Raises:
        IntegrityError: an event is not what was written (AUD-001).
    """
    source, values = _wanted(session, filters, indexed=page.order is not Order.SEQ)
    way = "DESC" if page.descending else "ASC"
    order = ", ".join(f"{name} {way}" for name in _SORTED[page.order])
    query = f"SELECT seq {source} ORDER BY {order} LIMIT :limit OFFSET :offset"
    found = session.execute(text(query), {**values, "limit": page.limit, "offset": page.offset}).scalars().all()
    return [shown(_event(session.get_one(AuditEventRow, seq))) for seq in found]


def count(session: Session, filters: Filters) -> int:
    """How many events filters choose; where words are sought it reads each event, a second per 100,000 or two."""
    source, values = _wanted(session, filters, indexed=not filters.words)
    return int(session.execute(text(f"SELECT count(*) {source}"), values).scalar_one())


def choices(session: Session, actor: str) -> Choices:
    """What filters can name among the events of one person, or of all where no name is given."""
    mine = " WHERE actor = :actor" if actor else ""
    query = f"SELECT DISTINCT actor, act, entity FROM audit_event {_BY_WORDS}{mine}"  # noqa: S608 - no value stands in it
    rows = session.execute(text(query), {"actor": actor} if actor else {}).all()
    return Choices(*(tuple(sorted({row[column] for row in rows if row[column]})) for column in range(3)))


def chosen(session: Session, filters: Filters) -> Iterator[AuditEvent]:
    """The events that filters choose, as they are stored, in the order of the chain.

    Raises:
        IntegrityError: a filter cannot see whether an event belongs, because it was spoilt (AUD-001).
    """
    source, values = _wanted(session, filters, indexed=False)
    query = f"SELECT seq, body, previous, hash FROM audit_event WHERE seq IN (SELECT seq {source}) ORDER BY seq"  # noqa: S608 - no value stands in it
    for row in session.execute(text(query), values, execution_options={"yield_per": 1000}):
        yield event_of(*row)


def _wanted(session: Session, filters: Filters, *, indexed: bool) -> tuple[str, dict[str, Any]]:
    """What follows a SELECT of the events wanted, and its parameters; no value stands in the words themselves."""
    values: dict[str, Any] = {name: getattr(filters, name) for name in _EXACT if getattr(filters, name)}
    terms = [f"{name} = :{name}" for name in values]
    for name, relation, time in (("since", ">=", filters.since), ("until", "<", filters.until)):
        if time is not None:
            values[name] = time.astimezone(UTC).isoformat(timespec="microseconds")
            terms.append(f"time_utc {relation} :{name}")
    index = f" {_BY_WORDS}" if terms or indexed else ""
    if filters.words:
        values["words"] = filters.words.casefold()
        values["near"] = json.dumps(values["words"], ensure_ascii=False)[1:-1]
        terms.append(_SAYS)
    if terms:
        _check_readable(session)
    where = f" WHERE {' AND '.join(terms)}" if terms else ""
    return f"FROM audit_event{index}{where}", values


def _check_readable(session: Session) -> None:
    """Refuses to choose among events of which one says nothing that can be read: it might be the one wanted."""
    query = f"SELECT seq FROM audit_event {_BY_WORDS} WHERE time_utc IS NULL LIMIT 1"  # noqa: S608
    if (spoilt := session.execute(text(query)).scalar()) is not None:
        shown(_event(session.get_one(AuditEventRow, spoilt)))


def last_time(session: Session) -> datetime | None:
    """Time of the last event; None where it tells none."""
    query = "SELECT time_utc FROM audit_event ORDER BY seq DESC LIMIT 1"
    try:
        time = datetime.fromisoformat(session.execute(text(query)).scalar() or "")
    except ValueError:
        return None
    return time if time.tzinfo else None


def of_clock(session: Session) -> list[dict[str, Any]]:
    """The events that tell what the clock did and who explained it, newest first."""
    query = "SELECT seq FROM audit_event INDEXED BY audit_event_of_clock WHERE entity = 'clock' ORDER BY seq DESC"
    found = session.execute(text(query)).scalars().all()
    return [shown(_event(session.get_one(AuditEventRow, seq))) for seq in found]


def last_times(session: Session, act: str) -> dict[str, datetime]:
    """When an act last happened to each entity, by entity id."""
    query = "SELECT entity_id, MAX(time_utc) FROM audit_event WHERE act = :act GROUP BY entity_id"
    found = session.execute(text(query), {"act": act})
    return {str(identity): datetime.fromisoformat(time) for identity, time in found.all()}


def of_act(session: Session, act: str, *, since: datetime) -> list[dict[str, Any]]:
    """Events of one act from a time on, oldest first, as `events` gives them; raises as it."""
    return [shown(event) for event in chosen(session, Filters(act=act, since=since))]


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
        yield event_of(*row)


def missing_guards(session: Session, guards: Mapping[str, str] = GUARDS) -> list[str]:
    """Names of those guard triggers, given with their words, that the database lacks or has with others."""
    rows = session.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
    found = {name: sql.split() for name, sql in rows.all()}
    return [name for name, sql in guards.items() if found.get(name) != sql.split()]
