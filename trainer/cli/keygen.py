"""`lumen-trainer keygen`: a publisher's key."""

from pathlib import Path
from typing import Annotated

import typer

from trainer import keys
from trainer.cli import output, passphrase


def command(
    name: Annotated[str, typer.Argument(help="Of the key's holder: small letters, digits and dashes.")],
    folder: Annotated[
        Path | None,
        typer.Option("--folder", help="Where it is kept; your home folder's .lumen-trainer/keys otherwise."),
    ] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the passphrase from standard input, one line.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Make a key to seal builds with, kept under a passphrase, outside every repository."""
    place = folder or keys.default_folder()
    keys.refuse_unfit(name, place)
    made = keys.make(name, passphrase.new(from_stdin=password_stdin), place)
    if as_json:
        output.result({"private": str(made.private), "public": str(made.public), "key": made.key})
        return
    output.text(f"Private key   {made.private}")
    output.text(f"Public key    {made.public}")
    output.text("Give the public one to whoever makes the root file. Without the passphrase the private one is lost.")
