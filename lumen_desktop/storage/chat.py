"""Conversations, exchanges and citations in SQL.

An exchange is stored when it is asked, when its quotes are found, every half second while a model
writes, and when it ends: a kill loses nothing that was shown. `interrupted` finds those a kill left open.
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import ClassVar

from sqlmodel import Field, Session, col, select

from lumen_desktop.domain.chat import Answer, Citation, Provenance, Status, Timing
from lumen_desktop.domain.library import Kind
from lumen_desktop.storage.database import Transaction
from lumen_desktop.storage.rows import Row, UtcTime


class ConversationRow(Row, table=True):
    """A conversation; its title is its first question, so the trail keeps a digest only."""

    __tablename__ = "conversation"
    entity: ClassVar[str] = "conversation"
    digested: ClassVar[frozenset[str]] = frozenset({"title"})
    unaudited: ClassVar[frozenset[str]] = frozenset({"salt"})

    id: int | None = Field(default=None, primary_key=True)
    title: str
    salt: str = Field(default_factory=lambda: secrets.token_hex(16))
    created_utc: datetime = Field(sa_type=UtcTime)


class ExchangeRow(Row, table=True):
    """A question and its answer, with everything needed to replay it."""

    __tablename__ = "exchange"
    entity: ClassVar[str] = "exchange"
    digested: ClassVar[frozenset[str]] = frozenset({"question", "answer", "commentary", "notes"})
    unaudited: ClassVar[frozenset[str]] = frozenset({"salt"})

    id: int | None = Field(default=None, primary_key=True)
    conversation_id: int
    salt: str = Field(default_factory=lambda: secrets.token_hex(16))
    question: str
    status: str
    answer: str = ""
    commentary: str = ""
    notes: str = "[]"
    build_id: str = ""
    build_sha256: str = ""
    embedder_sha256: str = ""
    prompt_sha256: str = ""
    passage_ids: str = "[]"
    sampling: str = "{}"
    timing: str = "{}"
    asked_utc: datetime = Field(sa_type=UtcTime)
    answered_utc: datetime | None = Field(default=None, sa_type=UtcTime)


class CitationRow(Row, table=True):
    """A citation as it was shown; it stays readable when its document is removed."""

    __tablename__ = "citation"
    entity: ClassVar[str] = "citation"

    id: int | None = Field(default=None, primary_key=True)
    exchange_id: int
    n: int
    passage_id: int
    document: str
    attribution: str
    kind: str
    edition: str
    page: int | None
    section: str
    quote: str


def start(transaction: Transaction, question: str, *, conversation_id: int | None, now: datetime) -> ExchangeRow:
    """Stores a question as an open exchange, in a new conversation unless one is named."""
    if conversation_id is None:
        conversation = transaction.add(ConversationRow(title=question[:200], created_utc=now))
        assert conversation.id is not None
        conversation_id = conversation.id
    return transaction.add(
        ExchangeRow(conversation_id=conversation_id, question=question, status=Status.OPEN, asked_utc=now)
    )


def keep_citations(transaction: Transaction, exchange: ExchangeRow, citations: Sequence[Citation]) -> None:
    """Stores the quotes of an exchange."""
    assert exchange.id is not None
    rows = [CitationRow(exchange_id=exchange.id, **asdict(citation)) for citation in citations]
    transaction.add_parts(exchange, rows)


def finish(
    transaction: Transaction, exchange: ExchangeRow, answer: Answer, provenance: Provenance, now: datetime
) -> None:
    """Stores how an exchange ended."""
    transaction.change(
        exchange,
        status=answer.status,
        answer=answer.text,
        commentary=answer.commentary,
        notes=json.dumps(answer.notes),
        timing=json.dumps(asdict(answer.timing)),
        answered_utc=now,
        **stored(provenance),
    )


def stored(provenance: Provenance) -> dict[str, str]:
    """Provenance as columns."""
    return {
        "build_id": provenance.build_id,
        "build_sha256": provenance.build_sha256,
        "embedder_sha256": provenance.embedder_sha256,
        "prompt_sha256": provenance.prompt_sha256,
        "passage_ids": json.dumps(provenance.passage_ids),
        "sampling": json.dumps(provenance.sampling),
    }


def exchanges(session: Session, conversation_id: int) -> list[ExchangeRow]:
    """Exchanges of a conversation, oldest first."""
    query = select(ExchangeRow).where(ExchangeRow.conversation_id == conversation_id).order_by(col(ExchangeRow.id))
    return list(session.exec(query).all())


def interrupted(session: Session) -> list[ExchangeRow]:
    """Exchanges that no process is answering any more, seen from the process that holds the site."""
    return list(session.exec(select(ExchangeRow).where(ExchangeRow.status == Status.OPEN)).all())


def answer(session: Session, record_id: int) -> Answer | None:
    """A stored answer; None where there is none of that number."""
    row = session.get(ExchangeRow, record_id)
    if row is None:
        return None
    citations = session.exec(
        select(CitationRow).where(CitationRow.exchange_id == record_id).order_by(col(CitationRow.n))
    ).all()
    return Answer(
        status=Status(row.status),
        text=row.answer,
        citations=tuple(_citation(c) for c in citations),
        commentary=row.commentary,
        notes=tuple(json.loads(row.notes)),
        build_id=row.build_id,
        build_sha256=row.build_sha256,
        record_id=record_id,
        conversation_id=row.conversation_id,
        timing=Timing(**json.loads(row.timing)),
        asked_utc=row.asked_utc,
    )


def _citation(row: CitationRow) -> Citation:
    return Citation(
        n=row.n, passage_id=row.passage_id, document=row.document, attribution=row.attribution, kind=Kind(row.kind),
        edition=row.edition, page=row.page, section=row.section, quote=row.quote,
    )  # fmt: skip
