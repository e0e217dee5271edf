"""A site's data folder: made once, owner only, written by one process at a time.

site.key     what kind of site this is, its sealed database key, and which file is the database
lumen.db     everything else, encrypted; lumen-2.db and so on after a new key
index/       the vector index, a cache without text
lumen.lock   held by the process that may write; lumen.holder says which
site.attempts counts wrong passwords, and keeps them until the audit trail is told
anchors.jsonl the audit trail's anchors
tmp/         removed at each start
"""

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import filelock
import psutil

from lumen_desktop.errors import StorageError

SMALLEST_FREE_BYTES = 64 * 1024 * 1024
_INDEX_BYTES = 64 * 1024  # of a database's log, which takes 32 KiB at first; without it SQLite reads nothing
FIRST_DATABASE = "lumen.db"
_DATABASE = re.compile(r"lumen(?:-([1-9][0-9]{0,8}))?\.db")


class DataFolder:
    """Paths of one data folder, and the lock on it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.key_file = path / "site.key"
        self.index = path / "index"
        self.temporary = path / "tmp"
        self._holder = path / "lumen.holder"
        self._lock = filelock.FileLock(path / "lumen.lock", mode=0o600)

    @property
    def holds_site(self) -> bool:
        """Whether a site was made here.

        Raises:
            StorageError: the system does not let us look (STO-001).
        """
        try:
            return self.key_file.exists()
        except OSError as error:
            raise unwritable(self.path, error) from error

    def database(self, name: str = FIRST_DATABASE) -> Path:
        """The database of a name that a key file gives."""
        return self.path / name

    def next_database(self, name: str) -> Path:
        """Where the database goes that takes the place of the one of a name."""
        found = _DATABASE.fullmatch(name)
        assert found is not None
        return self.path / f"lumen-{int(found[1] or 1) + 1}.db"

    def create(self) -> None:
        """Makes the folder, readable by its owner only.

        Raises:
            StorageError: it cannot be made or written (STO-001), or holds other files (STO-002).
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if any(self.path.iterdir()) and not self.holds_site:
                self._refuse_strangers()
            self.path.chmod(0o700)
        except OSError as error:
            raise unwritable(self.path, error) from error
        self.check_space()

    def _refuse_strangers(self) -> None:
        ours = {"lumen.db", "lumen.db-wal", "lumen.db-shm", "lumen.lock", "lumen.holder", "lumen.log", "tmp", "index"}
        attempts = {"site.attempts", "site.attempts.lock", "site.attempts.new"}
        unfinished = {"site.key.new", "lumen.holder.new", *attempts}  # a kill may leave them
        if any(entry.name not in ours | unfinished for entry in self.path.iterdir()):
            raise StorageError(
                f"The folder {self.path} already holds other files.",
                code="STO-002",
                hint="Name an empty folder, or one that does not exist yet.",
            )

    def remove_databases(self, *, but: str = "") -> None:
        """Removes what a kill left: databases that the key file does not name.

        Args:
            but: name of the one that stays.

        Raises:
            StorageError: the folder cannot be written.
        """
        try:
            for file in self.path.glob("lumen*.db*"):
                name = file.name.removesuffix("-wal").removesuffix("-shm").removesuffix("-journal")
                if name != but and is_database(name):
                    file.unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(self.path, error) from error

    def check_space(self, more_bytes: int = 0) -> None:
        """Refuses work that would run into a full disk.

        Args:
            more_bytes: how much the work will write.

        Raises:
            StorageError: less than 64 MB would be left (STO-003).
        """
        if shutil.disk_usage(self.path).free < SMALLEST_FREE_BYTES + more_bytes:
            raise full(self.path)

    @contextlib.contextmanager
    def writing(self, purpose: str) -> Iterator[None]:
        """Holds the folder for writing, and names the holder to others.

        Args:
            purpose: what this process does, such as ``lumen chat``; shown to whoever is refused.

        Raises:
            StorageError: another process holds it (STO-004), or the folder cannot be written (STO-001).
        """
        try:
            self._lock.acquire(timeout=0)
        except filelock.Timeout:
            raise StorageError(
                f"This site is in use: {self.holder()}.",
                code="STO-004",
                hint="Close that program, or wait until it has finished. Reading commands work meanwhile.",
            ) from None
        except OSError as error:
            raise unwritable(self.path, error) from error
        try:
            self._announce(purpose)
            self._clear_temporary()
            yield
        finally:
            with contextlib.suppress(OSError):
                self._holder.unlink()
            self._lock.release()

    def is_held(self) -> bool:
        """Whether a process holds the folder for writing."""
        if not self._holder.exists():
            return False
        try:
            with self._lock.acquire(timeout=0):
                return False
        except filelock.Timeout:
            return True
        except OSError:
            return False

    def holder(self) -> str:
        """Who holds the folder, in words."""
        try:
            fields = json.loads(self._holder.read_text(encoding="utf-8"))
            return f"{fields['purpose']}, process {fields['pid']}, since {fields['since_utc']} UTC"
        except (OSError, ValueError, KeyError, TypeError):
            return "another program"

    def _announce(self, purpose: str) -> None:
        since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
        fields = {"purpose": purpose, "pid": psutil.Process().pid, "since_utc": since}
        write_atomically(self._holder, json.dumps(fields).encode())

    def _clear_temporary(self) -> None:
        shutil.rmtree(self.temporary, ignore_errors=True)
        try:
            self.temporary.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise unwritable(self.path, error) from error


def is_database(name: str) -> bool:
    """Whether a file of this name is a site's database."""
    return _DATABASE.fullmatch(name) is not None


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a file so that a reader sees the old or the new content whole, even after a power cut.

    Raises:
        StorageError: the folder cannot be written (STO-001) or is full (STO-003).
    """
    with replacing(path, content):
        pass


@contextlib.contextmanager
def replacing(path: Path, content: bytes) -> Iterator[None]:
    """As `write_atomically`, once what is done inside has come to its end.

    The space is taken before: where a disk is full, neither is done.
    """
    fresh = path.with_name(path.name + ".new")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise unwritable(path.parent, error) from error
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise
    try:
        fresh.replace(path)
        keep_names(path.parent)
    except OSError as error:
        raise unwritable(path.parent, error) from error


def keep_names(folder: Path) -> None:
    """Lets new and changed names of a folder outlast a power cut; raises `OSError`."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def unwritable(path: Path, error: OSError) -> StorageError:
    """The refusal for a folder that the system does not let us write."""
    if error.errno == 28:  # noqa: PLR2004 - ENOSPC
        return full(path)
    return StorageError(
        f"The data folder {path} cannot be used ({error.strerror}).",
        code="STO-001",
        hint="Give another folder with --data, or make this one readable and writable for you.",
    )


def is_full(path: Path) -> bool:
    """Whether the disk of a folder has no space even for what reading a database takes."""
    return shutil.disk_usage(path).free < _INDEX_BYTES


def full(path: Path) -> StorageError:
    """The refusal for a full disk."""
    return StorageError(
        f"The disk that holds {path} is full; nothing of this step was stored.",
        code="STO-003",
        hint="Free some space and try again; everything stored before is unharmed.",
    )
