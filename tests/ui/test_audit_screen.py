"""The audit trail's screen over a real site: filters, pages, a comparison, exports."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QTextEdit
from pytestqt.qtbot import QtBot

from lumen_desktop import app
from lumen_desktop.domain.audit import Filters, Order
from lumen_desktop.services import audit_print
from lumen_desktop.ui.audit import comparison, words
from lumen_desktop.ui.audit.events_model import READ_AT_ONCE
from lumen_desktop.ui.audit.exporting import Target
from lumen_desktop.ui.audit.screen import AuditScreen
from tests.conftest import Clock
from tests.ui.audit_parts import LIMIT, NEW, OLD, WAIT_MS, choose, give, note, numbers, read, refusal, shown

# --- choosing events ---


def test_the_newest_events_come_first_with_their_number(site: app.Site, qtbot: QtBot) -> None:
    screen = shown(site, qtbot)
    total = site.audit.count()
    assert numbers(screen) == list(range(total, 0, -1))
    assert screen.events.said.text() == f"{total} events"
    first = screen.events.model.lines[-1].cells
    assert first[1:3] == ("2026-11-22 09:30:00", "Lumen")
    said = screen.events.model.data(screen.events.model.index(0, 0), Qt.ItemDataRole.AccessibleTextRole)
    assert said.startswith(f"Event {total}, 2026-11-22 09:30:00: holder signed in user 1")


def test_filters_choose_and_are_counted(site: app.Site, qtbot: QtBot) -> None:
    note(site, 3)
    note(site, 2, reason=LIMIT)
    total = site.audit.count()
    screen = shown(site, qtbot)
    bar = screen.events.bar
    read(qtbot, screen, lambda: choose(bar.who, "anna"))
    assert screen.events.said.text() == f"5 of {total} events"
    assert bar.more.text() == "Filters (1)"
    read(qtbot, screen, lambda: QTest.keyClicks(bar.words, "LOWERED"))
    assert numbers(screen) == [total, total - 1]
    read(qtbot, screen, lambda: give(bar, number="1"))
    assert numbers(screen) == [total]
    read(qtbot, screen, lambda: choose(bar.what, "signed in"))
    assert screen.events.said.text() == f"None of {total} events fits."
    read(qtbot, screen, bar.clear)
    assert bar.filters == Filters()
    assert not bar.clear_button.isVisible()
    assert len(numbers(screen)) == total
    read(qtbot, screen, lambda: choose(bar.kind, "test_piece"))
    assert bar.kind.currentText() == "test piece"
    assert len(numbers(screen)) == 5


def test_days_are_whole_and_what_is_no_time_is_said(site: app.Site, clock: Clock, qtbot: QtBot) -> None:
    screen = shown(site, qtbot)
    bar, total = screen.events.bar, site.audit.count()
    clock.tick(24 * 3600)
    site.person.unlock()
    note(site, 1)
    read(qtbot, screen, lambda: give(bar, until="2026-11-22"))
    assert screen.events.said.text() == f"{total} of {total + 1} events"
    read(qtbot, screen, lambda: give(bar, since="2026-11-22 09:31", until=""))
    assert numbers(screen) == [total + 1]
    asked = bar.filters
    for never in ("yesterday", "2026-13-01", "9999-12-31"):
        give(bar, until=never)
        assert bar.problem.isVisible()
    assert bar.filters == asked
    bar.until.clear()
    assert not bar.problem.isVisible()


def test_a_filter_given_while_another_is_read_is_read_next_and_last(site: app.Site, qtbot: QtBot) -> None:
    note(site, 2, reason=LIMIT)
    screen = shown(site, qtbot)
    bar = screen.events.bar

    def several() -> None:
        for text in ("low", "lowered", "inspection"):
            give(bar, words=text)

    read(qtbot, screen, several)
    assert bar.filters.words == "inspection"
    assert len(numbers(screen)) == 2


def test_pages_are_read_as_one_scrolls_and_none_twice(site: app.Site, qtbot: QtBot) -> None:
    note(site, 2 * READ_AT_ONCE)
    screen = shown(site, qtbot)
    model, table = screen.events.model, screen.events.table
    assert model.rowCount() == READ_AT_ONCE
    note(site, 3)  # pushes three that were read to the next page
    table.scrollToBottom()
    qtbot.waitUntil(lambda: model.rowCount() > READ_AT_ONCE, timeout=WAIT_MS)
    assert len(set(numbers(screen))) == model.rowCount()

    def on() -> bool:
        table.verticalScrollBar().setValue(table.verticalScrollBar().maximum())
        return not model.canFetchMore()

    qtbot.waitUntil(on, timeout=WAIT_MS)
    assert numbers(screen) == list(range(site.audit.count() - 3, 0, -1))
    held = table.verticalScrollBar().value()
    read(qtbot, screen, screen.activated)  # new events came: from the top
    assert numbers(screen)[0] == site.audit.count()
    assert held > 0


def test_who_comes_back_finds_their_place(site: app.Site, qtbot: QtBot) -> None:
    note(site, 60)
    screen = shown(site, qtbot)
    screen.events.choose(7)
    place = screen.events.table.verticalScrollBar().value()
    assert place > 0
    read(qtbot, screen, screen.activated)
    assert screen.events.table.verticalScrollBar().value() == place


def test_headings_and_the_box_sort(site: app.Site, qtbot: QtBot) -> None:
    note(site, 2)
    screen = shown(site, qtbot)
    header, bar = screen.events.table.horizontalHeader(), screen.events.bar
    read(qtbot, screen, lambda: header.sectionClicked.emit(0))
    assert bar.order.currentText() == "Oldest first"
    assert numbers(screen)[0] == 1
    read(qtbot, screen, lambda: header.sectionClicked.emit(2))
    assert bar.sorted_by == (Order.ACTOR, False)
    assert screen.events.model.lines[0].cells[2] == "Lumen"
    assert header.sortIndicatorSection() == 2
    header.sectionClicked.emit(4)  # by what cannot be sorted
    assert header.sortIndicatorSection() == 2
    read(qtbot, screen, lambda: bar.order.setCurrentIndex(2))
    assert (header.sortIndicatorSection(), header.sortIndicatorOrder()) == (1, Qt.SortOrder.DescendingOrder)


# --- one event ---


def test_an_event_says_everything_and_marks_the_words_that_changed(site: app.Site, qtbot: QtBot) -> None:
    note(site, 1, reason=LIMIT)
    screen, total = shown(site, qtbot), site.audit.count()
    QTest.keyClick(screen.events.table, Qt.Key.Key_Return)
    text = screen.pane.text
    qtbot.waitUntil(lambda: LIMIT in text.toPlainText())
    event = site.audit.event(total).fields
    said = text.toPlainText()
    assert screen.pane.title.text() == f"Event {total}"
    for part in ("2026-11-22 09:30:00 UTC", "anna, as QA officer", "tried", "test piece 0", event["hash"],
                 event["previous"], event["app"], "title  changed", f"Before: {OLD}", f"After: {NEW}",
                 "limit  added", "After: 10 ppm"):  # fmt: skip
        assert part in said
    assert struck(text) == ["equiment", "3"]
    assert underlined(text) == ["equipment and rooms", "4"]
    QTest.keyClick(text, Qt.Key.Key_Escape)
    assert not screen.pane.isVisible()


def struck(text: QTextEdit) -> list[str]:
    return _looking(text, lambda look: look.fontStrikeOut())


def underlined(text: QTextEdit) -> list[str]:
    return _looking(text, lambda look: look.fontUnderline())


def _looking(text: QTextEdit, looks: Callable[[Any], bool]) -> list[str]:
    found: list[str] = []
    block = text.document().begin()
    while block.isValid():
        pieces = [piece.fragment() for piece in cast("Any", block.begin())]
        found += [piece.text() for piece in pieces if looks(piece.charFormat())]
        block = block.next()
    return found


def test_the_list_is_followed_where_there_is_room_and_an_event_stands_alone_elsewhere(
    site: app.Site, qtbot: QtBot
) -> None:
    note(site, 3)
    screen = shown(site, qtbot)
    screen.events.choose(2)
    assert screen.pane.isVisible()
    qtbot.waitUntil(lambda: "Before" in screen.pane.text.toPlainText() or bool(screen.pane.text.toPlainText()))
    screen.events.choose(3)
    assert screen.pane.seq == 3
    assert screen._lists.isVisible()
    screen.window().resize(600, 800)
    qtbot.waitUntil(lambda: not screen._lists.isVisible())
    screen.pane.closed.emit()
    assert screen._lists.isVisible()
    screen.events.choose(4)
    assert not screen.pane.isVisible()
    QTest.keyClick(screen.events.table, Qt.Key.Key_Return)
    assert screen.pane.isVisible()
    assert screen.pane.seq == 4


def test_values_are_compared_word_by_word() -> None:
    before, after = comparison.compared("limit 5 ppm", "limit 10 ppm")
    assert [(part.text, part.changed) for part in before] == [("limit ", False), ("5", True), (" ppm", False)]
    assert [(part.text, part.changed) for part in after] == [("limit ", False), ("10", True), (" ppm", False)]
    long = "word " * 4000
    assert comparison.compared(long, long + "more") == (
        [comparison.Part(long, changed=True)], [comparison.Part(long + "more", changed=True)],
    )  # fmt: skip
    for value, said in ((None, "nothing"), (True, "yes"), (7, "7"), (["ä"], '["ä"]'), ("<b>", "<b>")):
        assert comparison.said(value) == said


def test_what_is_no_time_is_shown_as_it_stands() -> None:
    assert words.in_utc({"time_utc": "some day"}) == "some day"
    assert words.at_the_time({"time_utc": "2026-11-22T09:30:00+00:00", "utc_offset_minutes": 330}) == (
        "2026-11-22 15:00:00 UTC+05:30"
    )
    assert words.at_the_time({"time_utc": "some day", "utc_offset_minutes": 0}) == "not told"


# --- handing on ---


def chosen(monkeypatch: pytest.MonkeyPatch, path: Path | str, kind: str = "") -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), kind))


def exported(qtbot: QtBot, screen: AuditScreen) -> None:
    screen.export()
    qtbot.waitUntil(lambda: not screen.busy and not screen.events.reading, timeout=WAIT_MS)


@pytest.mark.parametrize("kind", ["csv", "json", "pdf"])
def test_what_the_filters_choose_is_written_with_its_digest(
    site: app.Site, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    note(site, 4)
    screen, path = shown(site, qtbot), tmp_path / f"trail.{kind}"
    read(qtbot, screen, lambda: choose(screen.events.bar.who, "anna"))
    chosen(monkeypatch, path)
    exported(qtbot, screen)
    assert f"4 events written to {path}." in screen.written.words.text()
    assert screen.written.digest.toPlainText() == hashlib.sha256(path.read_bytes()).hexdigest()
    if kind == "json":
        assert len(json.loads(path.read_text(encoding="utf-8"))["events"]) == 4
    assert site.audit.newest(1)[0]["act"] == "exported"


def test_refusals_of_an_export_are_told(
    site: app.Site, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = shown(site, qtbot)
    chosen(monkeypatch, "")
    screen.export()
    assert not screen.busy
    (tmp_path / "trail.json").write_text("kept", encoding="utf-8")
    chosen(monkeypatch, tmp_path / "trail", "JSON, for others to check (*.json)")  # the dialog asked about another name
    exported(qtbot, screen)
    assert "AUD-014" in refusal(screen)
    assert (tmp_path / "trail.json").read_text(encoding="utf-8") == "kept"
    monkeypatch.setattr(audit_print, "MOST_EVENTS", 3)
    chosen(monkeypatch, tmp_path / "trail.pdf")
    exported(qtbot, screen)
    assert "AUD-018" in refusal(screen)
    assert screen.written.isHidden()
    assert screen.export_button.isEnabled()
    chosen(monkeypatch, tmp_path / "trail.json")
    exported(qtbot, screen)
    assert refusal(screen) == ""
    assert not screen.written.isHidden()


def test_a_name_without_a_format_gets_the_one_that_was_chosen() -> None:
    for named, kind, name, replace in (
        ("trail.csv", "PDF, to read and to print (*.pdf)", "trail.csv", True),
        ("trail.2026", "PDF, to read and to print (*.pdf)", "trail.2026.pdf", False),
        ("trail", "", "trail.csv", False),
    ):
        target = Target(named, kind)
        assert (target.path.name, target.replace) == (name, replace)
        assert target.path.suffix == f".{target.kind}"
