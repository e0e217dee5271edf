"""A word in a rounded field, painted in a list: whose words a document holds, and whether it is released."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QApplication, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from lumen_desktop.domain.library import ReleaseState
from lumen_desktop.ui import theme
from lumen_desktop.ui.theme import SPACE

_ACCENTED = "Lumen"
_STATES = {
    ReleaseState.AWAITING.words: ("warning", "warning_soft"),
    ReleaseState.REJECTED.words: ("danger", "danger_soft"),
    ReleaseState.WITHDRAWN.words: ("muted", "sunken"),
}


class BadgeDelegate(QStyledItemDelegate):
    """Paints the text of a cell as a badge; Lumen's own words stand out, for they are not the rule's wording."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paints the row's ground, then the badge on it."""
        words = str(index.data() or "")
        self.initStyleOption(option, index)
        option.text = ""
        widget = option.widget
        style = widget.style() if widget is not None else QApplication.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, widget)
        if not words:
            return
        room = option.rect
        width = min(_width(option, words), room.width() - SPACE)
        _paint(painter, option, words, left=room.left() + SPACE, width=width,
               look=("accent", "accent_soft") if words == _ACCENTED else ("muted", "sunken"))  # fmt: skip

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:  # noqa: N802
        """Room for the badge."""
        size = super().sizeHint(option, index)
        return QSize(size.width() + 2 * SPACE, size.height())


class StateDelegate(QStyledItemDelegate):
    """Paints a title with the document's state as a badge at its end: the title gives way, never the state.

    Args:
        role: the model's role that gives the state in words; empty for none.
    """

    def __init__(self, role: int, parent: QWidget) -> None:
        super().__init__(parent)
        self._role = role

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paints the title, shortened where it must be, then the badge."""
        words = str(index.data(self._role) or "")
        if not words:
            super().paint(painter, option, index)
            return
        self.initStyleOption(option, index)
        metrics, room = option.fontMetrics, option.rect
        width = min(_width(option, words), room.width())
        left = max(0, room.width() - width - 3 * SPACE)
        option.text = metrics.elidedText(option.text, Qt.TextElideMode.ElideRight, left)
        end = room.left() + min(left, metrics.horizontalAdvance(option.text)) + 2 * SPACE
        option.widget.style().drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget)
        _paint(painter, option, words, left=min(end, room.right() - width), width=width, look=_STATES[words])


def _width(option: QStyleOptionViewItem, words: str) -> int:
    """How wide a badge is, pixels."""
    return option.fontMetrics.horizontalAdvance(words) + 2 * SPACE


def _paint(
    painter: QPainter, option: QStyleOptionViewItem, words: str, *, left: int, width: int, look: tuple[str, str]
) -> None:
    """Paints a badge in the middle of a row's height; ``look`` is the theme's colours of its words and its ground."""
    high = option.fontMetrics.height() + SPACE // 2
    field = QRectF(left, option.rect.center().y() - high / 2 + 1, width, high)
    ink, ground = look
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.current().colour(ground))
    painter.drawRoundedRect(field, high / 2, high / 2)
    painter.setPen(theme.current().colour(ink))
    painter.drawText(field, Qt.AlignmentFlag.AlignCenter, words)
    painter.restore()
