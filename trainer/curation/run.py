"""Curation from end to end: files of examples in; training, validation and test out, with rejects and a report.

What one shard can do goes to `stages`; duplicates, caps, split and mix look at all examples at once, by their keys.
The same examples, settings and seed give the same bytes, whatever the number of shards and processes.
"""

import hashlib
import json
import os
import shutil
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO

import filelock

from lumen_desktop.errors import InputError, IntegrityError
from trainer.curation import caps, mix, prepare, split, stages
from trainer.curation.duplicates import redundant
from trainer.curation.keys import Key, lot
from trainer.curation.report import Report, Step
from trainer.curation.settings import Settings
from trainer.records import Reject

_SHARD = 64 * 2**20
_FOLDER, _MARK = "curation", "inputs.json"
_WORDS = {
    "exact": "Says the same words as {0}.",
    "near": "Says nearly the same as {0}.",
    "ingredient": "There are enough examples of its ingredient.",
    "labeler": "There are enough examples of its labeler.",
    "template": "There are enough examples of its wording.",
    "bridge": "Its groups stand in two parts of the dataset.",
    "enough": "The mix takes no more of its family.",
}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stage is."""

    stage: str
    done: int
    total: int


Listener = Callable[[Progress], None]


@dataclass(slots=True)
class Job:
    """What is to be curated.

    Attributes:
        parts: files of Example lines.
        out: folder of the dataset.
        settings: limits.
        evaluation: sets to keep out.
        records: files of Record lines that the examples were made from; none leaves origins unchecked.
        processes: at the same time.
        shards: into how many the examples are dealt; None by their size.
        listener: told of each stage; ends the run where it raises `Stopped`.
    """

    parts: Sequence[Path]
    out: Path
    settings: Settings
    evaluation: Sequence[Path] = ()
    records: Sequence[Path] = ()
    processes: int = 1
    shards: int | None = None
    listener: Listener = lambda _: None
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where work in hand lies; removed when all is done."""
        return self.out / _FOLDER

    @property
    def count(self) -> int:
        """Number of shards; as many for each process."""
        size = sum(part.stat().st_size for part in self.parts)
        return self.shards or self.processes * max(1, -(-size // (_SHARD * self.processes)))

    def tell(self, stage: str, done: int, total: int) -> None:
        """Reports progress."""
        self.listener(Progress(stage, done, total))

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Keeps how long a stage took."""
        begun = time.monotonic()
        yield
        self.seconds[stage] = round(time.monotonic() - begun, 2)


def curate(
    parts: Sequence[Path],
    out: Path,
    settings: Settings,
    *,
    evaluation: Sequence[Path],
    processes: int,
    records: Sequence[Path] = (),
    shards: int | None = None,
    listener: Listener = lambda _: None,
) -> Report:
    """Curates examples; a run that was stopped or killed goes on where it was.

    Args:
        parts: files of Example lines.
        out: gets train, validation, test and rejects (.jsonl).
        settings: limits, shares and the seed.
        evaluation: sets to keep out.
        processes: at the same time.
        records: files of Record lines that the examples were made from.
        shards: into how many the examples are dealt; by their size where it is not said.
        listener: told of each stage; ends the run, which can then be gone on with, where it raises `Stopped`.

    Raises:
        InputError: no examples (TRN-032), or an evaluation set that is not there or not known (TRN-030, TRN-031).
        IntegrityError: a group would stand in two parts (TRN-033).
    """
    job = Job(parts, out, settings, evaluation, records, processes, shards, listener)
    prepare_shards(job, range(job.count))
    return finish(job)


def prepare_shards(job: Job, ranks: range) -> None:
    """What each example needs by itself, for some of the shards: all here, or one per Slurm task.

    Raises:
        InputError: no examples (TRN-032), or an evaluation set that is not there or not known.
    """
    if not job.parts or not all(part.is_file() for part in job.parts):
        raise InputError("There are no examples to curate.", code="TRN-032", hint="Build examples first.")
    prepare.evaluated(job.evaluation, job.settings)
    _claim(job)
    step = stages.Prepare(job.parts, job.folder, job.settings, job.evaluation, job.records)
    with job.timed("prepare"):
        for start in range(ranks.start, ranks.stop, job.processes):
            wave = range(start, min(start + job.processes, ranks.stop))
            job.tell("prepare", start - ranks.start, len(ranks))
            stages.prepare_and_sign(step, ranks=wave, shards=job.count, processes=job.processes)
    job.tell("prepare", len(ranks), len(ranks))


def _claim(job: Job) -> None:
    """Makes the work folder, once for all shards; what lies there of other inputs or settings is thrown away."""
    sets = [file for path in job.evaluation for file in ([path] if path.is_file() else sorted(path.rglob("*")))]
    files = [(str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in (*job.parts, *job.records, *sets)]
    told = json.dumps([files, asdict(job.settings), job.count], default=sorted)
    digest = hashlib.sha256(told.encode()).hexdigest()
    mark = job.folder / _MARK
    job.out.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(job.out / "curation.lock"):
        if mark.is_file() and json.loads(mark.read_bytes())["digest"] == digest:
            return
        if job.folder.exists():
            shutil.rmtree(job.folder)
        job.folder.mkdir(parents=True)
        mark.write_text(json.dumps({"digest": digest, "shards": job.count}), encoding="ascii")


def begun(out: Path) -> int | None:
    """Into how many shards the examples were dealt by work that lies in a dataset's folder; None where none does."""
    try:
        shards: int = json.loads((out / _FOLDER / _MARK).read_bytes())["shards"]
    except (OSError, ValueError, KeyError):
        return None
    return shards


def match_share(job: Job, number: int, of: int) -> None:
    """A share of the buckets in which duplicates are looked for; needs all shards prepared.

    Args:
        job: whose shards are prepared.
        number: of the share, from 0.
        of: how many shares there are.

    Raises:
        InputError: a shard is not prepared yet (TRN-034).
    """
    unready = [rank for rank in range(job.count) if not (job.folder / f"counts-{rank:05d}.json").is_file()]
    if unready:
        raise InputError(
            f"{len(unready)} of {job.count} shards are not prepared yet.", code="TRN-034",
            hint="Run every share of `lumen-trainer dataset --step prepare` first.",
        )  # fmt: skip
    buckets = job.settings.duplicates.buckets
    mine = range(number * buckets // of, (number + 1) * buckets // of)
    if mine:
        stages.match(job.folder, job.settings.duplicates, processes=job.processes, ranks=mine)


def finish(job: Job) -> Report:
    """What needs all shards: duplicates, caps, split, mix, and the files of the dataset.

    Raises:
        IntegrityError: a group would stand in two parts (TRN-033).
    """
    with job.timed("match"):
        stages.match(job.folder, job.settings.duplicates, processes=job.processes)
    job.tell("match", 1, 1)
    run = _Run(job)
    keys = run.each_once(run.keys())
    keys = run.capped(keys)
    parts = run.mixed(run.parted(keys))
    with job.timed("write"):
        run.write(parts)
    run.report.seconds = job.seconds
    shutil.rmtree(job.folder)
    (job.out / "curation.lock").unlink(missing_ok=True)
    return run.report


class _Run:
    """The steps over all examples, with what they leave out."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._rejects: list[Reject] = []
        self.report = Report(job.settings.seed)

    def keys(self) -> list[Key]:
        """Keys of all prepared examples, the one to keep of several alike first: newest, longest, smallest id."""
        counts = prepare.Counts()
        sets = prepare.evaluated(self._job.evaluation, self._job.settings)
        counts.sets.update(sets)
        keys: list[Key] = []
        for rank in range(self._job.count):
            counts.add((self._job.folder / f"counts-{rank:05d}.json").read_text(encoding="utf-8"), sets)
            with (self._job.folder / f"keys-{rank:05d}.jsonl").open("rb") as stream:
                keys += map(Key.from_line, stream)
        self.report.checked, self.report.replaced = counts.checked, counts.replaced
        self.report.decontamination = prepare.as_json(counts.sets)
        for name in prepare.STEPS:
            reasons = counts.reasons[name]
            self.report.steps.append(Step(name, counts.taken[name], counts.taken[name] - reasons.total(), reasons))
        keys.sort(key=lambda key: (-key.characters, key.id, key.rank, key.number))
        keys.sort(key=lambda key: key.as_of, reverse=True)
        return keys

    def each_once(self, keys: list[Key]) -> list[Key]:
        """Exact duplicates, then near ones, left out."""
        first: dict[str, Key] = {}
        exact = [(key, "exact", kept.id) for key in keys if (kept := first.setdefault(key.same, key)) is not key]
        keys = self._without("exact duplicates", keys, exact)
        with self._job.timed("compare"):
            near = [(keys[gone], "near", keys[kept].id) for gone, kept in sorted(self._near(keys).items())]
        return self._without("near duplicates", keys, near)

    def _near(self, keys: Sequence[Key]) -> dict[int, int]:
        """Places of examples that repeat another, with that other's."""
        groups = stages.WordGroups(self._job.folder, self._job.count)
        gone: dict[int, int] = {}
        candidates = _candidates(keys, stages.pairs(self._job.folder).tolist())
        for done, members in enumerate(candidates):
            if done % 1000 == 0:
                self._job.tell("compare", done, len(candidates))
            gone |= redundant(
                members,
                lambda place: groups(keys[place].rank, keys[place].number),
                lambda place: keys[place].stated,
                threshold=self._job.settings.duplicates.jaccard,
            )
        return gone

    def capped(self, keys: list[Key]) -> list[Key]:
        """What is beyond a cap left out."""
        seed = self._job.settings.seed
        order = sorted(keys, key=lambda key: lot(seed, "caps", key.id))
        return self._without("caps", keys, [(key, why, "") for key, why in caps.over(order, self._job.settings.caps)])

    def parted(self, keys: list[Key]) -> dict[str, list[Key]]:
        """Training, validation and test.

        Raises:
            IntegrityError: a group stands in two of them.
        """
        parted = split.part(keys, self._job.settings.split, self._job.settings.seed)
        keys = self._without("split", keys, [(key, "bridge", "") for key in parted.bridges])
        parts: dict[str, list[Key]] = {name: [] for name in split.PARTS}
        for key in keys:
            parts[parted.part[key.id]].append(key)
        leaks = split.leaks(parts)
        if leaks:
            raise IntegrityError(
                f"{len(leaks)} groups would stand in two parts of the dataset.",
                code="TRN-033", hint="This is a mistake of the program: please report it.",
            )  # fmt: skip
        share = round(parted.largest / max(1, len(keys) + len(parted.bridges)), 4)
        self.report.connection = {"sets": parted.sets, "largest_share": share, "bridges": len(parted.bridges)}
        return parts

    def mixed(self, parts: dict[str, list[Key]]) -> dict[str, list[Key]]:
        """The examples that the mix takes, in the order in which they are written."""
        rules = self._job.settings.split
        shares = {split.VALIDATION: rules.validation, split.TEST: rules.test}
        shares[split.TRAIN] = 1 - sum(shares.values())
        taken = {}
        for name, keys in parts.items():
            some, portions = mix.mixed(keys, self._job.settings.mix, share=shares[name], seed=self._job.settings.seed)
            taken[name] = some
            self.report.mix[name] = {family: portion.as_json() for family, portion in portions.items()}
        everything = [key for keys in parts.values() for key in keys]
        chosen = {key.id for keys in taken.values() for key in keys}
        self._without("mix", everything, [(key, "enough", "") for key in everything if key.id not in chosen])
        return taken

    def _without(self, name: str, keys: list[Key], gone: Sequence[tuple[Key, str, str]]) -> list[Key]:
        """Keys without those that go, which are counted and written among the rejects."""
        out = {(key.rank, key.number) for key, _, _ in gone}
        left = [key for key in keys if (key.rank, key.number) not in out]
        self.report.steps.append(Step(name, len(keys), len(left), Counter(why for _, why, _ in gone)))
        self._rejects += [Reject(name, key.id, why, _WORDS[why].format(other)) for key, why, other in gone]
        self._job.tell(name, len(keys), len(keys))
        return left

    def write(self, parts: dict[str, list[Key]]) -> None:
        """The dataset's files, each whole or not at all."""
        streams = [(self._job.folder / f"prepared-{rank:05d}.jsonl").open("rb") for rank in range(self._job.count)]
        try:
            for name, keys in parts.items():
                with _whole(self._job.out / f"{name}.jsonl") as file:
                    for key in keys:
                        streams[key.rank].seek(key.start)
                        file.write(streams[key.rank].readline())
                self.report.splits[name] = _described(keys)
        finally:
            for stream in streams:
                stream.close()
        with _whole(self._job.out / "rejects.jsonl") as file:
            for line in sorted(self._reject_lines()):
                file.write(line)

    def _reject_lines(self) -> Iterator[bytes]:
        for rank in range(self._job.count):
            yield from (self._job.folder / f"rejects-{rank:05d}.jsonl").read_bytes().splitlines(keepends=True)
        yield from (reject.as_line().encode() + b"\n" for reject in self._rejects)


def _candidates(keys: Sequence[Key], pairs: Iterable[Sequence[int]]) -> list[list[int]]:
    """Sets of places in ``keys`` that pairs connect, each in the order of the keys."""
    places = {(key.rank, key.number): place for place, key in enumerate(keys)}
    parents: dict[tuple[int, int], tuple[int, int]] = {}

    def root(one: tuple[int, int]) -> tuple[int, int]:
        while parents.setdefault(one, one) != one:
            parents[one] = one = parents[parents[one]]
        return one

    for rank, number, other_rank, other in pairs:
        first, second = root((rank, number)), root((other_rank, other))
        parents[second] = first
    sets: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for one in parents:
        if one in places:
            sets[root(one)].append(places[one])
    return sorted(sorted(members) for members in sets.values() if len(members) > 1)


def _described(keys: Sequence[Key]) -> dict[str, object]:
    """A part of the dataset in numbers."""
    groups = Counter(group.partition(":")[0] for group in {group for key in keys for group in key.groups})
    return {
        "examples": len(keys),
        "families": dict(sorted(Counter(key.family for key in keys).items())),
        "groups": dict(sorted(groups.items())),
        "answerable": dict(sorted(Counter(str(key.answerable).lower() for key in keys).items())),
        "synthetic": sum(key.synthetic for key in keys),
        "newest": max((key.as_of for key in keys), default=""),
        "oldest": min((key.as_of for key in keys if key.as_of), default=""),
    }


@contextmanager
def _whole(path: Path) -> Iterator[BinaryIO]:
    """A file that appears under its name only when it is written to its end."""
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as stream:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)
