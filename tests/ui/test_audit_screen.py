"""The audit trail's screen over a real site: filters, pages, a comparison, verification, the clock, exports, duties."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QTextEdit, QWidget
from pytestqt.qtbot import QtBot

from lumen_desktop import app
from lumen_desktop.domain.accounts import Actor, Role
from lumen_desktop.domain.audit import Filters, Order, Verdict
from lumen_desktop.services import audit_print
from lumen_desktop.ui import errors
from lumen_desktop.ui.audit import comparison, words
from lumen_desktop.ui.audit.clock import ExplainDialog
from lumen_desktop.ui.audit.events_model import READ_AT_ONCE
from lumen_desktop.ui.audit.exporting import Target
from lumen_desktop.ui.audit.filtering import FilterBar
from lumen_desktop.ui.audit.idle import IdleVerification
from lumen_desktop.ui.audit.screen import AuditScreen
from lumen_desktop.ui.widgets import Banner, column
from tests.conftest import Clock
from tests.rehearsal import RehearsalSite
from tests.services.people import add, signed_in, who
from tests.storage.tampering import without_guards

WAIT_MS = 20_000
ANNA = Actor("anna", "qa_officer")
OLD, NEW = "Cleaning of shared equiment, edition 3", "Cleaning of shared equipment and rooms, edition 4"
LIMIT = "the limit was lowered after an inspection"


def note(site: app.Site, number: int, *, actor: Actor = ANNA, reason: str = "test") -> None:
    """So many events in one step."""
    with site._database.transaction(actor, reason) as transaction:
        for place in range(number):
            transaction.note(
                "tried", "test_piece", place, before={"title": OLD}, after={"title": NEW, "limit": "10 ppm"}
            )


def shown(site: app.Site, qtbot: QtBot, *, width: int = 1200) -> AuditScreen:
    """The screen in a window that has a banner for refusals; its first page and the number of events are read."""
    screen, banner, window = AuditScreen(site), Banner(), QWidget()
    banner.setObjectName(errors.BANNER)
    layout = column()
    layout.addWidget(banner)
    layout.addWidget(screen, 1)
    window.setLayout(layout)
    qtbot.addWidget(window)
    vars(screen)["around"] = window  # which nobody else holds
    window.resize(width, 800)
    window.show()
    read(qtbot, screen, screen.activated)
    window.activateWindow()
    return screen


def read(qtbot: QtBot, screen: AuditScreen, act: Callable[[], object]) -> None:
    """Does something, and waits until the events were read again."""
    screen.events.said.setText("")
    act()
    qtbot.waitUntil(
        lambda: screen.events.said.text() not in {"", "Reading…"} and not screen.events.reading, timeout=WAIT_MS
    )


def refusal(screen: AuditScreen) -> str:
    """What the window's banner says."""
    banner = screen.window().findChild(Banner, errors.BANNER)
    assert banner is not None
    return banner.words


def numbers(screen: AuditScreen) -> list[int]:
    """The events in the table."""
    return [line.seq for line in screen.events.model.lines]


def choose(box: Any, value: str) -> None:
    box.setCurrentIndex(box.findData(value))


def give(bar: FilterBar, **words: str) -> None:
    """Writes into fields, as a person who then presses Enter."""
    for name, text in words.items():
        getattr(bar, name).setText(text)
    bar.read()


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


# --- is it whole? ---


def test_a_whole_trail_is_called_so_with_the_age_of_its_last_anchor(site: app.Site, clock: Clock, qtbot: QtBot) -> None:
    screen = shown(site, qtbot)
    site.audit.anchor("test")
    clock.tick(2 * 3600)
    site.person.unlock()
    screen.verify()
    assert screen.busy
    assert not screen.verify_button.isEnabled()
    assert screen._bar.isVisible()
    qtbot.waitUntil(lambda: not screen.busy, timeout=WAIT_MS)
    total = site.audit.count()
    assert screen.verdict.words.startswith(f"The audit trail is whole: {total} events, head ")
    assert screen.verdict.words.endswith("2 hours ago.")
    assert screen.verify_button.isEnabled()
    assert not screen._bar.isVisible()


def test_of_a_trail_that_was_changed_the_first_bad_event_is_named_and_shown(site: app.Site, qtbot: QtBot) -> None:
    note(site, READ_AT_ONCE)
    site.audit.anchor("test")
    screen = shown(site, qtbot)
    with without_guards(site.place.folder.path, site._database.key) as raw:
        raw.execute(
            "UPDATE audit_event SET body = CAST(replace(CAST(body AS TEXT), 'add', 'ADD') AS BLOB) WHERE seq = 4"
        )
    screen.verify()
    qtbot.waitUntil(lambda: "broken at event 4" in screen.verdict.words, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not screen.busy, timeout=WAIT_MS)
    screen.verdict._action.click()
    qtbot.waitUntil(lambda: "AUD-001" in screen.pane.text.toPlainText(), timeout=WAIT_MS)
    assert screen.pane.title.text() == "Event 4"
    assert "broken" in screen.verdict.words
    screen.events.table.scrollToBottom()  # the page that holds it
    qtbot.waitUntil(lambda: screen.events.said.text().startswith("Further events cannot be shown"), timeout=WAIT_MS)
    assert len(numbers(screen)) == READ_AT_ONCE
    read(qtbot, screen, lambda: screen.events.bar.order.setCurrentIndex(1))
    assert "AUD-001" in screen.events.said.text()
    assert numbers(screen) == []


def test_a_site_that_can_only_be_read_says_why_at_once(
    site_folder: Path, rehearsed: type[RehearsalSite], clock: Clock, qtbot: QtBot
) -> None:
    (site_folder / "anchors.jsonl").write_bytes(b"something else\n")
    with signed_in(site_folder) as site:
        screen = shown(site, qtbot)
        assert "broken" in screen.verdict.words


def idle_verification(site: app.Site, busy: list[bool], qtbot: QtBot) -> tuple[IdleVerification, list[Verdict]]:
    """One that waits 10 ms each time, and what it found."""
    window = QWidget()
    found: list[Verdict] = []
    qtbot.addWidget(window)
    watch = IdleVerification(site, lambda: busy.pop(0) if busy else False, window)
    vars(watch)["around"] = window
    watch._waiting.setInterval(10)
    watch.broken.connect(found.append)
    return watch, found


def test_the_trail_is_verified_unasked_once_the_window_is_idle(site: app.Site, qtbot: QtBot) -> None:
    busy = [True, True]
    watch, found = idle_verification(site, busy, qtbot)
    with without_guards(site.place.folder.path, site._database.key) as raw:
        raw.execute("UPDATE audit_event SET previous = zeroblob(32) WHERE seq = 5")
    site.person.lock()
    qtbot.waitUntil(lambda: not busy, timeout=WAIT_MS)
    site.person.unlock()
    qtbot.waitUntil(lambda: bool(found), timeout=WAIT_MS)
    assert found[0].first_bad == 5
    assert not watch._waiting.isActive()
    assert site.audit.find(Filters(act="denied")) == []


def test_of_a_whole_trail_nothing_is_said_unasked(site: app.Site, qtbot: QtBot) -> None:
    watch, found = idle_verification(site, [], qtbot)
    qtbot.waitUntil(lambda: not watch._waiting.isActive() and watch._task is None, timeout=WAIT_MS)
    assert found == []
    watch.leave()


# --- the clock ---


def test_a_clock_that_was_set_back_is_explained(site: app.Site, clock: Clock, qtbot: QtBot) -> None:
    screen = shown(site, qtbot)
    assert not screen.clock.isVisible()
    clock.set(-7200)
    read(qtbot, screen, screen.activated)
    assert "set back: it showed 2026-11-22 07:30:00 UTC" in screen.clock.words
    screen.clock._action.click()
    dialog = screen.findChild(ExplainDialog)
    assert dialog is not None
    save = dialog.buttons.buttons()[0]
    dialog.reason.setPlainText("update")
    save.click()
    qtbot.waitUntil(lambda: "AUD-011" in dialog.problem.text(), timeout=WAIT_MS)
    dialog.reason.setPlainText("The battery of the mainboard was replaced.")
    read(qtbot, screen, save.click)
    qtbot.waitUntil(lambda: not screen.busy)
    assert site.audit.clock_trouble() is None
    assert not screen.clock.isVisible()
    assert site.audit.find(Filters(act="clock explained"))[0]["actor"] == "holder"


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


# --- duties ---


def test_who_sees_their_own_events_only_is_told_so_and_may_not_export(
    site_folder: Path, rehearsed: type[RehearsalSite], clock: Clock, qtbot: QtBot
) -> None:
    add(site_folder, "clinician", frozenset({Role.CLINICIAN}))
    with signed_in(site_folder, who("clinician")) as site:
        clock.set(-7200)
        screen = shown(site, qtbot)
        assert screen.own.text() == "You see your own events only; QA officers, QA approvers and admins see all."
        assert {line.cells[2] for line in screen.events.model.lines} == {"clinician"}
        assert not screen.events.bar.who.isVisible()
        assert not screen.export_button.isEnabled()
        assert screen.export_button.toolTip() == "Only QA officers, QA approvers and admins may export the trail"
        assert screen.clock.words.endswith("Only admins may explain it.")
        assert not screen.clock._action.isVisible()
        screen.show_event(1)
        qtbot.waitUntil(lambda: "ACC-002" in screen.pane.text.toPlainText(), timeout=WAIT_MS)


def test_closing_the_screen_leaves_reading_and_verifying_alone(site: app.Site, qtbot: QtBot) -> None:
    screen = shown(site, qtbot)
    screen.verify()
    screen.events.load()
    screen.stop()
    assert not screen.busy
    qtbot.waitUntil(lambda: not screen.events.reading, timeout=WAIT_MS)
    assert screen.verdict.words == ""


def test_while_lumen_is_locked_nothing_is_read_and_no_denial_is_left(site: app.Site, qtbot: QtBot) -> None:
    screen, total = shown(site, qtbot), site.audit.count()
    site.person.lock()
    with qtbot.waitSignal(screen.looked, timeout=WAIT_MS):
        screen.activated()
    assert not screen.events.reading
    site.person.unlock()
    assert site.audit.count() == total
