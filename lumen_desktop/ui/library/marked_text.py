"""The text of a page with the quote marked: for files without page images, and for whoever has it read aloud."""

from collections.abc import Sequence

from PySide6.QtGui import QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit

from lumen_desktop.ui import theme


class MarkedText(QPlainTextEdit):
    """Text to read and to copy; it cannot be changed."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setAcceptDrops(False)
        self.setAccessibleName(name)

    def show_text(self, text: str, spans: Sequence[tuple[int, int]] = ()) -> None:
        """Shows a text and the parts of it that are marked, from (start, end) in characters; scrolls to the first."""
        self.setPlainText(text)
        look = QTextCharFormat()
        look.setBackground(theme.current().colour("highlight"))
        look.setForeground(theme.load("light").colour("text"))  # dark on the highlight in either theme
        marks = []
        for start, end in spans:
            mark = QTextEdit.ExtraSelection()
            mark.cursor = QTextCursor(self.document())
            mark.cursor.setPosition(_place(text, start))
            mark.cursor.setPosition(_place(text, end), QTextCursor.MoveMode.KeepAnchor)
            mark.format = look
            marks.append(mark)
        self.setExtraSelections(marks)
        self._show_first(_place(text, spans[0][0]) if spans else 0)

    def _show_first(self, place: int) -> None:
        cursor = self.textCursor()
        cursor.setPosition(place)
        self.setTextCursor(cursor)
        if place:
            self.centerCursor()


def _place(text: str, index: int) -> int:
    """A character's place as Qt counts, in UTF-16 units."""
    return len(text[:index].encode("utf-16-le", "surrogatepass")) // 2
