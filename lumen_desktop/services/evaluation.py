"""Measuring retrieval on a judged set through the product's own path: cut, embed, store, search, fuse.

The records go into a database of their own in the site's temporary folder, under a key that nobody
keeps; it is removed when the figures are there.
"""

import csv
import hashlib
import json
import math
import secrets
import shutil
import statistics
import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lumen_desktop.domain.accounts import Actor
from lumen_desktop.domain.library import Currency, Kind
from lumen_desktop.engine.client import EmbeddingEngine
from lumen_desktop.errors import InputError
from lumen_desktop.retrieval.nearest import VectorIndex
from lumen_desktop.retrieval.passages import cut_record
from lumen_desktop.services.search import Searcher
from lumen_desktop.storage import library as stored
from lumen_desktop.storage.database import Database

_COLLECTION = "evaluation"
_AT_ONCE = 200  # records a transaction


@dataclass(frozen=True, slots=True)
class EvaluationProgress:
    """How far the evaluation is: ``embedding`` counts records, ``searching`` questions."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What came out; each list has a value for each judged question.

    Attributes:
        ndcg10, recall5, reciprocal10: for each question.
        latency_s: from question to ranked passages, the question's embedding included.
    """

    ndcg10: Sequence[float]
    recall5: Sequence[float]
    reciprocal10: Sequence[float]
    latency_s: Sequence[float]

    def as_json(self) -> dict[str, Any]:
        """The document that `lumen library evaluate --json` promises."""
        latency = sorted(self.latency_s)
        return {
            "ndcg@10": round(statistics.fmean(self.ndcg10), 4),
            "recall@5": round(statistics.fmean(self.recall5), 4),
            "mrr@10": round(statistics.fmean(self.reciprocal10), 4),
            "queries": len(self.ndcg10),
            "latency_ms": {
                "p50": round(1000 * latency[len(latency) // 2], 1),
                "p95": round(1000 * latency[min(len(latency) - 1, math.ceil(0.95 * len(latency)) - 1)], 1),
            },
        }


@dataclass(frozen=True, slots=True)
class Judged:
    """A judged set: records and questions as (id, …), and for each question the graded record ids."""

    corpus: Sequence[tuple[str, str, str]]
    queries: Sequence[tuple[str, str]]
    qrels: Mapping[str, Mapping[str, int]]


def read_judged(corpus: Path, queries: Path, qrels: Path) -> Judged:
    """Reads a set in BEIR's form; questions without a judgement are left out.

    Raises:
        InputError: a file is missing or not in that form (EVL-001), or nothing is judged (EVL-002).
    """
    try:
        records = [(str(r["_id"]), _header(r), str(r["text"])) for r in _lines(corpus)]
        grades: dict[str, dict[str, int]] = {}
        with qrels.open(encoding="utf-8", newline="") as file:
            rows = csv.reader(file, delimiter="\t")
            next(rows)
            for query, record, grade in rows:
                grades.setdefault(query, {})[record] = int(grade)
        questions = [(str(q["_id"]), str(q["text"])) for q in _lines(queries) if str(q["_id"]) in grades]
    except OSError as error:
        raise InputError(
            f"{Path(error.filename or '').name} cannot be read ({error.strerror}).",
            code="EVL-001",
            hint="Check the path.",
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration, csv.Error):
        raise InputError(
            "A file is not in the form that evaluation reads.",
            code="EVL-001",
            hint="JSON lines with _id, title, text; a tab-separated file query-id, corpus-id, score with a heading.",
        ) from None
    if not questions or not records:
        raise InputError("No question is judged.", code="EVL-002", hint="The ids in the three files must agree.")
    return Judged(records, questions, grades)


def _header(record: Mapping[str, Any]) -> str:
    """The record's title; a label's section that has none is headed by its drug and section, as an import would be."""
    return str(record.get("title") or " — ".join(str(record[k]) for k in ("drug", "section") if record.get(k)))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


def evaluate(
    corpus: Path, queries: Path, qrels: Path, *, folder: Path, embedder: EmbeddingEngine, embedder_sha256: str
) -> Iterator[EvaluationProgress | Figures]:
    """Runs a judged set; yields progress and last the figures.

    Raises:
        InputError: as `read_judged`.
    """
    judged = read_judged(corpus, queries, qrels)
    place = folder / f"evaluation-{secrets.token_hex(4)}"
    place.mkdir(mode=0o700)
    index = VectorIndex(place / "index")
    key = secrets.token_bytes(32)
    database = Database.open(
        place / "evaluation.db", key, site_id="evaluation", clock=lambda: datetime.now(UTC), writable=True
    )
    try:
        record_of = yield from fill(database, judged.corpus, embedder, embedder_sha256)
        searcher = Searcher(database, embedder=embedder, embedder_sha256=embedder_sha256, index=index)
        level(database, searcher, index)
        yield from _measured(searcher, judged, record_of)
    finally:
        index.close()
        database.close()
        shutil.rmtree(place, ignore_errors=True)


def fill(
    database: Database, corpus: Sequence[tuple[str, str, str]], embedder: EmbeddingEngine, embedder_sha256: str
) -> Generator[EvaluationProgress, None, dict[int, str]]:
    """Stores records as documents of one collection; returns which record each document is.

    Returns:
        Document id to record id.
    """
    actor = Actor("evaluation", "evaluation")
    with database.transaction(actor, "make a collection") as transaction:
        collection = transaction.add(
            stored.CollectionRow(name=_COLLECTION, created_utc=datetime.now(UTC), embedder_sha256=embedder_sha256)
        )
    record_of: dict[int, str] = {}
    done = 0
    for start in range(0, len(corpus), _AT_ONCE):
        batch = corpus[start : start + _AT_ONCE]
        ready = [_embedded(record, embedder) for record in batch if record[2].strip()]
        with database.transaction(actor, "add records") as transaction:
            for identity, title, parts in ready:
                document = _document(identity, title, parts, collection.id or 0)
                stored.add_document(transaction, collection, document, parts)
                record_of[document.id or 0] = identity
        done += len(batch)
        yield EvaluationProgress("embedding", done, len(corpus))
    return record_of


def _embedded(record: tuple[str, str, str], embedder: EmbeddingEngine) -> tuple[str, str, stored.DocumentParts]:
    identity, title, text = record
    drafts = cut_record(title, text)
    vectors = embedder.embed([f"{draft.header}\n{draft.text}" for draft in drafts])
    return identity, title, stored.DocumentParts(text.encode(), [text], drafts, vectors)


def _document(identity: str, title: str, parts: stored.DocumentParts, collection_id: int) -> stored.DocumentRow:
    return stored.DocumentRow(
        collection_id=collection_id, sha256=hashlib.sha256(identity.encode()).hexdigest(), name=identity, title=title,
        kind=Kind.SOURCE, subject="", edition="", as_of="", currency=Currency.IN_FORCE, paged=False, pages=1,
        size_bytes=len(parts.content), notices="[]", drug_names="[]", added_utc=datetime.now(UTC),
    )  # fmt: skip


def level(database: Database, searcher: Searcher, index: VectorIndex) -> None:
    """Fills the vector index from the database."""
    with database.reading() as session:
        place = stored.collections(session)[0]
    held = searcher.hold(place)
    index.rebuild(place.id or 0, place.index_revision, held.ids, held.vectors)


def _measured(
    searcher: Searcher, judged: Judged, record_of: Mapping[int, str]
) -> Iterator[EvaluationProgress | Figures]:
    ndcg, recall, reciprocal, latency = [], [], [], []
    for number, (query, text) in enumerate(judged.queries, start=1):
        began = time.monotonic()
        found = searcher.find(text, collection=_COLLECTION, most=100)
        latency.append(time.monotonic() - began)
        ranked = list(dict.fromkeys(record_of[c.passage.document_id] for c in found.candidates))
        grades = judged.qrels[query]
        ndcg.append(ndcg_at(10, ranked, grades))
        relevant = {record for record, grade in grades.items() if grade > 0}
        recall.append(len(relevant & set(ranked[:5])) / len(relevant) if relevant else 0.0)
        reciprocal.append(next((1 / n for n, record in enumerate(ranked[:10], start=1) if record in relevant), 0.0))
        yield EvaluationProgress("searching", number, len(judged.queries))
    yield Figures(ndcg, recall, reciprocal, latency)


def ndcg_at(depth: int, ranked: Iterable[str], grades: Mapping[str, int]) -> float:
    """Normalised discounted cumulative gain, gain equal to the grade.

    Source: Järvelin, Kekäläinen 2002; as trec_eval computes it for BEIR.
    """
    gains = [grades.get(record, 0) for record in ranked][:depth]
    best = sorted(grades.values(), reverse=True)[:depth]
    ideal = sum(gain / math.log2(place + 2) for place, gain in enumerate(best))
    return sum(gain / math.log2(place + 2) for place, gain in enumerate(gains)) / ideal if ideal else 0.0
