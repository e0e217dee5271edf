"""From the start of the program to its end: first start, signing in, a site in use, a second start, a bug, a close."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from lumen_desktop import __main__ as program
from lumen_desktop import app
from lumen_desktop.domain.audit import Verdict
from lumen_desktop.services.presence import Presence
from lumen_desktop.storage.folder import DataFolder
from lumen_desktop.ui.application import Shell
from lumen_desktop.ui.audit.idle import IdleVerification
from lumen_desktop.ui.entrance import RefusedPage
from lumen_desktop.ui.founding import RecoveryPage
from lumen_desktop.ui.help import HelpWindow
from lumen_desktop.ui.sign_in import SignInPage
from lumen_desktop.ui.welcome import WelcomePage
from tests.conftest import PASSWORD, ROOT, lumen_environment
from tests.ui.shells import WAIT_MS, Begin, close, fill, opened, page, sign_in

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support (raise|propagateSizeHints)")
Launch = Callable[[Path], subprocess.Popen[str]]


def welcomed(shell: Shell, qtbot: QtBot) -> WelcomePage:
    """The page of the first start, when it is shown."""
    found = page(shell, WelcomePage, qtbot)
    assert isinstance(found, WelcomePage)
    return found


def make_own(welcome: WelcomePage, folder: Path) -> None:
    """Fills in what a site of one's own needs, and has it made."""
    welcome.own.click()
    fill(welcome.form)
    assert welcome.form.folder is not None
    welcome.form.folder.setText(str(folder))
    welcome.form.make.click()


def sees_recovery_code(shell: Shell, qtbot: QtBot) -> str:
    """Says that the recovery code was kept; returns it."""
    shown = page(shell, RecoveryPage, qtbot)
    assert isinstance(shown, RecoveryPage)
    assert not shown.go_on.isEnabled()
    shown.kept.click()
    shown.go_on.click()
    return shown.code.toPlainText()


@pytest.fixture
def few_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A starter library of three texts."""
    names = ["capa.md", "change-control.md", "gmp-clocks.md"]

    def starter(site: app.Site) -> Iterator[object]:
        return site.starter_library.add(
            [ROOT / "resources" / "library" / n for n in names], collection=app.STARTER_COLLECTION
        )

    monkeypatch.setattr(app, "add_starter_library", starter)


@pytest.mark.usefixtures("few_texts")
def test_first_start_offers_the_demonstration_and_enter_takes_it(begin: Begin, qtbot: QtBot, tmp_path: Path) -> None:
    shell = begin(tmp_path / "new")
    welcome = welcomed(shell, qtbot)
    words = " ".join(part.text() for part in welcome.findChildren(QLabel))
    assert "Not for emergencies" in words
    QTest.keyClick(welcome.try_it, Qt.Key.Key_Space)
    site = opened(shell, qtbot)
    assert site.place.demonstration
    assert shell.window.navigation.badge.isVisible()
    qtbot.waitUntil(lambda: not shell.session.adding_library, timeout=WAIT_MS)
    assert len(site.library.documents()) == 3
    assert shell.window.status._work.text() == ""


@pytest.mark.usefixtures("few_texts")
def test_closing_while_the_starter_library_is_added_stops_it_and_a_next_start_goes_on(
    begin: Begin, qtbot: QtBot, tmp_path: Path
) -> None:
    shell = begin(tmp_path / "new")
    welcome = welcomed(shell, qtbot)
    welcome.try_it.click()
    with qtbot.waitSignal(shell.session.adding, timeout=WAIT_MS):
        pass
    close(shell, qtbot)
    shell.end()
    again = begin(tmp_path / "new")
    site = opened(again, qtbot)
    qtbot.waitUntil(lambda: not again.session.adding_library, timeout=WAIT_MS)
    assert len(site.library.documents()) == 3


@pytest.mark.parametrize(
    ("typed", "said"),
    [(("short", "short"), "too short"), ((PASSWORD, PASSWORD + "x"), "differ"), ((PASSWORD, ""), "differ")],
)
def test_a_site_is_not_made_with_a_poor_password(
    begin: Begin, qtbot: QtBot, tmp_path: Path, typed: tuple[str, str], said: str
) -> None:
    first, second = typed
    welcome = page(begin(tmp_path / "new"), WelcomePage, qtbot)
    assert isinstance(welcome, WelcomePage)
    welcome.own.click()
    fill(welcome.form, first, second)
    welcome.form.make.click()
    assert said in welcome.form.problem.text()
    assert not (tmp_path / "new").exists()


@pytest.mark.usefixtures("few_texts")
def test_a_site_of_ones_own_is_made_and_asks_who_signs_in_next_time(begin: Begin, qtbot: QtBot, tmp_path: Path) -> None:
    shell = begin(tmp_path / "new")
    welcome = welcomed(shell, qtbot)
    make_own(welcome, tmp_path / "new")
    assert len(sees_recovery_code(shell, qtbot)) == 39
    assert not opened(shell, qtbot).place.demonstration
    assert not shell.window.navigation.badge.isVisible()
    close(shell, qtbot)
    shell.end()
    again = begin(tmp_path / "new")
    sign_in(again, qtbot, "not the password of it")
    qtbot.waitUntil(lambda: _problem(again) != "", timeout=WAIT_MS)
    assert "Caps Lock" in _problem(again)
    sign_in(again, qtbot)
    assert opened(again, qtbot).people.me().printed_name == "Hilda Holder"


def test_a_site_in_a_folder_of_ones_own_choice_is_found_next_time(
    begin: Begin, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "usual"))
    shell = begin(None)
    welcome = welcomed(shell, qtbot)
    make_own(welcome, tmp_path / "mine")
    sees_recovery_code(shell, qtbot)
    assert opened(shell, qtbot).place.folder.path == tmp_path / "mine" / "site"
    close(shell, qtbot)
    shell.end()
    page(begin(None), SignInPage, qtbot)


@pytest.mark.usefixtures("few_texts")
def test_a_stopped_import_does_not_stop_the_starter_library(begin: Begin, qtbot: QtBot, tmp_path: Path) -> None:
    shell = begin(tmp_path / "new")
    welcome = welcomed(shell, qtbot)
    with qtbot.waitSignal(shell.session.adding, timeout=WAIT_MS):
        welcome.try_it.click()
    site = shell.session.site
    assert site is not None
    site.library.stop()
    qtbot.waitUntil(lambda: not shell.session.adding_library, timeout=WAIT_MS)
    assert len(site.library.documents()) == 3


def _problem(shell: Shell) -> str:
    shown = shell.window.stack.currentWidget()
    return shown.problem.text() if isinstance(shown, SignInPage) else ""


def test_a_site_in_use_says_who_holds_it_and_can_be_tried_again(begin: Begin, qtbot: QtBot, site_folder: Path) -> None:
    with DataFolder(site_folder).writing("lumen chat"):
        shell = begin(site_folder)
        sign_in(shell, qtbot)
        refused = page(shell, RefusedPage, qtbot)
        assert isinstance(refused, RefusedPage)
        assert "lumen chat, process" in refused._words.text()
    refused._retry.click()
    sign_in(shell, qtbot)
    opened(shell, qtbot)


def test_a_bug_is_told_reported_without_its_words_and_ends_nothing(
    begin: Begin, qtbot: QtBot, site_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shell = begin(site_folder)
    page(shell, SignInPage, qtbot)

    patient, question = "Patient Smith", "the secret question"

    def fail() -> None:
        error = ZeroDivisionError(question)
        error.__cause__ = KeyError(patient)
        raise error

    with qtbot.capture_exceptions():
        QTimer.singleShot(0, fail)
        shell.crashes.install()  # in place of pytest-qt's, as in the program
        qtbot.waitUntil(lambda: "Something went wrong" in shell.window.banner.words)
    (written,) = (site_folder / "reports").glob("crash-*.json")
    report = written.read_text(encoding="utf-8")
    fields = json.loads(report)
    assert fields["type"] == "ZeroDivisionError"
    assert fields["causes"][0]["type"] == "KeyError"
    assert any("test_application.py" in frame for frame in fields["frames"])
    assert "secret" not in report
    assert "Smith" not in report
    assert str(Path.home()) not in report
    assert "secret" not in capsys.readouterr().err
    assert shell.window.isVisible()


def test_help_opens_the_page_of_the_screen_in_one_window(begin: Begin, qtbot: QtBot, site_folder: Path) -> None:
    shell = begin(site_folder)
    page(shell, SignInPage, qtbot)
    for name, expected in (("models", "models"), ("settings", "settings")):
        shell.window.show_screen(name)
        shell.window._help()
        (shown,) = shell.window.findChildren(HelpWindow)
        assert shown.page == expected
        assert shown.isVisible()


def test_a_trail_that_is_found_broken_unasked_is_told_and_leads_to_its_screen(
    begin: Begin, qtbot: QtBot, site_folder: Path
) -> None:
    shell = begin(site_folder)
    sign_in(shell, qtbot)
    opened(shell, qtbot)
    watch = shell.findChild(IdleVerification)
    assert watch is not None
    assert watch._waiting.isActive()
    watch.broken.emit(Verdict(7, 4, "Its content was changed after it was written.", b""))
    assert shell.window.banner.words.startswith("The audit trail is broken at event 4")
    shell.window.banner._action.click()
    assert shell.window.screen_name == "audit"
    shell.window.sign_out()
    page(shell, SignInPage, qtbot)
    qtbot.waitUntil(lambda: shell.findChild(IdleVerification) is None)


def window_command(folder: Path) -> list[str]:
    return [sys.executable, "-m", "lumen_desktop", "--data", str(folder)]


def window_environment(settings: Path) -> dict[str, str]:
    environment = {**lumen_environment(), "QT_QPA_PLATFORM": "offscreen", "LUMEN_SETTINGS": str(settings)}
    environment.pop("PYTHONWARNINGS")
    return environment


@pytest.fixture
def launch(settings_file: Path) -> Iterator[Launch]:
    """Starts the program in a process of its own; whatever still runs after the test is killed."""
    begun: list[subprocess.Popen[str]] = []

    def start(folder: Path) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            window_command(folder), env=window_environment(settings_file), cwd=ROOT, stderr=subprocess.PIPE, text=True
        )
        begun.append(process)
        return process

    yield start
    for process in begun:
        process.kill()
        process.communicate()


def until(true: Callable[[], object], timeout_s: float = 60) -> None:
    """Waits for what other processes do."""
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("where", ["start page", "signing in", "wrong password", "open", "in use by another"])
def test_a_second_start_brings_the_first_window_forward_wherever_it_stands(
    begin: Begin, qtbot: QtBot, launch: Launch, *, tmp_path: Path, site_folder: Path, where: str
) -> None:
    folder = tmp_path / "none" if where == "start page" else site_folder
    with contextlib.ExitStack() as held:
        if where == "in use by another":
            held.enter_context(DataFolder(folder).writing("lumen chat"))
        shell = begin(folder)
        first_page = page(shell, WelcomePage if where == "start page" else SignInPage, qtbot)
        if isinstance(first_page, SignInPage) and where != "signing in":
            sign_in(shell, qtbot, "not the password of it" if where == "wrong password" else PASSWORD)
        if where == "wrong password":
            qtbot.waitUntil(lambda: _problem(shell) != "", timeout=WAIT_MS)
        elif where == "open":
            opened(shell, qtbot)
        elif where == "in use by another":
            page(shell, RefusedPage, qtbot)
        shell.window.showMinimized()
        assert shell.window.isMinimized()
        second = launch(folder)
        qtbot.waitUntil(lambda: second.poll() is not None, timeout=WAIT_MS)
    assert second.returncode == 0
    assert not shell.window.isMinimized()
    assert shell.window.isVisible()
    assert not list(tmp_path.rglob("window-*.call"))


def test_of_two_starts_at_once_one_shows_a_window_and_the_other_ends(
    launch: Launch, demonstration: Path, tmp_path: Path
) -> None:
    both = [launch(demonstration), launch(demonstration)]
    until(lambda: any(start.poll() is not None for start in both))
    (ended,) = (start for start in both if start.poll() is not None)
    (first,) = (start for start in both if start is not ended)
    assert ended.returncode == 0
    until(lambda: DataFolder(demonstration).is_held())
    assert launch(demonstration).wait(timeout=30) == 0
    assert first.poll() is None
    assert not list(tmp_path.rglob("window-*.call"))
    children = psutil.Process(first.pid).children()
    first.send_signal(signal.SIGTERM)
    said = first.communicate(timeout=20)[1]
    assert first.returncode == 0
    assert not psutil.wait_procs(children, timeout=5)[1]
    assert "Traceback" not in said
    assert said.count("does not support raise") >= 1  # it did try to come forward
    assert not DataFolder(demonstration).is_held()


def test_a_killed_window_leaves_its_place_to_the_next_start(launch: Launch, demonstration: Path) -> None:
    first = launch(demonstration)
    until(lambda: DataFolder(demonstration).is_held() and psutil.Process(first.pid).children())
    children = psutil.Process(first.pid).children()
    first.kill()
    first.wait(timeout=10)
    assert not psutil.wait_procs(children, timeout=30)[1]
    place = Presence(demonstration)
    assert place._take()
    place.leave()
    again = launch(demonstration)
    until(lambda: DataFolder(demonstration).is_held())
    again.send_signal(signal.SIGTERM)
    assert again.wait(timeout=20) == 0


def test_a_window_that_closes_answers_no_call(begin: Begin, qtbot: QtBot, site_folder: Path) -> None:
    shell = begin(site_folder)
    page(shell, SignInPage, qtbot)
    close(shell, qtbot)
    assert not Presence(site_folder)._take()
    Presence(site_folder)._call.touch()
    QTest.qWait(1000)
    assert Presence(site_folder).called()


@pytest.mark.parametrize("why", ["a file is there", "read-only disk"])
def test_where_settings_cannot_be_written_it_starts_all_the_same(
    begin: Begin,
    qtbot: QtBot,
    *,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    why: str,
) -> None:
    if why == "a file is there":
        folder = tmp_path / "file"
        folder.write_text("no folder", encoding="utf-8")
    else:
        folder = request.getfixturevalue("read_only_disk")
    monkeypatch.setenv("LUMEN_SETTINGS", str(folder / "settings.json"))
    for _ in range(2):  # the second one cannot know of the first
        shell = begin(tmp_path / "none")
        welcomed(shell, qtbot)
        assert shell.window.banner.words == ""
    QTest.qWait(500)
    assert "".join(capsys.readouterr()) == ""


@pytest.mark.parametrize(
    ("display", "said"), [({}, "no display"), ({"DISPLAY": ":4711"}, "does not answer")], ids=["none", "deaf"]
)
def test_without_a_display_it_works_in_the_terminal_and_says_so(
    tmp_path: Path, display: dict[str, str], said: str
) -> None:
    if sys.platform != "linux":
        pytest.skip("elsewhere there always is one")
    decided = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    environment = {name: value for name, value in lumen_environment().items() if name not in decided}
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    ended = subprocess.run(
        window_command(tmp_path / "file"), env={**environment, **display}, cwd=ROOT, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert said in ended.stderr
    assert "works in the terminal" in ended.stderr
    assert "STO-00" in ended.stderr


def test_the_entry_point_of_the_window_knows_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        program.window(["--help"])
    assert ended.value.code == 0
    assert "--data" in capsys.readouterr().out


def test_nothing_heavy_is_loaded_before_the_window_is_shown() -> None:
    code = "import sys, lumen_desktop.ui.application; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True,
        text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert "PySide6.QtWidgets" in loaded
    heavy = {"lumen_desktop.app", "numpy", "sqlalchemy", "alembic", "chromadb", "docx", "typer", "PySide6.QtNetwork"}
    assert not heavy & set(loaded)
