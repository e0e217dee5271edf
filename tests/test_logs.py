"""The log file is its owner's only, the ones that it leaves when it grows as well."""

import os
import stat
from pathlib import Path

import pytest

from lumen_desktop import logs


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
