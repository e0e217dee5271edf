"""Verifies the whole trail once after a site was opened, unasked, when the window has nothing else to do.

Says something only where the trail does not hold. `ui.application` makes one for each signed-in period.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from lumen_desktop.domain.permissions import Act, Reach
from lumen_desktop.ui import tasks

if TYPE_CHECKING:
    from collections.abc import Callable

    from lumen_desktop.app import Site
    from lumen_desktop.domain.audit import Verdict
    from lumen_desktop.errors import LumenError

_AFTER_MS = 120_000


class IdleVerification(QObject):
    """Waits, and verifies.

    Args:
        site: the open site.
        busy: whether the window works on something now.
        parent: whose life bounds it.
    """

    broken = Signal(object)  # Verdict

    def __init__(self, site: Site, busy: Callable[[], bool], parent: QObject) -> None:
        super().__init__(parent)
        self._site = site
        self._busy = busy
        self._task: tasks.Task | None = None
        self._waiting = QTimer(self, singleShot=True, interval=_AFTER_MS)
        self._waiting.timeout.connect(self._begin)
        if site.trouble is None:  # else it is known already
            self._waiting.start()

    def leave(self) -> None:
        """The person goes: what is found is told to nobody."""
        self._waiting.stop()
        if self._task is not None:
            self._task.drop()
        self.deleteLater()

    def _begin(self) -> None:
        if self._busy():
            self._waiting.start()
        else:
            self._task = tasks.run(self, self._verified, self._tell, self._refused)
            self._task.finished.connect(self._ended)

    def _verified(self) -> Verdict | None:
        """The verdict; None while nobody is there in whose name it could be asked."""
        person = self._site.person
        may = not person.over() and person.reach(Act.READ_AUDIT) > Reach.NONE
        return self._site.audit.verify() if may else None

    def _tell(self, verdict: Verdict | None) -> None:
        if verdict is None:
            self._waiting.start()
        elif verdict.first_bad is not None:
            self.broken.emit(verdict)

    def _refused(self, _: LumenError) -> None:
        """Nobody asked: who asks on the audit screen is told why."""

    def _ended(self) -> None:
        self._task = None
