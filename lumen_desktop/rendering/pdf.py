"""Pages to a PDF file: fonts, ink, outline and what the file says of itself. The one door to reportlab.

Knows where ink goes and nothing of what it means; services call `render`. The same values give the same bytes. Only
faces that ship with the app are used and each is embedded; text is drawn glyph by glyph and never read as markup.
"""

import io
import threading
from collections.abc import Sequence
from functools import cache
from typing import TypeVar

from reportlab import rl_config
from reportlab.graphics.barcode.qrencoder import QRCode, QRErrorCorrectLevel
from reportlab.lib.colors import HexColor
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.pdfgen.canvas import Canvas

from lumen_desktop import paths
from lumen_desktop.domain.names import shown
from lumen_desktop.errors import StorageError
from lumen_desktop.rendering import extract, frame, record
from lumen_desktop.rendering.layout import Box, Code, Page, Sheet, Stamp, Words
from lumen_desktop.rendering.pages import AuditExtract, Envelope, Printed, Record
from lumen_desktop.rendering.typesetting import Face, Tone, Typesetter, Units

_STAMP_POINTS = 78.0
_STAMP_STRENGTH = 0.10
_TITLE_CHARACTERS = 200
_Kind = TypeVar("_Kind", Box, Code, Stamp, Words)
rl_config.useA85 = 0  # binary streams: a fifth smaller and no slower, and nobody sends files through 7 bits any more
_LOADING = threading.Lock()
_COLOURS = {tone: HexColor(tone.value) for tone in Tone}


def render(printed: Printed) -> bytes:
    """A PDF file of an audit extract or a record.

    Returns:
        The same bytes for the same values, whatever was printed before.

    Raises:
        StorageError: a font is missing from the program's files (PDF-001).

    Source: ISO 32000-1; 21 CFR 11.10(b); EU GMP Annex 11 clause 8 (printouts).
    """
    with _LOADING:
        typesetter = Typesetter(_faces())
    sheet = _lay_out(printed, typesetter)
    frame.dress(sheet, printed.envelope)
    stream = io.BytesIO()
    canvas = _canvas(stream, sheet, printed.envelope)
    outline = _Outline(canvas)
    for page in sheet.pages:
        _paint(canvas, page)
        outline.add(page)
        canvas.showPage()
    canvas.save()
    return stream.getvalue()


def _lay_out(printed: Printed, typesetter: Typesetter) -> Sheet:
    match printed:
        case AuditExtract():
            return extract.lay_out(printed, typesetter)
        case Record():
            return record.lay_out(printed, typesetter)


@cache
def _faces() -> dict[Face, dict[int, Units]]:
    """Loads and registers the faces; the width of each character in each."""
    widths = {}
    for face in Face:
        try:
            font = TTFont(face.value, str(paths.resources() / "fonts" / f"{face.value}.ttf"))
        except TTFError as error:
            raise StorageError(
                "A font that printing needs is missing from the program's files.",
                code="PDF-001",
                hint="Install Lumen again.",
            ) from error
        pdfmetrics.registerFont(font)
        widths[face] = font.face.charWidths
    return widths


def _canvas(stream: io.BytesIO, sheet: Sheet, envelope: Envelope) -> Canvas:
    canvas = Canvas(
        stream,
        pagesize=(sheet.form.width, sheet.form.height),
        invariant=1,
        pageCompression=1,
        initialFontName=Face.REGULAR.value,
        lang=envelope.language,
    )
    canvas.setTitle(shown(envelope.title)[:_TITLE_CHARACTERS])
    canvas.setAuthor(shown(envelope.site)[:_TITLE_CHARACTERS])
    canvas.setSubject(shown(f"{envelope.kind} {envelope.number}")[:_TITLE_CHARACTERS])
    canvas.setKeywords(f"sha256:{envelope.content_digest} head:{envelope.chain_head}")
    canvas.setCreator("Lumen Desktop")
    canvas.setProducer("Lumen Desktop")
    canvas.showOutline()
    return canvas


class _Outline:
    """The file's outline; each entry at most one level below the one before, as the format wants it."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._level = -1
        self._count = 0

    def add(self, page: Page) -> None:
        """Enters the page's headings; called while it is the canvas's page."""
        for title, level, y in page.bookmarks:
            self._level = min(level, self._level + 1)
            self._count += 1
            key = f"h{self._count}"
            self._canvas.bookmarkPage(key, fit="XYZ", left=0, top=y + 8, zoom=0)
            self._canvas.addOutlineEntry(shown(title)[:_TITLE_CHARACTERS] or "-", key, self._level, closed=level > 0)


def _paint(canvas: Canvas, page: Page) -> None:
    """Areas, the mark upon them, codes on clean ground, words over all."""
    for area in _of(page, Box):
        _draw_area(area, canvas)
    for stamp in _of(page, Stamp):
        _draw_stamp(stamp, canvas)
    for code in _of(page, Code):
        _draw_code(code, canvas)
    _draw_words(_of(page, Words), canvas)


def _of(page: Page, kind: type[_Kind]) -> list[_Kind]:
    return [drawn for drawn in page.drawn if isinstance(drawn, kind)]


def _draw_words(words: Sequence[Words], canvas: Canvas) -> None:
    text = canvas.beginText()
    set_in: tuple[Face, float] | None = None
    colour: Tone | None = None
    for drawn in words:
        text.setTextOrigin(drawn.x, drawn.y)
        for run in drawn.line.runs:
            tone = Tone.STRANGE if run.strange else drawn.tone
            if (run.face, drawn.size) != set_in:
                set_in = (run.face, drawn.size)
                text.setFont(run.face.value, drawn.size)
            if tone is not colour:
                colour = tone
                text.setFillColor(_COLOURS[tone])
            text.textOut(run.text)
    canvas.drawText(text)


def _draw_area(drawn: Box, canvas: Canvas) -> None:
    canvas.setFillColor(_COLOURS[drawn.tone])
    canvas.rect(drawn.x, drawn.y, drawn.width, drawn.height, stroke=0, fill=1)


def _draw_stamp(drawn: Stamp, canvas: Canvas) -> None:
    """Set large and pale from corner to corner, as large as the page allows."""
    width, height = canvas._pagesize  # noqa: SLF001 - the canvas keeps what it was given nowhere else
    lines = drawn.words.split("\n")
    longest = max(pdfmetrics.stringWidth(line, Face.BOLD.value, 1) for line in lines)
    size = min(_STAMP_POINTS, 0.8 * (width**2 + height**2) ** 0.5 / longest)
    canvas.saveState()
    canvas.setFillColor(_COLOURS[Tone.DANGER], alpha=_STAMP_STRENGTH)
    canvas.setFont(Face.BOLD.value, size)
    canvas.translate(width / 2, height / 2)
    canvas.rotate(45 if height > width else 32)
    for place, line in enumerate(lines):
        canvas.drawCentredString(0, ((len(lines) - 1) / 2 - place) * size * 1.15 - size / 3, line)
    canvas.restoreState()


def _draw_code(drawn: Code, canvas: Canvas) -> None:
    """A QR code on white with the four free modules around it that readers need."""
    rows = qr_modules(drawn.text)
    module = drawn.side / (len(rows) + 8)
    canvas.setFillGray(1)
    canvas.rect(drawn.x, drawn.y, drawn.side, drawn.side, stroke=0, fill=1)
    path = canvas.beginPath()
    for row, cells in enumerate(rows):
        y = drawn.y + drawn.side - (row + 5) * module
        for column, dark in enumerate(cells):
            if dark:
                path.rect(drawn.x + (column + 4) * module, y, module, module)
    canvas.setFillGray(0)
    canvas.drawPath(path, stroke=0, fill=1)


def qr_modules(text: str) -> Sequence[Sequence[bool]]:
    """The rows of a QR code, True where it is dark; it can be read with 15 % of it lost.

    Source: ISO/IEC 18004, error correction level M.
    """
    code = QRCode(None, QRErrorCorrectLevel.M)
    code.addData(text)
    code.make()
    return [[bool(dark) for dark in row] for row in code.modules]
