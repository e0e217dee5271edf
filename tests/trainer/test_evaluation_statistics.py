"""Figures against values that were published or can be worked out by hand."""

import math

import pytest

from trainer.evaluation import statistics


@pytest.mark.parametrize(
    ("right", "of", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718),
        (29, 29, 0.8830, 1.0),
    ],
)  # fmt: skip
def test_wilson_is_newcombes_method_3(right: int, of: int, low: float, high: float) -> None:
    """Newcombe 1998, Statistics in Medicine 17, 857, table I."""
    interval = statistics.wilson(right, of)
    assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)
    assert interval.value == right / of


def test_of_nothing_anything_may_be() -> None:
    assert statistics.wilson(0, 0) == statistics.Interval(0.0, 0.0, 1.0)
    assert statistics.majority([]) is None
    assert statistics.temperature([], []) == 1.0
    assert statistics.bootstrap([]) == statistics.Interval(0.0, 0.0, 0.0)
    assert statistics.ece([], []) == statistics.aurc([], []) == statistics.accuracy_at(0.8, [], []) == 0.0
    assert statistics.paired([], []).p == 1.0


def test_the_exact_mcnemar_test() -> None:
    """6 against 16 is the example of Fagerland, Lydersen and Laake 2013, BMC Medical Research Methodology 13, 91."""
    assert statistics.mcnemar(6, 16) == pytest.approx(0.05248, abs=1e-5)
    assert statistics.mcnemar(16, 6) == statistics.mcnemar(6, 16)
    assert statistics.mcnemar(1, 9) == pytest.approx(2 * 11 / 1024)
    assert statistics.mcnemar(5, 5) == statistics.mcnemar(0, 0) == 1.0
    assert 0 < statistics.mcnemar(800, 1_200) < 1e-15  # no overflow with thousands


def test_pairs_are_counted_by_who_alone_is_right() -> None:
    one, other = [1, 1, 1, 0, 0, 1, 1, 1], [1, 0, 0, 1, 0, 0, 0, 0]
    found = statistics.paired(one, other)
    assert (found.items, found.one, found.other, found.only_one, found.only_other) == (8, 0.75, 0.25, 5, 1)
    assert found.difference.value == 0.5
    assert found.p == statistics.mcnemar(5, 1)
    assert found == statistics.paired(one, other)  # the bootstrap draws the same every time


def test_scores_are_paired_by_their_difference_alone() -> None:
    found = statistics.paired([0.5, 0.75, 1.0, 0.5], [0.25, 0.5, 0.75, 0.25])
    assert found.p is None
    assert found.difference == statistics.Interval(0.25, 0.25, 0.25)


def test_pairs_of_unequal_number_are_refused() -> None:
    with pytest.raises(ValueError, match="argument 2"):
        statistics.paired([1.0], [1.0, 0.0])


def test_the_bootstrap_of_a_share_agrees_with_its_standard_error() -> None:
    interval = statistics.bootstrap([0.0, 1.0] * 200)
    assert interval.value == 0.5
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * math.sqrt(0.25 / 400), rel=0.05)


def test_the_majority_is_the_commonest_answer() -> None:
    assert statistics.majority(["yes", "no", "yes", "maybe"]) == 0.5


def test_a_temperature_is_found_that_was_put_in() -> None:
    """Of 1,000 answers at logits 2 and 0, 731 are right: the probability that a temperature of 2 gives."""
    right = [0] * 731 + [1] * 269
    heat = statistics.temperature([[2.0, 0.0]] * 1_000, right)
    assert heat == pytest.approx(2 / math.log(0.731 / 0.269), rel=1e-6)
    assert float(statistics.softmax([2.0, 0.0], temperature=heat)[0]) == pytest.approx(0.731, abs=1e-6)


def test_the_temperature_stays_within_its_limits() -> None:
    assert statistics.temperature([[1.0, 0.0]] * 50, [0] * 50) == pytest.approx(0.05, rel=1e-6)
    assert statistics.temperature([[1.0, 0.0]] * 50, [1] * 50) == pytest.approx(20.0, rel=1e-6)


def test_softmax_holds_with_large_logits() -> None:
    assert statistics.softmax([1_000.0, 1_000.0]).tolist() == [0.5, 0.5]


def test_the_error_of_calibration_by_hand() -> None:
    """Two bins: 0.9 four times with three right (gap 0.15), 0.5 twice with one right (gap 0)."""
    sure, right = [0.9, 0.9, 0.9, 0.9, 0.5, 0.5], [True, True, True, False, True, False]
    assert statistics.ece(sure, right) == pytest.approx(4 / 6 * 0.15)
    assert statistics.ece([1.0, 0.0], [True, False]) == 0.0


def test_errors_over_coverage_by_hand() -> None:
    sure, right = [0.6, 0.9, 0.8, 0.7], [True, True, False, True]
    assert statistics.aurc(sure, right) == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 4) / 4)
    assert statistics.accuracy_at(0.5, sure, right) == 0.5
    assert statistics.accuracy_at(0.8, sure, right) == 0.75
    assert statistics.accuracy_at(0.25, sure, right) == 1.0
