"""A layout from left to right that goes on in a next line where the room ends, so that large text is never cut.

Knows widgets and no screen; toolbars, heads of cards and forms are made of it.
"""

from dataclasses import dataclass

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QSizePolicy, QSpacerItem, QWidget, QWidgetItem

from lumen_desktop.ui import theme
from lumen_desktop.ui.theme import SPACE


@dataclass(frozen=True, slots=True)
class _Part:
    """One widget, or a stretch.

    Attributes:
        item: what Qt calls it.
        least_px: for one that grows, the width below which it goes to a line of its own, at the default text size.
        grows: whether it takes the room that its line leaves.
    """

    item: QLayoutItem
    least_px: int
    grows: bool

    @property
    def wish(self) -> int:
        """Width that it wants, pixels."""
        least = theme.scaled(self.least_px)
        return max(least, self.item.minimumSize().width()) if self.grows else self.item.sizeHint().width()

    @property
    def is_gap(self) -> bool:
        """Whether it is a stretch."""
        return isinstance(self.item, QSpacerItem)

    @property
    def shown(self) -> bool:
        """Whether it takes part."""
        return self.is_gap or not self.item.isEmpty()

    def height(self, width: int) -> int:
        """Its height at a width, pixels."""
        return self.item.heightForWidth(width) if self.item.hasHeightForWidth() else self.item.sizeHint().height()


_Line = list[tuple[_Part, int]]  # parts with their widths


class Flow(QLayout):
    """Lines of widgets, each as high as its highest part.

    Args:
        spacing: between the parts of a line, pixels; between lines it is no more than usual.
        centred: whether each line stands in the middle.
    """

    def __init__(self, *, spacing: int = SPACE, centred: bool = False) -> None:
        super().__init__()
        self._centred = centred
        self._parts: list[_Part] = []
        self.setContentsMargins(0, 0, 0, 0)
        self.setSpacing(spacing)

    def add(self, widget: QWidget, *, grows: bool = False, least_px: int = 0, top: bool = False) -> None:
        """Puts a widget at the end.

        Args:
            widget: what to show.
            grows: whether it takes the room that is left in its line.
            least_px: width from which on it may stand beside others, where it grows; at the default text size.
            top: whether it stands at the top of its line, not in the middle.
        """
        self.addChildWidget(widget)
        item = QWidgetItem(widget)
        if top:
            item.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._parts.append(_Part(item, least_px, grows))
        self.invalidate()

    def stretch(self) -> None:
        """Puts a gap at the end that takes the room that is left in its line."""
        gap = QSpacerItem(0, 0, QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self._parts.append(_Part(gap, 0, grows=True))

    def addItem(self, item: QLayoutItem) -> None:  # noqa: N802 - Qt's name
        """As Qt adds what came by its own functions."""
        self._parts.append(_Part(item, 0, grows=False))

    def count(self) -> int:
        """How many parts."""
        return len(self._parts)

    def itemAt(self, index: int) -> QLayoutItem | None:  # noqa: N802 - Qt's
        """One of them; None where there is none of that number."""
        return self._parts[index].item if 0 <= index < len(self._parts) else None

    def takeAt(self, index: int) -> QLayoutItem | None:  # noqa: N802 - Qt's
        """Takes one out."""
        return self._parts.pop(index).item if 0 <= index < len(self._parts) else None

    def expandingDirections(self) -> Qt.Orientation:  # noqa: N802 - Qt's name
        """It takes the width that there is."""
        return Qt.Orientation.Horizontal

    def hasHeightForWidth(self) -> bool:  # noqa: N802 - Qt's name
        """The narrower, the more lines."""
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802 - Qt's name
        """Height of all lines at a width, pixels."""
        return self._arrange(QRect(0, 0, width, 0), move=False)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """All in one line."""
        shown = [(part, max(part.wish, part.item.sizeHint().width())) for part in self._parts if part.shown]
        height = max((part.height(width) for part, width in shown), default=0)
        return self._around(QSize(sum(width for _, width in shown) + self._gaps([part for part, _ in shown]), height))

    def minimumSize(self) -> QSize:  # noqa: N802 - Qt's name
        """Each in a line of its own, as far as the width goes."""
        sizes = [part.item.minimumSize() for part in self._parts if part.shown]
        return self._around(
            QSize(max((size.width() for size in sizes), default=0), max((size.height() for size in sizes), default=0))
        )

    def setGeometry(self, rect: QRect) -> None:  # noqa: N802 - Qt's name
        """Gives every part its place."""
        super().setGeometry(rect)
        self._arrange(rect, move=True)

    def _around(self, size: QSize) -> QSize:
        margins = self.contentsMargins()
        return size + QSize(margins.left() + margins.right(), margins.top() + margins.bottom())

    def _gaps(self, line: list[_Part]) -> int:
        """Room between the parts of a line; a stretch needs none of its own."""
        return self.spacing() * max(0, sum(not part.is_gap for part in line) - 1)

    def _lines(self, room: int) -> list[_Line]:
        lines: list[list[_Part]] = [[]]
        for part in self._parts:
            if not part.shown:
                continue
            longer = [*lines[-1], part]
            if lines[-1] and self._gaps(longer) + sum(min(each.wish, room) for each in longer) > room:
                # what was pushed to the right is so in its next line, too
                longer = [*([lines[-1].pop()] if lines[-1][-1].is_gap else []), part]
                lines.append(longer)
            lines[-1] = longer
        return [self._filled(line, room) for line in lines]

    def _filled(self, line: list[_Part], room: int) -> _Line:
        """Gives those that grow what is left in their line."""
        widths = [min(part.wish, room) for part in line]
        left, growing = room - sum(widths) - self._gaps(line), sum(part.grows for part in line)
        for place, part in enumerate(line):
            if part.grows:
                more = min(max(0, left) // growing, part.item.maximumSize().width() - widths[place])
                left, growing = left - more, growing - 1
                widths[place] += more
        return list(zip(line, widths, strict=True))

    def _arrange(self, rect: QRect, *, move: bool) -> int:
        inside = rect.marginsRemoved(self.contentsMargins())
        top, gap = inside.top(), min(self.spacing(), SPACE)
        for line in self._lines(inside.width()):
            height = max((part.height(width) for part, width in line), default=0)
            rest = inside.width() - sum(width for _, width in line) - self._gaps([part for part, _ in line])
            left = inside.left() + (max(0, rest) // 2 if self._centred else 0)
            for part, width in line:
                if move:
                    part.item.setGeometry(QRect(left, top, width, height))
                left += width + (0 if part.is_gap else self.spacing())
            top += height + gap
        margins = self.contentsMargins()
        return top - gap - inside.top() + margins.top() + margins.bottom()
