"""Files on their way into the library: which ones, their bytes, and how far each is.

Knows no database and no reader; `services.library` adds what it names here.
"""

import itertools
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lumen_desktop.domain.names import shown
from lumen_desktop.errors import InputError

LARGEST_FILE_BYTES = 200 * 1024 * 1024
ENDINGS = frozenset({
    ".pdf", ".docx", ".md", ".markdown", ".txt", ".xml", ".nxml", ".json", ".jsonl", ".zip", ".gz",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that was not added, and why."""

    path: Path
    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class AddProgress:
    """How far one file is: ``stored``, ``unchanged`` and ``failed`` end it.

    Attributes:
        path: the file.
        file: its number, from 1, among ``files``.
        stage: reading, cutting, embedding, stored, unchanged, failed; or indexing, before and after the files.
        done: pages read, or passages embedded, of ``total``; 0 of 0 while that is unknown.
        share: how much of all files' bytes is done, 0 to 1.
        failure: why the file failed.
    """

    path: Path
    file: int
    files: int
    stage: str
    done: int = 0
    total: int = 0
    share: float = 0.0
    failure: Failure | None = None


@dataclass(slots=True)
class AddReport:
    """What became of the files; the last thing that `Library.add` yields."""

    added: int = 0
    unchanged: int = 0
    passages: int = 0
    stopped: bool = False
    failed: list[Failure] = field(default_factory=list)
    notices: list[tuple[Path, str]] = field(default_factory=list)


_READ = 0.1  # share of a file's time that reading takes; embedding takes the rest


@dataclass(frozen=True, slots=True)
class Step:
    """One file among all that are added, by number and by bytes."""

    path: Path
    file: int
    files: int
    before_bytes: float
    size_bytes: float
    all_bytes: int

    def at(self, stage: str, done: int = 0, total: int = 0, failure: Failure | None = None) -> AddProgress:
        """Where the work stands."""
        part = done / max(1, total)
        own = {"reading": _READ * part, "cutting": _READ, "embedding": _READ + (1 - _READ) * part}.get(stage, 1.0)
        share = (self.before_bytes + own * self.size_bytes) / self.all_bytes
        return AddProgress(self.path, self.file, self.files, stage, done, total, share, failure)

    def part(self, number: int, parts: int, name: str) -> "Step":
        """One document of a file that holds many, which takes its share of the file's time."""
        share = self.size_bytes / parts
        path = self.path.with_name(f"{self.path.name} › {name.replace('/', '-') or number}")
        return replace(self, path=path, before_bytes=self.before_bytes + (number - 1) * share, size_bytes=share)


def steps(files: Sequence[Path]) -> Iterator[Step]:
    """The files one by one, each with its place among the bytes of all."""
    sizes = [_size(path) for path in files]
    ends = list(itertools.accumulate(sizes))
    for number, (path, size, end) in enumerate(zip(files, sizes, ends, strict=True), start=1):
        yield Step(path, number, len(files), end - size, size, ends[-1])


def _size(path: Path) -> int:
    """Bytes of a file as far as they can be known, at least one."""
    try:
        return max(1, path.stat().st_size)
    except (OSError, ValueError):
        return 1


def files_of(paths: Sequence[Path], report: AddReport) -> Iterator[Path]:
    """Files as named, and the readable ones in named folders, sorted."""
    for path in paths:
        if _is_folder(path):
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in ENDINGS and p.is_file())
            if not inside:
                report.failed.append(_refused(path, "LIB-025", "The folder holds no file that can be read."))
            yield from inside
        else:
            yield path


def _is_folder(path: Path) -> bool:
    """Whether it is one; what cannot be looked at is refused as a file, with its reason."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _refused(path: Path, code: str, message: str) -> Failure:
    return Failure(path, code, message, f"Readable are {', '.join(sorted(ENDINGS))}.")


def content_of(path: Path) -> bytes:
    """The bytes of a regular file.

    Raises:
        InputError: not there (LIB-026), not a file (LIB-027), not readable (LIB-028), empty (LIB-029),
            too large (LIB-030).
    """
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            raise InputError(
                f"{shown(path.name)} is not a file.", code="LIB-027", hint="Name files or folders of files."
            )
        if state.st_size > LARGEST_FILE_BYTES:
            raise InputError(
                f"{shown(path.name)} is larger than {LARGEST_FILE_BYTES // 1024**2} MB.",
                code="LIB-030",
                hint="Split it into parts.",
            )
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"There is no file {shown(str(path))}.", code="LIB-026", hint="Check the path.") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its name is not one"
        raise InputError(
            f"{shown(path.name)} cannot be read ({reason}).", code="LIB-028", hint="Check its permissions."
        ) from None
    if not content:
        raise InputError(f"{shown(path.name)} is empty.", code="LIB-029", hint="Nothing was added of it.")
    return content
