"""`lumen settings`, and what it decides for the other commands."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from lumen_desktop.services.chat import UNVERIFIED
from lumen_desktop.settings import Settings, save
from tests.cli.conftest import Here, Result, document, refusal, run_rehearsed
from tests.conftest import Lumen
from tests.services.conftest import RECALL_QUESTION

Own = Callable[..., Result]


def test_settings_are_set_shown_and_taken_back(settings_file: Path, lumen: Lumen) -> None:
    assert document(lumen("settings", "show", "--json")) == asdict(Settings())
    done = lumen("settings", "set", "theme", "dark")
    assert (done.returncode, done.stdout, done.stderr) == (0, "theme: dark\n", "")
    assert document(lumen("settings", "show", "--json"))["theme"] == "dark"
    assert lumen("settings", "set", "theme", "system").returncode == 0
    assert json.loads(settings_file.read_bytes()) == {}


def test_what_each_takes_is_shown(settings_file: Path, here: Here) -> None:
    here("settings", "set", "prose", "on", data=None)
    shown = here("settings", "show", data=None).stdout.splitlines()
    assert len(shown) == len(asdict(Settings())) + 1
    assert ["prose", "on", "(on", "or", "off)"] in [line.split() for line in shown]
    assert str(settings_file) in shown[-1]


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [("colour", "red", "SET-001"), ("quotes", "0", "SET-002"), ("theme", "", "SET-002"), ("threads", "x", "SET-002")],
)
def test_what_cannot_be_set_is_one_line(settings_file: Path, here: Here, name: str, value: str, code: str) -> None:
    assert refusal(here("settings", "set", name, value, data=None)) == code
    assert not settings_file.exists()


def test_settings_that_cannot_be_written_are_one_line(settings_file: Path, here: Here) -> None:
    settings_file.parent.touch()
    result = here("settings", "set", "quotes", "2", data=None)
    assert result.returncode == 2
    assert "SET-003" in result.stderr


def test_settings_that_cannot_be_read_are_said_and_do_no_harm(settings_file: Path, own: Own) -> None:
    settings_file.parent.mkdir()
    settings_file.write_text('{"quotes": 100, "prose": "yes"}')
    result = own("ask", RECALL_QUESTION, "--json")
    assert document(result)["commentary"] == ""
    assert "The setting quotes takes 1 to 10; its default is used." in result.stderr
    assert "The setting prose takes on or off" in result.stderr


@pytest.mark.parametrize(
    ("prose", "switch", "commented"),
    [(False, [], False), (True, [], True), (True, ["--no-prose"], False), (False, ["--prose"], True)],
)
def test_commentary_is_as_the_settings_say_unless_the_command_does(
    settings_file: Path, own: Own, *, prose: bool, switch: list[str], commented: bool
) -> None:
    save(settings_file, Settings(prose=prose))
    assert bool(document(own("ask", RECALL_QUESTION, "--json", *switch))["commentary"]) is commented
    talk = own("chat", *switch, given=f"{RECALL_QUESTION}\n/quit\n")
    assert (UNVERIFIED in talk.stdout) is commented


def test_a_demonstration_is_made_and_found_in_the_folder_that_is_set(settings_file: Path, tmp_path: Path) -> None:
    sites = tmp_path / "sites"
    assert run_rehearsed("settings", "set", "data_folder", sites, data=None).returncode == 0
    made = run_rehearsed("demo", data=None)
    assert made.returncode == 0, made.stderr
    assert f"The site is in {sites / 'demonstration'}" in made.stdout
    assert document(run_rehearsed("conversation", "list", "--json", data=None)) == []
