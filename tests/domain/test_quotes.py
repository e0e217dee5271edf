"""Finding a quote again in the text that it was taken from."""

import pytest

from lumen_desktop.domain.quotes import Located, locate

TEXT = "4.2 A computer-\nised system is\nvalidated. The qual-\nity unit keeps the records for 5 years."


@pytest.mark.parametrize(
    ("quote", "start", "end"),
    [
        ("A computer-ised system is validated.", "A computer", "validated."),
        ("A computerised  system\nis validated.", "A computer", "validated."),
        ("ity unit keeps", "ity", "keeps"),
        (TEXT, "4.2", "years."),
    ],
)
def test_spaces_and_hyphens_at_line_ends_do_not_hide_a_quote(quote: str, start: str, end: str) -> None:
    assert locate(quote, TEXT) == Located(((TEXT.index(start), TEXT.index(end) + len(end)),), 1.0)


def test_a_quote_that_was_altered_is_marked_where_its_words_are_the_same() -> None:
    found = locate("The qual-ity unit always keeps the records for 5 years.", TEXT)
    assert 0.8 < found.share < 1
    assert [TEXT[start:end] for start, end in found.ranges] == ["The qual-\nity unit", "keeps the records for 5 years"]


@pytest.mark.parametrize("quote", ["Nothing of the kind is said here, not in one word.", "", "  - ", "…"])
def test_below_a_half_nothing_is_marked(quote: str) -> None:
    found = locate(quote, TEXT)
    assert found.ranges == ()
    assert found.share < 0.5


def test_what_was_found_of_less_than_half_is_still_told() -> None:
    found = locate("keeps the records while nobody whatsoever remembers the pharmaceutical manufacturer", TEXT)
    assert found.ranges == ()
    assert 0.1 < found.share < 0.5


def test_an_empty_text_holds_no_quote() -> None:
    assert locate("Words.", "") == Located((), 0.0)
