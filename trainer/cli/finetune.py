"""`lumen-trainer finetune`: adapters trained on the dataset; under `torchrun` the first of the processes speaks."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from trainer import progress
from trainer.cli import output
from trainer.collect import Stop
from trainer.config import load


def command(
    config: Annotated[Path, typer.Option("--config", help="The configuration, a YAML file.", metavar="FILE")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Fine-tune the base; a run that was stopped or killed goes on from its last checkpoint."""
    from trainer.finetune import finetune  # noqa: PLC0415 - torch takes seconds, other commands need none

    loaded, stop = load(config), Stop()
    with output.interrupts(stop.ask), progress.stages() as told:
        done = finetune(loaded, stop=stop, told=told)
    if os.environ.get("RANK", "0") != "0":
        return
    if as_json:
        output.result({**asdict(done), "folder": str(done.folder), "adapter": str(done.adapter)})
        return
    output.text(
        f"Best at step {done.best_step:,}: validation loss {done.validation_loss:.4f}. {done.tokens:,} tokens in "
        f"{done.seconds:.0f} s.\nThe adapters are in {done.adapter}; progress.html beside them shows the run."
    )
