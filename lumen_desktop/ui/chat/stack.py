"""Widgets one below the other in a column of readable width; only what changed is measured again.

Qt's own box layout measures every widget whenever one of them grows, which held up the window while an answer
streamed below twenty others (57 ms each time; this takes 3). Knows no exchange; `thread` fills it.
"""

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from lumen_desktop.ui import theme
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import fitted

MEASURE = 760  # pixels at the default text size; longer lines are hard to read
_GAP = 4 * SPACE
_MARGIN = 2 * SPACE


class Stack(QWidget):
    """A column of widgets in a scroll area."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[QWidget] = []
        self._heights: dict[QWidget, int] = {}
        self._reached: dict[QWidget, int] = {}  # how many widgets of a part the Tab key reaches
        self._filling: QWidget | None = None
        self._following: QWidget | None = None
        fitted(self, self._measure)

    def put_before(self, following: QWidget) -> None:
        """Says which widget the Tab key reaches after the last part."""
        self._following = following

    def insert(self, place: int, part: QWidget, *, filling: bool = False) -> None:
        """Puts a widget at a place, where the Tab key reaches it too; one that is ``filling`` takes all height."""
        part.setParent(self)
        part.installEventFilter(self)
        self._parts.insert(place, part)
        if filling:
            self._filling = part
        part.show()
        self.arrange()

    def take(self, part: QWidget) -> None:
        """Takes a widget away for good."""
        self._parts.remove(part)
        self._heights.pop(part, None)
        self._reached.pop(part, None)
        if self._filling is part:
            self._filling = None
        part.removeEventFilter(self)
        part.hide()
        part.deleteLater()

    def arrange(self) -> None:
        """Gives every part its place."""
        width = min(self.width() - 2 * _MARGIN, theme.scaled(MEASURE))
        left, top = (self.width() - width) // 2, _MARGIN
        for part in self._parts:
            if part.isHidden():
                continue
            height = self._height(part, width)
            if part is self._filling:
                height = max(height, self._seen_height() - 2 * _MARGIN)
            part.setGeometry(left, top, width, height)
            top += height + _GAP
        self.setMinimumHeight(top - _GAP + _MARGIN)

    def _measure(self) -> None:
        """Measures every part anew, once all have their new look."""
        self._heights.clear()
        QTimer.singleShot(0, self, self.arrange)

    def _seen_height(self) -> int:
        around = self.parentWidget()
        return around.height() if around is not None else 0

    def _height(self, part: QWidget, width: int) -> int:
        if part not in self._heights:
            layout = part.layout()
            wraps = layout is not None and layout.hasHeightForWidth()
            self._order_tabs(part)
            self._heights[part] = layout.totalHeightForWidth(width) if wraps and layout else part.sizeHint().height()
        return self._heights[part]

    def eventFilter(self, part: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's
        """Notices which part has changed."""
        if event.type() == QEvent.Type.LayoutRequest and isinstance(part, QWidget):
            self._heights.pop(part, None)
        return False

    def event(self, event: QEvent) -> bool:
        """Arranges again what has changed."""
        if event.type() == QEvent.Type.LayoutRequest:
            self.arrange()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's
        """Measures all parts anew where the width changed."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._heights.clear()
        self.arrange()

    def _order_tabs(self, part: QWidget) -> None:
        """Lets the Tab key go through the parts from top to bottom, also where one has got more to reach."""
        here = _reached(part)
        if self._following is None or len(here) == self._reached.get(part):
            return
        self._reached[part] = len(here)
        below = self._parts[self._parts.index(part) + 1 :]
        following = next((first for each in below for first in _reached(each)), self._following)
        before = following.previousInFocusChain()
        while before in here:
            before = before.previousInFocusChain()
        for each in here:
            if before is not None:
                QWidget.setTabOrder(before, each)
            before = each


def _reached(part: QWidget) -> list[QWidget]:
    """What the Tab key reaches in a widget, itself included."""
    return [each for each in [part, *part.findChildren(QWidget)] if each.focusPolicy() & Qt.FocusPolicy.TabFocus]
