"""The screen of people in its window: refusals stay in their form, a lock takes forms away, work is waited for."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from lumen_desktop import app
from lumen_desktop.errors import InputError
from lumen_desktop.ui import errors
from lumen_desktop.ui.guard import Guard
from lumen_desktop.ui.main_window import MainWindow
from lumen_desktop.ui.people.screen import PeopleScreen
from lumen_desktop.ui.people.sheet import Handed, Sheet, hand_over_password
from lumen_desktop.ui.remembered import Remembered
from lumen_desktop.ui.widgets import Unbroken
from tests.conftest import PASSWORD
from tests.ui.test_main_window import unnamed


@pytest.fixture
def window(site: app.Site, qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    made = MainWindow(Remembered(tmp_path / "window.json"))
    made.leaving.connect(made.left)
    with qtbot.waitExposed(made):
        made.show()
    made.enter(site)
    made.show_screen("people")
    qtbot.waitUntil(lambda: made.status.state == "ready", timeout=20_000)
    yield made
    made.close()
    qtbot.waitUntil(made.isHidden, timeout=6000)
    made.deleteLater()


def people(window: MainWindow, tab: int, qtbot: QtBot) -> PeopleScreen:
    screen = window.stack.currentWidget()
    assert isinstance(screen, PeopleScreen)
    screen.tabs.setCurrentIndex(tab)
    qtbot.waitUntil(lambda: not any(part.reading for part in screen.parts))
    return screen


def test_a_refusal_stands_in_the_form_and_the_windows_own_in_the_window(window: MainWindow, qtbot: QtBot) -> None:
    screen = people(window, 1, qtbot)
    screen.everybody.add.click()
    (form,) = screen.findChildren(Sheet)
    errors.show(screen, InputError("Of the window.", code="ASK-001", hint="Ask."))
    assert window.banner.words == "Of the window. Ask. (ASK-001)"
    assert form.banner.words == ""
    errors.show(form, InputError("Of the form.", code="ACC-030", hint="Mend."))
    assert form.banner.words == "Of the form. Mend. (ACC-030)"
    assert "window" in window.banner.words
    form.reject()


def test_a_lock_takes_away_what_is_shown_once(
    window: MainWindow, site: app.Site, qapp: QApplication, qtbot: QtBot
) -> None:
    screen = people(window, 1, qtbot)
    guard = Guard(qapp, window)
    guard.watch(site)
    sheet = hand_over_password(screen.everybody, "cora", "some words of a password")
    (shown,) = sheet.findChildren(Unbroken)
    window.lock_wanted.emit()
    assert not any(it.isVisible() for it in screen.findChildren(Handed))
    assert shown.toPlainText() == ""
    page = guard._page
    assert page is not None
    page.given.emit(PASSWORD)
    qtbot.waitUntil(lambda: guard._page is None, timeout=10_000)
    guard.leave()


def test_keys_filter_and_add_and_read_again(window: MainWindow, qtbot: QtBot) -> None:
    screen = people(window, 1, qtbot)
    window.activateWindow()
    QTest.keyClick(window, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert window.focusWidget() is screen.everybody.filter
    before = screen.everybody.viewer
    QTest.keyClick(window, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: screen.everybody.viewer is not before)
    QTest.keyClick(window, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: bool(screen.findChildren(Sheet)))  # a button that keys press takes a moment
    (form,) = screen.findChildren(Sheet)
    assert form.isVisible()
    form.reject()


def test_all_that_can_be_operated_in_a_dialog_has_a_name(window: MainWindow, qtbot: QtBot) -> None:
    screen = people(window, 3, qtbot)
    for begin in (
        screen.account.change_password, screen.account.accept_accountability, screen.policy.change_limits,
        screen.policy.become_gmp, screen.policy.make_code, screen.policy.make_key,
    ):  # fmt: skip
        form = begin()
        assert unnamed(form) == []
        form.reject()
    people(window, 1, qtbot).everybody.add.click()
    (sheet,) = [it for it in screen.findChildren(Sheet) if it.isVisible()]
    assert unnamed(sheet) == []
    sheet.reject()
