"""Collections and their documents as a tree to look at, narrowed by words and sorted by a column.

Knows no service; `documents.DocumentsView` fills it.
"""

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QFont

from lumen_desktop.domain.library import Collection, Currency, Kind, StoredDocument
from lumen_desktop.ui import formatting, theme

Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole
COLUMNS = ("Title", "Words of", "Edition", "Pages", "Passages", "Added", "Notices")
WHOSE = {Kind.SUMMARY: "Lumen", Kind.SOURCE: "Source"}
STATES = {Currency.IN_FORCE: "", Currency.DRAFT: " [draft]", Currency.SUPERSEDED: " [superseded]"}
_NUMBERS = frozenset({3, 4, 6})
STATE = int(Role.UserRole)  # of a title: whether the document is released, in words; empty where it is in use
_ROOT = QModelIndex()
_KEYS: tuple[Callable[[StoredDocument], Any], ...] = (
    lambda d: d.title.casefold(),
    lambda d: d.kind,
    lambda d: d.edition.casefold(),
    lambda d: d.pages,
    lambda d: d.passages,
    lambda d: d.added_utc,
    lambda d: len(d.notices),
)


class DocumentsModel(QAbstractItemModel):
    """Two levels: collections, and the documents in each.

    An index of a document carries the number of its collection's row, from 1; one of a collection carries 0.
    """

    def __init__(self) -> None:
        super().__init__()
        self._all: list[tuple[Collection, list[StoredDocument]]] = []
        self._groups: list[tuple[Collection, list[StoredDocument]]] = []
        self._words: list[str] = []
        self._order = (0, Qt.SortOrder.AscendingOrder)

    def show(self, collections: Sequence[Collection], documents: Sequence[StoredDocument]) -> None:
        """Takes the place of what was shown."""
        by_name: dict[str, list[StoredDocument]] = {place.name: [] for place in collections}
        for document in documents:
            by_name.setdefault(document.collection, []).append(document)
        self._all = [(place, by_name[place.name]) for place in collections]
        self._arrange()

    def narrow(self, words: str) -> None:
        """Leaves the documents whose title, file name, collection, edition or state hold every word."""
        self._words = words.casefold().split()
        self._arrange()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sorts the documents within each collection."""
        self._order = (column, order)
        self._arrange()

    def document(self, index: Index) -> StoredDocument | None:
        """The document of a row; None for a collection."""
        if not index.isValid() or not index.internalId():
            return None
        return self._groups[index.internalId() - 1][1][index.row()]

    def collection(self, index: Index) -> str:
        """The name of the collection that a row is, or that its document is in."""
        return self._groups[(index.internalId() or index.row() + 1) - 1][0].name

    @property
    def narrowed(self) -> bool:
        """Whether some documents may be left out."""
        return bool(self._words)

    def place_of(self, document_id: int) -> QModelIndex:
        """Where a document stands; an invalid index where it is not shown."""
        for row, (_, documents) in enumerate(self._groups):
            for number, document in enumerate(documents):
                if document.id == document_id:
                    return self.createIndex(number, 0, row + 1)
        return QModelIndex()

    @property
    def shown(self) -> int:
        """How many documents are left of all."""
        return sum(len(documents) for _, documents in self._groups)

    def _arrange(self) -> None:
        self.beginResetModel()
        column, order = self._order
        backwards = order is Qt.SortOrder.DescendingOrder
        groups = [
            (place, sorted(filter(self._fits, documents), key=_KEYS[column], reverse=backwards))
            for place, documents in self._all
        ]
        self._groups = [group for group in groups if group[1] or not self._words]
        self.endResetModel()

    def _fits(self, document: StoredDocument) -> bool:
        if not self._words:
            return True
        parts = (document.title, document.name, document.collection, document.edition, document.release.words)
        text = " ".join(parts).casefold()
        return all(word in text for word in self._words)

    def index(self, row: int, column: int, parent: Index = _ROOT) -> QModelIndex:
        """The index of a cell."""
        group = parent.row() + 1 if parent.isValid() else 0
        rows = len(self._groups[group - 1][1]) if group else len(self._groups)
        if not (0 <= row < rows and 0 <= column < len(COLUMNS)) or (group and parent.internalId()):
            return QModelIndex()
        return self.createIndex(row, column, group)

    def parent(self, index: Index) -> QModelIndex:  # type: ignore[override]
        """The collection of a document."""
        if not index.isValid() or not index.internalId():
            return QModelIndex()
        return self.createIndex(index.internalId() - 1, 0, 0)

    def rowCount(self, parent: Index = _ROOT) -> int:  # noqa: N802 - Qt's name
        """How many collections, or documents of one."""
        if not parent.isValid():
            return len(self._groups)
        if parent.internalId() or parent.column():
            return 0
        return len(self._groups[parent.row()][1])

    def columnCount(self, _parent: Index = _ROOT) -> int:  # noqa: N802 - Qt's name
        """As many as there are headings."""
        return len(COLUMNS)

    def headerData(  # noqa: N802 - Qt's name
        self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole
    ) -> Any:
        """The heading of a column."""
        if orientation is Qt.Orientation.Horizontal and role == Role.DisplayRole:
            return COLUMNS[section]
        if role == Role.TextAlignmentRole:
            return int(_alignment(section))
        return None

    def data(self, index: Index, role: int = Role.DisplayRole) -> Any:
        """What a cell shows."""
        if role == Role.TextAlignmentRole:
            return int(_alignment(index.column()))
        document = self.document(index)
        if document is None:
            return self._of_collection(index, role)
        return _of_document(document, index.column(), role)

    def _of_collection(self, index: Index, role: int) -> Any:
        place, documents = self._groups[index.row()]
        if role == Role.FontRole:
            font = QFont()
            font.setWeight(QFont.Weight.DemiBold)
            return font
        if role in {Role.DisplayRole, Role.AccessibleTextRole} and index.column() == 0:
            return f"{place.name}  ({formatting.counted(len(documents), 'document')})"
        return None


def _of_document(document: StoredDocument, column: int, role: int) -> Any:
    if role == Role.DisplayRole:
        return _cell(document, column)
    if role == Role.ToolTipRole:
        return "\n".join([document.title, document.name, *document.notices])
    if role == Role.AccessibleTextRole and column == 0:
        return spoken(document)
    if role == STATE and column == 0:
        return document.release.words
    if role == Role.ForegroundRole and column == len(COLUMNS) - 1:
        return theme.current().colour("warning")
    return None


def spoken(document: StoredDocument) -> str:
    """A document's row as a screen reader says it."""
    parts = [
        document.title + STATES[document.currency],
        document.release.words,
        "Lumen's summary" if document.kind is Kind.SUMMARY else "source",
        f"edition {document.edition}" if document.edition else "",
        formatting.counted(document.pages, "page") if document.paged else "",
        formatting.counted(document.passages, "passage"),
        formatting.counted(len(document.notices), "notice") if document.notices else "",
    ]
    return ", ".join(part for part in parts if part)


def _cell(document: StoredDocument, column: int) -> str:
    return (
        document.title + STATES[document.currency],
        WHOSE[document.kind],
        document.edition,
        formatting.number(document.pages) if document.paged else "–",
        formatting.number(document.passages),
        formatting.moment(document.added_utc),
        str(len(document.notices)) if document.notices else "",
    )[column]


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column in _NUMBERS else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
