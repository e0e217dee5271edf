"""The Ask screen by keyboard alone, and what a screen reader is told."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit, QListView, QPlainTextEdit, QWidget

from lumen_desktop.ui.chat import SHORTCUTS
from tests.services.conftest import DOSE_QUESTION, RECALL_QUESTION
from tests.ui.chat.conftest import Asked

CONTROL, ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier


def focused() -> QWidget:
    widget = QApplication.focusWidget()
    assert widget is not None
    return widget


def press(asked: Asked, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(focused(), key, modifier)


def test_from_the_field_to_the_copied_answer(asked: Asked) -> None:
    press(asked, Qt.Key.Key_K, CONTROL)
    assert focused() is asked.screen.conversations.search
    press(asked, Qt.Key.Key_L, CONTROL)
    assert focused() is asked.screen.composer.field
    QTest.keyClicks(focused(), RECALL_QUESTION)
    press(asked, Qt.Key.Key_Return)
    asked.settle()
    assert focused() is asked.screen.composer.field
    names = []
    while focused().accessibleName() != "Copy":
        press(asked, Qt.Key.Key_Backtab)
        names.append(focused().accessibleName())
        assert len(names) < 5, f"the answer's buttons cannot be reached: {names}"
    press(asked, Qt.Key.Key_Space)
    assert asked.clipboard.startswith(f"Question: {RECALL_QUESTION}")
    assert "Copied" in asked.screen.banner.words


def test_the_tab_key_goes_from_top_to_bottom(asked: Asked) -> None:
    asked.ask(RECALL_QUESTION)
    asked.ask(DOSE_QUESTION, prose=True)
    asked.screen.conversations.deleted_button.setFocus()
    places: list[int] = []
    while not places or focused() is not asked.screen.composer.field:
        press(asked, Qt.Key.Key_Tab)
        places.append(focused().mapTo(asked.window, QPoint(0, 0)).y())
        assert len(places) < 40
    assert len(places) >= 8
    assert places[:-1] == sorted(places[:-1])


def test_alt_and_a_number_open_the_source_beside(asked: Asked) -> None:
    asked.ask(RECALL_QUESTION)
    press(asked, Qt.Key.Key_1, ALT)
    asked.settle()
    source = asked.screen.source
    assert source is not None
    assert source.isVisible()
    assert asked.last.cards[0].property("role") == "quote-chosen"
    source.closed.emit()
    assert source.isHidden()
    assert asked.last.cards[0].property("role") == "quote"


def test_enter_on_a_quote_opens_it(asked: Asked) -> None:
    asked.ask(RECALL_QUESTION)
    asked.last.cards[0].setFocus()
    press(asked, Qt.Key.Key_Return)
    asked.settle()
    assert asked.screen.source is not None
    assert asked.screen.source.isVisible()


def test_a_quote_is_a_button_to_a_screen_reader(asked: Asked) -> None:
    asked.ask(RECALL_QUESTION)
    told = QAccessible.queryAccessibleInterface(asked.last.cards[0])
    assert told.role() == QAccessible.Role.Button
    assert "within 5 business days" in told.text(QAccessible.Text.Name)
    assert "Opens the source" in told.text(QAccessible.Text.Description)


def test_a_screen_reader_is_told_what_happens(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(QAccessible, "isActive", lambda: True)
    monkeypatch.setattr(QAccessible, "updateAccessibility", lambda event: said.append(event.message()))
    asked.ask(RECALL_QUESTION)
    assert said[0] == "Searching."
    assert said[1].endswith("found.")
    assert said[2:] == ["The answer is complete."]
    asked.ask("How do I bake sourdough bread with rye flour?")
    assert said[-1] == "Not in your library."


def test_shift_enter_begins_a_line(asked: Asked) -> None:
    QTest.keyClicks(focused(), "one")
    before = asked.screen.composer.field.height()
    press(asked, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClicks(focused(), "two")
    assert asked.screen.composer.text == "one\ntwo"
    assert asked.screen.composer.field.height() > before
    assert not asked.screen.busy


@pytest.mark.parametrize("full", [False, True])
def test_everything_that_can_be_operated_has_a_name(asked: Asked, full: bool) -> None:  # noqa: FBT001 - a case
    if full:
        asked.ask(RECALL_QUESTION, prose=True)
    kinds = (QAbstractButton, QComboBox, QLineEdit, QListView, QPlainTextEdit)
    unnamed = [
        each
        for each in asked.screen.findChildren(QWidget)
        if isinstance(each, kinds) and each.isVisible() and not each.accessibleName()
    ]
    assert not unnamed


def test_the_shortcuts_are_listed() -> None:
    keys = [key for key, _ in SHORTCUTS]
    assert {"Ctrl+L", "Ctrl+N", "Ctrl+K", "Ctrl+R", "Ctrl+Shift+C", "F2", "Del", "Esc"} <= set(keys)
    assert all(what for _, what in SHORTCUTS)
