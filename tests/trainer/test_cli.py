"""The trainer's command line: what it prints, where, and with which exit status."""

import hashlib
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lumen_desktop.errors import InputError, StorageError
from tests.conftest import ROOT
from tests.trainer.conftest import COMMAND, TINY, Trainer, environment, line, written
from trainer import cli
from trainer.cli import output
from trainer.collect import run as running
from trainer.config import Config
from trainer.lines import LinesFile, read_examples, read_lines, read_records, write_json
from trainer.records import Example, Message

Configured = Callable[..., Config]


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line in this process reads the tests' sources."""
    monkeypatch.setattr(running, "REGISTRY", TINY)


def test_it_says_its_version_and_its_commands(lumen_trainer: Trainer) -> None:
    done = lumen_trainer("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, "lumen-trainer 0.1.0\n", "")
    shown = lumen_trainer("--help")
    assert shown.returncode == 0
    assert all(name in shown.stdout for name in ("sources", "collect", "validate"))


def test_the_module_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "trainer", "--version"], env=environment(), cwd=ROOT, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, b"lumen-trainer 0.1.0\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--what"], "TRN-001: No such option: --what"),
        (["colect"], "TRN-001: No such command 'colect'"),
        (["collect"], "TRN-001: Missing option '--config'"),
        (["collect", "--config", "none.yaml", "--processes", "0"], "TRN-001: Invalid value"),
        (["collect", "--config", "none.yaml"], "TRN-002: none.yaml cannot be read"),
        (["validate"], "TRN-002: No configuration is named."),
        (["sources", "more"], "TRN-001: Got unexpected extra argument"),
    ],
)
def test_what_is_not_understood_is_one_line_and_status_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(words)
    assert said.err.count("\n") == 1
    assert "Hint: " in said.err


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([]) == 2
    assert "collect" in "".join(capsys.readouterr())


def test_sources_are_listed_with_their_terms(tiny: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["sources", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert isinstance(listed, list)
    by_name = {one["name"]: one for one in listed}
    assert (by_name["tiny"]["commercial"], by_name["tiny"]["on"]) == (True, True)
    assert (by_name["closed"]["commercial"], by_name["closed"]["on"]) == (False, False)
    assert (by_name["unstated"]["commercial"], by_name["unstated"]["licence"]) == (None, None)
    assert all(one["how"] and one["url"] and one["size"] and one["endings"] for one in listed)
    assert cli.run(["sources"]) == 0
    words = capsys.readouterr().out
    assert "closed  The closed set (Tests)  [off by default]" in words
    assert "NOT for commercial use" in words
    assert "Terms     Only with an agreement of your own." in words


def test_the_trainer_s_own_sources_are_complete() -> None:
    known = running.sources_of()
    assert len({source.name for source in known}) == len(known)
    for source in known:
        assert source.name == source.name.lower()
        assert all(ending == ending.lower() and ending.startswith(".") for ending in source.endings)
        assert all((source.title, source.publisher, source.how, source.size, source.endings))


def test_validate_says_yes_or_why_not(
    tiny: None, configured: Configured, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path / "in/a.jsonl", line("1"))
    config = configured({"tiny": ["in"]})
    assert cli.run(["validate", "--config", str(config.file)]) == 0
    assert capsys.readouterr().out.endswith("lumen-trainer.yaml can be run.\n")
    assert cli.run(["validate", "--config", str(config.file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["valid"] is True
    assert (told["sources"][0]["name"], told["sources"][0]["files"]) == ("tiny", 1)
    for sources, more, code in (
        ({"tiny": ["none"]}, {}, "TRN-007"),
        ({"closed": ["in"]}, {}, "TRN-005"),
        ({"closed": {"files": ["in"], "use": True}}, {}, "TRN-006"),
        ({"tiny": {"use": False}}, {}, "TRN-005"),
        ({"tiny": ["in"]}, {"dataset": {"evaluation": ["gone"]}}, "TRN-007"),
    ):
        config = configured(sources, **more)
        assert cli.run(["validate", "--config", str(config.file)]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.startswith(code)


def test_validate_prints_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["validate", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out)["properties"]["version"]["const"] == 1


def test_collect_tells_what_it_did(
    tiny: None, configured: Configured, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path / "in/a.jsonl", line("1"), line("2", ""), line("3"))
    arguments = ["collect", "--config", str(configured({"tiny": ["in"]}).file), "--processes", "1"]
    assert cli.run([*arguments, "--dry-run"]) == 0
    assert "tiny              1 files" in capsys.readouterr().out
    assert cli.run([*arguments, "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == ["in/a.jsonl"]
    assert not (tmp_path / "work").exists()
    assert cli.run([*arguments, "--shard", "1/2"]) == 0
    assert capsys.readouterr().out.startswith("Shard 1 of 2: 1 of 1 units read")
    assert cli.run([*arguments, "--shard", "3/2"]) == 2
    assert capsys.readouterr().err.startswith("TRN-015")
    assert cli.run(arguments) == 0
    said = capsys.readouterr()
    assert "2 documents          2 records" in said.out
    assert "1 rejected: no-text" in said.out
    assert "0 of 1 units read" in said.out
    assert said.err == ""
    assert cli.run([*arguments, "--fresh", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["whole"], told["read"], told["sources"]["tiny"]["documents"]) == (True, 1, 2)


def test_names_that_steer_a_terminal_are_not_printed(
    tiny: None, configured: Configured, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path / "in/a\x1b[2J\u202e.jsonl", line("1"), {"refuse": "FMT-002"})
    config = configured({"tiny": ["in"]}, collect={"on_error": "stop"})
    assert cli.run(["collect", "--config", str(config.file), "--processes", "1"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("FMT-002: in/a [2J.jsonl: The file ends too early.")
    assert cli.run(["collect", "--config", str(config.file), "--dry-run", "--json"]) == 0
    assert "\\u202e" in capsys.readouterr().out


def test_ctrl_c_is_one_word(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "app", interrupted)
    assert cli.run([]) == 2
    assert capsys.readouterr().err == "Stopped.\n"


def test_a_reader_that_leaves_ends_it_quietly() -> None:
    ends = os.pipe()
    os.close(ends[0])
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "sources"], env=environment(), cwd=ROOT, stdout=ends[1],
        stderr=subprocess.PIPE, check=False, text=True,
    )  # fmt: skip
    os.close(ends[1])
    assert (done.returncode, done.stderr) == (2, "")


def test_a_terminal_sees_how_far_it_is(configured: Configured, tmp_path: Path) -> None:
    for number in range(4):
        written(tmp_path / f"in/{number}.jsonl", {"sleep_s": 0.2}, line(str(number)))
    config = configured({"tiny": ["in"]})
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, "collect", "--config", str(config.file), "--processes", "1"],
        env={**environment(), "TERM": "xterm"}, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=theirs,
    ) as process:  # fmt: skip
        os.close(theirs)
        seen = b"".join(_from(ours))
        assert process.wait(timeout=60) == 0
    os.close(ours)
    assert b"collect" in seen
    assert b"bytes" in seen


def _from(descriptor: int) -> Iterator[bytes]:
    while True:
        try:
            piece = os.read(descriptor, 65536)
        except OSError:  # Linux ends a terminal so
            return
        if not piece:
            return
        yield piece


@pytest.mark.parametrize(
    ("size_bytes", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 kB"), (2_000_000_000_000_000, "2000.0 TB")],
)
def test_sizes_are_words(size_bytes: int, words: str) -> None:
    assert output.size(size_bytes) == words


def test_lines_are_whole_or_not_there(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"

    def half() -> None:
        with LinesFile(file) as lines:
            lines.write("1")
            raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        half()
    assert list(tmp_path.iterdir()) == []
    with LinesFile(file) as lines:
        lines.write("1")
        lines.write(b"2")
    assert file.read_bytes() == b"1\n2\n"
    assert (lines.written.size_bytes, lines.written.lines) == (4, 2)
    assert lines.written.sha256 == hashlib.sha256(b"1\n2\n").hexdigest()
    assert write_json(tmp_path / "b.json", {"b": 1, "a": "é"}).size_bytes == len((tmp_path / "b.json").read_bytes())


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b'{"a": 1}\n{"a"', "TRN-009", "a.jsonl ends in the middle of line 2."),
        (b"{broken\n", "TRN-008", "Line 1 of a.jsonl is damaged"),
        (b'{"a": 1}\n[]\n', "TRN-008", "Line 2 of a.jsonl is damaged"),
        (b"\xff\n", "TRN-008", "Line 1 of a.jsonl is damaged"),
    ],
)
def test_a_damaged_line_is_named(tmp_path: Path, content: bytes, code: str, words: str) -> None:
    def read(one: bytes) -> Any:
        return json.loads(one)["a"]

    (tmp_path / "a.jsonl").write_bytes(content)
    with pytest.raises(InputError) as refusal:
        list(read_lines(tmp_path / "a.jsonl", read))
    assert refusal.value.code == code
    assert words in refusal.value.message


def test_a_line_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.lines.LARGEST_LINE_BYTES", 100)
    (tmp_path / "a.jsonl").write_bytes(b"1" * 1000)
    with pytest.raises(InputError, match="Line 1 of"):
        list(read_lines(tmp_path / "a.jsonl", json.loads))


def test_a_record_changed_by_hand_is_seen(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.jsonl cannot be read"):
        list(read_records(tmp_path / "none.jsonl"))
    turns = (Message("user", "Q?"), Message("assistant", "No."))
    example = Example("refusal", "t", turns, (), (), (), (), commercial=True)
    with LinesFile(tmp_path / "e.jsonl") as lines:
        lines.write(example.as_line())
    assert list(read_examples(tmp_path / "e.jsonl")) == [example]


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError) as refusal, LinesFile(tmp_path / "file" / "a.jsonl"):
        pass
    assert refusal.value.code == "TRN-010"
