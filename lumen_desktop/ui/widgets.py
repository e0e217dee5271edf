"""The few parts that every screen is made of: labels, buttons, cards, banners and empty states.

They know the theme and nothing else. Every one that can be operated has a name that a screen reader says, and each
follows the text size at once: what is measured in pixels is measured again (`fitted`, `sized`).
"""

from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QKeyEvent,
    QKeySequence,
    QResizeEvent,
    QShowEvent,
    QTextOption,
)
from PySide6.QtWidgets import (
    QApplication,
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from lumen_desktop.ui import theme
from lumen_desktop.ui.theme import SPACE

ICON_PX = 18
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
        made.setProperty("icon_name", [icon, colour])
        fitted(made, lambda: made.setIconSize(QSize(theme.icon_px(ICON_PX), theme.icon_px(ICON_PX))))
    if shortcut:
        made.setShortcut(QKeySequence(shortcut))
    made.clicked.connect(lambda _checked: clicked())


def _tip(words: str, shortcut: str) -> str:
    keys = QKeySequence(shortcut).toString(QKeySequence.SequenceFormat.NativeText) if shortcut else ""
    return " ".join(part for part in (words, f"({keys})" if keys else "") if part)


def picture(icon: str, colour: str, size_px: int) -> QLabel:
    """An icon that only shows something."""
    made = QLabel()
    show_icon(made, icon, colour, size_px)
    return made


def show_icon(shown: QLabel, icon: str, colour: str, size_px: int = ICON_PX) -> None:
    """Lets a label show an icon."""
    shown.setProperty("icon_name", [icon, colour])
    shown.setProperty("icon_px", size_px)
    _draw_icon(shown)


def _draw_icon(shown: QLabel) -> None:
    size_px = theme.icon_px(shown.property("icon_px"))
    shown.setPixmap(theme.icon(*shown.property("icon_name")).pixmap(size_px, size_px))


def restyle(root: QWidget) -> None:
    """Redraws icons after the theme changed, and lets all find its place again."""
    for shown in root.findChildren(QLabel):
        if shown.property("icon_px"):
            _draw_icon(shown)
    for made in root.findChildren(QPushButton):
        kept = made.property("icon_name")
        if kept:
            made.setIcon(theme.icon(*kept))
    for widget in root.findChildren(QWidget):
        widget.updateGeometry()  # Qt keeps sizes that it took while only some had their new look


def announce(widget: QWidget, words: str) -> None:
    """Lets a screen reader say what happened, without moving the focus."""
    if QAccessible.isActive():
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(widget, words))


class _Fitting(QObject):
    """Measures a widget again whenever the style sheet, and with it the text size, changes."""

    def __init__(self, widget: QWidget, act: Callable[[], object]) -> None:
        super().__init__(widget)
        self._act = act
        widget.installEventFilter(self)
        act()

    def eventFilter(self, _widget: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if event.type() is QEvent.Type.StyleChange:
            self._act()
            QTimer.singleShot(0, self, self._act)  # and once more when all others have their new look
        return False


def fitted(widget: QWidget, act: Callable[[], object]) -> None:
    """Does something to a widget that depends on the text size: now, and each time that changes."""
    _Fitting(widget, act)


def sized(widget: QWidget, *, width: int = 0, least: int = 0, most: int = 0) -> None:
    """Gives a widget lengths that grow with the text; pixels at the default text size, 0 for none.

    Args:
        widget: one that holds words.
        width: its width, whatever is on it.
        least: width below which it does not go.
        most: width above which it does not go.
    """

    def fit() -> None:
        if width:
            widget.setFixedWidth(theme.scaled(width))
        if least:
            widget.setMinimumWidth(theme.scaled(least))
        if most:
            widget.setMaximumWidth(theme.scaled(most))

    fitted(widget, fit)


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


class CardButton(QPushButton):
    """A card that can be pressed as a whole; its words wrap, as those of a button cannot. A column to fill: ``body``.

    A button and not a frame, because that is what it is to a screen reader and to the keyboard.
    """

    def __init__(self, role: str, parent: QWidget | None = None, *, margin: int = 2 * SPACE) -> None:
        super().__init__(parent)
        self.body = column(margin=margin)
        self.setLayout(self.body)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        theme.mark(self, role)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's
        """What is on it decides, not the button's empty text."""
        return self.body.sizeHint()

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's
        """As `sizeHint`."""
        return self.body.minimumSize()

    def hasHeightForWidth(self) -> bool:  # noqa: N802 - Qt's
        """Its text wraps."""
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802 - Qt's
        """As high as its text needs."""
        return self.body.totalHeightForWidth(width)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's
        """Lets Enter press it as Space does."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.click()
        else:
            super().keyPressEvent(event)


class Elided(QLabel):
    """Words on one line that end in an ellipsis where there is no room; then its tip has all of them."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", role)
        self._words = ""
        self._tip = ""
        fitted(self, self._elide)

    def text(self) -> str:
        """All of its words."""
        return self._words

    def setText(self, words: str) -> None:  # noqa: N802 - Qt's name
        """Takes other words."""
        self._words = words
        super().setText(words)
        self.updateGeometry()
        self._elide()

    def setToolTip(self, tip: str) -> None:  # noqa: N802 - Qt's name
        """Its tip while all of its words can be read."""
        self._tip = tip
        self._elide()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Room for all of its words."""
        metrics, hint = self.fontMetrics(), super().sizeHint()
        more = metrics.horizontalAdvance(self._words) - metrics.horizontalAdvance(super().text())
        return QSize(hint.width() + more, hint.height())

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Room for some letters."""
        hint = self.sizeHint()
        return QSize(min(hint.width(), self.fontMetrics().horizontalAdvance("MMMM…")), hint.height())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Shows as much as there is room for."""
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        hint = self.sizeHint().width()
        metrics = self.fontMetrics()
        around = hint - metrics.horizontalAdvance(self._words)
        cut = self.width() < hint
        room = max(0, self.width() - around)
        super().setText(metrics.elidedText(self._words, Qt.TextElideMode.ElideRight, room) if cut else self._words)
        super().setToolTip("\n".join(part for part in (self._words, self._tip) if part) if cut else self._tip)


class Unbroken(QPlainTextEdit):
    """One long word to read and to copy, such as a digest; it goes on in a next line wherever the room ends."""

    def __init__(self, word: str, name: str) -> None:
        super().__init__(word)
        self.setReadOnly(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setProperty("role", "bare")
        self.setAccessibleName(name)
        self.setTabChangesFocus(True)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAnywhere)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)  # it would hide the last line
        self.document().setDocumentMargin(0)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's
        """Room for some letters."""
        metrics = self.fontMetrics()
        return QSize(metrics.horizontalAdvance("M" * 8), metrics.lineSpacing())

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's
        """One line."""
        metrics = self.fontMetrics()
        return QSize(metrics.horizontalAdvance(self.toPlainText()) + SPACE, metrics.lineSpacing())

    def hasHeightForWidth(self) -> bool:  # noqa: N802 - Qt's
        """It goes on in a next line."""
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802 - Qt's
        """As high as its lines are."""
        flags = Qt.TextFlag.TextWrapAnywhere
        return self.fontMetrics().boundingRect(0, 0, width, 0, flags, self.toPlainText()).height() + SPACE // 2


class Scrolled(QScrollArea):
    """Lets what it holds be scrolled where it is higher than its place; the Tab key reaches it only then."""

    def __init__(self, inside: QWidget | None = None) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.verticalScrollBar().rangeChanged.connect(self._let_focus)
        if inside is not None:
            self.setWidget(inside)
            self.setAccessibleName(inside.accessibleName())

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Measures again once all has its look: Qt does so before, and keeps what it found."""
        super().showEvent(event)
        QTimer.singleShot(0, self, self._measure)

    def _measure(self) -> None:
        inside = self.widget()
        if inside is not None and (layout := inside.layout()) is not None:
            layout.invalidate()
            layout.activate()
            QApplication.sendEvent(self, QEvent(QEvent.Type.LayoutRequest))

    def _let_focus(self, _least: int, most: int) -> None:
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if most else Qt.FocusPolicy.NoFocus)


def centred(widget: QWidget, *, most: int) -> QHBoxLayout:
    """A row with a widget in its middle, no wider than ``most``, pixels at the default text size."""
    sized(widget, most=most)
    layout = row(spacing=0)
    layout.addStretch(1)
    layout.addWidget(widget, 1000)
    layout.addStretch(1)
    return layout


class EmptyState(Scrolled):
    """What a screen says when there is nothing on it: what will be here, and how to begin."""

    def __init__(self, icon: str, title: str, text: str, action: QPushButton | None = None) -> None:
        super().__init__()
        layout = column(margin=4 * SPACE, spacing=int(1.5 * SPACE))
        layout.addStretch(2)
        layout.addWidget(picture(icon, "muted", _LARGE_ICON), alignment=Qt.AlignmentFlag.AlignHCenter)
        for words, role in ((title, "heading"), (text, "muted")):
            said = label(words, role)
            said.setAlignment(Qt.AlignmentFlag.AlignCenter)
            layout.addLayout(centred(said, most=_EMPTY_WIDTH))
        if action is not None:
            layout.addWidget(action, alignment=Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(3)
        inside = QWidget()
        inside.setLayout(layout)
        self.setWidget(inside)
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
        show_icon(self._picture, _BANNER_ICONS[kind], _BANNER_COLOURS[kind])
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
