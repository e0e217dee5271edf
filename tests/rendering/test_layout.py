"""Lines to pages: a row is carried over whole, nothing reaches into the foot, no line stands alone."""

import random

import pytest

from lumen_desktop.rendering import pdf
from lumen_desktop.rendering.layout import LANDSCAPE, PORTRAIT, Box, Format, Sheet, Words
from lumen_desktop.rendering.typesetting import Face, Style, Tone, Typesetter

STYLE = Style(Face.REGULAR, 9, 12)


@pytest.fixture
def sheet() -> Sheet:
    return Sheet(Typesetter(pdf._faces()), PORTRAIT)


def lines(count: int) -> str:
    return "\n".join(f"line {number}" for number in range(count))


def words(sheet: Sheet) -> list[list[str]]:
    return [
        ["".join(run.text for run in drawn.line.runs) for drawn in page.drawn if isinstance(drawn, Words)]
        for page in sheet.pages
    ]


def put(sheet: Sheet, *texts: str, fill: Tone | None = None) -> None:
    columns = sheet.columns(*[1] * len(texts))
    cells = [sheet.cell(text, STYLE, width) for text, width in zip(texts, columns.widths, strict=True)]
    sheet.row(cells, columns, pad=2, fill=fill)


@pytest.mark.parametrize("form", [PORTRAIT, LANDSCAPE])
@pytest.mark.parametrize("seed", range(20))
def test_every_line_is_placed_once_and_within_the_body(form: Format, seed: int) -> None:
    chance = random.Random(seed)
    sheet = Sheet(Typesetter(pdf._faces()), form)
    placed = 0
    for _ in range(12):
        counts = [chance.choice([1, 2, 5, 30, 90, 200]) for _ in range(chance.choice([1, 2, 3]))]
        put(sheet, *(lines(count) for count in counts), fill=Tone.BAND)
        placed += sum(counts)
    drawn = [thing for page in sheet.pages for thing in page.drawn]
    assert len([thing for thing in drawn if isinstance(thing, Words)]) == placed
    for thing in drawn:
        assert isinstance(thing, Words | Box)
        assert form.below - 0.1 <= thing.y <= sheet.top


def test_columns_share_the_width_and_never_overlap(sheet: Sheet) -> None:
    columns = sheet.columns(1, 2, 3, indent=5, gutter=8)
    edges = [left + width for left, width in zip(columns.lefts, columns.widths, strict=True)]
    assert columns.lefts[0] == pytest.approx(sheet.left + 5)
    assert edges[-1] == pytest.approx(sheet.left + sheet.width - 5)
    assert [after - before for before, after in zip(edges, columns.lefts[1:], strict=False)] == pytest.approx([8, 8])


def test_a_small_row_is_not_broken(sheet: Sheet) -> None:
    sheet.y = PORTRAIT.below + 30
    put(sheet, lines(4))
    assert [len(page) for page in words(sheet)] == [0, 4]


@pytest.mark.parametrize("count", range(50, 140))
def test_a_long_text_leaves_no_line_alone(count: int) -> None:
    sheet = Sheet(Typesetter(pdf._faces()), PORTRAIT)
    put(sheet, lines(count))
    assert sum(len(page) for page in words(sheet)) == count
    assert min(len(page) for page in words(sheet)) >= 2


def test_a_running_head_stands_on_each_further_page(sheet: Sheet) -> None:
    sheet.running = lambda: put(sheet, "head")
    put(sheet, lines(150))
    assert [page[0] for page in words(sheet)][1:] == ["head"] * (len(sheet.pages) - 1)
    assert len(sheet.pages) > 2


def test_space_at_the_top_of_a_page_is_left_out(sheet: Sheet) -> None:
    sheet.skip(20)
    assert sheet.y == sheet.top
    put(sheet, "a")
    y = sheet.y
    sheet.skip(20)
    assert sheet.y == y - 20


def test_what_no_page_could_hold_does_not_turn_pages_for_ever(sheet: Sheet) -> None:
    sheet.demand(10_000)
    assert len(sheet.pages) == 1
    put(sheet, "a")
    sheet.demand(10_000)
    assert len(sheet.pages) == 1
