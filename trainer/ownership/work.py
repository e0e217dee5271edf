"""The files of a work folder, read line by line: collected records, the finished dataset and what was left out.

Knows their names and the line's form, not what they are used for; the ledger, the card and `inspect` read through it.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from lumen_desktop.errors import InputError
from trainer.lines import read_lines
from trainer.records import Example, Record, Reject

SPLITS = ("train", "validation", "test")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Work:
    """A work folder of the trainer."""

    folder: Path

    @property
    def dataset(self) -> Path:
        """Where the finished dataset lies."""
        return self.folder / "dataset"

    @property
    def collected(self) -> Path:
        """Where the collected records lie, a folder a source."""
        return self.folder / "collected"

    @property
    def base(self) -> Path:
        """The base in the form that training reads, where it came as another."""
        return self.folder / "base"

    @property
    def finetuned(self) -> Path:
        """Checkpoints, adapters, and what the run said of itself."""
        return self.folder / "finetuned"

    @property
    def merged(self) -> Path:
        """The model with the adapters added, in the base's own form."""
        return self.folder / "merged"

    @property
    def exported(self) -> Path:
        """GGUF files and how they compare with the trained model."""
        return self.folder / "exported"

    @property
    def evaluated(self) -> Path:
        """A folder a model that was asked: each item, and the scores."""
        return self.folder / "evaluated"

    @property
    def gated(self) -> Path:
        """The gate's result with its report and cards."""
        return self.folder / "gated"

    @property
    def released(self) -> Path:
        """Sealed bundles."""
        return self.folder / "released"

    def require_dataset(self) -> None:
        """Says whether there is a dataset at all.

        Raises:
            InputError: there is none (TRN-040).
        """
        if not any((self.dataset / f"{split}.jsonl").is_file() for split in SPLITS):
            raise no_dataset()

    def examples(self) -> Iterator[tuple[str, Example]]:
        """Each example of the dataset with its split, in the files' order.

        Raises:
            InputError: a damaged line (TRN-008, TRN-009).
        """
        for split in SPLITS:
            for example in _present(self.dataset / f"{split}.jsonl", Example.from_line):
                yield split, example

    def record_files(self) -> list[Path]:
        """The files of collected records, in a fixed order."""
        return sorted(self.collected.glob("*/*.jsonl"))

    def records(self) -> Iterator[Record]:
        """Each collected record.

        Raises:
            InputError: a damaged line, or a text that is not the one collected (TRN-008, TRN-009).
        """
        for path in self.record_files():
            yield from read_lines(path, Record.from_line)

    def rejects(self) -> Iterator[Reject]:
        """What collecting and curating left out.

        Raises:
            InputError: a damaged line (TRN-008, TRN-009).
        """
        for folder in (self.collected, self.dataset):
            yield from _present(folder / "rejects.jsonl", _reject)


def no_dataset() -> InputError:
    """The refusal of a work folder without examples."""
    return InputError(
        "The work folder holds no dataset.",
        code="TRN-040",
        hint="Run `lumen-trainer dataset` first, or name its work folder with --work.",
    )


def _present(path: Path, read: Callable[[bytes], _T]) -> Iterator[_T]:
    """The lines of a file that may be missing."""
    if path.is_file():
        yield from read_lines(path, read)


def _reject(line: bytes) -> Reject:
    fields: dict[str, Any] = json.loads(line)
    return Reject(**fields)
