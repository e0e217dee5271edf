"""Which of a set of examples say the same, and which of those stays.

MinHash proposes sets of examples that may be alike (`stages`); here their true share of common word groups is counted,
so that none is taken for a duplicate by chance. Two that state different quantities are none: in a label 10 mg and
20 mg are the whole difference.
"""

import hashlib
import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from trainer.curation.texts import tokens

Groups = npt.NDArray[np.uint64]

_NEGATIONS = frozenset({"not", "no", "never", "without", "neither", "nor", "cannot", "unless"})
_COUNTS = frozenset(
    "zero one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty hundred thousand "
    "half once twice daily weekly monthly hourly".split()
)
_A_SENTENCE = 4  # words more or fewer from which a difference is more than some words


@dataclass(frozen=True, slots=True)
class Stated:
    """What must not differ between duplicates.

    Attributes:
        quantities: digests of numbers with the word after each.
        negations: how many words deny.
        words: how many there are.
    """

    quantities: frozenset[int]
    negations: int
    words: int


def word_groups(text: str, size: int) -> Groups:
    """Digests of the groups of ``size`` following words, sorted, each once; a shorter text is one group."""
    words = tokens(text)
    count = max(1, len(words) - size + 1) if words else 0
    found = {_digest(" ".join(words[place : place + size]), 8) for place in range(count)}
    return np.array(sorted(found), dtype=np.uint64)


def stated(text: str) -> Stated:
    """The quantities of a text, and how often it denies."""
    words = tokens(text)
    following = zip(words, [*words[1:], ""], strict=False)
    found = frozenset(_digest(f"{word} {unit}", 4) for word, unit in following if word[0].isdigit() or word in _COUNTS)
    return Stated(found, sum(word in _NEGATIONS for word in words), len(words))


def _digest(text: str, size_bytes: int) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=size_bytes).digest(), "little")


def agree(one: Stated, other: Stated) -> bool:
    """Whether two texts may be the same statement.

    Where one is longer by a sentence it may deny or count more; no quantity of the shorter may be missing in it.
    """
    if abs(one.words - other.words) < _A_SENTENCE:
        return one.quantities == other.quantities and one.negations == other.negations
    return one.quantities <= other.quantities or other.quantities <= one.quantities


def jaccard(one: Groups, other: Groups) -> float:
    """Common groups by all groups."""
    common = len(np.intersect1d(one, other, assume_unique=True))
    return common / max(1, len(one) + len(other) - common)


def redundant(
    members: Sequence[int],
    groups: Callable[[int], Groups],
    facts: Callable[[int], Stated],
    *,
    threshold: float,
) -> dict[int, int]:
    """Which members repeat one before them, as {member: the one that stays}.

    Only examples that share one of their rarest groups can reach the threshold, so only those are compared (prefix
    filter; Chaudhuri, Ganti, Kaushik 2006), which keeps sets of thousands in reach.

    Args:
        members: the one to keep rather first.
        groups: word groups of a member.
        facts: what a member states.
        threshold: share of common groups from which two are alike.
    """
    own = [groups(member) for member in members]
    values, counts = np.unique(np.concatenate(own), return_counts=True) if own else (np.empty(0), np.empty(0))
    kept_by_group: defaultdict[Any, list[int]] = defaultdict(list)
    gone: dict[int, int] = {}
    for place, mine in enumerate(own):
        rarest = mine[np.lexsort((mine, counts[np.searchsorted(values, mine)]))]
        prefix = rarest[: len(mine) - math.ceil(threshold * len(mine)) + 1].tolist()
        near = dict.fromkeys(other for group in prefix for other in kept_by_group.get(group, ()))
        twin = next((o for o in sorted(near) if _alike(members, own, (o, place), facts, threshold)), None)
        if twin is None:
            for group in prefix:
                kept_by_group[group].append(place)
        else:
            gone[members[place]] = members[twin]
    return gone


def _alike(
    members: Sequence[int],
    own: Sequence[Groups],
    pair: tuple[int, int],
    facts: Callable[[int], Stated],
    threshold: float,
) -> bool:
    one, other = pair
    if min(len(own[one]), len(own[other])) < threshold * max(len(own[one]), len(own[other])):
        return False
    return agree(facts(members[one]), facts(members[other])) and jaccard(own[one], own[other]) >= threshold
