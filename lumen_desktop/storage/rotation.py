"""A new database key: a whole new database file under it, and one write of the key file that makes it the site's.

Until that write the old key file and the old database are the site; after it the new ones are. A kill at any moment
leaves one of both, and a file beside it that the next writable opening removes. Called by `services.keys`.

`PRAGMA rekey` in place was measured and left: its log grows to the size of the database, so it saves no space, the
key file would need two keys for a while, and nothing could be verified before the old content is gone.
"""

import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlcipher3.dbapi2 import Connection

from lumen_desktop.domain.accounts import Actor
from lumen_desktop.domain.audit import Verdict, first_break
from lumen_desktop.errors import IntegrityError, StorageError
from lumen_desktop.storage import audit
from lumen_desktop.storage.database import Database, connected
from lumen_desktop.storage.folder import DataFolder, keep_names, unwritable
from lumen_desktop.storage.keys import KeyFile

_PAGES_AT_ONCE = 1024  # 4 MB between two reports of progress
_KEY = 32  # bytes

Progress = Callable[[str, float], None]


def rotate(folder: DataFolder, database: Database, actor: Actor, reason: str, progress: Progress) -> None:
    """Gives the site a new random database key; everybody's password and the recovery code open it as before.

    Args:
        folder: its data folder, held for writing.
        database: open; it goes on in the new file.
        actor: on whose behalf.
        reason: why, for the audit trail.
        progress: is told what is done and which part of it, 0 to 1.

    Raises:
        StorageError: too little space (STO-003), or another program reads the site (STO-004).
        IntegrityError: the copy is not what was copied (KEY-009); the old key and database stay.
    """
    old, fresh = database.path, folder.next_database(database.path.name)
    key = secrets.token_bytes(_KEY)
    with database.alone() as source:
        folder.check_space(old.stat().st_size)
        try:
            _write_copy(source, fresh, key, progress)
            _finish_copy(database, fresh, key, source=source, actor=actor, reason=reason, progress=progress)
            file = KeyFile.read(folder.key_file)
            file.reseal(key)
            file.write(folder.key_file, key, database=fresh.name)
        except BaseException:
            _abandon(folder, old=old)
            raise
        with contextlib.suppress(OSError):  # who opened it before and waits finds nothing in it
            os.truncate(old, 0)
        database.move_to(fresh, key)
    with contextlib.suppress(StorageError):
        folder.remove_databases(but=fresh.name)


def _write_copy(source: Connection, fresh: Path, key: bytes, progress: Progress) -> None:
    """Every page of the database, anew under another key."""

    def report(_: int, remaining: int, total: int) -> None:
        progress("copying", 1 - remaining / max(total, 1))

    for ending in ("", "-wal", "-shm", "-journal"):
        fresh.with_name(fresh.name + ending).unlink(missing_ok=True)
    with contextlib.closing(connected(fresh, key, "locking_mode = EXCLUSIVE")) as target:
        source.backup(target, pages=_PAGES_AT_ONCE, progress=report)


def _finish_copy(
    database: Database, fresh: Path, key: bytes, *, source: Connection, actor: Actor, reason: str, progress: Progress
) -> None:
    """Compares the copy with what was copied, lets it tell of its new key, and brings it to the disk whole."""
    progress("verifying", 0.0)
    with contextlib.closing(connected(fresh, key, "locking_mode = EXCLUSIVE")) as target:
        faults = _all(target, "PRAGMA cipher_integrity_check")
        progress("verifying", 0.5)
        whole = _all(target, "PRAGMA integrity_check") == [("ok",)]
        if faults or not whole or _contents(target) != _contents(source):
            raise _differs()
    chain = _chain(source, database.site_id)
    successor = Database.open(fresh, key, site_id=database.site_id, clock=database.clock, writable=True)
    try:
        with successor.reading() as session:
            if audit.verify(session, database.site_id) != chain:
                raise _differs()
        with successor.transaction(actor, reason) as transaction:
            transaction.note("rotated", "database key", fresh.name)
    finally:
        successor.close()  # the last connection brings the log into the file and removes it
    progress("verifying", 1.0)
    _sync(fresh)


def _contents(connection: Connection) -> tuple[Any, ...]:
    """What two databases that hold the same have in common."""
    schema = _all(connection, "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name")
    counts = [
        (name, *_all(connection, f'SELECT COUNT(*) FROM "{name}"'))  # noqa: S608 - a name of our own schema
        for kind, name, *_ in schema if kind == "table"
    ]  # fmt: skip
    marks = [_all(connection, f"PRAGMA {name}") for name in ("user_version", "application_id", "journal_mode")]
    return schema, counts, marks


def _all(connection: Connection, statement: str) -> list[tuple[Any, ...]]:
    return list(connection.execute(statement).fetchall())


def _chain(connection: Connection, site_id: str) -> Verdict:
    """The audit chain as the old database has it."""
    rows = connection.execute("SELECT seq, body, previous, hash FROM audit_event ORDER BY seq")
    return first_break((audit.event_of(*row) for row in rows), site_id=site_id)


def _sync(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        keep_names(path.parent)
    except OSError as error:
        raise unwritable(path.parent, error) from error


def _abandon(folder: DataFolder, *, old: Path) -> None:
    """After a failure the copy goes at once, if the key file surely still names the old database."""
    with contextlib.suppress(StorageError):
        if KeyFile.read(folder.key_file).card.database == old.name:
            folder.remove_databases(but=old.name)


def _differs() -> IntegrityError:
    return IntegrityError(
        "The database under the new key is not what the old one holds.",
        code="KEY-009",
        hint="Nothing was changed: the old key goes on. Run `lumen doctor`, and report the code.",
    )
