"""Reads one unit into parts: records in one file, notes on its documents and rejects in another, a state beside them.

A part ends after so many bytes, always at the same document, so that a reading that was killed goes on after its last
whole part and makes the same bytes as one that was not. Runs in a process of its own or in the caller's; takes only
plain values. Knows no other unit.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lumen_desktop.errors import InputError, Stopped
from lumen_desktop.formats.document import Fault, PublicDocument
from trainer.collect.inputs import Unit, licence_of
from trainer.collect.opening import Events, Moved, Said, events
from trainer.licences import LICENCES
from trainer.lines import LinesFile, write_json
from trainer.records import Record
from trainer.sources import Source

PART_BYTES = 64 * 1024**2
ORDERS = frozenset({"deleted", "withdrawn"})  # not records themselves
WITHDRAWS = ORDERS | {"retracted"}  # what was said before of the document with this identity holds no more


@dataclass(frozen=True, slots=True)
class Job:
    """A unit with what its reading depends on.

    Attributes:
        unit: what is read.
        folder: where its parts go.
        licences: of documents that state none, by a pattern of their files' names, from the configuration.
        fingerprint: digest of all that its parts depend on; parts of another one are not gone on with.
        stop_on_error: whether a file that cannot be read ends the reading.
    """

    unit: Unit
    folder: Path
    licences: Mapping[str, str]
    fingerprint: str
    stop_on_error: bool

    @property
    def state_file(self) -> Path:
        """Where the state of the reading is kept."""
        return self.folder / f"{self.unit.stem}.json"


@dataclass(slots=True)
class State:
    """How far a unit was read.

    Attributes:
        fingerprint: as `Job.fingerprint`.
        parts: size in bytes of the records and of the notes of each whole part.
        events: documents, faults and refusals that stand in whole parts.
        done: whether that is all of them.
        sha256: of each file that begins in it, once it was begun.
    """

    fingerprint: str
    parts: list[list[int]] = field(default_factory=list)
    events: int = 0
    done: bool = False
    sha256: dict[str, str] = field(default_factory=dict)


def records_file(folder: Path, stem: str, part: int) -> Path:
    """Where the records of a part are."""
    return folder / f"{stem}.{part:04}.jsonl"


def notes_file(folder: Path, stem: str, part: int) -> Path:
    """Where the notes of a part are: JSON lists that begin with d (document), x (withdrawal) or r (reject)."""
    return folder / f"{stem}.{part:04}.notes"


def state_of(job: Job) -> State:
    """How far a unit was read; not at all where its input or its reader is another one, or a part is missing."""
    try:
        state = State(**json.loads(job.state_file.read_bytes()))
        whole = all(
            records_file(job.folder, job.unit.stem, part).stat().st_size == sizes[0]
            and notes_file(job.folder, job.unit.stem, part).stat().st_size == sizes[1]
            for part, sizes in enumerate(state.parts)
        )
    except (OSError, ValueError, TypeError):
        return State(job.fingerprint)
    return state if whole and state.fingerprint == job.fingerprint else State(job.fingerprint)


def read(job: Job, source: Source, *, moved: Moved, stopped: Callable[[], bool]) -> None:
    """Reads a unit to its end, from where it was left.

    Args:
        job: the unit.
        source: whose reader is asked.
        moved: told the bytes that were read since it was last told.
        stopped: asked after each document.

    Raises:
        Stopped: ``stopped`` said so; the whole parts stay.
        InputError: the file cannot be read and ``stop_on_error`` holds, or it changed meanwhile (TRN-013).
        StorageError: TRN-010.
    """
    state = state_of(job)
    if state.done:
        return
    said = events(job.unit, source, moved, state.sha256)
    for _ in range(state.events):
        if stopped():
            raise Stopped
        next(said, None)
    while not state.done:
        _part(job, source, state, said, stopped)
        write_json(job.state_file, asdict(state))


def _part(job: Job, source: Source, state: State, said: Events, stopped: Callable[[], bool]) -> None:
    """Reads one part."""
    number, more = len(state.parts), False
    records = LinesFile(records_file(job.folder, job.unit.stem, number))
    notes = LinesFile(notes_file(job.folder, job.unit.stem, number))
    pen = _Pen(job, source, records, notes)
    with records, notes:
        for name, event in said:
            if stopped():
                raise Stopped
            state.events += 1
            pen.write(name, event)
            if records.size_bytes + notes.size_bytes >= PART_BYTES:
                more = True
                break
    state.parts.append([records.size_bytes, notes.size_bytes])
    state.done = not more


@dataclass(frozen=True, slots=True)
class _Pen:
    """Writes down what a file said."""

    job: Job
    source: Source
    records: LinesFile
    notes: LinesFile

    def write(self, name: str, event: Said) -> None:
        """Writes a document's records, or why there are none."""
        if isinstance(event, PublicDocument):
            event = self._document(name, event) or event
        if isinstance(event, InputError):
            if self.job.stop_on_error:
                raise InputError(f"{name}: {event.message}", code=event.code, hint=event.hint)
            self._note("r", name, event.code, event.message)
        elif isinstance(event, Fault):
            if event.reason in WITHDRAWS:
                self._note("x", f"{self.source.name}:{event.where}", event.reason)
            if event.reason not in ORDERS:
                where = f"{name}#{event.where}" if event.where else name
                self._note("r", where, event.reason, event.words)

    def _document(self, name: str, document: PublicDocument) -> Fault | None:
        made = made_records(document, self.source, name, licence_of(self.job.licences, name))
        if isinstance(made, Fault):
            return made
        try:
            lines = [record.as_line().encode() for record in made]
        except (UnicodeEncodeError, TypeError, ValueError):
            return Fault(document.id, "wrong-form", "It holds something that is no text.")
        for line in lines:
            self.records.write(line)
        first, size = made[0], sum(len(record.text) for record in made)
        self._note("d", first.doc_id, ranked(first.version), first.as_of, len(lines), first.licence, size, name)
        return None

    def _note(self, *values: Any) -> None:
        self.notes.write(json.dumps(values, separators=(",", ":")))


def ranked(version: str) -> str:
    """A version as text that sorts as its numbers do: "9" before "10"."""
    return re.sub(r"\d+", lambda number: number.group().zfill(12), version)


def made_records(document: PublicDocument, source: Source, name: str, licence: str) -> list[Record] | Fault:
    """The records of a document, one a section, or why there are none.

    Args:
        document: as the source's reader made it.
        source: its source.
        name: of the file, with the names inside an archive after "!".
        licence: where neither the document nor its source states one; may be empty.
    """
    terms = document.licence or licence or source.licence
    if not document.id:
        return Fault(document.title[:80] or "a document", "no-id", "It has no identity of its own.")
    if not terms:
        return Fault(document.id, "no-licence", "Neither the file nor the configuration says under which licence.")
    if terms not in LICENCES:
        return Fault(document.id, "unknown-licence", f"“{terms}” is not among the licences that are known.")
    made = [
        Record(
            id=f"{source.name}:{document.id}#{number}", doc_id=f"{source.name}:{document.id}", source=source.name,
            kind=document.kind, version=document.version, as_of=document.as_of, url=document.url, licence=terms,
            commercial=LICENCES[terms].commercial, file=name, title=document.title, entity=document.entity,
            section_code=section.code, section_path=section.path, language=document.language, text=section.text,
            facts=document.facts,
        )
        for number, section in enumerate(document.sections, 1)
        if section.text.strip()
    ]  # fmt: skip
    return made or Fault(document.id, "no-text", "It holds no text.")
