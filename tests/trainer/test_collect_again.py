"""Collecting goes on: a stop, a kill, shards and processes change no byte, and nothing is read twice."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import filelock
import pytest

from lumen_desktop.errors import InputError, Stopped, StorageError
from tests.conftest import ROOT
from tests.trainer.conftest import (
    COMMAND,
    Configured,
    collect,
    collected,
    environment,
    line,
    packed,
    records,
    rejects,
    written,
    zipped,
)
from trainer.collect import Shard, Stop, inputs, reading, shard

pytestmark = pytest.mark.usefixtures("alone")


def many(tmp_path: Path, files: int = 6, each: int = 40) -> None:
    """Files with versions over files, a fault each, one zip that is cut into slices."""
    for number in range(files):
        lines = [line(f"{number % 4}-{n}", f"Text {n} of {number}. " * 20, version=str(number)) for n in range(each)]
        written(tmp_path / f"in/n{number}.jsonl", *lines, {"id": f"x{number}", "fault": "no-text"})
    members = [(f"m{n}.jsonl", packed(line(f"z{n}", f"In a zip {n}. " * 30))) for n in range(each)]
    (tmp_path / "in/z.zip").write_bytes(zipped(*members))


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts and slices of a few kilobytes."""
    monkeypatch.setattr(reading, "PART_BYTES", 8_000)
    monkeypatch.setattr(inputs, "SLICE_BYTES", 4_000)
    monkeypatch.setattr(inputs, "BATCH_BYTES", 4_000)


def test_shards_leave_the_same_bytes(configured: Configured, tmp_path: Path, small_parts: None) -> None:
    many(tmp_path)
    config = configured({"tiny": ["in"]})
    whole = collect(config)
    expected = collected(tmp_path / "work")
    assert whole.whole
    assert whole.units > 8
    assert len(expected) > 12
    (tmp_path / "work").rename(tmp_path / "other")
    for number in (3, 1, 4, 2):
        one = collect(config, only=Shard(number, 4))
        assert not one.whole
        assert 0 < one.read == one.units < whole.units
    assert not (tmp_path / "work/collected").exists()
    last = collect(config)
    assert (last.read, last.units) == (0, whole.units)
    assert collected(tmp_path / "work") == expected


def test_small_files_share_a_unit_and_a_new_one_changes_only_its_own(
    configured: Configured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "SLICE_BYTES", 100_000)
    monkeypatch.setattr(inputs, "BATCH_BYTES", 1)
    for number in range(150):
        written(tmp_path / f"in/n{number:03}.jsonl", line(str(number)))
    written(tmp_path / "in/n075.jsonl")
    (tmp_path / "in/n080.zip").write_bytes(zipped(("a.jsonl", packed(line("zip")))))
    config = configured({"tiny": ["in"]})
    first = collect(config)
    assert 5 < first.units < 30
    assert first.sources["tiny"].files == 151
    assert [record.doc_id for record in records(tmp_path / "work")][-1] == "tiny:149"
    assert len(records(tmp_path / "work")) == 150
    assert rejects(tmp_path / "work") == [("in/n075.jsonl", "empty")]
    written(tmp_path / "in/n0001.jsonl", line("new"))
    second = collect(config)
    assert second.read < 3
    assert len(json.loads((tmp_path / "work/collected/inputs.json").read_text())) == 152


def test_a_stopped_run_goes_on_without_repeating(configured: Configured, tmp_path: Path, small_parts: None) -> None:
    many(tmp_path)
    config = configured({"tiny": ["in"]})
    expected = collect(config)
    bytes_expected = collected(tmp_path / "work")
    (tmp_path / "work").rename(tmp_path / "other")
    runs = 0
    while True:
        stop, runs = Stop(), runs + 1
        moves = iter(range(3 * runs))

        def seen(done: int, total: int, words: str, *, moves: Any = moves, stop: Stop = stop) -> None:
            if next(moves, None) is None:
                stop.ask()

        try:
            last = collect(config, stop=stop, progress=seen)
        except Stopped:
            continue
        break
    assert runs > 2
    assert last.read < last.units
    assert last.sources == expected.sources
    assert collected(tmp_path / "work") == bytes_expected


def test_a_large_file_goes_on_after_its_last_whole_part(
    configured: Configured, tmp_path: Path, small_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / "a.jsonl", *(line(str(n), f"Text {n}. " * 50) for n in range(200)))
    config = configured({"tiny": ["a.jsonl"]})
    collect(config)
    expected = collected(tmp_path / "work")
    (tmp_path / "work").rename(tmp_path / "other")
    times = [0]
    made = reading.made_records

    def ending(*arguments: Any) -> Any:
        times[0] += 1
        if times[0] == 100:
            raise KeyboardInterrupt
        return made(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(reading, "made_records", ending)
        with pytest.raises(KeyboardInterrupt):
            collect(config)
    parts = sorted((tmp_path / "work/parts/tiny").glob("*.jsonl"))
    before = {path: path.stat().st_mtime_ns for path in parts}
    assert 5 < len(parts) < 12
    assert not list((tmp_path / "work/parts/tiny").glob("*.part"))
    collect(config)
    assert all(path.stat().st_mtime_ns == time_ns for path, time_ns in before.items())
    assert collected(tmp_path / "work") == expected


@pytest.mark.parametrize("harm", ["records", "notes", "state", "form"])
def test_a_part_that_is_not_as_it_was_is_read_anew(
    configured: Configured, tmp_path: Path, small_parts: None, harm: str
) -> None:
    many(tmp_path, files=2)
    config = configured({"tiny": ["in"]})
    collect(config)
    expected = collected(tmp_path / "work")
    folder = tmp_path / "work/parts/tiny"
    kind = {"records": "*.jsonl", "notes": "*.notes"}.get(harm, "*.json")
    path = min(folder.glob(kind))
    if harm == "form":
        path.write_text('{"other": 1}')
    elif harm == "records":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-5])
    assert collect(config).read == 1
    assert collected(tmp_path / "work") == expected


def test_a_changed_file_is_read_anew_and_a_file_that_is_gone_leaves_nothing(
    configured: Configured, tmp_path: Path
) -> None:
    written(tmp_path / "in/a.jsonl", line("1", "Old."))
    written(tmp_path / "in/b.jsonl", line("2"))
    config = configured({"tiny": ["in"], "unstated": ["in/b.jsonl"]})
    assert collect(config).read == 3
    assert collect(config).read == 0
    assert collect(config, fresh=True).read == 3
    written(tmp_path / "in/a.jsonl", line("1", "New words."))
    assert collect(config).read == 1
    assert records(tmp_path / "work")[0].text == "New words."
    (tmp_path / "in/b.jsonl").unlink()
    collect(configured({"tiny": ["in"]}))
    assert [record.doc_id for record in records(tmp_path / "work")] == ["tiny:1"]
    assert [path.name for path in (tmp_path / "work/collected").iterdir() if path.is_dir()] == ["tiny"]
    assert len(list((tmp_path / "work/parts").glob("*/*"))) == 3


def test_a_file_that_changes_while_it_is_read_is_refused(configured: Configured, tmp_path: Path) -> None:
    file = written(tmp_path / "a.jsonl", line("1"))

    def seen(*_: object) -> None:
        os.utime(file, ns=(1, 1))

    with pytest.raises(InputError) as refusal:
        collect(configured({"tiny": ["a.jsonl"]}), progress=seen)
    assert refusal.value.code == "TRN-013"


def test_two_runs_in_one_folder_are_refused(configured: Configured, tmp_path: Path) -> None:
    written(tmp_path / "a.jsonl", line("1"))
    (tmp_path / "work/parts").mkdir(parents=True)
    config = configured({"tiny": ["a.jsonl"]})
    runs: list[tuple[str, Shard | None]] = [
        ("collect.lock", None), ("collect.lock", Shard(1, 2)), ("collect-1-of-2.lock", Shard(1, 2)),
        ("collect-1-of-2.lock", None),
    ]  # fmt: skip
    for lock, only in runs:
        with filelock.FileLock(tmp_path / "work/parts" / lock), pytest.raises(StorageError) as refusal:
            collect(config, only=only)
        assert refusal.value.code == "TRN-014"
    with filelock.FileLock(tmp_path / "work/parts/collect-1-of-2.lock"):
        assert collect(config, only=Shard(2, 2)).units == 0
    assert collect(config).whole


@pytest.mark.parametrize("words", ["", "1", "0/4", "5/4", "1/0", "a/b", "1/4/2", "-1/4", "1/999999"])
def test_what_is_no_shard_is_refused(words: str) -> None:
    with pytest.raises(InputError, match="is no shard"):
        shard(words)
    assert shard("2/4") == Shard(2, 4)


def start(*arguments: object) -> subprocess.Popen[str]:
    """A `lumen-trainer` that is left to itself, in a group of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *map(str, arguments)], env=environment(), cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def slowly(tmp_path: Path, files: int = 6) -> None:
    """Files that take a moment each."""
    for number in range(files):
        lines = [line(f"{number}-{n}", "Text. " * 50) for n in range(20)]
        written(tmp_path / f"in/n{number}.jsonl", {"sleep_s": 0.2}, *lines)


def until(found: Callable[[], object]) -> None:
    """Waits until something is there."""
    deadline = time.monotonic() + 60
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGKILL])
def test_processes_leave_the_same_bytes_after_a_kill(
    configured: Configured, tmp_path: Path, kind: signal.Signals
) -> None:
    slowly(tmp_path)
    config = configured({"tiny": ["in"]})
    collect(config)
    expected = collected(tmp_path / "work")
    (tmp_path / "work").rename(tmp_path / "other")
    began = start("collect", "--config", config.file, "--processes", 2)
    until(lambda: list((tmp_path / "work/parts/tiny").glob("*.json")))
    began.send_signal(kind)
    _, words = began.communicate(timeout=60)
    if kind == signal.SIGINT:
        assert (began.returncode, words) == (2, "RUN-001: Stopped. Hint: Ask or start again when you like.\n")
    assert not (tmp_path / "work/collected").exists()
    again = start("collect", "--config", config.file, "--processes", 2, "--json")
    done = json.loads(again.communicate(timeout=60)[0])
    assert again.returncode == 0
    assert 0 < done["read"] < done["units"] == 6
    assert collected(tmp_path / "work") == expected


@pytest.mark.parametrize(
    ("order", "section", "code"),
    [({"exit": 3}, {}, "TRN-012"), ({"refuse": "FMT-002"}, {"collect": {"on_error": "stop"}}, "FMT-002")],
)
def test_a_process_that_fails_ends_the_run_with_a_sentence(
    configured: Configured, tmp_path: Path, order: dict[str, Any], section: dict[str, Any], code: str
) -> None:
    slowly(tmp_path, files=2)
    written(tmp_path / "in/a.jsonl", order)
    config = configured({"tiny": ["in"]}, **section)
    ended = start("collect", "--config", config.file, "--processes", 2)
    out, words = ended.communicate(timeout=60)
    assert (ended.returncode, out) == (2, "")
    assert words.startswith(f"{code}: ")
    assert words.count("\n") == 1
