"""The encrypted database, and the one door for writes.

Reading happens in `Database.reading`, on a connection that refuses writes. Writing happens in
`Database.transaction(actor, reason)`: each write on the object it returns appends its own audit event
in the same SQL transaction, so that neither can exist without the other.

Knows no noun: rows and queries stand in the nouns' modules.
"""

import contextlib
import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import sqlcipher3.dbapi2
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool
from sqlmodel import Session, create_engine

from lumen_desktop import __version__
from lumen_desktop.domain.accounts import Actor
from lumen_desktop.domain.clock import offset_minutes
from lumen_desktop.errors import IntegrityError, LumenError, StorageError
from lumen_desktop.storage import accounts, audit, signatures
from lumen_desktop.storage.folder import full, is_full
from lumen_desktop.storage.gate import Gate, in_use
from lumen_desktop.storage.migrations import upgrade
from lumen_desktop.storage.rows import Row

OLDEST_SQLITE = (3, 51, 3)  # before it, a WAL reset could corrupt the file; sqlite.org, release 3.51.3
_PRAGMAS = (
    "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON", "mmap_size = 0",
    "busy_timeout = 5000", "trusted_schema = OFF", "cell_size_check = ON", "temp_store = MEMORY",
    "recursive_triggers = ON",  # or REPLACE would remove audit events past their guard
)  # fmt: skip
_DAMAGE = ("not a database", "malformed", "HMAC", "disk I/O", "vtable constructor failed")

AnyRow = TypeVar("AnyRow", bound=Row)


class Database:
    """One site's database, open.

    Args:
        path: the database file.
        key: 32 bytes.
        site_id: whose audit chain this is.
        clock: tells the time, aware UTC.
        writable: whether this process may write.

    Attributes:
        written: told of each transaction once it is committed: number and time of its last event.
    """

    def __init__(
        self, path: Path, key: bytes, *, site_id: str, clock: Callable[[], datetime], writable: bool = True
    ) -> None:
        self._path = path
        self._key = key
        self.site_id = site_id
        self.clock = clock
        self.written: Callable[[int, datetime], None] | None = None
        self._refusal: LumenError | None = None
        self._engine = _engine(path, key, writable=writable)
        self._write_turn = threading.Lock()
        self._gate = Gate()

    @classmethod
    def open(cls, path: Path, key: bytes, *, site_id: str, clock: Callable[[], datetime], writable: bool) -> Self:
        """Opens a database; creates and migrates it where the process may write.

        Raises:
            StorageError: made by a newer version (STO-006), not there (STO-007), too old an SQLite (STO-008),
                or older than this version while another process holds the site (STO-009).
            IntegrityError: not readable with this key (STO-010), or a guard trigger is missing (STO-011).
        """
        if sqlcipher3.dbapi2.sqlite_version_info < OLDEST_SQLITE:
            raise StorageError(
                f"The SQLite in use is too old to be safe ({sqlcipher3.dbapi2.sqlite_version}).",
                code="STO-008",
                hint="Install Lumen again; it brings its own.",
            )
        if not writable:
            refuse_missing(path)
        database = cls(path, key, site_id=site_id, clock=clock, writable=writable)
        try:
            database._check(writable=writable)
        except BaseException:
            database.close()
            raise
        return database

    def _check(self, *, writable: bool) -> None:
        engine = self._engine.execution_options(lumen_writes=writable)
        with self._translating(), engine.begin() as connection:
            upgrade(connection, writable=writable)
        if writable and os.name == "posix":
            self._path.chmod(0o600)
        with self.reading() as session:
            if lost := audit.missing_guards(session, audit.GUARDS | accounts.GUARDS | signatures.GUARDS):
                raise IntegrityError(
                    f"The database lost its guard {lost[0]}.",
                    code="STO-011",
                    hint="Do not go on with this file; restore a backup and report the code.",
                )

    @contextlib.contextmanager
    def reading(self, *, waits: bool = True) -> Iterator[Session]:
        """A session that sees one state of the database and cannot write.

        Args:
            waits: whether to wait while somebody of this process is `alone` with it, which takes minutes.

        Raises:
            StorageError: somebody is, and it does not wait (STO-004).
        """
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._gate.together(waits=waits))  # before the engine is looked up: it may be replaced
            stack.enter_context(self._translating())
            yield stack.enter_context(Session(self._engine.execution_options(lumen_writes=False)))

    def transaction(self, actor: Actor, reason: str) -> "Transaction":
        """The only way to write; use it as a context manager.

        Args:
            actor: on whose behalf.
            reason: why, for the audit trail; names the job, never a document's words.

        Raises:
            LumenError: writing is refused; see `refuse_writes`.
        """
        self.check_writable()
        return Transaction(self, actor, reason)

    @contextlib.contextmanager
    def anchoring(self) -> Iterator[Session]:
        """A writing session for anchors only: they belong to the trail and are no event of it."""
        self.check_writable()
        with self._writing() as session:
            yield session

    def refuse_writes(self, refusal: LumenError) -> None:
        """Answers every later wish to write with a refusal; what cannot be trusted is not built upon."""
        self._refusal = refusal

    def check_writable(self) -> None:
        """Raises the refusal where writing is refused."""
        if self._refusal is not None:
            raise self._refusal

    def damaged(self) -> Sequence[str]:
        """What is wrong with the file, each page of which is read, free ones as well; empty where nothing is.

        It does not look into a log that a kill left: opening has brought that into the file.

        Source: SQLCipher API, ``PRAGMA cipher_integrity_check``; SQLite, ``PRAGMA quick_check``.
        """
        with self._write_turn, self.reading() as session:  # no page is written meanwhile
            seals = list(session.execute(text("PRAGMA cipher_integrity_check")).scalars())
            if seals:
                return seals
            return [words for words in session.execute(text("PRAGMA quick_check")).scalars() if words != "ok"]

    @property
    def path(self) -> Path:
        """The file; another after `move_to`."""
        return self._path

    @property
    def key(self) -> bytes:
        """What opens it, 32 bytes; another after `move_to`."""
        return self._key

    @contextlib.contextmanager
    def alone(self) -> Iterator[sqlcipher3.dbapi2.Connection]:
        """The file with nobody else in it: no other connection, of this or another process, reads or writes.

        Readers and writers of this process wait until it is over, and go on in the file that `move_to` named within.

        Raises:
            StorageError: another is in it (STO-004).
        """
        with self._write_turn, self._gate.alone(), self._translating():
            self._engine.dispose()
            with contextlib.closing(connected(self._path, self._key, "locking_mode = EXCLUSIVE")) as connection:
                connection.execute("BEGIN EXCLUSIVE")
                connection.execute("COMMIT")  # the lock stays until the connection is closed
                yield connection

    def move_to(self, path: Path, key: bytes) -> None:
        """Goes on in another file that holds the same."""
        self._engine.dispose()
        self._path, self._key, self._engine = path, key, _engine(path, key, writable=True)

    def close(self) -> None:
        """Closes all connections."""
        self._engine.dispose()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Session]:
        """The writing session of `Transaction`: one at a time, committed at its end or rolled back whole."""
        with self._write_turn, self._translating():
            engine = self._engine.execution_options(lumen_writes=True)  # only now: it may be another one
            with Session(engine, expire_on_commit=False) as session:
                yield session
                session.commit()

    @contextlib.contextmanager
    def _translating(self) -> Iterator[None]:
        """Turns the database's errors into ours; a statement's values never come along."""
        try:
            yield
        except DBAPIError as error:
            raise self._translated(str(error.orig)) from None
        except sqlcipher3.dbapi2.Error as error:
            raise self._translated(str(error)) from None

    def _translated(self, words: str) -> LumenError:
        if "full" in words or ("disk I/O" in words and is_full(self._path.parent)):
            return full(self._path.parent)
        if "readonly" in words or "unable to open" in words:
            return StorageError(
                f"The data folder {self._path.parent} cannot be written.",
                code="STO-001",
                hint="Give another folder with --data, or make this one writable for you.",
            )
        if "locked" in words:
            return in_use()
        if any(sign in words for sign in _DAMAGE):
            return IntegrityError(
                f"The database {self._path} is damaged or was encrypted with another key.",
                code="STO-010",
                hint="Nothing was changed. Restore a backup, or ask support with the code.",
            )
        return StorageError(
            f"The database refused the work ({words}).",
            code="STO-012",
            hint="Report the code and the words in brackets.",
        )


class Transaction:
    """Writes that become true together, each with its audit event."""

    def __init__(self, database: Database, actor: Actor, reason: str) -> None:
        self._database = database
        self._actor = actor
        self._reason = reason
        self._stack = contextlib.ExitStack()
        self._noted: tuple[int, datetime] | None = None
        self.session: Session

    def __enter__(self) -> Self:
        self.session = self._stack.enter_context(self._database._writing())  # noqa: SLF001 - the door itself
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        handled = self._stack.__exit__(kind, error, trace)
        if error is None and self._noted and self._database.written:
            self._database.written(*self._noted)
        return handled

    def add(self, row: AnyRow) -> AnyRow:
        """Stores a new row and returns it with its id."""
        self.session.add(row)
        self.session.flush()
        self.note("added", row.entity, _identity(row), after=row.audited())
        return row

    def add_parts(self, of: Row, rows: Sequence[Row]) -> None:
        """Stores many rows that are parts of one; one event tells how many and their digest."""
        if not rows:
            return
        self.session.add_all(rows)
        self.session.flush()
        summary = {"count": len(rows), "of": of.entity, "sha256": _digest_of(rows)}
        self.note("added", rows[0].entity, _identity(of), after=summary)

    def change(self, row: Row, **values: Any) -> None:
        """Changes fields of a row; the event keeps old and new value of those that differ."""
        before = row.audited()
        for name, value in values.items():
            setattr(row, name, value)
        self.session.add(row)
        self.session.flush()
        after = row.audited()
        names = [name for name in after if before[name] != after[name]]
        old, new = ({name: state[name] for name in names} for state in (before, after))
        self.note("changed", row.entity, _identity(row), before=old, after=new)

    def remove(self, row: Row) -> None:
        """Removes a row and, by the schema's cascades, its parts."""
        before, identity = row.audited(), _identity(row)
        self.session.delete(row)
        self.session.flush()
        self.note("removed", row.entity, identity, before=before)

    def note(self, act: str, entity: str, identity: object, **states: dict[str, Any]) -> None:
        """Appends the event of one act; the writing methods call it, and acts that write no row may."""
        now = self._database.clock()
        fields = {
            "time_utc": now.isoformat(timespec="microseconds"),
            "utc_offset_minutes": offset_minutes(now),
            "actor": self._actor.name,
            "role": self._actor.role,
            "act": act,
            "entity": entity,
            "entity_id": str(identity),
            "before": states.get("before"),
            "after": states.get("after"),
            "reason": self._reason,
            "app": __version__,
        }
        self._noted = audit.append(self.session, self._database.site_id, fields), now


def refuse_missing(path: Path) -> None:
    """Refuses a site whose database is not there: a new one would be empty (STO-007)."""
    if not path.exists():
        raise StorageError(
            f"There is no database in {path.parent}.",
            code="STO-007",
            hint="Put it back from where it was moved to, or restore a backup.",
        )


def _digest_of(rows: Sequence[Row]) -> str:
    """Digest over the rows as the trail would keep each."""
    total = hashlib.sha256()
    for row in rows:
        total.update(json.dumps(row.audited(), sort_keys=True).encode() + b"\n")
    return total.hexdigest()


def _identity(row: Row) -> object:
    return getattr(row, "id", None)


def _address(path: Path, *, writable: bool) -> str:
    """The file as SQLite is to open it: where nothing can be written, without the files that a log would need.

    A log that still holds what the file lacks is not passed over: without a place for its index SQLite refuses.
    """
    log, shared = path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")
    alone = not shared.exists() and (not log.exists() or not log.stat().st_size)
    possible = os.access(path.parent, os.W_OK) and os.access(path, os.W_OK)
    frozen = alone and path.exists() and (not possible or (not writable and is_full(path.parent)))
    return f"{path.absolute().as_uri()}{'?immutable=1' if frozen else ''}"


def connected(path: Path, key: bytes, *first: str, writable: bool = True) -> sqlcipher3.dbapi2.Connection:
    """One connection, keyed and hardened; `first` are pragmas that must come before the file is looked at."""
    address = _address(path, writable=writable)
    connection = sqlcipher3.dbapi2.connect(address, uri=True, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA cipher_log_level = NONE")  # it would write to standard error
        connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
        for pragma in (*first, *_PRAGMAS):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()  # or it would keep its locks as long as somebody looks at the error
        raise
    # SQLite's own folding knows the letters of ASCII only
    connection.create_function("casefold", 1, str.casefold, deterministic=True)
    return connection


def _engine(path: Path, key: bytes, *, writable: bool) -> Engine:
    """An SQLAlchemy engine whose connections are keyed, hardened and begin as reader or writer."""
    engine = create_engine(
        "sqlite://",
        creator=lambda: connected(path, key, writable=writable),
        module=sqlcipher3.dbapi2,
        poolclass=QueuePool,
    )

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("lumen_writes", True)
        connection.exec_driver_sql(f"PRAGMA query_only = {'OFF' if writes else 'ON'}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
