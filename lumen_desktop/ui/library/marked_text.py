"""The text of a page with the quote marked: for files without page images, and for whoever has it read aloud."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent
from PySide6.QtGui import QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit

from lumen_desktop.ui import theme


class MarkedText(QPlainTextEdit):
    """Text to read and to copy; it cannot be changed."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._spans: list[tuple[int, int]] = []
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setAcceptDrops(False)
        self.setAccessibleName(name)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Marks in the colours of the theme that is used now."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and self.extraSelections():
            self._mark()

    def show_text(self, text: str, spans: Sequence[tuple[int, int]] = ()) -> None:
        """Shows a text and the parts of it that are marked, from (start, end) in characters; scrolls to the first."""
        self.setPlainText(text)
        self._spans = [(_place(text, start), _place(text, end)) for start, end in spans]
        self._mark()
        self._show_first(self._spans[0][0] if self._spans else 0)

    def _mark(self) -> None:
        look = QTextCharFormat()
        look.setBackground(theme.current().colour("highlight"))
        look.setForeground(theme.load("light").colour("text"))  # dark on the highlight in either theme
        marks = []
        for start, end in self._spans:
            mark = QTextEdit.ExtraSelection()
            mark.cursor = QTextCursor(self.document())
            mark.cursor.setPosition(start)
            mark.cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
            mark.format = look
            marks.append(mark)
        self.setExtraSelections(marks)

    def _show_first(self, place: int) -> None:
        cursor = self.textCursor()
        cursor.setPosition(place)
        self.setTextCursor(cursor)
        if place:
            self.centerCursor()


def _place(text: str, index: int) -> int:
    """A character's place as Qt counts, in UTF-16 units."""
    return len(text[:index].encode("utf-16-le", "surrogatepass")) // 2
