"""The file itself: a head of one page, the manifest, then the parts one after the other, and nothing else.

::

    offset  bytes
    0       512      head: 16 of magic with the version, length of the manifest (u32), the rest zero
    512     7 x 512  a slot a seal: public key (32), signature (64), the rest zero; free slots are all zero
    4096    n        manifest, canonical JSON
    4096+n  …        the parts, in the manifest's order and sizes, without a gap; the file ends with the last

**Why not a zip or a tar.** Both say a thing more than once (a zip's local and central headers, a tar's names in
extensions) and leave room that nobody reads (extra fields, comments, padding, what follows the end), so readers differ
over what is in a file. Here every byte is in the head and must be the one expected, or is a seal, or is in the manifest
that the seals sign, or is in a part whose digest the manifest holds. No offset is stored, so none can be wrong.

**Why seals lie in front.** A seal is added to a file of many gigabytes by one write of one aligned 512-byte sector
within the first page: the file keeps its length, and a process that is killed leaves the slot free or filled. So does a
loss of power, as far as the disk keeps its promise that a sector is written or not (NVM Express, AWUPF).

Knows no key; `seals` fills the slots and `verify` judges them. Not for two writers at once.
"""

import contextlib
import hashlib
import io
import os
import shutil
import stat
import struct
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final, Self

from lumen_desktop.bundle.manifest import (
    LARGEST_MANIFEST_BYTES,
    BuildManifest,
    Part,
    changed,
    newer,
    outside,
)
from lumen_desktop.errors import BundleError

SUFFIX: Final = ".lumenbuild"
MAGIC: Final = b"\x89LUMENBUILD\r\n\x1a\n"
VERSION: Final = 1
SECTOR_BYTES: Final = 512
SLOTS: Final = 7
HEAD_BYTES: Final = (1 + SLOTS) * SECTOR_BYTES
_HEAD = struct.Struct(f"<{len(MAGIC)}sBI")
_PIECE_BYTES: Final = 1024**2
_BUFFER_BYTES: Final = 64 * 1024
_NO_DIGEST: Final = "0" * 64
_MEDIA_TYPES: Final[Mapping[str, str]] = {
    ".gguf": "application/x-gguf",
    ".html": "text/html",
    ".jinja": "text/x-jinja2",
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".md": "text/markdown",
    ".pdf": "application/pdf",
    ".toml": "application/toml",
}


def write(target: Path, manifest: BuildManifest, files: Mapping[str, Path]) -> BuildManifest:
    """Writes a bundle without seals; it appears under its name only when it is whole.

    The parts are read once, in pieces: their digests have a fixed length, so the manifest's place is known before.

    Args:
        target: the file to make; none may be there.
        manifest: the facts; its parts are filled in here.
        files: the parts' names and where each is read from, in the order in which they will lie.

    Returns:
        The manifest as it was stored.

    Raises:
        BundleError: a fact breaks its rule (BUN-004), a file cannot be read or written (BUN-015), one changed
            meanwhile (BUN-003), something is at the target already (BUN-016).
    """
    with disk(target):
        planned = replace(manifest, parts=tuple(_planned(name, path) for name, path in files.items()))
    length = len(planned.to_bytes())
    if length > LARGEST_MANIFEST_BYTES:
        raise outside("the manifest is too long")
    with _new(target, HEAD_BYTES + length + sum(part.size_bytes for part in planned.parts)) as file:
        file.write(_head(length))
        file.seek(HEAD_BYTES + length)
        parts = [replace(part, sha256=_copied(files[part.name], file, part)) for part in planned.parts]
        sealed = replace(manifest, parts=tuple(parts))
        sealed.check_parts()
        file.seek(HEAD_BYTES)
        file.write(sealed.to_bytes())
    return sealed


def read_manifest(path: Path) -> BuildManifest:
    """What a file says of itself. No part is read and no seal is judged: it may be anybody's word.

    Raises:
        BundleError: BUN-001 to BUN-004, BUN-015, BUN-017.
    """
    with BuildBundle(path) as bundle:
        return bundle.manifest


def extract(path: Path, name: str, target: Path, *, manifest: BuildManifest | None = None) -> None:
    """Copies a part out of a bundle in pieces; it appears under its name only when its digest is right.

    Args:
        path: the bundle.
        name: of the part.
        target: the file to make; none may be there.
        manifest: the one that was verified, where one was: the file must still have it.

    Raises:
        BundleError: as `read_manifest`; no such part (BUN-013); the part, or the manifest, is another (BUN-003);
            something is at the target already (BUN-016).
    """
    with BuildBundle(path) as bundle:
        if manifest is not None and bundle.manifest != manifest:
            raise changed("its manifest")
        part = bundle.manifest.part(name)
        with _new(target, part.size_bytes) as file:
            bundle.check_part(part, copy=file)


def open_part(path: Path, name: str) -> BinaryIO:
    """A part as a file to read from, within its bounds; its digest is not checked. The caller closes it.

    Raises:
        BundleError: as `read_manifest`; no such part (BUN-013).
    """
    bundle = BuildBundle(path)
    try:
        return bundle.reader(bundle.manifest.part(name), last=True)
    except BundleError:
        bundle.close()
        raise


class BuildBundle:
    """An open bundle whose head, manifest and length are right; close it, or use it as a context.

    Attributes:
        manifest: what it says of itself.
        manifest_bytes: what the seals sign.
        slots: the seals' sectors, as they are.

    Raises:
        BundleError: it cannot be read (BUN-015), is none (BUN-001), is cut short (BUN-002), was changed (BUN-003; as
            far as can be seen without reading the parts), breaks a rule (BUN-004), or is newer (BUN-017).
    """

    def __init__(self, path: Path, *, writable: bool = False) -> None:
        self._path = path
        with disk(path):
            if not stat.S_ISREG(path.stat().st_mode):
                raise _not_a_bundle()
            self._file = path.open("r+b" if writable else "rb", buffering=0)
            try:
                self._read()
            except BaseException:
                self._file.close()
                raise

    def _read(self) -> None:
        size = os.fstat(self._file.fileno()).st_size
        length = _manifest_length(self._file.read(SECTOR_BYTES), size)
        self.slots = [self._file.read(SECTOR_BYTES) for _ in range(SLOTS)]
        self.manifest_bytes = self._file.read(length)
        if len(self.manifest_bytes) < length:
            raise _cut_short()
        self.manifest = BuildManifest.from_bytes(self.manifest_bytes)
        self._offsets, end = {}, HEAD_BYTES + length
        for part in self.manifest.parts:
            self._offsets[part.name] = end
            end += part.size_bytes
        if size < end:
            raise _cut_short()
        if size > end:
            raise changed("its length")

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_ended: object) -> None:
        self.close()

    def reader(self, part: Part, *, last: bool = False) -> io.BufferedReader:
        """A part as a file to read from, within its bounds.

        Args:
            part: of this bundle.
            last: whether closing it closes the bundle.
        """
        stretch = _Stretch(self._file, self._offsets[part.name], part.size_bytes, closes=last)
        return io.BufferedReader(stretch, _BUFFER_BYTES)

    def check_part(self, part: Part, *, copy: BinaryIO | None = None) -> None:
        """Reads a part in pieces and, where wanted, copies it.

        Raises:
            BundleError: its digest is not the manifest's (BUN-003).
        """
        digest, left = hashlib.sha256(), part.size_bytes
        with disk(self._path):
            self._file.seek(self._offsets[part.name])
            while left and (piece := self._file.read(min(left, _PIECE_BYTES))):
                digest.update(piece)
                left -= len(piece)
                if copy is not None:
                    copy.write(piece)
        if left or digest.hexdigest() != part.sha256:
            raise changed(f"its part {part.name}")

    def fill_slot(self, number: int, content: bytes) -> None:
        """Writes a seal's sector in one go and waits until the disk has it.

        Raises:
            BundleError: the disk refuses (BUN-015).
        """
        sector = content.ljust(SECTOR_BYTES, b"\0")
        with disk(self._path):
            self._file.seek((1 + number) * SECTOR_BYTES)
            self._file.write(sector)
            os.fsync(self._file.fileno())
        self.slots[number] = sector


class _Stretch(io.RawIOBase):
    """A stretch of a file as a file of its own."""

    def __init__(self, file: BinaryIO, start: int, size: int, *, closes: bool) -> None:
        super().__init__()
        self._file, self._start, self._size, self._at, self._closes = file, start, size, 0, closes

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, origin + offset)
        return self._at

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override] # as its caller calls it
        self._file.seek(self._start + self._at)
        piece = self._file.read(max(0, min(len(buffer), self._size - self._at)))
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def close(self) -> None:
        if self._closes:
            self._file.close()
        super().close()


def _head(manifest_bytes: int) -> bytes:
    return _HEAD.pack(MAGIC, VERSION, manifest_bytes).ljust(SECTOR_BYTES, b"\0")


def _manifest_length(untrusted: bytes, size_bytes: int) -> int:
    """The length that a head states; a head of another form is refused."""
    if not untrusted.startswith(MAGIC[: len(untrusted)]) or not untrusted:
        raise _not_a_bundle()
    if size_bytes < HEAD_BYTES:
        raise _cut_short()
    _magic, version, length = _HEAD.unpack_from(untrusted)
    if version != VERSION:
        raise newer()
    if untrusted != _head(length):
        raise changed("its head")
    if length > LARGEST_MANIFEST_BYTES:
        raise outside("the manifest is too long")
    return int(length)


def _planned(name: str, path: Path) -> Part:
    media_type = _MEDIA_TYPES.get(Path(name).suffix, "text/plain")
    return Part(name=name, size_bytes=path.stat().st_size, sha256=_NO_DIGEST, media_type=media_type)


def _copied(source: Path, target: BinaryIO, part: Part) -> str:
    """Copies a file in pieces; its digest."""
    digest, size = hashlib.sha256(), 0
    with source.open("rb", buffering=0) as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
            target.write(piece)
            size += len(piece)
    if size != part.size_bytes:
        raise changed(f"{part.name}, while it was read,")
    return digest.hexdigest()


@contextlib.contextmanager
def _new(target: Path, size_bytes: int) -> Iterator[BinaryIO]:
    """A file that appears under its name when it is whole and on the disk; nothing remains of one that is not."""
    part = target.with_name(target.name + ".part")
    if target.exists():
        raise BundleError(
            f"There is a {target.name} already; nothing was overwritten.",
            code="BUN-016",
            hint="Choose another name, or remove the old file yourself.",
        )
    with disk(target):
        if shutil.disk_usage(target.parent).free < size_bytes:
            raise OSError(f"{size_bytes / 1e9:.1f} GB are needed")
        try:
            with part.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink()
            raise
        _keep_names(target.parent)


def _keep_names(folder: Path) -> None:
    """Waits until a folder's names are on the disk, where the system can do that."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def disk(path: Path) -> Iterator[None]:
    """Turns what the disk refuses into a sentence.

    Raises:
        BundleError: BUN-015.
    """
    try:
        yield
    except OSError as error:
        raise BundleError(
            f"{Path(error.filename or path).name} cannot be read or written ({error.strerror or error}).",
            code="BUN-015",
            hint="See that the file is there, that you may use it and that the disk has room.",
        ) from None


def _not_a_bundle() -> BundleError:
    return BundleError(
        "The file is not a build of Lumen.", code="BUN-001", hint="Choose a file that ends in .lumenbuild."
    )


def _cut_short() -> BundleError:
    return BundleError("The file is cut short.", code="BUN-002", hint="Copy or fetch it again.")
