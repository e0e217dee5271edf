"""How many examples of each family a dataset takes, and which.

Nothing is repeated to fill a gap: a family with too few gives what it has, and the report says how many are missing.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer.curation.keys import Key, lot
from trainer.curation.settings import Mix


@dataclass(frozen=True, slots=True)
class Portion:
    """One family in one part of the dataset: examples wanted, at hand and taken."""

    wanted: int
    there: int
    taken: int

    def as_json(self) -> dict[str, Any]:
        """JSON values, with what is missing."""
        return {
            "wanted": self.wanted, "there": self.there, "taken": self.taken, "missing": self.wanted - self.taken,
        }  # fmt: skip


def mixed(keys: Sequence[Key], mix: Mix, *, share: float, seed: int) -> tuple[list[Key], dict[str, Portion]]:
    """The examples of one part, in the order they are written, and what each family gave.

    Args:
        keys: of the part.
        mix: examples in all parts and the families' shares.
        share: of the part among all examples.
        seed: of the drawing.
    """
    families: defaultdict[str, list[Key]] = defaultdict(list)
    for key in sorted(keys, key=lambda key: lot(seed, "mix", key.id)):
        families[key.family].append(key)
    wanted = _wanted({name: len(some) for name, some in families.items()}, mix, share)
    portions = {
        name: Portion(wanted[name], len(families[name]), min(wanted[name], len(families[name])))
        for name in sorted(wanted)
    }
    taken = [key for name, portion in portions.items() for key in families[name][: portion.taken]]
    return sorted(taken, key=lambda key: lot(seed, "order", key.id)), portions


def _wanted(there: Mapping[str, int], mix: Mix, share: float) -> dict[str, int]:
    """Examples wanted of each family; the largest remainders are rounded up, so that the sum is right."""
    if mix.examples is None and not mix.families:
        return dict(there)
    shares = mix.families or there
    whole = sum(shares.values())
    total = round(share * mix.examples) if mix.examples is not None else sum(there.get(name, 0) for name in shares)
    exact = {name: total * value / whole for name, value in shares.items()} if whole else dict.fromkeys(shares, 0.0)
    wanted = {name: int(value) for name, value in exact.items()}
    rest = total - sum(wanted.values()) if whole else 0
    for name in sorted(exact, key=lambda name: (wanted[name] - exact[name], name))[:rest]:
        wanted[name] += 1
    return {**dict.fromkeys(there, 0), **wanted}
