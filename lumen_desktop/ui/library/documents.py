"""The documents of the library: collections, what is known of each document, releasing and taking one away.

Knows no file on the disk: what was added lies in the site's own database.
"""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QItemSelectionModel, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QLineEdit, QMessageBox, QStackedWidget, QTreeView, QWidget

from lumen_desktop.app import Site
from lumen_desktop.domain.library import Collection, StoredDocument
from lumen_desktop.services.incoming import AddProgress
from lumen_desktop.ui import formatting, tasks, theme, widgets
from lumen_desktop.ui.flow import Flow
from lumen_desktop.ui.library.badges import BadgeDelegate, StateDelegate
from lumen_desktop.ui.library.documents_model import COLUMNS, STATE, DocumentsModel
from lumen_desktop.ui.library.releasing import May, Releasing, duties
from lumen_desktop.ui.theme import SPACE

_WIDTHS = (0, 92, 120, 64, 84, 164, 76)  # pixels at the default text size; the title takes the rest
_NARROW_PX, _NARROWEST_PX, _LONE_PX = 780, 560, 400  # below these, columns that matter less are left out
_EDITION = 2
_LESS = (2, 5)
_LEAST = (2, 3, 5, 6)
_LONE = (1, 2, 3, 4, 5, 6)
_MOST_NAMED = 6
_ROWS = 4  # that are seen at least, with the headings
_FIELD, _DETAILS = 180, 400  # pixels at the default text size that they need beside buttons


class DocumentsView(QWidget):
    """The tree of collections and documents, with what can be done to them.

    Args:
        site: whose library.
        add: begins adding files, for the empty library.
    """

    opened = Signal(object)  # a StoredDocument, to look at what was extracted
    changed = Signal()
    loaded = Signal(object)  # the collections, each time they were read

    def __init__(self, site: Site, add: Callable[[], object]) -> None:
        super().__init__()
        self._site = site
        self._model = DocumentsModel()
        self._documents: list[StoredDocument] = []
        self._read: tuple[list[Collection], list[StoredDocument]] = ([], [])
        self._loading: tasks.Task | None = None
        self._working = False
        self._locked = False
        self._signed = ""  # who signed the chosen document
        self.releasing = Releasing(site, self)
        self._build(add)
        self._connect()

    def _build(self, add: Callable[[], object]) -> None:
        self._filter = QLineEdit()
        self._filter.setPlaceholderText("Filter by title, file, collection or edition")
        self._filter.setAccessibleName("Filter the documents")
        self._filter.setClearButtonEnabled(True)
        self._filter.setAcceptDrops(False)
        self._count = widgets.label("", "small")
        self._count.setWordWrap(False)
        self._again = widgets.button(
            "Rebuild index", self.rebuild, role="quiet", icon="refresh-cw",
            tip="Makes the index for search by meaning anew from the database",
        )  # fmt: skip
        bar = Flow()
        bar.add(self._filter, grows=True, least_px=_FIELD)
        bar.add(self._count)
        bar.add(self._again)
        self._tree = _Tree(self._model)
        self._details = widgets.label("Choose a document to see what is known of it.", "muted", selectable=True)
        self._open = widgets.button("What was extracted", self._open_chosen, icon="file-text")
        self._remove = widgets.button("Remove…", self.remove_chosen, role="danger", icon="trash-2")
        foot = Flow()
        foot.add(self._details, grows=True, least_px=_DETAILS)
        acts, beside = QWidget(), Flow()
        for made in (self._open, *self.releasing.buttons, self._remove):
            beside.add(made)
        acts.setLayout(beside)
        foot.add(acts, top=True)
        listed = widgets.column()
        listed.setContentsMargins(0, 2 * SPACE, 0, 0)
        listed.addLayout(bar)
        listed.addWidget(self._tree, 1)
        listed.addLayout(foot)
        full = QWidget()
        full.setLayout(listed)
        begin = widgets.button("Add files…", add, role="primary", icon="file-plus")
        empty = widgets.EmptyState(
            "library",
            "No documents yet",
            "Drop PDF, Word, Markdown or text files or folders of them anywhere here, or choose them. Lumen keeps its"
            " own copy; answers quote from what you add.",
            begin,
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(full)
        self._stack.addWidget(empty)
        layout = widgets.column()
        layout.addWidget(self._stack)
        self.setLayout(layout)

    def _connect(self) -> None:
        self._filter.textChanged.connect(self._narrow)
        self._tree.entered_document.connect(self._open_chosen)
        self._tree.selectionModel().selectionChanged.connect(lambda *_: self._describe())
        delete = QShortcut(QKeySequence.StandardKey.Delete, self._tree)
        delete.setContext(Qt.ShortcutContext.WidgetShortcut)
        delete.activated.connect(self.remove_chosen)
        self.releasing.described.connect(self._describe_signed)
        self.releasing.changed.connect(self._released)
        self._describe()

    @property
    def tree(self) -> QTreeView:
        """The list."""
        return self._tree

    @property
    def model(self) -> DocumentsModel:
        """What the list shows."""
        return self._model

    @property
    def working(self) -> bool:
        """Whether documents are being removed or signed, or the index is made anew."""
        return self._working or self.releasing.signing

    def load(self) -> None:
        """Reads the list again."""
        if self._loading is not None:
            self._loading.drop()
        site = self._site
        library = site.library
        self._loading = tasks.run(self, lambda: (library.collections(), library.documents(), duties(site)), self._show)

    def lock(self, *, locked: bool) -> None:
        """Keeps documents from being removed, and the index from being remade, while others are added."""
        self._locked = locked
        self._describe()

    def chosen(self) -> list[StoredDocument]:
        """The documents that are selected."""
        rows = self._tree.selectionModel().selectedRows()
        return [document for row in rows if (document := self._model.document(row)) is not None]

    def choose(self, document_id: int) -> None:
        """Selects a document, if it is shown."""
        index = self._model.place_of(document_id)
        if index.isValid():
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
            self._tree.selectionModel().setCurrentIndex(index, flags)

    def remove_chosen(self) -> None:
        """Asks whether the selected documents shall go, and removes them."""
        documents = self.chosen()
        if not documents or self._locked or self._working:
            return
        box = QMessageBox(self)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle("Remove documents" if len(documents) > 1 else "Remove the document")
        box.setText(_asked(documents))
        box.setInformativeText("Answers that quote from it keep their quotes; the page cannot be opened any more.")
        remove = box.addButton("Remove", QMessageBox.ButtonRole.DestructiveRole)
        keep = box.addButton("Keep", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(keep)
        box.setEscapeButton(keep)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        remove.clicked.connect(lambda: self._removed(documents))
        box.open()

    def rebuild(self) -> None:
        """Makes the vector index anew."""
        if self._locked or self._working:
            return
        library = self._site.library
        self._work("Rebuilding the index…")
        tasks.stream(self, library.reindex, self._rebuilding).finished.connect(self._worked)

    def _removed(self, documents: Sequence[StoredDocument]) -> None:
        library = self._site.library
        self._work("Removing…")

        def remove() -> None:
            for document in documents:
                library.remove(document.id)

        tasks.run(self, remove, lambda _: None).finished.connect(self._worked)

    def _rebuilding(self, event: AddProgress) -> None:
        self._count.setText(f"Rebuilding the index of {event.path.name}…")

    def _work(self, words: str) -> None:
        self._working = True
        self._describe()
        self._count.setText(words)

    def _worked(self) -> None:
        self._working = False
        self.changed.emit()
        self.load()

    def _released(self) -> None:
        """Who signed may have brought a document into use, or taken it out."""
        self.releasing.again()
        self.changed.emit()
        self.load()

    def _show(self, read: tuple[list[Collection], list[StoredDocument], May | None]) -> None:
        collections, documents, may = read
        self.releasing.know(may)
        if (collections, documents) != self._read:  # or a look would lose the place in the list
            self._read, self._documents = (collections, documents), documents
            held, bar = [document.id for document in self.chosen()], self._tree.verticalScrollBar()
            place = bar.value()
            self._model.show(collections, self._documents)
            for document_id in held[:1]:
                self.choose(document_id)
            bar.setValue(place)
        self._stack.setCurrentIndex(0 if self._documents else 1)
        self._tell_count()
        self._describe()
        self.loaded.emit(collections)

    def _narrow(self, words: str) -> None:
        self._model.narrow(words)
        self._tell_count()
        self._describe()

    def _tell_count(self) -> None:
        shown, everything = self._model.shown, len(self._documents)
        of_all = formatting.counted(everything, "document")
        self._count.setText(of_all if shown == everything else f"{shown} of {of_all}")

    def _describe(self) -> None:
        """Says what is known of the selected document, and lets buttons be pressed that would do something."""
        documents = self.chosen()
        self._open.setEnabled(len(documents) == 1)
        self._remove.setEnabled(bool(documents) and not self._locked and not self._working)
        self._again.setEnabled(not self._locked and not self._working)
        self._remove.setToolTip("Not while documents are being added" if self._locked else "(Del)")
        one = documents[0] if len(documents) == 1 else None
        self.releasing.choose(one, busy=self._locked or self._working)
        if one is not None:
            self._details.setText("\n".join(part for part in (_details(one), self._signed) if part))
        else:
            many = f"{len(documents)} documents chosen." if documents else ""
            self._details.setText(many or "Choose a document to see what is known of it.")

    def _describe_signed(self, words: str) -> None:
        self._signed = words
        self._describe()

    def _open_chosen(self) -> None:
        documents = self.chosen()
        if len(documents) == 1:
            self.opened.emit(documents[0])


class _Tree(QTreeView):
    """The list; Enter or a double click opens a document, and it leaves out columns where it is narrow."""

    entered_document = Signal()

    def __init__(self, model: DocumentsModel) -> None:
        super().__init__()
        self._closed: set[str] = set()  # collections that a person closed, by the words of their rows
        self.setModel(model)
        self.setAccessibleName("Documents by collection")
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setUniformRowHeights(True)
        self.setIndentation(2 * SPACE)
        self.setItemDelegateForColumn(0, StateDelegate(STATE, self))
        self.setItemDelegateForColumn(1, BadgeDelegate(self))
        self.setExpandsOnDoubleClick(False)
        self.doubleClicked.connect(lambda index: self.entered_document.emit() if index.parent().isValid() else None)
        self.collapsed.connect(lambda index: self._closed.add(model.collection(index)))
        self.expanded.connect(lambda index: self._closed.discard(model.collection(index)))
        model.modelReset.connect(self._spread)
        header = self.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(6 * SPACE)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        widgets.fitted(self, self._leave_out)
        header.setSortIndicator(0, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)

    def _spread(self) -> None:
        """After the model changed: every collection is one line across, and open unless it was closed."""
        model, closed = self.model(), frozenset(self._closed)
        assert isinstance(model, DocumentsModel)
        for row in range(model.rowCount()):
            index = model.index(row, 0)
            self.setFirstColumnSpanned(row, self.rootIndex(), True)  # noqa: FBT003 - Qt's own
            self.setExpanded(index, model.collection(index) not in closed or model.narrowed)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Enter opens."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.entered_document.emit()
            return
        super().keyPressEvent(event)

    def resizeEvent(self, event: object) -> None:  # noqa: N802 - Qt's name
        """Leaves out columns that a narrow list has no room for."""
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._leave_out()

    def _leave_out(self) -> None:
        wide, header = self.viewport().width(), self.header()
        self.setMinimumHeight(_ROWS * theme.line_height() * 2)
        less = ((_LONE_PX, _LONE), (_NARROWEST_PX, _LEAST), (_NARROW_PX, _LESS))
        left_out = next((columns for room, columns in less if wide < theme.scaled(room)), ())
        header.ensurePolished()
        for column in range(1, len(COLUMNS)):
            width = max(theme.scaled(_WIDTHS[column]), header.sectionSizeHint(column))
            header.resizeSection(column, max(width, wide // 6) if column == _EDITION else width)
            self.setColumnHidden(column, column in left_out)


def _asked(documents: Sequence[StoredDocument]) -> str:
    """The question before removing; it names what goes."""
    if len(documents) == 1:
        return f"Remove “{documents[0].title}” from “{documents[0].collection}”?"
    named = [f"• {document.title}" for document in documents[:_MOST_NAMED]]
    more = [f"and {len(documents) - _MOST_NAMED} more"] if len(documents) > _MOST_NAMED else []
    return "\n".join([f"Remove {len(documents)} documents?", *named, *more])


def _details(document: StoredDocument) -> str:
    facts = [
        document.name,
        *([formatting.counted(document.pages, "page")] if document.paged else []),
        formatting.counted(document.passages, "passage"),
        f"added {formatting.moment(document.added_utc)}",
        f"SHA-256 {document.sha256[:12]}…",
    ]
    return "\n".join([document.title, " · ".join(facts), *document.notices])
