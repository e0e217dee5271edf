"""The stages that datatrove runs: each shard of a stage in any process of any machine that sees the work folder.

A Slurm array, Ray or GNU parallel starts one share each; datatrove's own Slurm executor is not used, because its jobs
begin by loading a pickle from that folder.

Stage 1 prepares the examples of a shard and signs them (MinHash); stage 2 looks for equal signatures, a bucket a task.
What follows needs no text and is done in one process (`run`). datatrove's own words come from spaCy; ours come from
`duplicates.word_groups`, so that spaCy is not needed. Its log is kept in the work folder and off the terminal.

Source: Broder 1997 (MinHash); datatrove 0.10, pipeline.dedup.minhash.
"""

import multiprocessing
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from datatrove.data import Document
from datatrove.executor.local import LocalPipelineExecutor
from datatrove.io import get_datafolder
from datatrove.pipeline.base import PipelineStep
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets, MinhashDedupSignature
from datatrove.utils.hashing import HashConfig
from loguru import logger

from trainer.curation.duplicates import Groups, stated, word_groups
from trainer.curation.keys import Key, same_words
from trainer.curation.prepare import Preparation, lines
from trainer.curation.settings import Duplicates, Settings
from trainer.curation.texts import distinguishing
from trainer.records import Example, Reject

logger.disable("datatrove")  # a worker imports this module before it runs a stage

_LINES_AT_ONCE = 2000


class Prepare(PipelineStep):  # type: ignore[misc]  # datatrove ships no types
    """Reads and prepares a shard's examples; writes them, their keys, the rejects and the counts.

    Args:
        parts: files of Example lines.
        folder: the work folder.
        settings: limits.
        evaluation: sets to keep out.
        records: files of Record lines.
    """

    type = "curation"
    name = "prepare"

    def __init__(
        self,
        parts: Sequence[Path],
        folder: Path,
        settings: Settings,
        evaluation: Sequence[Path],
        records: Sequence[Path],
    ) -> None:
        super().__init__()
        self.parts, self.folder, self.settings = tuple(parts), folder, settings
        self.evaluation, self.records = tuple(evaluation), tuple(records)

    def run(self, data: Any = None, rank: int = 0, world_size: int = 1) -> Iterator[Document]:  # noqa: ARG002 - datatrove's
        """Yields what distinguishes each example that is left."""
        preparation = Preparation(self.settings, self.evaluation, self.records)
        with (
            (self.folder / f"prepared-{rank:05d}.jsonl").open("wb") as prepared,
            (self.folder / f"keys-{rank:05d}.jsonl").open("wb") as keys,
            (self.folder / f"rejects-{rank:05d}.jsonl").open("wb") as rejects,
        ):
            number = 0
            for where, line in lines(self.parts, rank, world_size):
                made = preparation(where, line)
                if isinstance(made, Reject):
                    rejects.write(made.as_line().encode() + b"\n")
                    continue
                text = distinguishing(made)
                key = _key(made, text, rank, number, prepared.tell())
                prepared.write(made.as_line().encode() + b"\n")
                keys.write(key.as_line().encode() + b"\n")
                number += 1
                yield Document(text=text, id=key.id)
        (self.folder / f"counts-{rank:05d}.json").write_text(preparation.counts.as_line(), encoding="utf-8")


def _key(example: Example, text: str, rank: int, number: int, start: int) -> Key:
    return Key(
        id=example.id,
        rank=rank,
        number=number,
        start=start,
        same=same_words(example),
        stated=stated(text),
        characters=sum(len(message.content) for message in example.messages),
        as_of=example.as_of,
        family=example.family,
        template=example.template,
        labeler=example.labeler,
        groups=example.groups,
        answerable=example.answerable,
        synthetic=example.synthetic,
    )


class Sign(MinhashDedupSignature):  # type: ignore[misc]  # datatrove ships no types
    """Signs what distinguishes examples, and keeps their word groups for the true comparison.

    Args:
        folder: the work folder.
        rules: size and number of the hashes.
    """

    def __init__(self, folder: Path, rules: Duplicates) -> None:
        PipelineStep.__init__(self)  # its own would load a tokenizer
        self.folder, self.rules = folder, rules
        self.output_folder = get_datafolder(str(folder / "signatures"))
        self.config = _config(rules)
        self.num_hashes = rules.buckets * rules.rows
        self.skip_existing_sigs = False
        self._parameters = None
        self._groups: BinaryIO | None = None
        self._sizes: BinaryIO | None = None

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> None:
        """Signs all of a shard."""
        with (
            (self.folder / f"groups-{rank:05d}.bin").open("wb") as self._groups,
            (self.folder / f"sizes-{rank:05d}.bin").open("wb") as self._sizes,
        ):
            super().run(data, rank, world_size)
        self._groups = self._sizes = None

    def get_shingles(self, text: str) -> npt.NDArray[np.uint64]:
        """Digests of the word groups, as a column."""
        assert self._groups is not None
        assert self._sizes is not None
        groups = word_groups(text, self.rules.words)
        self._groups.write(groups.astype("<u8").tobytes())
        self._sizes.write(struct.pack("<I", len(groups)))
        return groups.reshape((-1, 1))


class Match(MinhashDedupBuckets):  # type: ignore[misc]  # datatrove ships no types
    """datatrove's own, in this module so that its workers import it and keep their log off the terminal."""


def _config(rules: Duplicates) -> MinhashConfig:
    return MinhashConfig(
        n_grams=rules.words,
        num_buckets=rules.buckets,
        hashes_per_bucket=rules.rows,
        hash_config=HashConfig(precision=64, hash_fc="sha1"),  # never called: our word groups are hashes already
    )


def prepare_and_sign(step: Prepare, *, ranks: range, shards: int, processes: int) -> None:
    """Stage 1 for some of the shards; those that are done already are not done again.

    Args:
        step: what to do.
        ranks: shards to do now, one after another.
        shards: how many there are in all.
        processes: at the same time.
    """
    executor = LocalPipelineExecutor(
        [step, Sign(step.folder, step.settings.duplicates)],
        tasks=shards,
        workers=min(processes, len(ranks)),
        local_tasks=len(ranks),
        local_rank_offset=ranks.start,
        logging_dir=str(step.folder / "stage1"),
        start_method=_start_method(),
    )
    executor.run()


def match(folder: Path, rules: Duplicates, *, processes: int, ranks: range | None = None) -> None:
    """Stage 2: pairs with an equal signature in a bucket; buckets that are done already are not done again.

    Args:
        folder: the work folder, with the signatures of all shards.
        rules: size and number of the hashes.
        processes: at the same time.
        ranks: buckets to do now; None is all.
    """
    mine = range(rules.buckets) if ranks is None else ranks
    buckets = Match(
        str(folder / "signatures"),
        str(folder / "pairs"),
        config=_config(rules),
        only_dedup_in_index=False,
        lines_to_buffer=_LINES_AT_ONCE,
    )
    LocalPipelineExecutor(
        [buckets],
        tasks=rules.buckets,
        workers=min(processes, len(mine)),
        local_tasks=len(mine),
        local_rank_offset=mine.start,
        logging_dir=str(folder / "stage2"),
        start_method=_start_method(),
    ).run()


def pairs(folder: Path) -> npt.NDArray[np.uint32]:
    """What stage 2 found: rows of shard, place, shard, place."""
    files = sorted((folder / "pairs").glob("*.dups"))
    found = [np.fromfile(file, dtype="<u4").reshape(-1, 4) for file in files]
    return np.unique(np.concatenate(found), axis=0) if found else np.empty((0, 4), dtype=np.uint32)


class WordGroups:
    """The word groups that stage 1 kept, of any example; on disk until they are asked for."""

    def __init__(self, folder: Path, shards: int) -> None:
        self._ends = []
        self._all: list[npt.NDArray[np.uint64]] = []
        for rank in range(shards):
            sizes = np.fromfile(folder / f"sizes-{rank:05d}.bin", dtype="<u4")
            self._ends.append(np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]))
            file = folder / f"groups-{rank:05d}.bin"
            self._all.append(
                np.memmap(file, dtype="<u8", mode="r") if file.stat().st_size else np.empty(0, dtype=np.uint64)
            )

    def __call__(self, rank: int, number: int) -> Groups:
        """Those of one example."""
        ends = self._ends[rank]
        return np.asarray(self._all[rank][ends[number] : ends[number + 1]])


def _start_method() -> str:
    return "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
