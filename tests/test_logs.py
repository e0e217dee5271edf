"""The log file is its owner's only, the ones that it leaves when it grows as well."""

import os
import stat
from pathlib import Path

import pytest

from lumen_desktop import logs
from tests.conftest import fill


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_every_file_of_the_log_is_the_owners_only(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        logs.open_log(tmp_path)
        (handler,) = (it for it in logs._log.handlers if isinstance(it, logs._Handler))
        handler.maxBytes = 200
        for number in range(8):
            logs.event("tests.event", count=number)
    finally:
        logs.close_log()
        os.umask(before)
    files = sorted(tmp_path.iterdir())
    assert len(files) > 2
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_full_disk_is_no_fault_of_the_log(small_disk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What cannot be written is left out, at the end too; later events are written again."""
    logs.open_log(small_disk)
    logs.event("tests.before")
    filler = fill(small_disk)
    for _ in range(100):
        logs.event("tests.meanwhile", code="x" * 100)
    filler.unlink()
    logs.event("tests.after")
    fill(small_disk)
    for _ in range(100):
        logs.event("tests.meanwhile", code="x" * 100)
    logs.close_log()
    words = (small_disk / "lumen.log").read_text(encoding="utf-8")
    assert words.startswith('{"time_utc"')
    assert "tests.after" in words
    assert capfd.readouterr() == ("", "")
