"""The judged sets of ../shared/data/retrieval, stored and searched by the product's own services."""

import contextlib
import json
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lumen_desktop.domain.library import normalised
from lumen_desktop.retrieval.nearest import VectorIndex
from lumen_desktop.retrieval.passages import units
from lumen_desktop.services.evaluation import Judged, fill, level, read_judged
from lumen_desktop.services.search import Searcher
from lumen_desktop.storage.database import Database
from tests.bench.embeddings import CachedEmbedder

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "retrieval"
NAMES = ("scifact", "medicationqa_dev", "medquad4k", "pubmedqa", "fda_labels_factual", "covidqa_long")
LONG_PAPERS = "covidqa_long"


@dataclass(frozen=True, slots=True)
class Ready:
    """A judged set in a database of its own."""

    judged: Judged
    database: Database
    searcher: Searcher
    record_of: Mapping[int, str]


def lines(name: str, file: str) -> list[dict[str, Any]]:
    """Records of one of a set's files, with every field."""
    with (FOLDER / name / file).open(encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def judged(name: str) -> Judged:
    """A set as the product reads it; the long papers in units of up to 180 words, without a header.

    A unit of a long paper is relevant where it holds the answer's words.
    """
    if name != LONG_PAPERS:
        folder = FOLDER / name
        return read_judged(folder / "corpus.jsonl", folder / "queries.jsonl", folder / "qrels.tsv")
    corpus: list[tuple[str, str, str]] = []
    inside: dict[str, list[tuple[str, str]]] = {}
    for paper in lines(name, "corpus.jsonl"):
        parts = [(f"{paper['_id']}#{n}", part) for n, part in enumerate(units(paper["text"]))]
        inside[paper["_id"]] = parts
        corpus += [(identity, "", part) for identity, part in parts]
    questions, grades = [], {}
    for query in lines(name, "queries.jsonl"):
        answer = _flat(query["answer"])
        questions.append((query["_id"], query["text"]))
        grades[query["_id"]] = {identity: 1 for identity, part in inside[query["doc"]] if answer in _flat(part)}
    return Judged(corpus, questions, grades)


def _flat(text: str) -> str:
    return " ".join(normalised(text).split())


@contextlib.contextmanager
def ready(name: str, embedder: CachedEmbedder, *, index: bool) -> Iterator[Ready]:
    """Stores a set as `lumen library evaluate` does, and opens it for searching.

    Args:
        name: one of `NAMES`.
        embedder: makes or remembers the vectors.
        index: whether the vector index is filled and asked too.
    """
    chosen = judged(name)
    with tempfile.TemporaryDirectory(prefix="lumen-bench-") as folder, contextlib.ExitStack() as stack:
        place = Path(folder)
        database = Database.open(
            place / "bench.db", secrets.token_bytes(32), site_id="bench", clock=lambda: datetime.now(UTC), writable=True
        )
        stack.callback(database.close)
        filling = fill(database, chosen.corpus, embedder, embedder.sha256)
        record_of = _last(filling)
        vectors = VectorIndex(place / "index") if index else None
        searcher = Searcher(database, embedder=embedder, embedder_sha256=embedder.sha256, index=vectors)
        if vectors is not None:
            stack.callback(vectors.close)
            level(database, searcher, vectors)
        yield Ready(chosen, database, searcher, record_of)


def _last(filling: Any) -> dict[int, str]:
    """Runs a generator to its end and returns what it returns."""
    while True:
        try:
            next(filling)
        except StopIteration as end:
            result: dict[int, str] = end.value
            return result
