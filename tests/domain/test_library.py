"""Where a quote stands and whose words it is; what text may be stored."""

import itertools

import pytest

from lumen_desktop.domain.library import Currency, Kind, Passage, Span, kept, normalised, storable


def passage(*spans: Span, paged: bool = True, kind: Kind = Kind.SOURCE, edition: str = "", currency: Currency = Currency.IN_FORCE) -> Passage:  # fmt: skip  # noqa: E501
    return Passage(
        id=1, document_id=1, document="Annex 11", kind=kind, subject="EU GMP Annex 11", edition=edition,
        currency=currency, paged=paged, header="", section="", text="x", spans=spans,
    )  # fmt: skip


def test_a_character_stands_on_the_page_of_its_span() -> None:
    two = passage(Span(3, 100, 110), Span(4, 0, 5), Span(6, 7, 9))
    assert [two.page_of(place) for place in (0, 9)] == [3, 3]
    assert [two.page_of(place) for place in (11, 15)] == [4, 4]
    assert [two.page_of(place) for place in (17, 18)] == [6, 6]
    assert two.page_of(99) == 6  # past the end: the last page


def test_a_stretch_of_the_text_is_placed_in_its_spans() -> None:
    two = passage(Span(3, 100, 110), Span(4, 0, 5), Span(6, 7, 9))
    assert two.places(0, 19) == two.spans
    assert two.places(2, 13) == (Span(3, 102, 110), Span(4, 0, 2))
    assert two.places(12, 13) == (Span(4, 1, 2),)
    assert two.places(10, 11) == ()  # the space between two spans stands nowhere
    assert two.places(17, 99) == (Span(6, 7, 9),)


def test_without_pages_there_is_no_page() -> None:
    assert passage(Span(1, 0, 5), paged=False).page_of(0) is None


def test_every_character_of_joined_spans_is_placed_as_it_was_joined() -> None:
    pages = {1: "alpha beta", 2: "gamma", 3: "delta epsilon"}
    for lengths in itertools.product((2, 5), repeat=3):
        spans = [Span(page, 0, length) for page, length in zip(pages, lengths, strict=True)]
        text = " ".join(pages[span.page][span.start : span.end] for span in spans)
        place = 0
        for span in spans:
            for offset in range(span.end - span.start):
                assert passage(*spans).page_of(place + offset) == span.page
                assert text[place + offset] == pages[span.page][offset]
            place += span.end - span.start + 1


@pytest.mark.parametrize(
    ("kind", "edition", "currency", "said"),
    [
        (Kind.SOURCE, "", Currency.IN_FORCE, "Annex 11"),
        (Kind.SOURCE, "2011", Currency.IN_FORCE, "Annex 11 (2011)"),
        (Kind.SOURCE, "2011", Currency.SUPERSEDED, "Annex 11 (2011) [superseded]"),
        (Kind.SUMMARY, "2011", Currency.IN_FORCE, "Lumen's summary of EU GMP Annex 11, not its wording (2011)"),
        (Kind.SUMMARY, "", Currency.DRAFT, "Lumen's summary of EU GMP Annex 11, not its wording [draft]"),
    ],
)
def test_a_quote_says_whose_words_it_is_and_in_which_state(
    kind: Kind, edition: str, currency: Currency, said: str
) -> None:
    assert passage(kind=kind, edition=edition, currency=currency).attribution == said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a  b\t c", "a b c"),
        ("a \n \n  b", "a\nb"),
        (" \n a \n ", "a"),
        ("a\u00a0b\u2003c", "a b c"),
        ("a\u200bb\u202ec\ufeffd\u00ade", "abcde"),
        ("a\x00b\x1fc\x7f", "abc"),
        ("a\x9b\x85b\u061cc\U000e0041\U000e007fd\ufffbe", "a bcde"),
        ("", ""),
    ],
)
def test_white_space_is_made_even_and_unseen_characters_go(text: str, expected: str) -> None:
    assert normalised(text) == expected
    assert normalised(normalised(text)) == normalised(text)
    assert "".join(text[place] for place in kept(text)) == "".join(normalised(text).split())


def test_half_characters_become_question_marks_of_the_same_length() -> None:
    assert storable("caf\udce9 \ud83d µg 💊") == "caf? ? µg 💊"
    assert storable("plain") == "plain"
