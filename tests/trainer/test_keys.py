"""A publisher's key from the command line to a verified build: made, kept shut, used, and nowhere it should not be."""

import io
import json
import os
import pty
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lumen_desktop.bundle import read_root, seal, write
from lumen_desktop.errors import AccessError, InputError, LumenError
from tests.bundle.conftest import facts, files
from tests.conftest import ROOT
from trainer import cli, keys

PASSPHRASE = "correct horse battery staple"
Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stretches a passphrase in a millisecond; one test has the real cost."""
    monkeypatch.setattr(keys, "_MEMORY_KIB", 64)
    monkeypatch.setattr(keys, "_PASSES", 1)


def code_of(act: object, *arguments: object) -> str:
    with pytest.raises(LumenError) as caught:
        act(*arguments)  # type: ignore[operator]
    return caught.value.code


def test_a_key_opens_with_its_passphrase_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # the real cost, once
    made = keys.make("anna", PASSPHRASE, tmp_path)
    signer = keys.opened(made.private, PASSPHRASE)
    assert (signer.name, signer.public.hex()) == ("anna", made.key)
    assert keys.read_public(made.public).key == signer.public
    with pytest.raises(AccessError) as caught:
        keys.opened(made.private, PASSPHRASE + "!")
    assert caught.value.code == "TRN-113"


def test_the_private_half_is_for_its_owner_and_not_in_the_clear(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    made = keys.make("anna", PASSPHRASE, folder)
    assert stat.S_IMODE(made.private.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    private = keys.opened(made.private, PASSPHRASE).private
    for file in (made.private, made.public):
        assert private.hex() not in file.read_text()
        assert private not in file.read_bytes()


def test_a_passphrase_is_the_same_however_its_letters_were_typed(tmp_path: Path) -> None:
    made = keys.make("anna", "mu\u0308llers nachtapotheke", tmp_path)
    assert keys.opened(made.private, "m\u00fcllers nachtapotheke").name == "anna"


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    made = keys.make("anna", PASSPHRASE, tmp_path)
    before = made.private.read_bytes()
    assert code_of(keys.make, "anna", PASSPHRASE, tmp_path) == "TRN-110"
    made.private.unlink()
    assert code_of(keys.make, "anna", PASSPHRASE, tmp_path) == "TRN-110"  # the public one is there
    assert made.public.is_file()
    assert before


@pytest.mark.parametrize("name", ["", "Anna", "../anna", "a" * 41, "a b", "-a", "ä"])
def test_a_name_is_plain(tmp_path: Path, name: str) -> None:
    assert code_of(keys.make, name, PASSPHRASE, tmp_path) == "TRN-110"


def test_no_key_is_made_under_version_control(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    inside = tmp_path / "deep" / "down"
    with pytest.raises(InputError, match="version control"):
        keys.make("anna", PASSPHRASE, inside)
    assert not inside.exists()
    worktree = tmp_path / "worktree"
    worktree.mkdir()
    (tmp_path / ".git").rmdir()
    (worktree / ".git").write_text("gitdir: elsewhere\n")
    assert code_of(keys.make, "anna", PASSPHRASE, worktree / "keys") == "TRN-110"
    (tmp_path / "link").symlink_to(worktree)
    assert code_of(keys.make, "anna", PASSPHRASE, tmp_path / "link") == "TRN-110"


def test_a_short_passphrase_is_refused(tmp_path: Path) -> None:
    assert code_of(keys.make, "anna", "x" * 14, tmp_path) == "TRN-111"
    assert not list(tmp_path.iterdir())


def test_a_changed_key_is_refused(tmp_path: Path) -> None:
    made = keys.make("anna", PASSPHRASE, tmp_path)
    fields = json.loads(made.private.read_text())
    for changes in (
        {"form": "lumen-key/2"}, {"name": "Anna"}, {"name": 1}, {"salt": "zz" * 16}, {"salt": "00"}, {"more": "1"},
        {"private": fields["private"].upper() + "A"},
    ):  # fmt: skip
        made.private.write_text(json.dumps(fields | changes))
        assert code_of(keys.opened, made.private, PASSPHRASE) == "TRN-112"
    for changes in ({"name": "berta"}, {"key": "00" * 32}, {"private": "00" * 48}):
        made.private.write_text(json.dumps(fields | changes))
        assert code_of(keys.opened, made.private, PASSPHRASE) == "TRN-113"
    for content in ("", "[]", "{", "x" * 5000):
        made.private.write_text(content)
        assert code_of(keys.opened, made.private, PASSPHRASE) == "TRN-112"
    assert code_of(keys.opened, tmp_path / "none", PASSPHRASE) == "TRN-112"
    assert code_of(keys.opened, made.public, PASSPHRASE) == "TRN-112"


def command(*arguments: object, given: str = "") -> subprocess.CompletedProcess[str]:
    """Runs the command line as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "trainer", *map(str, arguments)], input=given, cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}, check=False, timeout=60,
    )  # fmt: skip


def test_a_key_is_made_from_standard_input(tmp_path: Path) -> None:
    done = command("keygen", "anna", "--folder", tmp_path, "--password-stdin", "--json", given=PASSPHRASE + "\n")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert keys.read_public(Path(made["public"])).key.hex() == made["key"]
    assert PASSPHRASE not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("given", "arguments"),
    [
        ("", ["--password-stdin"]),
        ("x" * 2000, ["--password-stdin"]),
        (PASSPHRASE, []),  # not asked for from there
        ("short\n", ["--password-stdin"]),
        (PASSPHRASE, ["--password-stdin", "--folder", str(ROOT)]),
    ],
)
def test_a_key_is_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured, given: str, arguments: list[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(given))
    assert cli.run(["keygen", "anna", "--folder", str(tmp_path), *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err[:7] in {"TRN-110", "TRN-111", "TRN-114"}
    assert not list(tmp_path.iterdir())


def test_a_passphrase_is_typed_twice_and_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # the command has the real cost
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "trainer", "keygen", "anna", "--folder", str(tmp_path)], stdin=theirs, stderr=theirs,
        stdout=subprocess.DEVNULL, start_new_session=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:  # fmt: skip
        os.close(theirs)
        seen = b""
        for typed in (PASSPHRASE, PASSPHRASE + "!", PASSPHRASE, PASSPHRASE):  # the second time another: asked anew
            while not seen.rstrip().endswith(b":"):
                seen += os.read(ours, 4096)
            time.sleep(0.2)  # it empties the line, then it reads
            os.write(ours, typed.encode() + b"\n")
            seen += b"|"
        assert process.wait(timeout=60) == 0
    os.close(ours)
    assert PASSPHRASE.encode() not in seen
    assert keys.opened(tmp_path / "anna.key.json", PASSPHRASE).name == "anna"


@pytest.fixture
def made(tmp_path: Path) -> list[keys.MadeKey]:
    return [keys.make(name, PASSPHRASE, tmp_path / "keys") for name in ("trainer", "quality", "release")]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The passphrase comes from standard input."""
    monkeypatch.setattr("trainer.cli.passphrase._line", lambda: PASSPHRASE)


def rooted(folder: Path, made: list[keys.MadeKey]) -> Path:
    """A root file of three keys, sealed by two, made on the command line."""
    file = folder / "root.json"
    public = [word for key in made for word in ("--key", str(key.public))]
    assert cli.run(["root", "make", str(file), *public, "--expires", "2099-01-01"]) == 0
    assert cli.run(["root", "check", str(file)]) == 2
    for key in made[:2]:
        assert cli.run(["root", "sign", str(file), "--key", str(key.private), "--password-stdin"]) == 0
    return file


def test_a_root_file_is_made_sealed_and_checked(
    tmp_path: Path, made: list[keys.MadeKey], typed: None, capsys: Captured
) -> None:
    file = rooted(tmp_path, made)
    assert cli.run(["root", "check", str(file)]) == 0
    assert "2 of trainer, quality, release" in capsys.readouterr().out
    assert read_root(file).version == 1
    assert cli.run(["root", "make", str(file), "--key", str(made[0].public), "--expires", "2099-01-01"]) == 2
    assert "TRN-115" in capsys.readouterr().err


def test_a_root_file_takes_anothers_place(
    tmp_path: Path, made: list[keys.MadeKey], typed: None, capsys: Captured
) -> None:
    old, new = rooted(tmp_path, made), tmp_path / "root-2.json"
    fresh = keys.make("fresh", PASSPHRASE, tmp_path / "keys")
    public = [word for key in (made[0], fresh) for word in ("--key", str(key.public))]
    assert cli.run(["root", "make", str(new), *public, "--expires", "2099-01-01", "--after", str(old)]) == 0
    for key in (made[0], fresh):
        assert cli.run(["root", "sign", str(new), "--key", str(key.private), "--password-stdin"]) == 0
    capsys.readouterr()
    assert cli.run(["root", "check", str(new), "--after", str(old)]) == 2
    assert capsys.readouterr().err.startswith("BUN-012")
    assert cli.run(["root", "sign", str(new), "--key", str(made[1].private), "--password-stdin"]) == 0
    assert cli.run(["root", "check", str(new), "--after", str(old)]) == 0


def test_a_build_is_verified(tmp_path: Path, made: list[keys.MadeKey], typed: None, capsys: Captured) -> None:
    root, path = rooted(tmp_path, made), tmp_path / "tiny.lumenbuild"
    write(path, facts(expires=""), files(tmp_path / "parts"))
    capsys.readouterr()
    assert cli.run(["verify", str(path), "--root", str(root)]) == 1
    assert capsys.readouterr().out.startswith("Not valid. BUN-005: ")
    for key in made[:2]:
        seal(path, keys.opened(key.private, PASSPHRASE))
    assert cli.run(["verify", str(path), "--root", str(root), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["valid"], said["sealed_by"], said["manifest"]["build"]) == (True, ["trainer", "quality"], 7)
    assert cli.run(["verify", str(path), "--root", str(root)]) == 0
    assert capsys.readouterr().out.startswith("Valid. lumen-tiny build 7 (F32), sealed by trainer, quality.")
    assert cli.run(["verify", str(path), "--root", str(root), "--last-build", "8", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["code"] == "BUN-009"
    assert cli.run(["verify", str(path), "--root", str(root), "--app-version", "0.0.9"]) == 1
    path.write_bytes(path.read_bytes()[:-1])
    assert cli.run(["verify", str(path), "--root", str(root)]) == 1


def test_what_cannot_be_asked_is_refused(
    tmp_path: Path, made: list[keys.MadeKey], typed: None, capsys: Captured
) -> None:
    root = rooted(tmp_path, made)
    capsys.readouterr()
    for arguments, code in (
        (["verify", str(tmp_path / "none"), "--root", str(root)], "BUN-015"),
        (["verify", str(root), "--root", str(tmp_path / "none")], "BUN-015"),
        (["verify", str(root), "--root", str(made[0].public)], "BUN-010"),
        (["verify", str(root), "--root", str(root), "--app-version", "one"], "TRN-001"),
    ):
        assert cli.run(arguments) == 2
        said = capsys.readouterr()
        assert (said.out, said.err[:7]) == ("", code)
