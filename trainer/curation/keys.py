"""What the steps over all examples know of each: a few words, not its text, so that all fit into memory."""

import hashlib
import json
import sys
from dataclasses import dataclass
from typing import Any

from trainer.curation.duplicates import Stated
from trainer.curation.texts import distinguishing, tokens
from trainer.records import Example


@dataclass(frozen=True, slots=True)
class Key:
    """One example.

    Attributes:
        id: of the example.
        rank: the shard that prepared it.
        number: its place in the shard, from 0.
        start: where its line begins in the shard's file, bytes.
        same: digest of the words that distinguish it; equal for exact duplicates.
        stated: what must not differ between near duplicates.
        characters: of the conversation.
        as_of: latest day of its sources.
        family: what it teaches.
        template: wording.
        labeler: of its label.
        groups: what must not be parted.
        answerable: as the example says.
        synthetic: whether a model wrote part of it.
    """

    id: str
    rank: int
    number: int
    start: int
    same: str
    stated: Stated
    characters: int
    as_of: str
    family: str
    template: str
    labeler: str
    groups: tuple[str, ...]
    answerable: bool | None
    synthetic: bool

    def as_line(self) -> str:
        """One line of JSON."""
        facts = [sorted(self.stated.quantities), self.stated.negations, self.stated.words]
        return json.dumps(
            [
                self.id, self.rank, self.number, self.start, self.same, facts, self.characters, self.as_of,
                self.family, self.template, self.labeler, self.groups, self.answerable, self.synthetic,
            ],
            ensure_ascii=False,
        )  # fmt: skip

    @classmethod
    def from_line(cls, line: str | bytes) -> "Key":
        """The key of a line that `as_line` made; words that many share are held once."""
        values: list[Any] = json.loads(line)
        values[5] = Stated(frozenset(values[5][0]), *values[5][1:])
        values[7:11] = map(sys.intern, values[7:11])
        values[11] = tuple(map(sys.intern, values[11]))
        return cls(*values)


def same_words(example: Example) -> str:
    """Digest of the words that distinguish an example, without their case and punctuation."""
    return hashlib.sha256(" ".join(tokens(distinguishing(example))).encode()).hexdigest()[:32]


def lot(seed: int, purpose: str, name: str) -> str:
    """Where something stands in a drawing: a digest of the seed, what is drawn for, and its name."""
    return hashlib.sha256(f"{seed}\n{purpose}\n{name}".encode()).hexdigest()
