"""Reviews: what a reviewer found is asked for first, as it is part of what is signed; the dialog to sign follows.

The screens of the audit trail and of people begin them by one call: `review_trail`, `review_access`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QPlainTextEdit, QPushButton, QWidget

from lumen_desktop.services.reviews import LONGEST_FINDING
from lumen_desktop.ui import theme
from lumen_desktop.ui.flow import Flow
from lumen_desktop.ui.signing import dialog
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import Scrolled, button, column, fitted, label

if TYPE_CHECKING:
    from lumen_desktop.app import Site
    from lumen_desktop.services.signing import Record, Signature

Done = Callable[["Signature"], object]
_SIZE, _LINES = (560, 380), 5
_TRAIL = (
    "The review covers the events since the last one, other than your own: those wait for another reviewer. Say what"
    " you looked at and what you found, such as: no unexpected change; asked about event 412, see deviation 7."
)
_ACCESS = (
    "The review keeps the list of people, their duties and the refused sign-ins as they stand now. Say what you found,"
    " such as: all duties are needed still; asked for one account to be deactivated."
)


class FindingDialog(QDialog):
    """Asks what a reviewer found.

    Args:
        title: what is reviewed.
        about: what the review covers, and an example.
        parent: what it lies on.
    """

    given = Signal(str)

    def __init__(self, title: str, about: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setModal(True)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.finding = QPlainTextEdit()
        self.finding.setAccessibleName("What you found")
        self.finding.setTabChangesFocus(True)
        self.go_on = button("Go on to sign…", self._give, role="primary")
        self._build(title, about)
        room = parent.size()
        self.resize(min(theme.scaled(_SIZE[0]), room.width()), min(theme.scaled(_SIZE[1]), room.height()))

    def _build(self, title: str, about: str) -> None:
        inside, words = QWidget(), column(margin=SPACE)
        for part in (label(title, "heading"), label(about, "muted"), label("What you found", "strong")):
            words.addWidget(part)
        words.addWidget(self.finding, 1)
        inside.setLayout(words)
        area = Scrolled(inside)
        area.setAccessibleName(title)
        foot = Flow()
        foot.stretch()
        foot.add(button("Cancel", self.reject))
        foot.add(self.go_on)
        layout = column(margin=2 * SPACE)
        layout.addWidget(area, 1)
        layout.addLayout(foot)
        self.setLayout(layout)
        fitted(self.finding, lambda: self.finding.setMinimumHeight(_LINES * theme.line_height()))
        self.finding.textChanged.connect(self._allow)
        self._allow()
        for made in self.findChildren(QPushButton):
            made.setAutoDefault(False)
        self.finding.setFocus()

    def _allow(self) -> None:
        words = self.finding.toPlainText().strip()
        self.go_on.setEnabled(0 < len(words) <= LONGEST_FINDING)
        self.go_on.setToolTip(f"Up to {LONGEST_FINDING:,} characters" if len(words) > LONGEST_FINDING else "")

    def _give(self) -> None:
        words = " ".join(self.finding.toPlainText().split())
        self.accept()
        self.given.emit(words)


def review_trail(parent: QWidget, site: Site, *, done: Done | None = None) -> FindingDialog:
    """Reviews the audit trail since its last review; returns at once.

    Args:
        parent: whose window it is.
        site: whose trail.
        done: called with the signature once it is given.
    """
    return _begun(parent, site, ("Review of the audit trail", _TRAIL), site.reviews.of_trail, done)


def review_access(parent: QWidget, site: Site, *, done: Done | None = None) -> FindingDialog:
    """Reviews who has access; as `review_trail`."""
    return _begun(parent, site, ("Review of access", _ACCESS), site.reviews.of_access, done)


def _begun(
    parent: QWidget, site: Site, words: tuple[str, str], record_of: Callable[[str], Record], done: Done | None
) -> FindingDialog:
    asked = FindingDialog(*words, parent.window())
    asked.given.connect(
        lambda finding: dialog.sign(parent, site, lambda: record_of(finding), site.reviews.sign, done=done)
    )
    asked.open()
    return asked
