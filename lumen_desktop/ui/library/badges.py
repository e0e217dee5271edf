"""A word in a rounded field, painted in a list: whose words a document holds."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QApplication, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from lumen_desktop.ui import theme
from lumen_desktop.ui.theme import SPACE

_ACCENTED = "Lumen"


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
        metrics = option.fontMetrics
        room = option.rect
        high = metrics.height() + SPACE // 2
        field = QRectF(room.left() + SPACE, room.center().y() - high / 2 + 1, 0, high)
        field.setWidth(min(metrics.horizontalAdvance(words) + 2 * SPACE, room.width() - SPACE))
        ink, ground = ("accent", "accent_soft") if words == _ACCENTED else ("muted", "sunken")
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.current().colour(ground))
        painter.drawRoundedRect(field, high / 2, high / 2)
        painter.setPen(theme.current().colour(ink))
        painter.drawText(field, Qt.AlignmentFlag.AlignCenter, words)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:  # noqa: N802
        """Room for the badge."""
        size = super().sizeHint(option, index)
        return QSize(size.width() + 2 * SPACE, size.height())
