"""A process that writes to a site and gives it new keys until it is killed: ``python -m tests.storage.rotating``.

It says on standard output what is done, a line each: ``ready``, ``row N`` once a row is stored, ``rotating`` and
``rotated``.
With ``--die-at K`` it kills itself right before the K-th step of a rotation that touches a file's name or opens one.
"""

import argparse
import os
import secrets
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from lumen_desktop.domain.accounts import Actor
from lumen_desktop.storage import keys
from lumen_desktop.storage.database import Database
from lumen_desktop.storage.folder import DataFolder
from lumen_desktop.storage.library import CollectionRow
from lumen_desktop.storage.rotation import rotate

PASSWORD = "correct horse battery staple"
ADMIN = Actor("ada", "admin")
PEOPLE = ("ada", "bert", keys.RECOVERY)
_STEPS = frozenset({"open", "os.rename", "os.remove", "os.truncate"})


def cheap() -> None:
    """Lets passwords be stretched in a millisecond."""
    keys._MEMORY_KIB, keys._PASSES = 64, 1


def made(path: Path, *, size_bytes: int = 0) -> DataFolder:
    """A site's folder with two people and a recovery code, all under `PASSWORD`."""
    folder = DataFolder(path)
    folder.create()
    file, key = keys.KeyFile.new(demonstration=False), secrets.token_bytes(32)
    for name in PEOPLE:
        file.put(key, name, PASSWORD)
    file.write(folder.key_file, key)
    database = opened(folder, new=True)
    with database.transaction(ADMIN, "filling") as transaction:
        for number in range(size_bytes // 1000):
            transaction.session.add(CollectionRow(
                name=f"filling {number}", created_utc=datetime.now(UTC), embedder_sha256="0" * 64,
            ))  # fmt: skip
            transaction.note("filled", "collection", number, after={"words": secrets.token_hex(400)})
    database.close()
    return folder


def opened(folder: DataFolder, *, new: bool = False) -> Database:
    """The database, through a person's password, as the program opens it."""
    file = keys.KeyFile.read(folder.key_file)
    key = file.open(PEOPLE[0], PASSWORD).key
    path = folder.database(file.card.database)
    assert new or path.exists()
    return Database.open(path, key, site_id=file.card.site_id, clock=lambda: datetime.now(UTC), writable=True)


def stored(database: Database, name: str) -> None:
    """Stores one row."""
    with database.transaction(ADMIN, "a row") as transaction:
        transaction.add(CollectionRow(name=name, created_utc=datetime.now(UTC), embedder_sha256="0" * 64))


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def _die_at(step: int, folder: Path) -> None:
    """Kills this process right before the step-th event of the file system in the folder."""
    left = step

    def hook(event: str, values: tuple[object, ...]) -> None:
        nonlocal left
        if event in _STEPS and str(values[0]).startswith(str(folder)):
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def main() -> None:
    """Writes and rotates."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--die-at", type=int, default=0)
    options = parser.parse_args()
    cheap()
    folder = DataFolder(options.folder)
    with folder.writing("rotating"):
        database = opened(folder)
        _say("ready")
        for number in range(options.first, options.first + 1000):
            stored(database, f"row {number}")
            _say(f"row {number}")
            if options.die_at:
                _die_at(options.die_at, options.folder)
            _say("rotating")
            rotate(folder, database, ADMIN, "a new key for a test", lambda *_: None)
            _say("rotated")
            if options.die_at:
                return


if __name__ == "__main__":
    main()
