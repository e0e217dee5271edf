"""`lumen-trainer validate`: whether a configuration can be run, before hours go into it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from lumen_desktop.errors import InputError
from trainer.cli import output
from trainer.collect.inputs import Choice, InputFile, chosen, found
from trainer.collect.run import sources_of
from trainer.config import Config, load, schema

ConfigFile = Annotated[Path | None, typer.Option("--config", help="The configuration, a YAML file.", metavar="FILE")]


def command(
    config: ConfigFile = None,
    show_schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of a configuration.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Check a configuration: its fields, its files, its sources and their terms."""
    if show_schema:
        output.result(schema())
        return
    if config is None:
        raise InputError("No configuration is named.", code="TRN-002", hint="Name one with --config FILE.")
    loaded = load(config)
    choices, files = checked(loaded)
    if as_json:
        output.result({"config": str(config), "valid": True, "sources": as_values(choices, files)})
        return
    for value in as_values(choices, files):
        output.text(f"{value['name']:<12} {value['files']:>6} files  {output.size(value['size_bytes'])}")
    output.text(f"{config.name} can be run.")


def checked(config: Config) -> tuple[list[Choice], list[InputFile]]:
    """The sources that are used and their files.

    Raises:
        InputError: a source, its terms or its files are not as they must be (TRN-005 to TRN-007).
    """
    choices = chosen(config, sources_of())
    if not choices:
        raise InputError("No source is used.", code="TRN-005", hint="`lumen-trainer sources` shows what there is.")
    for written in [*config.dataset.evaluation, *(one.file for one in config.dataset.replay)]:
        if not config.place(written).exists():
            raise InputError(
                f"“{written}” is not there.", code="TRN-007", hint="It stands under dataset.evaluation or replay."
            )
    return choices, found(config, choices)


def as_values(choices: list[Choice], files: list[InputFile]) -> list[dict[str, Any]]:
    """What would be read of each source."""
    values = []
    for choice in choices:
        mine = [file for file in files if file.source == choice.source.name]
        values.append(
            {
                "name": choice.source.name, "files": len(mine), "size_bytes": sum(file.size_bytes for file in mine),
                "licence": choice.source.licence or None, "terms": choice.source.terms,
            }
        )  # fmt: skip
    return values
