"""The few parts that every screen is made of: labels, buttons, cards, banners and empty states.

They know the theme and nothing else. Every one that can be operated has a name that a screen reader says.
"""

from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QKeySequence
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from lumen_desktop.ui import theme
from lumen_desktop.ui.theme import SPACE

ICON_SIZE = QSize(18, 18)
_LARGE_ICON = 48
_EMPTY_WIDTH = 520
Layout = TypeVar("Layout", bound=QBoxLayout)
_BANNER_ICONS = {"info": "info", "warning": "triangle-alert", "danger": "circle-x", "success": "circle-check"}
_BANNER_COLOURS = {"info": "accent", "warning": "warning", "danger": "danger", "success": "success"}


def label(text: str = "", role: str = "body", *, selectable: bool = False) -> QLabel:
    """Text that wraps; plain, never read as HTML."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(not role.startswith("badge"))
    made.setProperty("role", role)
    if selectable:
        made.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
    return made


def button(
    text: str,
    clicked: Callable[[], object],
    *,
    role: str = "",
    icon: str = "",
    tip: str = "",
    shortcut: str = "",
) -> QPushButton:
    """A button with words; the tip names its shortcut."""
    made = QPushButton(text)
    made.setProperty("role", role)
    made.setAccessibleName(text)
    _furnish(made, clicked, icon=icon, colour="on_accent" if role == "primary" else "text", shortcut=shortcut)
    made.setToolTip(_tip(tip, shortcut))
    return made


def icon_button(icon: str, name: str, clicked: Callable[[], object], *, shortcut: str = "") -> QPushButton:
    """A button without words; ``name`` is its tip and what a screen reader says."""
    made = QPushButton()
    made.setProperty("role", "quiet")
    made.setAccessibleName(name)
    _furnish(made, clicked, icon=icon, colour="muted", shortcut=shortcut)
    made.setToolTip(_tip(name, shortcut))
    return made


def _furnish(made: QPushButton, clicked: Callable[[], object], *, icon: str, colour: str, shortcut: str) -> None:
    if icon:
        made.setIcon(theme.icon(icon, colour))
        made.setIconSize(ICON_SIZE)
        made.setProperty("icon_name", [icon, colour])
    if shortcut:
        made.setShortcut(QKeySequence(shortcut))
    made.clicked.connect(lambda _checked: clicked())


def _tip(words: str, shortcut: str) -> str:
    keys = QKeySequence(shortcut).toString(QKeySequence.SequenceFormat.NativeText) if shortcut else ""
    return " ".join(part for part in (words, f"({keys})" if keys else "") if part)


def picture(icon: str, colour: str, size_px: int) -> QLabel:
    """An icon that only shows something."""
    made = QLabel()
    made.setProperty("icon_name", [icon, colour])
    made.setProperty("icon_px", size_px)
    made.setPixmap(theme.icon(icon, colour).pixmap(size_px, size_px))
    return made


def restyle(root: QWidget) -> None:
    """Redraws icons after the theme changed."""
    for shown in root.findChildren(QLabel):
        size_px = shown.property("icon_px")
        if size_px:
            shown.setPixmap(theme.icon(*shown.property("icon_name")).pixmap(size_px, size_px))
    for made in root.findChildren(QPushButton):
        kept = made.property("icon_name")
        if kept:
            made.setIcon(theme.icon(*kept))


def announce(widget: QWidget, words: str) -> None:
    """Lets a screen reader say what happened, without moving the focus."""
    if QAccessible.isActive():
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(widget, words))


def column(*, margin: int = 0, spacing: int = SPACE) -> QVBoxLayout:
    """A layout from top to bottom, distances in pixels."""
    return _spaced(QVBoxLayout(), margin, spacing)


def row(*, margin: int = 0, spacing: int = SPACE) -> QHBoxLayout:
    """A layout from left to right, distances in pixels."""
    return _spaced(QHBoxLayout(), margin, spacing)


def _spaced(layout: Layout, margin: int, spacing: int) -> Layout:
    layout.setContentsMargins(margin, margin, margin, margin)
    layout.setSpacing(spacing)
    return layout


def line() -> QFrame:
    """A thin line between parts."""
    made = QFrame()
    made.setProperty("role", "line")
    return made


class Card(QFrame):
    """A raised surface with a column to fill: ``body``."""

    def __init__(self, parent: QWidget | None = None, *, margin: int = 2 * SPACE) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.body = column(margin=margin)
        self.setLayout(self.body)


class EmptyState(QWidget):
    """What a screen says when there is nothing on it: what will be here, and how to begin."""

    def __init__(self, icon: str, title: str, text: str, action: QPushButton | None = None) -> None:
        super().__init__()
        self._picture = picture(icon, "muted", _LARGE_ICON)
        layout = column(margin=4 * SPACE, spacing=int(1.5 * SPACE))
        layout.addStretch(2)
        layout.addWidget(self._picture, alignment=Qt.AlignmentFlag.AlignCenter)
        for words, role in ((title, "heading"), (text, "muted")):
            said = label(words, role)
            said.setAlignment(Qt.AlignmentFlag.AlignCenter)
            said.setFixedWidth(_EMPTY_WIDTH)  # a wrapped text knows its height only where its width is known
            said.setMinimumHeight(said.heightForWidth(_EMPTY_WIDTH))
            layout.addWidget(said, alignment=Qt.AlignmentFlag.AlignHCenter)
        if action is not None:
            layout.addWidget(action, alignment=Qt.AlignmentFlag.AlignCenter)
        layout.addStretch(3)
        self.setLayout(layout)
        self.setAccessibleName(f"{title}. {text}")


class Banner(QFrame):
    """One message over a screen, with an action and a way to close it; a new one takes the old one's place."""

    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._picture = QLabel()
        self._words = label("", selectable=True)
        self._words.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._action = button("", self._acted, role="quiet")
        self._action.hide()
        self._act: Callable[[], object] | None = None
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.close_message)
        layout = row(margin=SPACE)
        for part in (self._picture, self._words, self._action):
            layout.addWidget(part)
        layout.addWidget(icon_button("x", "Close this message", self.close_message))
        self.setLayout(layout)
        self.hide()

    def tell(
        self,
        words: str,
        *,
        kind: str = "info",
        action: str = "",
        act: Callable[[], object] | None = None,
        seconds: float = 0,
    ) -> None:
        """Shows a message.

        Args:
            words: one or two sentences.
            kind: info, warning, danger or success.
            action: words of its button, and `act` what that does; none where empty.
            act: see action.
            seconds: how long it stays; 0 until it is closed.
        """
        theme.mark(self, f"banner-{kind}")
        self._picture.setPixmap(theme.icon(_BANNER_ICONS[kind], _BANNER_COLOURS[kind]).pixmap(ICON_SIZE))
        self._words.setText(words)
        self._action.setText(action)
        self._action.setAccessibleName(action)
        self._action.setVisible(bool(action))
        self._act = act
        self.setAccessibleName(words)
        self.show()
        announce(self, words)
        self._timer.stop()
        if seconds:
            self._timer.start(int(seconds * 1000))

    @property
    def words(self) -> str:
        """What it says; empty while it is closed."""
        return "" if self.isHidden() else self._words.text()

    def close_message(self) -> None:
        """Takes the message away."""
        self._timer.stop()
        self.hide()
        self.closed.emit()

    def _acted(self) -> None:
        act = self._act
        self.close_message()
        if act is not None:
            act()
