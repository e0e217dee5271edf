"""A source beside an answer: the page, the quote lit on it and nothing else, and what is said where that fails."""

import threading
from pathlib import Path
from typing import Any, cast

import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QKeySequence, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from lumen_desktop import app
from lumen_desktop.domain.library import StoredDocument
from lumen_desktop.services.sources import PageView, Sources
from lumen_desktop.ui import theme
from lumen_desktop.ui.library import loader
from lumen_desktop.ui.library.loader import PageLoader, Wanted
from lumen_desktop.ui.library.pages import ZOOMS
from lumen_desktop.ui.library.picture import MARK_OPACITY
from lumen_desktop.ui.library.source import SHORTCUTS, SourceView
from tests.conftest import added
from tests.ui.library_parts import QUOTE, SECOND, WAIT_MS, citation, passage_of, stored_pdf


@pytest.fixture
def pdf(site: app.Site, tmp_path: Path) -> StoredDocument:
    return stored_pdf(site, tmp_path)


@pytest.fixture
def view(site: app.Site, qtbot: QtBot) -> SourceView:
    made = SourceView(site)
    qtbot.addWidget(made)
    made.resize(520, 700)
    made.show()
    return made


def opened(qtbot: QtBot, view: SourceView, number: int | None = None) -> PageView:
    """Waits until a page is on the screen at the width at which it is seen."""

    def there() -> bool:
        page = view.pane.shown
        if page is None or (number is not None and page.view.number != number):
            return False
        return page.image.isNull() or page.image.width() == round(view.pane.picture.width() * ratio)

    ratio = view.devicePixelRatioF()
    qtbot.waitUntil(there, timeout=WAIT_MS)
    qtbot.wait(50)
    assert view.pane.shown
    return view.pane.shown.view


def press(widget: QWidget, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(widget, key, modifier)


def grabbed(view: SourceView) -> QImage:
    """The page as it is painted, a pixel for each of the window's, however many the screen has."""
    picture = view.pane.picture
    image = picture.grab().toImage()
    image.setDevicePixelRatio(1)
    return image.scaled(picture.size())


def pixels(image: QImage, box: QRectF) -> list[QColor]:
    """The colours within a box."""
    across = range(int(box.left()) + 2, int(box.right()) - 1)
    down = range(int(box.top()) + 2, int(box.bottom()) - 2)
    return [image.pixelColor(x, y) for x in across for y in down]


def near(one: QColor, other: QColor) -> bool:
    pairs = ((one.red(), other.red()), (one.green(), other.green()), (one.blue(), other.blue()))
    return all(abs(a - b) <= 3 for a, b in pairs)


def mark_on_paper() -> QColor:
    """White paper under the mark, as multiplied."""
    ink = theme.current().colour("highlight")
    return QColor(*(round(255 - MARK_OPACITY * (255 - part)) for part in (ink.red(), ink.green(), ink.blue())))


def is_bare(image: QImage) -> bool:
    """Whether nothing on a page has a colour."""
    colours = (image.pixelColor(x, y) for x in range(0, image.width(), 3) for y in range(0, image.height(), 3))
    return all(colour.saturation() < 20 for colour in colours)


@pytest.mark.parametrize("look", ["light", "dark"])
def test_the_quote_is_lit_where_it_stands_and_nothing_else_is(
    qtbot: QtBot, site: app.Site, view: SourceView, pdf: StoredDocument, look: str
) -> None:
    theme.apply(cast("QApplication", QApplication.instance()), look)
    view.show_quotes([citation(1, passage_of(site, pdf), QUOTE)], 0)
    page = opened(qtbot, view)
    view.pane.zoom(2)
    opened(qtbot, view)
    assert (page.number, view.pane.note) == (1, "")
    boxes, image = view.pane.picture.boxes(), grabbed(view)
    assert boxes
    for box in boxes:
        inside = pixels(image, box)
        assert not any(near(colour, QColor("white")) for colour in inside)
        assert sum(near(colour, mark_on_paper()) for colour in inside) > 0.2 * len(inside)  # the rest is letters
        assert min(colour.lightness() for colour in inside) < 90, "the letters stay dark"
    for box in boxes:  # bare again: the picture without what is in the boxes
        for y in range(max(0, int(box.top()) - 1), min(image.height(), int(box.bottom()) + 2)):
            for x in range(max(0, int(box.left()) - 1), min(image.width(), int(box.right()) + 2)):
                image.setPixelColor(x, y, QColor("white"))
    assert is_bare(image)


def test_the_header_says_whose_words_and_where(
    qtbot: QtBot, site: app.Site, view: SourceView, pdf: StoredDocument
) -> None:
    (recall,) = [d for d in site.library.documents() if d.collection == "Rules"]
    passage = passage_of(site, recall)
    view.show_quotes([citation(1, passage, passage.text[:60]), citation(2, passage_of(site, pdf), QUOTE)], 0)
    opened(qtbot, view)
    words = [child.text() for child in view.findChildren(type(view._title)) if child.isVisible()]  # fmt: skip
    assert "Recalls of drug products" in words
    assert "Lumen's summary of 21 CFR part 7, not its wording (as known November 2026)" in words
    assert passage.section in words
    assert "Quote 1 of 2" in words


def test_a_text_without_pages_shows_the_quote_in_its_text(qtbot: QtBot, site: app.Site, view: SourceView) -> None:
    (recall,) = [d for d in site.library.documents() if d.collection == "Rules"]
    passage = passage_of(site, recall)
    quote = "An effectiveness check confirms that every consignee received the notice within 5 business days."
    view.show_quotes([citation(1, passage, quote)], 0)
    opened(qtbot, view)
    text = view.pane.text
    assert text.isVisible()
    (mark,) = text.extraSelections()
    assert " ".join(mark.cursor.selectedText().replace("\u2029", " ").split()) == quote
    assert mark.format.background().color() == theme.current().colour("highlight")


def test_marks_stand_right_behind_letters_beyond_the_basic_plane(
    qtbot: QtBot, site: app.Site, view: SourceView, tmp_path: Path
) -> None:
    file = tmp_path / "signs.txt"
    file.write_text(
        "\U0001d6fc and \U0001d6fd stand before it. The balance is checked daily by the analyst.\n", encoding="utf-8"
    )
    added(site.library, file)
    document = next(d for d in site.library.documents() if d.name == "signs.txt")
    view.show_quotes([citation(1, passage_of(site, document), "The balance is checked daily by the analyst.")], 0)
    opened(qtbot, view)
    (mark,) = view.pane.text.extraSelections()
    assert mark.cursor.selectedText() == "The balance is checked daily by the analyst."


def test_nothing_is_marked_where_under_half_of_the_quote_is_found(
    qtbot: QtBot, site: app.Site, view: SourceView, pdf: StoredDocument
) -> None:
    foreign = "Each swab is taken from the place that is hardest to clean, after every campaign."
    view.show_quotes([citation(1, passage_of(site, pdf), foreign)], 0)
    page = opened(qtbot, view)
    assert page.located < 0.5
    assert "nothing is marked" in view.pane.note
    assert not view.pane.picture.boxes()
    assert is_bare(grabbed(view))


def test_keys_go_from_quote_to_quote_and_from_page_to_page(
    qtbot: QtBot, site: app.Site, view: SourceView, pdf: StoredDocument
) -> None:
    passage = passage_of(site, pdf)
    second = passage_of(site, pdf, 2)
    view.show_quotes([citation(1, passage, QUOTE), citation(2, second, " ".join(SECOND))], 0)
    view.activateWindow()
    opened(qtbot, view, 1)
    view.pane.picture.parentWidget().parentWidget().setFocus()  # type: ignore[union-attr]
    press(view, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    opened(qtbot, view, 2)
    assert view.chosen == 1
    press(view, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    assert view.chosen == 1, "there is none after the last"
    press(view, Qt.Key.Key_PageUp, Qt.KeyboardModifier.ControlModifier)
    opened(qtbot, view, 1)
    assert not view.pane.picture.boxes(), "the second quote is not on the first page"
    assert view.pane.note == ""
    press(view, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    opened(qtbot, view, 1)
    assert view.chosen == 0
    with qtbot.waitSignal(view.closed):
        press(view.pane, Qt.Key.Key_Escape)


def test_escape_is_the_panels_while_the_focus_is_in_it(
    qtbot: QtBot, site: app.Site, view: SourceView, pdf: StoredDocument
) -> None:
    """A screen around it may have given Escape another meaning, such as stopping an answer."""
    around: list[str] = []
    escape = QShortcut(QKeySequence("Esc"), view)
    escape.activated.connect(lambda: around.append("stop"))
    view.show_quotes([citation(1, passage_of(site, pdf), QUOTE)], 0)
    opened(qtbot, view)
    view.activateWindow()
    view.pane._field.setFocus()
    with qtbot.waitSignal(view.closed):
        press(view.pane._field, Qt.Key.Key_Escape)
    assert around == []


def test_the_page_number_can_be_typed(qtbot: QtBot, site: app.Site, view: SourceView, pdf: StoredDocument) -> None:
    view.show_quotes([citation(1, passage_of(site, pdf), QUOTE)], 0)
    opened(qtbot, view, 1)
    field = view.pane._field
    field.selectAll()
    QTest.keyClicks(field, "2")
    press(field, Qt.Key.Key_Return)
    assert opened(qtbot, view, 2).text.startswith("Samples are kept")
    field.selectAll()
    QTest.keyClicks(field, "9")
    press(field, Qt.Key.Key_Return)
    assert view.pane.number == 2, "there is no page 9"


def test_zooming_draws_anew_at_the_pixels_that_are_seen(
    qtbot: QtBot, site: app.Site, view: SourceView, pdf: StoredDocument
) -> None:
    view.show_quotes([citation(1, passage_of(site, pdf), QUOTE)], 0)
    opened(qtbot, view)
    fitting = view.pane.picture.width()
    view.activateWindow()
    press(view, Qt.Key.Key_Plus, Qt.KeyboardModifier.ControlModifier)
    press(view, Qt.Key.Key_Plus, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: view.pane.shown is not None and view.pane.shown.image.width() > fitting, timeout=WAIT_MS)
    opened(qtbot, view)
    assert view.pane.picture.width() == pytest.approx(fitting * ZOOMS[ZOOMS.index(1.0) + 2], abs=1)
    box = view.pane.picture.boxes()[0]
    assert view.pane.picture.visibleRegion().boundingRect().intersects(box.toRect()), "the quote stays in view"
    press(view, Qt.Key.Key_0, Qt.KeyboardModifier.ControlModifier)
    opened(qtbot, view)
    assert view.pane.picture.width() == fitting
    view.resize(700, 700)
    qtbot.waitUntil(lambda: view.pane.picture.width() > fitting)
    opened(qtbot, view)


def test_the_page_can_be_read_as_text(qtbot: QtBot, site: app.Site, view: SourceView, pdf: StoredDocument) -> None:
    view.show_quotes([citation(1, passage_of(site, pdf), QUOTE)], 0)
    opened(qtbot, view)
    view.pane._as_text.click()
    qtbot.waitUntil(view.pane.text.isVisible, timeout=WAIT_MS)
    assert len(view.pane.text.extraSelections()) == 1
    view.pane._as_text.click()
    qtbot.waitUntil(view.pane.picture.isVisible, timeout=WAIT_MS)


def test_a_document_that_was_removed_is_one_sentence(
    qtbot: QtBot, site: app.Site, view: SourceView, pdf: StoredDocument
) -> None:
    cited = citation(1, passage_of(site, pdf), QUOTE)
    view.show_quotes([cited], 0)
    opened(qtbot, view)
    site.library.remove(pdf.id)
    view.show_quotes([cited], 0)
    qtbot.waitUntil(lambda: "was removed" in view.pane.said, timeout=WAIT_MS)
    assert view.pane.said.count("removed") == 1
    assert view.pane.shown is None


def test_a_page_that_cannot_be_drawn_shows_its_text_and_says_why(
    qtbot: QtBot, site: app.Site, view: SourceView, pdf: StoredDocument
) -> None:
    with site.sources._database._writing() as session:
        from sqlalchemy import text  # noqa: PLC0415 - damage no caller could do

        session.execute(
            text("UPDATE document_file SET content = :c WHERE document_id = :d"), {"c": b"%PDF-1.7 no", "d": pdf.id}
        )
    view.show_quotes([citation(1, passage_of(site, pdf), QUOTE)], 0)
    qtbot.waitUntil(view.pane.text.isVisible, timeout=WAIT_MS)
    assert "(LIB-0" in view.pane.note
    assert len(view.pane.text.extraSelections()) == 1


class Held:
    """The real service, whose pages come when they are let go."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self.asked: list[int] = []
        self.go = threading.Semaphore(0)

    def page(self, document_id: int, number: int, **options: Any) -> PageView:
        self.asked.append(number)
        assert self.go.acquire(timeout=10)
        return self._sources.page(document_id, number, **options)


def test_only_the_newest_page_is_shown_and_what_was_passed_by_is_not_drawn(
    qtbot: QtBot, site: app.Site, tmp_path: Path
) -> None:
    document = stored_pdf(site, tmp_path, pages=9)
    held = Held(site.sources)
    window = SourceView(site)
    qtbot.addWidget(window)
    pages = PageLoader(window, lambda: held)
    seen: list[int] = []
    pages.arrived.connect(lambda fetched: seen.append(fetched.view.number))
    for number in range(1, 10):
        pages.want(Wanted(document.id, number, 200))
    held.go.release(9)
    qtbot.waitUntil(lambda: bool(seen), timeout=WAIT_MS)
    qtbot.wait(50)
    assert seen == [9]
    assert held.asked == [1, 9]
    pages.want(Wanted(document.id, 1, 200))
    assert seen == [9, 1], "it was kept"
    pages.want(Wanted(document.id, 5, 200))
    pages.forget()
    qtbot.waitUntil(lambda: not pages._running, timeout=WAIT_MS)
    assert seen == [9, 1], "nobody waits for it any more"


def test_kept_pages_are_bounded(qtbot: QtBot, site: app.Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "LARGEST_CACHE_BYTES", 1_000_000)
    document = stored_pdf(site, tmp_path, pages=6)
    window = SourceView(site)
    qtbot.addWidget(window)
    pages = PageLoader(window, lambda: site.sources)
    for number in range(1, 7):
        with qtbot.waitSignal(pages.arrived, timeout=WAIT_MS):
            pages.want(Wanted(document.id, number, 400))
        qtbot.waitUntil(lambda: not pages._running, timeout=WAIT_MS)
    assert 0 < pages.kept_bytes <= 1_000_000


def test_the_keys_are_told_and_every_button_has_a_name(view: SourceView) -> None:
    assert {"Alt+Left", "Alt+Right", "Ctrl++", "Ctrl+-", "Ctrl+0", "Esc"} <= {keys for keys, _ in SHORTCUTS}
    assert all(button.accessibleName() for button in view.findChildren(type(view._before)))
