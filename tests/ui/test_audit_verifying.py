"""The audit trail's screen: is the trail whole, who is told unasked, the clock, and what a person may not do."""

from pathlib import Path

from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from lumen_desktop import app
from lumen_desktop.domain.accounts import Role
from lumen_desktop.domain.audit import Filters, Verdict
from lumen_desktop.ui.audit.clock import ExplainDialog
from lumen_desktop.ui.audit.events_model import READ_AT_ONCE
from lumen_desktop.ui.audit.idle import IdleVerification
from tests.conftest import Clock
from tests.rehearsal import RehearsalSite
from tests.services.people import add, signed_in, who
from tests.storage.tampering import without_guards
from tests.ui.audit_parts import WAIT_MS, note, numbers, read, shown

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
