"""What was taken out of a document, page by page, beside the page as it looks: the text that answers quote from."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSplitter, QWidget

from lumen_desktop.app import Site
from lumen_desktop.domain.library import StoredDocument
from lumen_desktop.services.sources import PageView
from lumen_desktop.ui import formatting, widgets
from lumen_desktop.ui.library.keys import shortcut
from lumen_desktop.ui.library.marked_text import MarkedText
from lumen_desktop.ui.library.pages import Opened, PagePane
from lumen_desktop.ui.theme import SPACE


class ExtractView(QWidget):
    """A document's pages and their text, side by side.

    Args:
        site: where it is.
    """

    closed = Signal()

    def __init__(self, site: Site) -> None:
        super().__init__()
        self._site = site
        self._build()

    def _build(self) -> None:
        back = widgets.button("Back", self.closed.emit, role="quiet", icon="chevron-left")
        back.setAccessibleName("Back to the library")
        self._title = widgets.label("", "heading", selectable=True)
        head = widgets.row()
        head.addWidget(back, alignment=Qt.AlignmentFlag.AlignTop)
        head.addWidget(self._title, 1)
        self._facts = widgets.label("", "small", selectable=True)
        self._pane = PagePane(lambda: self._site.sources)
        self._pane.seen.connect(self._show_text)
        self._text = MarkedText("What was extracted from the page")
        self._heading = widgets.label("What was extracted", "strong")
        self._heading.setMinimumHeight(4 * SPACE)  # level with the page's buttons
        texts = widgets.column()
        texts.setContentsMargins(2 * SPACE, 0, 0, 0)
        texts.addWidget(self._heading)
        texts.addWidget(self._text, 1)
        self._beside = QWidget()
        self._beside.setLayout(texts)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setHandleWidth(1)
        split.setChildrenCollapsible(False)
        for part in (self._pane, self._beside):
            split.addWidget(part)
        split.setSizes([10_000, 10_000])  # halves, whatever there is
        layout = widgets.column()
        for part in (self._facts, split):
            layout.addWidget(part)
        layout.insertLayout(0, head)
        layout.setStretch(2, 1)
        self.setLayout(layout)
        escape = shortcut(self, "Esc", self.closed.emit, back)
        escape.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)

    @property
    def pane(self) -> PagePane:
        """The page."""
        return self._pane

    @property
    def text(self) -> str:
        """What is shown as extracted from it."""
        return self._text.toPlainText()

    def show_document(self, document: StoredDocument) -> None:
        """Opens a document at its first page."""
        self._title.setText(document.title)
        facts = [
            document.name,
            *([formatting.counted(document.pages, "page")] if document.paged else []),
            formatting.counted(document.passages, "passage"),
        ]
        self._facts.setText("\n".join([" · ".join(facts), *document.notices]))
        self._beside.setVisible(document.paged)
        opened = Opened(document.id, document.title, document.pages, drawable=document.paged, paged=document.paged)
        self._pane.open(opened, 1)

    def close_document(self) -> None:
        """Lets go of the page."""
        self._pane.clear()

    def _show_text(self, view: PageView) -> None:
        self._heading.setText(f"Extracted from page {formatting.number(view.number)}")
        self._text.show_text(view.text or "No text was found on this page.")
