"""What documents are made of: title, headings, paragraphs, lists, tables, the verification box.

Knows the house style, no document's content and no file format. `extract` and `record` call these in their order.
"""

from collections.abc import Sequence

from lumen_desktop.rendering.layout import INSET, Box, Cell, Code, Sheet, height_of
from lumen_desktop.rendering.pages import Block, Bullets, Envelope, Facts, Paragraph, Section, Table
from lumen_desktop.rendering.typesetting import Face, Style, Tone

TITLE = Style(Face.BOLD, 19, 24)
KIND = Style(Face.BOLD, 8.5, 12, Tone.ACCENT)
BODY = Style(Face.REGULAR, 9.5, 13.5)
NOTE = Style(Face.ITALIC, 9, 12.5, Tone.MUTED)
LABEL = Style(Face.REGULAR, 8.5, 12.5, Tone.MUTED)
VALUE = Style(Face.REGULAR, 9, 12.5)
STRONG = Style(Face.BOLD, 9, 12.5)
HEAD = Style(Face.BOLD, 8, 11, Tone.MUTED)
DIGEST = Style(Face.MONO, 7, 12.5)
ALARM = Style(Face.BOLD, 9, 12.5, Tone.DANGER)
_HEADINGS = {1: Style(Face.BOLD, 13, 17), 2: Style(Face.BOLD, 11, 15), 3: Style(Face.BOLD, 9.5, 13.5, Tone.MUTED)}
_NAMES, _VALUES = 0.27, 0.73
_CODE_POINTS = 88.0

Value = tuple[str, Style]


def title(sheet: Sheet, envelope: Envelope) -> None:
    """The kind and the title at the head of the first page."""
    line = sheet.columns(1)
    sheet.bookmark(envelope.title, 0)
    sheet.row([sheet.cell(envelope.kind, KIND, sheet.width)], line)
    sheet.row([sheet.cell(envelope.title, TITLE, sheet.width)], line, pad=2)
    sheet.skip(6)


def heading(sheet: Sheet, text: str, level: int = 1, *, keep: float = 44.0) -> None:
    """A heading with an entry in the outline; it stays on the page of the first ``keep`` points after it."""
    style = _HEADINGS[min(max(level, 1), 3)]
    lines = sheet.cell(text, style, sheet.width)
    sheet.skip(style.size)
    sheet.demand(height_of([lines]) + 4 + keep)
    sheet.bookmark(text, level)
    sheet.row([lines], sheet.columns(1))
    sheet.skip(4)


def note(sheet: Sheet, text: str) -> None:
    """A sentence of ours, such as one that says that there is nothing."""
    sheet.row([sheet.cell(text, NOTE, sheet.width)], sheet.columns(1), pad=2)


def facts(sheet: Sheet, rows: Sequence[tuple[str, Value]]) -> None:
    """Names with their values between hairlines."""
    columns = sheet.columns(_NAMES, _VALUES)
    for name, (value, style) in rows:
        cells = [sheet.cell(name, LABEL, columns.widths[0]), sheet.cell(value, style, columns.widths[1])]
        sheet.rule()
        sheet.row(cells, columns, pad=2.5)
    sheet.rule()
    sheet.y -= 2


def section(sheet: Sheet, content: Section) -> None:
    """A heading and all that stands under it."""
    heading(sheet, content.heading, content.level)
    for part in content.blocks:
        block(part, sheet)
    if not content.blocks:
        note(sheet, "Nothing is recorded here.")


def block(content: Block, sheet: Sheet) -> None:
    """Sets one block of a section."""
    match content:
        case Paragraph():
            _paragraph(content, sheet)
        case Bullets():
            _bullets(content, sheet)
        case Facts():
            _facts(content, sheet)
        case Table():
            _table(content, sheet)


def _paragraph(content: Paragraph, sheet: Sheet) -> None:
    sheet.row([sheet.cell(content.text, BODY, sheet.width)], sheet.columns(1))
    sheet.skip(5)


def _bullets(content: Bullets, sheet: Sheet) -> None:
    columns = sheet.columns(3, 97, gutter=4)
    for item in content.items:
        cells = [sheet.cell("•", BODY, columns.widths[0]), sheet.cell(item, BODY, columns.widths[1])]
        sheet.row(cells, columns, pad=1)
    if not content.items:
        note(sheet, "The list has no entries.")
    sheet.skip(5)


def _facts(content: Facts, sheet: Sheet) -> None:
    if content.rows:
        facts(sheet, [(name, (value, VALUE)) for name, value in content.rows])
    else:
        note(sheet, "The table has no entries.")
    sheet.skip(6)


def _table(content: Table, sheet: Sheet) -> None:
    columns = sheet.columns(*(column.share for column in content.columns), indent=INSET)
    heads = [
        sheet.cell(column.heading, HEAD, width) for column, width in zip(content.columns, columns.widths, strict=True)
    ]

    def head() -> None:
        sheet.row(heads, columns, pad=3, fill=Tone.BAND)

    sheet.demand(height_of(heads, pad=3) + 32)
    head()
    sheet.running = head if height_of(heads, pad=3) < sheet.whole / 3 else None
    for texts in content.rows:
        cells = [sheet.cell(text, VALUE, width) for text, width in zip(texts, columns.widths, strict=True)]
        sheet.row(cells, columns, pad=2.5)
        sheet.rule()
    sheet.running = None
    if not content.rows:
        note(sheet, "The table has no entries.")
    sheet.skip(8)


def verification(sheet: Sheet, envelope: Envelope) -> None:
    """The digest of what is printed and the head of the audit trail, for people and as a QR code.

    Source: 21 CFR 11.70; ISO/IEC 18004 (QR code).
    """
    heading(sheet, "Verification", keep=_CODE_POINTS + 30)
    texts = sheet.columns(1, indent=12)
    width = sheet.width - 24 - _CODE_POINTS - 16
    gap = sheet.cell("", LABEL._replace(leading=3), width)
    cell: Cell = [
        *sheet.cell("SHA-256 of the content printed here", LABEL, width),
        *sheet.cell(envelope.content_digest, DIGEST, width),
        *gap,
        *sheet.cell(f"Head of the audit trail after event {envelope.chain_events:,}", LABEL, width),
        *sheet.cell(envelope.chain_head, DIGEST, width),
        *gap,
        *sheet.cell(
            "The code holds both. The record in Lumen Desktop is the original: this copy is true while the digest is "
            "that of the record and the head belongs to its audit trail.", NOTE._replace(size=8, leading=11), width,
        ),
    ]  # fmt: skip
    height = max(height_of([cell]), _CODE_POINTS) + 20
    sheet.draw(Box(sheet.left, sheet.y - height, sheet.width, height, Tone.SUNKEN))
    sheet.draw(Box(sheet.left, sheet.y - height, 2, height, Tone.ACCENT))
    left = sheet.left + sheet.width - 12 - _CODE_POINTS
    sheet.draw(Code(left, sheet.y - (height + _CODE_POINTS) / 2, _CODE_POINTS, code_text(envelope)))
    sheet.row([cell], texts, pad=10)


def code_text(envelope: Envelope) -> str:
    """What the QR code says: the digest and the head, one a line."""
    return f"LUMEN 1\ncontent sha256 {envelope.content_digest}\nhead {envelope.chain_events} {envelope.chain_head}"
