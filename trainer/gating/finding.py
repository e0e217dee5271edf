"""What a check looks at and what it finds: figures and words, no verdict. Knows no check."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from trainer.config import Config
from trainer.evaluation.statistics import Interval, wilson
from trainer.gating.evidence import Asked, Evidence

POINTS = 100


@dataclass(frozen=True, slots=True)
class Looked:
    """What somebody looked at beforehand: a file, the dataset, a person's judgement.

    Attributes:
        seen: how much, in words; empty where nobody looked.
        faults: what was wrong, a sentence each.
        told: what is worth saying though it is no fault.
        figures: by name.
    """

    seen: str = ""
    faults: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    figures: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """What all checks look at."""

    config: Config
    evidence: Evidence
    integrity: Looked
    contamination: Looked
    review: Looked


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found; ``good`` is None where it was not measured."""

    value: str
    threshold: str
    good: bool | None
    why: str
    figures: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rate:
    """How often a model did something, and the line that it must not cross.

    Attributes:
        words: what it did.
        sets: whose items are right where it did it, or with ``least`` unset, where it did not.
        line: the share, 0 to 1.
        least: whether the share must reach the line; else it must not lie above.
    """

    words: str
    sets: tuple[str, ...]
    line: float
    least: bool = False

    def of(self, asked: Asked) -> Interval | None:
        """The share with its interval, counted from the items; None where no such set was asked."""
        judged = [item.right for score in asked.scores(self.sets) for item in asked.items(score.set)]
        if not judged:
            return None
        return wilson(sum(bool(right) == self.least for right in judged), len(judged))

    def holds(self, share: float) -> bool:
        """Whether a share lies on the right side."""
        return share >= self.line if self.least else share <= self.line

    @property
    def threshold(self) -> str:
        """The line in words."""
        return f"{self.words} {'≥' if self.least else '≤'} {self.line:.0%}"


def rated(rates: Sequence[Rate], asked: Asked) -> Finding:
    """Whether all shares lie on the right side of their lines; a set that was not asked is not measured."""
    found = {rate: rate.of(asked) for rate in rates}
    shares = {rate: share for rate, share in found.items() if share is not None}
    over = [rate.words for rate, share in shares.items() if not rate.holds(share.value)]
    absent = [rate for rate in rates if rate not in shares]
    value = ", ".join(
        f"{rate.words} {share.value:.1%} [{share.low:.1%}, {share.high:.1%}]" for rate, share in shares.items()
    )
    why = [f"beyond the line: {', '.join(over)}"] if over else []
    why += [f"not asked: {', '.join('/'.join(rate.sets) for rate in absent)}"] if absent else []
    good = False if over else None if absent else True
    figures = {rate.words: share.value for rate, share in shares.items()}
    return Finding(
        value,
        ", ".join(rate.threshold for rate in rates),
        good,
        sentence("; ".join(why) or "within the lines"),
        figures,
    )


def signed(difference: Interval) -> str:
    """A difference in points with its interval."""
    low, high = difference.low * POINTS, difference.high * POINTS
    return f"{difference.value * POINTS:+.1f} [{low:+.1f}, {high:+.1f}]"


def sentence(words: str) -> str:
    """Words as a sentence."""
    return f"{words[:1].upper()}{words[1:]}."
