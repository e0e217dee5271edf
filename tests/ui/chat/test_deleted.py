"""What was deleted: undo over every deletion of the run, and a list that reads and restores; up to 1,000."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QListView, QMenu, QWidget
from pytestqt.qtbot import QtBot

from lumen_desktop import app
from lumen_desktop.domain.accounts import PROGRAM
from lumen_desktop.storage import chat as stored
from lumen_desktop.ui import formatting
from lumen_desktop.ui.chat.deleted import DeletedList
from tests.conftest import Clock
from tests.services.conftest import DOSE_QUESTION, RECALL_QUESTION
from tests.ui.chat.conftest import Asked

CHOCOLATE = "What is chocolate?"
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def three(asked: Asked, clock: Clock) -> Asked:
    """Three conversations, the last one shown."""
    for question in (RECALL_QUESTION, DOSE_QUESTION, CHOCOLATE):
        clock.tick(60)
        asked.screen.begin()
        asked.ask(question)
    return asked


def panel(asked: Asked) -> DeletedList:
    return asked.screen.conversations.deleted_list


def deleted(asked: Asked) -> list[str]:
    return [each.title for each in panel(asked).view.rows.rows]


def focused() -> QWidget:
    widget = QApplication.focusWidget()
    assert widget is not None
    return widget


def delete_all(asked: Asked, clock: Clock) -> None:
    """Deletes one after the other, by keys alone."""
    asked.screen.conversations.view.setFocus()
    while asked.titles:
        clock.tick()
        if asked.screen.conversations.current is None:
            QTest.keyClick(focused(), Qt.Key.Key_Down)
        QTest.keyClick(focused(), Qt.Key.Key_Delete)
        asked.settle()


def open_deleted(asked: Asked) -> None:
    asked.key(asked.screen.conversations.deleted_button, Qt.Key.Key_Space)
    asked.settle()


def choose_first(asked: Asked) -> None:
    QTest.keyClick(focused(), Qt.Key.Key_Down)
    asked.settle()


# --- undo


def test_undo_walks_back_over_every_deletion(three: Asked, clock: Clock) -> None:
    delete_all(three, clock)
    assert focused() is three.screen.conversations.view
    for left in ([RECALL_QUESTION], [DOSE_QUESTION, RECALL_QUESTION], [CHOCOLATE, DOSE_QUESTION, RECALL_QUESTION]):
        QTest.keyClick(focused(), Qt.Key.Key_Z, CONTROL)
        three.settle()
        assert three.titles == left
        assert three.last.exchange.question == left[0]
    assert three.screen.banner.words == f"Restored “{CHOCOLATE}”."
    QTest.keyClick(focused(), Qt.Key.Key_Z, CONTROL)
    three.settle()
    assert len(three.titles) == 3


def test_the_notice_offers_the_deletion_before(three: Asked, clock: Clock) -> None:
    delete_all(three, clock)
    banner = three.screen.banner
    assert banner._action.text() == "Undo"
    banner._action.click()
    three.settle()
    assert banner.words == f"Restored “{RECALL_QUESTION[:60]}…”. Deleted before it: “{DOSE_QUESTION}”."
    assert banner._action.accessibleName() == "Restore that too"
    banner._action.click()
    three.settle()
    assert three.titles == [DOSE_QUESTION, RECALL_QUESTION]


def test_an_undo_that_comes_at_once_takes_back_what_is_being_deleted(three: Asked) -> None:
    view = three.screen.conversations.view
    three.key(view, Qt.Key.Key_Delete)
    QTest.keyClick(view, Qt.Key.Key_Z, CONTROL)
    three.settle()
    three.until(lambda: len(three.titles) == 3)
    assert not three.site.conversations.list(deleted=True)


def test_many_undos_at_once_take_back_as_many(three: Asked, clock: Clock) -> None:
    delete_all(three, clock)
    assert not three.titles
    for _ in range(5):
        QTest.keyClick(focused(), Qt.Key.Key_Z, CONTROL)
    three.until(lambda: len(three.titles) == 3)
    three.settle()
    assert three.titles == [CHOCOLATE, DOSE_QUESTION, RECALL_QUESTION]
    assert not three.site.conversations.list(deleted=True)


def test_in_the_field_undo_takes_back_words_first(three: Asked) -> None:
    field = three.screen.composer.field
    three.screen.conversations.delete_button.click()
    three.settle()
    assert focused() is field
    QTest.keyClicks(field, "word")
    QTest.keyClick(field, Qt.Key.Key_Z, CONTROL)
    three.settle()
    assert three.screen.composer.text == ""
    assert len(three.titles) == 2
    QTest.keyClick(field, Qt.Key.Key_Z, CONTROL)
    three.settle()
    assert len(three.titles) == 3


def test_one_restored_from_the_list_is_not_undone_again(three: Asked, clock: Clock) -> None:
    delete_all(three, clock)
    open_deleted(three)
    choose_first(three)
    QTest.keyClick(focused(), Qt.Key.Key_Return)
    three.settle()
    assert three.titles == [RECALL_QUESTION]
    QTest.keyClick(focused(), Qt.Key.Key_Z, CONTROL)
    three.settle()
    assert three.titles == [DOSE_QUESTION, RECALL_QUESTION]


def test_what_was_erased_meanwhile_is_refused_once(three: Asked, clock: Clock) -> None:
    three.key(three.screen.conversations.view, Qt.Key.Key_Delete)
    three.settle()
    clock.tick()
    assert three.site.conversations.erase_deleted(timedelta(0)) == 1
    three.screen.conversations.undo()
    three.until(lambda: "CHT-001" in three.refusals.words)
    three.refusals.close_message()
    three.screen.conversations.undo()
    three.settle()
    assert not three.refusals.words


# --- the list


def test_without_a_deletion_the_list_says_so_and_escape_leads_back(three: Asked) -> None:
    open_deleted(three)
    assert panel(three).view.nothing.text() == "There is no deleted conversation."
    assert panel(three).view.nothing.isVisible()
    assert not panel(three).restore_button.isEnabled()
    QTest.keyClick(focused(), Qt.Key.Key_Return)
    QTest.keyClick(focused(), Qt.Key.Key_Escape)
    assert focused() is three.screen.conversations.deleted_button
    assert three.last.exchange.question == CHOCOLATE


def test_a_deleted_one_is_told_read_and_not_asked_in(three: Asked, clock: Clock) -> None:
    delete_all(three, clock)
    open_deleted(three)
    assert deleted(three) == [RECALL_QUESTION, DOSE_QUESTION, CHOCOLATE]
    when = formatting.day(clock(), datetime.now(UTC)).lower()
    told = panel(three).view.rows.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert told.lower() == f"{RECALL_QUESTION}, deleted {when} · 1 question".lower()
    choose_first(three)
    screen = three.screen
    assert three.last.exchange.question == RECALL_QUESTION
    assert screen.composer.isHidden()
    assert "restore it to ask in it" in screen.notice.words.text()
    screen.ask_again(three.last.exchange)
    QTest.keyClick(focused(), Qt.Key.Key_R, CONTROL)
    assert not screen.busy
    assert "Restore it to ask" in screen.banner.words
    assert len(three.views) == 1


def test_leaving_the_list_brings_back_what_was_read_and_its_draft(three: Asked, clock: Clock) -> None:
    three.screen.conversations.view.setCurrentIndex(three.screen.conversations.model.index(1))
    three.screen.conversations.delete()
    three.settle()
    three.screen.open(three.screen.conversations.model.rows[1].id)
    three.screen.composer.write("half a question")
    three.settle()
    clock.tick()
    open_deleted(three)
    choose_first(three)
    assert three.last.exchange.question == DOSE_QUESTION
    QTest.keyClick(focused(), Qt.Key.Key_Escape)
    three.settle()
    assert three.last.exchange.question == RECALL_QUESTION
    assert three.screen.composer.text == "half a question"
    assert three.screen.composer.isVisible()


@pytest.mark.parametrize("how", ["enter", "button", "notice"])
def test_a_deleted_one_is_restored_and_asked_in_again(three: Asked, clock: Clock, how: str) -> None:
    delete_all(three, clock)
    open_deleted(three)
    choose_first(three)
    if how == "enter":
        QTest.keyClick(focused(), Qt.Key.Key_Enter)
    elif how == "button":
        panel(three).restore_button.click()
    else:
        three.key(three.screen.notice.restore_button, Qt.Key.Key_Space)
    three.settle()
    assert three.titles == [RECALL_QUESTION]
    assert not three.screen.conversations.shows_deleted
    assert focused() is (three.screen.composer.field if how == "notice" else three.screen.conversations.view)
    three.ask(DOSE_QUESTION)
    assert [each.exchange.question for each in three.views] == [RECALL_QUESTION, DOSE_QUESTION]


@pytest.mark.qt_log_ignore("does not support grabbing the keyboard")  # nor has to, offscreen
def test_the_context_menu_restores(three: Asked, clock: Clock) -> None:
    delete_all(three, clock)
    open_deleted(three)
    choose_first(three)
    panel(three)._show_menu(panel(three).view.rect().center())
    (menu,) = panel(three).findChildren(QMenu)
    (restore,) = menu.actions()
    assert restore.text() == "Restore"
    restore.trigger()
    menu.close()
    three.settle()
    assert three.titles == [RECALL_QUESTION]


def test_a_new_question_leaves_the_list(three: Asked, clock: Clock) -> None:
    delete_all(three, clock)
    open_deleted(three)
    choose_first(three)
    QTest.keyClick(focused(), Qt.Key.Key_N, CONTROL)
    assert not three.screen.conversations.shows_deleted
    assert focused() is three.screen.composer.field
    assert not three.views


def test_deleted_ones_are_searched_with_the_same_key(three: Asked, clock: Clock) -> None:
    delete_all(three, clock)
    open_deleted(three)
    assert deleted(three) == [RECALL_QUESTION, DOSE_QUESTION, CHOCOLATE]
    QTest.keyClick(focused(), Qt.Key.Key_K, CONTROL)
    QTest.keyClicks(focused(), "consignee")
    three.until(lambda: len(deleted(three)) < 3)
    three.settle()
    assert deleted(three) == [RECALL_QUESTION]


def test_all_of_the_list_has_names_and_the_tab_key_goes_through(three: Asked, clock: Clock) -> None:
    delete_all(three, clock)
    open_deleted(three)
    choose_first(three)
    kinds = (QAbstractButton, QLineEdit, QListView)
    operable = [each for each in three.screen.findChildren(QWidget) if isinstance(each, kinds) and each.isVisible()]
    assert not [each for each in operable if not each.accessibleName()]
    panel(three).back_button.setFocus()
    reached = [focused()]
    while focused() is not three.screen.notice.restore_button:
        QTest.keyClick(focused(), Qt.Key.Key_Tab)
        reached.append(focused())
        assert len(reached) < 20
    assert reached[:4] == list(panel(three).operated)


def test_nothing_takes_the_focus_from_the_field_at_the_start(asked: Asked) -> None:
    """A page shown before it had a parent was a window for a moment, and the real one was active no more."""
    assert QApplication.activeWindow() is asked.window
    assert focused() is asked.screen.composer.field


def test_a_list_that_gets_the_focus_opens_nothing(three: Asked) -> None:
    three.screen.begin()
    three.screen.conversations.view.setFocus()
    three.settle()
    assert not three.views
    assert three.screen.conversations.current is None


@pytest.mark.alone
def test_a_thousand_deleted_ones_are_listed_as_they_are_scrolled_to(site: app.Site, qtbot: QtBot) -> None:
    now = site._database.clock()
    with site._database.transaction(PROGRAM, "stock a test") as transaction:
        for number in range(1000):
            when = now + timedelta(seconds=number)
            owner = site.person.user_id
            row = stored.ConversationRow(title=f"Deleted {number}", owner_id=owner, created_utc=now, deleted_utc=when)
            transaction.add(row)
    asked = Asked(site, qtbot)
    assert asked.titles == []
    began = time.monotonic()
    open_deleted(asked)
    took_s = time.monotonic() - began
    assert deleted(asked) == [f"Deleted {number}" for number in range(999, 799, -1)]
    view = panel(asked).view
    while view.rows.canFetchMore(QModelIndex()):
        view.scrollToBottom()
        QApplication.processEvents()
        asked.settle()
    assert len(set(deleted(asked))) == 1000
    view.setCurrentIndex(view.rows.index(999))
    panel(asked).restore()
    asked.settle()
    assert asked.titles == ["Deleted 0"]
    assert took_s < 3
    asked.close()
