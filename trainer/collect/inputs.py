"""Which files are read: checked against the configuration, in a fixed order, cut into units that are read apart.

Opens nothing but the tables of contents of zips. Called by `trainer.collect.run` and by `lumen-trainer validate`.
"""

import fnmatch
import hashlib
import itertools
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lumen_desktop.errors import InputError
from lumen_desktop.formats import archives
from trainer.config import Config, SourceChoice
from trainer.sources import Source

SLICE_BYTES = 32 * 1024**2  # of a zip as it lies on the disk: worth a process of its own, and small enough to share
BATCH_BYTES = 8 * 1024**2  # of small files
_ENDS_A_BATCH = 16  # of 256


@dataclass(frozen=True, slots=True)
class Choice:
    """A source that is used, with what the configuration says of it."""

    source: Source
    settings: SourceChoice


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to read.

    Attributes:
        source: the source's name.
        name: as the user named it, or the folder it is in; "/" between folders.
        within: the part of the name after the folder that the user named.
        path: where it is.
        size_bytes: of the file as it lies there.
        modified_ns: when it was last written.
    """

    source: str
    name: str
    within: str
    path: Path
    size_bytes: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class Unit:
    """What one process reads at a time: one file, several small ones that follow each other, or a stretch of a zip.

    Attributes:
        files: the files, of one source.
        number: of the stretch in its zip, from 0; 0 for other units.
        first: number of the first entry of the zip.
        last: the number after the last one; None reads files to their end.
        whole: whether nothing of its files is in another unit.
        size_bytes: what it takes up on the disk.
    """

    files: tuple[InputFile, ...]
    number: int = 0
    first: int = 0
    last: int | None = None
    whole: bool = True
    size_bytes: int = 0

    @property
    def source(self) -> str:
        """The name of the files' source."""
        return self.files[0].source

    @property
    def name(self) -> str:
        """Of its first file."""
        return self.files[0].name

    @property
    def stem(self) -> str:
        """The beginning of the names of its parts, which sorts as the stretches of a zip do."""
        slug = re.sub(r"[^a-z0-9]+", "-", self.files[0].path.name.lower()).strip("-")[:48]
        return f"{slug}-{_digest(self.name).hex()[:12]}-{self.number:05}"


def _digest(name: str) -> bytes:
    return hashlib.sha256(name.encode(errors="surrogateescape")).digest()


def chosen(config: Config, sources: Sequence[Source]) -> list[Choice]:
    """The sources that are used, in the order of ``sources``.

    Raises:
        InputError: a source that is not known or off (TRN-005), or whose terms were not accepted (TRN-006).
    """
    known = {source.name: source for source in sources}
    for name in config.sources:
        if name not in known:
            raise InputError(
                f"There is no source “{name}”.", code="TRN-005", hint=f"There are: {', '.join(known) or 'none'}."
            )
    return [
        _checked(source, config.sources[source.name])
        for source in sources
        if source.name in config.sources and config.sources[source.name].use is not False
    ]


def _checked(source: Source, settings: SourceChoice) -> Choice:
    if settings.use is None and not source.on:
        raise InputError(
            f"The source “{source.name}” is off unless you switch it on ({source.terms or source.licence}).",
            code="TRN-005",
            hint=f"Write `use: true` under sources.{source.name}, or false to leave it out.",
        )
    if source.terms and not settings.accept_terms:
        raise InputError(
            f"The terms of “{source.name}” were not accepted: {source.terms}",
            code="TRN-006",
            hint=f"Read them at {source.url} and write `accept_terms: true` under sources.{source.name}.",
        )
    return Choice(source, settings)


def found(config: Config, choices: Sequence[Choice]) -> list[InputFile]:
    """All files to read: by source, then by name, which puts PubMed's numbered files in the order they apply.

    Raises:
        InputError: a file or folder is not there, holds nothing to read or the work folder (TRN-007).
    """
    return [file for choice in choices for file in _files_of(config, choice)]


def _files_of(config: Config, choice: Choice) -> list[InputFile]:
    source, files = choice.source, dict[Path, InputFile]()
    for written in choice.settings.files:
        place = config.place(written)
        _refuse_work(config, place, written)
        named = list(_named(source, written, place))
        if not named:
            raise InputError(
                f"“{written}” holds no file of “{source.name}”.",
                code="TRN-007",
                hint=f"Its files end with {', '.join(source.endings)}.",
            )
        for file in named:
            files.setdefault(file.path.resolve(), file)
    if not files:
        raise InputError(
            f"No files are named for “{source.name}”.",
            code="TRN-007",
            hint=f"List them under sources.{source.name}.files, or write `use: false`.",
        )
    return sorted(files.values(), key=lambda file: (file.path.name, file.name))


def _refuse_work(config: Config, place: Path, written: str) -> None:
    if config.work_folder.resolve().is_relative_to(place.resolve()):
        raise InputError(
            f"The work folder lies in “{written}”, which is read.",
            code="TRN-007",
            hint="Choose a work folder outside the files of the sources.",
        )


def _named(source: Source, written: str, place: Path) -> Iterator[InputFile]:
    """The files that one entry of the configuration means."""
    if place.is_file():
        if fits(source, place.name):
            yield _file(source, place, Path(written).as_posix(), place.name)
        return
    if not place.is_dir():
        raise _missing(source, written)
    for folder, folders, names in os.walk(place):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            if not name.startswith(".") and fits(source, name) and path.is_file():
                within = path.relative_to(place).as_posix()
                yield _file(source, path, f"{Path(written).as_posix()}/{within}", within)


def fits(source: Source, name: str) -> bool:
    """Whether a file of this name is read for a source: its endings, gzipped too, and zips."""
    return name.lower().removesuffix(".gz").endswith((*(e.removesuffix(".gz") for e in source.endings), ".zip"))


def _file(source: Source, path: Path, name: str, within: str) -> InputFile:
    state = path.stat()
    return InputFile(source.name, name, within, path, state.st_size, state.st_mtime_ns)


def _missing(source: Source, written: str) -> InputError:
    return InputError(
        f"“{written}” is not there, which “{source.name}” reads.",
        code="TRN-007",
        hint="Paths are relative to the folder of the configuration.",
    )


def takes_whole_zips(source: Source) -> bool:
    """Whether the reader opens its zips itself."""
    return all(ending == ".zip" for ending in source.endings)


def units(files: Sequence[InputFile], sources: Mapping[str, Source]) -> list[Unit]:
    """What is read, in order; the same for the same files whatever the number of processes and shards.

    Small files share a unit, or an archive of millions of articles would leave as many parts. Where one ends depends
    on the files' names, so that a new file changes its own unit and not all that follow.
    """
    made: list[Unit] = []
    batch: list[InputFile] = []
    taken = 0
    for file in files:
        stretches = _stretches(file, sources[file.source])
        if batch and (stretches or batch[-1].source != file.source):
            made.append(Unit(tuple(batch), size_bytes=taken))
            batch, taken = [], 0
        if stretches:
            made += stretches
            continue
        batch.append(file)
        taken += file.size_bytes
        if taken >= SLICE_BYTES or (taken >= BATCH_BYTES and _digest(file.name)[0] < _ENDS_A_BATCH):
            made.append(Unit(tuple(batch), size_bytes=taken))
            batch, taken = [], 0
    return [*made, Unit(tuple(batch), size_bytes=taken)] if batch else made


def _stretches(file: InputFile, source: Source) -> list[Unit]:
    """The units of a zip; none for what is not opened here."""
    if not file.name.lower().endswith(".zip") or takes_whole_zips(source):
        return []
    try:
        with file.path.open("rb") as stream:
            sizes = archives.entry_sizes(stream)
    except (InputError, OSError):  # its reading says what is wrong with it, and counts it
        return []
    ends, taken = [0], 0
    for place, size_bytes in enumerate(sizes, 1):
        taken += size_bytes
        if taken >= SLICE_BYTES or place == len(sizes):
            ends.append(place)
            taken = 0
    pairs = list(itertools.pairwise(ends))
    whole = len(pairs) == 1
    return [
        Unit((file,), number, first, last, whole=whole, size_bytes=sum(sizes[first:last]))
        for number, (first, last) in enumerate(pairs)
    ]


def licence_of(licences: Mapping[str, str], name: str) -> str:
    """The licence that the configuration gives a file that states none; empty where it gives none.

    Args:
        licences: a pattern of names to an identifier; the first that fits counts.
        name: as records have it; the file's own name and that inside an archive are looked at.
    """
    bases = {re.split(r"[/!]", name)[-1], name.partition("!")[0].rpartition("/")[2]}
    return next((licences[p] for p in licences if any(fnmatch.fnmatchcase(base, p) for base in bases)), "")
