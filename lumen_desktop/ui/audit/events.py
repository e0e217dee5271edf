"""The events that the filters choose, in a table that reads on as one scrolls, with how many there are.

Reads one thing at a time: what is asked while a search goes on waits for its end, and then only the last of it is read.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

from PySide6.QtCore import QItemSelectionModel, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from lumen_desktop.app import Site
from lumen_desktop.domain.audit import Choices, Filters, Order, Page
from lumen_desktop.errors import LumenError
from lumen_desktop.ui import errors, tasks, theme
from lumen_desktop.ui.audit.events_model import COLUMNS, READ_AT_ONCE, REVIEWED, SORTED, EventsModel, Line, line
from lumen_desktop.ui.audit.filtering import FilterBar
from lumen_desktop.ui.formatting import counted, moment, number
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import announce, column, fitted, label

_SAMPLES = (
    f"{REVIEWED} 1,000,000",
    "2044-04-04 00:44:44",
    "jane.holder",
    "password changed",
    "source document 1,234",
    "a reason",
)
_AROUND = 28  # pixels beside the text of a cell
_FIRST_TO_GO = (5, 4, 2, 1)  # columns that a narrow table leaves out, in this order
_ROWS = 5  # that are seen at least, with the headings
_Found = list[Line] | tuple[int, int] | Choices


class EventsView(QWidget):
    """Filters, the number of events, and the events."""

    chosen = Signal(int)  # the number of an event that was gone to
    opened = Signal(int)  # the number of one that was asked for with Enter or a double click
    left = Signal()  # the one that was opened is not wanted any more

    def __init__(self, site: Site) -> None:
        super().__init__()
        self._site = site
        self._reading: tasks.Task | None = None
        self._more: tasks.Task | None = None
        self._again = self._came = self._restoring = False
        self._shown_by: tuple[Filters, int] | None = None
        self.model, self.bar, self.said = EventsModel(), FilterBar(), label("", "small")
        self.table = _Table(self.model)
        layout = column()
        layout.addWidget(self.bar)
        layout.addWidget(self.said)
        layout.addWidget(self.table, 1)
        self.setLayout(layout)
        self._connect()

    def _connect(self) -> None:
        self.bar.changed.connect(self.load)
        self.model.more_wanted.connect(self._read_on)
        self.table.entered.connect(self._open_current)
        self.table.left.connect(self.left)
        self.table.clicked.connect(lambda _: self._choose_current())
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._choose_current())
        self.table.horizontalHeader().sectionClicked.connect(self._sort)
        self.table.point(*self.bar.sorted_by)

    @property
    def reading(self) -> bool:
        """Whether a page or a count is under way."""
        return self._reading is not None or self._more is not None

    def load(self) -> None:
        """Reads the first page of what the filters choose, then how many there are."""
        self._leave_off()
        self.table.point(*self.bar.sorted_by)
        if self._reading is not None:  # its end comes, and this again
            self._again = True
            return
        self._again = self._came = False
        self.said.setText("Reading…")
        asked = (self.bar.filters, self.bar.order.currentIndex())
        read = partial(self._read, self.bar.filters, self._page(0))
        self._reading = tasks.stream(self, read, lambda found: self._take(found, asked), self._refused)
        self._reading.finished.connect(self._read_through)

    def stop(self) -> None:
        """What is under way is not shown any more; reading changes nothing and ends by itself."""
        self._leave_off()
        self._again = False

    def _leave_off(self) -> None:
        for task in (self._reading, self._more):
            if task is not None:
                task.drop()
        self._more = None

    def choose(self, seq: int) -> None:
        """Goes to an event, where it was read already."""
        row = self.model.row_of(seq)
        if row >= 0:
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
            self.table.selectionModel().setCurrentIndex(self.model.index(row, 0), flags)
        else:
            self.table.clearSelection()

    def _page(self, offset: int) -> Page:
        order, descending = self.bar.sorted_by
        return Page(order, descending=descending, offset=offset, limit=READ_AT_ONCE)

    def _read(self, filters: Filters, page: Page) -> Iterator[_Found]:
        """In another thread: the page first, because counting takes longer where words are sought."""
        audit = self._site.audit
        lines = _lines(self._site, filters, page)
        yield lines
        total = audit.count()
        all_read = len(lines) < page.limit
        yield len(lines) if all_read else total if filters == Filters() else audit.count(filters), total
        yield audit.choices()

    def _take(self, found: _Found, asked: tuple[Filters, int]) -> None:
        if isinstance(found, Choices):
            self.bar.know(found)
        elif isinstance(found, tuple):
            self._tell_count(*found)
        else:
            self._show(found, asked)

    def _show(self, lines: list[Line], asked: tuple[Filters, int]) -> None:
        self._came = True
        if asked == self._shown_by and lines and lines == self.model.lines[: len(lines)]:
            return  # nothing came: who comes back to this screen finds their place again
        held = self._current()
        self._shown_by = asked
        self._restoring = True  # nobody goes to an event by this
        self.model.show(lines)
        self.table.scrollToTop()
        if held is not None and self.model.row_of(held) > 0:
            self.choose(held)
        elif lines:  # or Qt would go to it when the table gets the focus
            self.table.selectionModel().setCurrentIndex(
                self.model.index(0, 0), QItemSelectionModel.SelectionFlag.NoUpdate
            )
        self._restoring = False

    def _tell_count(self, chosen: int, total: int) -> None:
        self.model.expect(chosen)
        of = counted(total, "event")
        everything = self.bar.filters == Filters()
        said = of if everything else f"{number(chosen)} of {of}" if chosen else f"None of {of} fits."
        self.said.setText(said)
        announce(self, said)

    def _read_through(self) -> None:
        self._reading = None
        if self._again:
            self.load()

    def _read_on(self) -> None:
        if self._more is not None or not self._came:
            return
        site, filters, page = self._site, self.bar.filters, self._page(self.model.read)
        self._more = tasks.run(self, lambda: _lines(site, filters, page), self._append, self._refused)

    def _append(self, lines: list[Line]) -> None:
        self._more = None  # the next page may be asked for at once
        self.model.append(lines)

    def _refused(self, error: LumenError) -> None:
        """Says why no events, or no further ones, can be shown."""
        self._more = None
        if not self._came:
            self._shown_by = None
            self.model.show([])
        self.model.end()
        further = "Further events cannot be shown. " if self.model.lines else ""
        self.said.setText(further + errors.sentence(error))
        announce(self, self.said.text())

    def _current(self) -> int | None:
        row = self.table.currentIndex().row()
        return self.model.lines[row].seq if 0 <= row < len(self.model.lines) else None

    def _choose_current(self) -> None:
        if not self._restoring and (seq := self._current()) is not None:
            self.chosen.emit(seq)

    def _open_current(self) -> None:
        if (seq := self._current()) is not None:
            self.opened.emit(seq)

    def _sort(self, section: int) -> None:
        order, descending = self.bar.sorted_by
        if section in SORTED:
            wanted = SORTED[section]
            self.bar.sort(wanted, descending=not descending if wanted is order else wanted is not Order.ACTOR)
        self.table.point(*self.bar.sorted_by)


def _lines(site: Site, filters: Filters, page: Page) -> list[Line]:
    """A page of events; those that somebody reviewed say by whom and when."""
    reviews = site.reviews.of_the_trail()

    def reviewed(event: dict[str, Any]) -> str:
        done = next((one for one in reviews if one.covers(event["seq"], event["actor"])), None)
        return f"Reviewed by {done.reviewer} on {moment(done.time_utc)}" if done else ""

    return [line(event, reviewed(event)) for event in site.audit.find(filters, page)]


class _Table(QTableView):
    """The events; Enter or a double click opens one, Escape leaves it."""

    entered = Signal()
    left = Signal()

    def __init__(self, model: EventsModel) -> None:
        super().__init__()
        self.setModel(model)
        self.setAccessibleName("Audit events")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setStretchLastSection(True)
        header.setHighlightSections(False)
        header.setSectionsClickable(True)
        header.setSortIndicatorShown(True)
        fitted(self, self._fit)
        self.doubleClicked.connect(lambda _: self.entered.emit())

    def point(self, order: object, descending: object) -> None:
        """Marks the column that the events are sorted by."""
        section = next(at for at, each in SORTED.items() if each is order)
        way = Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder
        self.horizontalHeader().setSortIndicator(section, way)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Enter opens, Escape leaves."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.entered.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: object) -> None:  # noqa: N802 - Qt's name
        """Leaves out columns that a narrow table has no room for."""
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._fit()

    def _fit(self) -> None:
        header, wide = self.horizontalHeader(), self.viewport().width()
        header.ensurePolished()
        row = theme.line_height() + 2 * SPACE
        self.verticalHeader().setDefaultSectionSize(row)
        self.setMinimumHeight((_ROWS + 1) * row)
        least = [header.sectionSizeHint(at) for at in range(len(COLUMNS))]
        widths = [max(theme.text_width(sample) + _AROUND, least[at]) for at, sample in enumerate(_SAMPLES)]
        shown, going = set(range(len(COLUMNS))), list(_FIRST_TO_GO)
        # the last one takes what is left, and is worth it from two thirds of its width on
        while going and sum(widths[at] for at in shown) - widths[max(shown)] // 3 > wide:
            shown.discard(going.pop(0))
        last = max(shown)
        widths[last] = max(widths[last] * 2 // 3, least[last])
        for at, width in enumerate(widths):
            self.setColumnHidden(at, at not in shown)
            header.resizeSection(at, width)
