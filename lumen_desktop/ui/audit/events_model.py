"""Events as rows of a table, read a few hundred at a time. Knows no service; `events.EventsView` fills it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from lumen_desktop.domain.audit import Order
from lumen_desktop.ui.audit import words
from lumen_desktop.ui.formatting import number

Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole
COLUMNS = ("No.", "Time (UTC)", "Who", "What", "Of", "Why")
SORTED = {0: Order.SEQ, 1: Order.TIME, 2: Order.ACTOR}  # columns that the trail can be sorted by
READ_AT_ONCE = 200  # events
REVIEWED = "✓"  # before the number of an event that somebody reviewed
_ROOT = QModelIndex()


@dataclass(frozen=True, slots=True)
class Line:
    """One event as the table shows it: its number, a text for each column, and by whom it was reviewed, in words."""

    seq: int
    cells: tuple[str, ...]
    reviewed: str = ""


def line(event: dict[str, Any], reviewed: str = "") -> Line:
    """The row of an event."""
    seq = event["seq"]
    cells = number(seq), words.in_utc(event), event["actor"], event["act"], words.thing(event), event["reason"]
    return Line(seq, cells, reviewed)


class EventsModel(QAbstractTableModel):
    """The events read so far of those that the filters choose."""

    more_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[Line] = []
        self.read = 0  # of the list as it was asked for, those included that came twice
        self._seen: set[int] = set()
        self._complete = True

    def show(self, lines: Sequence[Line]) -> None:
        """Takes the first page in place of what was shown."""
        self.beginResetModel()
        self.lines, self._seen = list(lines), {each.seq for each in lines}
        self._took(len(lines))
        self.endResetModel()

    def append(self, lines: Sequence[Line]) -> None:
        """Takes a further page; events written meanwhile push some to it that were read already."""
        fresh = [each for each in lines if each.seq not in self._seen]
        if fresh:
            self.beginInsertRows(_ROOT, len(self.lines), len(self.lines) + len(fresh) - 1)
            self.lines += fresh
            self._seen.update(each.seq for each in fresh)
            self.endInsertRows()
        self._took(len(lines), before=self.read)

    def _took(self, came: int, before: int = 0) -> None:
        self.read, self._complete = before + came, came < READ_AT_ONCE

    def expect(self, so_many: int) -> None:
        """So many there are."""
        self._complete = self.read >= so_many

    def end(self) -> None:
        """There are no further ones that could be read."""
        self._complete = True

    def row_of(self, seq: int) -> int:
        """Where an event stands; -1 where it is not among those read."""
        return next((row for row, each in enumerate(self.lines) if each.seq == seq), -1)

    def canFetchMore(self, parent: Index = _ROOT) -> bool:  # noqa: N802 - Qt's name
        """Whether there are more than were read."""
        return not parent.isValid() and not self._complete

    def fetchMore(self, _parent: Index = _ROOT) -> None:  # noqa: N802 - Qt's name
        """Asks for more; they come later."""
        self.more_wanted.emit()

    def rowCount(self, parent: Index = _ROOT) -> int:  # noqa: N802 - Qt's name
        """How many were read."""
        return 0 if parent.isValid() else len(self.lines)

    def columnCount(self, parent: Index = _ROOT) -> int:  # noqa: N802 - Qt's name
        """As many as there are headings."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(  # noqa: N802 - Qt's name
        self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole
    ) -> str | None:
        """The heading of a column."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Role.ToolTipRole and section in SORTED:
            return "Sorts the events; once more turns them round"
        return COLUMNS[section] if role == Role.DisplayRole else None

    def data(self, index: Index, role: int = Role.DisplayRole) -> Any:
        """What a cell shows; a screen reader says the whole row with its first cell."""
        one = self.lines[index.row()]
        if index.column() == 0 and one.reviewed and role in {Role.DisplayRole, Role.ToolTipRole}:
            return f"{REVIEWED} {one.cells[0]}" if role == Role.DisplayRole else one.reviewed
        if role in {Role.DisplayRole, Role.ToolTipRole}:
            return one.cells[index.column()]
        if role == Role.AccessibleTextRole:
            return spoken(one) if index.column() == 0 else one.cells[index.column()]
        return None


def spoken(one: Line) -> str:
    """A row as a screen reader says it."""
    seq, time, who, what, of, why = one.cells
    return ". ".join(part for part in (f"Event {seq}, {time}: {who} {what} {of}, {why}", one.reviewed) if part)
