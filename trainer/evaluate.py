"""Asks a GGUF every question there is and writes down each answer and the scores. Called by `trainer.cli.evaluate`."""

from collections.abc import Callable
from pathlib import Path

from trainer.collect import Stop
from trainer.config import Config
from trainer.evaluation.results import Evaluation

Told = Callable[[str, int, int], None]


def evaluate(
    config: Config, *, model: Path | None = None, name: str = "", quick: bool | None = None,
    stop: Stop | None = None, told: Told = lambda _stage, _done, _all: None,
) -> Evaluation:  # fmt: skip
    """Asks a model; goes on where a run that was stopped or killed left off.

    Args:
        config: what is asked, and where the dataset and the answers lie.
        model: a GGUF; None is the one that the configuration ships. Another than that is taken for the base and is
            shown ``evaluate.shots`` worked examples with each own question.
        name: of the folder under ``evaluated``; without one, the file's name.
        quick: instead of the configuration's.
        stop: ends the run between two questions.
        told: told the set, how many of its questions are answered, and how many there are.

    Raises:
        InputError: no model (TRN-091), a question file that cannot be used (TRN-090), nothing to ask (TRN-094), a model
            with another template than the base's (TRN-095).
        Stopped: what was answered stays.
        StorageError: TRN-010.
    """
    raise NotImplementedError
