"""Widgets without a screen: the look that the application gives them, and a picture of each window of a failed test."""

import contextlib
import shutil
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from lumen_desktop import app
from lumen_desktop.services.sign_in import Credentials
from lumen_desktop.storage import keys
from lumen_desktop.storage.folder import DataFolder
from lumen_desktop.ui import application, tasks, theme
from tests.conftest import HOLDER, Clock, found_site
from tests.rehearsal import RehearsalSite
from tests.services.people import add
from tests.ui import shells
from tests.ui.people_parts import PEOPLE, Desk

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


@pytest.fixture(scope="session")
def peopled_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clinical site of its holder, an admin, a clinician and a QA officer, made once; `sit` copies it."""
    folder = tmp_path_factory.mktemp("peopled") / "site"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "_MEMORY_KIB", 64)
        patch.setattr(keys, "_PASSES", 1)
        patch.setattr(app, "Site", RehearsalSite)
        Clock().rule(patch)
        found_site(folder)
        for name, role in PEOPLE.items():
            add(folder, name, frozenset({role}))
    return folder


@pytest.fixture
def people_folder(peopled_folder: Path, tmp_path: Path) -> Path:
    """A copy of the site with people."""
    return Path(shutil.copytree(peopled_folder, tmp_path / "people"))


@pytest.fixture
def sit(
    people_folder: Path, rehearsed: type[RehearsalSite], clock: Clock, qtbot: QtBot
) -> Iterator[Callable[..., Desk]]:
    """Lets a person sit down at the screen of people of that site; the next one takes their place."""
    with contextlib.ExitStack() as stack:

        def begin(person: Credentials = HOLDER) -> Desk:
            stack.close()
            place = app.SitePlace(DataFolder(people_folder), demonstration=False)
            site = stack.enter_context(app.opened(place, person, purpose="tests", writable=True))
            desk = Desk(site, qtbot)
            stack.callback(desk.leave)
            return desk

        yield begin
