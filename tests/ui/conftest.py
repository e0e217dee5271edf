"""Widgets without a screen: the look that the application gives them, and a picture of each window of a failed test."""

import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from lumen_desktop.ui import application, tasks, theme
from tests.rehearsal import RehearsalSite
from tests.ui import shells

PICTURES = Path(__file__).resolve().parents[2] / "build" / "reports" / "pictures"


@pytest.fixture(autouse=True)
def look(qapp: QApplication, unmeasured_children: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The light theme; and no task goes on after a test."""
    # Python 3.11 refuses to trace a thread (as coverage does) that starts while it begins to trace another one
    monkeypatch.setattr(application, "_SWITCH_S", sys.getswitchinterval())
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)  # what is still there is styled as well
    theme.apply(qapp, "light")
    yield
    assert tasks.settle(), "a task still works"
    for _ in range(3):
        qapp.processEvents()


@pytest.fixture
def begin(
    qapp: QApplication, qtbot: QtBot, rehearsed: type[RehearsalSite], settings_file: Path
) -> Iterator[shells.Begin]:
    """Starts the program in this process, over rehearsal sites and with settings of the test's own."""
    with shells.beginning(qtbot) as start:
        yield start


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """A picture of every window that was open when a test failed, under build/reports/pictures."""
    report = yield
    if report.when == "call" and report.failed and QApplication.instance() is not None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        for number, window in enumerate(w for w in QApplication.topLevelWidgets() if w.isVisible()):
            picture(window, PICTURES / f"{item.name[:80].replace('/', '_')}-{number}.png")
    return report


def picture(widget: QWidget, path: Path) -> None:
    """Saves what a widget shows."""
    widget.grab().save(str(path))
