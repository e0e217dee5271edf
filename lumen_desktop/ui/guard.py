"""Watches that nobody works under another's name: locks after idleness, on Ctrl+Shift+L, and lets people change places.

The period's rules are the service's (`services.authority`); this tells it of every key and click, and covers the
window when it says that the period is over.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QTimer, Signal

from lumen_desktop.ui import tasks
from lumen_desktop.ui.sign_in import LockedPage

if TYPE_CHECKING:
    from PySide6.QtGui import QWindow
    from PySide6.QtWidgets import QApplication

    from lumen_desktop.app import Site
    from lumen_desktop.ui.main_window import MainWindow

_LOOK_EVERY_MS = 1000
_TELL_EVERY_S = 2.0
_SIGNS_OF_LIFE = frozenset(
    {QEvent.Type.KeyPress, QEvent.Type.MouseButtonPress, QEvent.Type.Wheel, QEvent.Type.TouchBegin}
)
_WHY = {
    "idle": "Nobody was here for a while.",
    "too long": "The longest signed-in period is over.",
    "locked": "You locked it.",
    "attempts": "Three attempts to sign failed; nothing was signed.",
}


class Guard(QObject):
    """Guards one window for one person at a time."""

    sign_out_wanted = Signal()

    def __init__(self, application: QApplication, window: MainWindow, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._window = window
        self._site: Site | None = None
        self._page: LockedPage | None = None
        self._name = ""
        self._told_s = 0.0
        self._looking = QTimer(self, interval=_LOOK_EVERY_MS)
        self._looking.timeout.connect(self.look)
        window.lock_wanted.connect(self.lock)
        window.signing_out.connect(self.leave)
        application.focusWindowChanged.connect(self._attend)

    def watch(self, site: Site) -> None:
        """Guards this site's person from now on."""
        self._site = site
        self._name = site.person.user.name  # asked for once: the database may be closed to all for a while
        self._attend(self._window.windowHandle())
        self._looking.start()

    def leave(self) -> None:
        """The person goes."""
        self._looking.stop()
        self._site = None
        self._uncover()

    def lock(self) -> None:
        """Locks at the person's word."""
        if self._site is not None:
            self._site.person.lock()
            self.look()

    def look(self) -> None:
        """Covers the window as soon as the signed-in period is over."""
        if self._site is not None and self._page is None and (why := self._site.person.over()):
            page = self._page = LockedPage(self._name, _WHY[why])
            page.given.connect(self._come_back)
            page.other_wanted.connect(self.sign_out_wanted)
            self._window.cover(page)
            page.show()
            page.password.setFocus()

    def _attend(self, window: QWindow | None) -> None:
        """Listens to a window, dialog or menu that got the focus: all keys and clicks reach it before its widgets."""
        if window is not None:
            window.installEventFilter(self)  # Qt keeps one of each

    def eventFilter(self, _window: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Notes that somebody is there; every other key or click within two seconds is the same sign."""
        if event.type() in _SIGNS_OF_LIFE and self._site is not None and self._page is None:
            now_s = time.monotonic()
            if now_s - self._told_s > _TELL_EVERY_S:
                self._told_s = now_s
                self._site.person.used()
        return False

    def _come_back(self, password: str) -> None:
        site, page = self._site, self._page
        if site is not None and page is not None:
            tasks.run(self, lambda: site.people.come_back(password), lambda _: self._uncover(), page.refuse)

    def _uncover(self) -> None:
        if self._page is not None:
            self._page = None
            self._window.cover(None)
