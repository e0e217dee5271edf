"""Collections, documents, pages, passages, their vectors and the full-text index, in SQL: the truth.

The vector index outside is a cache of `vectors`; `CollectionRow.index_revision` counts every change to
them, so that a cache that missed one is found out.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from sqlalchemy import bindparam, func, text
from sqlmodel import Field, Session, col, select

from lumen_desktop.domain.library import (
    USABLE,
    Currency,
    Kind,
    Passage,
    PassageDraft,
    ReleaseState,
    Span,
    StoredDocument,
)
from lumen_desktop.domain.names import shown
from lumen_desktop.storage.database import Transaction
from lumen_desktop.storage.rows import Row, UtcTime

Vectors = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]


class CollectionRow(Row, table=True):
    """A named set of documents searched together, all embedded by one model."""

    __tablename__ = "collection"
    entity: ClassVar[str] = "collection"
    unaudited: ClassVar[frozenset[str]] = frozenset({"index_revision"})

    id: int | None = Field(default=None, primary_key=True)
    name: str
    created_utc: datetime = Field(sa_type=UtcTime)
    embedder_sha256: str
    index_revision: int = 0


class DocumentRow(Row, table=True):
    """An imported file, identified by the digest of its bytes within a collection."""

    __tablename__ = "source_document"
    entity: ClassVar[str] = "source_document"
    unaudited: ClassVar[frozenset[str]] = frozenset({"notices", "drug_names"})

    id: int | None = Field(default=None, primary_key=True)
    collection_id: int
    sha256: str
    name: str
    title: str
    kind: str
    subject: str
    edition: str
    as_of: str
    currency: str
    paged: bool
    pages: int
    size_bytes: int
    notices: str
    drug_names: str
    added_utc: datetime = Field(sa_type=UtcTime)
    added_by: int | None = None
    release_state: str = ReleaseState.IN_USE.value


class FileRow(Row, table=True):
    """The imported bytes themselves."""

    __tablename__ = "document_file"
    entity: ClassVar[str] = "document_file"

    document_id: int = Field(primary_key=True)
    content: bytes


class PageRow(Row, table=True):
    """Normalised text of one page."""

    __tablename__ = "document_page"
    entity: ClassVar[str] = "document_page"

    id: int | None = Field(default=None, primary_key=True)
    document_id: int
    number: int
    text: str


class PassageRow(Row, table=True):
    """A stretch of a document that search returns; ``spans`` is JSON of [page, start, end]."""

    __tablename__ = "passage"
    entity: ClassVar[str] = "passage"

    id: int | None = Field(default=None, primary_key=True)
    document_id: int
    collection_id: int
    ordinal: int
    header: str
    section: str
    text: str
    spans: str


class VectorRow(Row, table=True):
    """The embedding of "header, line break, text": little-endian float32, unit length."""

    __tablename__ = "passage_vector"
    entity: ClassVar[str] = "passage_vector"

    passage_id: int = Field(primary_key=True)
    collection_id: int
    vector: bytes


@dataclass(frozen=True, slots=True)
class DocumentParts:
    """What hangs on a document row: the file, its pages, its passages and their vectors (n x 384)."""

    content: bytes
    pages: Sequence[str]
    passages: Sequence[PassageDraft]
    vectors: Vectors


def collections(session: Session, names: Iterable[str] | None = None) -> list[CollectionRow]:
    """Collections by name; all if None."""
    query = select(CollectionRow).order_by(col(CollectionRow.name))
    if names is not None:
        query = query.where(col(CollectionRow.name).in_(list(names)))
    return list(session.exec(query).all())


def has_document(session: Session, collection_id: int, sha256: str) -> bool:
    """Whether these very bytes are in the collection already."""
    query = select(DocumentRow.id).where(DocumentRow.collection_id == collection_id, DocumentRow.sha256 == sha256)
    return session.exec(query).first() is not None


def add_document(
    transaction: Transaction, collection: CollectionRow, document: DocumentRow, parts: DocumentParts
) -> list[int]:
    """Stores a document whole; the caller's transaction makes it all or nothing.

    Returns:
        Ids of its passages, in order.
    """
    assert len(parts.passages) == len(parts.vectors)
    transaction.add(document)
    identity, place = _key(document.id), _key(collection.id)
    transaction.add_parts(document, [FileRow(document_id=identity, content=parts.content)])
    pages = [PageRow(document_id=identity, number=n, text=page) for n, page in enumerate(parts.pages, start=1)]
    transaction.add_parts(document, pages)
    rows = [
        PassageRow(
            document_id=identity, collection_id=place, ordinal=n, header=draft.header, section=draft.section,
            text=draft.text, spans=json.dumps([[s.page, s.start, s.end] for s in draft.spans]),
        )
        for n, draft in enumerate(parts.passages)
    ]  # fmt: skip
    transaction.add_parts(document, rows)
    stored = [
        VectorRow(passage_id=_key(row.id), collection_id=place, vector=vector.astype("<f4").tobytes())
        for row, vector in zip(rows, parts.vectors, strict=True)
    ]
    transaction.add_parts(document, stored)
    _touch(transaction, collection)
    return [row.passage_id for row in stored]


def remove_document(transaction: Transaction, collection: CollectionRow, document: DocumentRow) -> list[int]:
    """Removes a document with all its parts.

    Returns:
        Ids of the passages that went with it.
    """
    query = select(PassageRow.id).where(PassageRow.document_id == document.id)
    ids = [_key(identity) for identity in transaction.session.exec(query).all()]
    transaction.remove(document)
    _touch(transaction, collection)
    return ids


def set_release(transaction: Transaction, document: DocumentRow, state: ReleaseState) -> None:
    """Lets a document be used, or takes it out of the search."""
    transaction.change(document, release_state=state.value)
    _touch(transaction, transaction.session.get_one(CollectionRow, document.collection_id))


def _touch(transaction: Transaction, collection: CollectionRow) -> None:
    """Counts a change to the vectors; the documents' own events tell what it was.

    From the row as it stands now: whoever holds it since a while must not count what another counted meanwhile.
    """
    row = transaction.session.get_one(CollectionRow, _key(collection.id))
    row.index_revision += 1
    transaction.session.flush()
    collection.index_revision = row.index_revision


def documents(session: Session, collection_ids: Sequence[int]) -> list[StoredDocument]:
    """Documents of some collections with their number of passages, by title."""
    counted = (
        select(PassageRow.document_id, func.count().label("n"))
        .where(col(PassageRow.collection_id).in_(collection_ids))
        .group_by(col(PassageRow.document_id))
        .subquery()
    )
    query = (
        select(DocumentRow, CollectionRow.name, counted.c.n)
        .join(CollectionRow, col(CollectionRow.id) == DocumentRow.collection_id)
        .join(counted, counted.c.document_id == DocumentRow.id)
        .where(col(DocumentRow.collection_id).in_(collection_ids))
        .order_by(CollectionRow.name, DocumentRow.title)
    )
    return [
        StoredDocument(
            _key(row.id), name, shown(row.title), shown(row.name), Kind(row.kind), row.edition, Currency(row.currency),
            row.paged, row.pages, count, row.sha256, row.added_utc, tuple(json.loads(row.notices)),
            ReleaseState(row.release_state),
        )
        for row, name, count in session.exec(query).all()
    ]  # fmt: skip


def passages(session: Session, ids: Sequence[int]) -> dict[int, Passage]:
    """Passages by id, with what a citation says of their documents."""
    query = (
        select(PassageRow, DocumentRow)
        .join(DocumentRow, col(DocumentRow.id) == PassageRow.document_id)
        .where(col(PassageRow.id).in_(list(ids)))
    )
    return {_key(row.id): _passage(row, document) for row, document in session.exec(query).all()}


def document(session: Session, document_id: int) -> DocumentRow | None:
    """One document; None where there is none of that number."""
    return session.get(DocumentRow, document_id)


def passages_of(session: Session, document_id: int) -> list[Passage]:
    """All passages of a document, in reading order."""
    query = select(PassageRow).where(PassageRow.document_id == document_id).order_by(col(PassageRow.ordinal))
    rows = session.exec(query).all()
    return [_passage(row, session.get_one(DocumentRow, document_id)) for row in rows]


def page_texts(session: Session, document_id: int, number: int | None = None) -> list[str]:
    """Normalised texts of a document's pages in order; of the page ``number`` alone, from 1, where one is given."""
    query = select(PageRow.text).where(PageRow.document_id == document_id).order_by(col(PageRow.number))
    return list(session.exec(query if number is None else query.where(PageRow.number == number)).all())


def text_digest(session: Session, document_id: int) -> str:
    """SHA-256 over the texts of a document's pages, each after its length: what answers quote from, hex."""
    total = hashlib.sha256()
    for page in page_texts(session, document_id):
        words = page.encode()
        total.update(len(words).to_bytes(8, "big") + words)
    return total.hexdigest()


def content(session: Session, document_id: int) -> bytes | None:
    """The imported bytes of a document; None where it was removed."""
    return session.exec(select(FileRow.content).where(FileRow.document_id == document_id)).first()


def _passage(row: PassageRow, document: DocumentRow) -> Passage:
    spans = tuple(Span(*values) for values in json.loads(row.spans))
    return Passage(
        id=_key(row.id), document_id=row.document_id, document=shown(document.title), kind=Kind(document.kind),
        subject=document.subject, edition=document.edition, currency=Currency(document.currency), paged=document.paged,
        header=row.header, section=row.section, text=row.text, spans=spans,
        release=ReleaseState(document.release_state),
    )  # fmt: skip


# MATERIALIZED keeps the full-text match apart from the join: the planner may otherwise probe it per row.
_SEARCH = text(
    """WITH hit AS MATERIALIZED (
           SELECT rowid AS id, bm25(passage_text, :header_weight, 1.0) AS cost
           FROM passage_text WHERE passage_text MATCH :query)
       SELECT hit.id, -hit.cost FROM hit CROSS JOIN passage ON passage.id = hit.id
       WHERE passage.collection_id IN :places
           AND passage.document_id NOT IN (SELECT id FROM source_document WHERE release_state NOT IN :usable)
       ORDER BY hit.cost, hit.id LIMIT :most"""
).bindparams(bindparam("places", expanding=True), bindparam("usable", expanding=True))
HEADER_WEIGHT = 3.0
_USABLE = [state.value for state in USABLE]


def search_text(
    session: Session, words: Sequence[str], collection_ids: Sequence[int], *, most: int
) -> list[tuple[int, float]]:
    """The full-text leg: passages with any of the words, best first.

    Args:
        session: a reading session.
        words: plain words; each is quoted, so that none is read as FTS5 syntax.
        collection_ids: where to search.
        most: how many at most.

    Returns:
        (passage id, BM25 score; higher is better).
    """
    if not words or not collection_ids:
        return []
    query = " OR ".join(_quoted(word) for word in words)
    values: dict[str, Any] = {
        "query": query, "places": list(collection_ids), "most": most, "header_weight": HEADER_WEIGHT,
        "usable": _USABLE,
    }  # fmt: skip
    return [(int(identity), float(score)) for identity, score in session.execute(_SEARCH, values).all()]


def _quoted(word: str) -> str:
    """A word that FTS5 cannot take for an operator."""
    return '"' + word.replace('"', '""') + '"'


def passages_with(session: Session, words: Iterable[str]) -> dict[str, int]:
    """How many passages of the whole site hold each word, in any form that the full-text index takes for it."""
    query = text("SELECT count(*) FROM passage_text WHERE passage_text MATCH :query")
    return {word: session.execute(query, {"query": _quoted(word)}).scalar_one() for word in words}


def vectors(session: Session, collection_id: int) -> tuple[Ids, Vectors]:
    """The vectors of a collection that may be searched: passage ids (n) and unit vectors (n x 384), in id order."""
    taken_out = select(DocumentRow.id).where(
        DocumentRow.collection_id == collection_id, col(DocumentRow.release_state).not_in(_USABLE)
    )
    query = select(VectorRow.passage_id, VectorRow.vector).where(VectorRow.collection_id == collection_id)
    if session.exec(taken_out.limit(1)).first() is not None:  # a join would double the time where nothing is left out
        query = query.join(PassageRow, col(PassageRow.id) == VectorRow.passage_id).where(
            col(PassageRow.document_id).not_in(taken_out)
        )
    query = query.order_by(col(VectorRow.passage_id))
    rows = session.execute(query).all()
    ids = np.fromiter((row[0] for row in rows), dtype=np.int64, count=len(rows))
    joined = b"".join(row[1] for row in rows)
    matrix = np.frombuffer(joined, dtype="<f4").reshape(len(rows), -1) if rows else np.zeros((0, 384), np.float32)
    return ids, matrix


def carried_names(session: Session) -> set[str]:
    """Names of drugs that imported documents carry in titles and metadata."""
    query = select(DocumentRow.drug_names).where(DocumentRow.drug_names != "[]").distinct()
    return {name for stored in session.exec(query).all() for name in json.loads(stored)}


def size_of(session: Session, collection_ids: Sequence[int]) -> tuple[int, int]:
    """How many documents and passages were there to search."""
    passages_found = session.exec(
        select(func.count()).select_from(PassageRow).where(col(PassageRow.collection_id).in_(collection_ids))
    ).one()
    documents_found = session.exec(
        select(func.count()).select_from(DocumentRow).where(col(DocumentRow.collection_id).in_(collection_ids))
    ).one()
    return documents_found, passages_found


def as_json(document: StoredDocument) -> dict[str, Any]:
    """A document as the command line prints it."""
    return {**asdict(document), "added_utc": document.added_utc.isoformat(), "notices": list(document.notices)}


def _key(value: int | None) -> int:
    assert value is not None
    return value
