"""Nothing that anybody typed or added stands readable anywhere outside the encrypted database."""

import json
import sys
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from lumen_desktop.ui.crashes import CrashReports
from tests.end_to_end.planting import Day, apart, lived, readable_by_others, stored, texts_of_the_index
from tests.rehearsal import RehearsalSite

NEVER_STORED = ("password", "wrong", "refused", "words", "search", "recovery", "unknown", "broken", "foreign")


def test_fifty_strings_are_found_nowhere(
    tmp_path: Path, rehearsed: type[RehearsalSite], qapp: QApplication, capfd: pytest.CaptureFixture[str]
) -> None:
    rehearsed.indexed = True
    with apart(tmp_path):
        day = lived(Day(tmp_path, rehearsal=True))
        crash(day)
        day.watch("a crash")
        assert not day.hits
        assert len(day.words) >= 50
        there = stored(day)
    assert len(there) >= 30, "the flows went through"
    assert not {what for what in there if any(word in what for word in NEVER_STORED)}
    assert not readable_by_others(day.data)
    assert not texts_of_the_index(day.data)
    assert {path.name for path in (tmp_path / "chosen").iterdir()} == {"trail.csv", "trail.json", "trail.pdf"}
    assert not list((tmp_path / "temporary").iterdir())
    assert "zq" not in capfd.readouterr().err


def crash(day: Day) -> None:
    """A bug whose error holds what somebody typed: the report holds its kind and its lines only."""
    reports = CrashReports(lambda: day.data)
    try:
        _fail(day.plant("value of a bug"), day.plant("cause of a bug"))
    except ValueError:
        reports.take(*sys.exc_info())
    (report,) = (day.data / "reports").iterdir()
    assert json.loads(report.read_text(encoding="utf-8"))["type"] == "ValueError"


def _fail(value: str, cause: str) -> None:
    nothing: dict[str, str] = {}
    try:
        nothing[cause]
    except KeyError as error:
        raise ValueError(f"no such thing as {value}") from error


def test_a_word_that_is_readable_is_found(tmp_path: Path) -> None:
    """Or the other test would look for nothing."""
    with apart(tmp_path):
        day = Day(tmp_path, rehearsal=True)
        words = [day.plant(what) for what in ("text", "wide text", "name", "capitals")]
        (tmp_path / "data" / "a.bin").write_bytes(b"\x00" + words[0].encode() + b"\x00")
        (tmp_path / "temporary" / "b").write_text(words[1], encoding="utf-16-le")
        (tmp_path / "config" / f"{words[2]}.txt").touch(mode=0o644)
        (tmp_path / "home" / "c").write_text(words[3].upper(), encoding="utf-8")
        day.watch("planting")
    assert [hit.partition(" holds")[0] for hit in day.hits] == ["data/a.bin", "temporary/b", "home/c",
                                                                f"config/{words[2]}.txt"]  # fmt: skip
    assert readable_by_others(tmp_path / "config") == [". 755", f"{words[2]}.txt 644"]
