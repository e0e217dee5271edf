"""The screen of the audit trail: its last events, and whether the whole of it is intact."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QWidget

from lumen_desktop.ui import tasks, theme
from lumen_desktop.ui.flow import Flow
from lumen_desktop.ui.formatting import counted, with_zone
from lumen_desktop.ui.tables import Rows, table
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import Banner, button, column, label

if TYPE_CHECKING:
    from lumen_desktop.app import Site
    from lumen_desktop.domain.audit import Verdict

SHORTCUTS = (("F5", "Read the trail again"), ("Ctrl+Shift+V", "Verify the trail"))
_SHOWN = 1000  # events; the command line shows all
_HEADINGS = ("No.", "Time", "What", "Of", "Why", "Who")
_WIDTHS = (70, 290, 130, 170, 240)


class AuditScreen(QWidget):
    """Read only: events are made by the writes themselves."""

    def __init__(self, site: Site) -> None:
        super().__init__()
        self._site = site
        self._working = 0
        self.rows, self.verdict = Rows(_HEADINGS), Banner()
        self.summary = label("", "muted")
        self.view = table(self.rows, "Audit events, newest first", widths=_WIDTHS)
        self.verify_button = button(
            "Verify", self.verify, role="primary", icon="shield-check", tip="Follow the whole chain",
            shortcut="Ctrl+Shift+V",
        )  # fmt: skip
        layout = column(margin=2 * SPACE)
        layout.addLayout(self._head())
        layout.addWidget(
            label("Each write appends its event in the same step; nobody can change or delete one here.", "muted")
        )
        layout.addWidget(self.verdict)
        layout.addWidget(self.view, 1)
        layout.addWidget(self.summary)
        self.setLayout(layout)

    def _head(self) -> Flow:
        head = Flow()
        head.add(label("Audit trail", "title"), grows=True)
        head.add(button("Read again", self.activated, icon="refresh-cw", shortcut="F5"))
        head.add(self.verify_button)
        return head

    @property
    def busy(self) -> bool:
        """Whether it is read or verified now."""
        return self._working > 0

    def activated(self) -> None:
        """Reads the last events."""
        self._begin(tasks.run(self, lambda: self._site.audit.newest(_SHOWN), self._show))

    def stop(self) -> None:
        """Reading ends by itself and changes nothing: it is not waited for."""
        self._working = 0

    def verify(self) -> None:
        """Follows the whole chain and says what came of it."""
        self.verify_button.setEnabled(False)
        self._begin(tasks.run(self, self._site.audit.verify, self._tell))

    def _begin(self, task: tasks.Task) -> None:
        self._working += 1
        task.finished.connect(self._ended)

    def _ended(self) -> None:
        self._working = max(0, self._working - 1)
        self.verify_button.setEnabled(True)

    def _show(self, events: list[dict[str, Any]]) -> None:
        self.rows.show([_cells(event) for event in reversed(events)])
        more = " The terminal shows all: lumen audit list." if len(events) == _SHOWN else ""
        self.summary.setText(f"{counted(len(events), 'event')}, newest first.{more}")

    def _tell(self, verdict: Verdict) -> None:
        if verdict.first_bad is None:
            words = f"The audit trail is whole: {counted(verdict.events, 'event')}. Head {verdict.head.hex()[:16]}."
        else:
            words = f"The audit trail is broken at event {verdict.first_bad}: {verdict.reason}"
        self.verdict.tell(words, kind="success" if verdict.first_bad is None else "danger")
        theme.mark(self.verify_button, "primary" if verdict.first_bad is None else "danger")


def _cells(event: dict[str, Any]) -> tuple[str, ...]:
    time = with_zone(datetime.fromisoformat(event["time_utc"]))
    what = f"{event['entity']} {event['entity_id']}".replace("_", " ")
    return str(event["seq"]), time, event["act"], what, event["reason"], event["actor"]
