"""`lumen-trainer merge` and `export`: adapters into the base's weights, and those into GGUF files."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from trainer import progress
from trainer.cli import output
from trainer.collect import Stop
from trainer.config import load

_Config = Annotated[Path, typer.Option("--config", help="The configuration, a YAML file.", metavar="FILE")]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def merging(config: _Config, as_json: _Json = False) -> None:
    """Add the adapters to the base's weights, in full precision, and keep what reads validation better."""
    from trainer.merge import merge  # noqa: PLC0415 - torch takes seconds, other commands need none

    loaded, stop = load(config), Stop()
    with output.interrupts(stop.ask), progress.stages() as told:
        merged = merge(loaded, stop=stop, told=told)
    if as_json:
        output.result({**asdict(merged), "folder": str(merged.folder)})
        return
    for name, loss in merged.losses.items():
        shipped = f", as {loaded.export.ship} {merged.shipped[name]:.4f}" if name in merged.shipped else ""
        output.text(f"{name:<12} validation loss {loss:.4f}{shipped}{'  kept' if name == merged.kept else ''}")
    output.text(f"The model is in {merged.folder}.")


def exporting(config: _Config, as_json: _Json = False) -> None:
    """Write the GGUF files and hold each against the trained model."""
    from trainer.export import export, read  # noqa: PLC0415 - as above

    loaded, stop = load(config), Stop()
    with output.interrupts(stop.ask), progress.stages() as told:
        exported = export(loaded, stop=stop, told=told)
    figures = read(loaded)["files"]
    if as_json:
        output.result({"folder": str(exported.folder), "files": figures})
        return
    for name, fact in figures.items():
        output.text(_line(name, fact))


def _line(kind: str, fact: Mapping[str, Any]) -> str:
    figures = "  ".join(
        f"{words} {fact[key]:{form}}"
        for key, words, form in (
            ("kl_mean", "KL", ".5f"), ("top1", "same likeliest token", ".1%"), ("task_loss", "task loss", "+.4f"),
            ("token_ids_equal", "equal token ids", ".1%"),
        )
        if fact.get(key) is not None
    )  # fmt: skip
    return f"{kind:<8} {output.size(fact['size_bytes']):>9}  {figures}  {fact['name']}"
