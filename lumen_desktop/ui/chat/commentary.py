"""The model's commentary: Markdown drawn while it streams, without ever holding up the window.

Text that arrives is gathered for a moment; then only the last block, the one still open, is drawn again. It is
written into a text document block by block, never as HTML, so no tag, link, image or file named in it is
followed. Knows no service; `exchange` places it.
"""

import math
import time
from itertools import pairwise

from PySide6.QtCore import QEvent, Qt, QTimer, QUrl
from PySide6.QtGui import (
    QFont,
    QFontDatabase,
    QShowEvent,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextFrameFormat,
    QTextLength,
    QTextTableFormat,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QSizePolicy, QTextEdit, QWidget

from lumen_desktop.ui import theme
from lumen_desktop.ui.chat import markdown
from lumen_desktop.ui.chat.markdown import Block, Kind
from lumen_desktop.ui.theme import SPACE

GATHERED_MS = 50  # how long text is gathered before it is drawn
_SHARE = 4  # a drawing that takes long is followed by a rest this many times as long
_HEADING_FACTORS = (1.3, 1.2, 1.1, 1.05, 1.0, 1.0)
_HAIR = 1  # pixels


class _Document(QTextDocument):
    """A document that loads nothing."""

    def loadResource(self, kind: int, name: QUrl | str) -> object:  # noqa: ARG002, N802 - Qt's
        return None


class Commentary(QTextEdit):
    """Markdown that grows.

    Attributes:
        drawn: how often a block was drawn, by the place where it begins; for tests and benches.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setDocument(_Document(self))
        self.drawn: dict[int, int] = {}
        self._text = ""
        self._ended = True
        self._open = (0, 0)  # where the open block begins, and the columns of the table that it goes on with
        self._open_at, self._open_empty = 0, True  # where it stands in the document, and whether a block waits there
        self._due = False  # whether it is to be drawn when it is seen
        self._drawn_in = self._look()
        self._empty = True  # whether the document's last block is empty
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.draw)
        self._build()

    def _build(self) -> None:
        theme.mark(self, "text")
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.setAcceptRichText(False)
        self.setTabChangesFocus(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setAccessibleName("Commentary by the model, not verified")
        self.document().setDocumentMargin(0)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)

    @property
    def text(self) -> str:
        """All of it so far, as it came."""
        return self._text

    def add(self, text: str) -> None:
        """Adds text that follows; it is drawn within a moment."""
        self._text += text
        self._ended = False
        if not self._timer.isActive():
            self._timer.start(GATHERED_MS)

    def end(self, text: str) -> None:
        """Shows the whole text as it is in the end."""
        if not text.startswith(self._text):
            self._clear()
        self._text, self._ended = text, True
        self.draw()

    def draw(self) -> None:
        """Draws what has come since; later where it cannot be seen now."""
        self._timer.stop()
        self._due = not self.isVisible()
        if self._due:
            return
        began = time.monotonic()
        self._drawn_in = self._look()
        start, columns = self._open
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        self._take_open_block(cursor)
        found = list(markdown.blocks(self._text, start, columns=columns, ended=self._ended))
        for block, following in pairwise([*found, None]):
            if block is not None:
                if following is None:
                    self._remember(cursor, block)
                self._write(cursor, block)
        cursor.endEditBlock()
        self._fit()
        rest_ms = int((time.monotonic() - began) * 1000 * _SHARE)
        if rest_ms > GATHERED_MS and not self._ended:
            self._timer.start(rest_ms)

    def _remember(self, cursor: QTextCursor, block: Block) -> None:
        self._open = (block.start, block.columns if block.goes_on else 0)
        self._open_at, self._open_empty = cursor.position(), self._empty

    def _take_open_block(self, cursor: QTextCursor) -> None:
        cursor.setPosition(self._open_at)
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        self._empty = self._open_empty

    def _clear(self) -> None:
        self.document().clear()
        self._open, self._open_at, self._open_empty, self._empty = (0, 0), 0, True, True

    def _write(self, cursor: QTextCursor, block: Block) -> None:
        self.drawn[block.start] = self.drawn.get(block.start, 0) + 1
        if not self._empty:
            cursor.insertBlock()
        first = cursor.position() == 0
        if block.kind is Kind.TABLE:
            self._write_table(cursor, block)
            return
        style = _block_format(block, first=first)
        if self._empty and not first:  # the block that a table left; it stands close to it
            style.setTopMargin(2 * SPACE)
        self._empty = False
        cursor.setBlockFormat(style)
        cursor.setBlockCharFormat(QTextCharFormat())
        if block.kind is Kind.CODE:
            cursor.insertText(block.text.replace("\n", "\u2028"), _fixed())
        elif block.kind is Kind.ITEM:
            marker = block.marker if block.marker[0].isdigit() else "•"
            cursor.insertText(f"{marker}\u2002", QTextCharFormat())
            self._write_runs(cursor, block)
        else:
            self._write_runs(cursor, block)

    def _write_runs(self, cursor: QTextCursor, block: Block) -> None:
        base = QTextCharFormat()
        if block.kind is Kind.HEADING:
            base.setFontWeight(QFont.Weight.DemiBold)
            base.setFontPointSize(self.font().pointSizeF() * _HEADING_FACTORS[block.level - 1])
        _insert(cursor, block.text, base)

    def _write_table(self, cursor: QTextCursor, block: Block) -> None:
        """A table stands between two blocks: a hair's breadth before it, and the one where the text goes on."""
        cursor.setBlockFormat(_hair(0 if block.goes_on or cursor.position() == 0 else SPACE))
        cursor.setBlockCharFormat(_tiny())
        table = cursor.insertTable(len(block.rows), block.columns, _table_format(block.columns))
        for row, cells in enumerate(block.rows):
            for column, words in enumerate(cells):
                cell = table.cellAt(row, column)
                head = row == 0 and not block.goes_on
                base = QTextCharFormat()
                if head:
                    base.setFontWeight(QFont.Weight.DemiBold)
                    shade = QTextCharFormat()
                    shade.setBackground(theme.current().colour("sunken"))
                    cell.setFormat(shade.toTableCellFormat())
                _insert(cell.firstCursorPosition(), words, base)
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.setBlockFormat(_hair(0))
        cursor.setBlockCharFormat(_tiny())
        self._empty = True

    def _fit(self, *_: object) -> None:
        height = math.ceil(self.document().size().height()) + 2 * _HAIR if self._text else 0
        if height != self.height():
            self.setFixedHeight(height)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's
        """The thread around it scrolls."""
        event.ignore()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's
        """Draws what came while it could not be seen: before its look was settled, or behind another screen."""
        super().showEvent(event)
        if self._due:
            self.draw()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's
        """Draws all again in the colours and sizes of another theme."""
        super().changeEvent(event)
        if event.type() in {QEvent.Type.PaletteChange, QEvent.Type.FontChange} and self._look() != self._drawn_in:
            self._drawn_in = self._look()
            self._clear()
            self.draw()

    def _look(self) -> tuple[str, float]:
        return theme.current().name, self.font().pointSizeF()


def _insert(cursor: QTextCursor, text: str, base: QTextCharFormat) -> None:
    for run in markdown.runs(text):
        style = QTextCharFormat(base)
        if run.strong:
            style.setFontWeight(QFont.Weight.Bold)
        if run.emphasised:
            style.setFontItalic(True)
        if run.struck:
            style.setFontStrikeOut(True)
        if run.code:
            style.merge(_fixed())
        cursor.insertText(run.text.replace("\n", "\u2028"), style)


def _fixed() -> QTextCharFormat:
    style = QTextCharFormat()
    style.setFontFamilies([QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family()])
    style.setBackground(theme.current().colour("sunken"))
    return style


def _block_format(block: Block, *, first: bool) -> QTextBlockFormat:
    style = QTextBlockFormat()
    style.setLineHeight(140, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
    space = {Kind.HEADING: 2 * SPACE, Kind.ITEM: SPACE / 2}.get(block.kind, SPACE)
    style.setTopMargin(0 if first else space)
    if block.kind is Kind.ITEM:
        style.setLeftMargin(2.5 * SPACE * (block.level + 1))
        style.setTextIndent(-2 * SPACE)
    elif block.kind is Kind.QUOTE:
        style.setLeftMargin(2 * SPACE)
    elif block.kind is Kind.CODE:
        style.setBackground(theme.current().colour("sunken"))
    elif block.kind is Kind.RULE:
        style.setProperty(
            QTextFormat.Property.BlockTrailingHorizontalRulerWidth, QTextLength(QTextLength.Type.PercentageLength, 100)
        )
    return style


def _hair(top: float) -> QTextBlockFormat:
    style = QTextBlockFormat()
    style.setTopMargin(top)
    style.setLineHeight(_HAIR, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
    return style


def _tiny() -> QTextCharFormat:
    style = QTextCharFormat()
    style.setFontPointSize(1)
    return style


def _table_format(columns: int) -> QTextTableFormat:
    style = QTextTableFormat()
    share = QTextLength(QTextLength.Type.PercentageLength, 100 / columns)
    style.setWidth(QTextLength(QTextLength.Type.PercentageLength, 100))
    style.setColumnWidthConstraints([share] * columns)
    style.setCellPadding(SPACE / 2)
    style.setCellSpacing(0)
    style.setBorder(_HAIR)
    style.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
    style.setBorderCollapse(True)
    style.setBorderBrush(theme.current().colour("border"))
    return style
