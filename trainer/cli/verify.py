"""`lumen-trainer verify`: whether a bundle is what its publishers sealed."""

import datetime as dt
import re
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

import lumen_desktop
from lumen_desktop.bundle import Verified, read_root, verify
from lumen_desktop.errors import BundleError
from trainer.cli import output

_REFUSED = frozenset({"BUN-010", "BUN-011", "BUN-015"})  # the question could not be asked


def _release(value: str) -> str:
    if not re.match(r"\d+\.\d+\.\d+", value):
        raise typer.BadParameter("it has the form 1.2.3")
    return value


def command(
    file: Annotated[Path, typer.Argument(help="A .lumenbuild file.")],
    root: Annotated[Path, typer.Option("--root", help="The root file: whose seals count.")],
    last_build: Annotated[
        int | None, typer.Option("--last-build", help="The newest build in use; an older one is refused.", min=1)
    ] = None,
    app_version: Annotated[
        str,
        typer.Option("--app-version", help="Of the Lumen that shall run it.", metavar="X.Y.Z", callback=_release),
    ] = lumen_desktop.__version__,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """Check a sealed build: seals, every byte, dates and model file; exit status 1 where it is not valid."""
    trusted = read_root(root)
    try:
        found = verify(file, trusted, today=_today(), app_version=app_version, last_build=last_build)
    except BundleError as error:
        if error.code in _REFUSED:
            raise
        if as_json:
            output.result({"valid": False, "code": error.code, "reason": error.message, "hint": error.hint})
        else:
            output.text(f"Not valid. {error.code}: {error.message} {error.hint}")
        return 1
    if as_json:
        output.result(_values(found))
        return 0
    facts = found.manifest
    output.text(
        f"Valid. {facts.name} build {facts.build} ({facts.quantisation}), sealed by {', '.join(found.sealed_by)}."
    )
    output.text(f"Gate {facts.gate}; prose {'allowed' if facts.prose else 'not allowed'}; digest {found.sha256}")
    for part in facts.parts:
        output.text(f"  {part.name:<40} {output.size(part.size_bytes):>10}  {part.sha256}")
    return 0


def _values(found: Verified) -> dict[str, Any]:
    return {
        "valid": True, "sha256": found.sha256, "sealed_by": list(found.sealed_by), "others": list(found.others),
        "manifest": asdict(found.manifest),
    }  # fmt: skip


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()
