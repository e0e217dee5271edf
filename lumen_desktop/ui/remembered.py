"""What the window remembers of itself: its place on the screen, splitters, the last screen.

A small JSON file beside the settings; one that is damaged or cannot be written costs nothing but the memory.
"""

import contextlib
import json
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray
from PySide6.QtWidgets import QSplitter, QWidget

from lumen_desktop.settings import write_whole

_LARGEST_FILE_BYTES = 64 * 1024


class Remembered:
    """The state file, read once and written when the window closes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._values = _read(path)

    @property
    def screen(self) -> str:
        """Name of the screen shown last; empty where none is known."""
        name = self._values.get("screen", "")
        return name if isinstance(name, str) else ""

    def place(self, window: QWidget) -> None:
        """Gives a window its former size and place; Qt moves it where the screen is another one."""
        untrusted = self._values.get("geometry")
        if isinstance(untrusted, str):
            window.restoreGeometry(QByteArray.fromBase64(QByteArray(untrusted.encode("ascii", "replace"))))

    def divide(self, screen: QWidget) -> None:
        """Gives the named splitters of a screen their former sizes."""
        untrusted = self._values.get("splitters")
        for splitter in screen.findChildren(QSplitter):
            sizes = untrusted.get(splitter.objectName()) if isinstance(untrusted, dict) else None
            if isinstance(sizes, list) and len(sizes) == splitter.count() and all(_is_size(size) for size in sizes):
                splitter.setSizes(sizes)

    def keep(self, window: QWidget, screen: str) -> None:
        """Writes how the window stands now."""
        former = self._values.get("splitters")
        splitters = dict(former) if isinstance(former, dict) else {}
        shown = (s for s in window.findChildren(QSplitter) if s.objectName() and sum(s.sizes()))
        splitters |= {splitter.objectName(): splitter.sizes() for splitter in shown}
        geometry = bytes(window.saveGeometry().toBase64().data()).decode("ascii")
        self._values = {"screen": screen, "geometry": geometry, "splitters": splitters}
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._path, json.dumps(self._values).encode())


def _is_size(untrusted: object) -> bool:
    return isinstance(untrusted, int) and not isinstance(untrusted, bool) and 0 <= untrusted <= 100_000  # noqa: PLR2004


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            untrusted = json.loads(file.read(_LARGEST_FILE_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return untrusted if isinstance(untrusted, dict) else {}
