"""Files of JSON lines: written whole or not at all, read one line at a time, with the place named where one is damaged.

Knows nothing of what a line holds; every step of the trainer reads and writes its files through this.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, TypeVar

from lumen_desktop.errors import InputError, StorageError
from trainer.records import Example, Record

LARGEST_LINE_BYTES = 64 * 1024**2
_BUFFER_BYTES = 1024**2

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Written:
    """What a file became: its size, its digest (lower-case hexadecimal) and how many lines it has."""

    size_bytes: int
    sha256: str
    lines: int


class LinesFile:
    """A file of lines that appears under its name only when it is whole.

    Use as a context manager. Left in order, the file is on the disk and `written` says what it became; left by an
    exception, nothing of it remains. A process that is killed leaves "NAME.part", which the next one overwrites.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size_bytes = 0
        self.lines = 0
        self._digest = hashlib.sha256()
        self._part = path.with_name(path.name + ".part")
        self._file: IO[bytes]

    def __enter__(self) -> Self:
        with refused_if_unwritable(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._part.open("wb", buffering=_BUFFER_BYTES)
        return self

    def write(self, line: str | bytes) -> None:
        """Adds a line; its end is added here.

        Raises:
            UnicodeEncodeError: half of a surrogate pair, which UTF-8 cannot hold; nothing is written.
            StorageError: TRN-010.
        """
        encoded = (line.encode() if isinstance(line, str) else line) + b"\n"
        with refused_if_unwritable(self.path):
            self._file.write(encoded)
        self._digest.update(encoded)
        self.size_bytes += len(encoded)
        self.lines += 1

    @property
    def written(self) -> Written:
        """What is in it up to now."""
        return Written(self.size_bytes, self._digest.hexdigest(), self.lines)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._part.unlink(missing_ok=True)
            return
        with refused_if_unwritable(self.path), self._file as file:
            file.flush()
            os.fsync(file.fileno())
        with refused_if_unwritable(self.path):
            self._part.replace(self.path)


@contextlib.contextmanager
def refused_if_unwritable(path: Path) -> Iterator[None]:
    """Turns what the disk refuses into a sentence.

    Raises:
        StorageError: TRN-010.
    """
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{path.name} cannot be written ({error.strerror or type(error).__name__}).",
            code="TRN-010",
            hint="Make room or choose another work folder; the same command goes on from here.",
        ) from None


def write_json(path: Path, value: Any) -> Written:
    """Writes one JSON value, keys sorted and indented, whole or not at all."""
    with LinesFile(path) as file:
        file.write(json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1))
    return file.written


def read_lines(path: Path, read: Callable[[bytes], T]) -> Iterator[T]:
    """What ``read`` makes of each line, one at a time.

    Args:
        path: a file that `LinesFile` wrote.
        read: takes a line without its end; `ValueError`, `KeyError` or `TypeError` from it mean a damaged line.

    Raises:
        InputError: a damaged line (TRN-008), an end in the middle of one (TRN-009), no such file (TRN-017).
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise InputError(
            f"{path.name} cannot be read ({error.strerror}).", code="TRN-017", hint="Run the step that makes it first."
        ) from None
    with file:
        number = 0
        while line := file.readline(LARGEST_LINE_BYTES + 1):
            number += 1
            yield _read(path, number, line, read)


def _read(path: Path, number: int, line: bytes, read: Callable[[bytes], T]) -> T:
    if not line.endswith(b"\n"):
        if len(line) > LARGEST_LINE_BYTES:
            raise _damaged(path, number)
        raise InputError(
            f"{path.name} ends in the middle of line {number}.",
            code="TRN-009",
            hint="It was cut off: run the step that made it again.",
        )
    try:
        return read(line[:-1])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _damaged(path, number) from None


def _damaged(path: Path, number: int) -> InputError:
    return InputError(
        f"Line {number} of {path.name} is damaged or was changed by hand.",
        code="TRN-008",
        hint="Run the step that made the file again.",
    )


def read_records(path: Path) -> Iterator[Record]:
    """The records of a file; raises as `read_lines` does."""
    return read_lines(path, Record.from_line)


def read_examples(path: Path) -> Iterator[Example]:
    """The examples of a file; raises as `read_lines` does."""
    return read_lines(path, Example.from_line)
