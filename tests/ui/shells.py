"""A run of the program in a test's own process: its pages, signing in, its close. The fixture `begin` starts one."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from lumen_desktop import app
from lumen_desktop.services.presence import Presence
from lumen_desktop.ui import application
from lumen_desktop.ui.application import Shell
from lumen_desktop.ui.founding import FoundingForm
from lumen_desktop.ui.sign_in import SignInPage
from tests.conftest import HOLDER, PASSWORD

Begin = Callable[[Path | None], Shell]
WAIT_MS = 30_000


@contextmanager
def beginning(qtbot: QtBot) -> Iterator[Begin]:
    """Starts the program in this process; whatever a test left open is closed as a person would."""
    shells: list[Shell] = []
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def start(data: Path | None) -> Shell:
        presence = Presence(data)
        assert presence.first(0)
        shell = Shell(application.make(), data, presence)
        shells.append(shell)
        shell.begin()
        return shell

    yield start
    for shell in shells:
        close(shell, qtbot)
        shell.end()
        shell.window.deleteLater()
        shell.deleteLater()
    for number, handler in handlers.items():
        signal.signal(number, handler)


def close(shell: Shell, qtbot: QtBot) -> None:
    """Closes the window and waits until it is."""
    shell.window.close()
    qtbot.waitUntil(shell.window.isHidden, timeout=WAIT_MS)


def page(shell: Shell, kind: type[QWidget], qtbot: QtBot) -> QWidget:
    """The page of a kind, when it is shown."""
    qtbot.waitUntil(lambda: isinstance(shell.window.stack.currentWidget(), kind), timeout=WAIT_MS)
    found = shell.window.stack.currentWidget()
    assert found is not None
    return found


def type_in(field: QLineEdit, words: str) -> None:
    """Fills in the last field and presses Enter."""
    field.setText(words)
    QTest.keyClick(field, Qt.Key.Key_Return)


def fill(form: FoundingForm, password: str = PASSWORD, repeated: str = PASSWORD) -> None:
    """Fills in who makes a site."""
    for field, words in (
        (form.site_name, "St Luke's Pharmacy"), (form.user, HOLDER.user), (form.printed_name, "Hilda Holder"),
        (form.password, password), (form.repeated, repeated),
    ):  # fmt: skip
        field.setText(words)


def sign_in(shell: Shell, qtbot: QtBot, password: str = PASSWORD, user: str = HOLDER.user) -> None:
    """Types name and password, and Enter."""
    shown = page(shell, SignInPage, qtbot)
    assert isinstance(shown, SignInPage)
    shown.user.setText(user)
    type_in(shown.password, password)


def opened(shell: Shell, qtbot: QtBot) -> app.Site:
    """The site, when it is open and ready."""
    qtbot.waitUntil(lambda: shell.window.status.state == "ready", timeout=WAIT_MS)
    assert shell.session.site is not None
    return shell.session.site
