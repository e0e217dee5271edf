"""A new database key: whole, the only one that opens, and safe against a kill at any moment."""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from lumen_desktop.domain.audit import Verdict
from lumen_desktop.errors import IntegrityError, StorageError
from lumen_desktop.storage import audit, keys
from lumen_desktop.storage.database import Database
from lumen_desktop.storage.folder import DataFolder
from lumen_desktop.storage.rotation import rotate
from tests.conftest import ROOT, Clock, fill
from tests.storage.conftest import opened as opened_raw
from tests.storage.rotating import ADMIN, PASSWORD, PEOPLE, made, opened, stored

REASON = "somebody left who knew too much"
SIZE_BYTES = 3_000_000


@pytest.fixture
def folder(tmp_path: Path, cheap_keys: None) -> DataFolder:
    return made(tmp_path / "site")


@pytest.fixture
def database(folder: DataFolder) -> Iterator[Database]:
    database = opened(folder)
    stored(database, "before")
    yield database
    database.close()


def rotated(folder: DataFolder, database: Database) -> list[tuple[str, float]]:
    """Rotates and returns what was told meanwhile."""
    told: list[tuple[str, float]] = []
    rotate(folder, database, ADMIN, REASON, lambda what, part: told.append((what, part)))
    return told


def rows(database: Database) -> set[str]:
    with database.reading() as session:
        return set(session.execute(text("SELECT name FROM collection")).scalars())


def verdict(database: Database) -> Verdict:
    with database.reading() as session:
        return audit.verify(session, database.site_id)


def databases(folder: DataFolder) -> list[str]:
    return sorted(path.name for path in folder.path.glob("*.db*"))


def test_the_site_goes_on_under_the_new_key_with_everything_it_had(folder: DataFolder, database: Database) -> None:
    before, old = verdict(database), (database.path, database.key)
    told = rotated(folder, database)
    assert {what for what, _ in told} == {"copying", "verifying"}
    assert told[-1] == ("verifying", 1.0)
    assert (database.path, database.key) != old
    assert rows(database) == {"before"}
    with database.reading() as session:
        (event,) = audit.events(session, newest=1)
    assert (event["act"], event["reason"], event["actor"]) == ("rotated", REASON, ADMIN.name)
    after = verdict(database)
    assert (after.first_bad, after.events) == (None, before.events + 1)
    stored(database, "after")
    assert rows(database) == {"before", "after"}
    database.close()
    assert databases(folder) == ["lumen-2.db"]


def test_everybody_gets_in_as_before_and_the_old_key_opens_nothing(
    folder: DataFolder, database: Database, tmp_path: Path
) -> None:
    old_key = database.key
    shutil.copyfile(folder.key_file, tmp_path / "old.key")
    rotated(folder, database)
    database.close()
    file = keys.KeyFile.read(folder.key_file)
    assert {file.open(name, PASSWORD).key for name in PEOPLE} == {database.key}
    assert keys.KeyFile.read(tmp_path / "old.key").open("ada", PASSWORD).key == old_key
    with pytest.raises(IntegrityError) as caught:
        opened_raw(database.path, key=old_key)
    assert caught.value.code == "STO-010"
    assert old_key not in folder.key_file.read_bytes()


def test_keys_follow_each_other(folder: DataFolder, database: Database) -> None:
    seen = {database.key}
    for number in (2, 3, 4):
        rotated(folder, database)
        assert database.path.name == f"lumen-{number}.db"
        seen.add(database.key)
    assert len(seen) == 4
    assert verdict(database).first_bad is None


def test_the_file_is_the_owners_only_and_the_log_is_kept(folder: DataFolder, database: Database) -> None:
    rotated(folder, database)
    with database.reading() as session:
        assert session.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
    if os.name == "posix":
        assert database.path.stat().st_mode & 0o777 == 0o600


def test_while_another_reads_nothing_is_rotated(folder: DataFolder, database: Database) -> None:
    file = keys.KeyFile.read(folder.key_file)
    other = opened_raw(database.path, key=database.key, writable=False)
    with other.reading() as session:
        session.execute(text("SELECT COUNT(*) FROM collection"))
        with pytest.raises(StorageError) as caught:
            rotated(folder, database)
    assert caught.value.code == "STO-004"
    other.close()
    assert keys.KeyFile.read(folder.key_file).card == file.card
    assert rows(database) == {"before"}
    rotated(folder, database)
    assert rows(database) == {"before"}


def test_who_opened_the_old_file_before_and_waits_writes_nothing_into_it(
    folder: DataFolder, database: Database
) -> None:
    """A program that read the old key file a moment ago must not get an event into a file that is gone."""
    old, key = database.path, database.key
    with old.open("rb") as held:
        rotated(folder, database)
        assert held.read() == b""
    assert not old.exists()
    with pytest.raises(StorageError) as caught:
        opened_raw(old, key=key, writable=False)
    assert caught.value.code == "STO-007"


def test_a_damaged_database_keeps_its_key(folder: DataFolder, database: Database) -> None:
    for number in range(100):
        stored(database, f"{number}" * 40)
    database.close()
    with database.path.open("r+b") as file:
        file.seek(database.path.stat().st_size - 2000)
        file.write(bytes(64))
    with pytest.raises(IntegrityError) as caught:
        rotated(folder, database)
    assert caught.value.code == "STO-010"
    assert keys.KeyFile.read(folder.key_file).card.database == "lumen.db"
    assert "lumen-2.db" not in databases(folder)


def test_a_chain_that_was_broken_before_stays_as_broken(folder: DataFolder, database: Database) -> None:
    with database.alone() as raw:
        for guard in audit.GUARDS:
            raw.execute(f"DROP TRIGGER {guard}")
        raw.execute("UPDATE audit_event SET body = x'00' WHERE seq = 1")
        for statement in audit.GUARDS.values():
            raw.execute(statement)
    before = verdict(database)
    assert before.first_bad == 1
    rotated(folder, database)
    assert verdict(database) == before


def test_without_space_for_a_copy_nothing_is_begun(
    folder: DataFolder, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = shutil.disk_usage(folder.path).free
    monkeypatch.setattr("lumen_desktop.storage.folder.SMALLEST_FREE_BYTES", free + 10**12)
    with pytest.raises(StorageError) as caught:
        rotated(folder, database)
    assert caught.value.code == "STO-003"
    assert rows(database) == {"before"}


@pytest.mark.parametrize("leave_bytes", [0, 100_000, 400_000])
def test_a_disk_that_fills_up_meanwhile_leaves_the_old_key(
    small_disk: Path, cheap_keys: None, monkeypatch: pytest.MonkeyPatch, leave_bytes: int
) -> None:
    monkeypatch.setattr("lumen_desktop.storage.folder.SMALLEST_FREE_BYTES", -(10**9))
    folder = made(small_disk / "site", size_bytes=SIZE_BYTES // 3)
    database = opened(folder)
    before = verdict(database)
    filler = fill(small_disk, leave_bytes=leave_bytes)
    with pytest.raises(StorageError) as caught:
        rotated(folder, database)
    assert caught.value.code == "STO-003"
    assert verdict(database) == before
    database.close()
    assert databases(folder) == ["lumen.db"]
    filler.unlink()
    rotated(folder, again := opened(folder))
    assert verdict(again).events == before.events + 1
    again.close()


@pytest.mark.parametrize("name", ["../lumen.db", "other.db", "lumen-0.db", "/etc/passwd", 7, None])
def test_a_key_file_names_no_other_file(folder: DataFolder, name: object) -> None:
    words = folder.key_file.read_text(encoding="utf-8").replace("{", "{" + f'"database": {json.dumps(name)},', 1)
    folder.key_file.write_text(words, encoding="utf-8")
    with pytest.raises(IntegrityError) as caught:
        keys.KeyFile.read(folder.key_file)
    assert caught.value.code == "KEY-003"


def test_a_key_file_whose_database_was_renamed_by_hand_is_refused(folder: DataFolder) -> None:
    words = folder.key_file.read_text(encoding="utf-8").replace("{", '{"database": "lumen-2.db",', 1)
    folder.key_file.write_text(words, encoding="utf-8")
    with pytest.raises(IntegrityError) as caught:
        keys.KeyFile.read(folder.key_file).open("ada", PASSWORD)
    assert caught.value.code == "KEY-003"


# --- kills ---


def started(folder: DataFolder, *arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.storage.rotating", str(folder.path), *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def examined(folder: DataFolder, said: list[str]) -> float:
    """Opens a site after a kill and looks for all that was acknowledged; returns the seconds until it was open."""
    began = time.monotonic()
    with folder.writing("examining"):
        database = opened(folder)
        recovery_s = time.monotonic() - began
        folder.remove_databases(but=database.path.name)
        assert {line for line in said if line.startswith("row ")} <= rows(database)
        found = verdict(database)
        assert found.first_bad is None, found.reason
        with database.reading() as session:
            assert session.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
            assert not session.execute(text("PRAGMA cipher_integrity_check")).all()
            rotations = sum(event["act"] == "rotated" for event in audit.events(session))
        number = database.path.stem.partition("-")[2] or "1"
        assert rotations == int(number) - 1, "an event without a new key, or a new key without its event"
        database.close()
    assert databases(folder) == [database.path.name]
    return recovery_s


def killed(folder: DataFolder, draw: random.Random, *, first: int, longest_s: float) -> list[str]:
    """What a process had said that was killed at a random moment."""
    process = started(folder, "--from", first)
    assert process.stdout
    said = [process.stdout.readline().strip()]
    assert said == ["ready"]
    time.sleep(draw.uniform(0, longest_s))
    process.kill()
    out, err = process.communicate(timeout=60)
    assert not err
    return out.splitlines()


def kill_often(
    path: Path, points: int, seed: int = 1, size_bytes: int = SIZE_BYTES
) -> tuple[Counter[str], list[float]]:
    """Kills at random points; returns what was going on and how long opening took."""
    draw, folder = random.Random(seed), made(path, size_bytes=size_bytes)
    doing: Counter[str] = Counter()
    opening_s, all_said, number = [], list[str](), 0
    for _ in range(points):
        said = killed(folder, draw, first=number, longest_s=0.8)
        all_said += said
        doing[(said or ["ready"])[-1].split()[0]] += 1
        opening_s.append(examined(folder, all_said))
        number += sum(line.startswith("row ") for line in said) + 1
    return doing, opening_s


def test_a_kill_at_any_moment_leaves_the_old_key_or_the_new_one(tmp_path: Path, cheap_keys: None) -> None:
    doing, opening_s = kill_often(tmp_path / "site", 20, size_bytes=SIZE_BYTES // 3)
    assert doing["rotating"] > 5
    assert max(opening_s) <= 2.0


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_kill_before_each_step_on_files_leaves_the_old_key_or_the_new_one(tmp_path: Path, cheap_keys: None) -> None:
    made(tmp_path / "made", size_bytes=100_000)
    names = []
    for step in range(1, 60):
        folder = DataFolder(Path(shutil.copytree(tmp_path / "made", tmp_path / f"site {step}")))
        process = started(folder, "--die-at", step)
        out, err = process.communicate(timeout=60)
        examined(folder, out.splitlines())
        names.append(keys.KeyFile.read(folder.key_file).card.database)
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, err
        with contextlib.suppress(OSError):
            shutil.rmtree(folder.path)
    assert process.returncode == 0, "it never came to its end"
    assert {"lumen.db", "lumen-2.db"} == set(names[:-1]), "kills before and after the switch"


def test_a_clock_may_stand_still(tmp_path: Path, cheap_keys: None) -> None:
    """Two rotations within one instant are two keys."""
    folder = made(tmp_path / "site")
    file = keys.KeyFile.read(folder.key_file)
    key = file.open("ada", PASSWORD).key
    database = Database.open(folder.database(), key, site_id=file.card.site_id, clock=Clock(), writable=True)
    rotated(folder, database)
    first = database.key
    rotated(folder, database)
    assert database.key != first
    database.close()
