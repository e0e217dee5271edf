"""`lumen-trainer evaluate` and `compare`: what a GGUF answers, and two of them question by question."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from trainer import progress
from trainer.cli import output
from trainer.collect import Stop
from trainer.compare import Comparison
from trainer.compare import compare as compared
from trainer.config import load
from trainer.evaluation.results import Evaluation
from trainer.evaluation.statistics import Paired


def evaluating(
    config: Annotated[Path, typer.Option("--config", help="The configuration, a YAML file.", metavar="FILE")],
    model: Annotated[
        Path | None, typer.Option("--model", help="A GGUF to ask instead of the exported one, such as the base.")
    ] = None,
    name: Annotated[str, typer.Option("--name", help="Of its folder; without it, the file's name.")] = "",
    full: Annotated[
        bool | None, typer.Option("--full/--quick", help="All of the public sets, or a fixed part; else as configured.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Ask a model every question; a run that was stopped goes on where it was."""
    from trainer.evaluate import evaluate  # noqa: PLC0415 - llama.cpp and torch take seconds, other commands need none

    loaded, stop = load(config), Stop()
    with output.interrupts(stop.ask), progress.stages() as told:
        found = evaluate(loaded, model=model, name=name, quick=None if full is None else not full, stop=stop, told=told)
    if as_json:
        output.result(asdict(found))
        return
    for line in lines(found):
        output.text(line)


def lines(found: Evaluation) -> list[str]:
    """The scores, a set a line, and what it took."""
    rows = [f"{'set':<24} {'measure':<12} {'value':>7}  {'95 % interval':<15} {'majority':>8} {'items':>6}"]
    for score in found.scores:
        majority = "" if score.majority is None else f"{score.majority:.1%}"
        interval = f"{score.low:.1%} – {score.high:.1%}"
        rows.append(
            f"{score.set:<24} {score.measure:<12} {score.value:>7.1%}  {interval:<15} {majority:>8} {score.items:>6,}"
        )
    speed = "  ".join(f"{name} {value:.2f}" for name, value in found.speed.items())
    return [*rows, f"temperature {found.temperature:.2f}  {speed}"]


def comparing(
    one: Annotated[Path, typer.Argument(help="Folder of an evaluation, under evaluated.", metavar="FOLDER")],
    other: Annotated[Path, typer.Argument(help="The one that it is held against.", metavar="OTHER")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Compare two evaluations question by question."""
    found = compared(one, other)
    if as_json:
        output.result(found.as_json())
        return
    for line in _words(found):
        output.text(line)


def _words(found: Comparison) -> list[str]:
    rows = [f"{found.one} against {found.other}, the same questions, two-sided"]
    for one in [*found.sets, *([found.together] if found.together else [])]:
        rows.append(f"{one.set:<24} right   {_pair(one.right)}")
        if one.formed:
            rows.append(f"{'':<24} formed  {_pair(one.formed)}")
        if one.overlap:
            rows.append(f"{'':<24} overlap {_pair(one.overlap)}")
    alone = [*found.only_in_one, *found.only_in_other]
    return [*rows, f"asked of one only: {', '.join(alone)}"] if alone else rows


def _pair(pair: Paired) -> str:
    difference, chance = pair.difference, "" if pair.p is None else f"  p {pair.p:.3f}"
    interval = f"[{difference.low:+.1%}, {difference.high:+.1%}]"
    words = f"{pair.one:>6.1%} {pair.other:>6.1%}  difference {difference.value:+.1%} {interval}"
    return f"{words}{chance}  {pair.items:,} questions"
