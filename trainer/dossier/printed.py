"""The report as a PDF: fonts, pages and their numbers, tables that go on over a page's end, the same pictures.

The trainer's one door to reportlab; the app prints its own records elsewhere. The same report gives the same bytes.
"""

import io
import itertools
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab import rl_config
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)  # fmt: skip

from lumen_desktop.domain.names import shown
from lumen_desktop.errors import StorageError
from trainer.dossier import parts
from trainer.dossier.drawing import Area, Dot, Drawing, Ink, Line, Shape, Words
from trainer.gating.result import Outcome

_FONTS = Path(__file__).resolve().parents[2] / "resources" / "fonts"
_REGULAR, _BOLD, _MONO = "NotoSans-Regular", "NotoSans-Bold", "DejaVuSansMono"
_TEXT, _MUTED, _RULE, _SUNKEN = HexColor("#15202B"), HexColor("#4D5A67"), HexColor("#C9D1D9"), HexColor("#F5F7F9")
_INKS = {
    Ink.TEXT: _TEXT, Ink.SOFT: _MUTED, Ink.LINE: HexColor("#D5DCE2"), Ink.ALLOWED: HexColor("#E2F0EA"),
    Ink.BUILD: HexColor("#0B6670"), Ink.BASE: HexColor("#B26F00"), Ink.WARN: HexColor("#9C2B1B"),
}  # fmt: skip
_OUTCOMES = {
    Outcome.PASS.value: (HexColor("#12664A"), HexColor("#E2F0EA")),
    Outcome.FAIL.value: (HexColor("#9C2B1B"), HexColor("#FDF0ED")),
    Outcome.WAIVED.value: (HexColor("#7A4B00"), HexColor("#FBF1DD")),
    Outcome.NOT_RUN.value: (_MUTED, _SUNKEN),
}
_EDGE, _HEAD, _FOOT = 48.0, 62.0, 52.0
_WIDTH = A4[0] - 2 * _EDGE
_TILES = 4
_ROW, _TOGETHER = 16.0, 5  # so many rows of a table begin on the page of their heading
_MOST = 560.0  # less than a page
_BODY = ParagraphStyle("body", fontName=_REGULAR, fontSize=9, leading=12.5, textColor=_TEXT, spaceAfter=5)
_SOFT = ParagraphStyle("soft", _BODY, textColor=_MUTED)
_TITLE = ParagraphStyle("title", _BODY, fontName=_BOLD, fontSize=18, leading=23, spaceAfter=2)
_HEADING = ParagraphStyle("heading", _BODY, fontName=_BOLD, fontSize=12, leading=15, spaceBefore=12, spaceAfter=5)
_CELL = ParagraphStyle("cell", _BODY, fontSize=7.6, leading=9.8, spaceAfter=0)
_FIGURE = ParagraphStyle("figure", _CELL, alignment=TA_RIGHT)
_CELL_HEAD = ParagraphStyle("cell head", _CELL, fontName=_BOLD)
_FIGURE_HEAD = ParagraphStyle("figure head", _CELL_HEAD, alignment=TA_RIGHT)
_DIGEST = ParagraphStyle("digest", _CELL, fontName=_MONO, fontSize=6.6)


def printed(report: parts.Report) -> bytes:
    """A PDF of the report.

    Raises:
        StorageError: a font is missing from the trainer's files (TRN-100).

    Source: ISO 32000-1.
    """
    _faces()
    rl_config.useA85 = 0  # binary streams: smaller, and nobody sends files through 7 bits any more
    stream = io.BytesIO()
    document = BaseDocTemplate(
        stream, pagesize=A4, leftMargin=_EDGE, rightMargin=_EDGE, topMargin=_HEAD, bottomMargin=_FOOT, invariant=1,
        title=f"{shown(report.title)}: evaluation and gate", author="lumen-trainer", subject=shown(report.identity),
        creator="lumen-trainer", keywords=f"sha256:{report.digest}", lang="en",
    )  # fmt: skip
    frame = Frame(_EDGE, _FOOT, _WIDTH, A4[1] - _HEAD - _FOOT, 0, 0, 0, 0)
    document.addPageTemplates(PageTemplate(frames=[frame]))
    document.build(list(_story(report)), canvasmaker=_numbered(report))
    return stream.getvalue()


@cache
def _faces() -> None:
    for name in (_REGULAR, _BOLD, _MONO):
        try:
            pdfmetrics.registerFont(TTFont(name, str(_FONTS / f"{name}.ttf")))
        except TTFError:
            raise StorageError(
                "A font that the report needs is missing from the trainer's files.", code="TRN-100",
                hint="Get the trainer's folder again, resources/fonts with it.",
            ) from None  # fmt: skip


def _story(report: parts.Report) -> Iterator[Flowable]:
    yield _words(report.title, _TITLE)
    yield _words(f"{report.identity} · {report.day}", _SOFT)
    yield _banner(report.result, f"{report.result}: {report.sentence}")
    if report.stamp:
        yield _banner(Outcome.FAIL.value, report.stamp)
    yield _tiles(report.tiles)
    yield _words(f"SHA-256 of the file that was judged: {report.digest}", _DIGEST)
    for section in report.sections:
        yield from _section(section)


def _section(section: parts.Section) -> Iterator[Flowable]:
    room = 70 + (section.drawing.height if section.drawing else 0)
    room += _ROW * min(_TOGETHER, len(section.table.rows)) if section.table else 0
    yield CondPageBreak(min(room, _MOST))
    yield _Heading(section.heading, section.name)
    for words in section.words:
        yield _words(words, _BODY)
    if section.drawing:
        yield _Picture(section.drawing)
        yield Spacer(1, 6)
    if section.table:
        yield _table(section.table)


def _table(table: parts.Table) -> Table:
    head = [_words(cell, _CELL_HEAD if i in table.words else _FIGURE_HEAD) for i, cell in enumerate(table.head)]
    body = [[_cell(cell, left=i in table.words) for i, cell in enumerate(row)] for row in table.rows]
    whole = sum(table.shares)
    style = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"), ("LINEBELOW", (0, 0), (-1, -1), 0.4, _RULE),
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, _MUTED), ("LEFTPADDING", (0, 0), (-1, -1), 3),
        ("RIGHTPADDING", (0, 0), (-1, -1), 3), ("TOPPADDING", (0, 0), (-1, -1), 3),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
    ]  # fmt: skip
    return Table(
        [head, *body], colWidths=[_WIDTH * share / whole for share in table.shares], repeatRows=1,
        style=TableStyle(style),
    )  # fmt: skip


def _cell(words: str, *, left: bool) -> Paragraph:
    if words in _OUTCOMES:
        ink = _OUTCOMES[words][0]
        return _words(words, ParagraphStyle("outcome", _CELL_HEAD, textColor=ink))
    return _words(words, _CELL if left else _FIGURE)


def _banner(outcome: str, words: str) -> Table:
    ink, paper = _OUTCOMES.get(outcome, _OUTCOMES[Outcome.FAIL.value])
    said = _words(words, ParagraphStyle("banner", _BODY, fontName=_BOLD, textColor=ink, spaceAfter=0))
    style = [
        ("BACKGROUND", (0, 0), (-1, -1), paper), ("LINEBEFORE", (0, 0), (0, -1), 3, ink),
        ("LEFTPADDING", (0, 0), (-1, -1), 10), ("TOPPADDING", (0, 0), (-1, -1), 6),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 7),
    ]  # fmt: skip
    return Table([[said]], colWidths=[_WIDTH], style=TableStyle(style), spaceBefore=4, spaceAfter=4)


def _tiles(tiles: tuple[tuple[str, str], ...]) -> Table:
    small = ParagraphStyle("tile word", _CELL, textColor=_MUTED)
    large = ParagraphStyle("tile figure", _CELL, fontName=_BOLD, fontSize=10.5, leading=13.5)
    cells: list[Any] = [[_words(word, small), _words(figure, large)] for word, figure in tiles]
    cells += [""] * (-len(cells) % _TILES)
    rows = [cells[i : i + _TILES] for i in range(0, len(cells), _TILES)]
    style = [
        ("BACKGROUND", (0, 0), (-1, -1), _SUNKEN), ("INNERGRID", (0, 0), (-1, -1), 4, HexColor("#FFFFFF")),
        ("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 8),
        ("TOPPADDING", (0, 0), (-1, -1), 6), ("BOTTOMPADDING", (0, 0), (-1, -1), 7),
    ]  # fmt: skip
    return Table(rows, colWidths=[_WIDTH / _TILES] * _TILES, style=TableStyle(style), spaceBefore=6, spaceAfter=6)


def _words(words: str, style: ParagraphStyle) -> Paragraph:
    """A paragraph in which nothing is markup; long words such as digests break where the line ends."""
    return Paragraph("".join(_runs(shown(words), style.fontName)), ParagraphStyle("", style, splitLongWords=1))


def _runs(words: str, face: str) -> Iterator[str]:
    """Stretches of one face; what the text's face lacks is set in the other, and what both lack is named."""
    for is_there, run in itertools.groupby(words, lambda one: _has(face, one)):
        text = "".join(run)
        named = "".join(one if _has(_MONO, one) else f"[U+{ord(one):04X}]" for one in text)
        yield escape(text) if is_there else f'<font name="{_MONO}">{escape(named)}</font>'


def _written(words: str, face: str) -> str:
    """A line in one face: characters that it has no glyph for are named, so that none is left out."""
    return "".join(one if _has(face, one) else f"[U+{ord(one):04X}]" for one in shown(words))


def _has(face: str, character: str) -> bool:
    return ord(character) in pdfmetrics.getFont(face).face.charToGlyph


class _Heading(Flowable):  # type: ignore[misc] # reportlab ships no types
    """A heading that enters the outline."""

    def __init__(self, words: str, name: str) -> None:
        super().__init__()
        self._text, self._name = _words(words, _HEADING), name
        self._title = shown(words)
        self.spaceBefore, self.spaceAfter = _HEADING.spaceBefore, _HEADING.spaceAfter
        self.keepWithNext = 1

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        size: tuple[float, float] = self._text.wrap(width, height)
        return size

    def draw(self) -> None:
        self.canv.bookmarkHorizontal(self._name, 0, _HEADING.leading)
        self.canv.addOutlineEntry(self._title, self._name, 0)
        self._text.drawOn(self.canv, 0, 0)


class _Picture(Flowable):  # type: ignore[misc]
    """A drawing, as wide as it is drawn."""

    def __init__(self, drawing: Drawing) -> None:
        super().__init__()
        self._drawing = drawing

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        return self._drawing.width, self._drawing.height

    def draw(self) -> None:
        for shape in self._drawing.shapes:
            _paint(self.canv, shape, self._drawing.height)


def _paint(canvas: Canvas, shape: Shape, height: float) -> None:
    """One shape; the drawing counts downwards and the page upwards."""
    canvas.saveState()
    match shape:
        case Line(x1, y1, x2, y2, ink, width, dashed):
            canvas.setStrokeColor(_INKS[ink])
            canvas.setLineWidth(width)
            canvas.setDash([3, 2] if dashed else [])
            canvas.line(x1, height - y1, x2, height - y2)
        case Area(x, y, width, tall, ink):
            canvas.setFillColor(_INKS[ink])
            canvas.rect(x, height - y - tall, width, tall, stroke=0, fill=1)
        case Dot(x, y, radius, ink, hollow):
            canvas.setStrokeColor(_INKS[ink])
            canvas.setLineWidth(1.4)
            canvas.setFillColor(HexColor("#FFFFFF") if hollow else _INKS[ink])
            canvas.circle(x, height - y, radius, stroke=1, fill=1)
        case Words(x, y, text, ink, anchor, size, bold):
            face = _BOLD if bold else _REGULAR
            canvas.setFillColor(_INKS[ink])
            canvas.setFont(face, size)
            draw = {"start": canvas.drawString, "middle": canvas.drawCentredString, "end": canvas.drawRightString}
            draw[anchor](x, height - y, _written(text, face))
    canvas.restoreState()


def _numbered(report: parts.Report) -> type[Canvas]:
    """A canvas that knows how many pages there are before it draws their edges."""

    class Numbered(Canvas):  # type: ignore[misc]
        def __init__(self, *args: Any, **fields: Any) -> None:
            super().__init__(*args, **fields)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802 - reportlab's name
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, page in enumerate(self._pages, start=1):
                self.__dict__.update(page)
                _edges(self, report, number, len(self._pages))
                super().showPage()
            super().save()

    return Numbered


def _edges(canvas: Canvas, report: parts.Report, number: int, pages: int) -> None:
    """What stands on every page: which build, which result, which page of how many."""
    top, right = A4[1] - 36, A4[0] - _EDGE
    canvas.setStrokeColor(_RULE)
    canvas.setLineWidth(0.5)
    canvas.line(_EDGE, top - 7, right, top - 7)
    canvas.line(_EDGE, _FOOT - 12, right, _FOOT - 12)
    _edge(canvas, (_EDGE, top), f"Lumen trainer · {report.identity}", _REGULAR, _MUTED)
    _edge(canvas, (right, top), f"Gate: {report.result}", _BOLD, _OUTCOMES[report.result][0])
    _edge(canvas, (_EDGE, _FOOT - 23), report.stamp or f"Evaluation and gate, {report.day}", _REGULAR, _MUTED)
    _edge(canvas, (right, _FOOT - 23), f"Page {number} of {pages}", _BOLD, _TEXT)
    _edge(canvas, (_EDGE, _FOOT - 33), f"SHA-256 {report.digest}", _MONO, _MUTED)


def _edge(canvas: Canvas, place: tuple[float, float], words: str, face: str, ink: Any) -> None:
    canvas.setFont(face, 6 if face == _MONO else 7.5)
    canvas.setFillColor(ink)
    draw = canvas.drawString if place[0] == _EDGE else canvas.drawRightString
    draw(*place, _written(words, face))
