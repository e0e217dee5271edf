"""Adding documents, listing and searching them, and keeping the vector index level with the database.

A document becomes searchable whole or not at all: it is read in a child, cut, embedded, and stored in
one transaction. A stop or a kill between documents leaves those added; the rest are added by asking again.
"""

import hashlib
import json
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np

from lumen_desktop import logs
from lumen_desktop.domain.accounts import Actor
from lumen_desktop.domain.drugs import names_in_title
from lumen_desktop.domain.library import (
    Collection,
    Currency,
    Extract,
    Kind,
    Passage,
    PassageDraft,
    ReleaseState,
    StoredDocument,
    storable,
)
from lumen_desktop.domain.names import shown
from lumen_desktop.domain.permissions import Act
from lumen_desktop.engine.client import EmbeddingEngine
from lumen_desktop.errors import InputError, LumenError, Stopped
from lumen_desktop.retrieval.nearest import VectorIndex, Vectors
from lumen_desktop.retrieval.passages import cut
from lumen_desktop.retrieval.readers import may_hold_many
from lumen_desktop.retrieval.readers.client import ReaderProcess
from lumen_desktop.retrieval.readers.parts import Part
from lumen_desktop.services.authority import Authority
from lumen_desktop.services.incoming import AddProgress, AddReport, Failure, Step, content_of, files_of, steps
from lumen_desktop.services.search import Found, Searcher
from lumen_desktop.storage import library as stored
from lumen_desktop.storage.database import Database


@dataclass(frozen=True, slots=True)
class Hit:
    """One line of a search screen."""

    passage: Passage
    score: float
    text_rank: int | None
    vector_rank: int | None


class Library:
    """The library of one site.

    Args:
        database: the site's.
        authority: at whose hands it is, and whether they may.
        searcher: searches it; called when first needed, so that lists need no model.
        embedder: makes vectors, with the digest of its build; called when first needed.
        reader: reads files in a child.
        index: the vector index, where this process owns it.
    """

    def __init__(
        self,
        database: Database,
        authority: Authority,
        *,
        searcher: Callable[[], Searcher],
        embedder: Callable[[], tuple[EmbeddingEngine, str]],
        reader: ReaderProcess,
        index: VectorIndex | None,
    ) -> None:
        self._database = database
        self._authority = authority
        self._searcher = searcher
        self._embedder = embedder
        self._reader = reader
        self._index = index
        self._stops = 0  # a count, so that an `add` that begins later cannot take back the stop of another

    def search(self, question: str, *, collection: str | None, most: int) -> tuple[list[Hit], Found]:
        """The best passages for some words, best first, and how the search went.

        Raises:
            InputError: the question is empty (LIB-022), or as `Searcher.find`.
        """
        self._authority.authorize(Act.READ_LIBRARY)
        if not question.strip():
            raise InputError("There is nothing to search for.", code="LIB-022", hint="Give a word or a question.")
        found = self._searcher().find(question[:4000], collection=collection, most=most)
        places = {ranked.passage_id: ranked for ranked in found.ranked}
        hits = [
            Hit(c.passage, c.score, places[c.passage.id].text_rank, places[c.passage.id].vector_rank)
            for c in found.candidates
        ]
        return hits, found

    def collections(self) -> list[Collection]:
        """All collections by name, with what they hold; also those that hold nothing."""
        self._authority.authorize(Act.READ_LIBRARY)
        with self._database.reading() as session:
            places = [(place.name, place.id) for place in stored.collections(session) if place.id is not None]
            return [Collection(name, *stored.size_of(session, [place])) for name, place in places]

    def documents(self) -> list[StoredDocument]:
        """All documents, by collection and title."""
        self._authority.authorize(Act.READ_LIBRARY)
        with self._database.reading() as session:
            places = [place.id for place in stored.collections(session) if place.id is not None]
            return stored.documents(session, places)

    def passage(self, passage_id: int) -> Passage:
        """One passage, to open a source.

        Raises:
            InputError: there is none of that number (LIB-031).
        """
        self._authority.authorize(Act.READ_LIBRARY)
        with self._database.reading() as session:
            found = stored.passages(session, [passage_id])
        if passage_id not in found:
            raise InputError(
                "There is no passage of that number.", code="LIB-031", hint="`lumen library search` shows the numbers."
            )
        return found[passage_id]

    def stop(self) -> None:
        """Ends every running `add` after the passage it is at; safe from any thread."""
        self._stops += 1
        self._reader.stop()

    def add(
        self, paths: Sequence[Path], *, collection: str, kind: Kind = Kind.SOURCE
    ) -> Iterator[AddProgress | AddReport]:
        """Adds files, and the readable files in folders, to a collection that is made where there is none.

        Yields:
            Progress, and last the report; a file that fails is in the report and costs nothing else.

        Raises:
            AccessError: not permitted.
            InputError: the collection's name is empty or too long (LIB-023), or it has another embedding model.
            StorageError: the disk is full or the folder cannot be written; files added before stay.
        """
        actor = self._authority.authorize(Act.ADD_DOCUMENTS)
        run = _Run(actor, self._place(collection, actor), kind, self._stops)
        report = run.report
        files = list(files_of(paths, report))
        yield from self._level_all()
        for step in steps(files):
            try:
                self._refuse_stopped(run)
                yield from self._add_file(step, run)
            except Stopped:
                report.stopped = True
                break
        yield from self._level_index(run.place)
        logs.event("library.added", count=report.added, passages=report.passages)
        yield report

    def _place(self, name: str, actor: Actor) -> stored.CollectionRow:
        if not 1 <= len(name.strip()) <= 100:  # noqa: PLR2004 - as the schema's CHECK
            raise InputError(
                "A collection's name has 1 to 100 characters.", code="LIB-023", hint="Give a name with --collection."
            )
        _, embedder_sha256 = self._embedder()
        with self._database.reading() as session:
            found = stored.collections(session, [name.strip()])
        if found:
            if found[0].embedder_sha256 != embedder_sha256:
                raise InputError(
                    "This collection was embedded by another model.", code="LIB-021", hint="Add to a new collection."
                )
            return found[0]
        row = stored.CollectionRow(
            name=name.strip(), created_utc=self._database.clock(), embedder_sha256=embedder_sha256
        )
        with self._database.transaction(actor, "make a collection") as transaction:
            return transaction.add(row)

    def _refuse_stopped(self, run: "_Run") -> None:
        if self._stops != run.stops:
            raise Stopped

    def _add_file(self, step: Step, run: "_Run") -> Iterator[AddProgress]:
        """Adds a file, or each document of a file that holds many; one that fails costs itself only."""
        try:
            content = content_of(step.path)
            if not may_hold_many(content):
                yield from self._add_one(step, content, run)
                return
            yield step.at("reading")
            parts, broken = self._parts(step.path.name, content, run)
            if not parts and not broken:
                yield from self._add_one(step, content, run)
            for number, part in enumerate(parts, start=1):
                yield from self._add_part(step.part(number, len(parts), part.name), part, run)
            if broken:
                raise broken
        except InputError as error:
            yield run.failed(step, error)

    def _parts(self, name: str, content: bytes, run: "_Run") -> tuple[list[Part], InputError | None]:
        """The documents of a file as far as it can be read, and why no further."""
        parts: list[Part] = []
        try:
            for part in self._reader.parts(name, content):
                self._refuse_stopped(run)
                parts.append(part)
        except InputError as error:
            return parts, error
        return parts, None

    def _add_part(self, step: Step, part: Part, run: "_Run") -> Iterator[AddProgress]:
        self._refuse_stopped(run)
        if part.fault:
            unusable = InputError(part.fault, code="LIB-018", hint="The file's other documents are not touched by it.")
            yield run.failed(step, unusable)
            return
        try:
            yield from self._add_one(step, part.text.encode(), run)
        except InputError as error:
            yield run.failed(step, error)

    def _add_one(self, step: Step, content: bytes, run: "_Run") -> Iterator[AddProgress]:
        path, place, report = step.path, run.place, run.report
        digest = hashlib.sha256(content).hexdigest()
        assert place.id is not None
        with self._database.reading() as session:
            if stored.has_document(session, place.id, digest):
                report.unchanged += 1
                yield step.at("unchanged")
                return
        yield step.at("reading")
        extract = yield from self._read(step, content, run)
        yield step.at("cutting")
        drafts: list[PassageDraft] = []
        for draft in cut(extract):
            self._refuse_stopped(run)
            drafts.append(draft)
        if not drafts:
            raise InputError(f"{shown(path.name)} holds no text.", code="LIB-032", hint="Add a file that holds text.")
        vectors: list[Vectors] = []
        for draft in drafts:
            self._refuse_stopped(run)
            vectors.append(self._vector(draft))
            yield step.at("embedding", len(vectors), len(drafts))
        document = _document(
            extract, path.name, kind=run.kind, digest=digest, size_bytes=len(content), collection_id=place.id,
            now=self._database.clock(),
        )  # fmt: skip
        document.added_by = self._authority.user_id or None
        if self._authority.release_needed:
            document.release_state = ReleaseState.AWAITING.value
        parts = stored.DocumentParts(content, extract.pages, drafts, np.stack(vectors))
        with self._database.transaction(run.actor, "add a document") as transaction:
            ids = stored.add_document(transaction, place, document, parts)
        self._index_change(place, lambda index, key: index.put(key, place.index_revision, np.array(ids), parts.vectors))
        report.added += 1
        report.passages += len(drafts)
        report.notices += [(path, notice) for notice in extract.notices]
        yield step.at("stored")

    def _read(self, step: Step, content: bytes, run: "_Run") -> Generator[AddProgress, None, Extract]:
        pages = self._reader.reading(step.path.name, content)
        while True:
            self._refuse_stopped(run)
            try:
                done, total = next(pages)
            except StopIteration as finished:
                extract: Extract = finished.value
                return extract
            yield step.at("reading", done, total)

    def _vector(self, draft: PassageDraft) -> Vectors:
        engine, _ = self._embedder()
        return np.asarray(engine.embed([f"{draft.header}\n{draft.text}"])[0], dtype=np.float32)

    def remove(self, document_id: int) -> None:
        """Removes a document and its passages; answers that cite it keep their quotes.

        Raises:
            AccessError: not permitted.
            InputError: there is no document of that number (LIB-024).
        """
        actor = self._authority.authorize(Act.REMOVE_DOCUMENTS)
        with self._database.transaction(actor, "remove a document") as transaction:
            document = transaction.session.get(stored.DocumentRow, document_id)
            if document is None:
                raise InputError(
                    "There is no document of that number.",
                    code="LIB-024",
                    hint="`lumen library list` shows the numbers.",
                )
            place = transaction.session.get_one(stored.CollectionRow, document.collection_id)
            ids = stored.remove_document(transaction, place, document)
        self._index_change(place, lambda index, key: index.remove(key, place.index_revision, np.array(ids)))
        for _ in self._level_index(place):
            pass

    def level(self) -> None:
        """Brings the index level after documents were released into use or taken out of it."""
        for _ in self._level_all():
            pass

    def reindex(self) -> Iterator[AddProgress]:
        """Makes the vector index anew from the database, of which it is a cache: whoever reads may.

        Raises:
            AccessError: not permitted.
        """
        self._authority.authorize(Act.READ_LIBRARY)
        if self._index is not None:
            self._index.discard()
        yield from self._level_all()

    def _level_all(self) -> Iterator[AddProgress]:
        """Levels the index for every collection: one that was lost altogether comes back."""
        with self._database.reading() as session:
            places = stored.collections(session)
        for place in places:
            yield from self._level_index(place)

    def _index_change(self, place: stored.CollectionRow, change: Callable[[VectorIndex, int], None]) -> None:
        """Carries a stored change into the index; one that fails leaves it behind, to be levelled later."""
        if self._index is None or place.id is None:
            return
        try:
            change(self._index, place.id)
        except LumenError as error:
            logs.event("index.failed", code=error.code)
            self._index.discard()

    def _level_index(self, place: stored.CollectionRow) -> Iterator[AddProgress]:
        """Brings the index level with the database; what it cannot do, the exact search does without it."""
        if self._index is None or place.id is None:
            return
        try:
            held = self._searcher().hold(place)
            if not self._index.agrees(place.id, place.index_revision, held.ids, held.vectors):
                yield AddProgress(Path(place.name), 1, 1, "indexing", 0, len(held.ids))
                self._index.rebuild(place.id, place.index_revision, held.ids, held.vectors)
                if not self._index.agrees(place.id, place.index_revision, held.ids, held.vectors):
                    self._index.discard()
        except LumenError as error:
            logs.event("index.failed", code=error.code)
            self._index.discard()


@dataclass(slots=True)
class _Run:
    """One call of `Library.add`: by whom, where to, as what, and how often a stop had been asked for before it."""

    actor: Actor
    place: stored.CollectionRow
    kind: Kind
    stops: int
    report: AddReport = field(default_factory=AddReport)

    def failed(self, step: Step, error: InputError) -> AddProgress:
        """Notes a file that cannot be used, and ends it."""
        self.report.failed.append(Failure(step.path, error.code, error.message, error.hint))
        return step.at("failed", failure=self.report.failed[-1])


def _document(
    extract: Extract, name: str, *, kind: Kind, digest: str, size_bytes: int, collection_id: int, now: datetime
) -> stored.DocumentRow:
    said = extract.metadata
    currency = said.get("currency", Currency.IN_FORCE)
    return stored.DocumentRow(
        collection_id=collection_id,
        sha256=digest,
        name=storable(name),
        title=extract.title or shown(name),
        kind=kind,
        subject=said.get("subject", "")[:200],
        edition=said.get("edition", "")[:200],
        as_of=said.get("as_of", "")[:40],
        currency=currency if currency in set(Currency) else Currency.IN_FORCE,
        paged=extract.paged,
        pages=len(extract.pages),
        size_bytes=size_bytes,
        notices=json.dumps(extract.notices),
        drug_names=json.dumps(names_in_title(extract.title, said)),
        added_utc=now,
    )
