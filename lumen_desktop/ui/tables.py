"""A read-only table that is filled from rows of text, for screens that show lists."""

from collections.abc import Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from lumen_desktop.ui import theme
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import fitted

Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()
_TEXTS = {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole}


class Rows(QAbstractTableModel):
    """Rows of text under headings."""

    def __init__(self, headings: Sequence[str]) -> None:
        super().__init__()
        self._headings = list(headings)
        self._rows: list[Sequence[str]] = []

    def show(self, rows: Sequence[Sequence[str]]) -> None:
        """Takes the place of what was shown."""
        self.beginResetModel()
        self._rows = list(rows)
        self.endResetModel()

    def rowCount(self, parent: Index = _ROOT) -> int:  # noqa: N802 - Qt's name
        """How many rows."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _ROOT) -> int:  # noqa: N802 - Qt's name
        """How many columns."""
        return 0 if parent.isValid() else len(self._headings)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> str | None:
        """The text of a cell."""
        return self._rows[index.row()][index.column()] if role in _TEXTS else None

    def headerData(  # noqa: N802 - Qt's name
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> str | None:
        """The heading of a column."""
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._headings[section]
        return None


def table(model: Rows, name: str, *, widths: Sequence[int]) -> QTableView:
    """A view of rows.

    Args:
        model: the rows.
        name: what a screen reader says of the table.
        widths: of the columns but the last, pixels at the default text size; the last one takes the rest.
    """
    made = QTableView()
    made.setModel(model)
    made.setAccessibleName(name)
    made.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    made.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    made.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    made.setShowGrid(False)
    made.setAlternatingRowColors(True)
    made.setTabKeyNavigation(False)
    made.setWordWrap(False)
    made.verticalHeader().hide()
    heading = made.horizontalHeader()
    heading.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    heading.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
    heading.setStretchLastSection(True)
    heading.setHighlightSections(False)
    fitted(made, lambda: _fit(made, widths))
    return made


def _fit(shown: QTableView, widths: Sequence[int]) -> None:
    heading = shown.horizontalHeader()
    heading.ensurePolished()
    shown.verticalHeader().setDefaultSectionSize(theme.line_height() + 2 * SPACE)
    for column, width in enumerate(widths):
        heading.resizeSection(column, max(theme.scaled(width), heading.sectionSizeHint(column)))
