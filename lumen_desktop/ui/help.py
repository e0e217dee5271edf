"""The manual in a window of its own: contents, search, and the page; nothing is fetched from anywhere."""

from PySide6.QtCore import QEvent, Qt, QUrl
from PySide6.QtGui import (
    QFont,
    QKeySequence,
    QResizeEvent,
    QShortcut,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextLength,
    QTextTable,
)
from PySide6.QtWidgets import QLineEdit, QListWidget, QListWidgetItem, QSplitter, QTextBrowser, QWidget

from lumen_desktop.services import manual
from lumen_desktop.ui import theme
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import column, fitted

_NAME = Qt.ItemDataRole.UserRole
_SIZE = (920, 680)
_WIDTHS = (270, 650)
_BESIDE = 480  # pixels at the default text size that contents and page need beside each other


class Browser(QTextBrowser):
    """Shows pages of the manual; a link leads to another page and nowhere else."""

    def __init__(self) -> None:
        super().__init__()
        self.setOpenLinks(False)
        self.setAccessibleName("Page of the manual")
        self.setFrameShape(QTextBrowser.Shape.NoFrame)
        self.setProperty("role", "text")
        self.document().setDocumentMargin(3 * SPACE)

    def loadResource(self, kind: int, name: QUrl | str) -> object:  # noqa: ARG002, N802 - Qt's name
        """Nothing: pages hold no pictures."""
        return None


class HelpWindow(QWidget):
    """One window for the whole program; asking for help again brings it forward."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setWindowTitle("Lumen – Help")
        self.resize(*_SIZE)
        self.search, self.contents, self.browser = QLineEdit(), QListWidget(), Browser()
        self.search.setPlaceholderText("Search the manual")
        self.search.setAccessibleName("Search the manual")
        self.search.setClearButtonEnabled(True)
        self.contents.setAccessibleName("Contents of the manual")
        self.contents.setProperty("role", "plain")
        self.contents.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.contents.setWordWrap(True)
        self.search.textChanged.connect(self._find)
        self.contents.currentItemChanged.connect(self._chosen)
        self.browser.anchorClicked.connect(lambda url: self.show_page(url.path().removesuffix(".md")))
        self._build()
        self._find("")

    def _build(self) -> None:
        side, left = QWidget(), column(margin=SPACE)
        left.addWidget(self.search)
        left.addWidget(self.contents, 1)
        side.setLayout(left)
        self._parts = parts = QSplitter()
        parts.setObjectName("help")
        parts.addWidget(side)
        parts.addWidget(self.browser)
        parts.setStretchFactor(1, 1)
        parts.setChildrenCollapsible(False)
        layout = column()
        layout.addWidget(parts)
        self.setLayout(layout)
        parts.setSizes(list(_WIDTHS))
        QShortcut(QKeySequence("Ctrl+F"), self).activated.connect(self.search.setFocus)
        QShortcut(QKeySequence("Escape"), self).activated.connect(self.close)

        fitted(self, self._divide)

    def _divide(self) -> None:
        """Puts the contents above the page where there is no room for them beside it."""
        beside = self.width() >= theme.scaled(_BESIDE)
        if beside is not (self._parts.orientation() is Qt.Orientation.Horizontal):
            self._parts.setOrientation(Qt.Orientation.Horizontal if beside else Qt.Orientation.Vertical)
            self._parts.setSizes(list(_WIDTHS))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Divides the room anew."""
        super().resizeEvent(event)
        self._divide()

    @property
    def page(self) -> str:
        """Name of the page that is shown."""
        item = self.contents.currentItem()
        return str(item.data(_NAME)) if item is not None else ""

    def show_page(self, name: str) -> None:
        """Shows a page of the manual; one that does not exist changes nothing."""
        self.search.clear()
        for at in range(self.contents.count()):
            if self.contents.item(at).data(_NAME) == name:
                self.contents.setCurrentRow(at)

    def _find(self, words: str) -> None:
        shown = self.page
        self.contents.clear()
        for page in manual.search(words):
            item = QListWidgetItem(page.title)
            item.setData(_NAME, page.name)
            self.contents.addItem(item)
            if page.name == shown:
                self.contents.setCurrentItem(item)
        if self.contents.currentRow() < 0 and self.contents.count():
            self.contents.setCurrentRow(0)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Shows the page again in the colours of another theme."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange and self.isVisible():
            top = self.browser.verticalScrollBar().value()
            self._chosen(self.contents.currentItem())
            self.browser.verticalScrollBar().setValue(top)

    def _chosen(self, item: QListWidgetItem | None) -> None:
        if item is None:
            return
        self.browser.setMarkdown(manual.page(item.data(_NAME)).text)
        _dress(self.browser.document())
        self.browser.verticalScrollBar().setValue(0)


def _dress(document: QTextDocument) -> None:
    """Shows keys and commands as the rest of the window does, and gives tables room."""
    key = QTextCharFormat()
    key.setFontFamilies(document.defaultFont().families())
    key.setFontFixedPitch(False)
    key.setFontWeight(QFont.Weight.DemiBold)
    key.setBackground(theme.current().colour("sunken"))
    cursor, block = QTextCursor(document), document.begin()
    while block.isValid():
        pieces = block.begin()
        spans = []
        while not pieces.atEnd():
            if pieces.fragment().charFormat().fontFixedPitch():
                spans.append((pieces.fragment().position(), pieces.fragment().length()))
            pieces += 1
        for start, length in spans:
            cursor.setPosition(start)
            cursor.setPosition(start + length, QTextCursor.MoveMode.KeepAnchor)
            cursor.mergeCharFormat(key)
        block = block.next()
    for frame in document.rootFrame().childFrames():
        if isinstance(frame, QTextTable):
            look = frame.format()
            look.setCellPadding(SPACE * 3 // 4)
            look.setCellSpacing(0)
            look.setBorder(0)
            look.setTopMargin(SPACE)
            look.setBottomMargin(SPACE)
            look.setWidth(QTextLength(QTextLength.Type.PercentageLength, 100))
            frame.setFormat(look)


def show_help(parent: QWidget, page: str) -> HelpWindow:
    """Shows a page in the help window of a main window."""
    shown = parent.findChild(HelpWindow) or HelpWindow(parent)
    shown.show_page(page)
    shown.show()
    shown.raise_()
    shown.activateWindow()
    return shown
