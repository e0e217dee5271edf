"""A few conversations of a split, the same at every run, as text and as tokens: what models are compared on.

They are those whose ids, which are digests, come first: a fair draw that needs neither seed nor the whole file in
memory. Knows no model; `trainer.merge`, `trainer.importance` and `trainer.parity` read them.
"""

import heapq
from dataclasses import dataclass
from pathlib import Path

from lumen_desktop.errors import InputError
from trainer.lines import read_examples
from trainer.records import Example, Message
from trainer.turns import Turns

_SPARE = 4  # times as many are looked at, for those that are too long


@dataclass(frozen=True, slots=True)
class Conversation:
    """An example as a model reads it.

    Attributes:
        id: of the example.
        family: of the example.
        messages: of the example.
        ids: its tokens.
        learn: of each token, whether the loss counts it.
    """

    id: str
    family: str
    messages: tuple[Message, ...]
    ids: tuple[int, ...]
    learn: tuple[bool, ...]


def few(split: Path, turns: Turns, *, count: int, longest: int, family: str = "") -> list[Conversation]:
    """At most ``count`` conversations of a split.

    Args:
        split: a file of examples.
        turns: of the base.
        count: how many are wanted.
        longest: tokens; longer ones are passed over.
        family: only of this one, where it is named.

    Raises:
        InputError: there is not one (TRN-086), or the file is missing or damaged (TRN-008, TRN-009, TRN-017).
    """
    of_it = (one for one in read_examples(split) if family in {"", one.family})
    looked = heapq.nsmallest(_SPARE * count, of_it, key=lambda one: one.id)
    found: list[Conversation] = []
    for example in looked:
        one = conversation(example, turns)
        if len(one.ids) <= longest and any(one.learn):
            found.append(one)
        if len(found) == count:
            break
    if not found and not family:
        raise InputError(
            f"{split.name} holds no conversation of at most {longest} tokens.", code="TRN-086",
            hint="Raise finetune.example_tokens, or build a dataset with more examples.",
        )  # fmt: skip
    return found


def conversation(example: Example, turns: Turns) -> Conversation:
    """An example as the model reads it."""
    learnt = turns.learnt(example.messages)
    return Conversation(example.id, example.family, example.messages, tuple(learnt.ids), tuple(learnt.learn))
