"""Conversations, text and source beside each other, as far as there is room for their words.

Where there is not, the conversations fold behind a button, and a source stands alone until it is closed. Knows no
service; `screen` fills it.
"""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QSplitter, QWidget

from lumen_desktop.ui import theme
from lumen_desktop.ui.flow import Flow
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import button, column, fitted, icon_button

_SIDE, _MIDDLE = 248, 640  # pixels
_NARROW_SIDE = 200
_COMFORTABLE = 420  # pixels; where text and source have less, the conversations make room while a source is open
_READABLE = 280  # pixels at the default text size; text or source with less stands alone


class Room(QWidget):
    """Three panels.

    Args:
        side: the conversations.
        middle: what is asked and answered.
        begin: begins a new conversation, while the side is folded.
    """

    def __init__(self, side: QWidget, middle: QWidget, begin: Callable[[], object]) -> None:
        super().__init__()
        self._side, self._middle = side, middle
        self._source: QWidget | None = None
        self.folded = False
        self._fold_button = button("Conversations", self._toggled, role="quiet", icon="list")
        self._fold_button.setCheckable(True)
        self._fold_button.setToolTip("Show the conversations (Ctrl+K)")
        self._top = QWidget()
        self._top.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        line = Flow()
        line.setContentsMargins(2 * SPACE, SPACE, 2 * SPACE, 0)
        line.add(self._fold_button)
        line.stretch()
        line.add(icon_button("plus", "New conversation (Ctrl+N)", begin))
        self._top.setLayout(line)
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._splitter.setHandleWidth(1)
        self._splitter.setChildrenCollapsible(False)
        side.setMinimumWidth(_NARROW_SIDE)
        for part in (side, middle):
            self._splitter.addWidget(part)
        self._splitter.setStretchFactor(1, 1)
        self._splitter.setSizes([_SIDE, _MIDDLE])
        layout = column(spacing=0)
        layout.addWidget(self._top)
        layout.addWidget(self._splitter, 1)
        self.setLayout(layout)
        fitted(self, self._share)

    def show_side(self) -> None:
        """Shows the conversations, in place of the text where there is no room for both."""
        if self.folded:
            self._fold_button.setChecked(True)
            self._share()

    def fold_side(self) -> None:
        """Gives the room of the conversations back to the text, where there is none for both."""
        self._fold_button.setChecked(False)
        self._share()

    def open_source(self, source: QWidget) -> None:
        """Shows a source beside the text."""
        if self._source is None:
            self._source = source
            self._splitter.addWidget(source)
        elif not source.isHidden():
            return
        source.show()
        self.fold_side()
        rest = self.width() - (0 if self._side.isHidden() else _SIDE)
        self._splitter.setSizes([_SIDE, rest - rest // 2, rest // 2])

    def close_source(self) -> bool:
        """Takes the source away; whether it stood alone, so that the focus must go elsewhere."""
        if self._source is None or self._source.isHidden():
            return False
        alone = self._middle.isHidden()
        self._source.hide()
        self._share()
        return alone

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's
        """Shows what there is room for."""
        super().resizeEvent(event)
        self._share()

    def _toggled(self) -> None:
        self._share()
        if self._fold_button.isChecked():
            self._side.setFocus()

    def _share(self) -> None:
        wide, readable = self.width(), theme.scaled(_READABLE)
        opened = self._source is not None and not self._source.isHidden()
        side = max(_SIDE, self._side.minimumSizeHint().width())
        beside = 2 * max(_COMFORTABLE, readable) if opened else readable
        self.folded = wide < side + beside
        if not self.folded:
            self._fold_button.setChecked(False)
        instead = self._fold_button.isChecked()
        self._top.setVisible(self.folded and not opened)
        self._side.setHidden(self.folded and not instead)
        self._middle.setHidden(instead or (opened and wide < 2 * readable))
