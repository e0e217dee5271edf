"""`lumen-trainer dataset`: makes examples of what was collected, curates them, writes the dataset and its papers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from trainer import progress
from trainer.building import Built, Step, build
from trainer.cli import output
from trainer.collect import Shard, Stop, shard
from trainer.config import load


def command(
    config: Annotated[Path, typer.Option("--config", help="The configuration, a YAML file.", metavar="FILE")],
    part: Annotated[
        str,
        typer.Option("--shard", help="Make only the second of four shares; then run once without.", metavar="2/4"),
    ] = "",
    step: Annotated[
        Step, typer.Option("--step", help="With --shard: of which step; each needs all shares of the one before.")
    ] = Step.EXAMPLES,
    processes: Annotated[
        int | None, typer.Option("--processes", min=1, max=256, help="How many files are worked on at once.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Make the dataset; what was made before of the same records is not made again."""
    loaded = load(config)
    only = shard(part) if part else None
    stop = Stop()
    with output.interrupts(stop.ask), progress.stages() as told:
        built = build(loaded, only=only, step=step, processes=processes, stop=stop, told=told)
    if as_json:
        output.result(_fields(built))
        return
    for line in _words(built, only, step, loaded.work_folder / "dataset"):
        output.text(line)


def _fields(built: Built) -> dict[str, object]:
    verdict = built.verdict.fields() if built.verdict else None
    return {
        "files": built.files, "made": built.made, "seconds": round(built.seconds, 1), "families": dict(built.families),
        "reworded": dict(built.reworded),
        "report": dict(built.report), "verdict": verdict,
    }  # fmt: skip


def _words(built: Built, only: Shard | None, step: Step, folder: Path) -> Iterator[str]:
    if only or built.verdict is None:
        yield f"{_share(only, step)}: {_done(built, step)}. When all shares are done, run dataset without --shard."
        return
    for one in built.report["steps"]:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in one["reasons"].items())
        counted = f"{one['name']:<18} {one['taken']:>9,} in {one['left']:>9,} left"
        yield f"{counted}  ({reasons})" if reasons else counted
    if built.reworded:
        said = ", ".join(f"{count:,} {reason}" for reason, count in built.reworded.items())
        yield f"questions put into other words or left as they were: {said}"
    for name, split in built.report["splits"].items():
        yield f"{name:<18} {split['examples']:>9,} examples"
    sold = "may be sold" if built.verdict.commercial else "may NOT be sold; `lumen-trainer licence` says why"
    yield f"A model trained on it {sold}."
    yield f"The dataset is in {folder}; report.html shows it. {built.seconds:.0f} s."


def _share(only: Shard | None, step: Step) -> str:
    return f"{step.value}, shard {only.number} of {only.of}" if only else step.value


def _done(built: Built, step: Step) -> str:
    if step is Step.MATCH:
        return "its buckets are compared"
    if step is Step.PREPARE:
        return f"prepared from {built.files} files"
    return f"{built.made} of {built.files} files made, the others were there"
