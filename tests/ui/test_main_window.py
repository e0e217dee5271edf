"""The main window over a real site: screens, keys, names for screen readers, what it remembers, how it closes."""

import json
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QSplitter,
    QTabBar,
    QTabWidget,
    QTextEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from lumen_desktop import app
from lumen_desktop.engine.fake import Behaviour
from lumen_desktop.errors import EngineError, InputError
from lumen_desktop.ui import errors, screens, shortcuts
from lumen_desktop.ui.audit.screen import AuditScreen
from lumen_desktop.ui.main_window import MainWindow
from lumen_desktop.ui.remembered import Remembered
from lumen_desktop.ui.screens import ENTRIES
from lumen_desktop.ui.status import OFFLINE
from lumen_desktop.ui.widgets import EmptyState
from tests.rehearsal import RehearsalSite

OPERABLE = (
    QAbstractButton, QLineEdit, QComboBox, QAbstractItemView, QAbstractSpinBox, QTextEdit, QPlainTextEdit, QTabBar,
    QTabWidget, QScrollArea,
)  # fmt: skip
NAMES = [entry.name for entry in ENTRIES]


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    made = MainWindow(Remembered(tmp_path / "window.json"))
    made.leaving.connect(made.left)
    with qtbot.waitExposed(made):
        made.show()
    yield made
    made.close()
    qtbot.waitUntil(made.isHidden, timeout=6000)
    made.deleteLater()


@pytest.fixture
def entered(
    window: MainWindow, rehearsed: type[RehearsalSite], site: app.Site, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> MainWindow:
    monkeypatch.setattr(rehearsed, "embedding_behaviour", Behaviour(crash_after=0, when="a fault"))
    window.enter(site)
    qtbot.waitUntil(lambda: window.status.state == "ready", timeout=20000)
    return window


def shown(window: MainWindow) -> QWidget:
    """The page in the middle of the window."""
    page = window.stack.currentWidget()
    assert page is not None
    return page


def speaks_for(parent: QWidget, part: QWidget) -> bool:
    """Whether a part of a compound widget is operated through the whole."""
    whole = isinstance(parent, QAbstractSpinBox | QComboBox | QAbstractItemView | QLineEdit)
    inner = part.objectName().startswith("qt_") and not isinstance(part, QTabBar)
    return whole or inner or parent.inherits("QComboBoxPrivateContainer")


def unnamed(root: QWidget) -> list[str]:
    """What can be operated and has no name that a screen reader could say."""
    found = []
    for widget in root.findChildren(QWidget):
        inside = widget.parentWidget()
        operable = isinstance(widget, OPERABLE) or widget.focusPolicy() != Qt.FocusPolicy.NoFocus
        if not operable or widget.isHidden() or inside is None or speaks_for(inside, widget):
            continue
        words = widget.accessibleName() or (widget.text() if isinstance(widget, QAbstractButton | QLabel) else "")
        if isinstance(widget, QLabel) and not widget.text():  # nothing is said there yet
            continue
        if not words.strip():
            found.append(f"{type(widget).__name__} {widget.objectName()} in {type(inside).__name__}")
    return found


def test_before_a_site_is_open_the_window_says_that_it_opens(window: MainWindow) -> None:
    assert shown(window).accessibleName() == "Opening your library"
    window.show_screen("settings")
    assert type(window.stack.currentWidget()).__name__ == "SettingsScreen"


@pytest.mark.parametrize("name", NAMES)
def test_each_screen_is_there_and_all_that_can_be_operated_has_a_name(entered: MainWindow, name: str) -> None:
    entered.show_screen(name)
    assert entered.screen_name == name
    assert type(entered.stack.currentWidget()).__name__ == next(e.kind for e in ENTRIES if e.name == name)
    assert unnamed(entered) == []


def test_names_are_asked_of_all_that_the_keyboard_reaches(qtbot: QtBot) -> None:
    whole = QWidget()
    qtbot.addWidget(whole)
    nameless, named = QTabWidget(whole), QScrollArea(whole)
    named.setAccessibleName("Named")
    nameless.addTab(QWidget(), "A page")
    whole.show()
    assert [found.split()[0] for found in unnamed(whole)] == ["QTabWidget", "QTabBar"]


def test_keys_choose_screens(entered: MainWindow, qtbot: QtBot) -> None:
    entered.activateWindow()
    for number, name in enumerate(NAMES, start=1):
        QTest.keyClick(entered, Qt.Key(Qt.Key.Key_0 + number), Qt.KeyboardModifier.ControlModifier)
        assert entered.screen_name == name


def test_f1_asks_for_the_page_of_the_screen(entered: MainWindow, qtbot: QtBot) -> None:
    entered.show_screen("audit")
    with qtbot.waitSignal(entered.help_wanted) as asked:
        QTest.keyClick(entered, Qt.Key.Key_F1)
    assert asked.args == ["audit"]


def test_the_sheet_lists_what_every_screen_says(entered: MainWindow, qtbot: QtBot) -> None:
    QTest.keyClick(entered, Qt.Key.Key_Slash, Qt.KeyboardModifier.ControlModifier)
    sheet = entered.findChild(shortcuts.ShortcutSheet)
    assert sheet is not None
    listed = {keys for _, group in shortcuts.groups() for keys, _ in group}
    for entry in ENTRIES:
        assert {keys for keys, _ in screens.shortcuts(entry)} <= listed
    assert unnamed(sheet) == []
    sheet.close()


def test_no_two_shortcuts_of_the_window_and_a_screen_are_the_same() -> None:
    window = {keys for keys, _ in shortcuts.WINDOW}
    for entry in ENTRIES:
        own = [keys for keys, _ in screens.shortcuts(entry)]
        assert len(own) == len(set(own))
        assert not window & set(own)


def test_the_foot_says_site_build_engine_and_that_nothing_leaves(entered: MainWindow) -> None:
    status = entered.status
    assert status.site_label.text() == "Site: St Luke's Pharmacy"
    assert status.engine.text() == "Engine ready"
    assert status.offline.text() == OFFLINE
    assert not entered.navigation.badge.isVisible()


def test_safe_mode_and_an_engine_that_ended_are_told(
    entered: MainWindow, site: app.Site, rehearsed: type[RehearsalSite], qtbot: QtBot
) -> None:
    engine = site.embedder
    assert engine.pid is not None
    psutil.Process(engine.pid).kill()
    qtbot.waitUntil(lambda: entered.status.engine.text() == "Engine not loaded")
    engine.start()
    qtbot.waitUntil(lambda: entered.status.engine.text() == "Engine ready")
    for _ in range(3):
        with pytest.raises(EngineError):
            engine.embed(["a fault"])
    qtbot.waitUntil(lambda: entered.status.engine.text() == "Safe mode")
    assert "three times" in entered.status.engine.toolTip()


def test_a_demonstration_is_marked_on_every_screen(entered: MainWindow, site: app.Site, qtbot: QtBot) -> None:
    site.place = app.SitePlace(site.place.folder, demonstration=True)
    entered.enter(site)
    for name in NAMES:
        entered.show_screen(name)
        assert entered.navigation.badge.isVisible()
        assert entered.status.site_label.text() == "DEMONSTRATION"
    qtbot.waitUntil(lambda: entered.status.state == "ready")


def test_a_refusal_of_a_screen_shows_in_the_windows_banner(entered: MainWindow) -> None:
    errors.show(shown(entered), InputError("Empty.", code="ASK-001", hint="Ask in words."))
    assert entered.banner.words == "Empty. Ask in words. (ASK-001)"


def test_a_screen_that_cannot_be_made_says_why_and_the_others_work(
    entered: MainWindow, site: app.Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> QWidget:
        raise EngineError("No model.", code="BLD-001", hint="Set up.")

    monkeypatch.setattr(screens, "make", refuse)
    entered.enter(site)
    assert isinstance(entered.stack.currentWidget(), EmptyState)
    assert "BLD-001" in shown(entered).accessibleName()
    monkeypatch.undo()
    entered.show_screen("audit")
    assert isinstance(entered.stack.currentWidget(), AuditScreen)


def test_the_window_remembers_screen_size_and_splitters(window: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    window.show_screen("models")
    window.setMinimumSize(0, 0)  # the screen of these tests is small
    window.resize(700, 640)
    parts = QSplitter(window)
    parts.setObjectName("parts")
    parts.addWidget(QWidget())
    parts.addWidget(QWidget())
    parts.resize(300, 50)
    parts.setSizes([100, 200])
    sizes = parts.sizes()
    window.close()
    qtbot.waitUntil(window.isHidden)
    again = Remembered(tmp_path / "window.json")
    assert again.screen == "models"
    other = QWidget()
    qtbot.addWidget(other)
    again.place(other)
    assert (other.width(), other.height()) == (700, 640)
    restored = QSplitter(other)
    restored.setObjectName("parts")
    restored.addWidget(QWidget())
    restored.addWidget(QWidget())
    restored.resize(300, 50)
    again.divide(other)
    assert restored.sizes() == sizes


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{", json.dumps({"screen": 3, "geometry": 7, "splitters": []}), "\0" * 100,
     json.dumps({"screen": "no such screen", "geometry": "////", "splitters": {"help": ["a", -1]}})],
)  # fmt: skip
def test_a_damaged_memory_is_no_memory(qtbot: QtBot, tmp_path: Path, content: str) -> None:
    (tmp_path / "window.json").write_text(content, encoding="utf-8")
    window = MainWindow(Remembered(tmp_path / "window.json"))
    qtbot.addWidget(window, before_close_func=lambda made: made.left())
    assert window.screen_name == "ask"
    window.show_screen("settings")


class Busy(QWidget):
    """A screen that takes a while to stop."""

    def __init__(self, *, stops: bool) -> None:
        super().__init__()
        self.busy, self.stopped, self._stops = True, 0, stops

    def activated(self) -> None:
        """Nothing."""

    def stop(self) -> None:
        self.stopped += 1
        self.busy = not self._stops


@pytest.mark.parametrize("stops", [True, False])
def test_closing_stops_the_work_and_waits_for_it_but_not_for_ever(
    entered: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, *, stops: bool
) -> None:
    monkeypatch.setattr("lumen_desktop.ui.main_window._CLOSE_WITHIN_MS", 300)
    working = Busy(stops=stops)
    entered.stack.addWidget(working)
    entered._screens["documents"] = working
    entered.close()
    assert working.stopped == 1
    qtbot.waitUntil(entered.isHidden, timeout=3000)
