"""Choices that depend on a seed and on what is chosen for, and on nothing else.

The order of documents, the number of processes and Python's own random state change none of them.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
_PARTS = 10_000


@dataclass(frozen=True, slots=True)
class Chance:
    """The choices for one record.

    Attributes:
        seed: of the whole dataset.
        key: what is chosen for, such as a record's id.
    """

    seed: int
    key: str

    def number(self, what: str, below: int) -> int:
        """A number from 0 up to and without ``below``; another ``what`` is another throw."""
        digest = hashlib.sha256(f"{self.seed}\0{self.key}\0{what}".encode()).digest()
        return int.from_bytes(digest[:8], "big") % below

    def happens(self, what: str, share: float) -> bool:
        """Whether it falls into this share of all cases."""
        return self.number(what, _PARTS) < share * _PARTS

    def one(self, what: str, options: Sequence[T]) -> T:
        """One of the options."""
        return options[self.number(what, len(options))]

    def order(self, what: str, items: Sequence[T]) -> list[T]:
        """The items in a drawn order."""
        places = sorted(range(len(items)), key=lambda place: (self.number(f"{what} {place}", 2**63), place))
        return [items[place] for place in places]
