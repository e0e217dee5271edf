"""The side of the window: the screens, help and shortcuts; and whether this is a demonstration."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QPushButton

from lumen_desktop.ui import theme
from lumen_desktop.ui.screens import ENTRIES, Entry
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import ICON_SIZE, button, column, label, picture, row

WIDTH = 184


class Navigation(QFrame):
    """A button for each screen; Ctrl and its number chooses it."""

    chosen = Signal(str)
    help_wanted = Signal()
    shortcuts_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "side")
        self.setAccessibleName("Screens")
        self.setFixedWidth(WIDTH)
        self._buttons: dict[str, QPushButton] = {}
        self._group = QButtonGroup(self)
        self.badge = label("DEMONSTRATION", "badge-warning")
        self.badge.setToolTip("This site is for trying out. Do not use its answers for a patient or a batch.")
        self.badge.hide()
        self._build()

    def _build(self) -> None:
        layout = column(margin=int(1.5 * SPACE), spacing=SPACE // 2)
        layout.addLayout(_brand())
        layout.addWidget(self.badge)
        layout.addSpacing(SPACE)
        for number, entry in enumerate(ENTRIES, start=1):
            layout.addWidget(self._button(entry, number))
        layout.addStretch(1)
        for made in (
            button("Help", self.help_wanted.emit, role="quiet", icon="circle-help", tip="Help (F1)"),
            button("Shortcuts", self.shortcuts_wanted.emit, role="quiet", icon="keyboard", tip="Shortcuts (Ctrl+/)"),
        ):
            made.setStyleSheet("text-align: left;")
            layout.addWidget(made)
        self.setLayout(layout)

    def _button(self, entry: Entry, number: int) -> QPushButton:
        keys = QKeySequence(f"Ctrl+{number}").toString(QKeySequence.SequenceFormat.NativeText)
        made = button(entry.title, lambda: self.chosen.emit(entry.name), role="navigation", icon=entry.icon)
        made.setToolTip(f"{entry.title} ({keys})")
        made.setIconSize(ICON_SIZE)
        made.setCheckable(True)
        self._group.addButton(made)
        self._buttons[entry.name] = made
        return made

    def show_chosen(self, name: str) -> None:
        """Marks the button of the screen that is shown."""
        self._buttons[name].setChecked(True)
        for other, made in self._buttons.items():
            entry = next(entry for entry in ENTRIES if entry.name == other)
            colour = "accent" if other == name else "muted"
            made.setProperty("icon_name", [entry.icon, colour])
            made.setIcon(theme.icon(entry.icon, colour))


def _brand() -> QHBoxLayout:
    sign = picture("lumen", "accent", 28)
    name = label("Lumen", "heading")
    layout = row()
    layout.addWidget(sign)
    layout.addWidget(name, 1)
    return layout
