"""Keys that act while a part of the screen is seen, and are named in the tip of the button that does the same."""

from collections.abc import Callable

from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QPushButton, QWidget


def shortcut(owner: QWidget, keys: str, act: Callable[[], object], button: QPushButton | None = None) -> QShortcut:
    """Keys that act at once and as often as they are pressed; a button's own shortcut waits for its animation.

    Args:
        owner: while it is seen, the keys count.
        keys: as Qt writes them.
        act: what they do.
        button: that does the same; its tip names the keys.
    """
    made = QShortcut(QKeySequence(keys), owner)
    made.activated.connect(act)
    if button is not None:
        native = made.key().toString(QKeySequence.SequenceFormat.NativeText)
        button.setToolTip(f"{button.accessibleName()} ({native})")
    return made
