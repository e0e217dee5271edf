"""From a collection to a finished dataset: examples of every record file, curation, papers and report.

Knows no family and no filter: `dataset` makes examples, `curation` keeps the good ones, `ownership` and `inspect`
write what goes beside them. The work folder, after `collect`::

    WORK/examples/<source>/     examples of one file of records each, with what gave none
    WORK/dataset/               train, validation, test, rejects (.jsonl); the papers; report.html
"""

import enum
import hashlib
import itertools
import json
import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from lumen_desktop import errors
from lumen_desktop.errors import EngineError, InputError, LumenError, Stopped
from trainer import curation, dataset
from trainer.collect import Shard, Stop
from trainer.config import Config, Paraphrase
from trainer.curation.run import Progress
from trainer.curation.settings import Caps, Duplicates, Mix, Settings, Split
from trainer.dataset import replay
from trainer.dataset.build import examples
from trainer.inspect.look import look, write_page
from trainer.lines import LinesFile, read_records, write_json
from trainer.ownership import manifest, papers
from trainer.ownership.verdict import Verdict
from trainer.ownership.work import Work
from trainer.records import Example, Record, Reject

Told = Callable[[str, int, int], None]
_Refusal = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Built:
    """What a run did.

    Attributes:
        files: of records, for this run.
        made: how many of them it made examples of; the others were there.
        families: examples made, by family, before curation; empty for a shard.
        reworded: questions that a model was asked to reword, by what became of them.
        report: of curation, JSON values; empty for a shard.
        verdict: whether a model trained on it may be sold; None for a shard.
        seconds: how long it took.
    """

    files: int
    made: int
    seconds: float
    families: Mapping[str, int] = field(default_factory=dict)
    reworded: Mapping[str, int] = field(default_factory=dict)
    report: Mapping[str, Any] = field(default_factory=dict)
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class _Job:
    """Examples of one file: of records, or of general conversations, whose licence the user states."""

    source: Path
    out: Path
    seed: int
    families: frozenset[str]
    code: str
    licence: str = ""
    rewording: Paraphrase = field(default_factory=Paraphrase)

    @property
    def mark(self) -> Path:
        """Says of what the examples were made; written last."""
        return self.out.with_suffix(".made.json")

    def is_done(self) -> bool:
        """Whether the examples that are there were made of these records in this way."""
        try:
            there = json.loads(self.mark.read_bytes())
        except (OSError, ValueError):
            return False
        return bool(there["from"] == self.origin())

    def origin(self) -> dict[str, Any]:
        """What decides the examples."""
        with self.source.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {
            "source": digest, "seed": self.seed, "families": sorted(self.families), "code": self.code,
            "licence": self.licence, "rewording": _model(self.rewording),
        }  # fmt: skip

    def examples(self, counts: Counter[str]) -> Iterator[Example | Reject]:
        """The examples, and what gave none; counts what rewording did."""
        if not self.licence:
            made = examples(_documents(self.source), seed=self.seed, families=self.families)
            yield from self._reworded(made, counts) if self.rewording.model else made
            return
        with self.source.open("rb") as lines:
            yield from replay.examples(lines, name=f"replay:{self.source.stem}", licence=self.licence)

    def _reworded(self, made: Iterable[Example | Reject], counts: Counter[str]) -> Iterator[Example | Reject]:
        from trainer.dataset.rewording import Rewording, rewriter  # noqa: PLC0415 - llama.cpp is for those who reword

        return Rewording(rewriter(Path(self.rewording.model)), self.rewording.share, self.seed, counts)(made)


@lru_cache(maxsize=1)
def _model(rewording: Paraphrase) -> list[object]:
    """What decides the other words."""
    if not rewording.model:
        return []
    file = Path(rewording.model)
    return [manifest.digested(file).sha256 if file.is_file() else "", rewording.share]


class Step(enum.StrEnum):
    """What a share of the work is; the rest needs all of them."""

    EXAMPLES = "examples"
    PREPARE = "prepare"  # what curation does to each example by itself; needs all shares of the examples
    MATCH = "match"  # looking for near duplicates; needs all shares prepared


def build(
    config: Config, *, only: Shard | None = None, step: Step = Step.EXAMPLES, processes: int | None = None,
    stop: Stop | None = None, told: Told = lambda _stage, _done, _all: None,
) -> Built:  # fmt: skip
    """Makes the dataset of what was collected; what is there already of the same inputs is not made again.

    Args:
        config: what is wanted, and where.
        only: does this share of one step only; a run without it does the rest.
        step: which, where ``only`` is given.
        processes: instead of the configuration's.
        stop: ends the run; the next one goes on from there.
        told: a stage's name, how much of it is done, and how much there is.

    Raises:
        InputError: nothing was collected, or examples are not made yet (TRN-017), or what `curation.curate` refuses.
        Stopped: what was made stays.
        StorageError: TRN-010.
    """
    began, asked = time.monotonic(), stop or Stop()
    workers = processes or config.collect.processes or multiprocessing.cpu_count()
    jobs = _jobs(config)

    def heard(progress: Progress) -> None:
        if asked.asked:
            raise Stopped
        told(progress.stage, progress.done, progress.total)

    curated = _curation(config, jobs, workers, heard)
    if only and step is Step.PREPARE:
        _refuse_unmade(jobs)
        curation.prepare_shards(replace(curated, shards=only.of), range(only.number - 1, only.number))
        return Built(len(jobs), 0, time.monotonic() - began)
    if only and step is Step.MATCH:
        curation.match_share(curated, only.number - 1, only.of)
        return Built(len(jobs), 0, time.monotonic() - began)
    mine = [job for place, job in enumerate(jobs) if only is None or only.has(place)]
    waiting = [job for job in mine if not job.is_done()]
    _make(waiting, workers, asked, told)
    if only:
        return Built(len(mine), len(waiting), time.monotonic() - began)
    _forget_others(config, jobs)
    curation.prepare_shards(curated, range(curated.count))
    report = curation.finish(curated).as_json()
    told("papers", 0, 1)
    verdict = _papers(config, jobs, report)
    seconds, families, reworded = time.monotonic() - began, _counted(jobs, "families"), _counted(jobs, "reworded")
    return Built(len(mine), len(waiting), seconds, families, reworded, report, verdict)


def _papers(config: Config, jobs: Sequence[_Job], report: Mapping[str, Any]) -> Verdict:
    """Everything beside the examples; the manifest lists all the others, so it comes last."""
    work, seed, name = Work(config.work_folder), config.dataset.seed, config.file.stem
    _add_rejects(work, jobs)
    write_page(work.dataset / "report.html", look(work, seed=seed), name=name)
    made = manifest.Made(config.file.read_bytes(), {"dataset": seed}, manifest.inputs(work))
    return papers.write(work, made, report=report, name=name)


def settings(config: Config) -> Settings:
    """The configuration's part that curation takes."""
    wanted = config.dataset
    shares: dict[str, float] = {family: share / 100 for family, share in wanted.mix.items() if share}
    return Settings(
        seed=wanted.seed,
        caps=Caps(wanted.caps.ingredient, wanted.caps.labeler, wanted.caps.template),
        split=Split(validation=wanted.split.validation, test=wanted.split.test),
        mix=Mix(wanted.examples, shares),
        duplicates=Duplicates(jaccard=wanted.near_duplicates),
        contaminated=wanted.contaminated,
    )


def _curation(config: Config, jobs: Sequence[_Job], workers: int, heard: Callable[[Progress], None]) -> curation.Job:
    """Curation of all examples, dealt out as it was begun."""
    out = Work(config.work_folder).dataset
    return curation.Job(
        [job.out for job in jobs], out, settings(config), _evaluation(config),
        [job.source for job in jobs if not job.licence], workers, curation.begun(out), heard,
    )  # fmt: skip


def _refuse_unmade(jobs: Sequence[_Job]) -> None:
    unmade = sum(not job.is_done() for job in jobs)
    if unmade:
        raise InputError(
            f"The examples of {unmade} of {len(jobs)} files are not made yet.", code="TRN-017",
            hint="Run every share of `lumen-trainer dataset --step examples` first.",
        )  # fmt: skip


def _evaluation(config: Config) -> list[Path]:
    """The evaluation sets: a folder of sets stands for each that lies in it."""
    places = [config.place(written) for written in config.dataset.evaluation]
    return sorted({path for place in places for path in _sets(place)})


def _sets(place: Path) -> Iterator[Path]:
    if place.is_dir() and not (place / "queries.jsonl").is_file():
        for inner in sorted(place.iterdir()):
            if inner.is_dir() or inner.suffix.lower() in {".json", ".jsonl"}:
                yield from _sets(inner)
    else:
        yield place


def _jobs(config: Config) -> list[_Job]:
    work = Work(config.work_folder)
    if not (work.collected / "summary.json").is_file():
        raise InputError("Nothing was collected yet.", code="TRN-017", hint="Run `lumen-trainer collect` first.")
    families = frozenset(family for family, share in config.dataset.mix.items() if share)
    code = _code()
    folder, seed = work.folder / "examples", config.dataset.seed
    rewording = config.dataset.paraphrase
    if rewording.model:
        rewording = rewording.model_copy(update={"model": str(config.place(rewording.model))})
    collected = [
        _Job(file, folder / file.parent.name / file.name, seed, families, code, rewording=rewording)
        for file in work.record_files()
    ]
    talks = config.dataset.replay if "replay" in families else []
    return collected + [
        _Job(config.place(one.file), folder / "replay" / f"{n}.jsonl", seed, families, code, one.licence)
        for n, one in enumerate(talks)
    ]


def _code() -> str:
    """Digest of the builders: other wordings are other examples."""
    folder = Path(dataset.__file__).parent
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.suffix in {".py", ".yaml"}):
        digest.update(file.relative_to(folder).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()


def _forget_others(config: Config, jobs: Sequence[_Job]) -> None:
    """Examples of records that are there no more."""
    kept = {path for job in jobs for path in (job.out, job.mark, _rejects(job))}
    for path in (config.work_folder / "examples").rglob("*"):
        if path.is_file() and path not in kept:
            path.unlink()


def _rejects(job: _Job) -> Path:
    return job.out.with_suffix(".rejects")


def _counted(jobs: Sequence[_Job], what: str) -> dict[str, int]:
    found: Counter[str] = Counter()
    for job in jobs:
        found.update(json.loads(job.mark.read_bytes())[what])
    return dict(sorted(found.items()))


def _add_rejects(work: Work, jobs: Sequence[_Job]) -> None:
    """Documents that gave no example stand first among what was left out."""
    path = work.dataset / "rejects.jsonl"
    before = path.read_bytes().splitlines()
    with LinesFile(path) as file:
        for line in itertools.chain.from_iterable(_rejects(job).read_bytes().splitlines() for job in jobs):
            file.write(line)
        for line in before:
            file.write(line)


def _make(jobs: Sequence[_Job], workers: int, stop: Stop, told: Told) -> None:
    if min(workers, len(jobs)) <= 1:
        for done, job in enumerate(jobs):
            told("examples", done, len(jobs))
            _examples_of(job)
            if stop.asked:
                raise Stopped
        return
    with ProcessPoolExecutor(min(workers, len(jobs)), mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting = [pool.submit(_work, job) for job in jobs]
        try:
            for done, future in enumerate(as_completed(waiting), start=1):
                told("examples", done, len(jobs))
                refusal = future.result()
                if refusal:
                    raise _raised(refusal)
                if stop.asked:
                    raise Stopped
        except BrokenProcessPool:
            raise EngineError(
                "A process that makes examples ended without a word; memory may have run out.", code="TRN-012",
                hint="Start again: it goes on from here. With --processes 1 the file is seen.",
            ) from None  # fmt: skip
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _raised(refusal: _Refusal) -> LumenError:
    kind, message, code, hint = refusal
    made: LumenError = getattr(errors, kind)(message, code=code, hint=hint)
    return made


def _work(job: _Job) -> _Refusal | None:
    """In another process: a refusal travels as plain values."""
    try:
        _examples_of(job)
    except LumenError as error:
        return type(error).__name__, error.message, error.code, error.hint
    return None


def _examples_of(job: _Job) -> None:
    families: Counter[str] = Counter()
    reworded: Counter[str] = Counter()
    with LinesFile(job.out) as out, LinesFile(_rejects(job)) as rejects:
        for made in job.examples(reworded):
            if isinstance(made, Reject):
                rejects.write(made.as_line())
            else:
                families[made.family] += 1
                out.write(made.as_line())
    counts = {"families": dict(sorted(families.items())), "reworded": dict(sorted(reworded.items()))}
    write_json(job.mark, {"from": job.origin(), **counts})


def _documents(path: Path) -> Iterator[list[Record]]:
    for _, records in itertools.groupby(read_records(path), key=lambda record: record.doc_id):
        yield list(records)
