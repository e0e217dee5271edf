"""What a search found, as a table: each passage, where it stands, and how both ways of searching ranked it.

Knows no service; `searching.SearchView` fills it.
"""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from lumen_desktop.services.library import Hit

Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole
COLUMNS = ("Passage", "Document and section", "Page", "Score", "Words", "Meaning")
_TIPS = (
    "", "", "Page on which the passage begins", "Both ranks together, higher is better",
    "Rank by the words themselves", "Rank by meaning",
)  # fmt: skip
_FIRST_NUMBER = 2
_EXCERPT_CHARACTERS = 400
_ROOT = QModelIndex()


class HitsModel(QAbstractTableModel):
    """One row a passage, best first."""

    def __init__(self) -> None:
        super().__init__()
        self._hits: list[Hit] = []

    def show(self, hits: Sequence[Hit]) -> None:
        """Takes the place of what was shown."""
        self.beginResetModel()
        self._hits = list(hits)
        self.endResetModel()

    @property
    def hits(self) -> list[Hit]:
        """What is shown."""
        return self._hits

    def rowCount(self, parent: Index = _ROOT) -> int:  # noqa: N802 - Qt's name
        """How many passages."""
        return 0 if parent.isValid() else len(self._hits)

    def columnCount(self, parent: Index = _ROOT) -> int:  # noqa: N802 - Qt's name
        """As many as there are headings."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(  # noqa: N802 - Qt's name
        self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole
    ) -> Any:
        """The heading of a column, and what it means."""
        if orientation is not Qt.Orientation.Horizontal:
            return str(section + 1) if role == Role.DisplayRole else None
        if role == Role.DisplayRole:
            return COLUMNS[section]
        if role == Role.ToolTipRole:
            return _TIPS[section]
        return int(_alignment(section)) if role == Role.TextAlignmentRole else None

    def data(self, index: Index, role: int = Role.DisplayRole) -> Any:
        """What a cell shows."""
        hit = self._hits[index.row()]
        if role == Role.DisplayRole:
            return _cells(hit)[index.column()]
        if role == Role.AccessibleTextRole:
            return spoken(hit) if index.column() == 0 else f"{COLUMNS[index.column()]}: {_cells(hit)[index.column()]}"
        if role == Role.ToolTipRole:
            return hit.passage.attribution
        return int(_alignment(index.column())) if role == Role.TextAlignmentRole else None


def spoken(hit: Hit) -> str:
    """A row as a screen reader says it."""
    page = hit.passage.page_of(0)
    return ". ".join(
        part for part in (hit.passage.text, hit.passage.document, hit.passage.section, f"Page {page}" if page else "")
        if part
    )  # fmt: skip


def _cells(hit: Hit) -> tuple[str, ...]:
    passage, page = hit.passage, hit.passage.page_of(0)
    return (
        " ".join(passage.text[:_EXCERPT_CHARACTERS].split()).removeprefix("- "),
        "\n".join(part for part in (passage.document, passage.section) if part),
        str(page) if page else "–",
        f"{hit.score:.3f}",
        str(hit.text_rank) if hit.text_rank is not None else "–",
        str(hit.vector_rank) if hit.vector_rank is not None else "–",
    )


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column >= _FIRST_NUMBER else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
