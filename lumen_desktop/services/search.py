"""One question against one or more collections: both legs, fused, with the passages.

The part of the library job that asking needs as well; both services hold one `Searcher`.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from lumen_desktop.domain.grounding import Candidate
from lumen_desktop.domain.sentences import inverse_frequencies, stem
from lumen_desktop.engine.client import EmbeddingEngine
from lumen_desktop.errors import EngineError, InputError
from lumen_desktop.retrieval.nearest import Ids, Scored, VectorIndex, Vectors, exact
from lumen_desktop.retrieval.ranking import LEG, Ranked, fuse, query_words
from lumen_desktop.storage import library as stored
from lumen_desktop.storage.database import Database


@dataclass(frozen=True, slots=True)
class Found:
    """What a search returned.

    Attributes:
        ranked: the fused list, best first.
        candidates: the best of it with their passages.
        question: the question's vector.
        documents, passages: how much was searched.
        weights: how rare the question's words are in the library, by stem (`sentences.inverse_frequencies`).
        vector_leg: ``index`` or ``exact``, whichever answered.
        seconds: how long it took.
    """

    ranked: list[Ranked]
    candidates: list[Candidate]
    question: Vectors
    documents: int
    passages: int
    weights: dict[str, float]
    vector_leg: str
    seconds: float


@dataclass(slots=True)
class _Held:
    """Vectors of a collection kept in memory, and the revision they belong to."""

    revision: int = -1
    ids: Ids = field(default_factory=lambda: np.zeros(0, np.int64))
    vectors: Vectors = field(default_factory=lambda: np.zeros((0, 384), np.float32))


class Searcher:
    """Searches the collections of one site.

    Args:
        database: the site's.
        embedder: makes the question's vector.
        embedder_sha256: digest of its build; a collection embedded by another cannot be searched.
        index: the vector index, where this process owns it.
    """

    def __init__(
        self, database: Database, *, embedder: EmbeddingEngine, embedder_sha256: str, index: VectorIndex | None
    ) -> None:
        self._database = database
        self._embedder = embedder
        self._embedder_sha256 = embedder_sha256
        self._index = index
        self._held: dict[int, _Held] = {}

    def find(self, question: str, *, collection: str | None, most: int) -> Found:
        """Searches one collection, or all.

        Args:
            question: plain words.
            collection: its name; None searches all.
            most: passages returned.

        Raises:
            InputError: no such collection (LIB-020), or it was embedded by another model (LIB-021).
            EngineError: the embedding child failed.
        """
        began = time.monotonic()
        places = self._places(collection)
        vector = np.asarray(self._embedder.embed([question])[0], dtype=np.float32)
        text_leg, vector_leg, by = self._text_leg(question, places), [], "exact"
        for place in places:
            scored, by = self._vector_leg(place, vector)
            vector_leg += scored
        ranked = fuse(text_leg, sorted(vector_leg, key=lambda hit: (-hit[1], hit[0]))[:LEG])
        ids = [place.id for place in places if place.id is not None]
        with self._database.reading() as session:
            documents, passages = stored.size_of(session, ids)
            having = stored.passages_with(session, query_words(question))
            texts = stored.passages(session, [r.passage_id for r in ranked[:most]])
        candidates = [Candidate(texts[r.passage_id], r.score, r.cosine) for r in ranked[:most] if r.passage_id in texts]
        weights = _weights(having, passages)
        return Found(ranked, candidates, vector, documents, passages, weights, by, time.monotonic() - began)

    def _places(self, collection: str | None) -> list[stored.CollectionRow]:
        with self._database.reading() as session:
            places = stored.collections(session, None if collection is None else [collection])
        if collection is not None and not places:
            raise InputError(
                "There is no collection of that name.",
                code="LIB-020",
                hint="`lumen library list` shows the collections.",
            )
        if any(place.embedder_sha256 != self._embedder_sha256 for place in places):
            raise InputError(
                "A collection was embedded by another model and cannot be searched with this one.",
                code="LIB-021",
                hint="Add its documents again to a new collection.",
            )
        return places

    def _text_leg(self, question: str, places: Sequence[stored.CollectionRow]) -> Scored:
        ids = [place.id for place in places if place.id is not None]
        with self._database.reading() as session:
            return stored.search_text(session, query_words(question), ids, most=LEG)

    def _vector_leg(self, place: stored.CollectionRow, vector: Vectors) -> tuple[Scored, str]:
        assert place.id is not None
        held = self.hold(place)
        if self._index is not None and self._index.is_ready():  # waiting for it takes longer than a look at all
            try:
                if self._index.agrees(place.id, place.index_revision, held.ids, held.vectors):
                    return self._index.query(place.id, vector, most=LEG), "index"
            except EngineError:
                self._index.discard()  # rebuilt by the next job that writes; the database has every vector
        return exact(held.ids, held.vectors, vector, most=LEG), "exact"

    def index_agrees(self) -> bool:
        """Whether the index holds what the database holds, for every collection; waits until it is open."""
        assert self._index is not None
        with self._database.reading() as session:
            places = stored.collections(session)
        held = [(place, self.hold(place)) for place in places]
        return all(self._index.agrees(p.id or 0, p.index_revision, h.ids, h.vectors) for p, h in held)

    def hold(self, place: stored.CollectionRow) -> _Held:
        """The collection's vectors, read once a revision."""
        assert place.id is not None
        held = self._held.setdefault(place.id, _Held())
        if held.revision != place.index_revision:
            with self._database.reading() as session:
                held.ids, held.vectors = stored.vectors(session, place.id)
            held.revision = place.index_revision
        return held


def _weights(having: Mapping[str, int], passages: int) -> dict[str, float]:
    """Rarity by stem, as evidence and quotes are weighed; all forms of a word are as frequent as its commonest."""
    by_stem: dict[str, int] = {}
    for word, count in having.items():
        by_stem[stem(word)] = max(count, by_stem.get(stem(word), 0))
    return inverse_frequencies(by_stem, passages)
