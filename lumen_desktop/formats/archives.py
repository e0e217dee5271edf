"""Opens what a publisher packed: a gzip file, a zip, or a zip of zips, without unpacking anything to a named place.

Names in an archive are only shown, never used as paths. Every stream is limited by what it may unpack to.
"""

import gzip
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader, RawIOBase
from typing import IO, BinaryIO, cast

from lumen_desktop.errors import InputError

LARGEST_MEMBER_BYTES = 4 * 1024**3
DEEPEST = 2  # a release of DailyMed is a zip of zips
_IN_MEMORY_BYTES = 32 * 1024**2
_PIECE_BYTES = 1024**2
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Member:
    """One file in an archive: the names that lead to it, outermost first, and its bytes, readable once."""

    names: tuple[str, ...]
    stream: BinaryIO


def is_zip(head: bytes) -> bool:
    """Whether a file that begins with these bytes is a zip."""
    return head.startswith(_ZIP)


def unpacked(stream: BinaryIO, *, largest_bytes: int = LARGEST_MEMBER_BYTES) -> BinaryIO:
    """The bytes of a file that may be gzipped, as one stream.

    Raises (when read):
        InputError: cut off (FMT-002), damaged (FMT-001), or unpacks to more than ``largest_bytes`` (FMT-005).
    """
    buffered = stream if isinstance(stream, BufferedReader) else BufferedReader(cast("RawIOBase", stream))
    zipped = buffered.peek(2)[:2] == _GZIP
    source = gzip.GzipFile(fileobj=buffered) if zipped else buffered
    return cast("BinaryIO", BufferedReader(_Limited(cast("IO[bytes]", source), largest_bytes), _PIECE_BYTES))


def members(
    stream: BinaryIO, *, endings: tuple[str, ...], largest_bytes: int = LARGEST_MEMBER_BYTES
) -> Iterator[Member]:
    """Files in a zip, and in the zips in it, whose names end so, in the archive's order.

    Args:
        stream: the zip, seekable.
        endings: lower case, such as (".xml",).
        largest_bytes: how large one may become.

    Raises:
        InputError: no readable zip (FMT-001), three deep (FMT-004), encrypted (FMT-007); while it is read, as
            `unpacked` says.
    """
    for _, inside in entries(stream, endings=endings, largest_bytes=largest_bytes):
        yield from inside


def entries(
    stream: BinaryIO, *, endings: tuple[str, ...], largest_bytes: int = LARGEST_MEMBER_BYTES,
    first: int = 0, last: int | None = None,
) -> Iterator[tuple[str, Iterator[Member]]]:  # fmt: skip
    """The same as `members`, entry by entry, so that what is wrong with one entry ends only that one.

    Args:
        stream: the zip, seekable.
        endings: lower case, such as (".xml",).
        largest_bytes: how large one may become.
        first: the number of the first of the archive's entries that is wanted, from 0.
        last: the number after the last one that is wanted; None takes all.

    Yields:
        An entry's name and the files in it: itself, or those in the zip that it is. Its files are read before the
        next entry is asked for; what they raise, `members` says.

    Raises:
        InputError: no readable zip (FMT-001).
    """
    with _opened(stream) as archive:
        for info in archive.infolist()[first:last]:
            if _wanted(info, endings):
                yield info.filename, _inside(archive, info, (), endings, largest_bytes)


def entry_sizes(stream: BinaryIO) -> list[int]:
    """What each entry of a zip takes up in it, in bytes, in the archive's order, to share the work by.

    Raises:
        InputError: no readable zip (FMT-001).
    """
    with _opened(stream) as archive:
        return [info.compress_size for info in archive.infolist()]


def _opened(stream: BinaryIO) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise _damaged() from None


def _wanted(info: zipfile.ZipInfo, endings: tuple[str, ...]) -> bool:
    return not info.is_dir() and info.filename.lower().endswith((*endings, ".zip"))


def _inside(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, above: tuple[str, ...], endings: tuple[str, ...],
    largest_bytes: int,
) -> Iterator[Member]:  # fmt: skip
    names = (*above, info.filename)
    inner = info.filename.lower().endswith(".zip")
    if info.flag_bits & 1:
        raise InputError("The archive is encrypted.", code="FMT-007", hint="Unpack it and add what is in it.")
    if inner and len(names) >= DEEPEST:
        raise InputError(
            "The archive holds an archive in an archive.", code="FMT-004", hint="Unpack the outermost one."
        )
    try:
        source = archive.open(info)
    except (zipfile.BadZipFile, OSError, ValueError, IndexError, RuntimeError):  # a damaged directory names anything
        raise _damaged() from None
    with source:
        limited = cast("BinaryIO", BufferedReader(_Limited(source, largest_bytes), _PIECE_BYTES))
        if inner:
            yield from _nested(limited, names, endings, largest_bytes)
        else:
            yield Member(names, limited)


def _nested(stream: BinaryIO, names: tuple[str, ...], endings: tuple[str, ...], largest_bytes: int) -> Iterator[Member]:
    """A zip must be read from its end, so an inner one is unpacked first, to memory while it is small."""
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as whole:
        while piece := stream.read(_PIECE_BYTES):
            whole.write(piece)
        whole.seek(0)
        with _opened(cast("BinaryIO", whole)) as archive:
            for info in archive.infolist():
                if _wanted(info, endings):
                    yield from _inside(archive, info, names, endings, largest_bytes)


class _Limited(RawIOBase):
    """Passes bytes on, up to a limit, and says in our words what was wrong with the archive."""

    def __init__(self, source: IO[bytes], largest_bytes: int) -> None:
        self._source = source
        self._left = largest_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview[int]") -> int:  # type: ignore[override]
        try:
            piece = self._source.read(len(buffer))
        except EOFError:
            raise InputError("The file ends too early.", code="FMT-002", hint="Copy or download it again.") from None
        except (zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, OSError):
            raise _damaged() from None
        self._left -= len(piece)
        if self._left < 0:
            raise InputError(
                "The archive would unpack to more than is allowed.", code="FMT-005", hint="Unpack it by hand."
            )
        buffer[: len(piece)] = piece
        return len(piece)


def _damaged() -> InputError:
    return InputError("The archive is damaged.", code="FMT-001", hint="Copy or download it again.")
