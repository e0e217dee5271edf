"""Wrong passwords are counted by whichever process sees them, and told once; a damaged count says nothing."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import filelock
import pytest

from lumen_desktop.domain.accounts import Lockout, after_failure
from lumen_desktop.errors import StorageError
from lumen_desktop.storage import attempts as stored
from lumen_desktop.storage.attempts import Attempt, Attempts
from tests.conftest import ROOT, lumen_environment

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
ANNA, BERT = "a" * 32, "b" * 32
FIFTH = Lockout(5, NOW + timedelta(minutes=15), NOW)

FAIL_TWENTY_TIMES = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from lumen_desktop.domain.accounts import after_failure
from lumen_desktop.storage.attempts import Attempt, Attempts

attempts, now = Attempts(Path(sys.argv[1])), datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
for _ in range(20):
    attempts.failed(Attempt("a" * 32, now, "KEY-001"), lambda lockout: after_failure(lockout, now))
"""


def failed(attempts: Attempts, label: str = ANNA, times: int = 1) -> Lockout:
    for _ in range(times):
        lockout = attempts.failed(Attempt(label, NOW, "KEY-001"), lambda lockout: after_failure(lockout, NOW))
    return lockout


@pytest.fixture
def attempts(tmp_path: Path) -> Attempts:
    return Attempts(tmp_path)


def test_nothing_failed_yet_and_no_file_is_made_by_looking(attempts: Attempts, tmp_path: Path) -> None:
    assert attempts.lockout(ANNA) == Lockout()
    assert attempts.locked() == {}
    attempts.clear(ANNA)
    attempts.tell(lambda untold: pytest.fail(str(untold)))
    assert list(tmp_path.iterdir()) == []


def test_each_account_is_counted_for_itself_and_another_start_goes_on(attempts: Attempts, tmp_path: Path) -> None:
    assert failed(attempts, times=5) == FIFTH
    failed(attempts, BERT)
    again = Attempts(tmp_path)
    assert again.lockout(ANNA) == FIFTH
    assert again.locked() == {ANNA: FIFTH, BERT: Lockout(1, None, NOW)}
    again.clear(ANNA)
    assert attempts.locked() == {BERT: Lockout(1, None, NOW)}
    if os.name == "posix":
        assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}


def test_what_was_not_told_is_told_once(attempts: Attempts) -> None:
    failed(attempts)
    failed(attempts, BERT)
    attempts.clear(BERT)
    told: list[Attempt] = []
    attempts.tell(told.extend)
    assert told == [Attempt(ANNA, NOW, "KEY-001"), Attempt(BERT, NOW, "KEY-001")]
    attempts.tell(lambda untold: pytest.fail(str(untold)))
    assert attempts.lockout(ANNA).failures == 1


def test_what_could_not_be_told_is_told_the_next_time(attempts: Attempts) -> None:
    def breaks(untold: list[Attempt]) -> None:
        assert untold
        raise StorageError("The disk is full.", code="STO-003", hint="")

    failed(attempts)
    with pytest.raises(StorageError):
        attempts.tell(breaks)
    told: list[Attempt] = []
    attempts.tell(told.extend)
    assert len(told) == 1


def test_who_tries_for_ever_fills_no_disk(attempts: Attempts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "_MOST_UNTOLD", 5)
    assert failed(attempts, times=9).failures == 9
    told: list[Attempt] = []
    attempts.tell(told.extend)
    assert len(told) == 5


def test_processes_that_count_at_once_lose_no_attempt(attempts: Attempts, tmp_path: Path) -> None:
    command = [sys.executable, "-c", FAIL_TWENTY_TIMES, str(tmp_path)]
    children = [subprocess.Popen(command, env=lumen_environment(), cwd=ROOT) for _ in range(2)]
    assert [child.wait(timeout=60) for child in children] == [0, 0]
    assert attempts.lockout(ANNA).failures == 40
    told: list[Attempt] = []
    attempts.tell(told.extend)
    assert len(told) == 40


WHOLE = {"failures": 5, "until_utc": NOW.isoformat(), "last_utc": NOW.isoformat()}


@pytest.mark.parametrize(
    "content",
    [
        "", "{", "[]", "null", "7", '"x"', "[" * 100_000, "{}", '{"accounts": {}}', '{"accounts": [], "untold": []}',
        json.dumps({"accounts": {ANNA: {}}, "untold": []}),
        json.dumps({"accounts": {ANNA: 7}, "untold": []}),
        json.dumps({"accounts": {ANNA: {**WHOLE, "failures": "many"}}, "untold": []}),
        '{"accounts": {"a": {"failures": Infinity, "until_utc": null, "last_utc": null}}, "untold": []}',
        json.dumps({"accounts": {ANNA: {**WHOLE, "until_utc": "2026-11-22T09:30:00"}}, "untold": []}),
        json.dumps({"accounts": {ANNA: {**WHOLE, "until_utc": "9999-12-31T23:59:59+00:00"}}, "untold": []}),
        json.dumps({"accounts": {ANNA: {**WHOLE, "last_utc": "yesterday"}}, "untold": []}),
        json.dumps({"accounts": {ANNA: {**WHOLE, "last_utc": 7}}, "untold": []}),
        json.dumps({"accounts": {}, "untold": [7]}),
        json.dumps({"accounts": {}, "untold": [{"label": "a"}]}),
    ],
    ids=lambda it: it[:60],
)  # fmt: skip
def test_a_damaged_count_says_nothing_and_is_begun_again(attempts: Attempts, tmp_path: Path, content: str) -> None:
    (tmp_path / "site.attempts").write_text(content, encoding="utf-8")
    assert attempts.locked() == {}
    assert failed(attempts).failures == 1
    assert Attempts(tmp_path).lockout(ANNA).failures == 1


def test_a_kill_while_writing_leaves_the_count_before(
    attempts: Attempts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed(attempts, times=3)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(stored, "write_atomically", killed)
        failed(attempts)
    (tmp_path / "site.attempts.new").write_bytes(b"{ha")
    assert failed(attempts).failures == 4


@pytest.mark.parametrize("job", [failed, lambda attempts: attempts.clear(ANNA)], ids=["failed", "clear"])
def test_a_program_that_holds_the_count_is_waited_for_and_then_named(
    attempts: Attempts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, job: Callable[[Attempts], object]
) -> None:
    failed(attempts)
    monkeypatch.setattr(stored, "_WITHIN_S", 0.1)
    other = filelock.FileLock(tmp_path / "site.attempts.lock")
    with other.acquire(), pytest.raises(StorageError) as caught:
        job(attempts)
    assert caught.value.code == "STO-004"


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError) as caught:
        failed(Attempts(tmp_path / "file" / "none"))
    assert caught.value.code == "STO-001"
