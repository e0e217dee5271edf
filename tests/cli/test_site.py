"""Sites from the command line: made, completed, refused; doctor, audit; and what every command has in common."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlcipher3.dbapi2

from lumen_desktop import __version__, app, paths
from lumen_desktop.app import DEMONSTRATION_NOTICE
from lumen_desktop.storage import audit, keys
from tests.cli.conftest import QUESTION, Here, Result, document, refusal, run_rehearsed
from tests.conftest import AS_HOLDER, HOLDER, PASSWORD, ROOT, Lumen, lumen_command, lumen_environment

Own = Callable[..., Result]


# --- making sites ---


def test_a_demonstration_is_made_once_and_completed(here: Here, demo: Path) -> None:
    result = here("demo", data=demo)
    assert result.returncode == 0
    assert DEMONSTRATION_NOTICE in result.stdout
    assert DEMONSTRATION_NOTICE in result.stderr
    assert "0 summaries added," in result.stdout
    assert "not for emergencies" in result.stdout.lower() or "emergenc" in result.stdout.lower()
    (first,) = document(here("library", "list", "--json", data=demo))[:1]
    removed = here("library", "remove", first["id"], data=demo, user="officer", password="demonstration")
    assert removed.returncode == 0, removed.stderr
    assert "1 summaries added," in here("demo", data=demo).stdout
    if os.name == "posix":
        assert stat.S_IMODE(demo.stat().st_mode) == 0o700


FOUNDING = ("init", "--name", "St Luke's Pharmacy", "--printed-name", "Hilda Holder")


def test_an_own_site_is_made_and_completed_by_asking_again(here: Here, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    assert refusal(here("init", data=folder)) == "KEY-007"
    assert refusal(here(*FOUNDING, data=folder, password="too short")) == "ACC-010"
    assert refusal(here(*FOUNDING, data=folder, password="passwordpassword")) == "ACC-012"
    assert not folder.exists()
    result = run_rehearsed(*FOUNDING, data=folder, env=AS_HOLDER)
    assert result.returncode == 0, result.stderr
    assert "DEMONSTRATION" not in result.stdout + result.stderr
    assert re.search(r"shown once: ([A-Z2-7]{4}-){7}[A-Z2-7]{4}$", result.stdout, re.MULTILINE)
    assert "summaries added, 0 there already" in result.stdout
    assert "0 summaries added," in here("init", data=folder, password=PASSWORD).stdout
    assert refusal(here("init", data=folder, password=PASSWORD + "!")) == "KEY-001"
    assert refusal(here("ask", QUESTION, data=folder)) == "KEY-007"
    assert refusal(here("demo", data=folder)) == "SIT-002"
    left = "".join(f.read_text(errors="replace") for f in folder.glob("*") if f.is_file())
    assert not [word for word in (PASSWORD, HOLDER.user, "Luke", "Hilda") if word in left]


def test_an_own_site_is_not_made_in_a_demonstration_or_among_other_files(
    here: Here, demo: Path, tmp_path: Path
) -> None:
    assert refusal(here(*FOUNDING, data=demo, password=PASSWORD)) == "SIT-002"
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "a.docx").touch()
    assert refusal(here(*FOUNDING, data=tmp_path / "letters", password=PASSWORD)) == "STO-002"


# --- sites that cannot be used ---


def spoil_database(folder: Path) -> None:
    content = bytearray((folder / "lumen.db").read_bytes())
    content[len(content) // 2] ^= 1
    content[2000] ^= 1
    (folder / "lumen.db").write_bytes(content)


def spoil_key(folder: Path) -> None:
    (folder / "site.key").write_text("{", encoding="utf-8")


def newer(folder: Path) -> None:
    fields = json.loads((folder / "site.key").read_text(encoding="utf-8"))
    (folder / "site.key").write_text(json.dumps({**fields, "format": keys.FORMAT + 1}), encoding="utf-8")


def passed_off(folder: Path) -> None:
    fields = json.loads((folder / "site.key").read_text(encoding="utf-8"))
    (folder / "site.key").write_text(json.dumps({**fields, "demonstration": False}), encoding="utf-8")


def without_database(folder: Path) -> None:
    (folder / "lumen.db").unlink()


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (spoil_database, "STO-010"),
        (spoil_key, "KEY-003"),
        (newer, "STO-006"),
        (passed_off, "KEY-001"),
        (without_database, "STO-007"),
    ],
)
def test_a_spoilt_site_is_one_line(here: Here, demo: Path, spoil: Callable[[Path], None], code: str) -> None:
    spoil(demo)
    assert refusal(here("library", "list", data=demo, user="pharmacist", password="demonstration")) == code


def test_a_place_without_a_site_is_one_line(here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal(here("ask", "What?", data=tmp_path)) == "SIT-001"
    assert refusal(here("ask", "What?", data=tmp_path / ("x" * 300))) == "STO-001"
    monkeypatch.setattr(paths, "user_data", lambda: tmp_path)
    assert refusal(here("ask", "What?", data=None)) == "SIT-001"


def test_a_disk_that_cannot_be_written_is_one_line_for_writers(read_only_disk: Path) -> None:
    env = AS_HOLDER
    assert refusal(run_rehearsed("ask", "What?", data=read_only_disk, env=env)) == "STO-001"
    assert run_rehearsed("audit", "verify", data=read_only_disk, env=env).returncode in {0, 2}


@pytest.fixture
def chatting(demo: Path) -> Iterator[subprocess.Popen[str]]:
    """A `lumen chat` that holds the demonstration."""
    process = subprocess.Popen(
        lumen_command("chat", data=demo, rehearsal=True), env=lumen_environment({"LUMEN_CHEAP_KEYS": "1"}, {}),
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout
    assert "Ask a question" in process.stdout.readline()
    yield process
    process.communicate("/quit\n", timeout=60)
    assert process.returncode == 0


def test_beside_a_writer_readers_work_and_writers_are_told_who_holds_it(
    here: Here, demo: Path, chatting: subprocess.Popen[str]
) -> None:
    result = run_rehearsed("ask", QUESTION, data=demo)
    assert refusal(result) == "STO-004"
    assert f"lumen chat, process {chatting.pid}, since 20" in result.stderr
    assert refusal(here("library", "add", "a.txt", data=demo)) == "STO-004"
    assert len(document(run_rehearsed("library", "list", "--json", data=demo))) >= 40
    assert document(here("library", "search", "recall", "--json", data=demo))
    assert document(here("audit", "verify", "--json", data=demo))["whole"] is True
    assert document(here("answer", 1, "--json", data=demo))["status"] == "grounded"


# --- doctor, audit, about ---


def test_the_doctor_says_what_it_looked_at(own: Own) -> None:
    result = own("doctor", "--json", engines={"indexed": True})
    checks = {check["check"]: check for check in json.loads(result.stdout)["checks"]}
    parts = {
        "program",
        "parts",
        "disk",
        "database",
        "audit trail",
        "signatures",
        "embedding model",
        "chat model",
        "vector index",
    }
    assert parts == set(checks)
    assert checks["audit trail"]["good"]
    failing = own("doctor", engines={"chat": {"crash_after": 0}, "indexed": True})
    assert failing.returncode == 1
    assert "BAD  chat model" in failing.stdout
    assert "ok   audit trail" in failing.stdout


def test_the_trail_is_listed_and_verified(own: Own) -> None:
    events = document(own("audit", "list", "-n", "3", "--json", apart=True))
    assert [event["seq"] for event in events] == list(range(events[0]["seq"], events[0]["seq"] + 3))
    assert {"actor", "role", "act", "entity", "entity_id", "reason", "time_utc", "hash"} <= events[0].keys()
    verdict = document(own("audit", "verify", "--json", apart=True))
    head, outside = verdict.pop("head"), verdict.pop("outside")["seq"]
    last = events[-1]["seq"] + 2  # out and in
    assert outside <= events[-1]["seq"]
    assert verdict == {
        "whole": True, "events": last, "first_bad": None, "good_until": outside, "fault": "", "reason": "",
    }  # fmt: skip
    assert head in [event["hash"] for event in document(own("audit", "list", "-n", "5", "--json", apart=True))]
    assert f"whole: {last + 4} events" in own("audit", "verify").stdout  # two sign-outs and -ins later
    assert len(own("audit", "list", "-n", "2").stdout.splitlines()) == 2


def test_a_broken_trail_is_status_one_and_not_listed_as_if_it_were_true(
    own: Own, site_folder: Path, cheap_keys: None
) -> None:
    raw = sqlcipher3.dbapi2.connect(str(site_folder / "lumen.db"), isolation_level=None)
    raw.execute(
        f"PRAGMA key = \"x'{keys.KeyFile.read(site_folder / 'site.key').open(HOLDER.user, PASSWORD).key.hex()}'\""
    )
    for guard in audit.GUARDS:
        raw.execute(f"DROP TRIGGER {guard}")
    raw.execute("UPDATE audit_event SET body = x'00' WHERE seq = 3")
    for statement in audit.GUARDS.values():
        raw.execute(statement)
    raw.close()
    verdict = document(own("audit", "verify", "--json"), status=1)
    assert (verdict["whole"], verdict["first_bad"]) == (False, 3)
    shown = own("audit", "verify")
    assert shown.returncode == 1
    assert shown.stdout.startswith("The audit trail is broken at event 3: ")
    assert refusal(own("audit", "list")) == "AUD-001"


def test_about_states_the_intended_use_without_a_site(lumen: Lumen) -> None:
    result = lumen("about")
    assert result.returncode == 0
    assert (ROOT / "resources" / "intended_use.txt").read_text(encoding="utf-8").strip() in result.stdout


# --- what every command has in common ---


@pytest.mark.parametrize(
    "arguments",
    [
        ["unknown"],
        ["--unknown"],
        ["ask"],
        ["ask", "What?", "--unknown"],
        ["ask", "What?", "--data", "x"],
        ["answer", "x"],
    ],
    ids=" ".join,
)
def test_a_command_line_that_is_none_is_one_line(here: Here, arguments: list[str]) -> None:
    assert refusal(here(*arguments, data=None)) == "CLI-001"


def test_an_unknown_command_is_one_line_of_a_real_process_too(lumen: Lumen) -> None:
    assert refusal(lumen("unknown")) == "CLI-001"


def test_help_and_version(lumen: Lumen) -> None:
    assert lumen("--version").stdout == f"lumen {__version__}\n"
    assert "library" in lumen("--help").stdout
    without = lumen()
    assert without.returncode == 2
    assert "ask" in without.stdout + without.stderr
    assert "Traceback" not in without.stderr


def test_the_folder_may_stand_in_the_environment(demo: Path) -> None:
    result = run_rehearsed("audit", "verify", "--json", data=None, env={"LUMEN_DATA": str(demo)})
    assert document(result)["whole"] is True
    assert result.stderr == DEMONSTRATION_NOTICE + "\n"


def test_no_window_and_no_heavy_library_is_loaded() -> None:
    """The command line loads no Qt; what parses documents or runs models is loaded in children only."""
    apart = ("PySide6", "shiboken6", "llama_cpp", "chromadb", "pypdfium2", "docx", "torch", "transformers")
    code = f"import sys, lumen_desktop.cli; print([name for name in {apart} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of a POSIX shell")
def test_a_reader_that_goes_away_is_no_fault_of_ours(demo: Path) -> None:
    process = subprocess.Popen(
        lumen_command("library", "list", "--json", data=demo, rehearsal=True),
        env=lumen_environment({"LUMEN_CHEAP_KEYS": "1"}, {}), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert process.stdout
    process.stdout.close()
    process.stdout = None
    _, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    assert "Exception" not in err


def test_the_console_script_is_installed() -> None:
    script = Path(sys.executable).with_name("lumen.exe" if sys.platform == "win32" else "lumen")
    if not script.exists():
        pytest.skip("the project is not installed beside this Python")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"lumen {__version__}\n"


def test_the_users_own_site_goes_before_the_demonstration(
    tmp_path: Path, demo_folder: Path, site_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "user_data", lambda: tmp_path / "data")
    shutil.copytree(demo_folder, tmp_path / "data" / "demonstration")
    assert app.find_site(None).demonstration
    shutil.copytree(site_folder, tmp_path / "data" / "site")
    assert not app.find_site(None).demonstration
