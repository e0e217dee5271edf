"""Sentences are verbatim slices, cut where a reader would cut; words meet in their common forms."""

import math
import random

import pytest

from lumen_desktop.domain.sentences import (
    content_words,
    coverage,
    inverse_frequencies,
    markdown_sentences,
    sentences,
    stem,
    words,
)


def cut(text: str) -> list[str]:
    return [sentence.text for sentence in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("   \n ", []),
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("No end", ["No end"]),
        ("He said “stop.” Then he left.", ["He said “stop.”", "Then he left."]),
        ("See e.g. the annex. Next.", ["See e.g. the annex.", "Next."]),
        ("Dr. Meier signs. Next.", ["Dr. Meier signs.", "Next."]),
        ("Give 2.5 mg. Next.", ["Give 2.5 mg.", "Next."]),
        ("Vitamin C. is one. Next.", ["Vitamin C. is one.", "Next."]),
        ("- First item\n- Second item", ["First item", "Second item"]),
        ("As follows:\na) first\nb) second", ["As follows:", "a) first", "b) second"]),
        ("1. Scope of this\n2. Terms of it", ["1. Scope of this", "2. Terms of it"]),
        ("Given q.i.d. to all. Next.", ["Given q.i.d. to all.", "Next."]),
        ("(See Fig. 2.) Next.", ["(See Fig. 2.)", "Next."]),
    ],
)
def test_cuts_fall_where_a_reader_would_cut(text: str, expected: list[str]) -> None:
    assert cut(text) == expected


def test_sentences_are_verbatim_slices_in_order_without_overlap() -> None:
    draw = random.Random(11)
    pieces = [
        "Dr.",
        "e.g.",
        "2.5 mg",
        "(see",
        ")",
        ". ",
        "! ",
        "? ",
        "\n",
        "\n- ",
        ":\n",
        "1. ",
        "µg",
        "word",
        " ",
        "“",
        "”",
    ]
    for _ in range(400):
        text = "".join(draw.choice(pieces) for _ in range(draw.randrange(60)))
        end = 0
        for sentence in sentences(text):
            assert text[sentence.start : sentence.end] == sentence.text
            assert sentence.start >= end
            assert sentence.text == sentence.text.strip() != ""
            end = sentence.end


def test_a_very_long_sentence_is_cut_at_spaces_and_nothing_is_lost() -> None:
    text = " ".join(f"word{n}" for n in range(500))
    parts = cut(text)
    assert max(map(len, parts)) <= 600
    assert " ".join(parts) == text
    endless = "x" * 1500
    assert "".join(cut(endless)) == endless


def test_words_are_lower_case_and_keep_what_belongs_together() -> None:
    assert words("The 21 CFR 211.192, isn't it? 5 µg/mL") == [
        "the",
        "21",
        "cfr",
        "211.192",
        "isn't",
        "it",
        "5",
        "µg/ml",
    ]


def test_content_words_meet_in_their_forms() -> None:
    assert content_words("the cleaning of cleaned equipment") == content_words("Cleans equipment")[:1] * 2 + [
        "equipment"
    ]
    assert content_words("of the and") == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("investigations", "investigation"), ("studies", "study"), ("studied", "study"), ("batches", "batch"),
        ("processes", "process"), ("tested", "testing"), ("quickly", "quick"), ("impurities", "impurity"),
        ("doses", "dose"), ("dosing", "dose"), ("rules", "rule"), ("sites", "site"), ("lots", "lot"),
    ],
)  # fmt: skip
def test_forms_of_a_word_meet(one: str, other: str) -> None:
    assert stem(one) == stem(other)


@pytest.mark.parametrize("word", ["lot", "is", "q10", "12345", "bus", "gas"])
def test_short_words_and_numbers_stay(word: str) -> None:
    assert stem(word) == word


def test_a_word_without_an_ending_stays() -> None:
    assert stem("autoclav") == "autoclav"


def test_coverage_is_the_share_of_the_questions_weight() -> None:
    weights = {"rare": 3.0, "common": 1.0}
    assert coverage(["rare", "common"], ["rare"], weights) == 0.75
    assert coverage(["rare", "common"], [], weights) == 0.0
    assert coverage(["common", "common"], ["common"], weights) == 1.0
    assert coverage(["unknown", "common"], ["common"], weights) == 0.25  # as rare as the rarest
    assert coverage([], ["x"], weights) == 0.0
    assert coverage(["a", "b"], ["a"], {}) == 0.5


def test_rare_words_weigh_more() -> None:
    found = inverse_frequencies({"everywhere": 3, "once": 1, "nowhere": 0}, 3)
    assert found["once"] == found["nowhere"] == pytest.approx(math.log(4))
    assert found["everywhere"] == pytest.approx(math.log(2))
    assert inverse_frequencies({}, 0) == {}


def test_markdown_is_cut_at_rows_headings_and_paragraphs_and_nothing_between_is_lost() -> None:
    text = "# Storage\nKeep it cold. Keep it dry.\n\n- one\n- two\n\n"
    text += "| a | b |\n|---|---|\n| 2 mg | 3 |\nAfter\nit 40\nmg"
    found = list(markdown_sentences(text))
    assert [sentence.text for sentence in found] == [
        "# Storage", "Keep it cold.", "Keep it dry.", "one", "two", "| a | b |", "|---|---|", "| 2 mg | 3 |",
        "After\nit 40\nmg",
    ]  # fmt: skip
    assert all(text[sentence.start : sentence.end] == sentence.text for sentence in found)
