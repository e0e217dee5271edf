"""A work folder with a small dataset to learn from, for the tests of fine-tuning."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import ROOT
from tests.trainer.built import LABEL, example
from trainer.config import Config, load
from trainer.records import Example

FINETUNE: dict[str, Any] = {
    "precision": "fp32", "compute": "fp32", "rank": 4, "alpha": 8, "dropout": 0.05, "epochs": 100.0, "steps": 8,
    "learning_rate": 0.01, "row_tokens": 256, "step_tokens": 512, "example_tokens": 256, "checkpointing": "none",
    "evaluate_every": 4, "save_every": 2, "validation_examples": 6, "threads": 1,
}  # fmt: skip
DRIVER = (
    "import sys; from pathlib import Path; from trainer.config import load; from trainer.finetune import finetune\n"
    "finetune(load(Path(sys.argv[1])))"
)


def asked(number: int, *, more: str = "") -> Example:
    """A fact of its own about one medicine."""
    return example(
        "label", LABEL, question=f"How much of medicine {number} is taken a day?",
        answer=f"The dose of medicine {number} is {number % 7 + 1} tablets a day.{more}",
    )  # fmt: skip


def work(
    folder: Path, *, train: Iterable[Example] = (), base: dict[str, Any] | None = None, sections: Any = None,
    **finetune: Any,
) -> Config:  # fmt: skip
    """A configuration whose work folder holds a dataset.

    Args:
        folder: of both.
        train: the training part; thirty facts where none is given.
        base: the section; the tiny Mistral where none is given.
        sections: further ones.
        **finetune: fields other than those of `FINETUNE`.
    """
    parts = {"train": list(train) or [asked(n) for n in range(30)], "validation": [asked(n) for n in range(30, 36)]}
    for split, examples in parts.items():
        lines(folder / "work" / "dataset" / f"{split}.jsonl", examples)
    file = folder / "lumen-trainer.yaml"
    fields = {
        "version": 1, "work": "work", "base": base or {"model": "tiny-mistral", "revision": "", "name": "tiny-mistral"},
        "finetune": {**FINETUNE, **finetune}, **(sections or {}),
    }  # fmt: skip
    file.write_text(yaml.safe_dump(fields))
    return load(file)


def lines(path: Path, examples: Iterable[Example]) -> None:
    """A file of the dataset."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(one.as_line() + "\n" for one in examples), encoding="utf-8")


def told(folder: Path, *names: str) -> list[tuple[Any, ...]]:
    """What the run's progress says of each step, in order, field by field."""
    text = (folder / "progress.jsonl").read_text()
    found = [json.loads(line) for line in text.splitlines() if line]
    return [tuple(one[name] for name in names) for one in found if set(names) <= one.keys()]


def environment() -> dict[str, str]:
    """Of a training process."""
    return {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
