"""Questions, answers and their citations: what an answer is and which states it may have."""

import enum
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lumen_desktop.domain.library import Kind


class Status(enum.StrEnum):
    """How an exchange ended; ``OPEN`` only while it runs."""

    OPEN = "open"
    GROUNDED = "grounded"
    NO_EVIDENCE = "no_evidence"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Citation:
    """A quote with its place.

    Attributes:
        n: number by which the answer refers to it, from 1.
        passage_id: the stored passage.
        document: the document's title.
        attribution: whose words these are, edition and state.
        kind: summary or source.
        edition: the document's edition; may be empty.
        page: page of the quote; None where the format has no pages.
        section: section path; may be empty.
        quote: the verbatim words.
    """

    n: int
    passage_id: int
    document: str
    attribution: str
    kind: Kind
    edition: str
    page: int | None
    section: str
    quote: str


@dataclass(frozen=True, slots=True)
class Timing:
    """How long an answer took, in seconds from the question; None where that step did not happen."""

    retrieval_s: float | None = None
    first_evidence_s: float | None = None
    first_token_s: float | None = None
    total_s: float | None = None
    prompt_tokens: int = 0
    answer_tokens: int = 0

    @property
    def tokens(self) -> int:
        """Tokens of the context window that prompt and answer took; 0 where no model wrote."""
        return self.prompt_tokens + self.answer_tokens


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question got, as shown, stored and printed.

    Attributes:
        status: see `Status`.
        text: quotes with their references, then commentary where a model wrote one; or what was searched.
        citations: in the order of the quotes.
        commentary: the model's words after checking; empty where no model wrote.
        notes: sentences on what was left out, suspected or interrupted.
        build_id: build whose words or sources these are; `build_sha256` its digest.
        record_id: number of the stored exchange; `conversation_id` the conversation that it belongs to.
        timing: see `Timing`.
        asked_utc: when.
    """

    status: Status
    text: str
    citations: tuple[Citation, ...]
    commentary: str
    notes: tuple[str, ...]
    build_id: str
    build_sha256: str
    record_id: int
    conversation_id: int
    timing: Timing = field(default_factory=Timing)
    asked_utc: datetime | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and what became of it.

    Attributes:
        question: as it was asked.
        answer: ``OPEN`` while it is being written.
        collection: where it was searched for; None is everywhere.
    """

    question: str
    answer: Answer
    collection: str | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation as a list of them shows it.

    Attributes:
        id: its number.
        title: its first question, or the name that a person gave it.
        pinned: whether it stands above the others.
        created_utc: when it began; `last_utc` when its last question was asked.
        exchanges: how many questions it holds.
        deleted_utc: when it was deleted; None where it was not. It can be restored until it is erased.
    """

    id: int
    title: str
    pinned: bool
    created_utc: datetime
    last_utc: datetime
    exchanges: int
    deleted_utc: datetime | None = None


@dataclass(frozen=True, slots=True)
class Provenance:
    """Everything needed to make the same answer again.

    Attributes:
        build_id: the chat build, or the embedder where no model wrote.
        build_sha256: digest of that build's file.
        embedder_sha256: digest of the model that ranked.
        prompt_sha256: digest of the prompt's turns; empty where no model wrote.
        passage_ids: the passages offered, best first.
        sampling: temperature, top_p, seed and the rest; empty where no model wrote.
    """

    build_id: str
    build_sha256: str
    embedder_sha256: str
    prompt_sha256: str = ""
    passage_ids: tuple[int, ...] = ()
    sampling: dict[str, Any] = field(default_factory=dict)
