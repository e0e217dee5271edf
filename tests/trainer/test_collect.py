"""Collecting: what is read, what stays, what is counted, and that a stop, a kill and shards change no byte."""

import gzip
import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import filelock
import pytest

from lumen_desktop.errors import InputError, Stopped, StorageError
from tests.conftest import ROOT
from tests.trainer.conftest import COMMAND, TINY, collected, environment, line, written
from trainer.collect import Shard, Stop, Summary, inputs, reading, shard
from trainer.collect import collect as collect_with
from trainer.config import Config
from trainer.lines import read_lines, read_records
from trainer.records import Record

Configured = Callable[..., Config]


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is a unit of its own, as in the command's processes here."""
    monkeypatch.setattr(inputs, "SLICE_BYTES", 1)


def collect(config: Config, **options: Any) -> Summary:
    """In this process, over the tests' sources."""
    return collect_with(config, registry=TINY, **{"processes": 1, **options})


def records(work: Path) -> list[Record]:
    """All records, in the order of the files."""
    return [record for path in sorted((work / "collected").glob("*/*.jsonl")) for record in read_records(path)]


def rejects(work: Path) -> list[tuple[str, str]]:
    """Where and why, for each reject."""
    lines = read_lines(work / "collected" / "rejects.jsonl", json.loads)
    return [(one["where"], one["reason"]) for one in lines]


def zipped(*members: tuple[str, bytes]) -> bytes:
    """A zip."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content)
    return whole.getvalue()


def packed(*lines: dict[str, Any]) -> bytes:
    """The bytes of a file of the tests' source."""
    return "".join(json.dumps(one) + "\n" for one in lines).encode()


def test_a_record_says_where_it_comes_from(configured: Configured, tmp_path: Path) -> None:
    written(tmp_path / "in" / "sub" / "a.jsonl", line("1", "One.", " ", "Three.", version="2", as_of="2024-05-01"))
    done = collect(configured({"tiny": ["in"]}))
    first, second = records(tmp_path / "work")
    assert (first.id, second.id, first.doc_id) == ("tiny:1#1", "tiny:1#3", "tiny:1")
    assert (first.file, first.title) == ("in/sub/a.jsonl", "Label in sub/a.jsonl")
    assert (first.licence, first.commercial, first.version, first.as_of) == ("CC0-1.0", True, "2", "2024-05-01")
    assert (second.section_path, second.section_code, second.text) == (("Uses", "3"), "c3", "Three.")
    assert first.entity.ingredients[0].unii == "ABCDE12345"
    assert done.as_json()["sources"]["tiny"] == {
        "files": 1, "size_bytes": (tmp_path / "in/sub/a.jsonl").stat().st_size, "documents": 1, "records": 2,
        "characters": 10, "licences": {"CC0-1.0": 2}, "rejects": {},
    }  # fmt: skip
    inputs_read = json.loads((tmp_path / "work/collected/inputs.json").read_text())
    assert inputs_read[0]["file"] == "in/sub/a.jsonl"
    assert len(inputs_read[0]["sha256"]) == 64


def test_packed_files_are_opened(configured: Configured, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.jsonl.gz").write_bytes(gzip.compress(packed(line("gz"))))
    inner = zipped(("x.jsonl", packed(line("inner"))), ("picture.jpg", b"no"))
    release = zipped(("one.zip", inner), ("b.jsonl.gz", gzip.compress(packed(line("gz-in-zip")))), ("readme.txt", b"-"))
    (folder / "release.zip").write_bytes(release)
    (folder / ".hidden.jsonl").write_text("broken")
    (folder / "notes.txt").write_text("broken")
    collect(configured({"tiny": ["in"]}))
    assert {record.doc_id: record.file for record in records(tmp_path / "work")} == {
        "tiny:gz": "in/a.jsonl.gz",
        "tiny:inner": "in/release.zip!one.zip!x.jsonl",
        "tiny:gz-in-zip": "in/release.zip!b.jsonl.gz",
    }


def test_a_reader_of_zips_gets_them_closed(configured: Configured, tmp_path: Path) -> None:
    (tmp_path / "t.zip").write_bytes(zipped(("Products.txt", b"1"), ("Applications.txt", b"2")))
    collect(configured({"tables": ["t.zip"]}))
    assert [record.text for record in records(tmp_path / "work")] == ["Products.txt", "Applications.txt"]


def test_what_cannot_be_used_is_counted_and_the_rest_is_read(configured: Configured, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    written(folder / "a.jsonl", line("1"), line("2", " "), {"id": "9", "fault": "no-text"}, line("3", "half \ud800"))
    written(folder / "b.jsonl", line("4"), {"refuse": "FMT-002"})
    (folder / "c.jsonl").write_bytes(packed(line("5")) + b"{broken\n")
    (folder / "d.jsonl.gz").write_bytes(gzip.compress(packed(line("6")) * 20)[:-20])
    (folder / "e.zip").write_bytes(b"PK\x03\x04 and nothing else")
    deep = zipped(("deep.zip", zipped(("deeper.zip", zipped(("x.jsonl", packed(line("7"))))))))
    bad = zipped(("bad.zip", b"no zip"), ("good.jsonl", packed(line("8"))), ("fails.jsonl", b"{broken\n"))
    (folder / "f.zip").write_bytes(bad)
    (folder / "g.zip").write_bytes(deep)
    (folder / "h.jsonl").write_bytes(b"")
    done = collect(configured({"tiny": ["in"]}))
    assert [record.doc_id for record in records(tmp_path / "work")] == [
        "tiny:1", "tiny:4", "tiny:5", "tiny:8"
    ]  # fmt: skip
    found = rejects(tmp_path / "work")
    assert found == [
        ("in/a.jsonl#2", "no-text"),
        ("in/a.jsonl#9", "no-text"),
        ("in/a.jsonl#3", "wrong-form"),
        ("in/b.jsonl", "FMT-002"),
        ("in/c.jsonl", "TRN-011"),
        ("in/d.jsonl.gz", "FMT-002"),
        ("in/e.zip", "FMT-001"),
        ("in/f.zip!bad.zip", "FMT-001"),
        ("in/f.zip!fails.jsonl", "TRN-011"),
        ("in/g.zip!deep.zip", "FMT-004"),
        ("in/h.jsonl", "empty"),
    ]
    assert done.sources["tiny"].rejects["FMT-001"] == 2
    assert sum(done.sources["tiny"].rejects.values()) == len(found)


def test_a_file_that_cannot_be_read_ends_the_run_where_that_is_wanted(configured: Configured, tmp_path: Path) -> None:
    written(tmp_path / "a.jsonl", line("1"), {"refuse": "FMT-002"})
    config = configured({"tiny": ["a.jsonl"]}, collect={"on_error": "stop"})
    with pytest.raises(InputError, match=r"a\.jsonl: The file ends too early") as refusal:
        collect(config)
    assert refusal.value.code == "FMT-002"
    assert not (tmp_path / "work/collected/summary.json").exists()


def test_a_file_that_the_disk_refuses_is_counted(
    configured: Configured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / "a.jsonl", line("1"))

    def failing(stream: Any, name: str) -> Any:
        raise OSError(5, "Input/output error")

    config = configured({"tiny": ["a.jsonl"]})
    monkeypatch.setattr("tests.trainer.tiny_sources.ALL", (_with(failing),))
    collect(config)
    assert rejects(tmp_path / "work") == [("a.jsonl", "TRN-018")]


def _with(read: Any) -> Any:
    from tests.trainer.tiny_sources import source  # noqa: PLC0415 - the test replaces it there

    return source("tiny", read=read)


def test_without_a_licence_nothing_is_collected(configured: Configured, tmp_path: Path) -> None:
    lines = [line("1"), line("2", licence="MIT"), line("3", licence="Proprietary"), line("4", licence="CC-BY-NC-4.0")]
    written(tmp_path / "a.jsonl", *lines)
    written(tmp_path / "annex-1.jsonl", line("5"), line("6", licence="MIT"))
    choice = {"files": ["a.jsonl", "annex-1.jsonl"], "licences": {"annex*": "LicenseRef-EC-Reuse"}}
    collect(configured({"unstated": choice, "strange": ["a.jsonl"]}))
    mine = [record for record in records(tmp_path / "work") if record.source == "unstated"]
    assert [(record.doc_id[9:], record.licence, record.commercial) for record in mine] == [
        ("2", "MIT", True), ("4", "CC-BY-NC-4.0", False), ("5", "LicenseRef-EC-Reuse", True), ("6", "MIT", True),
    ]  # fmt: skip
    assert ("a.jsonl#1", "no-licence") in rejects(tmp_path / "work")
    assert rejects(tmp_path / "work").count(("a.jsonl#3", "unknown-licence")) == 2
    assert ("a.jsonl#1", "unknown-licence") in rejects(tmp_path / "work")


@pytest.mark.parametrize(
    ("sources", "code"),
    [
        ({"nobody": ["a.jsonl"]}, "TRN-005"),
        ({"closed": ["a.jsonl"]}, "TRN-005"),
        ({"closed": {"files": ["a.jsonl"], "use": True}}, "TRN-006"),
        ({"tiny": ["missing.jsonl"]}, "TRN-007"),
        ({"tiny": ["empty"]}, "TRN-007"),
        ({"tiny": []}, "TRN-007"),
        ({"tiny": ["."]}, "TRN-007"),
    ],
)
def test_what_the_configuration_does_not_accept_is_refused_before_anything_is_read(
    configured: Configured, tmp_path: Path, sources: dict[str, Any], code: str
) -> None:
    (tmp_path / "empty").mkdir()
    written(tmp_path / "a.jsonl", line("1"))
    with pytest.raises(InputError) as refusal:
        collect(configured(sources))
    assert refusal.value.code == code
    assert not (tmp_path / "work").exists()


def test_a_source_that_is_switched_off_is_left_out(configured: Configured, tmp_path: Path) -> None:
    written(tmp_path / "a.jsonl", line("1"))
    off = {"closed": {"files": ["gone"], "use": False}}
    assert list(collect(configured({"tiny": ["a.jsonl"], **off})).sources) == ["tiny"]
    on = {"closed": {"files": ["a.jsonl"], "use": True, "accept_terms": True}}
    collect(configured(on))
    assert [(one.source, one.commercial) for one in records(tmp_path / "work")] == [("closed", False)]


def test_the_newest_version_stays(configured: Configured, tmp_path: Path) -> None:
    written(tmp_path / "in/n1.jsonl", line("a", "A9.", version="9"), line("b", "B1."), line("c", "C2.", version="2"))
    written(tmp_path / "in/n2.jsonl", line("a", "A10.", version="10"), line("b", "B2."), line("c", "C1.", version="1"))
    written(tmp_path / "in/n3.jsonl", line("d", "D.", as_of="2024-02"), line("d", "D old.", as_of="2023-12-31"))
    collect(configured({"tiny": ["in"]}))
    assert [record.text for record in records(tmp_path / "work")] == ["C2.", "A10.", "B2.", "D."]
    assert rejects(tmp_path / "work") == [
        ("in/n1.jsonl#a", "superseded"), ("in/n1.jsonl#b", "repeated"), ("in/n2.jsonl#c", "superseded"),
        ("in/n3.jsonl#d", "superseded"),
    ]  # fmt: skip


def test_what_its_publisher_took_back_goes_unless_it_came_back(configured: Configured, tmp_path: Path) -> None:
    kept, gone, back, taken = (line(name, f"{name}.", version="3") for name in ("kept", "gone", "back", "taken"))
    written(tmp_path / "base/n0001.jsonl", kept, gone, back, taken)
    faults = [{"id": "gone", "fault": "deleted"}, {"id": "back", "fault": "deleted"}, {"id": "no", "fault": "deleted"}]
    written(tmp_path / "a-updates/n0002.jsonl", *faults, {"id": "taken", "fault": "retracted"})
    written(tmp_path / "a-updates/n0003.jsonl", line("back", "Back again.", version="1"))
    collect(configured({"tiny": ["base", "a-updates"]}))
    assert [record.text for record in records(tmp_path / "work")] == ["kept.", "Back again."]
    assert rejects(tmp_path / "work") == [
        ("base/n0001.jsonl#gone", "deleted"), ("base/n0001.jsonl#back", "deleted"),
        ("base/n0001.jsonl#taken", "retracted"), ("a-updates/n0002.jsonl#taken", "retracted"),
    ]  # fmt: skip


def test_what_rested_on_a_consent_goes_with_it_wherever_it_stands(configured: Configured, tmp_path: Path) -> None:
    items = [line("c1/1"), line("c1/2"), line("c2/1"), line("c11/1")]
    written(tmp_path / "in/a-withdrawals.jsonl", {"id": "c1", "fault": "withdrawn"})
    written(tmp_path / "in/items.jsonl", *items)
    collect(configured({"consent": ["in"]}))
    assert [record.doc_id for record in records(tmp_path / "work")] == ["consent:c2/1", "consent:c11/1"]
    assert rejects(tmp_path / "work") == [("in/items.jsonl#c1/1", "withdrawn"), ("in/items.jsonl#c1/2", "withdrawn")]


def test_without_the_whole_list_of_withdrawals_nothing_is_collected(configured: Configured, tmp_path: Path) -> None:
    written(tmp_path / "in/a-withdrawals.jsonl", {"id": "c1", "fault": "withdrawn"}, {"refuse": "FMT-002"})
    written(tmp_path / "in/items.jsonl", line("c1/1"))
    with pytest.raises(InputError, match="a-withdrawals"):
        collect(configured({"consent": ["in"]}))
    assert not (tmp_path / "work/collected").exists()


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


def test_a_file_that_cannot_be_opened_is_counted(
    configured: Configured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path / "in/a.jsonl", line("1"))
    written(tmp_path / "in/b.jsonl", line("2"))
    opened = Path.open

    def refusing(path: Path, *arguments: Any, **options: Any) -> Any:
        if path == file:
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", refusing)
    collect(configured({"tiny": ["in"]}))
    assert rejects(tmp_path / "work") == [("in/a.jsonl", "TRN-018")]
    assert [record.doc_id for record in records(tmp_path / "work")] == ["tiny:2"]


def test_a_file_named_twice_is_read_once(configured: Configured, tmp_path: Path) -> None:
    written(tmp_path / "in/a.jsonl", line("1"))
    assert collect(configured({"tiny": ["in", "in/a.jsonl"]})).units == 1


def test_without_hard_links_records_are_copied(
    configured: Configured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / "a.jsonl", line("1"))

    def refuse(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    collect(configured({"tiny": ["a.jsonl"]}))
    assert [record.doc_id for record in records(tmp_path / "work")] == ["tiny:1"]


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


def test_a_full_disk_ends_the_run_with_a_sentence(configured: Configured, tmp_path: Path, small_disk: Path) -> None:
    written(tmp_path / "a.jsonl", *(line(str(n), "word " * 4000) for n in range(2000)))
    config = configured({"tiny": ["a.jsonl"]}, work=str(small_disk / "work"))
    with pytest.raises(StorageError, match="No space left") as refusal:
        collect(config)
    assert refusal.value.code == "TRN-010"


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
