"""Asking: search, evidence or an honest "not in your library", quotes first, commentary second, all stored.

`Chat.ask` is a generator of `EvidenceFound`, `TextDelta` and, last, `AnswerReady`; every face shows them as
they come. Below the evidence threshold, and where a drug that the question names is in no passage found,
no model is called.
"""

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from lumen_desktop import logs
from lumen_desktop.domain import grounding
from lumen_desktop.domain.accounts import PROGRAM, Actor
from lumen_desktop.domain.builds import ModelBuild
from lumen_desktop.domain.chat import Answer, Citation, Provenance, Status, Timing
from lumen_desktop.domain.drugs import DrugNames
from lumen_desktop.domain.grounding import Candidate
from lumen_desktop.domain.library import Passage, storable
from lumen_desktop.domain.permissions import Act
from lumen_desktop.domain.same_drug import DrugGuard
from lumen_desktop.domain.sentences import Sentence, markdown_sentences
from lumen_desktop.engine.client import ChatEngine, EmbeddingEngine
from lumen_desktop.engine.protocol import Finished, Sampling, TextDelta, Turn
from lumen_desktop.errors import InputError, LumenError, Stopped, StorageError
from lumen_desktop.services.authority import NOBODY, Authority
from lumen_desktop.services.conversations import existing
from lumen_desktop.services.search import Found, Searcher
from lumen_desktop.settings import Settings
from lumen_desktop.storage import chat as stored
from lumen_desktop.storage import library as stored_library
from lumen_desktop.storage.database import Database

LONGEST_QUESTION = 4000  # characters
_SHORTLIST = 12  # sentences embedded for an answer; more were found to change nothing
_KEEP_EVERY_S = 0.5
INTERRUPTED = "The program ended while this answer was written; what had been shown is kept."
UNVERIFIED = "Commentary by the model. Not verified: check it against the quotes."


@dataclass(frozen=True, slots=True)
class EvidenceFound:
    """The verbatim quotes, before any word of a model."""

    citations: tuple[Citation, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Commentary:
    """More of the model's commentary: a checked sentence of Markdown, with the breaks and marks that lead to it."""

    text: str


@dataclass(frozen=True, slots=True)
class AnswerReady:
    """The finished, stored answer."""

    answer: Answer


AskEvent = EvidenceFound | Commentary | AnswerReady


@dataclass(slots=True)
class _Run:
    """One question on its way."""

    actor: Actor
    question: str
    exchange: stored.ExchangeRow
    began: float
    provenance: Provenance
    timing: Timing = field(default_factory=Timing)
    citations: tuple[Citation, ...] = ()
    commentary: str = ""
    notes: list[str] = field(default_factory=list)
    kept: float = 0.0

    def elapsed(self) -> float:
        return round(time.monotonic() - self.began, 4)


class Chat:
    """Conversations of one site.

    Args:
        database: the site's.
        authority: who asks, and whether they may.
        searcher: finds passages.
        embedder: makes the vectors of sentences.
        embedding_build: the embedder's build.
        engine: makes the chat engine when commentary is first asked for, with its build.
        drugs: recognises drug names.
        settings: how many passages, quotes and tokens.
    """

    def __init__(
        self,
        database: Database,
        authority: Authority,
        *,
        searcher: Searcher,
        embedder: EmbeddingEngine,
        embedding_build: ModelBuild,
        engine: Callable[[], tuple[ChatEngine, ModelBuild]],
        drugs: DrugNames,
        settings: Settings,
    ) -> None:
        self._database = database
        self._authority = authority
        self._searcher = searcher
        self._embedder = embedder
        self._embedding_build = embedding_build
        self._engine = engine
        self._drugs = drugs
        self._settings = settings
        self._stopped = threading.Event()
        self._writing: ChatEngine | None = None
        self._asked_in: int | None = None

    @property
    def asked_in(self) -> int | None:
        """The conversation of the question that was stored last, known before its answer; None before the first."""
        return self._asked_in

    def use(self, settings: Settings) -> None:
        """Answers with other settings from the next question on; the context window must be the engine's."""
        self._settings = settings

    def stop(self) -> None:
        """Ends the running answer; what was shown is kept. Safe from any thread."""
        self._stopped.set()
        self._embedder.stop()
        if self._writing is not None:
            self._writing.stop()

    @property
    def context_tokens(self) -> int:
        """Size of the model's context window in tokens, as set and as the build allows; starts no process.

        Raises:
            EngineError: no chat model is installed.
        """
        _, build = self._engine()  # its process starts with the first request
        return min(self._settings.context_tokens, build.context_tokens)

    def context_use(self, answer: Answer) -> tuple[int, int]:
        """How much of the context window an answer took: its prompt's and its own tokens, and the window's size.

        Each question is answered by itself, so the first number is 0 where no model wrote.
        """
        return answer.timing.tokens, self.context_tokens

    def recover(self) -> int:
        """Marks answers that a kill left open, keeping what they had shown; returns how many."""
        with self._database.reading() as session:
            left = stored.interrupted(session)
        for exchange in left:
            notes = json.dumps([*json.loads(exchange.notes), INTERRUPTED])
            with self._database.transaction(PROGRAM, "mark an interrupted answer") as transaction:
                transaction.change(exchange, status=Status.STOPPED, notes=notes, answered_utc=self._database.clock())
        return len(left)

    def record(self, record_id: int) -> Answer:
        """A stored answer.

        Raises:
            AccessError: another person asked (ACC-002).
            InputError: there is none of that number (ASK-003).
        """
        with self._database.reading() as session:
            found = stored.answer(session, record_id)
            asked_in = stored.conversation(session, found.conversation_id) if found else None
        self._authority.authorize(Act.KEEP_CONVERSATIONS, of=asked_in.owner_id or NOBODY if asked_in else None)
        if found is None:
            raise InputError(
                "There is no answer of that number.", code="ASK-003", hint="Its number stands under each answer."
            )
        return found

    def ask(
        self, question: str, *, collection: str | None = None, prose: bool = False, conversation_id: int | None = None
    ) -> Iterator[AskEvent]:
        """Answers a question from the library.

        To have an answer made again, ask the same question again in its conversation: that is another exchange,
        so both answers stay stored and shown. Tokens are chosen without chance, so the words differ only where
        library, settings or build changed.

        Args:
            question: 1 to 4,000 characters.
            collection: where to search; None searches everywhere.
            prose: whether the model may add commentary though its build is not qualified to.
            conversation_id: the conversation it belongs to; None begins one.

        Yields:
            The quotes, then commentary sentence by sentence, then the answer.

        Raises:
            AccessError: not permitted, or in another person's conversation.
            InputError: empty (ASK-001) or too long (ASK-002), no such collection, no such conversation (CHT-001)
                or a deleted one (ASK-004).
            EngineError: a child failed; the answer comes first, stored as failed with what was shown.
            StorageError: the disk is full or the database damaged; what was stored before stays.
        """
        question = _valid(question)
        self._stopped.clear()
        run = self._open(question, conversation_id, collection)
        try:
            yield from self._answer(run, collection, prose=prose)
        except (Stopped, GeneratorExit) as error:
            answer = self._finish(run, Status.STOPPED, grounding_text(run))
            if isinstance(error, GeneratorExit):
                raise
            yield AnswerReady(answer)
        except StorageError:
            raise  # it cannot be stored how this ended; what is stored stays, and `recover` marks it
        except LumenError as error:
            run.notes.append(f"{error.message} ({error.code})")
            answer = self._finish(run, Status.FAILED, grounding_text(run))
            if not isinstance(error, InputError):  # a question that cannot be asked so has no answer to show
                yield AnswerReady(answer)
            raise

    def _open(self, question: str, conversation_id: int | None, collection: str | None) -> _Run:
        began = time.monotonic()
        actor = self._authorized(conversation_id)
        with self._database.transaction(actor, "ask") as transaction:
            exchange = stored.start(
                transaction,
                question,
                conversation_id=conversation_id,
                owner_id=self._authority.user_id or None,
                collection=collection,
                now=self._database.clock(),
            )
        self._asked_in = exchange.conversation_id
        build = self._embedding_build
        return _Run(actor, question, exchange, began, Provenance(build.id, build.sha256, build.sha256))

    def _authorized(self, conversation_id: int | None) -> Actor:
        """Who asks; in a conversation only its owner, and only while it is not deleted."""
        if conversation_id is None:
            return self._authority.authorize(Act.ASK)
        with self._database.reading() as session:
            row = existing(stored.conversation(session, conversation_id))
        actor = self._authority.authorize(Act.ASK, of=row.owner_id or NOBODY)
        _refuse_deleted(row)
        return actor

    def _answer(self, run: _Run, collection: str | None, *, prose: bool) -> Iterator[AskEvent]:
        found = self._searcher.find(run.question, collection=collection, most=self._settings.passages * 4)
        run.timing = replace(run.timing, retrieval_s=run.elapsed())
        guard = DrugGuard.of(run.question, [c.passage for c in found.candidates], self._names())
        run.notes += guard.refusals
        best = [c for c in found.candidates if guard.admits(c.passage)][: self._settings.passages]
        likely = grounding.evidence(run.question, best, found.weights)
        enough = not guard.refusals and likely >= grounding.EVIDENCE_THRESHOLD
        quotes = self._quotes(run, found, best, guard) if enough else ()
        if not quotes:
            yield AnswerReady(self._finish(run, Status.NO_EVIDENCE, self._searched(run, found, collection)))
            return
        run.provenance = replace(run.provenance, passage_ids=tuple(c.passage.id for c in best))
        run.citations = quotes
        self._keep_quotes(run)
        run.timing = replace(run.timing, first_evidence_s=run.elapsed())
        yield EvidenceFound(run.citations, run.elapsed())
        if self._stopped.is_set():
            raise Stopped
        if prose:
            yield from self._comment(run, [c.passage for c in best])
        status = Status.STOPPED if self._stopped.is_set() else Status.GROUNDED
        yield AnswerReady(self._finish(run, status, grounding_text(run)))

    def _names(self) -> DrugNames:
        """The dictionary, and the names that this site's documents carry."""
        with self._database.reading() as session:
            return self._drugs.extended(stored_library.carried_names(session))

    def _quotes(self, run: _Run, found: Found, best: Sequence[Candidate], guard: DrugGuard) -> tuple[Citation, ...]:
        shortlist = grounding.shortlist(run.question, best, found.weights, most=_SHORTLIST, may_quote=guard.may_quote)
        if not shortlist:
            return ()
        vectors = self._embedder.embed([quote.sentence.text for quote in shortlist])
        cosines = [float(np.dot(found.question, vector)) for vector in vectors]
        return grounding.cite(grounding.choose(shortlist, cosines, most=self._settings.quotes))

    def _keep_quotes(self, run: _Run) -> None:
        with self._database.transaction(run.actor, "keep the quotes of an answer") as transaction:
            stored.keep_citations(transaction, run.exchange, run.citations)
            transaction.change(run.exchange, answer=grounding_text(run), **stored.stored(run.provenance))

    def _comment(self, run: _Run, passages: list[Passage]) -> Iterator[Commentary]:
        """The model's words, sentence by sentence, each checked before it is shown."""
        engine, build = self._engine()
        turns, sampling = self._turns(engine, run.question, passages)  # drops passages that do not fit
        digest = hashlib.sha256(json.dumps([[t.role, t.text] for t in turns]).encode()).hexdigest()
        run.provenance = replace(
            run.provenance,
            build_id=build.id,
            build_sha256=build.sha256,
            prompt_sha256=digest,
            passage_ids=tuple(passage.id for passage in passages),
            sampling=asdict(sampling),
        )
        drugs = self._names()
        self._writing = engine
        try:
            for lead, sentence in self._sentences(run, engine, turns, sampling):
                checked = grounding.check(sentence, passages, drugs_in=drugs.ingredients)
                more = f"{lead}{checked.text}" if run.commentary else checked.text
                if checked.struck:
                    run.notes.append(f"Struck from the commentary: {', '.join(checked.struck)} – in no cited passage.")
                run.commentary += more
                self._keep_commentary(run)
                yield Commentary(more)
        finally:
            self._writing = None

    def _turns(self, engine: ChatEngine, question: str, passages: list[Passage]) -> tuple[list[Turn], Sampling]:
        """The prompt, with as many passages as fit beside the answer; best ones first."""
        window = self.context_tokens
        sampling = Sampling(answer_tokens=min(self._settings.answer_tokens, window // 2))  # room for a prompt
        while True:
            system, user = grounding.build_prompt(question, passages)
            turns = [Turn("system", system), Turn("user", user)]
            room = window - sampling.answer_tokens
            if len(passages) == 1 or engine.count_tokens(turns) <= room:
                return turns, sampling
            passages.pop()

    def _sentences(
        self, run: _Run, engine: ChatEngine, turns: Sequence[Turn], sampling: Sampling
    ) -> Iterator[tuple[str, str]]:
        """Sentences as they become whole, each with what leads to it; the last one when the model ends."""
        pending = ""
        if self._stopped.is_set():  # while the engine loaded
            return
        for event in engine.generate(turns, sampling):
            if self._stopped.is_set():
                engine.stop()  # once more: the first call may have come before the request
            if isinstance(event, TextDelta):
                if run.timing.first_token_s is None:
                    run.timing = replace(run.timing, first_token_s=run.elapsed())
                pending += event.text
                found = list(markdown_sentences(pending))[:-1]
                yield from _led(pending, found)
                pending = pending[found[-1].end :] if found else pending
            elif isinstance(event, Finished):
                run.timing = replace(run.timing, prompt_tokens=event.prompt_tokens, answer_tokens=event.answer_tokens)
                if event.reason == "length":
                    run.notes.append("The commentary reached its longest length and was cut.")
        yield from _led(pending, markdown_sentences(pending))

    def _keep_commentary(self, run: _Run) -> None:
        if time.monotonic() - run.kept < _KEEP_EVERY_S:
            return
        with self._database.transaction(run.actor, "keep what the model wrote so far") as transaction:
            transaction.change(run.exchange, commentary=run.commentary, **stored.stored(run.provenance))
        run.kept = time.monotonic()

    def _searched(self, run: _Run, found: Found, collection: str | None) -> str:
        where = f"the collection {collection}" if collection else "all collections"
        return " ".join(
            [
                "Not in your library.",
                *run.notes,
                f"Searched: {found.passages} passages of {found.documents} documents in {where}.",
                "Add a document that covers it, or ask in other words.",
            ]
        )

    def _finish(self, run: _Run, status: Status, text: str) -> Answer:
        run.timing = replace(run.timing, total_s=run.elapsed())
        assert run.exchange.id is not None
        answer = Answer(
            status=status,
            text=text,
            citations=run.citations,
            commentary=run.commentary,
            notes=tuple(run.notes),
            build_id=run.provenance.build_id,
            build_sha256=run.provenance.build_sha256,
            record_id=run.exchange.id,
            conversation_id=run.exchange.conversation_id,
            timing=run.timing,
            asked_utc=run.exchange.asked_utc,
        )
        with self._database.transaction(run.actor, "store an answer") as transaction:
            stored.finish(transaction, run.exchange, answer, run.provenance, self._database.clock())
        logs.event("answer.stored", id=str(run.exchange.id), status=status, duration_s=run.timing.total_s)
        return answer


def _refuse_deleted(conversation: stored.ConversationRow) -> None:
    if conversation.deleted_utc is not None:
        raise InputError(
            "This conversation was deleted.", code="ASK-004", hint="Restore it, or ask in a new conversation."
        )


def _led(text: str, found: Iterable[Sentence]) -> Iterator[tuple[str, str]]:
    """Each sentence of a text after what stands between it and the one before."""
    end = 0
    for sentence in found:
        yield text[end : sentence.start], sentence.text
        end = sentence.end


def _valid(question: str) -> str:
    question = storable(question).replace("\0", " ").strip()
    if not question:
        raise InputError("The question is empty.", code="ASK-001", hint="Ask in words.")
    if len(question) > LONGEST_QUESTION:
        raise InputError(
            f"The question has {len(question):,} characters; at most {LONGEST_QUESTION:,} are read.",
            code="ASK-002",
            hint="Shorten it; add long material as a document to the library instead.",
        )
    return question


def grounding_text(run: _Run) -> str:
    """The answer as text: each quote with its number and whose words these are, then the commentary."""
    lines = [f"“{c.quote}” [{c.n}]\n    — {place(c)}" for c in run.citations]
    if run.commentary:
        lines += [UNVERIFIED, run.commentary]
    return "\n".join(lines)


def place(citation: Citation) -> str:
    """Where a quote stands, in words: attribution, section and page."""
    parts = [citation.attribution]
    parts += [citation.section] if citation.section else []
    parts += [f"page {citation.page}"] if citation.page else []
    return ", ".join(parts)
