"""A question that is answered in words, with what its answer is held against.

Knows no model; `own`, `invented` and `sets` make them, `asking` puts them, `judging` holds the answers against them.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from trainer.evaluation.prompts import Choice
from trainer.records import Message


class Judge(StrEnum):
    """What an answer is held against."""

    SPAN = "span"  # the words and numbers of the passage
    DECISION = "decision"  # yes, no or maybe
    CLAUSE = "clause"  # the clause that asks for it
    FACTS = "facts"  # the facts given, all and no other
    ABSTAINS = "abstains"  # it says that nothing answers
    REFUSES = "refuses"  # it declines
    HELPS = "helps"  # it does neither
    STATEMENTS = "statements"  # the statements of an expert, by their words
    WORDS = "words"  # the words of an expert's answer


@dataclass(frozen=True, slots=True)
class Open:
    """One question in words.

    Attributes:
        id: of the question, the same for every model.
        set: name of its set.
        judge: what the answer is held against.
        messages: the conversation up to the question.
        wanted: the answer that is known to be right; lines of statements for `Judge.STATEMENTS`.
        shots: worked examples that a base is shown between the instruction and the question.
        facts: what the report may group by, JSON values.
    """

    id: str
    set: str
    judge: Judge
    messages: tuple[Message, ...]
    wanted: str = ""
    shots: tuple[Message, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def user(self) -> str:
        """The last turn."""
        return self.messages[-1].content

    def conversation(self, shots: int) -> tuple[Message, ...]:
        """What a model is shown, with at most so many of the worked examples."""
        system = self.messages[:1] if self.messages[0].role == "system" else ()
        return (*system, *self.shots[: 2 * shots], *self.messages[len(system) :])


Q = TypeVar("Q", Choice, Open)


def part(questions: Iterable[Q], most: int, *, seed: int = 1) -> list[Q]:
    """A fixed part of a set, the same for every model, in the set's order; all where there are not more.

    A question once among the first so many stays when the set grows at its end, because its place goes by its id.
    """
    kept = list({one.id: one for one in questions}.values())
    if len(kept) <= most:
        return kept
    drawn = {one.id for one in sorted(kept, key=lambda one: (_place(one.id, seed), one.id))[:most]}
    return [one for one in kept if one.id in drawn]


def share(sizes: Mapping[str, int], most: int) -> dict[str, int]:
    """How many questions each set gives of ``most``: as many each, and what a small one lacks goes to the others."""
    left, given = most, {}
    for place, name in enumerate(sorted(sizes, key=lambda name: (sizes[name], name))):
        given[name] = min(sizes[name], left // (len(sizes) - place))
        left -= given[name]
    return given


def digest(questions: Sequence[Choice | Open], *limits: int) -> str:
    """Digest of what is asked and how it is worded; a base's worked examples have no part in it.

    Args:
        questions: all of them, in order.
        limits: numbers that decide the answers too.
    """
    whole = hashlib.sha256(repr(limits).encode())
    for one in questions:
        words = [one.prompt()] if isinstance(one, Choice) else [f"{m.role}: {m.content}" for m in one.messages]
        whole.update("\0".join([one.set, one.id, one.wanted, *words]).encode("utf-8", "replace") + b"\1")
    return whole.hexdigest()


def _place(identity: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}\0{identity}".encode()).digest()
