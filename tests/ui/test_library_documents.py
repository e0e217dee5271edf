"""The list of documents: what is there, narrowing and sorting it, taking documents away, and what was extracted."""

from pathlib import Path
from typing import cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QApplication, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from lumen_desktop import app
from lumen_desktop.errors import EngineError
from lumen_desktop.storage.folder import DataFolder
from lumen_desktop.ui import formatting, theme
from lumen_desktop.ui.library.documents_model import COLUMNS
from lumen_desktop.ui.library.hits_model import HitsModel
from lumen_desktop.ui.library.screen import SHORTCUTS, LibraryScreen
from tests.conftest import HOLDER, added
from tests.retrieval import documents
from tests.ui.conftest import picture
from tests.ui.library_parts import WAIT_MS, finished, focused, shown, stored_pdf, titles


@pytest.fixture
def screen(qtbot: QtBot, site: app.Site) -> LibraryScreen:
    return shown(qtbot, site)


def asked(screen: LibraryScreen) -> QMessageBox:
    """The question that is open."""
    (box,) = [box for box in screen.findChildren(QMessageBox) if box.isVisible()]
    return box


def answer(box: QMessageBox, words: str) -> None:
    (button,) = [button for button in box.buttons() if button.text() == words]
    cast("QPushButton", button).click()


def row(screen: LibraryScreen, title: str) -> dict[str, str]:
    """What the list says of a document."""
    model = screen.documents.model
    index = next(model.place_of(d.id) for d in screen.documents._documents if d.title == title)
    return {name: str(index.siblingAtColumn(n).data()) for n, name in enumerate(COLUMNS)}


def test_collections_and_their_documents_are_listed(screen: LibraryScreen, site: app.Site) -> None:
    (recall,) = [d for d in site.library.documents() if d.collection == "Rules"]
    model = screen.documents.model
    assert [model.index(n, 0).data() for n in range(model.rowCount())] == [
        "Documents  (2 documents)", "Rules  (1 document)",
    ]  # fmt: skip
    assert row(screen, "Recalls of drug products") == {
        "Title": "Recalls of drug products", "Words of": "Lumen", "Edition": "as known November 2026", "Pages": "–",
        "Passages": "2", "Added": formatting.moment(recall.added_utc), "Notices": "",
    }  # fmt: skip
    assert row(screen, "cleaning")["Words of"] == "Source"
    assert screen._count.text().startswith("3 documents, ")


def test_the_list_needs_no_model(
    qtbot: QtBot, site_folder: Path, cheap_keys: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> None:
        raise EngineError("There is no model.", code="BLD-001", hint="Run the set-up.")

    monkeypatch.setattr(app, "installed", missing)
    place = app.SitePlace(DataFolder(site_folder), demonstration=False)
    with app.opened(place, HOLDER, purpose="tests", writable=True) as opened:
        screen = shown(qtbot, opened)
        assert screen.documents.model.shown == 3
        screen.searching.field.setText("recall")
        screen.searching.search()
        qtbot.waitUntil(lambda: "BLD-001" in screen.searching.said, timeout=WAIT_MS)


def test_words_narrow_the_list(screen: LibraryScreen) -> None:
    field = screen.documents._filter
    QTest.keyClicks(field, "zelb")
    assert titles(screen) == ["Zelboramax (zelboraxib) tablets, prescribing information"]
    assert screen.documents._count.text() == "1 of 3 documents"
    QTest.keyClicks(field, " nowhere")
    assert titles(screen) == []
    field.clear()
    QTest.keyClicks(field, "RULES november")
    assert titles(screen) == ["Recalls of drug products"]


def test_columns_sort_within_the_collections(qtbot: QtBot, screen: LibraryScreen, site: app.Site) -> None:
    down, up = Qt.SortOrder.DescendingOrder, Qt.SortOrder.AscendingOrder
    screen.documents.tree.sortByColumn(0, down)
    assert titles(screen)[:2] == ["Zelboramax (zelboraxib) tablets, prescribing information", "cleaning"]
    for column in range(len(COLUMNS)):
        for order in (up, down):
            screen.documents.tree.sortByColumn(column, order)
            assert len(titles(screen)) == 3


def test_a_closed_collection_stays_closed(qtbot: QtBot, screen: LibraryScreen) -> None:
    tree, model = screen.documents.tree, screen.documents.model
    assert tree.isExpanded(model.index(0, 0))
    tree.collapse(model.index(0, 0))
    with qtbot.waitSignal(screen.documents.loaded, timeout=WAIT_MS):
        screen.documents.load()
    assert not tree.isExpanded(model.index(0, 0))
    assert tree.isExpanded(model.index(1, 0))


def test_a_document_is_removed_after_a_question(qtbot: QtBot, screen: LibraryScreen, site: app.Site) -> None:
    document = next(d for d in site.library.documents() if d.title == "cleaning")
    screen.documents.choose(document.id)
    screen.documents.tree.setFocus()
    QTest.keyClick(screen.documents.tree, Qt.Key.Key_Delete)
    box = asked(screen)
    assert box.text() == "Remove “cleaning” from “Documents”?"
    QTest.keyClick(box, Qt.Key.Key_Escape)
    assert document in site.library.documents()
    screen.documents.remove_chosen()
    finished(qtbot, screen, lambda: answer(asked(screen), "Remove"))
    assert "cleaning" not in titles(screen)
    assert document not in site.library.documents()


def test_several_documents_are_named_and_removed(qtbot: QtBot, screen: LibraryScreen) -> None:
    screen.documents.tree.selectAll()
    assert len(screen.documents.chosen()) == 3
    screen.documents.remove_chosen()
    assert asked(screen).text().splitlines()[0] == "Remove 3 documents?"
    assert "• cleaning" in asked(screen).text()
    finished(qtbot, screen, lambda: answer(asked(screen), "Remove"))
    assert titles(screen) == []
    assert screen.documents._stack.currentIndex() == 1, "the empty library says how to begin"


def test_the_index_is_rebuilt(qtbot: QtBot, rehearsed: type, site_folder: Path) -> None:
    rehearsed.indexed = True  # type: ignore[attr-defined]
    place = app.SitePlace(DataFolder(site_folder), demonstration=False)
    with app.opened(place, HOLDER, purpose="tests", writable=True) as opened:
        screen = shown(qtbot, opened)
        screen.documents._again.click()
        assert screen.busy
        qtbot.waitUntil(lambda: not screen.busy, timeout=WAIT_MS)
        assert opened.searcher.index_agrees()


def test_what_was_extracted_is_shown_page_by_page(
    qtbot: QtBot, screen: LibraryScreen, site: app.Site, tmp_path: Path
) -> None:
    document = stored_pdf(site, tmp_path)
    with qtbot.waitSignal(screen.documents.loaded, timeout=WAIT_MS):
        screen.activated()
    screen.documents.choose(document.id)
    screen.documents.tree.setFocus()
    QTest.keyClick(screen.documents.tree, Qt.Key.Key_Return)
    extract = screen.extract
    qtbot.waitUntil(lambda: extract.text.startswith("The quality unit"), timeout=WAIT_MS)
    assert extract.pane.shown is not None
    assert not extract.pane.shown.image.isNull()
    QTest.keyClick(extract, Qt.Key.Key_PageDown, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: extract.text.startswith("Samples are kept"), timeout=WAIT_MS)
    assert extract.text == site.sources.texts(document.id)[1]
    QTest.keyClick(extract, Qt.Key.Key_Escape)
    assert not extract.isVisible()
    assert focused() is screen.documents.tree


def test_a_page_without_text_says_so(qtbot: QtBot, screen: LibraryScreen, site: app.Site, tmp_path: Path) -> None:
    pages = [documents.paragraph(["Words that stand on the first page of it, and enough of them."], top=600), []]
    (tmp_path / "half.pdf").write_bytes(documents.pdf(pages))
    added(site.library, tmp_path / "half.pdf")
    screen.show_extract(next(d for d in site.library.documents() if d.name == "half.pdf"))
    screen.extract.pane.go(2)
    qtbot.waitUntil(lambda: screen.extract.text == "No text was found on this page.", timeout=WAIT_MS)


def test_a_text_without_pages_is_shown_once(qtbot: QtBot, screen: LibraryScreen, site: app.Site) -> None:
    screen.show_extract(next(d for d in site.library.documents() if d.title == "cleaning"))
    text = screen.extract.pane.text
    qtbot.waitUntil(lambda: text.toPlainText().startswith("Cleaning of shared equipment"), timeout=WAIT_MS)
    assert not screen.extract._beside.isVisible()


def test_an_empty_library_says_how_to_begin(qtbot: QtBot, screen: LibraryScreen, site: app.Site) -> None:
    for document in site.library.documents():
        site.library.remove(document.id)
    with qtbot.waitSignal(screen.documents.loaded, timeout=WAIT_MS):
        screen.activated()
    (begin,) = [b for b in screen.documents.findChildren(QPushButton) if b.isVisible() and b.text() == "Add files…"]
    assert begin.isEnabled()


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("width", [700, 1200])
def test_everything_has_a_name_and_nothing_is_wider_than_the_screen(
    qtbot: QtBot, site: app.Site, tmp_path: Path, look: str, width: int
) -> None:
    theme.apply(cast("QApplication", QApplication.instance()), look)
    screen = shown(qtbot, site, width=width)
    for number in range(3):
        screen._tabs.setCurrentIndex(number)
        assert screen.width() == width
        picture(screen, tmp_path / f"{number}.png")
    assert all(button.accessibleName() for button in screen.findChildren(QPushButton) if not button.isHidden())
    passages = [hit.passage for hit in site.library.search("recall", collection=None, most=3)[0]]
    screen.show_passages(passages, 0)
    qtbot.waitUntil(lambda: screen.source.pane.shown is not None, timeout=WAIT_MS)
    assert screen.width() == width
    assert screen._lists.isVisible() is (width > 1000), "side by side only where both have room"
    screen.source.close_source()
    assert screen._lists.isVisible()


def test_the_keys_are_told(screen: LibraryScreen) -> None:
    assert {"Ctrl+O", "Ctrl+F", "Del", "Enter"} <= {keys for keys, _ in SHORTCUTS}
    assert len({keys for keys, _ in SHORTCUTS}) == len(SHORTCUTS)


def test_the_models_keep_qts_rules(screen: LibraryScreen, site: app.Site) -> None:
    """The tester warns where one does not, and a warning of Qt fails a test."""
    model, hits = screen.documents.model, HitsModel()
    testers = [QAbstractItemModelTester(each, QAbstractItemModelTester.FailureReportingMode.Warning)
               for each in (model, hits)]  # fmt: skip
    model.narrow("cleaning")
    model.narrow("")
    model.sort(3, Qt.SortOrder.DescendingOrder)
    hits.show(site.library.search("recall", collection=None, most=3)[0])
    assert len(testers) == 2
