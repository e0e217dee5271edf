"""Searching passages on the screen: both ranks, the passage beside the list, and the whole way by keyboard alone."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from lumen_desktop import app
from lumen_desktop.ui.library.hits_model import COLUMNS
from lumen_desktop.ui.library.screen import LibraryScreen
from lumen_desktop.ui.library.searching import MOST
from tests.ui.library_parts import WAIT_MS, focused, shown, stored_pdf


@pytest.fixture
def screen(qtbot: QtBot, site: app.Site) -> LibraryScreen:
    return shown(qtbot, site)


def search(qtbot: QtBot, screen: LibraryScreen, words: str) -> list[list[str]]:
    """Searches by keyboard and returns what the table says."""
    QTest.keyClick(screen, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert focused() is screen.searching.field
    QTest.keyClicks(screen.searching.field, words)
    QTest.keyClick(screen.searching.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "searched in" in screen.searching.said, timeout=WAIT_MS)
    model = screen.searching.table.model()
    return [[str(model.index(r, c).data()) for c in range(len(COLUMNS))] for r in range(model.rowCount())]


def test_the_table_shows_what_the_service_ranks(qtbot: QtBot, screen: LibraryScreen, site: app.Site) -> None:
    rows = search(qtbot, screen, "depth of a recall")
    hits, found = site.library.search("depth of a recall", collection=None, most=MOST)
    assert len(rows) == len(hits) > 1
    for cells, hit in zip(rows, hits, strict=True):
        assert cells[0] == " ".join(hit.passage.text.split())
        assert cells[1].splitlines()[0] == hit.passage.document
        assert cells[3:] == [
            f"{hit.score:.3f}", *(str(rank) if rank is not None else "–" for rank in (hit.text_rank, hit.vector_rank)),
        ]  # fmt: skip
    assert found.vector_leg == "exact"
    said = screen.searching.said
    assert f"{found.passages} passages of 3 documents searched" in said
    assert "comparing with every passage" in said


def test_a_collection_narrows_the_search(qtbot: QtBot, screen: LibraryScreen) -> None:
    where = screen.searching._where
    assert [where.itemText(n) for n in range(where.count())] == ["All collections", "Documents", "Rules"]
    where.setCurrentText("Rules")
    assert {row[1].splitlines()[0] for row in search(qtbot, screen, "recall")} == {"Recalls of drug products"}
    with qtbot.waitSignal(screen.documents.loaded, timeout=WAIT_MS):
        screen.activated()
    assert where.currentText() == "Rules", "reading the list again changes no choice"


def test_nothing_to_search_for_is_told(qtbot: QtBot, screen: LibraryScreen) -> None:
    screen.search()
    QTest.keyClick(screen.searching.field, Qt.Key.Key_Return)
    assert screen.searching.said == "Give a word or a question."


def test_a_passage_opens_beside_the_list_and_the_next_is_a_key_away(
    qtbot: QtBot, screen: LibraryScreen, site: app.Site, tmp_path: Path
) -> None:
    stored_pdf(site, tmp_path)
    search(qtbot, screen, "records of a batch and samples beside them")
    table, source = screen.searching.table, screen.source
    assert focused() is table
    QTest.keyClick(table, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: source.pane.shown is not None, timeout=WAIT_MS)
    assert source.isVisible()
    assert source._count.text().startswith("Passage 1 of ")
    assert source.pane.picture.boxes(), "the whole passage is lit"
    first = source.pane.shown
    QTest.keyClick(screen, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: source.chosen == 1 and source.pane.shown not in (None, first), timeout=WAIT_MS)
    QTest.keyClick(table, Qt.Key.Key_Escape)
    assert not source.isVisible()
    QTest.keyClick(table, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: source.pane.picture.isVisible() and source.pane._field.isVisible(), timeout=WAIT_MS)
    source.pane._field.setFocus()
    QTest.keyClick(source.pane._field, Qt.Key.Key_Escape)
    assert not source.isVisible()
    assert focused() is table


def test_the_last_search_is_the_one_that_is_shown(qtbot: QtBot, screen: LibraryScreen) -> None:
    for words in ("recall", "swab sample", "zelboraxib tablets"):
        screen.searching.field.setText(words)
        screen.searching.search()
    qtbot.waitUntil(lambda: "searched in" in screen.searching.said, timeout=WAIT_MS)
    qtbot.wait(200)
    assert "elbora" in str(screen.searching.table.model().index(0, 1).data())


def test_the_whole_screen_can_be_walked_by_keyboard(qtbot: QtBot, screen: LibraryScreen) -> None:
    """Tab reaches every part of each tab and comes round; nothing holds the focus for good."""
    for number in range(3):
        screen._tabs.setCurrentIndex(number)
        screen._tabs.tabBar().setFocus()
        reached: list[QWidget] = []
        for _ in range(40):
            widget = focused()
            assert widget is not None
            assert widget.isVisible()
            if widget in reached:
                break
            reached.append(widget)
            QTest.keyClick(widget, Qt.Key.Key_Tab)
        else:
            pytest.fail("Tab never comes round")
        names = {widget.accessibleName() for widget in reached}
        expected = (
            {"Filter the documents", "Documents by collection", "Rebuild index"},
            {"Choose files…", "Choose a folder…", "Collection to add to; a new name makes a new one"},
            {"Search the passages of the library", "Collection to search", "Search"},
        )[number]
        assert expected | {"Add files…", "Add folder…"} <= names
