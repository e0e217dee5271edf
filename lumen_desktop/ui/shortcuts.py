"""The sheet of keyboard shortcuts, made from what each screen says of itself."""

from collections.abc import Iterable

from PySide6.QtCore import QSize
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QWidget

from lumen_desktop.ui import screens, theme
from lumen_desktop.ui.screens import ENTRIES, Shortcuts
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import Scrolled, column, label

_WIDTH, _HEIGHT = 520, 600  # pixels at the default text size
WINDOW: Shortcuts = (
    *((f"Ctrl+{number}", f"Show {entry.title}") for number, entry in enumerate(ENTRIES, start=1)),
    ("F1", "Help on the screen that is shown"),
    ("Ctrl+/", "Show this sheet"),
    ("Ctrl+Q", "Close Lumen"),
)


def groups() -> list[tuple[str, Shortcuts]]:
    """All shortcuts, by where they work."""
    found = [(entry.title, screens.shortcuts(entry)) for entry in ENTRIES]
    return [("Everywhere", WINDOW), *((title, keys) for title, keys in found if keys)]


class ShortcutSheet(QDialog):
    """All keys with what they do."""

    def __init__(self, parent: QWidget | None, shown: Iterable[tuple[str, Shortcuts]]) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        self.setModal(True)
        inside, grid = QWidget(), QGridLayout()
        grid.setHorizontalSpacing(3 * SPACE)
        grid.setVerticalSpacing(SPACE)
        for title, keys in shown:
            grid.addWidget(label(title, "heading"), grid.rowCount(), 0, 1, 2)
            for sequence, what in keys:
                at = grid.rowCount()
                badge = label(native(sequence), "badge")
                grid.addWidget(badge, at, 0)
                grid.addWidget(label(what), at, 1)
        grid.setColumnStretch(1, 1)
        inside.setLayout(grid)
        area = Scrolled(inside)
        area.setAccessibleName("Keyboard shortcuts")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        for made in buttons.buttons():
            made.setAccessibleName("Close")
        layout = column(margin=2 * SPACE)
        layout.addWidget(area)
        layout.addWidget(buttons)
        self.setLayout(layout)
        room = parent.size() if parent is not None else QSize(theme.scaled(_WIDTH), theme.scaled(_WIDTH))
        self.resize(min(theme.scaled(_WIDTH), room.width()), min(theme.scaled(_HEIGHT), room.height()))


def native(sequence: str) -> str:
    """Keys as this computer's people write them; what is no key stays as it is."""
    return QKeySequence(sequence).toString(QKeySequence.SequenceFormat.NativeText) or sequence
