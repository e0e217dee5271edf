"""One door for writes, each with its event; everything on the disk encrypted, and damage found out."""

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlcipher3.dbapi2
from sqlalchemy import text
from sqlmodel import select

from lumen_desktop.errors import IntegrityError, StorageError
from lumen_desktop.storage import audit
from lumen_desktop.storage import database as databases
from lumen_desktop.storage.chat import ConversationRow
from lumen_desktop.storage.database import Database, Transaction
from lumen_desktop.storage.library import CollectionRow
from lumen_desktop.storage.rows import Row
from tests.conftest import Clock
from tests.storage.conftest import KEY, SITE, TESTER, opened


def collection(name: str = "Rules") -> CollectionRow:
    return CollectionRow(name=name, created_utc=Clock()(), embedder_sha256="e" * 64)


def add(database: Database, name: str = "Rules") -> CollectionRow:
    with database.transaction(TESTER, "test") as transaction:
        return transaction.add(collection(name))


def names(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.exec(select(CollectionRow.name).order_by(CollectionRow.name)).all())


def events(database: Database) -> list[dict[str, Any]]:
    with database.reading() as session:
        return audit.events(session)


# --- one door for writes ---


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO collection (name, created_utc, embedder_sha256) VALUES ('x', '2026-01-01', 'x')",
        "UPDATE collection SET name = 'x'",
        "DELETE FROM collection",
        "DROP TABLE collection",
        "CREATE TABLE mine (id)",
        "INSERT INTO passage_text (passage_text) VALUES ('rebuild')",
    ],
)
def test_a_reading_session_refuses_writes(database: Database, statement: str) -> None:
    add(database)
    with pytest.raises(StorageError), database.reading() as session:
        session.execute(text(statement))
    assert names(database) == ["Rules"]


def test_a_reading_session_cannot_flush_a_changed_row(database: Database) -> None:
    add(database)
    with pytest.raises(StorageError), database.reading() as session:
        row = session.exec(select(CollectionRow)).one()
        row.name = "changed"
        session.add(row)
        session.commit()
    assert names(database) == ["Rules"]


def _add(transaction: Transaction, row: CollectionRow) -> None:
    transaction.add(collection("more"))


def _change(transaction: Transaction, row: CollectionRow) -> None:
    transaction.change(row, name="renamed")


def _remove(transaction: Transaction, row: CollectionRow) -> None:
    transaction.remove(row)


def _add_parts(transaction: Transaction, row: CollectionRow) -> None:
    transaction.add_parts(row, [ConversationRow(title=str(n), created_utc=Clock()()) for n in range(3)])


WRITES = [(_add, "added"), (_change, "changed"), (_remove, "removed"), (_add_parts, "added")]


@pytest.mark.parametrize(("write", "act"), WRITES)
def test_each_write_appends_exactly_one_event(
    database: Database, write: Callable[[Transaction, CollectionRow], None], act: str
) -> None:
    row = add(database)
    before = len(events(database))
    with database.transaction(TESTER, "a reason") as transaction:
        write(transaction, row)
    new = events(database)[before:]
    assert [(event["act"], event["reason"], event["actor"], event["role"]) for event in new] == [
        (act, "a reason", "tester", "holder")
    ]


@pytest.mark.parametrize(("write", "_"), WRITES)
def test_a_rollback_takes_the_write_and_its_event(
    database: Database, write: Callable[[Transaction, CollectionRow], None], _: str
) -> None:
    row = add(database)
    before = events(database)
    with pytest.raises(RuntimeError), database.transaction(TESTER, "test") as transaction:
        write(transaction, row)
        raise RuntimeError
    assert events(database) == before
    assert names(database) == ["Rules"]
    assert add(database, "after").id is not None


def test_no_parts_are_no_event(database: Database) -> None:
    row = add(database)
    before = len(events(database))
    with database.transaction(TESTER, "test") as transaction:
        transaction.add_parts(row, [])
    assert len(events(database)) == before


def test_an_event_tells_who_when_why_and_both_values(database: Database) -> None:
    row = add(database)
    with database.transaction(TESTER, "a better name") as transaction:
        transaction.change(row, name="Regulations")
    event = events(database)[-1]
    assert (event["entity"], event["entity_id"]) == ("collection", str(row.id))
    assert (event["before"], event["after"]) == ({"name": "Rules"}, {"name": "Regulations"})
    assert event["time_utc"] == "2026-11-22T09:30:00.000000+00:00"
    assert event["seq"] == len(events(database))
    assert {"utc_offset_minutes", "app", "reason", "hash"} <= event.keys()


def test_questions_are_in_the_trail_as_digests_only(database: Database) -> None:
    with database.transaction(TESTER, "test") as transaction:
        transaction.add(ConversationRow(title="Is Mrs Meier pregnant?", created_utc=Clock()()))
    event = events(database)[-1]
    assert "Meier" not in str(event)
    assert event["after"]["title"].startswith("salted-sha256:")
    assert "salt" not in event["after"]


def test_a_refused_row_leaves_nothing(database: Database) -> None:
    add(database)
    before = events(database)
    for row in (collection("Rules"), collection(""), collection("x" * 101)):
        with pytest.raises(StorageError) as caught, database.transaction(TESTER, "test") as transaction:
            transaction.add(row)
        assert caught.value.code == "STO-012"
    assert events(database) == before


def test_two_threads_write_in_turn_and_the_chain_stays_whole(database: Database) -> None:
    failures: list[BaseException] = []

    def write(prefix: str) -> None:
        try:
            for number in range(15):
                add(database, f"{prefix}{number}")
        except BaseException as error:  # noqa: BLE001 - handed to the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=write, args=(prefix,)) for prefix in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(names(database)) == 30
    with database.reading() as session:
        assert audit.verify(session, SITE).first_bad is None


def test_a_reader_sees_one_state_while_another_thread_writes(database: Database) -> None:
    add(database)
    with database.reading() as session:
        assert len(session.exec(select(CollectionRow)).all()) == 1
        writer = threading.Thread(target=add, args=(database, "late"))
        writer.start()
        writer.join()
        session.expire_all()
        assert len(session.exec(select(CollectionRow)).all()) == 1
    assert names(database) == ["Rules", "late"]


def test_a_second_writer_waits_and_is_refused_in_words(path: Path, database: Database) -> None:
    other = sqlcipher3.dbapi2.connect(str(path), isolation_level=None)
    other.execute(f"PRAGMA key = \"x'{KEY.hex()}'\"")
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(databases, "_PRAGMAS", tuple(p for p in databases._PRAGMAS if "busy" not in p))
            impatient = Database(path, KEY, site_id=SITE, clock=Clock())
            with pytest.raises(StorageError) as caught:
                add(impatient, "late")
            impatient.close()
    finally:
        other.close()
    assert caught.value.code == "STO-004"


def test_times_come_back_aware(database: Database) -> None:
    add(database)
    with database.reading() as session:
        assert session.exec(select(CollectionRow.created_utc)).one() == Clock()()


# --- guards of the trail ---


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET body = x'00' WHERE seq = 1",
        "UPDATE audit_event SET seq = 99 WHERE seq = 1",
        "DELETE FROM audit_event WHERE seq = 1",
        "DELETE FROM audit_event",
        "INSERT INTO audit_event SELECT 99, body, previous, randomblob(32) FROM audit_event WHERE seq = 1",
        "INSERT INTO audit_event SELECT 0, body, previous, randomblob(32) FROM audit_event WHERE seq = 1",
        "INSERT OR REPLACE INTO audit_event SELECT 1, x'00', previous, hash FROM audit_event WHERE seq = 1",
        "REPLACE INTO audit_event SELECT 2, body, previous, hash FROM audit_event WHERE seq = 1",
    ],
)
def test_not_even_a_transaction_changes_the_trail(database: Database, statement: str) -> None:
    add(database)
    before = events(database)
    with pytest.raises(StorageError), database.transaction(TESTER, "test") as transaction:
        transaction.session.execute(text(statement))
    assert events(database) == before


def test_every_guard_is_there_after_the_migrations(database: Database) -> None:
    with database.reading() as session:
        assert audit.missing_guards(session) == []
        found = session.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
    assert set(audit.GUARDS) < set(found)


@pytest.mark.parametrize("guard", sorted(audit.GUARDS))
@pytest.mark.parametrize("instead", ["", "CREATE TRIGGER {0} BEFORE UPDATE ON audit_event BEGIN SELECT 1; END"])
def test_a_database_without_a_guard_is_not_used(path: Path, database: Database, guard: str, instead: str) -> None:
    with database.transaction(TESTER, "test") as transaction:
        transaction.session.execute(text(f"DROP TRIGGER {guard}"))
        if instead:
            transaction.session.execute(text(instead.format(guard)))
    with pytest.raises(IntegrityError) as caught:
        opened(path)
    assert caught.value.code == "STO-011"
    assert guard in caught.value.message


# --- schema ---


def test_every_row_class_is_a_table_of_the_migrations(database: Database) -> None:
    with database.reading() as session:
        for table in Row.metadata.sorted_tables:
            found = (
                session.execute(text("SELECT name FROM pragma_table_info(:table)"), {"table": table.name})
                .scalars()
                .all()
            )
            assert set(found) == {column.name for column in table.columns}, table.name


def test_opening_again_changes_nothing(path: Path, database: Database) -> None:
    add(database)
    with database.reading() as session:
        before = session.execute(text("SELECT name, sql FROM sqlite_master ORDER BY name")).all()
    with_more = opened(path)
    with with_more.reading() as session:
        assert session.execute(text("SELECT name, sql FROM sqlite_master ORDER BY name")).all() == before
    with_more.close()


def test_a_newer_revision_is_refused_and_left_alone(path: Path, database: Database) -> None:
    with database.transaction(TESTER, "test") as transaction:
        transaction.session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for writable in (True, False):
        with pytest.raises(StorageError) as caught:
            opened(path, writable=writable)
        assert caught.value.code == "STO-006"


def test_an_older_one_is_not_migrated_by_a_reader(path: Path) -> None:
    empty = sqlcipher3.dbapi2.connect(str(path))
    empty.execute(f"PRAGMA key = \"x'{KEY.hex()}'\"")
    empty.execute("PRAGMA journal_mode = WAL")
    empty.execute("CREATE TABLE t (id)")
    empty.close()
    with pytest.raises(StorageError) as caught:
        opened(path, writable=False)
    assert caught.value.code == "STO-009"


def test_a_reader_makes_no_database(path: Path) -> None:
    with pytest.raises(StorageError) as caught:
        opened(path, writable=False)
    assert caught.value.code == "STO-007"
    assert not path.exists()


def test_a_migration_that_fails_leaves_nothing_half_done(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(connection: Any, *, writable: bool) -> None:
        connection.exec_driver_sql("CREATE TABLE half (id)")
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(databases, "upgrade", fail)
        with pytest.raises(RuntimeError):
            opened(path)
    whole = opened(path)
    with whole.reading() as session:
        assert session.execute(text("SELECT name FROM sqlite_master WHERE name = 'half'")).all() == []
    whole.close()


def test_a_site_is_never_taken_back_to_an_older_version() -> None:
    import importlib  # noqa: PLC0415 - a module whose name is a number

    step = importlib.import_module("lumen_desktop.storage.migrations.versions.0001_ground")
    with pytest.raises(NotImplementedError):
        step.downgrade()


# --- connections ---


def test_the_pragmas_are_those_listed(database: Database) -> None:
    expected = {
        "journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "mmap_size": 0,
        "busy_timeout": 5000, "trusted_schema": 0, "cell_size_check": 1, "temp_store": 2,
        "recursive_triggers": 1,
    }  # fmt: skip
    with database.reading() as session:
        found = {name: session.execute(text(f"PRAGMA {name}")).scalar() for name in expected}
        assert session.execute(text("PRAGMA query_only")).scalar() == 1
    found["mmap_size"] = found["mmap_size"] or 0  # SQLCipher answers nothing at all
    assert found == expected


def test_an_sqlite_that_could_lose_a_commit_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sqlcipher3.dbapi2.sqlite_version_info >= databases.OLDEST_SQLITE
    monkeypatch.setattr(sqlcipher3.dbapi2, "sqlite_version_info", (3, 51, 2))
    with pytest.raises(StorageError) as caught:
        opened(path)
    assert caught.value.code == "STO-008"


def test_the_standard_sqlite_cannot_read_it(path: Path, database: Database) -> None:
    add(database)
    plain = sqlite3.connect(path)
    with pytest.raises(sqlite3.DatabaseError):
        plain.execute("SELECT count(*) FROM sqlite_master").fetchone()
    plain.close()


def test_no_word_of_it_is_on_the_disk(path: Path, database: Database) -> None:
    secret = "Elderberry-wine-nobody-guesses"
    with database.transaction(TESTER, secret) as transaction:
        transaction.add(collection(secret))
        transaction.add(ConversationRow(title=secret, created_utc=Clock()()))
    for file in path.parent.iterdir():
        content = file.read_bytes()
        assert secret.encode() not in content
        assert b"CREATE TABLE" not in content
        assert b"SQLite format 3" not in content


def test_another_key_is_refused_and_nothing_changed(path: Path) -> None:
    opened(path).close()
    before = path.read_bytes()
    for writable in (True, False):
        with pytest.raises(IntegrityError) as caught:
            opened(path, key=bytes(32), writable=writable)
        assert caught.value.code == "STO-010"
    assert path.read_bytes() == before
