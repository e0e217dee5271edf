"""Conversations, exchanges and citations in SQL.

An exchange is stored when it is asked, when its quotes are found, every half second while a model
writes, and when it ends: a kill loses nothing that was shown. `interrupted` finds those a kill left open.
"""

import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import ClassVar

from sqlalchemy import ColumnElement, update
from sqlalchemy.orm import aliased
from sqlmodel import Field, Session, col, func, or_, select

from lumen_desktop.domain.chat import Answer, Citation, Conversation, Exchange, Provenance, Status, Timing
from lumen_desktop.domain.library import Kind
from lumen_desktop.domain.names import shown
from lumen_desktop.storage.database import Transaction
from lumen_desktop.storage.rows import Row, UtcTime

LONGEST_TITLE = 200  # characters
UNTITLED = "Untitled"  # what begins with a question of which nothing can be seen
_LARGEST_NUMBER = 2**63 - 1  # that SQLite can hold, and so be asked for


class ConversationRow(Row, table=True):
    """A conversation; its title begins as its first question, so the trail keeps a digest only."""

    __tablename__ = "conversation"
    entity: ClassVar[str] = "conversation"
    digested: ClassVar[frozenset[str]] = frozenset({"title"})
    unaudited: ClassVar[frozenset[str]] = frozenset({"salt"})

    id: int | None = Field(default=None, primary_key=True)
    title: str
    salt: str = Field(default_factory=lambda: secrets.token_hex(16))
    created_utc: datetime = Field(sa_type=UtcTime)
    owner_id: int | None = None  # nobody's until its site has people
    pinned: bool = False
    deleted_utc: datetime | None = Field(default=None, sa_type=UtcTime)


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
    collection: str = ""  # where it was searched for; empty is everywhere
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


def start(
    transaction: Transaction,
    question: str,
    *,
    conversation_id: int | None,
    now: datetime,
    collection: str | None = None,
    owner_id: int | None = None,
) -> ExchangeRow:
    """Stores a question as an open exchange, in a new conversation unless one is named."""
    if conversation_id is None:
        title = shown(question)[:LONGEST_TITLE] or UNTITLED
        conversation = transaction.add(ConversationRow(title=title, owner_id=owner_id, created_utc=now))
        assert conversation.id is not None
        conversation_id = conversation.id
    row = ExchangeRow(
        conversation_id=conversation_id,
        question=question,
        collection=collection or "",
        status=Status.OPEN,
        asked_utc=now,
    )
    return transaction.add(row)


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


def exchanges(session: Session, conversation_id: int) -> list[Exchange]:
    """Exchanges of a conversation however they ended, oldest first; in two queries, whatever their number."""
    ours = select(ExchangeRow).where(ExchangeRow.conversation_id == conversation_id).order_by(col(ExchangeRow.id))
    rows = session.exec(ours).all()
    cited = select(CitationRow).join(ExchangeRow, col(ExchangeRow.id) == col(CitationRow.exchange_id))
    citations: dict[int, list[CitationRow]] = {}
    query = cited.where(ExchangeRow.conversation_id == conversation_id).order_by(col(CitationRow.n))
    for citation in session.exec(query).all():
        citations.setdefault(citation.exchange_id, []).append(citation)
    answers = [_answer(row, citations.get(row.id or 0, ())) for row in rows]
    return [Exchange(row.question, answer, row.collection or None) for row, answer in zip(rows, answers, strict=True)]


def conversations(
    session: Session,
    words: Sequence[str] = (),
    *,
    owner_id: int | None = None,
    deleted: bool = False,
    most: int = 200,
    only: int | None = None,
) -> list[Conversation]:
    """Conversations in one query: pinned ones first, then the most recently used; deleted ones by when they were.

    Args:
        session: a reading session.
        words: case-folded; each must occur in the title or in some question, answer or commentary.
        owner_id: whose; those of nobody, from before a site had people, if None.
        deleted: those deleted instead of those that are not, the last one deleted first.
        most: at most so many.
        only: the conversation of this number, deleted or not; the other conditions do not matter then.
    """
    last = func.coalesce(func.max(col(ExchangeRow.asked_utc)), col(ConversationRow.created_utc), type_=UtcTime)
    when = col(ConversationRow.deleted_utc)
    first = when.desc() if deleted else col(ConversationRow.pinned).desc()
    query = (
        select(ConversationRow, func.count(col(ExchangeRow.id)), last)
        .join(ExchangeRow, col(ExchangeRow.conversation_id) == col(ConversationRow.id), isouter=True)
        .group_by(col(ConversationRow.id))
        .order_by(first, last.desc(), col(ConversationRow.id).desc())
    )
    if only is not None:
        query = query.where(ConversationRow.id == only)
    else:
        query = query.where(ConversationRow.owner_id == owner_id, *map(_mentions, words)).limit(most)
        query = query.where(when.is_not(None) if deleted else when.is_(None))
    return [_conversation(row, count, used) for row, count, used in session.exec(query).all()]


def _mentions(word: str) -> ColumnElement[bool]:
    """The condition that a conversation holds a word; `casefold` is the connection's own function."""

    def holds(*texts: object) -> ColumnElement[bool]:
        return or_(*(func.instr(func.casefold(text), word) > 0 for text in texts))

    said = aliased(ExchangeRow)
    exchange = select(said.id).where(
        said.conversation_id == ConversationRow.id, holds(said.question, said.answer, said.commentary)
    )
    return or_(holds(ConversationRow.title), exchange.exists())


def conversation(session: Session, conversation_id: int) -> ConversationRow | None:
    """The conversation of a number, deleted or not."""
    return session.get(ConversationRow, conversation_id) if abs(conversation_id) <= _LARGEST_NUMBER else None


def adopt(transaction: Transaction, owner_id: int) -> None:
    """Gives a person all conversations that have no owner, from the time when a site had one passphrase."""
    ownerless = select(func.count()).select_from(ConversationRow).where(col(ConversationRow.owner_id).is_(None))
    if count := transaction.session.exec(ownerless).one():
        statement = update(ConversationRow).where(col(ConversationRow.owner_id).is_(None)).values(owner_id=owner_id)
        transaction.session.execute(statement)
        transaction.note(
            "adopted", ConversationRow.entity, "all without an owner", after={"count": count, "owner_id": owner_id}
        )


def deleted_before(session: Session, when: datetime) -> list[ConversationRow]:
    """Conversations deleted before a time."""
    return list(session.exec(select(ConversationRow).where(col(ConversationRow.deleted_utc) < when)).all())


def interrupted(session: Session) -> list[ExchangeRow]:
    """Exchanges that no process is answering any more, seen from the process that holds the site."""
    return list(session.exec(select(ExchangeRow).where(ExchangeRow.status == Status.OPEN)).all())


def answer(session: Session, record_id: int) -> Answer | None:
    """A stored answer; None where there is none of that number."""
    row = session.get(ExchangeRow, record_id) if abs(record_id) <= _LARGEST_NUMBER else None
    if row is None:
        return None
    return _answer(
        row,
        session.exec(
            select(CitationRow).where(CitationRow.exchange_id == record_id).order_by(col(CitationRow.n))
        ).all(),
    )


def _answer(row: ExchangeRow, citations: Iterable[CitationRow]) -> Answer:
    assert row.id is not None
    return Answer(
        status=Status(row.status),
        text=row.answer,
        citations=tuple(_citation(c) for c in citations),
        commentary=row.commentary,
        notes=tuple(json.loads(row.notes)),
        build_id=row.build_id,
        build_sha256=row.build_sha256,
        record_id=row.id,
        conversation_id=row.conversation_id,
        timing=Timing(**json.loads(row.timing)),
        asked_utc=row.asked_utc,
    )


def _conversation(row: ConversationRow, exchanges: int, last_utc: datetime) -> Conversation:
    assert row.id is not None
    return Conversation(
        row.id, row.title, row.pinned, row.created_utc, last_utc, exchanges=exchanges, deleted_utc=row.deleted_utc
    )


def _citation(row: CitationRow) -> Citation:
    return Citation(
        n=row.n, passage_id=row.passage_id, document=row.document, attribution=row.attribution, kind=Kind(row.kind),
        edition=row.edition, page=row.page, section=row.section, quote=row.quote,
    )  # fmt: skip
