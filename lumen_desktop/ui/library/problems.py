"""What became of an import, file by file: what was not added and why, and what was noticed in the rest.

Knows no service; `adding.AddView` tells it.
"""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem, QWidget

from lumen_desktop.domain.names import shown
from lumen_desktop.services.incoming import AddReport, Failure
from lumen_desktop.ui import formatting, theme, widgets

MOST_LINES = 2000  # a folder of broken files must not fill the memory with lines


class ProblemList(QWidget):
    """What was not added and why, file by file; and what was noticed in the files that were."""

    def __init__(self) -> None:
        super().__init__()
        self._failed: set[Path] = set()
        self._count = 0
        self._title = widgets.label("Problems and notices", "strong")
        self._copy = widgets.button("Copy the list", self.copy, role="quiet", icon="copy")
        self._list = QListWidget()
        self._list.setAccessibleName("Problems and notices, file by file")
        self._list.setWordWrap(True)
        self._list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        copied = QShortcut(QKeySequence.StandardKey.Copy, self._list)
        copied.setContext(Qt.ShortcutContext.WidgetShortcut)
        copied.activated.connect(self.copy)
        head = widgets.row()
        head.addWidget(self._title, 1)
        head.addWidget(self._copy)
        layout = widgets.column()
        layout.addLayout(head)
        layout.addWidget(self._list, 1)
        self.setLayout(layout)
        self.hide()

    @property
    def lines(self) -> list[str]:
        """What it says."""
        return [self._list.item(row).text() for row in range(self._list.count())]

    def clear_problems(self) -> None:
        """Forgets those of the import before."""
        self._failed.clear()
        self._count = 0
        self._list.clear()
        self.hide()

    def add_failure(self, failure: Failure) -> None:
        """A file that was not added."""
        self._failed.add(failure.path)
        name = shown(failure.path.name)
        words = f"{'' if name in failure.message else name + ': '}{failure.message} {failure.hint} ({failure.code})"
        self._add(words, "circle-x", "danger")

    def add_sentence(self, words: str) -> None:
        """What ended the whole import."""
        self._add(words, "circle-x", "danger")

    def add_rest(self, report: AddReport) -> None:
        """What only the report knows: folders without readable files, and notices on files that were added."""
        for failure in report.failed:
            if failure.path not in self._failed:
                self.add_failure(failure)
        for path, notice in report.notices:
            self._add(f"{shown(path.name)}: {notice}", "info", "accent")

    def copy(self) -> None:
        """Puts the chosen lines into the clipboard; all where none is chosen."""
        chosen = [item.text() for item in self._list.selectedItems()]
        QGuiApplication.clipboard().setText("\n".join(chosen or self.lines))

    def _add(self, words: str, icon: str, colour: str) -> None:
        if self._list.count() < MOST_LINES:
            self._list.addItem(QListWidgetItem(theme.icon(icon, colour), words))
        self._count += 1
        self._title.setText(formatting.counted(self._count, "problem or notice", "problems and notices"))
        self.show()


def summary(report: AddReport) -> str:
    """What became of the files, in one sentence."""
    parts = [
        f"{formatting.number(report.added)} added",
        f"{formatting.number(report.unchanged)} unchanged" if report.unchanged else "",
        f"{formatting.number(len(report.failed))} not added" if report.failed else "",
    ]
    passages = f" ({formatting.counted(report.passages, 'new passage')})" if report.passages else ""
    return ", ".join(part for part in parts if part) + passages + "."
