"""The list of conversations: found, named, pinned, deleted with a way back, and no slower with a thousand."""

import time

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from lumen_desktop import app
from lumen_desktop.domain.accounts import PROGRAM
from lumen_desktop.engine.fake import Behaviour
from tests.conftest import Clock
from tests.rehearsal import RehearsalSite
from tests.services.conftest import DOSE_QUESTION, RECALL_QUESTION
from tests.ui.chat.conftest import Asked


@pytest.fixture
def two(asked: Asked, clock: Clock) -> Asked:
    """Two conversations; the second is shown."""
    asked.ask(RECALL_QUESTION)
    clock.tick(60)
    asked.screen.begin()
    asked.ask(DOSE_QUESTION)
    return asked


def test_the_one_used_last_stands_first_and_is_the_one_shown(two: Asked) -> None:
    assert two.titles == [DOSE_QUESTION, RECALL_QUESTION]
    assert two.screen.conversations.view.currentIndex().row() == 0
    index = two.screen.conversations.model.index(0)
    assert index.data(Qt.ItemDataRole.AccessibleTextRole).endswith("1 question")


def test_choosing_one_by_key_shows_it(two: Asked) -> None:
    view = two.screen.conversations.view
    two.key(view, Qt.Key.Key_Down)
    two.settle()
    assert [each.exchange.question for each in two.views] == [RECALL_QUESTION]


def test_search_finds_words_of_answers(two: Asked) -> None:
    two.key(two.screen.composer.field, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(two.screen.conversations.search, "CONSIGNEE")
    two.until(lambda: two.titles == [RECALL_QUESTION])
    QTest.keyClicks(two.screen.conversations.search, " nowhere")
    two.until(lambda: two.titles == [])
    assert not two.screen.conversations.nothing.isHidden()
    two.screen.conversations.search.clear()
    two.until(lambda: len(two.titles) == 2)


def test_rename_with_f2_and_the_name_is_kept(two: Asked) -> None:
    two.key(two.screen.conversations.view, Qt.Key.Key_F2)
    editor = two.screen.conversations.view.findChild(QLineEdit)
    assert editor is not None
    assert editor.accessibleName() == "New title of the conversation"
    editor.setText("Dose of zelboraxib")
    two.key(editor, Qt.Key.Key_Return)
    two.until(lambda: two.titles[0] == "Dose of zelboraxib")
    two.settle()
    assert two.site.conversations.list()[0].title == "Dose of zelboraxib"


def test_a_name_that_is_too_long_is_refused_in_words(two: Asked) -> None:
    model = two.screen.conversations.model
    model.setData(model.index(0), "a" * 201)
    two.until(lambda: "CHT-003" in two.refusals.words)
    assert two.titles[0] == DOSE_QUESTION


def test_a_pinned_one_stands_first(two: Asked) -> None:
    two.screen.conversations.view.setCurrentIndex(two.screen.conversations.model.index(1))
    two.settle()
    two.screen.conversations.pin_button.click()
    two.until(lambda: two.titles == [RECALL_QUESTION, DOSE_QUESTION])
    assert two.screen.conversations.pin_button.accessibleName() == "Unpin"
    two.screen.conversations.pin_button.click()
    two.until(lambda: two.titles == [DOSE_QUESTION, RECALL_QUESTION])


def test_deleting_can_be_undone(two: Asked) -> None:
    two.key(two.screen.conversations.view, Qt.Key.Key_Delete)
    two.settle()
    assert two.titles == [RECALL_QUESTION]
    assert not two.views
    assert "Deleted" in two.screen.conversations.banner.words
    two.screen.conversations.banner._action.click()
    two.settle()
    assert two.titles == [DOSE_QUESTION, RECALL_QUESTION]
    assert two.last.exchange.question == DOSE_QUESTION
    assert not two.site.conversations.list(deleted=True)


def test_the_one_being_answered_is_not_deleted(rehearsed: type[RehearsalSite], two: Asked) -> None:
    rehearsed.chat_behaviour = Behaviour(pace_s=0.05)
    two.begin(DOSE_QUESTION, prose=True)
    two.until(lambda: two.last.cards)
    two.key(two.screen.conversations.view, Qt.Key.Key_Delete)
    assert "Stop it first" in two.screen.banner.words
    two.screen.stop()
    two.settle()
    assert len(two.titles) == 2


def test_a_draft_stays_with_its_conversation(two: Asked) -> None:
    composer, first = two.screen.composer, two.screen.conversations.model.rows[0].id
    seen: list[str] = []
    for leave in (two.screen.begin, lambda: two.screen.open(first), two.screen.begin):
        composer.write(composer.text or f"half a question {len(seen)}")
        leave()
        seen.append(composer.text)
    two.settle()
    assert seen == ["", "half a question 0", "half a question 1"]


@pytest.mark.alone
def test_a_thousand_are_listed_as_they_are_scrolled_to(site: app.Site, qtbot: QtBot) -> None:
    with site._database.transaction(PROGRAM, "stock a test") as transaction:
        from lumen_desktop.storage import chat as stored  # noqa: PLC0415 - stocks the store a thousand times faster

        for number in range(1000):
            now, owner = site._database.clock(), site.person.user_id
            stored.start(transaction, f"Question {number}?", conversation_id=None, now=now, owner_id=owner)
    began = time.monotonic()
    asked = Asked(site, qtbot)
    took_s = time.monotonic() - began
    model, view = asked.screen.conversations.model, asked.screen.conversations.view
    assert len(asked.titles) == 200
    while model.canFetchMore(QModelIndex()):
        view.scrollToBottom()
        QApplication.processEvents()
        asked.settle()
    assert len(set(asked.titles)) == 1000
    view.setCurrentIndex(model.index(999))
    QApplication.processEvents()
    asked.settle()
    assert asked.last.exchange.question == "Question 0?"
    assert took_s < 3
    asked.close()
