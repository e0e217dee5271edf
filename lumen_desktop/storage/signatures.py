"""Electronic signatures in SQL: append-only, each bound to its content, its signer's key and the audit trail.

A signature keeps the canonical content that was signed, so that it can be read and printed when the record itself is
gone. `flaw` says whether one is still what was signed; whether the record is still the same, the service asks.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

import rfc8785
from sqlmodel import Field, Session, col, func, select

from lumen_desktop.domain.signing import SIGNATURE_DOMAIN, Kind, Meaning, Statement
from lumen_desktop.storage import accounts, audit, seals
from lumen_desktop.storage.keys import sign_with
from lumen_desktop.storage.rows import Row, UtcTime

_EVENTS_OF_ONE = 3  # at most, in the transaction of a signature
GUARDS = {
    "signature_is_never_changed": """
        CREATE TRIGGER signature_is_never_changed BEFORE UPDATE ON signature
        BEGIN SELECT RAISE(ABORT, 'a signature is never changed'); END""",
    "signature_is_never_removed": """
        CREATE TRIGGER signature_is_never_removed BEFORE DELETE ON signature
        BEGIN SELECT RAISE(ABORT, 'a signature is never removed'); END""",
}


class SignatureRow(Row, table=True):
    """One signature; ``content`` is canonical JSON, its digest stands beside it."""

    __tablename__ = "signature"
    entity: ClassVar[str] = "signature"
    unaudited: ClassVar[frozenset[str]] = frozenset({"content"})

    id: int | None = Field(default=None, primary_key=True)
    record_kind: str
    record_id: int
    content: str
    content_sha256: str
    user_id: int
    user_name: str
    printed_name: str
    role: str
    meaning: str
    reason: str
    time_utc: datetime = Field(sa_type=UtcTime)
    utc_offset_minutes: int
    chain_seq: int
    chain_head: str
    public_key: str
    signature: str

    def statement(self) -> Statement:
        """What was signed."""
        return Statement(
            record=f"{self.record_kind} {self.record_id}", content_sha256=self.content_sha256, user_id=self.user_id,
            user_name=self.user_name, printed_name=self.printed_name, role=self.role, meaning=Meaning(self.meaning),
            reason=self.reason, time_utc=self.time_utc, utc_offset_minutes=self.utc_offset_minutes,
            chain_seq=self.chain_seq, chain_head=self.chain_head,
        )  # fmt: skip


def canonical(content: dict[str, Any]) -> str:
    """A record's content as it is signed. Source: RFC 8785."""
    return rfc8785.dumps(content).decode()


def digest(content: str) -> str:
    """SHA-256 of canonical content, hex."""
    return hashlib.sha256(content.encode()).hexdigest()


def signed(kind: Kind, number: int, content: str, statement: Statement, secret: bytes) -> SignatureRow:
    """A signature, to be added in the transaction that makes it true.

    Args:
        kind: of record.
        number: of the record.
        content: canonical.
        statement: everything that is bound together.
        secret: the signer's own, as their password opened it.

    Source: RFC 8032; 21 CFR 11.70.
    """
    public, signature = sign_with(secret, SIGNATURE_DOMAIN + rfc8785.dumps(statement.fields()))
    fields: dict[str, Any] = {name: getattr(statement, name) for name in statement.__slots__ if name != "record"}
    fields |= {"public_key": public.hex(), "signature": signature.hex()}
    return SignatureRow(record_kind=kind, record_id=number, content=content, **fields)


def of_record(session: Session, kind: Kind, number: int) -> Sequence[SignatureRow]:
    """Signatures on a record, in the order in which they were given."""
    query = select(SignatureRow).where(SignatureRow.record_kind == kind, SignatureRow.record_id == number)
    return session.exec(query.order_by(col(SignatureRow.id))).all()


def of_kind(session: Session, kind: Kind) -> Sequence[SignatureRow]:
    """All signatures on records of a kind, oldest first."""
    return session.exec(
        select(SignatureRow).where(SignatureRow.record_kind == kind).order_by(col(SignatureRow.id))
    ).all()


def all_of(session: Session) -> Sequence[SignatureRow]:
    """All signatures, oldest first."""
    return session.exec(select(SignatureRow).order_by(col(SignatureRow.id))).all()


def next_number(session: Session, kind: Kind) -> int:
    """The number that the next record of a kind gets, where the signature itself makes it."""
    query = select(func.max(SignatureRow.record_id)).where(SignatureRow.record_kind == kind)
    return (session.exec(query).one() or 0) + 1


def flaw(session: Session, row: SignatureRow) -> str:
    """Why a signature is not what was signed, one sentence; empty where it is.

    Source: 21 CFR 11.70: it cannot be excised, copied or otherwise transferred.
    """
    statement = row.statement()
    if digest(row.content) != row.content_sha256:
        return "The content kept with it is not what was signed."
    if row.public_key != accounts.public_key(session, row.user_id, at=row.time_utc):
        return "It was not made with its signer's key."
    words = SIGNATURE_DOMAIN + rfc8785.dumps(statement.fields())
    if not seals.verify(bytes.fromhex(row.public_key), bytes.fromhex(row.signature), words):
        return "What it says was changed after it was signed."
    before = audit.event(session, row.chain_seq)
    if before is None or before["hash"] != row.chain_head:
        return "The audit trail before it is another."
    if not _told(session, row):
        return "The audit trail does not tell of it."
    return ""


def _told(session: Session, row: SignatureRow) -> bool:
    """Whether the event of its making says the same as it does; that lies within the few of one transaction."""
    said = row.audited()
    for seq in range(row.chain_seq + 1, row.chain_seq + 1 + _EVENTS_OF_ONE):
        event = audit.event(session, seq)
        if event is None:
            return False
        if event["entity"] == SignatureRow.entity and event["entity_id"] == str(row.id):
            return bool(event["act"] == "added" and event["after"] == said)
    return False
