"""Who a command runs as: named, from standard input or the environment; a real site never assumes anybody."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lumen_desktop.storage.keys import RECOVERY, KeyFile
from tests.cli.conftest import Here, Result, document, refusal, run_rehearsed
from tests.conftest import AS_HOLDER, HOLDER, PASSWORD
from tests.services.test_founding import PASSPHRASE, former_site

Own = Callable[..., Result]
FOUNDING = ("init", "--name", "St Luke's Pharmacy", "--printed-name", "Hilda Holder")


def signed_in(result: Result) -> str:
    """Who did the last thing that the trail of a site tells."""
    assert result.returncode == 0, result.stderr
    events = json.loads(result.stdout)
    return str(next(event["actor"] for event in reversed(events) if event["act"] == "signed in"))


@pytest.mark.parametrize(
    "arguments",
    [["ask", "What?"], ["library", "list"], ["audit", "verify"], ["doctor"], ["conversation", "list"], ["demo"],
     ["init"], ["answer", "1"], ["user", "list"]],
    ids=" ".join,
)  # fmt: skip
def test_the_passphrase_of_former_versions_is_refused_with_a_hint(
    here: Here, demo: Path, site_folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setenv("LUMEN_PASSPHRASE", PASSPHRASE)
    fresh = site_folder.parent / "fresh"
    for folder in (demo, site_folder, *([fresh] if arguments[0] in {"init", "demo"} else [])):
        result = here(*arguments, data=folder, password=PASSWORD)
        assert refusal(result) == "KEY-005"
        assert "LUMEN_USER" in result.stderr
        assert PASSPHRASE not in result.stderr
    assert not fresh.exists()


def test_an_empty_one_is_none(own: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUMEN_PASSPHRASE", "")
    assert own("library", "list").returncode == 0


def test_a_password_comes_from_standard_input_and_goes_before_the_environment(site_folder: Path) -> None:
    arguments = ("--user", "HOLDER", "--password-stdin", "audit", "list", "--json")
    env = {"LUMEN_PASSWORD": "not the one"}
    for given in (PASSWORD + "\n", PASSWORD + "\r\n", PASSWORD, PASSWORD + "\nmore\n"):
        assert signed_in(run_rehearsed(*arguments, data=site_folder, given=given, env=env)) == "holder"
    for given, code in (("", "KEY-004"), ("\n", "KEY-004"), ("wrong\n", "KEY-001"), (PASSWORD + " \n", "KEY-001")):
        assert refusal(run_rehearsed(*arguments, data=site_folder, given=given, env=env)) == code


def test_a_real_site_assumes_nobody(here: Here, site_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal(here("library", "list", data=site_folder)) == "KEY-007"
    monkeypatch.setenv("LUMEN_USER", "holder")
    assert refusal(run_rehearsed("library", "list", data=site_folder, env={"LUMEN_USER": "holder"})) == "KEY-004"
    only_password = {"LUMEN_PASSWORD": PASSWORD}
    assert refusal(run_rehearsed("library", "list", data=site_folder, env=only_password)) == "KEY-007"
    for user in ("pharmacist", "admin"):
        both = {"LUMEN_USER": user, "LUMEN_PASSWORD": "demonstration"}
        assert refusal(run_rehearsed("library", "list", data=site_folder, env=both)) == "KEY-001"


@pytest.mark.parametrize("user", ["pharmacist", "officer", "reviewer", "approver", "admin", ""])
def test_the_demonstration_runs_as_whom_is_named_and_else_as_its_pharmacist(demo: Path, user: str) -> None:
    env = {"LUMEN_USER": user} if user else {}
    result = run_rehearsed("audit", "list", "-n", "500", "--json", data=demo, env=env)
    assert signed_in(result) == (user or "pharmacist")


def test_a_password_that_is_given_counts_at_the_demonstration_too(demo: Path) -> None:
    assert document(run_rehearsed("--user", "officer", "library", "list", "--json", data=demo))
    wrong = {"LUMEN_USER": "officer", "LUMEN_PASSWORD": "something else"}
    assert refusal(run_rehearsed("library", "list", data=demo, env=wrong)) == "KEY-001"


def test_each_duty_of_the_demonstration_stops_where_it_ends(here: Here, demo: Path) -> None:
    def run(user: str, *arguments: object) -> Result:
        return here(*arguments, data=demo, user=user, password="demonstration")

    assert refusal(run("admin", "ask", "What?")) == "ACC-001"
    assert refusal(run("pharmacist", "library", "remove", "1")) == "ACC-001"
    assert refusal(run("pharmacist", "user", "list")) == "ACC-001"
    assert refusal(run("officer", "answer", "1")) == "ACC-002"
    assert document(run("officer", "conversation", "list", "--json")) == []


def test_a_site_with_a_passphrase_says_how_it_gets_its_people_and_gets_them(tmp_path: Path, cheap_keys: None) -> None:
    folder = former_site(tmp_path / "site")
    assert refusal(run_rehearsed("library", "list", data=folder, env=AS_HOLDER)) == "SIT-003"
    wrong = run_rehearsed("--password-stdin", *FOUNDING, data=folder, env=AS_HOLDER, given=f"wrong\n{PASSWORD}\n")
    assert refusal(wrong) == "KEY-006"
    assert refusal(run_rehearsed(*FOUNDING, data=folder, env=AS_HOLDER)) == "KEY-004"
    made = run_rehearsed("--password-stdin", *FOUNDING, data=folder, env={"LUMEN_USER": HOLDER.user},
                         given=f"{PASSPHRASE}\n{PASSWORD}\n")  # fmt: skip
    assert made.returncode == 0, made.stderr
    assert "Recovery code, shown once: " in made.stdout
    found = document(run_rehearsed("conversation", "list", "--json", data=folder, env=AS_HOLDER))
    assert len(found) == 2


def test_a_former_demonstration_is_not_taken_for_a_site_of_ones_own(here: Here, tmp_path: Path) -> None:
    folder = former_site(tmp_path / "demo", "demonstration", demonstration=True)
    assert refusal(here(*FOUNDING, data=folder, password=PASSWORD)) == "SIT-002"
    assert len(document(here("conversation", "list", "--json", data=folder))) == 2


def test_the_recovery_code_goes_into_a_file_only_where_asked_for(here: Here, tmp_path: Path) -> None:
    code_file = tmp_path / "recovery.txt"
    made = here(*FOUNDING, "--recovery-file", code_file, data=tmp_path / "site", password=PASSWORD)
    code = code_file.read_text(encoding="utf-8").strip()
    assert code not in made.stdout + made.stderr
    assert "delete the file" in made.stderr
    assert KeyFile.read(tmp_path / "site" / "site.key").open(RECOVERY, code)


def test_a_recovery_code_that_cannot_be_written_is_shown_and_not_lost(here: Here, tmp_path: Path) -> None:
    made = here(*FOUNDING, "--recovery-file", tmp_path / "none" / "code", data=tmp_path / "site", password=PASSWORD)
    assert made.returncode == 0
    code = made.stdout.split("shown once: ")[1][:39]
    assert "STO-001" in made.stderr
    assert KeyFile.read(tmp_path / "site" / "site.key").open(RECOVERY, code)


def test_a_moved_database_is_told_and_its_key_is_left_alone(here: Here, site_folder: Path, tmp_path: Path) -> None:
    key_file = (site_folder / "site.key").read_bytes()
    (site_folder / "lumen.db").rename(tmp_path / "lumen.db")
    assert refusal(here("doctor", data=site_folder, password=PASSWORD)) == "STO-007"
    assert refusal(here(*FOUNDING, data=site_folder, password=PASSWORD)) == "STO-007"
    assert refusal(here("demo", data=site_folder)) == "SIT-002"
    assert (site_folder / "site.key").read_bytes() == key_file
    assert not (site_folder / "lumen.db").exists()
