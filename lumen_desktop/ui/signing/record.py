"""A record in a window of its own: its pages, the digest of what is signed, and its signatures; saved as a PDF.

`dialog` adds to it what it takes to sign. The library, and whoever else has records, open it by `show`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QDialog, QFileDialog, QPushButton, QVBoxLayout, QWidget

from lumen_desktop.ui import errors, tasks, theme
from lumen_desktop.ui.entrance import Problem
from lumen_desktop.ui.flow import Flow
from lumen_desktop.ui.library.pages import Opened, PagePane
from lumen_desktop.ui.signing.facts import Facts
from lumen_desktop.ui.signing.reading import Read, ReadRecord, read
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import Elided, Scrolled, announce, button, column, label, line, row

if TYPE_CHECKING:
    from lumen_desktop.app import Site
    from lumen_desktop.errors import LumenError
    from lumen_desktop.services.sources import Sheets

_SIZE = (1120, 720)
_EDGE = 32  # pixels of the window behind that stay to be seen
_BESIDE = 700  # pixels at the default text size that pages and words need beside each other
_SIDE = 340


class RecordPane(PagePane):
    """The pages of a record."""

    def __init__(self) -> None:
        self._sheets: Sheets | None = None
        self._looks = 0  # each look is another document to whoever keeps pages
        super().__init__(self._source)
        self.setAccessibleName("Pages of the record")

    def _source(self) -> Sheets:
        assert self._sheets is not None
        return self._sheets

    def show_sheets(self, sheets: Sheets, title: str) -> None:
        """Shows pages, from the first."""
        self._sheets = sheets
        self._looks += 1
        self.open(Opened(self._looks, title, sheets.pages, drawable=True), 1)


class RecordDialog(QDialog):
    """Shows a record.

    Args:
        site: where it is.
        record_now: reads it; called off the interface's thread.
        parent: what it lies on.
    """

    def __init__(self, site: Site, record_now: ReadRecord, parent: QWidget | None) -> None:
        super().__init__(parent)
        self._site = site
        self._record_now = record_now
        self._reading: tasks.Task | None = None
        self.read: Read | None = None
        self.setModal(True)
        self.setWindowTitle("Record")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.heading, self.status = Elided("heading"), label("", "badge")
        self.pane, self.facts, self.problem = RecordPane(), Facts(), Problem()
        self.switch = button("", self._switch)
        self.close_button = button("Close", self.reject)
        self._at_words = False
        self._build()

    def _build(self) -> None:
        head = Flow()
        head.add(self.heading, grows=True, least_px=_SIDE)
        head.add(self.status, top=True)
        inside: QVBoxLayout = column(margin=SPACE)
        self.side = column(spacing=2 * SPACE)
        self.side.addWidget(self.facts)
        inside.addLayout(self.side)
        inside.addStretch(1)
        words = QWidget()
        words.setLayout(inside)
        self._words = Scrolled(words)
        self._words.setAccessibleName("Digest and signatures")
        parts = row(spacing=2 * SPACE)
        parts.addWidget(self.pane, 3)
        parts.addWidget(self._words, 2)
        self.foot = Flow()
        self.foot.add(self.switch)
        self.foot.stretch()
        self.foot.add(self.close_button)
        layout = column(margin=2 * SPACE, spacing=int(1.5 * SPACE))
        layout.addLayout(head)
        layout.addWidget(line())
        layout.addLayout(parts, 1)
        layout.addWidget(self.problem)
        layout.addLayout(self.foot)
        self.setLayout(layout)
        self.facts.hide()
        self.status.hide()
        room = self._room()
        self.resize(min(theme.scaled(_SIZE[0]), room[0]), min(theme.scaled(_SIZE[1]), room[1]))

    def _room(self) -> tuple[int, int]:
        """What the window behind leaves; it never is larger than that."""
        parent = self.parentWidget()
        behind = parent.window().size() if parent is not None else None
        return (behind.width() - _EDGE, behind.height() - _EDGE) if behind is not None else _SIZE

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Lets Enter press nothing that has not the focus, and reads the record."""
        super().showEvent(event)
        for made in self.findChildren(QPushButton):
            made.setAutoDefault(False)
        if self.read is None and self._reading is None:
            self.pane.opening()
            self.look()

    def look(self) -> None:
        """Reads the record as it is now."""
        site, record_now = self._site, self._record_now
        self._reading = tasks.run(self, lambda: read(site, record_now), self.show_read, self._unreadable)

    def show_read(self, found: Read) -> None:
        """Shows what was read."""
        self._reading, self.read = None, found
        record = found.record
        name = record.route.kind
        self.setWindowTitle(f"{name[0].upper()}{name[1:]}")
        self.heading.setText(record.title)
        self.status.setText(found.status)
        self.status.show()
        self.facts.show_record(record.sha256, found.signatures)
        self.facts.show()
        self.pane.show_sheets(found.sheets, record.title)

    def _unreadable(self, error: LumenError) -> None:
        self._reading = None
        self.pane.clear(errors.sentence(error))
        announce(self, errors.sentence(error))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Shows pages and words beside each other where there is room for both, else one of them."""
        super().resizeEvent(event)
        self._share_room()

    def _share_room(self) -> None:
        beside = self.width() >= theme.scaled(_BESIDE)
        self.switch.setVisible(not beside)
        self.switch.setText("Back to the pages" if self._at_words else self.words_name)
        self.switch.setAccessibleName(self.switch.text())
        self.pane.setVisible(beside or not self._at_words)
        self._words.setVisible(beside or self._at_words)

    def let_see(self, part: QWidget) -> None:
        """Scrolls to a part of the words, once all has its place."""
        QTimer.singleShot(0, part, lambda: self._words.ensureWidgetVisible(part))

    words_name = "Signatures"  # what the switch calls what stands beside the pages

    def _switch(self) -> None:
        self._at_words = not self._at_words
        self._share_room()


class SavedRecordDialog(RecordDialog):
    """Shows a record and saves it."""

    def __init__(self, site: Site, record_now: ReadRecord, parent: QWidget | None) -> None:
        super().__init__(site, record_now, parent)
        self.save_button = button("Save as PDF…", self.save, role="primary", icon="download")
        self.save_button.setEnabled(False)
        self.foot.add(self.save_button)

    def show_read(self, found: Read) -> None:
        """Shows what was read; it can be saved now."""
        super().show_read(found)
        self.save_button.setEnabled(True)

    def save(self) -> None:
        """Lets a person choose a file and writes it; the system asks before one is replaced."""
        assert self.read is not None
        record = self.read.record
        name = f"{record.route.kind} {record.number}.pdf".replace(" ", "-")
        chosen, _ = QFileDialog.getSaveFileName(self, "Save the record", name, "PDF (*.pdf)")
        if not chosen:
            return
        path = Path(chosen)
        asked = path.suffix.lower() == ".pdf"  # of another name nobody asked whether it may be replaced
        target = path if asked else path.with_name(f"{path.name}.pdf")
        self.save_button.setEnabled(False)
        signing = self._site.signing
        tasks.run(
            self, lambda: signing.save(record, target, replace=asked), lambda _: self._saved(target), self._unsaved
        )

    def _saved(self, target: Path) -> None:
        self.save_button.setEnabled(True)
        theme.mark(self.problem, "muted")
        self.problem.tell(f"Saved as {target}.", self.save_button)

    def _unsaved(self, error: LumenError) -> None:
        self.save_button.setEnabled(True)
        theme.mark(self.problem, "danger")
        self.problem.tell(errors.sentence(error), self.save_button)


def show(parent: QWidget, site: Site, record_now: ReadRecord) -> SavedRecordDialog:
    """Shows a record over a window.

    Args:
        parent: whose window it is.
        site: where the record is.
        record_now: reads it; called off the interface's thread, such as ``lambda: site.releases.record(7)``.
    """
    shown = SavedRecordDialog(site, record_now, parent.window())
    shown.open()
    return shown
