"""People at one window: signing in, a password of one's own, locks, changing places, the end of a passphrase."""

from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from lumen_desktop import app
from lumen_desktop.domain.accounts import Profile, Role
from lumen_desktop.services.accounts import NewPerson
from lumen_desktop.storage.folder import DataFolder
from lumen_desktop.ui.application import Shell
from lumen_desktop.ui.founding import RecoveryPage, TakeOverPage
from lumen_desktop.ui.sign_in import ChoosePasswordPage, LockedPage, SignInPage
from lumen_desktop.ui.widgets import EmptyState
from tests.conftest import HOLDER, PASSWORD, Clock, found_site
from tests.rehearsal import RehearsalSite
from tests.services.test_founding import PASSPHRASE, former_site
from tests.ui.shells import WAIT_MS, Begin, fill, opened, page, sign_in, type_in

pytestmark = pytest.mark.usefixtures("clock")
GIVEN, CHOSEN = "seven small stones in a pond", "nine tall trees by a river"


@pytest.fixture
def two_people(site_folder: Path, rehearsed: type[RehearsalSite], clock: Clock) -> Path:
    """The stocked site with a second person, whose password was given to them."""
    place = app.SitePlace(DataFolder(site_folder), demonstration=False)
    with app.opened(place, HOLDER, purpose="tests", writable=True) as site:
        site.people.add(NewPerson("ben", "Ben Example", frozenset({Role.CLINICIAN})), GIVEN)
        list(site.chat.ask("Within how many business days does an effectiveness check confirm the notice of a recall?"))
    return site_folder


def locked(shell: Shell, qtbot: QtBot) -> LockedPage:
    qtbot.waitUntil(lambda: shell.guard._page is not None, timeout=WAIT_MS)
    shown = shell.guard._page
    assert shown is not None
    assert shown.isVisible()
    assert not shell.window.stack.isVisible()
    assert not shell.window.navigation.isVisible()
    return shown


def _says(shown: QWidget | None, words: str) -> bool:
    return isinstance(shown, SignInPage | ChoosePasswordPage) and words in shown.problem.text()


def test_who_was_given_a_password_chooses_one_before_anything_else(
    begin: Begin, qtbot: QtBot, two_people: Path
) -> None:
    shell = begin(two_people)
    sign_in(shell, qtbot, GIVEN, "ben")
    choose = page(shell, ChoosePasswordPage, qtbot)
    assert isinstance(choose, ChoosePasswordPage)
    for old, new, again, said in ((GIVEN, CHOSEN, CHOSEN + "!", "differ"), (GIVEN, "short", "short", "too short"),
                                  ("wrong", CHOSEN, CHOSEN, "Caps Lock")):  # fmt: skip
        choose.old.setText(old)
        choose.new.setText(new)
        type_in(choose.repeated, again)
        qtbot.waitUntil(partial(_says, choose, said), timeout=WAIT_MS)
    choose.old.setText(GIVEN)
    choose.new.setText(CHOSEN)
    type_in(choose.repeated, CHOSEN)
    assert not opened(shell, qtbot).people.me().must_choose_password


def test_people_change_places_and_see_their_own_conversations_only(
    begin: Begin, qtbot: QtBot, two_people: Path
) -> None:
    shell = begin(two_people)
    sign_in(shell, qtbot)
    assert len(opened(shell, qtbot).conversations.list()) == 1
    assert shell.window.navigation._person.text() == HOLDER.user
    shell.window.navigation.sign_out_wanted.emit()
    sign_in(shell, qtbot, "not it", "ben")
    shown = page(shell, SignInPage, qtbot)
    assert isinstance(shown, SignInPage)
    qtbot.waitUntil(lambda: _says(shell.window.stack.currentWidget(), "Caps Lock"), timeout=WAIT_MS)
    sign_in(shell, qtbot, GIVEN, "ben")
    choose = page(shell, ChoosePasswordPage, qtbot)
    assert isinstance(choose, ChoosePasswordPage)
    for field, words in ((choose.old, GIVEN), (choose.new, CHOSEN), (choose.repeated, CHOSEN)):
        field.setText(words)
    QTest.keyClick(choose.repeated, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: shell.window.navigation._person.text() == "ben", timeout=WAIT_MS)
    assert opened(shell, qtbot).conversations.list() == []


def test_who_may_not_ask_is_told_who_may_and_nothing_is_denied(
    begin: Begin, qtbot: QtBot, tmp_path: Path, rehearsed: type[RehearsalSite], clock: Clock
) -> None:
    found_site(tmp_path / "gmp", Profile.GMP)
    shell = begin(tmp_path / "gmp")
    sign_in(shell, qtbot)
    shown = page(shell, EmptyState, qtbot)
    words = " ".join(label.text() for label in shown.findChildren(QLabel))
    assert "Only a clinician, QA officer or QA approver may ask." in words
    assert "Your duties at this site: admin." in words
    assert shell.session.site is not None
    assert [event for event in shell.session.site.audit.newest(None) if event["act"] == "denied"] == []


def test_nobody_there_for_ten_minutes_locks_and_the_password_brings_everything_back(
    begin: Begin, qtbot: QtBot, two_people: Path, clock: Clock
) -> None:
    shell = begin(two_people)
    sign_in(shell, qtbot)
    site = opened(shell, qtbot)
    screen = shell.window.stack.currentWidget()
    clock.tick(590)
    QTest.keyClick(shell.window.windowHandle(), Qt.Key.Key_Shift)  # somebody is there
    clock.tick(590)
    shell.guard.look()
    assert shell.guard._page is None
    clock.tick(10)
    shown = locked(shell, qtbot)
    type_in(shown.password, "not it")
    qtbot.waitUntil(lambda: "Caps Lock" in shown.problem.text(), timeout=WAIT_MS)
    type_in(shown.password, PASSWORD)
    qtbot.waitUntil(lambda: shell.guard._page is None, timeout=WAIT_MS)
    assert shell.window.stack.currentWidget() is screen
    assert screen is not None
    assert screen.isVisible()
    assert shell.session.site is site
    assert [event["act"] for event in site.audit.newest(1)] == ["came back"]


def test_keys_lock_at_once_and_somebody_else_can_take_over(begin: Begin, qtbot: QtBot, two_people: Path) -> None:
    shell = begin(two_people)
    sign_in(shell, qtbot)
    opened(shell, qtbot)
    QTest.keyClick(shell.window, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    shown = locked(shell, qtbot)
    shown.other_wanted.emit()
    sign_in(shell, qtbot)
    opened(shell, qtbot)
    assert shell.window.navigation.isVisible()


def test_a_site_with_a_passphrase_asks_for_it_once_more_and_for_its_first_person(
    begin: Begin, qtbot: QtBot, tmp_path: Path
) -> None:
    folder = former_site(tmp_path / "former")
    shell = begin(folder)
    for passphrase, said in (("not the passphrase of it", "passphrase is not right"), (PASSPHRASE, "")):
        shown = page(shell, TakeOverPage, qtbot)
        assert isinstance(shown, TakeOverPage)
        shown.passphrase.setText(passphrase)
        fill(shown.form)
        shown.form.make.click()
        if said:
            qtbot.waitUntil(lambda: _told(shell) != "", timeout=WAIT_MS)
            assert said in _told(shell)
    code = page(shell, RecoveryPage, qtbot)
    assert isinstance(code, RecoveryPage)
    code.kept.click()
    code.go_on.click()
    assert opened(shell, qtbot).people.me().name == HOLDER.user


def _told(shell: Shell) -> str:
    shown = shell.window.stack.currentWidget()
    return shown.form.problem.text() if isinstance(shown, TakeOverPage) else ""


def test_a_changed_trail_opens_to_be_read_and_says_so(begin: Begin, qtbot: QtBot, two_people: Path) -> None:
    anchors = two_people / "anchors.jsonl"
    first, *others = anchors.read_bytes().splitlines(keepends=True)
    anchors.write_bytes(first + first + b"".join(others))
    shell = begin(two_people)
    sign_in(shell, qtbot)
    site = opened(shell, qtbot)
    assert site.trouble is not None
    assert not site.writable
    assert "AUD-002" in shell.window.banner.words
    assert site.library.documents()
