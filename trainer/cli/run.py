"""`lumen-trainer run`: all steps of a build, each skipped where nothing changed; `--dry-run` tries each in small."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from trainer import progress, running
from trainer.cli import output
from trainer.collect import Stop
from trainer.config import load
from trainer.gating.result import GateResult
from trainer.ownership.work import Work
from trainer.running import Done
from trainer.steps import steps


def command(
    config: Annotated[Path, typer.Option("--config", help="The configuration, a YAML file.", metavar="FILE")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Try data, template, memory, disk, two steps and a one-layer export.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """From downloaded files to a judged build; exit status 1 where the gate says no. `release` seals it afterwards."""
    loaded, stop = load(config), Stop()
    if dry_run:
        return _rehearse(config, as_json=as_json)
    with output.interrupts(stop.ask), progress.stages() as told:
        done = running.run(loaded, steps(), stop=stop, told=told, heard=lambda one: _said(one, as_json=as_json))
    result = GateResult.read(Work(loaded.work_folder).gated)
    if as_json:
        output.result({"steps": [asdict(one) for one in done], "gate": result.fields()})
    else:
        output.text(f"Everything is in {loaded.work_folder}; gated/report.html shows it. {_next(result, config)}")
    return 0 if result.passed else 1


def _said(done: Done, *, as_json: bool) -> None:
    if not as_json:
        took = "was done before" if done.skipped else f"{done.seconds:.0f} s"
        output.text(f"{done.name:<9} {took:<16} {done.words}")


def _next(result: GateResult, config: Path) -> str:
    if result.passed:
        return f"`lumen-trainer release --config {config} --sign KEY` seals it."
    return "The gate holds it back; `lumen-trainer gate` shows why."


def _rehearse(config: Path, *, as_json: bool) -> int:
    from trainer.rehearsing import rehearse  # noqa: PLC0415 - torch takes seconds, other commands need none

    stop = Stop()
    found: list[dict[str, Any]] = []
    with output.interrupts(stop.ask), progress.stages() as told:
        for part in rehearse(load(config), stop=stop, told=told):
            found.append(asdict(part))
            if not as_json:
                output.text(f"{'yes' if part.good else 'NO':<4} {part.name:<10} {part.words}")
    if as_json:
        output.result({"parts": found})
    return 0 if all(part["good"] for part in found) else 1
