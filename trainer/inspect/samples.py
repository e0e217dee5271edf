"""A few of many, always the same ones for a seed: those whose digest with the seed is smallest.

Needs one walk and memory for the few; a sample of a dataset does not change where other examples join or leave.
"""

import hashlib
import heapq
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Sample(Generic[_T]):
    """Keeps ``size`` of the things offered.

    Args:
        size: how many at most.
        seed: decides which.
    """

    def __init__(self, size: int, *, seed: int) -> None:
        self._size = size
        self._seed = seed
        self._kept: list[tuple[int, int, _T]] = []
        self._offered = 0

    def offer(self, name: str, thing: _T) -> None:
        """Takes a thing into account.

        Args:
            name: what its place in the draw follows from.
            thing: kept where its place is good enough.
        """
        self._offered += 1
        drawn = int.from_bytes(hashlib.sha256(f"{self._seed}\n{name}".encode()).digest()[:8], "big")
        entry = (-drawn, -self._offered, thing)  # the second keeps equal ones in the order offered
        if len(self._kept) < self._size:
            heapq.heappush(self._kept, entry)
        elif self._size and entry[:2] > self._kept[0][:2]:
            heapq.heapreplace(self._kept, entry)

    def kept(self) -> list[_T]:
        """What was drawn, in the draw's order."""
        return [thing for *_, thing in sorted(self._kept, key=lambda entry: entry[:2], reverse=True)]
