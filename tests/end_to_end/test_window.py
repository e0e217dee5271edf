"""The whole program by keyboard alone, as a pharmacist would: real window, real site, real children, real models."""

import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from lumen_desktop.domain.chat import Status
from lumen_desktop.services.sources import PageView
from lumen_desktop.ui import application
from lumen_desktop.ui.application import Shell
from lumen_desktop.ui.chat import AskScreen
from lumen_desktop.ui.chat.exchange import ExchangeView
from tests.end_to_end.conftest import BATCHES
from tests.ui.shells import close, opened

pytestmark = [
    pytest.mark.model,
    pytest.mark.qt_log_ignore("This plugin does not support (raise|propagateSizeHints)"),
]
WAIT_MS = 60_000
CONTROL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)


class Person:
    """Somebody at the keyboard, looking at the window."""

    def __init__(self, data: Path, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.shell = Shell(application.make(), data)
        self.shell.begin()
        opened(self.shell, qtbot)
        screen = self.shell.window.stack.currentWidget()
        assert isinstance(screen, AskScreen)
        self.screen = screen

    def leave(self) -> None:
        """Closes the window and lets the program end."""
        close(self.shell, self.qtbot)
        self.shell.end()
        self.shell.window.deleteLater()
        self.shell.deleteLater()

    def until(self, true: Callable[[], object]) -> None:
        self.qtbot.waitUntil(lambda: bool(true()), timeout=WAIT_MS)

    def press(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        widget: QWidget | None = QApplication.focusWidget()
        assert widget is not None
        QTest.keyClick(widget, key, modifier)

    def ask(self, question: str) -> ExchangeView:
        """Types a question, presses Enter, and waits until something of its answer is shown."""
        before = len(self.screen.thread_view.views)
        self.press(Qt.Key.Key_L, CONTROL)
        widget = QApplication.focusWidget()
        assert widget is not None
        QTest.keyClicks(widget, question)
        self.press(Qt.Key.Key_Return)
        self.until(lambda: len(self.screen.thread_view.views) > before)
        return self.screen.thread_view.views[-1]

    def rest(self) -> None:
        """Waits until no answer is on its way."""
        self.until(lambda: not self.screen.busy)


@pytest.fixture
def sit_down(
    qapp: QApplication, qtbot: QtBot, settings_file: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Path], Person]]:
    """Starts the program for a person; what is left open is closed."""
    monkeypatch.setattr(application, "_SWITCH_S", sys.getswitchinterval())  # as in tests/ui/conftest.py
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    people: list[Person] = []

    def start(data: Path) -> Person:
        people.append(Person(data, qtbot))
        return people[-1]

    yield start
    for person in people:
        person.leave()
    for number, handler in handlers.items():
        signal.signal(number, handler)


def opened_source(person: Person) -> PageView:
    """Opens the first quote's source by its key; what it shows."""
    person.press(Qt.Key.Key_1, ALT)
    person.until(lambda: person.screen.source is not None and person.screen.source.pane.shown is not None)
    assert person.screen.source is not None
    assert person.screen.source.isVisible()
    assert person.screen.source.pane.shown is not None
    return person.screen.source.pane.shown.view


def test_a_question_its_source_and_the_copied_answer(demonstration: Path, sit_down: Callable[[Path], Person]) -> None:
    person = sit_down(demonstration)
    view = person.ask(BATCHES)
    person.rest()
    assert view.exchange.answer.status is Status.GROUNDED
    quote = view.exchange.answer.citations[0]
    assert "other batches of the same product" in quote.quote

    page = opened_source(person)
    marked = " ".join(page.text[start:end] for start, end in page.quote_spans)
    assert "other batches of the same product" in " ".join(marked.split())

    person.press(Qt.Key.Key_C, CONTROL | SHIFT)
    copied = QGuiApplication.clipboard().text()
    assert quote.quote in copied
    assert "not its wording" in copied
    assert f"Answer {view.exchange.answer.record_id}" in copied


def test_a_stopped_commentary_is_there_again_tomorrow(demonstration: Path, sit_down: Callable[[Path], Person]) -> None:
    person = sit_down(demonstration)
    person.screen.composer.commentary.setFocus()
    person.press(Qt.Key.Key_Space)
    view = person.ask("How quickly must a field alert report be submitted?")
    person.until(lambda: view.commentary is not None and view.commentary.text)
    person.press(Qt.Key.Key_Escape)
    person.rest()
    shown = view.exchange
    assert shown.answer.status in {Status.STOPPED, Status.GROUNDED}
    assert shown.answer.commentary
    person.leave()

    later = Person(demonstration, person.qtbot)
    person.shell = later.shell  # closed at the end in its place
    later.until(lambda: later.screen.conversations.model.rows)
    later.screen.open(later.screen.conversations.model.rows[0].id)
    later.until(lambda: later.screen.thread_view.views)
    assert [each.exchange for each in later.screen.thread_view.views] == [shown]


def test_the_page_of_a_guidance_is_lit(guided_folder: Path, tmp_path: Path, sit_down: Callable[[Path], Person]) -> None:
    data = tmp_path / "guided"
    shutil.copytree(guided_folder, data)
    person = sit_down(data)
    person.screen.composer.collections.setCurrentText("Guidance")
    view = person.ask("How does FDA intend to exercise enforcement discretion for part 11 audit trails?")
    person.rest()
    assert view.exchange.answer.status is Status.GROUNDED
    page = opened_source(person)
    assert page.number == view.exchange.answer.citations[0].page
    assert page.boxes
    assert page.located == 1.0
