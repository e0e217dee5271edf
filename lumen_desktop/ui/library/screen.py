"""The library's screen: documents, adding, searching; a source opens beside them, and files may be dropped anywhere.

Ties the parts together and knows no more of the library than they do. `ui.main_window` shows it.
"""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData, Qt, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QFileDialog, QFrame, QSplitter, QStackedWidget, QTabWidget, QWidget

from lumen_desktop.app import Site
from lumen_desktop.domain.library import Collection, Passage, StoredDocument
from lumen_desktop.ui import formatting, theme, widgets
from lumen_desktop.ui.flow import Flow
from lumen_desktop.ui.library import source
from lumen_desktop.ui.library.adding import AddView
from lumen_desktop.ui.library.documents import DocumentsView
from lumen_desktop.ui.library.extracted import ExtractView
from lumen_desktop.ui.library.keys import shortcut
from lumen_desktop.ui.library.searching import SearchView
from lumen_desktop.ui.library.source import SourceView
from lumen_desktop.ui.theme import SPACE

SHORTCUTS: tuple[tuple[str, str], ...] = (
    ("Ctrl+O", "Add files to the library"),
    ("Ctrl+Shift+O", "Add a folder to the library"),
    ("Ctrl+F", "Search the library's passages"),
    ("Alt+D, Alt+A, Alt+S", "Go to documents, adding, search"),
    ("Enter", "Open the chosen document or passage"),
    ("Del", "Remove the chosen documents"),
    *source.SHORTCUTS,
)
_READABLE = 400  # pixels at the default text size; where list or source has less, the source stands alone
_FILTER = (
    "Documents (*.pdf *.docx *.md *.markdown *.txt);;"
    "Labels, leaflets, regulations, articles (*.xml *.nxml *.json *.jsonl *.zip *.gz);;All files (*)"
)


class LibraryScreen(QWidget):
    """What the library holds and what can be done with it.

    Args:
        site: the open site.
    """

    changed = Signal()  # documents were added or removed

    def __init__(self, site: Site) -> None:
        super().__init__()
        self._site = site
        self._folder = ""  # where files were chosen last
        self.setAcceptDrops(True)
        self._build()
        self._connect()

    def _build(self) -> None:
        self.setProperty("role", "page")
        self._count = widgets.label("", "muted")
        self._count.setWordWrap(False)
        add = widgets.button("Add files…", self.choose_files, role="primary", icon="file-plus")
        folder = widgets.button("Add folder…", self.choose_folder, icon="folder-plus")
        shortcut(self, "Ctrl+O", self.choose_files, add)
        shortcut(self, "Ctrl+Shift+O", self.choose_folder, folder)
        named = widgets.label("Library", "title")
        named.setWordWrap(False)
        head = Flow()
        head.add(named)
        head.add(self._count, grows=True)
        head.add(folder)
        head.add(add)
        self._documents = DocumentsView(self._site, self.choose_files)
        self._adding = AddView(self._site)
        self._search = SearchView(self._site)
        self._tabs = QTabWidget()
        self._tabs.setDocumentMode(True)
        self._tabs.tabBar().setDrawBase(False)
        self._tabs.setAccessibleName("Parts of the library")
        self._tabs.tabBar().setAccessibleName("Parts of the library")
        for part, title in ((self._documents, "&Documents"), (self._adding, "&Add"), (self._search, "&Search")):
            self._tabs.addTab(part, title)
        lists = widgets.column(margin=3 * SPACE, spacing=2 * SPACE)
        lists.addLayout(head)
        lists.addWidget(self._tabs, 1)
        self._inside = QWidget()
        self._inside.setLayout(lists)
        self._lists = widgets.Scrolled(self._inside)
        self._lists.setAccessibleName("Library")
        self._source = SourceView(self._site)
        self._source.hide()
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.setHandleWidth(1)
        self._split.setChildrenCollapsible(False)
        self._split.addWidget(self._lists)
        self._split.addWidget(self._source)
        self._extract = ExtractView(self._site)
        self._extract.setContentsMargins(2 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._split)
        self._stack.addWidget(self._extract)
        layout = widgets.column()
        layout.addWidget(self._stack)
        self.setLayout(layout)
        self._over = _DropSign(self)
        widgets.fitted(self, self._share_room)

    def _connect(self) -> None:
        self._documents.opened.connect(self.show_extract)
        self._documents.changed.connect(self.changed)
        self._documents.loaded.connect(self._know)
        self._adding.choose_files.connect(self.choose_files)
        self._adding.choose_folder.connect(self.choose_folder)
        self._adding.changed.connect(self._documents.load)
        self._adding.changed.connect(self.changed)
        self._adding.busy_changed.connect(self._adding_changed)
        self._adding.progressed.connect(lambda share: self._name_tab(f"&Add ({share:.0%})"))
        self._search.opened.connect(self.show_passages)
        self._search.left.connect(self._source.close_source)
        self._source.closed.connect(self._close_source)
        self._extract.closed.connect(self._close_extract)
        shortcut(self._split, "Ctrl+F", self.search)

    @property
    def documents(self) -> DocumentsView:
        """The documents."""
        return self._documents

    @property
    def adding(self) -> AddView:
        """Adding to them."""
        return self._adding

    @property
    def searching(self) -> SearchView:
        """Searching them."""
        return self._search

    @property
    def source(self) -> SourceView:
        """The source beside them."""
        return self._source

    @property
    def extract(self) -> ExtractView:
        """What was extracted from one of them."""
        return self._extract

    @property
    def busy(self) -> bool:
        """Whether closing would interrupt work."""
        return self._adding.busy or self._documents.working

    def activated(self) -> None:
        """Reads the list anew: another part of the program may have added to it."""
        self._documents.load()

    def stop(self) -> None:
        """Ends the adding; what was added stays."""
        self._adding.stop()

    def add(self, paths: Sequence[Path]) -> None:
        """Adds files and folders, and shows how it goes."""
        if paths:
            self._close_extract()
            self._tabs.setCurrentWidget(self._adding)
            self._adding.add(paths)

    def choose_files(self) -> None:
        """Lets a person choose files with the system's dialog."""
        names, _ = QFileDialog.getOpenFileNames(self, "Add files", self._folder, _FILTER)
        self._add_chosen([Path(name) for name in names])

    def choose_folder(self) -> None:
        """Lets a person choose a folder."""
        name = QFileDialog.getExistingDirectory(self, "Add a folder", self._folder)
        self._add_chosen([Path(name)] if name else [])

    def search(self) -> None:
        """Goes to the search."""
        self._tabs.setCurrentWidget(self._search)
        self._search.focus()

    def show_extract(self, document: StoredDocument) -> None:
        """Shows what was extracted from a document."""
        self._extract.show_document(document)
        self._stack.setCurrentWidget(self._extract)
        self._extract.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_passages(self, passages: Sequence[Passage], chosen: int) -> None:
        """Opens one of some passages beside the list."""
        if self._source.isHidden():
            self._source.show()
            wide = self._split.width()
            self._split.setSizes([wide * 11 // 20, wide * 9 // 20])
        self._share_room()
        self._source.show_passages(passages, chosen)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Shows list and source side by side where there is room for both."""
        super().resizeEvent(event)
        self._share_room()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        """Takes files, and says so."""
        if _files(event.mimeData()):
            event.acceptProposedAction()
            self._over.show_for(self._adding.collection)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:  # noqa: N802 - Qt's name
        """Takes them wherever the pointer is."""
        event.acceptProposedAction()

    def dragLeaveEvent(self, _event: QDragLeaveEvent) -> None:  # noqa: N802 - Qt's name
        """They went elsewhere."""
        self._over.hide()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        """Adds what was dropped."""
        self._over.hide()
        event.acceptProposedAction()
        self.add(_files(event.mimeData()))

    def _add_chosen(self, paths: Sequence[Path]) -> None:
        if paths:
            self._folder = str(paths[0].parent)
            self.add(paths)

    def _know(self, collections: Sequence[Collection]) -> None:
        documents = sum(place.documents for place in collections)
        passages = sum(place.passages for place in collections)
        self._count.setText(
            f"{formatting.counted(documents, 'document')}, {formatting.counted(passages, 'passage')}"
            if documents
            else ""
        )
        self._adding.know(collections)
        self._search.know(collections)

    def _adding_changed(self) -> None:
        self._documents.lock(locked=self._adding.busy)
        if not self._adding.busy:
            self._name_tab("&Add")

    def _name_tab(self, name: str) -> None:
        self._tabs.setTabText(self._tabs.indexOf(self._adding), name)

    def _share_room(self) -> None:
        """Leaves the room to the source alone where both would not fit; closing it brings the list back."""
        needed = self._inside.minimumSizeHint().width() + self._source.minimumSizeHint().width()
        needed = max(needed, 2 * theme.scaled(_READABLE))
        self._lists.setHidden(not self._source.isHidden() and needed > self.width())

    def _close_source(self) -> None:
        had_focus = self._source.isAncestorOf(self.focusWidget()) if self.focusWidget() else False
        self._source.hide()
        self._share_room()
        if had_focus:
            self._search.table.setFocus(Qt.FocusReason.OtherFocusReason)

    def _close_extract(self) -> None:
        if self._stack.currentWidget() is self._extract:
            self._extract.close_document()
            self._stack.setCurrentWidget(self._split)
            self._documents.tree.setFocus(Qt.FocusReason.OtherFocusReason)


class _DropSign(QFrame):
    """Lies over the screen while files are held over it, and says what a drop would do."""

    def __init__(self, over: QWidget) -> None:
        super().__init__(over)
        self.setProperty("role", "drop-over")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._words = widgets.label("", "title")
        self._words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout = widgets.column(margin=4 * SPACE)
        layout.addWidget(self._words)
        self.setLayout(layout)
        self.hide()

    def show_for(self, collection: str) -> None:
        """Says where the files would go."""
        over = self.parentWidget()
        assert over is not None
        self._words.setText(f"Drop to add to “{collection}”")
        self.setGeometry(over.rect().adjusted(SPACE, SPACE, -SPACE, -SPACE))
        self.raise_()
        self.show()


def _files(data: QMimeData) -> list[Path]:
    """The local files and folders among what is held over the screen."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
