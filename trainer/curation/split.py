"""Training, validation and test parted so that no ingredient, regulation or article stands in two of them.

Examples that share a group are connected, and what is connected stays together (union-find). Interactions can connect
nearly all medicines; such a set is parted between its groups instead, and examples that then stand on both sides are
left out. `leaks` looks at the result from outside.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from trainer.curation.keys import Key, lot
from trainer.curation.settings import Split

TRAIN, VALIDATION, TEST = "train", "validation", "test"
PARTS = (TRAIN, VALIDATION, TEST)


@dataclass(slots=True)
class Parted:
    """A split.

    Attributes:
        part: of each example's id.
        bridges: examples left out, because their groups stand on two sides.
        sets: how many sets of connected groups there were.
        largest: examples in the largest of them.
    """

    part: dict[str, str] = field(default_factory=dict)
    bridges: list[Key] = field(default_factory=list)
    sets: int = 0
    largest: int = 0


def part(keys: Sequence[Key], rules: Split, seed: int) -> Parted:
    """Parts examples; those without a group go by themselves.

    Args:
        keys: examples, no id twice.
        rules: shares, and what goes by time.
        seed: of the drawing.
    """
    connected = _connected(keys)
    parted = Parted(sets=len(connected), largest=max(map(len, connected.values()), default=0))
    wanted = {VALIDATION: math.ceil(rules.validation * len(keys)), TEST: math.ceil(rules.test * len(keys))}
    large = {name: members for name, members in connected.items() if len(members) > _limit(rules, len(keys))}
    small = {name: members for name, members in connected.items() if name not in large}
    held = Counter[str]()
    for kind in (True, False):
        some = {name: members for name, members in small.items() if _timed(members, rules) is kind}
        share = sum(map(len, some.values())) / max(1, len(keys))
        quota = {name: held[name] + min(wanted[name] - held[name], share * wanted[name]) for name in wanted}
        for name in _order(some, timed=kind, seed=seed):
            target = next((p for p in (TEST, VALIDATION) if held[p] + len(some[name]) / 2 <= quota[p]), TRAIN)
            held[target] += len(some[name])
            parted.part.update((key.id, target) for key in some[name])
    for members in (large[name] for name in sorted(large)):
        _cut(members, {p: wanted[p] - held[p] for p in wanted}, parted, held, seed)
    return parted


def leaks(parts: Mapping[str, Iterable[Key]]) -> set[str]:
    """Groups that stand in more than one part; empty for a split that holds."""
    seen: dict[str, str] = {}
    twice = set()
    for name, keys in parts.items():
        for group in {group for key in keys for group in key.groups}:
            if seen.setdefault(group, name) != name:
                twice.add(group)
    return twice


def _limit(rules: Split, total: int) -> float:
    """Largest set that is held out or kept whole."""
    return max(2.0, rules.largest * total)


def _connected(keys: Iterable[Key]) -> dict[str, list[Key]]:
    """Examples by the smallest name of all groups they are connected with."""
    parents: dict[str, str] = {}

    def root(name: str) -> str:
        while parents.setdefault(name, name) != name:
            parents[name] = name = parents[parents[name]]
        return name

    def names(key: Key) -> tuple[str, ...]:
        return key.groups or (f"example:{key.id}",)

    keys = list(keys)
    for key in keys:
        for other in names(key):
            first, second = sorted((root(names(key)[0]), root(other)))
            parents[second] = first
    sets = defaultdict(list)
    for key in keys:
        sets[root(names(key)[0])].append(key)
    return sets


def _timed(members: Sequence[Key], rules: Split) -> bool:
    """Whether a set is parted by time: all its groups are of the kinds that are."""
    return all(key.groups and all(group.startswith(rules.timed) for group in key.groups) for key in members)


def _order(sets: Mapping[str, Sequence[Key]], *, timed: bool, seed: int) -> list[str]:
    """Names of sets in the order in which they are held out: the newest first, or as drawn."""
    drawn = sorted(sets, key=lambda name: lot(seed, "split", name))
    if timed:
        drawn.sort(key=lambda name: max(key.as_of for key in sets[name]), reverse=True)
    return drawn


def _cut(members: Sequence[Key], wanted: Mapping[str, int], parted: Parted, held: Counter[str], seed: int) -> None:
    """Parts one large set: groups with few ties to others are held out, then others, until enough examples are.

    What a group costs is the share of its examples that name a group outside; a third is the most that is paid.
    """
    ties: Counter[str] = Counter()
    size: Counter[str] = Counter()
    for key in members:
        size.update(key.groups)
        ties.update(key.groups if len(key.groups) > 1 else ())
    order = sorted(size, key=lambda group: (round(ties[group] / size[group], 1), lot(seed, "cut", group)))
    side: dict[str, str] = {}
    left = dict(wanted)
    for group in order:
        own = size[group] - ties[group]
        target = next((p for p in (TEST, VALIDATION) if own / 2 < left[p]), TRAIN)
        side[group] = target if ties[group] <= size[group] / 3 and own else TRAIN
        if side[group] != TRAIN:
            left[target] -= own
    for key in members:
        sides = {side[group] for group in key.groups}
        if len(sides) == 1:
            parted.part[key.id] = sides.pop()
            held[parted.part[key.id]] += 1
        else:
            parted.bridges.append(key)
