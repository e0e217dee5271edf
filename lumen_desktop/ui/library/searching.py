"""Searching the library's passages: what an answer would be drawn from, and why it ranks so.

Shows both ways of searching side by side; opens nothing itself.
"""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QComboBox, QHeaderView, QLineEdit, QStackedWidget, QTableView, QWidget

from lumen_desktop.app import Site
from lumen_desktop.domain.library import Collection
from lumen_desktop.errors import LumenError
from lumen_desktop.services.library import Hit
from lumen_desktop.services.search import Found
from lumen_desktop.ui import errors, formatting, tasks, theme, widgets
from lumen_desktop.ui.flow import Flow
from lumen_desktop.ui.library.hits_model import COLUMNS, HitsModel
from lumen_desktop.ui.theme import SPACE

MOST = 50
_EVERYWHERE = "All collections"
_LEGS = {"index": "meaning by the index", "exact": "meaning by comparing with every passage"}
_NUMBER_WIDTH = 64  # pixels at the default text size
_LINES = 3  # of a passage in the table
_PLACE, _PAGE, _SCORE = 1, 2, 3  # columns
_TEXTS, _LEAST_TEXTS = 448, 280  # pixels at the default text size; numbers must leave so much, or are left out
_FIELD = 180


class SearchView(QWidget):
    """A field, and the passages that it finds.

    Args:
        site: whose library.
    """

    opened = Signal(list, int)  # the passages found, and which of them
    left = Signal()  # the one that was opened is not wanted any more

    def __init__(self, site: Site) -> None:
        super().__init__()
        self._site = site
        self._searching: tasks.Task | None = None
        self._model = HitsModel()
        self._build()

    def _build(self) -> None:
        self._field = QLineEdit()
        self._field.setPlaceholderText("Words, or a question")
        self._field.setAccessibleName("Search the passages of the library")
        self._field.setClearButtonEnabled(True)
        self._field.setAcceptDrops(False)
        self._field.setMaxLength(4000)
        self._field.returnPressed.connect(self.search)
        self._where = QComboBox()
        self._where.addItem(_EVERYWHERE)
        self._where.setAccessibleName("Collection to search")
        self._where.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._button = widgets.button("Search", self.search, role="primary", icon="search")
        bar = Flow()
        bar.add(self._field, grows=True, least_px=_FIELD)
        bar.add(self._where)
        bar.add(self._button)
        self._said = widgets.label("", "small")
        self._said.setObjectName("search-said")
        self._table = _Table(self._model)
        self._table.entered.connect(self._open)
        self._table.left.connect(self.left)
        self._empty = widgets.EmptyState(
            "search", "Search the passages",
            "Lists the passages that an answer would be drawn from, with their rank by words and by meaning.",
        )  # fmt: skip
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self._table)
        layout = widgets.column()
        layout.setContentsMargins(0, 2 * SPACE, 0, 0)
        layout.addLayout(bar)
        layout.addWidget(self._said)
        layout.addWidget(self._stack, 1)
        self.setLayout(layout)

    @property
    def field(self) -> QLineEdit:
        """Where the words go."""
        return self._field

    @property
    def table(self) -> QTableView:
        """What was found."""
        return self._table

    @property
    def said(self) -> str:
        """How the search went, in words."""
        return self._said.text()

    def focus(self) -> None:
        """Lets a person type."""
        self._field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._field.selectAll()

    def know(self, collections: Sequence[Collection]) -> None:
        """Offers the collections that there are."""
        chosen = self._where.currentText()
        self._where.clear()
        self._where.addItems([_EVERYWHERE, *(place.name for place in collections)])
        self._where.setCurrentIndex(max(0, self._where.findText(chosen)))

    def search(self) -> None:
        """Searches for what the field holds; what was asked before is not shown any more."""
        words = self._field.text().strip()
        if not words:
            self._said.setText("Give a word or a question.")
            return
        if self._searching is not None:
            self._searching.drop()
        where = self._where.currentText() if self._where.currentIndex() > 0 else None
        library = self._site.library
        self._said.setText("Searching…")
        self._searching = tasks.run(
            self, lambda: library.search(words, collection=where, most=MOST), self._show, self._refused
        )

    def _show(self, result: tuple[list[Hit], Found]) -> None:
        self._searching = None
        hits, found = result
        self._model.show(hits)
        self._said.setText(_told(len(hits), found))
        widgets.announce(self, self._said.text())
        self._stack.setCurrentWidget(self._table if hits else self._empty)
        self._table.scrollToTop()
        if hits:
            self._table.setCurrentIndex(self._model.index(0, 0))
            if self._field.hasFocus():
                self._table.setFocus(Qt.FocusReason.OtherFocusReason)

    def _refused(self, error: LumenError) -> None:
        self._searching = None
        self._said.setText(errors.sentence(error))

    def _open(self) -> None:
        row = self._table.currentIndex().row()
        if row >= 0:
            self.opened.emit([hit.passage for hit in self._model.hits], row)


class _Table(QTableView):
    """Rows of some lines; Enter or a double click opens one, Escape leaves it."""

    entered = Signal()
    left = Signal()

    def __init__(self, model: HitsModel) -> None:
        super().__init__()
        self.setModel(model)
        self.setAccessibleName("Passages found, best first")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setWordWrap(True)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Interactive)
        widgets.fitted(self, self._fit)
        self.doubleClicked.connect(lambda _: self.entered.emit())

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Enter opens, Escape closes."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.entered.emit()
            return
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        super().keyPressEvent(event)

    def resizeEvent(self, event: object) -> None:  # noqa: N802 - Qt's name
        """Gives the place of a passage a third of the room, and leaves out what matters less where that is small."""
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._fit()

    def _fit(self) -> None:
        wide, header = self.viewport().width(), self.horizontalHeader()
        header.ensurePolished()
        self.verticalHeader().setDefaultSectionSize(_LINES * theme.line_height() + SPACE)
        numbers = [
            max(theme.scaled(_NUMBER_WIDTH), header.sectionSizeHint(column)) for column in range(_PAGE, len(COLUMNS))
        ]
        for column, width in enumerate(numbers, start=_PAGE):
            header.resizeSection(column, width)
            needed = (
                sum(numbers) + theme.scaled(_TEXTS)
                if column == _SCORE
                else (sum(numbers) - numbers[_SCORE - _PAGE] + theme.scaled(_LEAST_TEXTS))
            )
            self.setColumnHidden(column, column != _PAGE and wide < needed)
        self.setColumnHidden(_PLACE, wide < numbers[0] + theme.scaled(_LEAST_TEXTS))
        header.resizeSection(_PLACE, max(wide // 3 - 2 * SPACE, header.sectionSizeHint(_PLACE)))


def _told(shown: int, found: Found) -> str:
    searched = (
        f"{formatting.counted(found.passages, 'passage')} of {formatting.counted(found.documents, 'document')} searched"
        f" in {found.seconds * 1000:.0f} ms, {_LEGS.get(found.vector_leg, found.vector_leg)}."
    )
    return f"{formatting.counted(shown, 'passage')} found. {searched}" if shown else f"Nothing found. {searched}"
