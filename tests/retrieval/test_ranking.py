"""Two legs become one list: each stretched over its own best hundred, half and half."""

import pytest

from lumen_desktop.retrieval.ranking import LEG, fuse, query_words


def test_a_passage_that_both_legs_put_first_scores_one() -> None:
    fused = fuse([(1, 9.0), (2, 3.0)], [(1, 0.8), (3, 0.2)])
    assert [(r.passage_id, r.score) for r in fused] == [(1, 1.0), (2, 0.0), (3, 0.0)]
    assert (fused[0].text_rank, fused[0].text_score, fused[0].vector_rank, fused[0].cosine) == (1, 9.0, 1, 0.8)


def test_a_leg_that_missed_a_passage_has_neither_rank_nor_score_there() -> None:
    found = {r.passage_id: r for r in fuse([(1, 9.0), (2, 3.0)], [(3, 0.8), (4, 0.2)])}
    assert (found[1].vector_rank, found[1].cosine) == (None, None)
    assert (found[3].text_rank, found[3].text_score) == (None, None)
    assert found[1].score == found[3].score == 0.5


def test_scores_do_not_depend_on_a_legs_scale() -> None:
    small = fuse([(1, 0.3), (2, 0.2), (3, 0.1)], [(3, 0.9), (2, 0.5), (1, 0.1)])
    large = fuse([(1, 300.0), (2, 200.0), (3, 100.0)], [(3, 0.9), (2, 0.5), (1, 0.1)])
    assert [r.passage_id for r in small] == [r.passage_id for r in large]
    assert [r.score for r in small] == pytest.approx([r.score for r in large])


def test_equal_ones_stand_in_the_order_of_their_numbers() -> None:
    assert [r.passage_id for r in fuse([(7, 1.0), (5, 1.0)], [(6, 0.4), (4, 0.4)])] == [4, 5, 6, 7]


def test_one_leg_alone_is_enough_and_none_is_nothing() -> None:
    assert [r.passage_id for r in fuse([], [(2, 0.9), (1, 0.1)])] == [2, 1]
    assert [r.passage_id for r in fuse([(1, 2.0)], [])] == [1]
    assert fuse([], []) == []


def test_only_the_best_hundred_of_a_leg_take_part() -> None:
    fused = fuse([(n, 1000.0 - n) for n in range(LEG + 50)], [])
    assert len(fused) == LEG
    assert {r.passage_id for r in fused} == set(range(LEG))


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What is the limit for the limit?", ["limit"]),
        ("What is it?", ["what", "is", "it"]),
        ("Does 21 CFR 211.192 apply?", ["21", "cfr", "211.192", "apply"]),
        ('mg/mL "AND" NOT -', ["mg/ml"]),
        ("", []),
    ],
)
def test_a_questions_words_are_without_stop_words_and_each_once(question: str, expected: list[str]) -> None:
    assert query_words(question) == expected


def test_a_very_long_question_is_cut() -> None:
    assert len(query_words(" ".join(f"word{n}" for n in range(500)))) == 64
