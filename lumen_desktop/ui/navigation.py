"""The side of the window: the screens, help and shortcuts; and whether this is a demonstration.

Where its words would take too much of the window it shows icons only, with the words as tips and for screen readers.
"""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QMenu, QPushButton

from lumen_desktop.ui import theme
from lumen_desktop.ui.screens import ENTRIES, Entry
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import ICON_PX, button, column, fitted, label, picture, row, show_icon

WIDTH = 184  # where the words need no more
_DEMONSTRATION = "DEMONSTRATION"
_MARGIN = SPACE * 3 // 2
_MOST = 4  # the words take no more than one such part of the window's width
_LONGEST_NAME = 16  # characters shown; the tip has all
_SIGN = 28  # pixels
_BESIDE, _ABOVE = 36, 20  # pixels of a button around its icon and words


class Navigation(QFrame):
    """A button for each screen; Ctrl and its number chooses it."""

    chosen = Signal(str)
    help_wanted = Signal()
    shortcuts_wanted = Signal()
    lock_wanted = Signal()
    sign_out_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "side")
        self.setAccessibleName("Screens")
        self._buttons: dict[str, QPushButton] = {}
        self._words: dict[QPushButton, str] = {}
        self._group = QButtonGroup(self)
        self._room = QSize()
        self.folded = False
        self.badge = label(_DEMONSTRATION, "badge-warning")
        self.badge.setAccessibleName(_DEMONSTRATION)
        self.badge.setToolTip(f"{_DEMONSTRATION}: for trying out. Do not use its answers for a patient or a batch.")
        self.badge.hide()
        self._person = button("", self._open_menu, role="quiet", icon="user")
        self._person.hide()
        self._name = label("Lumen", "heading")
        self._name.setWordWrap(False)
        self._build()
        fitted(self, self._fit)

    def _build(self) -> None:
        layout = column(margin=_MARGIN, spacing=SPACE // 2)
        layout.addLayout(self._brand())
        layout.addWidget(self.badge)
        layout.addSpacing(SPACE)
        for number, entry in enumerate(ENTRIES, start=1):
            layout.addWidget(self._button(entry, number))
        layout.addStretch(1)
        for made in (
            self._person,
            button("Help", self.help_wanted.emit, role="quiet", icon="circle-help", tip="Help (F1)"),
            button("Shortcuts", self.shortcuts_wanted.emit, role="quiet", icon="keyboard", tip="Shortcuts (Ctrl+/)"),
        ):
            made.setStyleSheet("text-align: left;")
            layout.addWidget(made)
            self._words[made] = made.text()
        self.setLayout(layout)

    def _brand(self) -> QHBoxLayout:
        layout = row()
        layout.addWidget(picture("lumen", "accent", _SIGN))
        layout.addWidget(self._name, 1)
        return layout

    def _button(self, entry: Entry, number: int) -> QPushButton:
        keys = QKeySequence(f"Ctrl+{number}").toString(QKeySequence.SequenceFormat.NativeText)
        made = button(entry.title, lambda: self.chosen.emit(entry.name), role="navigation", icon=entry.icon)
        made.setToolTip(f"{entry.title} ({keys})")
        made.setCheckable(True)
        self._group.addButton(made)
        self._buttons[entry.name] = made
        self._words[made] = entry.title
        return made

    def show_chosen(self, name: str) -> None:
        """Marks the button of the screen that is shown."""
        self._buttons[name].setChecked(True)
        for other, made in self._buttons.items():
            entry = next(entry for entry in ENTRIES if entry.name == other)
            colour = "accent" if other == name else "muted"
            made.setProperty("icon_name", [entry.icon, colour])
            made.setIcon(theme.icon(entry.icon, colour))

    def show_person(self, name: str) -> None:
        """Says who is signed in; nobody where it is empty."""
        self._words[self._person] = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
        self._person.setText("" if self.folded else self._words[self._person])
        self._person.setAccessibleName(f"Signed in: {name}")
        self._person.setToolTip(f"Signed in as {name}: lock, or let somebody else sign in")
        self._person.setVisible(bool(name))
        self._fit()

    def _open_menu(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Lock\tCtrl+Shift+L", self.lock_wanted.emit)
        menu.addAction("Sign out, or let somebody else sign in", self.sign_out_wanted.emit)
        menu.popup(self._person.mapToGlobal(self._person.rect().topRight()))

    def mark_demonstration(self, *, on: bool) -> None:
        """Says on every screen that this is a demonstration."""
        self.badge.setVisible(on)
        self._fit()

    def fit(self, window: QSize) -> None:
        """Takes its part of a window of this size."""
        self._room = window
        self._fit()

    def _fit(self) -> None:
        if self._room.isEmpty():
            return
        words = self._needed()
        folded = words.width() > self._room.width() // _MOST or words.height() > self._room.height()
        if folded is not self.folded:
            self.folded = folded
            self._fold()
        self.setFixedWidth(theme.icon_px(ICON_PX) + _BESIDE + 2 * _MARGIN if folded else max(WIDTH, words.width()))

    def _needed(self) -> QSize:
        """What it needs to show its words, pixels."""
        shown = not self.badge.isHidden()
        beside = theme.icon_px(ICON_PX) + _BESIDE
        widths = [beside + theme.text_width(words, bold=True) for words in self._words.values()]
        widths.append(theme.icon_px(_SIGN) + SPACE + theme.text_width(self._name.text(), "heading", bold=True))
        widths += [theme.text_width(f"{_DEMONSTRATION}M", "small", bold=True) + _BESIDE // 2] if shown else []
        line = max(theme.line_height(), theme.icon_px(ICON_PX)) + _ABOVE + SPACE // 2
        return QSize(max(widths) + 2 * _MARGIN, (len(self._words) + 1 + shown) * line + SPACE + 2 * _MARGIN)

    def _fold(self) -> None:
        self._name.setVisible(not self.folded)
        for made, words in self._words.items():
            made.setText("" if self.folded else words)
        if self.folded:
            show_icon(self.badge, "triangle-alert", "warning")
        else:
            self.badge.setProperty("icon_px", None)
            self.badge.setText(_DEMONSTRATION)
