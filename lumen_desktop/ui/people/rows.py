"""The rows of people: narrowed by words, sorted by a column. Knows no service; `everybody` and `review` fill them."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QTableView

from lumen_desktop.services.accounts import Standing
from lumen_desktop.ui import theme
from lumen_desktop.ui.people import words
from lumen_desktop.ui.tables import Rows, table
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import fitted

COLUMNS = ("User name", "Printed name", "Duties", "State", "Identity", "Last sign-in")
_WIDTHS = (130, 150, 170, 260, 130)  # pixels at the default text size; the last column takes the rest
_SEEN = 4  # rows that are seen at least
_NEVER = datetime.min.replace(tzinfo=UTC)
_KEYS: tuple[Callable[[Standing], Any], ...] = (
    lambda it: it.user.name.casefold(),
    lambda it: it.user.printed_name.casefold(),
    lambda it: words.duties(it.user.roles),
    words.state,
    lambda it: it.user.identity_checked,
    lambda it: it.last_signed_in_utc or _NEVER,
)


class PeopleRows(Rows):
    """One row for each person."""

    def __init__(self) -> None:
        super().__init__(COLUMNS)
        self._all: Sequence[Standing] = ()
        self._shown: list[Standing] = []
        self._words: list[str] = []
        self._order = (0, Qt.SortOrder.AscendingOrder)

    def show_people(self, people: Sequence[Standing]) -> None:
        """Takes the place of those that were shown."""
        self._all = people
        self._arrange()

    def narrow(self, typed: str) -> None:
        """Leaves the people whose row holds every word."""
        self._words = typed.casefold().split()
        self._arrange()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sorts by a column."""
        self._order = (column, order)
        self._arrange()

    def person(self, index: QModelIndex) -> Standing | None:
        """Who a row is; None where there is none."""
        return self._shown[index.row()] if index.isValid() else None

    def row_of(self, name: str) -> int:
        """Where a person stands; -1 where they are not shown."""
        return next((row for row, it in enumerate(self._shown) if it.user.name == name), -1)

    def _arrange(self) -> None:
        column, order = self._order
        found = [it for it in self._all if all(word in " ".join(cells(it)).casefold() for word in self._words)]
        self._shown = sorted(found, key=_KEYS[column], reverse=order is Qt.SortOrder.DescendingOrder)
        self.show([cells(it) for it in self._shown])


def cells(it: Standing) -> tuple[str, ...]:
    """What a person's row says."""
    checked = "checked" if it.user.identity_checked else "not checked"
    last = words.last_sign_in(it.last_signed_in_utc)
    return it.user.name, it.user.printed_name, words.duties(it.user.roles), words.state(it), checked, last


def people_table(rows: PeopleRows, name: str) -> QTableView:
    """A view of people that a click on a heading sorts."""
    made = table(rows, name, widths=_WIDTHS)
    made.setSortingEnabled(True)
    made.sortByColumn(0, Qt.SortOrder.AscendingOrder)
    leave_room(made)
    fitted(made, lambda: _keep_headings(made))
    return made


def _keep_headings(shown: QTableView) -> None:
    """Lets no column be narrower than what its heading says, the last one neither, whose width is what is left."""
    heading = shown.horizontalHeader()
    least, last = max(heading.sectionSizeHint(column) for column in range(heading.count())), heading.count() - 1
    heading.setMinimumSectionSize(least)
    if heading.sectionSize(last) < least:  # Qt does not always lay the stretched column anew
        heading.resizeSection(last, least)


def leave_room(shown: QTableView, rows: int = _SEEN) -> None:
    """Lets some rows of a table always be seen; what is around it scrolls instead."""
    fitted(shown, lambda: shown.setMinimumHeight((rows + 1) * (theme.line_height() + 2 * SPACE) + 3 * SPACE))
