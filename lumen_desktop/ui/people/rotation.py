"""A new database key in the window: why, how far it is, and a way to give it up before it counts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QProgressBar, QWidget

from lumen_desktop.errors import Stopped
from lumen_desktop.ui.people.sheet import Form
from lumen_desktop.ui.widgets import label

if TYPE_CHECKING:
    from lumen_desktop.app import Site

_WORDS = {"copying": "Encrypting anew", "verifying": "Comparing with the old one"}


class RotationForm(Form):
    """Nothing else can be done at the window meanwhile: the database is nobody else's until it is over."""

    _told = Signal(str, float)

    def __init__(self, parent: QWidget, site: Site) -> None:
        super().__init__(parent, "New database key", "Make a new key", danger=True)
        self._site = site
        self._stopping = threading.Event()
        self._then: Callable[[], object] = lambda: None
        self.say(
            "Encrypts the whole site anew, about a minute for 3 GB. It needs room for a second copy of the database "
            "for a while. All passwords and the recovery code stay. Copies made before still open with the old key."
        )
        self.reason = self.ask_reason()
        self.far, self.bar = label("", "small"), QProgressBar(maximum=100, textVisible=False)
        self.bar.setAccessibleName("How far the new key is")
        self.body.addWidget(self.far)
        self.body.addWidget(self.bar)
        self.far.hide()
        self.bar.hide()
        self._told.connect(self._show_progress)
        self.does(self._work_of, lambda _: self._then())

    def does_then(self, then: Callable[[], object]) -> None:
        """Says what happens once the site has its new key."""
        self._then = then

    def stop(self) -> None:
        """Gives it up; the old key goes on."""
        self._stopping.set()

    def reject(self) -> None:
        """Closes, or gives up the key that is being made."""
        if self.working:
            self.stop()
        else:
            super().reject()

    def _work_of(self) -> Callable[[], None]:
        reason, keys = self.reason.text(), self._site.keys
        self._stopping.clear()
        return lambda: keys.rotate(reason, self._progress)

    def _progress(self, what: str, part: float) -> None:
        """In the thread of the work."""
        if self._stopping.is_set():
            raise Stopped
        if shiboken6.isValid(self):
            self._told.emit(what, part)

    def _show_progress(self, what: str, part: float) -> None:
        self.bar.setValue(int(part * 100))
        self.far.setText(f"{_WORDS[what]}: {int(part * 100)} %")

    def _work(self, *, working: bool) -> None:
        super()._work(working=working)
        self.cancel.setEnabled(True)
        self.cancel.setText("Stop" if working else "Cancel")
        self.cancel.setAccessibleName(self.cancel.text())
        self.bar.setVisible(working)
        stopped = self._stopping.is_set() and not working
        self.far.setText("Beginning…" if working else "Stopped: the old key goes on.")
        self.far.setVisible(working or stopped)
        self.fit()
