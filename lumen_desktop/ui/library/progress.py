"""How far an import is, on one card: the file at hand, all of them, the pace and the time left.

Knows no service; `adding.AddView` tells it.
"""

from collections.abc import Callable

from PySide6.QtWidgets import QProgressBar

from lumen_desktop.domain.names import shown
from lumen_desktop.services.incoming import AddProgress
from lumen_desktop.ui import formatting, widgets
from lumen_desktop.ui.library.pace import Pace

_UNITS = {"reading": "page", "embedding": "passage"}
_WHOLE = 1000  # steps of a progress bar
_STAGES = {
    "reading": "Reading",
    "cutting": "Cutting into passages:",
    "embedding": "Indexing",
    "stored": "Added",
    "unchanged": "Already there:",
    "failed": "Not added:",
    "indexing": "Bringing the index up to date:",
}


class ProgressCard(widgets.Card):
    """How far an import is: the file at hand, all of them, the pace and the time left."""

    def __init__(self, stop: Callable[[], object]) -> None:
        super().__init__()
        self._file = widgets.label("", "strong")
        self._file_bar = _bar("Progress of this file")
        self._all = widgets.label("", "muted")
        self._all_bar = _bar("Progress of all files")
        self._pace = widgets.label("", "small")
        self._more = widgets.label("", "small")
        self._stop = widgets.button("Stop", stop, icon="circle-stop")
        head = widgets.row()
        head.addWidget(self._file, 1)
        head.addWidget(self._stop)
        self.body.addLayout(head)
        for part in (self._file_bar, self._all, self._all_bar, self._pace, self._more):
            self.body.addWidget(part)
        self.setAccessibleName("Adding documents")
        self.hide()

    @property
    def words(self) -> tuple[str, str, str]:
        """What it says of the file, of all files, and of the pace."""
        return self._file.text(), self._all.text(), self._pace.text()

    def begin(self) -> None:
        """Before anything is known."""
        self._file.setText("Looking at the files…")
        self._all.setText("")
        self._pace.setText("")
        self._file_bar.setRange(0, 0)
        self._all_bar.setRange(0, _WHOLE)
        self._all_bar.setValue(0)
        self._stop.setEnabled(True)
        self.show()

    def tell_waiting(self, jobs: int) -> None:
        """How many more were dropped meanwhile."""
        self._more.setText(f"{formatting.counted(jobs, 'more drop')} waiting" if jobs else "")
        self._more.setVisible(bool(jobs))

    def tell_stopping(self) -> None:
        """A stop was asked for."""
        self._stop.setEnabled(False)
        self._pace.setText("Stopping…")

    def show_progress(self, event: AddProgress, pace: Pace) -> None:
        """Where the work stands."""
        self._file.setText(f"{_STAGES.get(event.stage, event.stage)} {shown(event.path.name)}")
        self._file_bar.setRange(0, event.total)  # no total: it only says that something goes on
        self._file_bar.setValue(event.done)
        if event.stage == "indexing":
            return
        unit = _UNITS.get(event.stage, "")
        parts = f" · {unit} {formatting.number(event.done)} of {formatting.number(event.total)}" if event.total else ""
        self._all.setText(f"File {formatting.number(event.file)} of {formatting.number(event.files)}{parts}")
        self._all_bar.setValue(round(event.share * _WHOLE))
        if self._stop.isEnabled():
            self._pace.setText(paced(pace))


def paced(pace: Pace) -> str:
    """The pace as people read it; empty while too little is known."""
    rate, left = pace.passages_per_s, pace.left_s
    parts = [f"{rate:.0f} passages/s" if rate >= 10 else f"{rate:.1f} passages/s"] if rate else []  # noqa: PLR2004
    if left is not None:
        parts.append(f"about {formatting.duration(max(1.0, left))} left")
    return " · ".join(parts)


def _bar(name: str) -> QProgressBar:
    bar = QProgressBar()
    bar.setTextVisible(False)
    bar.setAccessibleName(name)
    return bar
