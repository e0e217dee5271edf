"""The settings: each change is checked, kept and used; the self-test and the notices show what they should."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel
from pytestqt.qtbot import QtBot

from lumen_desktop import __version__, app, settings
from lumen_desktop.engine.fake import Behaviour
from lumen_desktop.services import notices
from lumen_desktop.ui import errors, theme
from lumen_desktop.ui.settings.screen import SettingsScreen
from lumen_desktop.ui.widgets import Banner
from tests.rehearsal import RehearsalSite


@pytest.fixture
def screen(site: app.Site, settings_file: Path, qtbot: QtBot) -> Iterator[SettingsScreen]:
    made = SettingsScreen(site)
    qtbot.addWidget(made)
    banner = Banner(made)
    banner.setObjectName(errors.BANNER)
    made.resize(900, 700)
    made.show()
    yield made
    qtbot.waitUntil(lambda: not made.busy, timeout=20_000)


@pytest.fixture
def indexed(rehearsed: type[RehearsalSite], monkeypatch: pytest.MonkeyPatch) -> None:
    """The site has its real vector index."""
    monkeypatch.setattr(rehearsed, "indexed", True)


def kept(path: Path) -> settings.Settings:
    return settings.load(path)[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("threads", 1),
        ("context_tokens", 2048),
        ("quotes", 5),
        ("passages", 7),
        ("answer_tokens", 99),
        ("font_points", 14),
    ],
)
def test_a_number_is_kept(screen: SettingsScreen, settings_file: Path, name: str, value: int) -> None:
    screen.preferences.numbers[name].setValue(value + 1)
    screen.preferences.numbers[name].setValue(value)
    assert getattr(kept(settings_file), name) == value


def test_a_number_cannot_leave_its_range(screen: SettingsScreen) -> None:
    for name, box in screen.preferences.numbers.items():
        box.setValue(10**6)
        assert box.value() == settings.RANGES[name][-1]


def test_colours_and_text_size_apply_at_once(screen: SettingsScreen, settings_file: Path, qapp: QApplication) -> None:
    preferences = screen.preferences
    preferences.theme.setCurrentIndex(preferences.theme.findData("dark"))
    assert theme.current().name == "dark"
    preferences.numbers["font_points"].setValue(16)
    assert qapp.font().pointSizeF() == 16
    preferences.numbers["font_points"].setValue(preferences.numbers["font_points"].minimum())
    assert kept(settings_file).font_points == 0
    assert qapp.font().pointSizeF() == theme.BODY_POINTS
    assert kept(settings_file).theme == "dark"


def test_commentary_reaches_the_open_site(screen: SettingsScreen, site: app.Site, settings_file: Path) -> None:
    assert not site.settings.prose
    screen.preferences.prose.setChecked(True)
    assert site.settings.prose
    assert kept(settings_file).prose


def test_another_data_folder_counts_from_the_next_start(
    screen: SettingsScreen, settings_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "elsewhere"))
    screen.preferences._choose()
    assert kept(settings_file).data_folder == str(tmp_path / "elsewhere")
    assert screen.preferences.folder.text() == str(tmp_path / "elsewhere")
    assert "next start" in screen.preferences.notice.words
    screen.preferences._move("")
    assert kept(settings_file).data_folder == ""


def test_what_the_terminal_changed_is_shown(screen: SettingsScreen, settings_file: Path) -> None:
    settings.save(settings_file, settings.changed(settings.Settings(), "quotes", "9"))
    screen.activated()
    assert screen.preferences.numbers["quotes"].value() == 9


def test_settings_that_cannot_be_kept_are_refused_and_shown_as_they_were(
    screen: SettingsScreen, settings_file: Path
) -> None:
    settings_file.parent.parent.mkdir(exist_ok=True)
    settings_file.parent.write_text("a file where the folder should be", encoding="utf-8")
    screen.preferences.prose.setChecked(True)
    banner = screen.findChild(Banner, errors.BANNER)
    assert banner is not None
    assert "SET-003" in banner.words
    assert not screen.preferences.prose.isChecked()


@pytest.mark.usefixtures("indexed")
def test_the_self_test_shows_each_finding(screen: SettingsScreen, qtbot: QtBot) -> None:
    screen.test.run()
    assert screen.busy
    qtbot.waitUntil(lambda: not screen.busy, timeout=30_000)
    assert [finding.check for finding in screen.test.findings][:3] == ["program", "parts", "disk"]
    assert screen.test._lines.count() == len(screen.test.findings) == 9


@pytest.mark.usefixtures("indexed")
def test_a_part_that_fails_is_counted(
    screen: SettingsScreen, qtbot: QtBot, rehearsed: type[RehearsalSite], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsed, "chat_behaviour", Behaviour(crash_after=0))
    screen.test.run()
    qtbot.waitUntil(lambda: not screen.busy, timeout=30_000)
    assert "do not do their work" in screen.test.summary.text()


def test_the_self_test_stops_between_checks(screen: SettingsScreen, qtbot: QtBot) -> None:
    screen.test.run()
    screen.stop()
    qtbot.waitUntil(lambda: not screen.busy, timeout=30_000)
    assert len(screen.test.findings) < 7


def test_about_shows_version_use_and_every_notice(screen: SettingsScreen) -> None:
    about = screen.about
    words = " ".join(part.text() for part in about.findChildren(QLabel))
    assert __version__ in words
    assert "Not for emergencies" in words
    titles = [about.choice.itemText(at) for at in range(about.choice.count())]
    assert titles[:2] == ["Lumen Desktop: Apache License 2.0", "Notices of third parties"]
    for at, notice in enumerate(notices.notices()):
        about.choice.setCurrentIndex(at)
        assert about.text.toPlainText() == notice.text()
        assert len(notice.text()) > 500
    text = notices.notices()[1].text()
    assert all(name in text for name in ("Inter", "Lucide", "PySide6", "SmolLM2", "MiniLM"))


def test_without_a_site_all_but_the_self_test_works(qtbot: QtBot, settings_file: Path) -> None:
    screen = SettingsScreen(None)
    qtbot.addWidget(screen)
    screen.preferences.prose.setChecked(True)
    assert kept(settings_file).prose
    assert not screen.test.run_button.isEnabled()
