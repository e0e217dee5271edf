"""What the library's tests share: files to add, and the screen over a real site."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from lumen_desktop import app
from lumen_desktop.domain.chat import Citation
from lumen_desktop.domain.library import Kind, Passage, StoredDocument
from lumen_desktop.ui.library.screen import LibraryScreen
from tests.conftest import added
from tests.retrieval import documents

FIRST = [
    "The quality unit reviews every record of a batch before the batch is released for",
    "distribution, and it keeps each of these records for one year after the batch expired.",
]
SECOND = [
    "Samples are kept beside the records, in the state in which they were drawn from it,",
    "and are looked at once a year unless that would spoil them for later examination.",
]
QUOTE = "it keeps each of these records for one year after the batch expired."
WAIT_MS = 20_000


def write_pdf(folder: Path, name: str = "records.pdf", *, pages: int = 2) -> Path:
    """A PDF whose first two pages hold `FIRST` and `SECOND`, the rest either in turn."""
    path = folder / name
    texts = [FIRST if number % 2 == 0 else SECOND for number in range(pages)]
    path.write_bytes(
        documents.pdf(
            [documents.paragraph([*text, f"This is leaf {n} of {name}."], top=600) for n, text in enumerate(texts)],
            title=f"Records and samples {name}",
        )
    )
    return path


def stored_pdf(site: app.Site, folder: Path, *, pages: int = 2) -> StoredDocument:
    """That PDF in the library."""
    assert added(site.library, write_pdf(folder, pages=pages)).added == 1
    return next(document for document in site.library.documents() if document.name == "records.pdf")


def passage_of(site: app.Site, document: StoredDocument, number: int = 1) -> Passage:
    """The first passage on a page."""
    return site.sources.passages_on(document.id, number)[0]


def citation(n: int, passage: Passage, quote: str) -> Citation:
    """A quote as an answer cites it."""
    return Citation(
        n, passage.id, passage.document, passage.attribution, Kind.SOURCE, passage.edition, passage.page_of(0),
        passage.section, quote,
    )  # fmt: skip


def shown(qtbot: QtBot, site: app.Site, *, width: int = 1200) -> LibraryScreen:
    """The library's screen in a window of its own, its list read."""
    screen = LibraryScreen(site)
    qtbot.addWidget(screen)
    screen.resize(width, 800)
    with qtbot.waitSignal(screen.documents.loaded, timeout=WAIT_MS):
        screen.activated()
        screen.show()
    screen.activateWindow()
    return screen


def finished(qtbot: QtBot, screen: LibraryScreen, act: Callable[[], object]) -> None:
    """Does something that adds, and waits until nothing is added any more and the list was read again."""
    act()
    qtbot.waitUntil(lambda: not screen.busy, timeout=WAIT_MS)
    with qtbot.waitSignal(screen.documents.loaded, timeout=WAIT_MS):
        screen.documents.load()


def titles(screen: LibraryScreen) -> list[str]:
    """Titles in the list, collection by collection."""
    model = screen.documents.model
    groups = [model.index(row, 0) for row in range(model.rowCount())]
    return [
        str(model.index(row, 0, group).data(Qt.ItemDataRole.DisplayRole))
        for group in groups
        for row in range(model.rowCount(group))
    ]


def focused() -> QWidget | None:
    """What the keyboard goes to."""
    return QApplication.focusWidget()
