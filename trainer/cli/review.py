"""`lumen-trainer review`: a person's judgement of answers that were drawn, which check 12 of the gate asks for."""

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from lumen_desktop.errors import InputError
from trainer import keys
from trainer.cli import output, passphrase
from trainer.config import load


def command(
    config: Annotated[Path, typer.Option("--config", help="The configuration, a YAML file.", metavar="FILE")],
    by: Annotated[str, typer.Option("--by", help="With --sign: who judged, as gate.approvers names them.")] = "",
    sign: Annotated[
        Path | None, typer.Option("--sign", help="Sign the filled sheet with this private key.", metavar="KEY")
    ] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the key's passphrase from standard input.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Draw the answers that a person judges; once each has accept or reject beside it, sign them with --sign."""
    from trainer import gate  # noqa: PLC0415 - plots and torch take seconds to import, other commands need none

    loaded = load(config)
    if sign is None:
        path = gate.draw_review(loaded)
        words = "Write accept or reject beside each answer, then run review again with --by and --sign."
    elif not by:
        raise InputError("A review needs the name of who judged.", code="TRN-109", hint="Add --by NAME.")
    else:
        key = keys.opened(sign, passphrase.given(from_stdin=password_stdin))
        path = gate.sign_review(loaded, by=by, key=key, today=dt.datetime.now(dt.UTC).date())
        words = "Signed; run gate again."
    if as_json:
        output.result({"review": str(path)})
        return
    output.text(f"{path}. {words}")
