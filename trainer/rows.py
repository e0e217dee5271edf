"""A dataset's file as packed rows: tokenised once onto the disk, packed anew each run, read in place.

The tokens lie in flat files that are mapped, so that 200,000 examples need no memory and a run begins at once. What
they were made from stands in their folder's name. Called by `trainer.finetune`, `trainer.merge` and `trainer.parity`.
"""

import hashlib
import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lumen_desktop.errors import InputError
from trainer.config import Config
from trainer.lines import read_examples, refused_if_unwritable, write_json
from trainer.ownership.manifest import digested
from trainer.ownership.work import Work
from trainer.packing import Document, Pack, best_fit
from trainer.records import Example
from trainer.turns import Turns

VERSION = 1
MOST_UNEVEN = 0.01  # share of examples whose prompt is not their beginning; above, the template is another one
_AT_ONCE = 256  # examples that are tokenised together

Told = Callable[[str, int, int], None]
_N = TypeVar("_N", np.uint32, np.uint8)


@dataclass(frozen=True, slots=True)
class Counts:
    """What a file became.

    Attributes:
        examples: that are kept.
        too_long: left out because they have more tokens than `finetune.example_tokens`.
        uneven: left out because the answer's first letters melt into the prompt's last token.
        tokens: of the kept ones.
        learnt: of these, those that are learnt.
    """

    examples: int
    too_long: int
    uneven: int
    tokens: int
    learnt: int


@dataclass(frozen=True, slots=True)
class Tokens:
    """A tokenised file.

    Attributes:
        ids: of all documents one after the other, mapped.
        learn: 1 where learnt, mapped.
        bounds: where each document begins, and the end; shape (examples + 1,).
        names: the examples' ids.
        counts: what was kept and left out.
        digest: of what it was made from.
    """

    ids: NDArray[np.uint32]
    learn: NDArray[np.uint8]
    bounds: NDArray[np.int64]
    names: tuple[str, ...]
    counts: Counts
    digest: str

    def document(self, number: int) -> Document:
        """One of them, from 0."""
        start, end = int(self.bounds[number]), int(self.bounds[number + 1])
        return Document(self.ids[start:end].astype(np.int64), self.learn[start:end].astype(np.bool_))


class Rows:
    """Packed rows, by number; torch's loaders take it as a dataset.

    Args:
        tokens: of a file, with one document at least.
        room: tokens of a row.
        seed: decides which of equally long documents lie together, and which are taken.
        most: at most so many documents.
    """

    def __init__(self, tokens: Tokens, *, room: int, seed: int, most: int | None = None) -> None:
        drawn = np.random.default_rng(seed).permutation(tokens.counts.examples)[:most]
        self.tokens, self.room = tokens, room
        lengths = np.diff(tokens.bounds)[drawn]
        packed = best_fit(lengths.tolist(), room)
        self._rows = [[int(drawn[number]) for number in row] for row in packed]
        self.documents = len(drawn)
        self.token_count = int(lengths.sum())

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, number: int) -> Pack:
        chosen = self._rows[number]
        names = tuple(self.tokens.names[one] for one in chosen)
        return Pack(number, tuple(self.tokens.document(one) for one in chosen), names)

    @property
    def efficiency(self) -> float:
        """Share of the rows' room that holds tokens."""
        return self.token_count / (len(self._rows) * self.room)

    @property
    def padding_share(self) -> float:
        """Share of the rows' room that holds none. Rows are not filled up, so this costs speed, not memory."""
        return 1 - self.efficiency


def rows(config: Config, turns: Turns, split: str, *, most: int | None = None, told: Told | None = None) -> Rows:
    """The rows of a part of the work folder's dataset.

    Args:
        config: whose section finetune gives lengths and seed.
        turns: of the base.
        split: train, validation or test.
        most: at most so many examples, drawn by the seed.
        told: the stage, the examples done and those there are.

    Raises:
        InputError: no such file (TRN-017), a damaged one (TRN-008, TRN-009), one from another template (TRN-067), or
            no example is left (TRN-069).
        StorageError: TRN-010.
    """
    how = config.finetune
    longest = min(how.example_tokens, how.row_tokens)
    tokens = tokenise(config, turns, split, longest=longest, told=told)
    if not tokens.counts.examples:
        raise _nothing_left(split, tokens.counts)
    return Rows(tokens, room=how.row_tokens, seed=how.seed, most=most)


def tokenise(config: Config, turns: Turns, split: str, *, longest: int, told: Told | None = None) -> Tokens:
    """The tokens of a part of the dataset, made unless they are there already; raises as `rows` does."""
    work = Work(config.work_folder)
    source = work.dataset / f"{split}.jsonl"
    if not source.is_file():
        raise InputError(
            f"The dataset has no {source.name}.", code="TRN-017", hint="Run `lumen-trainer dataset` first."
        )
    digest = _digest(source, turns, longest)
    folder = work.finetuned / "tokens" / f"{split}-{digest[:16]}"
    if not (folder / "counts.json").is_file():
        part = folder.with_name(folder.name + ".part")
        with refused_if_unwritable(folder):
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            _write(source, turns, part, longest=longest, told=told)
            shutil.rmtree(folder, ignore_errors=True)
            part.replace(folder)
    return _opened(folder, digest)


def _digest(source: Path, turns: Turns, longest: int) -> str:
    folder = turns.prepared.folder
    made_from = {
        "version": VERSION,
        "examples": digested(source).sha256,
        "tokenizer": digested(folder / "tokenizer.json").sha256,
        "settings": digested(folder / "tokenizer_config.json").sha256,
        "template": turns.prepared.template,
        "longest": longest,
    }
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()


def _write(source: Path, turns: Turns, folder: Path, *, longest: int, told: Told | None) -> None:
    total, done = _lines(source), 0
    kept = too_long = uneven = tokens = learnt = 0
    bounds = [0]
    with (
        (folder / "ids").open("wb") as ids,
        (folder / "learn").open("wb") as learn,
        (folder / "names").open("w") as names,
    ):
        for batch in _batches(read_examples(source)):
            if told:
                told(f"tokens: {source.stem}", done, total)
            done += len(batch)
            for example, one in zip(batch, turns.learnt_all([each.messages for each in batch]), strict=True):
                if isinstance(one, InputError):
                    uneven += 1
                elif len(one.ids) > longest:
                    too_long += 1
                else:
                    ids.write(np.array(one.ids, dtype="<u4").tobytes())
                    learn.write(np.array(one.learn, dtype=np.uint8).tobytes())
                    names.write(example.id + "\n")
                    kept, tokens, learnt = kept + 1, tokens + len(one.ids), learnt + sum(one.learn)
                    bounds.append(tokens)
    if uneven > MOST_UNEVEN * total:
        raise _other_template(uneven, total)
    np.array(bounds, dtype="<i8").tofile(folder / "bounds")
    write_json(folder / "counts.json", asdict(Counts(kept, too_long, uneven, tokens, learnt)))


def _batches(examples: Iterator[Example]) -> Iterator[list[Example]]:
    while batch := list(itertools.islice(examples, _AT_ONCE)):
        yield batch


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file)


def _opened(folder: Path, digest: str) -> Tokens:
    counts = Counts(**json.loads((folder / "counts.json").read_bytes()))
    names = tuple((folder / "names").read_text(encoding="ascii").split())
    return Tokens(
        ids=_mapped(folder / "ids", np.uint32), learn=_mapped(folder / "learn", np.uint8),
        bounds=np.fromfile(folder / "bounds", dtype="<i8"), names=names, counts=counts, digest=digest,
    )  # fmt: skip


def _mapped(path: Path, kind: type[_N]) -> NDArray[_N]:
    """A file of numbers, little-endian as every machine is that trains; an empty one cannot be mapped."""
    return np.memmap(path, dtype=kind, mode="r") if path.stat().st_size else np.zeros(0, dtype=kind)


def _nothing_left(split: str, counts: Counts) -> InputError:
    return InputError(
        f"No example of the part {split} is left: {counts.too_long:,} are longer than finetune.example_tokens.",
        code="TRN-069",
        hint="Allow longer examples, or build the dataset again.",
    )


def _other_template(uneven: int, total: int) -> InputError:
    return InputError(
        f"{uneven:,} of {total:,} examples do not begin with their prompt: the dataset is from another template.",
        code="TRN-067",
        hint="Take the template that the base was made with, or leave base.template empty.",
    )
