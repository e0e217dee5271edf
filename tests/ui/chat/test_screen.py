"""Asking through the window: quotes first, commentary after, and what happens when it goes wrong."""

from functools import partial

import pytest
import shiboken6
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from lumen_desktop import app
from lumen_desktop.domain.chat import Status
from lumen_desktop.engine.fake import Behaviour
from lumen_desktop.services.chat import UNVERIFIED
from lumen_desktop.ui import tasks, theme
from lumen_desktop.ui.chat import AskScreen
from lumen_desktop.ui.chat.commentary import Commentary
from lumen_desktop.ui.chat.thread import Thread
from lumen_desktop.ui.widgets import restyle
from tests.rehearsal import RehearsalSite
from tests.services.conftest import DOSE_QUESTION, RECALL_QUESTION
from tests.ui.chat.conftest import Asked

NOWHERE = "How do I bake sourdough bread with rye flour?"


def words(widget: QWidget) -> str:
    """All that a widget's labels say."""
    return "\n".join(each.text() for each in widget.findChildren(QLabel) if not each.isHidden())


def test_quotes_answer_with_place_badge_and_record(asked: Asked) -> None:
    answer = asked.ask(RECALL_QUESTION)
    assert answer.status is Status.GROUNDED
    card = asked.last.cards[0]
    assert "within 5 business days" in words(card)
    assert "Lumen’s summary" in words(card)
    assert "21 CFR part 7" in words(card)
    assert card.accessibleName().startswith("Quote 1, Lumen’s summary: “")
    shown = words(asked.last)
    assert f"Answer {answer.record_id}" in shown
    assert answer.build_sha256[:12] in shown
    assert asked.last.commentary is None
    assert not asked.screen.busy
    assert not asked.screen.composer.text


def test_a_source_says_that_it_is_one(asked: Asked) -> None:
    asked.ask(DOSE_QUESTION)
    assert "Source" in words(asked.last.cards[0])


def test_searching_is_said_at_once_and_stop_takes_the_place_of_ask(asked: Asked) -> None:
    asked.begin(RECALL_QUESTION)
    assert "Searching" in words(asked.last)
    assert asked.screen.busy
    assert asked.screen.composer.send.isHidden()
    assert not asked.screen.composer.stop.isHidden()
    asked.settle()
    assert not asked.screen.composer.send.isHidden()
    assert "Searching" not in words(asked.last)


def test_nothing_found_is_said_with_what_was_searched(asked: Asked) -> None:
    answer = asked.ask(NOWHERE)
    assert answer.status is Status.NO_EVIDENCE
    assert "Not in your library" in words(asked.last)
    assert "3 documents in all collections" in words(asked.last)
    assert not asked.last.cards


def test_a_misspelt_drug_is_asked_back(asked: Asked) -> None:
    asked.ask("What is the recommended dose of zelboramx once daily?")
    assert "Did you mean zelboramax" in words(asked.last)


def test_commentary_stands_below_the_quotes_and_is_not_verified(asked: Asked) -> None:
    answer = asked.ask(DOSE_QUESTION, prose=True)
    assert answer.commentary
    assert asked.last.commentary is not None
    assert asked.last.commentary.text == answer.commentary
    assert UNVERIFIED in words(asked.last)
    assert not asked.screen.composer.meter.isHidden()
    assert f"of {asked.site.chat.context_tokens} tokens" in asked.screen.composer.meter.accessibleName()
    asked.ask(RECALL_QUESTION)
    assert asked.screen.composer.meter.isHidden()  # no model wrote


def test_what_streams_is_what_is_stored(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn_anew: list[Commentary] = []
    monkeypatch.setattr(Commentary, "_clear", drawn_anew.append)  # called where the end is not what streamed
    answer = asked.ask(DOSE_QUESTION, prose=True)
    assert len(answer.commentary) > 100
    assert not drawn_anew


def test_it_searches_where_it_is_told_to(asked: Asked) -> None:
    box = asked.screen.composer.collections
    assert [box.itemText(n) for n in range(box.count())] == ["All collections", "Documents", "Rules"]
    box.setCurrentText("Documents")
    assert asked.ask(RECALL_QUESTION).status is Status.NO_EVIDENCE
    assert "the collection Documents" in words(asked.last)


def test_a_stop_keeps_and_marks_what_was_shown(rehearsed: type[RehearsalSite], asked: Asked) -> None:
    rehearsed.chat_behaviour = Behaviour(pace_s=0.05)
    asked.begin(DOSE_QUESTION, prose=True)
    asked.until(lambda: asked.views and asked.last.commentary is not None)
    asked.key(asked.screen.composer.field, Qt.Key.Key_Escape)
    asked.settle()
    answer = asked.last.exchange.answer
    assert answer.status is Status.STOPPED
    assert answer.commentary
    assert "Stopped: this answer is incomplete." in words(asked.last)
    assert asked.site.chat.record(answer.record_id) == answer


def test_a_crash_keeps_the_partial_answer_marks_it_and_is_told(rehearsed: type[RehearsalSite], asked: Asked) -> None:
    rehearsed.chat_behaviour = Behaviour(crash_after=60)
    answer = asked.ask(DOSE_QUESTION, prose=True)
    assert answer.status is Status.FAILED
    assert asked.last.cards
    assert "This answer failed" in words(asked.last)
    assert "ENG-" in asked.refusals.words
    rehearsed.chat_behaviour = Behaviour()
    assert asked.ask(RECALL_QUESTION).status is Status.GROUNDED  # the window goes on


def test_ask_again_keeps_both_answers(asked: Asked) -> None:
    asked.screen.composer.collections.setCurrentText("Rules")
    first = asked.ask(RECALL_QUESTION)
    asked.screen.composer.collections.setCurrentText("Documents")  # it is asked again where it was asked
    asked.key(asked.screen.composer.field, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    asked.settle()
    assert [view.exchange.question for view in asked.views] == [RECALL_QUESTION] * 2
    assert asked.last.exchange.answer.conversation_id == first.conversation_id
    assert asked.last.exchange.answer.citations == first.citations
    stored = asked.site.conversations.exchanges(first.conversation_id)
    assert [exchange.collection for exchange in stored] == ["Rules", "Rules"]


@pytest.mark.parametrize(("question", "code"), [("   ", "ASK-001"), ("a" * 4001, "ASK-002")])
def test_a_question_that_cannot_be_asked_is_refused_and_kept(asked: Asked, question: str, code: str) -> None:
    asked.begin(question)
    asked.settle()
    assert code in asked.refusals.words
    assert not asked.views
    assert asked.titles == []
    assert asked.screen.composer.text == question


def test_the_length_is_counted_near_the_limit(asked: Asked) -> None:
    composer = asked.screen.composer
    composer.write("a" * 3000)
    assert composer.count.isHidden()
    composer.write("a" * 3900)
    assert composer.count.text() == "3,900 of 4,000 characters"
    assert not composer.count.isHidden()


def test_a_huge_paste_is_cut_to_what_shows_that_it_is_too_long(asked: Asked) -> None:
    QApplication.clipboard().setText("words" * 2_000_000)
    asked.screen.composer.field.paste()
    assert len(asked.screen.composer.text) == 5000
    assert "5,000 of 4,000" in asked.screen.composer.count.text()


def test_one_question_at_a_time_while_another_conversation_is_read(
    rehearsed: type[RehearsalSite], asked: Asked
) -> None:
    rehearsed.chat_behaviour = Behaviour(pace_s=0.03)
    before = asked.ask(RECALL_QUESTION)
    asked.screen.begin()
    asked.begin(DOSE_QUESTION, prose=True)
    asked.until(lambda: len(asked.titles) == 2 and asked.last.cards)
    asked.screen.open(before.conversation_id)
    asked.until(lambda: asked.views and asked.last.exchange.question == RECALL_QUESTION)
    asked.begin("Another?")
    assert asked.screen.busy
    assert asked.screen.composer.text == "Another?"
    running = next(each.id for each in asked.screen.conversations.model.rows if each.title == DOSE_QUESTION)
    asked.screen.open(running)
    asked.until(lambda: asked.views and asked.last.exchange.question == DOSE_QUESTION)
    assert asked.last.cards
    assert asked.screen.composer.send.isHidden()
    asked.settle()
    assert asked.last.exchange.answer.status is Status.GROUNDED
    asked.screen.open(before.conversation_id)
    assert asked.screen.composer.text == "Another?"


def test_an_answer_that_ends_elsewhere_is_there_when_it_is_opened(asked: Asked) -> None:
    asked.begin(RECALL_QUESTION, prose=True)
    asked.screen.begin()
    asked.settle()
    asked.screen.open(asked.screen.conversations.model.rows[0].id)
    asked.settle()
    assert asked.last.exchange.answer.status is Status.GROUNDED
    assert not asked.screen.busy


def test_what_is_stored_is_what_is_shown_after_a_restart(asked: Asked, qtbot: QtBot) -> None:
    asked.ask(RECALL_QUESTION)
    asked.ask(DOSE_QUESTION, prose=True)
    later = Asked(asked.site, qtbot)
    later.screen.open(later.screen.conversations.model.rows[0].id)
    later.settle()
    assert [words(view) for view in later.views] == [words(view) for view in asked.views]
    assert later.last.commentary is not None
    assert asked.last.commentary is not None
    assert later.last.commentary.toPlainText() == asked.last.commentary.toPlainText()
    later.close()


def shows(thread: Thread, count: int) -> bool:
    return len(thread.views) == count and not thread._building.isActive()


def test_a_long_conversation_opens_at_its_end_and_goes_back_on_demand(asked: Asked) -> None:
    first = asked.ask(RECALL_QUESTION)
    for _ in range(44):
        list(asked.site.chat.ask("Rye?", conversation_id=first.conversation_id))
    asked.screen.open(first.conversation_id)
    thread = asked.screen.thread_view
    for shown, text in ((20, "Show earlier (25)"), (40, "Show earlier (5)"), (45, "")):
        asked.until(partial(shows, thread, shown))
        assert thread._earlier.isHidden() == (not text)
        assert not text or thread._earlier.text() == text
        thread._earlier.click()
    asked.settle()
    assert thread.views[0].exchange.question == RECALL_QUESTION
    assert thread._earlier.isHidden()


def test_a_day_of_questions_keeps_only_the_last_ones_on_the_screen(asked: Asked) -> None:
    for _ in range(41):
        asked.ask("Rye?")
    thread = asked.screen.thread_view
    assert len(thread.views) == 21
    assert thread._earlier.text() == "Show earlier (20)"
    thread._earlier.click()
    asked.until(lambda: len(thread.views) == 41)


def test_another_theme_gives_the_cards_its_icons(asked: Asked, qapp: QApplication) -> None:
    asked.ask(RECALL_QUESTION)
    (sign,) = [each for each in asked.last.cards[0].findChildren(QLabel) if each.property("icon_px")]
    before = sign.pixmap().toImage()
    theme.apply(qapp, "dark")
    restyle(asked.window)
    assert sign.pixmap().toImage() != before


def test_copied_text_has_references_record_and_intended_use(asked: Asked) -> None:
    answer = asked.ask(DOSE_QUESTION, prose=True)
    asked.key(
        asked.screen.composer.field,
        Qt.Key.Key_C,
        Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier,
    )
    text = asked.clipboard
    assert text.startswith(f"Question: {DOSE_QUESTION}\n")
    assert f"“{answer.citations[0].quote}” [1]" in text
    assert f"\nReferences\n[1] {answer.citations[0].attribution}" in text
    assert UNVERIFIED in text
    assert f"Answer {answer.record_id} · {answer.build_id} {answer.build_sha256[:12]} · 2026-11-22 09:30:00 UTC" in text
    assert "Not for emergencies" in text


def test_a_sample_question_can_be_clicked(asked: Asked) -> None:
    samples = [each for each in asked.screen.thread_view.findChildren(QWidget) if each.property("role") == "sample"]
    assert len(samples) == 3
    question = samples[0].accessibleName()
    QTest.mouseClick(samples[0], Qt.MouseButton.LeftButton)
    asked.settle()
    assert asked.last.exchange.question == question


def test_an_empty_library_says_so(asked: Asked) -> None:
    for document in asked.site.library.documents():
        asked.site.library.remove(document.id)
    asked.screen.activated()
    asked.settle()
    assert "Your library is empty" in words(asked.screen.thread_view)


def test_it_goes_in_mid_answer_and_the_answer_is_kept(
    rehearsed: type[RehearsalSite], site: app.Site, qtbot: QtBot
) -> None:
    rehearsed.chat_behaviour = Behaviour(pace_s=0.02)
    screen = AskScreen(site)
    screen.show()
    screen.composer.commentary.setChecked(True)
    screen.ask(DOSE_QUESTION)
    qtbot.waitUntil(lambda: screen.thread_view.views[-1].commentary is not None, timeout=15_000)
    screen.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    assert tasks.settle()
    (conversation,) = site.conversations.list()
    (exchange,) = site.conversations.exchanges(conversation.id)
    assert exchange.answer.status is Status.STOPPED
    assert exchange.answer.commentary


def test_a_refusal_is_gone_when_the_next_question_is_asked(asked: Asked) -> None:
    asked.begin("a" * 4001)
    asked.settle()
    assert "ASK-002" in asked.refusals.words
    asked.ask(RECALL_QUESTION)
    assert not asked.refusals.words


def test_a_new_question_and_escape_close_the_source_of_the_answer_before(asked: Asked) -> None:
    asked.ask(RECALL_QUESTION)
    for close in (lambda: asked.ask(DOSE_QUESTION), lambda: asked.key(asked.screen.composer.field, Qt.Key.Key_Escape)):
        asked.key(asked.screen.composer.field, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
        asked.settle()
        assert asked.screen.source is not None
        assert asked.screen.source.isVisible()
        close()
        assert asked.screen.source.isHidden()


def test_a_title_that_is_being_written_outlives_the_end_of_an_answer(asked: Asked) -> None:
    asked.ask(RECALL_QUESTION)
    view = asked.screen.conversations.view
    asked.screen.conversations.rename()
    (editor,) = view.findChildren(QLineEdit)
    editor.setText("Half a ti")
    asked.screen.conversations.refresh()
    asked.settle()
    assert shiboken6.isValid(editor)
    QTest.keyClick(editor, Qt.Key.Key_Return)
    asked.until(lambda: asked.titles == ["Half a ti"])
