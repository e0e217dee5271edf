"""Which version of each document stays, over all files: the newest, unless its publisher took it back later.

Goes by keys only (document, version, day, place), which lie in a temporary SQLite file, so that memory stays constant
over tens of millions of documents; no text is loaded. The order of files is that of `inputs.found`: a deletion or
retraction takes out what stands before it, and a document that comes back after it stays. A withdrawal of consent
("withdrawn") takes out the document of its name and those whose name begins with it and "/", wherever they stand.
"""

import contextlib
import json
import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lumen_desktop.errors import StorageError
from trainer.collect.reading import Job, notes_file, records_file, state_of
from trainer.lines import LinesFile, read_lines, refused_if_unwritable, write_json
from trainer.records import Reject

_EVER = 2**62  # later than any position
_WORDS = {
    "superseded": "A newer version of it is among the files.",
    "repeated": "The same version of it is among the files again.",
    "deleted": "Its publisher deleted it later.",
    "retracted": "It was retracted later.",
    "withdrawn": "It was withdrawn later.",
}
_TABLES = """
CREATE TABLE document (
    position INTEGER PRIMARY KEY, id TEXT, owner TEXT, rank TEXT, as_of TEXT, part INTEGER, place INTEGER
);
CREATE TABLE withdrawal (position INTEGER PRIMARY KEY, id TEXT, reason TEXT);
"""
_FALLEN = """
CREATE TABLE fallen AS
WITH last AS (SELECT id, max(position) AS position, reason FROM withdrawal GROUP BY id),
told AS (
    SELECT document.*, CASE
        WHEN last.position > document.position THEN last.reason
        WHEN owned.reason = 'withdrawn' THEN 'withdrawn' END AS withdrawn
    FROM document LEFT JOIN last ON last.id = document.id LEFT JOIN last AS owned ON owned.id = document.owner
),
placed AS (
    SELECT part, place, rank, as_of, withdrawn, row_number() OVER versions AS number,
        first_value(rank || ' ' || as_of) OVER versions AS newest
    FROM told
    WINDOW versions AS (PARTITION BY id ORDER BY withdrawn IS NOT NULL, rank DESC, as_of DESC, position DESC)
)
SELECT part, place, CASE
    WHEN withdrawn IS NOT NULL THEN withdrawn
    WHEN newest = rank || ' ' || as_of THEN 'repeated'
    ELSE 'superseded' END AS reason
FROM placed WHERE number > 1 OR withdrawn IS NOT NULL ORDER BY part, place
"""


@dataclass(slots=True)
class Tally:
    """What one source gave."""

    files: int = 0
    size_bytes: int = 0
    documents: int = 0
    records: int = 0
    characters: int = 0
    licences: Counter[str] = field(default_factory=Counter)
    rejects: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """As `summary.json` has it; under ``licences`` are records."""
        return {
            "files": self.files, "size_bytes": self.size_bytes, "documents": self.documents, "records": self.records,
            "characters": self.characters, "licences": dict(sorted(self.licences.items())),
            "rejects": dict(sorted(self.rejects.items())),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Part:
    job: Job
    number: int

    @property
    def notes(self) -> Iterator[list[Any]]:
        """The notes, in the order in which they were written."""
        return read_lines(notes_file(self.job.folder, self.job.unit.stem, self.number), json.loads)


def settle(jobs: Sequence[Job], sources: Sequence[str], work: Path) -> dict[str, Tally]:
    """Lays out what stays and writes the rejects, the inputs and, last, the summary.

    Args:
        jobs: all units in order, each read to its end.
        sources: names of the sources that are used, in order.
        work: the work folder.

    Returns:
        What each source gave.
    """
    out = work / "collected"
    (out / "summary.json").unlink(missing_ok=True)
    parts = [_Part(job, number) for job in jobs for number in range(len(state_of(job).parts))]
    tallies = {name: Tally() for name in sources}
    files = [file for job in jobs if job.unit.number == 0 for file in job.unit.files]
    for file in files:
        tallies[file.source].files += 1
        tallies[file.source].size_bytes += file.size_bytes
    kept: set[Path] = set()
    with _fallen(parts, work / "parts" / "newest.db") as fallen, LinesFile(out / "rejects.jsonl") as rejects:
        _lay_out(parts, out, fallen, tallies, rejects, kept)
    _clear(out, kept)
    write_json(out / "inputs.json", list(_inputs(jobs)))
    write_json(out / "summary.json", {"sources": {name: tally.as_json() for name, tally in tallies.items()}})
    return tallies


def _lay_out(  # noqa: PLR0917 - one pass over all parts fills all of them
    parts: Sequence[_Part], out: Path, fallen: Iterator[tuple[int, int, str]], tallies: dict[str, Tally],
    rejects: LinesFile, kept: set[Path],
) -> None:  # fmt: skip
    pending = next(fallen, None)
    for number, part in enumerate(parts):
        unit = part.job.unit
        reasons: dict[int, str] = {}
        while pending and pending[0] == number:
            reasons[pending[1]] = pending[2]
            pending = next(fallen, None)
        tally, name = tallies[unit.source], f"{unit.stem}.{part.number:04}.jsonl"
        counts = _noted(part, reasons, tally, rejects)
        if len(reasons) < len(counts):
            stay = [-count if place in reasons else count for place, count in enumerate(counts)]
            kept.add(_laid(part, out / unit.source / name, stay))


def _noted(part: _Part, reasons: dict[int, str], tally: Tally, rejects: LinesFile) -> list[int]:
    """Counts a part and writes its rejects; returns how many records each of its documents has."""
    counts: list[int] = []
    for note in part.notes:
        if note[0] == "r":
            _reject(rejects, tally, note[1], note[2], note[3])
        elif note[0] == "d":
            _, identity, _, _, records, licence, characters, name = note
            reason = reasons.get(len(counts))
            counts.append(records)
            if reason:
                _reject(rejects, tally, f"{name}#{identity.partition(':')[2]}", reason, _WORDS[reason])
                continue
            tally.documents += 1
            tally.records += records
            tally.characters += characters
            tally.licences[licence] += records
    return counts


def _reject(rejects: LinesFile, tally: Tally, where: str, reason: str, words: str) -> None:
    rejects.write(Reject("collect", where, reason, words).as_line())
    tally.rejects[reason] += 1


def _laid(part: _Part, place: Path, counts: Sequence[int]) -> Path:
    """Puts a part's records in place: linked where all stay, else copied without the documents counted below 0."""
    records = records_file(part.job.folder, part.job.unit.stem, part.number)
    if min(counts) > 0:
        _link(records, place)
        return place
    with LinesFile(place) as file, records.open("rb") as lines:
        for count in counts:
            for _ in range(abs(count)):
                line = lines.readline()
                if count > 0:
                    file.write(line[:-1])
    return place


def _link(source: Path, place: Path) -> None:
    with refused_if_unwritable(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.exists() and place.samefile(source):
            return
        part = place.with_name(place.name + ".part")
        part.unlink(missing_ok=True)
        try:
            os.link(source, part)
        except OSError:  # a file system without hard links
            shutil.copyfile(source, part)
        part.replace(place)


def _clear(out: Path, kept: set[Path]) -> None:
    """Removes what earlier collections laid out and this one does not have."""
    with refused_if_unwritable(out):
        for path in [*out.glob("*/*.jsonl"), *out.glob("*/*.part")]:
            if path not in kept:
                path.unlink()
        for folder in out.iterdir():
            if folder.is_dir():
                with contextlib.suppress(OSError):  # it holds something
                    folder.rmdir()


def _inputs(jobs: Sequence[Job]) -> Iterator[dict[str, Any]]:
    for job in jobs:
        sha256 = state_of(job).sha256
        for file in job.unit.files if job.unit.number == 0 else ():
            digest = sha256[file.name]
            yield {"source": file.source, "file": file.name, "size_bytes": file.size_bytes, "sha256": digest}


@contextlib.contextmanager
def _fallen(parts: Sequence[_Part], file: Path) -> Iterator[Iterator[tuple[int, int, str]]]:
    """Documents that do not stay, as (number of the part, number of the document in it, reason), in order."""
    file.unlink(missing_ok=True)
    try:
        with contextlib.closing(sqlite3.connect(file)) as keys:
            keys.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-65536;" + _TABLES)
            _fill(keys, parts)
            keys.execute(_FALLEN)
            yield keys.execute("SELECT part, place, reason FROM fallen ORDER BY rowid")
    except sqlite3.Error as error:
        raise StorageError(
            f"The versions of the documents cannot be compared ({error}).",
            code="TRN-010",
            hint="Make room in the work folder; the same command goes on from here.",
        ) from None
    finally:
        file.unlink(missing_ok=True)


def _fill(keys: sqlite3.Connection, parts: Sequence[_Part]) -> None:
    position = 0
    for number, part in enumerate(parts):
        documents: list[tuple[int, str, str, str, str, int, int]] = []
        withdrawals: list[tuple[int, str, str]] = []
        for note in part.notes:
            position += 1
            if note[0] == "d":
                _, identity, rank, as_of = note[:4]
                owner = identity.partition("/")[0]
                documents.append((position, identity, owner, rank, as_of, number, len(documents)))
            elif note[0] == "x":
                withdrawals.append((position + (_EVER if note[2] == "withdrawn" else 0), note[1], note[2]))
        keys.executemany("INSERT INTO document VALUES (?, ?, ?, ?, ?, ?, ?)", documents)
        keys.executemany("INSERT INTO withdrawal VALUES (?, ?, ?)", withdrawals)
