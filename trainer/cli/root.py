"""`lumen-trainer root`: the file that says whose seals count."""

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from lumen_desktop.bundle import DEFAULT_THRESHOLD, Root, read_root, read_unchecked_root
from lumen_desktop.errors import InputError
from trainer import keys
from trainer.cli import output, passphrase
from trainer.lines import refused_if_unwritable

app = typer.Typer(help="Make, seal and check the file that says whose seals count.", no_args_is_help=True)
_File = Annotated[Path, typer.Argument(help="The root file.")]
_After = Annotated[Path | None, typer.Option("--after", help="The root file whose place it takes.")]


@app.command("make")
def make(
    file: _File,
    key: Annotated[list[Path], typer.Option("--key", help="A publisher's .public.json; once each.")],
    expires: Annotated[dt.datetime, typer.Option("--expires", formats=["%Y-%m-%d"], help="Last day of use.")],
    threshold: Annotated[
        int, typer.Option("--threshold", min=1, help="How many of them must seal a build.")
    ] = DEFAULT_THRESHOLD,
    after: _After = None,
) -> None:
    """Make a root file from public keys; it counts once enough of them have sealed it."""
    if file.exists():
        raise InputError(
            f"{file.name} is there already.", code="TRN-115", hint="Nothing was overwritten; name another."
        )
    version = read_root(after).version + 1 if after else 1
    root = Root(version, tuple(map(keys.read_public, key)), threshold, expires.date())
    _write(file, root)
    output.text(f"{file.name}: version {version}, {threshold} of {len(key)} keys. Now have it sealed: root sign.")


@app.command("sign")
def sign(
    file: _File,
    key: Annotated[Path, typer.Option("--key", help="Your .key.json.")],
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the passphrase from standard input, one line.")
    ] = False,
) -> None:
    """Seal a root file with your key; keys of the file whose place it takes seal it the same way."""
    root = read_unchecked_root(file)
    sealed = root.sealed_by(keys.opened(key, passphrase.given(from_stdin=password_stdin)))
    _write(file, sealed)
    output.text(f"{file.name}: {len(sealed.seals)} seals.")


@app.command("check")
def check(file: _File, after: _After = None) -> None:
    """Check a root file, and whether it may take another's place."""
    root = read_root(file)
    if after:
        root.follows(read_root(after))
    names = ", ".join(one.name for one in root.keys)
    output.text(f"Valid. Version {root.version}, until {root.expires}: {root.threshold} of {names}.")


def _write(file: Path, root: Root) -> None:
    part = file.with_name(file.name + ".part")
    with refused_if_unwritable(file):
        part.write_bytes(root.to_bytes())
        part.replace(file)
