"""A page as it looks, with the quote lit on it.

Knows pixels and boxes, no document; `pages.PagePane` feeds it.
"""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from lumen_desktop.domain.library import Box
from lumen_desktop.ui import theme

MARK_OPACITY = 0.4
_EDGE_PX = 1.5  # a colour alone would tell nothing to whoever cannot see it


class PagePicture(QWidget):
    """One page image, as wide as it is told, with boxes painted over it."""

    def __init__(self) -> None:
        super().__init__()
        self._image = QImage()
        self._boxes: tuple[Box, ...] = ()

    def show_page(self, image: QImage, boxes: Sequence[Box]) -> None:
        """Takes a page; `set_width` decides how large it is seen."""
        self._image, self._boxes = image, tuple(boxes)
        self.set_width(self.width())
        self.update()

    def set_width(self, width: int) -> None:
        """Makes the page this wide, pixels of the window; the image is scaled until a sharper one comes."""
        if not self._image.isNull():
            self.setFixedSize(QSize(width, max(1, round(width * self._image.height() / self._image.width()))))

    def boxes(self) -> list[QRectF]:
        """Where the marks are, in the widget's own coordinates."""
        wide, high = self.width(), self.height()
        return [
            QRectF(box.left * wide, box.top * high, (box.right - box.left) * wide, (box.bottom - box.top) * high)
            for box in self._boxes
        ]

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draws the page, then the marks as ink would lie on paper: the letters stay as dark as they are."""
        if self._image.isNull():
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(self.rect()), self._image)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Multiply)
        ink = theme.current().colour("highlight")
        for box in self.boxes():
            painter.fillRect(box, mark_colour())
            painter.fillRect(QRectF(box.left(), box.bottom() - _EDGE_PX, box.width(), _EDGE_PX), ink)
        painter.end()


def mark_colour() -> QColor:
    """The colour of a mark, as it is laid over the page."""
    colour = theme.current().colour("highlight")
    colour.setAlphaF(MARK_OPACITY)
    return colour
