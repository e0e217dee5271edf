"""Runs a collection: checks, reads the units that are not read yet in several processes, then settles the versions.

The bytes it leaves do not depend on the number of processes, on shards or on how often it was stopped. Called by
`lumen-trainer collect`.
"""

import contextlib
import hashlib
import importlib
import json
import multiprocessing
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import filelock

import lumen_desktop
from lumen_desktop import errors
from lumen_desktop.errors import EngineError, InputError, LumenError, Stopped, StorageError
from trainer.collect import reading
from trainer.collect.inputs import Choice, Unit, chosen, found, units
from trainer.collect.newest import Tally, settle
from trainer.collect.reading import Job, state_of
from trainer.config import Config
from trainer.lines import refused_if_unwritable
from trainer.sources import Source

REGISTRY = "trainer.sources.all"
BY_CONSENT = "LicenseRef-Consent"  # whom a file of withdrawals that cannot be read would protect, nobody knows
_FORM = 1  # of the parts; another number reads everything anew
_POLL_S = 0.2
_MANY = 1024**2  # bytes after which a process tells the others how far it is

Refusal = tuple[str, str, str, str]
Report = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several runs that read the same files together: ``number`` from 1 ``of`` as many."""

    number: int
    of: int

    def has(self, place: int) -> bool:
        """Whether the unit at this place, from 0, is read by it."""
        return place % self.of == self.number - 1


def shard(written: str) -> Shard:
    """The shard of "2/4".

    Raises:
        InputError: TRN-015.
    """
    match = re.fullmatch(r"([1-9]\d{0,4})/([1-9]\d{0,4})", written)
    if not match or int(match[1]) > int(match[2]):
        raise InputError(f"“{written}” is no shard.", code="TRN-015", hint="Write --shard 2/4 for the second of four.")
    return Shard(int(match[1]), int(match[2]))


class Stop:
    """Asks a collection to end after the document that is being read."""

    def __init__(self) -> None:
        self.asked = False

    def ask(self) -> None:
        """From a signal or another thread."""
        self.asked = True


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did.

    Attributes:
        whole: whether everything is read and laid out; a shard leaves that to a run without one.
        units: how many there are for this run.
        read: how many of them this run read; the others were read before.
        size_bytes: on the disk, of the units that it read.
        seconds: how long it took.
        sources: what each source gave; empty unless ``whole``.
    """

    whole: bool
    units: int
    read: int
    size_bytes: int
    seconds: float
    sources: dict[str, Tally] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As ``--json`` prints it."""
        return {
            "whole": self.whole, "units": self.units, "read": self.read, "size_bytes": self.size_bytes,
            "seconds": round(self.seconds, 1), "sources": {name: one.as_json() for name, one in self.sources.items()},
        }  # fmt: skip


def sources_of(registry: str | None = None) -> tuple[Source, ...]:
    """The sources that a module names in ``ALL``; without one, the trainer's own."""
    known: tuple[Source, ...] = importlib.import_module(registry or REGISTRY).ALL
    return known


def collect(
    config: Config, *, registry: str | None = None, only: Shard | None = None, fresh: bool = False,
    processes: int | None = None, stop: Stop | None = None, progress: Report = lambda _done, _all, _words: None,
) -> Summary:  # fmt: skip
    """Reads what is not read yet and, unless it is one of several shards, settles which versions stay.

    Args:
        config: what is read and where it goes.
        registry: the module whose ``ALL`` holds the sources; other processes import it too. None is `REGISTRY`.
        only: reads these units and settles nothing.
        fresh: reads everything anew.
        processes: instead of the configuration's.
        stop: ends the run between two documents.
        progress: told bytes done, bytes in all, and a file's name.

    Raises:
        InputError: what `inputs.chosen` and `inputs.found` refuse; a file that cannot be read, where the configuration
            says that it stops the run.
        Stopped: what was read stays, and the next run goes on from there.
        StorageError: TRN-010, or another run is under way (TRN-014).
    """
    began, registry = time.monotonic(), registry or REGISTRY
    choices = chosen(config, sources_of(registry))
    jobs = jobs_of(config, choices)
    mine = [job for place, job in enumerate(jobs) if only is None or only.has(place)]
    with _alone(config.work_folder, only):
        if fresh:
            _forget(mine)
        waiting = [job for job in mine if not state_of(job).done]
        size_bytes = sum(job.unit.size_bytes for job in waiting)
        _Run(registry, stop or Stop(), progress, size_bytes).read(waiting, processes or config.collect.processes)
        tallies = {} if only else settle(jobs, [choice.source.name for choice in choices], config.work_folder)
        if not only:
            _sweep(config.work_folder / "parts", jobs)
    return Summary(only is None, len(mine), len(waiting), size_bytes, time.monotonic() - began, tallies)


def jobs_of(config: Config, choices: Sequence[Choice]) -> list[Job]:
    """All units with what their reading depends on, in order."""
    by_name = {choice.source.name: choice for choice in choices}
    readers = _digest(_reader_files())
    made = []
    for unit in units(found(config, choices), {name: choice.source for name, choice in by_name.items()}):
        name = unit.source
        licences = by_name[name].settings.licences
        depends = [_FORM, lumen_desktop.__version__, readers, reading.PART_BYTES, list(licences.items()), *_marks(unit)]
        fingerprint = hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()
        folder = config.work_folder / "parts" / name
        stop = config.collect.on_error == "stop" or by_name[name].source.licence == BY_CONSENT
        made.append(Job(unit, folder, licences, fingerprint, stop))
    return made


def _marks(unit: Unit) -> list[Any]:
    files = [[file.source, file.name, file.within, file.size_bytes, file.modified_ns] for file in unit.files]
    return [files, unit.first, unit.last, unit.whole]


def _reader_files() -> list[Path]:
    """The code that decides what a file says: where it changed, files are read anew."""
    package, trainer = Path(lumen_desktop.__file__).parent, Path(reading.__file__).parents[1]
    return sorted(
        [*(package / "formats").rglob("*.py"), package / "domain" / "library.py", *(trainer / "sources").rglob("*.py"),
         *(trainer / "collect" / name for name in ("opening.py", "reading.py")), trainer / "records.py",
         trainer / "licences.py"]
    )  # fmt: skip


def _digest(files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name}\n".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _sweep(parts: Path, jobs: Sequence[Job]) -> None:
    """Removes parts of files that are no longer read, or that were read otherwise."""
    kept = {job.state_file for job in jobs}
    for job in jobs:
        for number in range(len(state_of(job).parts)):
            kept |= {part(job.folder, job.unit.stem, number) for part in (reading.records_file, reading.notes_file)}
    with refused_if_unwritable(parts):
        for path in parts.glob("*/*"):
            if path not in kept:
                path.unlink()


def _forget(jobs: Sequence[Job]) -> None:
    for job in jobs:
        with refused_if_unwritable(job.state_file):
            job.state_file.unlink(missing_ok=True)


@contextlib.contextmanager
def _alone(work: Path, only: Shard | None) -> Iterator[None]:
    """Shards work beside each other; a run without one works alone, because it clears away what is of no unit."""
    folder, whole = work / "parts", "collect.lock"
    with refused_if_unwritable(work):
        folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        if only:
            stack.enter_context(_locked(folder / f"collect-{only.number}-of-{only.of}.lock"))
            with _locked(folder / whole):
                pass  # nobody works alone here
        else:
            for name in sorted({whole, *(path.name for path in folder.glob("collect-*.lock"))}):
                stack.enter_context(_locked(folder / name))
        yield


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    lock = filelock.FileLock(path, timeout=0)
    with refused_if_unwritable(path):
        try:
            lock.acquire()
        except filelock.Timeout:
            raise StorageError(
                "Another collection works in this folder.", code="TRN-014", hint="Wait until it ends, or stop it."
            ) from None
    try:
        yield
    finally:
        lock.release()


class _Run:
    """Reading of units, here or in other processes."""

    def __init__(self, registry: str, stop: Stop, progress: Report, total_bytes: int) -> None:
        self._registry = registry
        self._stop = stop
        self._progress = progress
        self._total_bytes = total_bytes
        self._done_bytes = 0
        self._words = ""

    def read(self, jobs: Sequence[Job], processes: int | None) -> None:
        """Reads the units; in this process where one is enough."""
        workers = min(processes or _processors(), len(jobs))
        if workers > 1:
            self._together(jobs, workers)
            return
        sources = {source.name: source for source in sources_of(self._registry)}
        for job in jobs:
            self._words = job.unit.name
            reading.read(job, sources[job.unit.source], moved=self._moved, stopped=lambda: self._stop.asked)

    def _moved(self, size_bytes: int) -> None:
        self._done_bytes += size_bytes
        self._progress(self._done_bytes, self._total_bytes, self._words)

    def _together(self, jobs: Sequence[Job], workers: int) -> None:
        spawn = multiprocessing.get_context("spawn")
        ending, counted = spawn.Event(), spawn.Value("Q", 0)
        pool = ProcessPoolExecutor(
            workers, mp_context=spawn, initializer=_begin, initargs=(self._registry, ending, counted)
        )
        with pool:
            waiting = {pool.submit(_work, job): job for job in jobs}
            try:
                while waiting:
                    self._wait(waiting, counted)
            except BrokenProcessPool:
                raise EngineError(
                    "A reading process ended without a word; memory may have run out.", code="TRN-012",
                    hint="Start again: it goes on from here. With --processes 1 the file is seen.",
                ) from None  # fmt: skip
            finally:
                ending.set()
                pool.shutdown(wait=True, cancel_futures=True)

    def _wait(self, waiting: dict[Future[Refusal | None], Job], counted: Any) -> None:
        done, _ = wait(waiting, timeout=_POLL_S, return_when=FIRST_COMPLETED)
        for future in done:
            job = waiting.pop(future)
            self._words = job.unit.name
            refusal = future.result()
            if refusal:
                raise _raised(refusal)
        if self._stop.asked:
            raise Stopped
        self._progress(counted.value, self._total_bytes, self._words)


def _processors() -> int:
    """Those this process may use, which a scheduler or a container may have limited."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _raised(refusal: Refusal) -> LumenError:
    kind, message, code, hint = refusal
    if code == Stopped().code:
        return Stopped()
    made: LumenError = getattr(errors, kind)(message, code=code, hint=hint)
    return made


# What follows runs in the other processes.

_STATE: dict[str, Any] = {}


def _begin(registry: str, ending: Any, counted: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process decides what Ctrl+C ends
    _STATE.update(sources={source.name: source for source in sources_of(registry)}, ending=ending, counted=counted)
    threading.Thread(target=_end_with, args=(multiprocessing.parent_process(),), daemon=True).start()


def _end_with(parent: Any) -> None:
    """A process whose parent was killed would write on beside the next run."""
    parent.join()
    os._exit(2)


def _work(job: Job) -> Refusal | None:
    """Reads one unit; a refusal travels as plain values, because an exception of ours does not survive the journey."""
    untold = 0

    def moved(size_bytes: int) -> None:
        nonlocal untold
        untold += size_bytes
        if untold >= _MANY:
            with _STATE["counted"].get_lock():
                _STATE["counted"].value += untold
            untold = 0

    try:
        reading.read(job, _STATE["sources"][job.unit.source], moved=moved, stopped=_STATE["ending"].is_set)
    except LumenError as error:
        return type(error).__name__, error.message, error.code, error.hint
    return None
