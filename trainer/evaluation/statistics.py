"""What can be said of scores with how much certainty: intervals, baselines, paired tests, calibration.

Knows numbers only. `trainer.evaluate`, `trainer.compare` and the gate call it.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
ECE_BINS = 15
_DRAWS, _DRAWS_AT_ONCE = 10_000, 500
_GOLDEN = (math.sqrt(5) - 1) / 2
_SHARPEST, _FLATTEST = 0.05, 20.0  # temperatures
_SEARCH_STEPS = 60  # of the golden section: 1e-12 of the range is left

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with the 95 % interval around it."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Paired:
    """Two models on the same questions.

    Attributes:
        items: how many both answered.
        one: share right of the one, or its mean score.
        other: the same of the other.
        difference: one less other, with its bootstrap interval.
        only_one: questions that only the one has right; 0 where scores are compared.
        only_other: that only the other has right.
        p: McNemar's, exact and two-sided; None where scores are compared.
    """

    items: int
    one: float
    other: float
    difference: Interval
    only_one: int
    only_other: int
    p: float | None


def wilson(right: int, of: int, *, confidence: float = CONFIDENCE) -> Interval:
    """A share with its score interval; of nothing, anything from 0 to 1.

    Source: Wilson 1927, Journal of the American Statistical Association 22, 209.
    """
    if not of:
        return Interval(0.0, 0.0, 1.0)
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share = right / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half))


def majority(wanted: Sequence[str]) -> float | None:
    """What always giving the commonest answer would reach; None where there are no answers."""
    return max(Counter(wanted).values()) / len(wanted) if wanted else None


def mcnemar(only_one: int, only_other: int) -> float:
    """Two-sided exact p of as many or more unequal pairs on one side, were both models equally good.

    Source: McNemar 1947, Psychometrika 12, 153, with the binomial distribution instead of chi squared.
    """
    unequal, fewer = only_one + only_other, min(only_one, only_other)
    tail = sum(math.comb(unequal, n) for n in range(fewer + 1))
    return min(1.0, float(Fraction(2 * tail, 2**unequal)))


def bootstrap(values: Sequence[float], *, seed: int = 1, confidence: float = CONFIDENCE) -> Interval:
    """The mean of values with its percentile interval; the same seed gives the same.

    Source: Efron 1979, Annals of Statistics 7, 1.
    """
    array = np.asarray(values, dtype=np.float64)
    if not array.size:
        return Interval(0.0, 0.0, 0.0)
    chance = np.random.default_rng(seed)
    means = np.concatenate(
        [
            array[chance.integers(array.size, size=(_DRAWS_AT_ONCE, array.size))].mean(axis=1)
            for _ in range(_DRAWS // _DRAWS_AT_ONCE)
        ]
    )
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(array.mean()), float(low), float(high))


def paired(one: Sequence[float], other: Sequence[float], *, seed: int = 1) -> Paired:
    """Two models' scores on the same questions, in the same order.

    Args:
        one: 0 or 1 a question where answers are right or wrong, else 0 to 1.
        other: the same of the other model.
        seed: of the bootstrap.

    Raises:
        ValueError: not as many of the one as of the other.
    """
    pairs = list(zip(map(float, one), map(float, other), strict=True))
    binary = all(value in (0.0, 1.0) for pair in pairs for value in pair)
    only_one = sum(a > b for a, b in pairs) if binary else 0
    only_other = sum(a < b for a, b in pairs) if binary else 0
    count = max(1, len(pairs))
    return Paired(
        items=len(pairs),
        one=sum(a for a, _ in pairs) / count,
        other=sum(b for _, b in pairs) / count,
        difference=bootstrap([a - b for a, b in pairs], seed=seed),
        only_one=only_one,
        only_other=only_other,
        p=mcnemar(only_one, only_other) if binary else None,
    )


def softmax(logits: Sequence[float], *, temperature: float = 1.0) -> Vector:
    """Probabilities of logits, shape (options,)."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    powers = np.exp(scaled - scaled.max())
    return np.asarray(powers / powers.sum(), dtype=np.float64)


def temperature(logits: Sequence[Sequence[float]], wanted: Sequence[int]) -> float:
    """The temperature at which the right options are likeliest, between 0.05 and 20; 1 where there is nothing.

    The mean negative log likelihood is convex in its inverse, so a golden section finds the least.

    Source: Guo et al. 2017, arXiv 1706.04599.

    Args:
        logits: of each question's options; not all questions need have as many.
        wanted: place of the right one.
    """
    if not logits:
        return 1.0

    def loss(logarithm: float) -> float:
        heat = math.exp(logarithm)
        right = (softmax(row, temperature=heat)[place] for row, place in zip(logits, wanted, strict=True))
        return -sum(math.log(max(float(p), 1e-300)) for p in right) / len(logits)

    low, high = math.log(_SHARPEST), math.log(_FLATTEST)
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = loss(left), loss(right)
    for _ in range(_SEARCH_STEPS):
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = loss(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = loss(right)
    return math.exp((low + high) / 2)


def ece(confidences: Sequence[float], right: Sequence[bool], *, bins: int = ECE_BINS) -> float:
    """Expected calibration error over bins of equal width: how far confidence and share right lie apart.

    Source: Naeini et al. 2015, AAAI.
    """
    sure, truth = np.asarray(confidences, dtype=np.float64), np.asarray(right, dtype=np.float64)
    place = np.clip(np.ceil(sure * bins) - 1, 0, bins - 1)
    gaps = [abs(float((sure - truth)[place == one].sum())) for one in range(bins)]
    return sum(gaps) / len(sure) if len(sure) else 0.0


def aurc(confidences: Sequence[float], right: Sequence[bool]) -> float:
    """Area under the curve of errors over coverage: the mean share wrong among the surest 1, 2, 3 … answers.

    Source: Geifman and El-Yaniv 2017, arXiv 1705.08500.
    """
    wrong = 1 - _surest_first(confidences, right)
    return float((wrong.cumsum() / np.arange(1, len(wrong) + 1)).mean()) if len(wrong) else 0.0


def accuracy_at(coverage: float, confidences: Sequence[float], right: Sequence[bool]) -> float:
    """Share right among the surest part of the answers.

    Args:
        coverage: which part is answered, above 0 to 1.
        confidences: of each answer.
        right: whether it is.
    """
    ordered = _surest_first(confidences, right)
    return float(ordered[: math.ceil(coverage * len(ordered))].mean()) if len(ordered) else 0.0


def _surest_first(confidences: Sequence[float], right: Sequence[bool]) -> Vector:
    order = np.argsort(-np.asarray(confidences, dtype=np.float64), kind="stable")
    return np.asarray(right, dtype=np.float64)[order]
