"""Adding documents: where from, where to, how far it is, and what became of each file.

The work is the service's, in the thread of a task; here it is only shown, at most twenty times a second however
fast it goes. `screen` gives it what is dropped.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QWidget

from lumen_desktop.app import Site
from lumen_desktop.domain.library import Collection
from lumen_desktop.errors import LumenError
from lumen_desktop.services.incoming import AddProgress, AddReport
from lumen_desktop.ui import errors, tasks, widgets
from lumen_desktop.ui.flow import Flow
from lumen_desktop.ui.library.pace import Pace
from lumen_desktop.ui.library.problems import ProblemList, summary
from lumen_desktop.ui.library.progress import ProgressCard
from lumen_desktop.ui.theme import SPACE

DEFAULT_COLLECTION = "Documents"
_SHOW_EVERY_MS = 50
_COLLECTION = 224  # pixels at the default text size


@dataclass(frozen=True, slots=True)
class Job:
    """What was chosen or dropped at one time, and the collection it goes to."""

    paths: tuple[Path, ...]
    collection: str


class AddView(QWidget):
    """Adds files and shows how it goes.

    Args:
        site: whose library.
        choose_files: opens the system's dialog for files.
        choose_folder: opens the one for a folder.
    """

    choose_files = Signal()
    choose_folder = Signal()
    changed = Signal()  # something was added
    progressed = Signal(float)  # share of all that is done, 0 to 1
    busy_changed = Signal()

    def __init__(self, site: Site) -> None:
        super().__init__()
        self._site = site
        self._waiting: list[Job] = []
        self._left: list[Job] = []  # of a stop, for Continue
        self._job: Job | None = None
        self._latest: AddProgress | None = None
        self._report = AddReport()
        self._pace = Pace()
        self._embedded = 0
        self._stopping = False
        self._showing = QTimer(self, singleShot=True, interval=_SHOW_EVERY_MS)
        self._showing.timeout.connect(self._show_progress)
        self._build()

    def _build(self) -> None:
        self._target = DropTarget()
        files = widgets.button("Choose files…", self.choose_files.emit, role="primary", icon="file-plus")
        folder = widgets.button("Choose a folder…", self.choose_folder.emit, icon="folder-plus")
        self._collection = QComboBox()
        self._collection.setEditable(True)
        self._collection.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self._collection.setAccessibleName("Collection to add to; a new name makes a new one")
        widgets.sized(self._collection, least=_COLLECTION)
        self._collection.setEditText(DEFAULT_COLLECTION)
        line_edit = self._collection.lineEdit()
        assert line_edit is not None
        line_edit.setMaxLength(100)
        line_edit.setAcceptDrops(False)
        to = widgets.label("Add to &collection", "muted")
        to.setTextFormat(Qt.TextFormat.AutoText)
        to.setBuddy(self._collection)
        to.setWordWrap(False)
        self._target.fill(to, self._collection, files, folder)
        self._progress = ProgressCard(self.stop)
        self._summary = widgets.Banner()
        self._problems = ProblemList()
        layout = widgets.column(spacing=2 * SPACE)
        layout.setContentsMargins(0, 2 * SPACE, 0, 0)
        for part in (self._target, self._progress, self._summary):
            layout.addWidget(part)
        layout.addWidget(self._problems, 1)
        layout.addStretch()
        self.setLayout(layout)

    @property
    def busy(self) -> bool:
        """Whether files are being added."""
        return self._job is not None

    @property
    def collection(self) -> str:
        """The collection that is chosen."""
        return self._collection.currentText().strip() or DEFAULT_COLLECTION

    @property
    def progress(self) -> ProgressCard:
        """How far it is."""
        return self._progress

    @property
    def summary(self) -> widgets.Banner:
        """What became of it."""
        return self._summary

    @property
    def problems(self) -> ProblemList:
        """What was not added, and why."""
        return self._problems

    def choose_collection(self, name: str) -> None:
        """Sets where documents go; a name that no collection has makes one."""
        self._collection.setEditText(name)

    def know(self, collections: Sequence[Collection]) -> None:
        """Offers the collections that there are."""
        chosen = self._collection.currentText()
        self._collection.clear()
        self._collection.addItems([place.name for place in collections])
        self._collection.setEditText(chosen or DEFAULT_COLLECTION)

    def add(self, paths: Sequence[Path]) -> None:
        """Adds files and folders to the chosen collection; after those that are being added."""
        if not paths:
            return
        self._left = []
        self._waiting.append(Job(tuple(paths), self.collection))
        if self._job is None:
            self._begin()
        else:
            self._progress.tell_waiting(len(self._waiting))

    def stop(self) -> None:
        """Ends the work after the passage it is at; what was added stays."""
        if self._job is None:
            return
        self._stopping = True
        self._progress.tell_stopping()
        self._site.library.stop()

    def resume(self) -> None:
        """Adds what a stop left; what is there already is skipped."""
        self._waiting, self._left = self._left + self._waiting, []
        if self._job is None and self._waiting:
            self._begin()

    def _begin(self) -> None:
        """Starts on the waiting jobs, and on a new count of what became of them."""
        self._report, self._pace = AddReport(), Pace()
        self._stopping = False
        self._summary.close_message()
        self._problems.clear_problems()
        self._progress.begin()
        self.busy_changed.emit()
        self._next_job()

    def _next_job(self) -> None:
        self._job = job = self._waiting.pop(0)
        self._progress.tell_waiting(len(self._waiting))
        library = self._site.library
        task = tasks.stream(self, lambda: library.add(job.paths, collection=job.collection), self._take, self._refused)
        task.finished.connect(self._ended)

    def _take(self, event: AddProgress | AddReport) -> None:
        if isinstance(event, AddReport):
            _gather(self._report, event)
            return
        if self._stopping:
            self._site.library.stop()  # one that came before the work began was not heard
        self._embedded += event.stage == "embedding"
        if event.failure is not None:
            self._problems.add_failure(event.failure)
        self._latest = event
        if not self._showing.isActive():
            self._showing.start()

    def _show_progress(self) -> None:
        event = self._latest
        if event is None or self._job is None:
            return
        self._pace.note(time.monotonic(), event.share, passages=self._embedded)
        self._embedded = 0
        self._progress.show_progress(event, self._pace)
        self.progressed.emit(event.share)

    def _refused(self, error: LumenError) -> None:
        """The whole job failed: a full disk, no model. What was added before stays."""
        assert self._job is not None
        self._problems.add_sentence(errors.sentence(error))
        self._report.stopped = True

    def _ended(self) -> None:
        self._showing.stop()
        job, self._job = self._job, None
        assert job is not None
        self.changed.emit()
        if self._report.stopped or self._stopping:
            self._left = [job, *self._waiting]
            self._waiting = []
        if self._waiting:
            self._next_job()
            return
        self._latest = None
        self._progress.hide()
        self._problems.add_rest(self._report)
        self._summarise()
        self.busy_changed.emit()

    def _summarise(self) -> None:
        report = self._report
        words = summary(report)
        kind = "warning" if report.stopped or report.failed else "success"
        if report.stopped:
            self._summary.tell(f"Stopped. {words} What was added stays.", kind=kind, action="Continue", act=self.resume)
        else:
            self._summary.tell(words, kind=kind)


class DropTarget(QFrame):
    """The place that shows where files may be dropped; they may be dropped anywhere on the screen."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "drop")
        self._words = widgets.label("Drop files or folders anywhere here", "strong")
        self._words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._kinds = widgets.label("PDF, Word, Markdown, text; drug labels and other files as published", "small")
        self._kinds.setAlignment(Qt.AlignmentFlag.AlignCenter)

    def fill(self, words: QWidget, collection: QWidget, files: QWidget, folder: QWidget) -> None:
        """Lays out what one can do here."""
        layout = widgets.column(margin=3 * SPACE)
        layout.addWidget(self._words)
        layout.addWidget(self._kinds)
        layout.addSpacing(SPACE)
        for parts in ((files, folder), (words, collection)):
            line = Flow(centred=True)
            for part in parts:
                line.add(part)
            layout.addLayout(line)
        self.setLayout(layout)


def _gather(report: AddReport, one: AddReport) -> None:
    """Counts what became of one drop together with those before it."""
    report.added += one.added
    report.unchanged += one.unchanged
    report.passages += one.passages
    report.stopped = report.stopped or one.stopped
    report.failed += one.failed
    report.notices += one.notices
