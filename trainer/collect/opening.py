"""Opens a unit's files, gzip and zips included, and gives what the source's reader says of each.

A file that cannot be read on, and a reader that fails on one, cost that file only: the refusal comes as the last thing
that is said of it. Knows nothing of records and of what is kept.
"""

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias, cast

from lumen_desktop.errors import InputError
from lumen_desktop.formats import archives
from lumen_desktop.formats.document import Fault, PublicDocument
from trainer.collect.inputs import InputFile, Unit, takes_whole_zips
from trainer.sources import Reader, Source

_HEAD_BYTES = 4
_PIECE_BYTES = 256 * 1024

Said: TypeAlias = PublicDocument | Fault | InputError
Events: TypeAlias = Iterator[tuple[str, Said]]
Moved: TypeAlias = Callable[[int], None]


def events(unit: Unit, source: Source, moved: Moved, digests: dict[str, str]) -> Events:
    """What a unit's files say, each with the file's name, in order; always the same.

    Args:
        unit: what is read.
        source: whose reader is asked.
        moved: told the bytes that were read.
        digests: gets the SHA-256 of each file that is begun here and is not in it yet.

    Raises:
        InputError: a file changed while it was read (TRN-013).
    """
    for file in unit.files:
        if unit.number == 0 and file.name not in digests:
            digests[file.name] = _digest(file.path)
        said = False
        for event in _file_events(unit, file, source, moved):
            said = True
            yield event
        _refuse_changed(file)
        if unit.whole and not said:
            yield file.name, Fault("", "empty", "Nothing that is read here is in it.")


def _digest(path: Path) -> str:
    """Of a file's bytes; empty where it cannot be read, which its reading says and counts."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


def _refuse_changed(file: InputFile) -> None:
    """What was read of a file that was still being copied is not the file."""
    with contextlib.suppress(OSError):
        now = file.path.stat()
        if (now.st_size, now.st_mtime_ns) == (file.size_bytes, file.modified_ns):
            return
    raise InputError(f"{file.name} changed while it was read.", code="TRN-013", hint="Collect again when it is whole.")


def _file_events(unit: Unit, file: InputFile, source: Source, moved: Moved) -> Events:
    try:
        raw = file.path.open("rb", buffering=0)
    except OSError as error:
        yield file.name, _unreadable(error)
        return
    with raw:
        stream = cast("BinaryIO", BufferedReader(_Counted(raw, moved), _PIECE_BYTES))
        try:
            zipped = archives.is_zip(stream.peek(_HEAD_BYTES)[:_HEAD_BYTES])  # type: ignore[attr-defined]
        except OSError as error:
            yield file.name, _unreadable(error)
            return
        if zipped and takes_whole_zips(source):
            yield from _read(source.read, stream, file.name, file.within)
        elif zipped:
            yield from _zip_events(unit, file, source, stream)
        else:
            most = max(archives.LARGEST_MEMBER_BYTES, file.size_bytes)
            yield from _read(source.read, archives.unpacked(stream, largest_bytes=most), file.name, file.within)


def _zip_events(unit: Unit, file: InputFile, source: Source, stream: BinaryIO) -> Events:
    endings = tuple(ending for base in source.endings for ending in (base, f"{base.removesuffix('.gz')}.gz"))
    try:
        for entry, inside in archives.entries(stream, endings=endings, first=unit.first, last=unit.last):
            yield from _entry_events(file, source.read, entry, inside)
    except InputError as error:
        yield file.name, error


def _entry_events(file: InputFile, reader: Reader, entry: str, inside: Iterator[archives.Member]) -> Events:
    try:
        for member in inside:
            path = "".join(f"!{name}" for name in member.names)
            yield from _read(reader, archives.unpacked(member.stream), file.name + path, file.within + path)
    except InputError as error:
        yield f"{file.name}!{entry}", error


def _read(reader: Reader, stream: BinaryIO, name: str, within: str) -> Events:
    """What a reader says of one file; a fault of the reader itself costs this file only, and is counted."""
    events = None
    while True:
        try:
            events = events if events is not None else iter(reader(stream, within))
            event = next(events, None)
        except InputError as error:
            yield name, error
            return
        except OSError as error:
            yield name, _unreadable(error)
            return
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - one strange file must not end a night's run; its words may be text
            yield (
                name,
                InputError(
                    f"The reader failed ({type(error).__name__}).", code="TRN-011", hint="Report the file and the name."
                ),
            )
            return
        if event is None:
            return
        yield name, event


def _unreadable(error: OSError) -> InputError:
    return InputError(
        f"The file cannot be read ({error.strerror or type(error).__name__}).",
        code="TRN-018",
        hint="Check the disk and the file's permissions.",
    )


class _Counted(RawIOBase):
    """A file that tells how many bytes were read of it."""

    def __init__(self, raw: Any, moved: Moved) -> None:
        self._raw = raw
        self._moved = moved

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        place: int = self._raw.seek(offset, whence)
        return place

    def tell(self) -> int:
        place: int = self._raw.tell()
        return place

    def readinto(self, buffer: "memoryview[int]") -> int:  # type: ignore[override]
        read: int = self._raw.readinto(buffer)
        self._moved(read)
        return read
