"""The self-test in the window: each check a line, as it is done."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from lumen_desktop.ui import tasks, theme
from lumen_desktop.ui.flow import Flow
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import ICON_PX, Card, button, column, label, picture, sized

if TYPE_CHECKING:
    from lumen_desktop.app import Site
    from lumen_desktop.services.doctor import Finding

_NAME, _FOUND = 150, 240  # pixels at the default text size: a part's name, and at least what stands beside it
_DIGEST = re.compile(r"\b([0-9a-f]{16})[0-9a-f]{48}\b")  # its beginning tells builds apart; the tip has all of it


class SelfTestPage(QWidget):
    """Runs `site.doctor` and shows what it found."""

    def __init__(self, site: Site | None) -> None:
        super().__init__()
        self._site = site
        self._task: tasks.Task | None = None
        self._stopping = False
        self.findings: list[Finding] = []
        self.run_button = button("Test every part", self.run, role="primary", icon="play")
        self.run_button.setEnabled(site is not None)
        self.summary = label("Not run yet." if site else "A site has to be open for it.", "muted")
        self._lines = column(spacing=SPACE)
        self._card = Card()
        self._card.body.addLayout(self._lines)
        self._card.hide()
        layout = column(margin=SPACE, spacing=int(1.5 * SPACE))
        layout.addWidget(
            label("Lets each part do a piece of its work on this computer: disk, audit trail, models, index.", "muted")
        )
        layout.addWidget(self.run_button, alignment=Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self._card)
        layout.addWidget(self.summary)
        layout.addStretch(1)
        self.setLayout(layout)

    @property
    def busy(self) -> bool:
        """Whether it runs."""
        return self._task is not None

    def run(self) -> None:
        """Begins the checks anew."""
        assert self._site is not None
        doctor = self._site.doctor
        self._stopping = False
        self.findings = []
        while (item := self._lines.takeAt(0)) is not None:
            if (line := item.widget()) is not None:
                line.deleteLater()
        self._card.show()
        self.run_button.setEnabled(False)
        self.summary.setText("Testing…")

        def checks() -> Iterator[Finding]:
            for finding in doctor.examine():
                yield finding
                if self._stopping:
                    return

        self._task = tasks.stream(self, checks, self._add)
        self._task.finished.connect(self._end)

    def stop(self) -> None:
        """Ends it after the check it is at."""
        self._stopping = True

    def _add(self, finding: Finding) -> None:
        self.findings.append(finding)
        line, layout = QWidget(), Flow()
        name, colour = ("circle-check", "success") if finding.good else ("circle-x", "danger")
        sign = picture(name, colour, ICON_PX)
        title = label(finding.check, "strong")
        sized(title, width=_NAME)
        words = label(_DIGEST.sub(r"\1…", finding.found), selectable=True)
        words.setToolTip(finding.found)
        for part in (sign, title):
            layout.add(part, top=True)
        layout.add(words, grows=True, least_px=_FOUND)
        line.setLayout(layout)
        line.setAccessibleName(f"{finding.check}: {'good' if finding.good else 'not right'}. {finding.found}")
        self._lines.addWidget(line)

    def _end(self) -> None:
        self._task = None
        self.run_button.setEnabled(True)
        bad = [finding for finding in self.findings if not finding.good]
        self.summary.setText(f"{len(bad)} of {len(self.findings)} parts do not do their work." if bad else
                             f"All {len(self.findings)} parts do their work.")  # fmt: skip
        theme.mark(self.summary, "danger" if bad else "muted")
