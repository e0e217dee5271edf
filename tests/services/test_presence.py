"""Where starts of the program meet: who has the place, who is called, and who never meets."""

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from lumen_desktop import paths, settings
from lumen_desktop.services.presence import Presence
from tests.conftest import ROOT, lumen_environment


def test_a_start_while_the_first_window_closes_waits_and_shows_its_own(settings_file: Path) -> None:
    first = Presence(None)
    assert first.first(0)
    code = "from lumen_desktop.services.presence import Presence; print(Presence(None).first())"
    with subprocess.Popen(
        [sys.executable, "-c", code], env=lumen_environment(), cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as second:
        deadline = time.monotonic() + 20
        while not list(settings_file.parent.glob("window-*.call")):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        first.leave()
        assert second.communicate(timeout=20)[0] == "True\n"
    assert not list(settings_file.parent.glob("window-*.call"))


def test_a_call_that_nobody_hears_is_given_up(settings_file: Path) -> None:
    first, second = Presence(None), Presence(None)
    assert first.first(0)
    assert not second._take()
    assert second.first(timeout_s=0.3)
    assert not first.called()
    first.leave()
    assert second._take()
    second.leave()


@pytest.mark.usefixtures("settings_file")
def test_starts_for_other_persons_folders_and_screens_do_not_meet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = [Presence(None), Presence(tmp_path / "another"), Presence(tmp_path / "a third")]
    for name, value in (
        ("DISPLAY", ":4711"),
        ("WAYLAND_DISPLAY", "wayland-47"),
        ("XDG_DATA_HOME", str(tmp_path / "other data")),
        ("LUMEN_SETTINGS", str(tmp_path / "config" / "beside.json")),
        ("LUMEN_SETTINGS", str(tmp_path / "elsewhere" / "settings.json")),
    ):
        if name == "XDG_DATA_HOME" and sys.platform != "linux":
            continue
        monkeypatch.setenv(name, value)
        places.append(Presence(None))
    assert [place._take() for place in places] == [True] * len(places)
    for place in places:
        place.leave()


def test_a_folder_that_is_named_meets_the_start_without_a_name_where_both_mean_it(
    settings_file: Path, tmp_path: Path
) -> None:
    sites = tmp_path / "sites"
    settings.save(settings_file, replace(settings.Settings(), data_folder=str(sites)))
    usual = Presence(None)
    assert usual.first(0)
    (tmp_path / "link").symlink_to(sites)
    assert not Presence(paths.own_site(sites))._take()
    assert not Presence(paths.own_site(tmp_path / "link"))._take()
    paths.demonstration(sites).mkdir(parents=True)
    assert not Presence(paths.demonstration(sites))._take()
    paths.own_site(sites).mkdir()
    demonstration = Presence(paths.demonstration(sites))
    assert demonstration.first(0)  # beside a site of one's own it is another one
    demonstration.leave()
    usual.leave()
