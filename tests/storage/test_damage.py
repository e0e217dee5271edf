"""Damage and full disks: found out, said in one sentence, and nothing stored before is lost."""

import random
import shutil
from pathlib import Path

import pytest
import sqlalchemy.exc
import sqlcipher3.dbapi2
from sqlalchemy import text

from lumen_desktop.errors import IntegrityError, LumenError, StorageError
from lumen_desktop.storage import audit
from lumen_desktop.storage.chat import ConversationRow
from lumen_desktop.storage.database import Database
from lumen_desktop.storage.library import CollectionRow
from tests.conftest import Clock, fill
from tests.storage.conftest import KEY, SITE, TESTER, opened

PAGE_BYTES = 4096


def add(database: Database, name: str = "Rules") -> CollectionRow:
    with database.transaction(TESTER, "test") as transaction:
        return transaction.add(CollectionRow(name=name, created_utc=Clock()(), embedder_sha256="e" * 64))


def _everything(path: Path) -> None:
    """Opens it and reads every table from end to end."""
    database = opened(path, writable=False)
    try:
        with database.reading() as session:
            for table in session.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all():
                session.execute(text('SELECT * FROM "' + table + '"')).all()
            audit.events(session)
    finally:
        database.close()


def test_a_flipped_bit_in_any_page_is_an_integrity_error(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A page that was changed is refused, never read as something else, and nothing but our sentence is said."""
    database = opened(path)
    for number in range(40):
        with database.transaction(TESTER, "fill") as transaction:
            transaction.add(ConversationRow(title=f"{number}" * 3000, created_utc=Clock()()))
    database.close()
    _everything(path)
    whole = path.read_bytes()
    pages = len(whole) // PAGE_BYTES
    used = _used_pages(path)
    draw = random.Random(7)
    sample = [draw.choice(used) for _ in range(100)]
    assert pages > 50
    for page in sample:
        place = (page - 1) * PAGE_BYTES + draw.randrange(PAGE_BYTES)
        damaged = bytearray(whole)
        damaged[place] ^= 1 << draw.randrange(8)
        path.write_bytes(damaged)
        with pytest.raises(IntegrityError) as caught:
            _everything(path)
        assert caught.value.code == "STO-010", page
    path.write_bytes(whole)
    _everything(path)
    assert capfd.readouterr() == ("", "")


def _used_pages(path: Path) -> list[int]:
    """Pages that hold tables; those of indexes and free ones are not read by `_everything`."""
    raw = sqlcipher3.dbapi2.connect(str(path))
    raw.execute(f"PRAGMA key = \"x'{KEY.hex()}'\"")
    roots = [row[0] for row in raw.execute("SELECT rootpage FROM sqlite_master WHERE type = 'table' AND rootpage > 0")]
    raw.close()
    return [1, *roots]


def test_a_truncated_file_is_an_integrity_error(path: Path) -> None:
    database = opened(path)
    for number in range(40):
        add(database, f"{number}")
    database.close()
    whole = path.read_bytes()
    for share in (0.3, 0.6, 0.9):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(IntegrityError):
            _everything(path)


def test_a_file_of_another_kind_is_an_integrity_error(path: Path) -> None:
    path.write_bytes(b"PK\x03\x04" + bytes(8192))
    with pytest.raises(IntegrityError):
        opened(path)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("database or disk is full", "STO-003"),
        ("attempt to write a readonly database", "STO-001"),
        ("unable to open database file", "STO-001"),
        ("database is locked", "STO-004"),
        ("file is not a database", "STO-010"),
        ("database disk image is malformed", "STO-010"),
        ("disk I/O error", "STO-010"),
        ("vtable constructor failed: passage_text", "STO-010"),
        ("UNIQUE constraint failed: collection.name", "STO-012"),
    ],
)
def test_what_the_database_says_becomes_one_sentence(database: Database, words: str, code: str) -> None:
    def fail(error: Exception) -> LumenError:
        with pytest.raises(LumenError) as caught, database._translating():
            raise error
        return caught.value

    wrapped = sqlalchemy.exc.OperationalError(
        "SELECT secret", {"x": "secret"}, sqlcipher3.dbapi2.OperationalError(words)
    )
    for error in (fail(wrapped), fail(sqlcipher3.dbapi2.DatabaseError(words))):
        assert error.code == code
        assert "secret" not in f"{error.message} {error.hint}"


def trail(database: Database) -> list[int]:
    with database.reading() as session:
        return [event["seq"] for event in audit.events(session)]


def test_a_full_disk_is_one_sentence_and_what_was_stored_stays(small_disk: Path) -> None:
    database = opened(small_disk / "lumen.db")
    add(database)
    before = trail(database)
    filler = fill(small_disk, leave_bytes=200_000)
    with pytest.raises(StorageError) as caught:
        for number in range(200):
            add(database, f"{number:>90}")
            before = trail(database)
    assert caught.value.code == "STO-003"
    assert len(before) > 5
    assert trail(database) == before
    filler.unlink()
    add(database, "after")
    with database.reading() as session:
        assert audit.verify(session, SITE).first_bad is None
    database.close()


def test_a_closed_database_is_read_on_a_full_disk(small_disk: Path) -> None:
    """There is no space for the index of its log then."""
    path = small_disk / "lumen.db"
    database = opened(path)
    add(database)
    before = trail(database)
    database.close()
    filler = fill(small_disk)
    reader = opened(path, writable=False)
    assert trail(reader) == before
    with pytest.raises(StorageError) as caught:
        add(reader, "more")
    assert caught.value.code == "STO-001"
    reader.close()
    filler.unlink()
    database = opened(path)
    add(database, "after")
    database.close()


def test_a_log_that_cannot_be_read_for_want_of_space_is_no_damage(path: Path, small_disk: Path) -> None:
    """A kill leaves a log; what it holds is not passed over, and nobody is told to restore a backup."""
    database = opened(path)
    add(database)
    before = trail(database)
    for ending in ("", "-wal"):
        shutil.copy(f"{path}{ending}", small_disk)
    database.close()
    filler = fill(small_disk)
    with pytest.raises(StorageError) as caught:
        opened(small_disk / "lumen.db", writable=False)
    assert caught.value.code == "STO-003"
    filler.unlink()
    reader = opened(small_disk / "lumen.db", writable=False)
    assert trail(reader) == before
    reader.close()
