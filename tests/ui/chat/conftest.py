"""The Ask screen over a rehearsal site, in a window that shows refusals."""

from collections.abc import Callable, Iterator

import pytest
import shiboken6
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from lumen_desktop import app
from lumen_desktop.domain.chat import Answer
from lumen_desktop.ui import errors, tasks
from lumen_desktop.ui.chat import AskScreen
from lumen_desktop.ui.chat.exchange import ExchangeView
from lumen_desktop.ui.widgets import Banner, column

PATIENCE_MS = 15_000
NO_MODIFIER = Qt.KeyboardModifier.NoModifier


class Asked:
    """A window with the Ask screen, and what a test does with it."""

    def __init__(self, site: app.Site, qtbot: QtBot) -> None:
        self.site = site
        self.qtbot = qtbot
        self.window = QWidget()
        self.refusals = Banner()
        self.refusals.setObjectName(errors.BANNER)
        self.screen = AskScreen(site)
        layout = column()
        layout.addWidget(self.refusals)
        layout.addWidget(self.screen, 1)
        self.window.setLayout(layout)
        self.window.resize(1200, 800)
        self.window.show()
        self.window.activateWindow()
        self.screen.activated()
        self.settle()

    def settle(self) -> None:
        """Waits until nothing is under way."""
        self.until(lambda: not any(shiboken6.isValid(task) for task in tasks._running))
        QApplication.processEvents()

    def ask(self, question: str, *, prose: bool = False) -> Answer:
        """Types a question, sends it with Enter, and waits for its answer."""
        self.begin(question, prose=prose)
        self.settle()
        return self.last.exchange.answer

    def begin(self, question: str, *, prose: bool = False) -> None:
        """Types a question and sends it."""
        self.screen.composer.commentary.setChecked(prose)
        self.screen.composer.write(question)
        self.key(self.screen.composer.field, Qt.Key.Key_Return)

    def key(self, widget: QWidget, key: Qt.Key, modifier: Qt.KeyboardModifier = NO_MODIFIER) -> None:
        """Presses a key where the focus is put first."""
        widget.setFocus()
        QTest.keyClick(widget, key, modifier)

    def until(self, true: Callable[[], object]) -> None:
        """Waits for something."""
        self.qtbot.waitUntil(lambda: bool(true()), timeout=PATIENCE_MS)

    @property
    def views(self) -> list[ExchangeView]:
        return self.screen.thread_view.views

    @property
    def last(self) -> ExchangeView:
        return self.views[-1]

    @property
    def titles(self) -> list[str]:
        return [each.title for each in self.screen.conversations.model.rows]

    @property
    def clipboard(self) -> str:
        return QGuiApplication.clipboard().text()

    def close(self) -> None:
        """Ends it as the main window does."""
        self.screen.stop()
        self.window.close()
        assert tasks.settle()
        self.window.deleteLater()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@pytest.fixture
def asked(site: app.Site, qtbot: QtBot) -> Iterator[Asked]:
    """The screen, shown, its lists read."""
    made = Asked(site, qtbot)
    yield made
    made.close()
