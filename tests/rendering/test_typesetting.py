"""Characters to lines: nothing is wider than its line, nothing is lost, nothing hides."""

import random
import unicodedata

import pytest
from reportlab.pdfbase import pdfmetrics

from lumen_desktop.rendering import pdf
from lumen_desktop.rendering.typesetting import Face, Line, Style, Typesetter

STYLE = Style(Face.REGULAR, 10, 13)


@pytest.fixture(scope="module")
def typesetter() -> Typesetter:
    return Typesetter(pdf._faces())


def written(line: Line) -> str:
    return "".join(run.text for run in line.runs)


def texts(lines: list[Line]) -> list[str]:
    return [written(line) for line in lines]


def test_a_short_text_is_one_line(typesetter: Typesetter) -> None:
    assert texts(typesetter.lines("Cleaning of the granulator", STYLE, 300)) == ["Cleaning of the granulator"]


def test_an_empty_text_is_one_empty_line(typesetter: Typesetter) -> None:
    assert texts(typesetter.lines("", STYLE, 300)) == [""]


def test_breaks_and_indents_stay_and_tabs_are_spaces(typesetter: Typesetter) -> None:
    assert texts(typesetter.lines("a\n  b\r\n\tc\n\nd", STYLE, 300)) == ["a", "  b", "    c", "", "d"]


def test_spaces_within_a_line_stay(typesetter: Typesetter) -> None:
    assert texts(typesetter.lines("5  mg   per day", STYLE, 300)) == ["5  mg   per day"]


@pytest.mark.parametrize("seed", range(40))
def test_no_line_is_too_wide_and_no_word_is_lost(typesetter: Typesetter, seed: int) -> None:
    chance = random.Random(seed)
    words = ["".join(chance.choices("abcMWi≥Жя→ü%/", k=chance.choice([1, 4, 9, 60]))) for _ in range(80)]
    text = "".join(word + " " * chance.choice([1, 1, 1, 3]) for word in words)
    width = chance.uniform(40, 300)
    lines = typesetter.lines(" " * chance.choice([0, 7]) + text, STYLE, width)
    assert max(line.width for line in lines) <= width * 100 + 0.01
    assert "".join(texts(lines)).replace(" ", "") == text.replace(" ", "")
    for line in lines:
        assert line.width == pytest.approx(sum(run.width for run in line.runs))


def test_a_word_is_cut_only_where_no_line_holds_it(typesetter: Typesetter) -> None:
    lines = texts(typesetter.lines("limit " + "x" * 100 + " end", STYLE, 100))
    assert lines[0] == "limit"
    assert "".join(lines[1:]).replace(" end", "") == "x" * 100
    assert lines[-1].endswith(" end")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("\u202efdp.exe", "[U+202E]fdp.exe"),
        ("a\u200bb\u00adc", "a[U+200B]b[U+00AD]c"),
        ("bell\x07 \x1b[31m", "bell[U+0007] [U+001B][31m"),
        ("中あ한", "[U+4E2D][U+3042][U+D55C]"),
        ("مرحبا", "[U+0645][U+0631][U+062D][U+0628][U+0627]"),
        ("\U0001f600", "[U+1F600]"),
        ("\ud800", "[U+D800]"),
        ("\u2028\x0b\x85\r", "[U+2028][U+000B][U+0085][U+000D]"),
        ("\ufeff\ue000\u0378\U000e0041\u3164", "[U+FEFF][U+E000][U+0378][U+E0041][U+3164]"),
    ],
)
def test_what_cannot_be_shown_is_named_in_the_order_in_which_it_is_stored(
    typesetter: Typesetter, text: str, named: str
) -> None:
    (line,) = typesetter.lines(text, STYLE, 500)
    assert written(line) == named
    assert all(run.strange == run.text.startswith("[U+") for run in line.runs)


def test_a_name_of_a_character_is_told_from_the_same_words(typesetter: Typesetter) -> None:
    (typed,) = typesetter.lines("[U+202E]", STYLE, 500)
    (stored,) = typesetter.lines("\u202e", STYLE, 500)
    assert written(typed) == written(stored)
    assert [run.strange for run in typed.runs] == [False]
    assert [run.strange for run in stored.runs] == [True]


def test_marks_are_composed_and_a_pile_of_them_hides_nothing(typesetter: Typesetter) -> None:
    (line,) = typesetter.lines("e\u0301 x\u0304 " + "a" + "\u0336" * 5, STYLE, 500)
    assert written(line) == "é x\u0304 a\u0336\u0336" + "[U+0336]" * 3


def has_ink(face: Face, code: int) -> bool:
    font = pdfmetrics.getFont(face.value).face
    glyph = font.charToGlyph[code]
    return bool(font.glyphPos[glyph + 1] > font.glyphPos[glyph])


@pytest.mark.no_cover
def test_every_character_of_unicode_leaves_ink_or_is_a_space_or_is_named(typesetter: Typesetter) -> None:
    for code in [*range(0x2_0000), *range(0xE_0000, 0xE_0200), 0x10_FFFF]:
        character = chr(code)
        kind = unicodedata.category(character)
        cell = typesetter._cell(Face.REGULAR, character)
        if cell.strange:
            assert cell.text == f"[U+{code:04X}]"
        elif kind == "Zs":
            assert cell.text in {character, " "}
            assert cell.width > 0
        else:
            assert cell.text == character
            assert has_ink(cell.face, code), hex(code)
            assert cell.width > 0 or kind in {"Mn", "Me"}
            assert unicodedata.bidirectional(character) not in {"R", "AL", "AN"}


def test_a_name_wider_than_its_line_is_cut(typesetter: Typesetter) -> None:
    lines = typesetter.lines("\U0001f600\u202e", STYLE, 20)
    assert max(line.width for line in lines) <= 2000
    assert "".join(texts(lines)) == "[U+1F600][U+202E]"


def test_one_line_says_where_there_is_more(typesetter: Typesetter) -> None:
    assert written(typesetter.one_line("short\ntitle", STYLE, 200)) == "short title"
    cut = typesetter.one_line("a long title " * 10_000, STYLE, 200)
    assert written(cut).startswith("a long title a long")
    assert written(cut).endswith("…")
    assert cut.width <= 20_000
