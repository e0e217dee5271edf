"""`lumen-trainer gate` and `release`: whether a build may go out, and the sealed file that does."""

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from lumen_desktop.bundle import Signer
from lumen_desktop.errors import InputError
from trainer import keys
from trainer.cli import output, passphrase
from trainer.config import load
from trainer.gating.result import GateResult

_Config = Annotated[Path, typer.Option("--config", help="The configuration, a YAML file.", metavar="FILE")]
_Key = Annotated[Path | None, typer.Option("--sign", help="A private key of `lumen-trainer keygen`.", metavar="KEY")]
_Typed = Annotated[bool, typer.Option("--password-stdin", help="Read the key's passphrase from standard input.")]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def gating(
    config: _Config,
    *,
    waive: Annotated[int | None, typer.Option("--waive", help="Number of a failed check to sign for.")] = None,
    by: Annotated[str, typer.Option("--by", help="With --waive: who signs.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="With --waive: why it may pass.")] = "",
    sign: _Key = None,
    password_stdin: _Typed = False,
    as_json: _Json = False,
) -> int:
    """Hold the build against the configured lines; exit status 1 where it must not go out."""
    from trainer.gate import gate  # noqa: PLC0415 - plots take seconds to import, other commands need none
    from trainer.gate import waive as waived  # noqa: PLC0415

    loaded, today = load(config), _today()
    if waive is None:
        result = gate(loaded, today=today)
    elif not (by and reason and sign):
        raise InputError(
            "A waiver needs a name, a reason and a key.", code="TRN-101",
            hint="Add --by NAME --reason TEXT --sign KEY.",
        )  # fmt: skip
    else:
        result = waived(loaded, waive, by=by, reason=reason, key=_opened(sign, password_stdin), today=today)
    if as_json:
        output.result(result.fields())
    else:
        for line in gate_lines(result):
            output.text(line)
    return 0 if result.passed else 1


def gate_lines(result: GateResult) -> list[str]:
    """A check a line, then the whole."""
    rows = [
        f"{check.number:>2}  {check.outcome:<8} {check.kind:<5} {check.title:<28} {check.value:<16} {check.threshold}"
        for check in result.checks
    ]
    rows += [f"    {check.number}: {check.why}" for check in result.checks if check.stops]
    stamp = f" {result.stamp}" if result.stamp else ""
    return [*rows, f"{result.build}: {result.word}.{stamp}"]


def releasing(config: _Config, sign: _Key = None, password_stdin: _Typed = False, as_json: _Json = False) -> None:
    """Write the bundle, or add a signer's seal to it; run it once for each signer."""
    from trainer.release import release  # noqa: PLC0415 - as above

    path = release(load(config), today=_today(), key=_opened(sign, password_stdin) if sign else None)
    if as_json:
        output.result({"bundle": str(path), "size_bytes": path.stat().st_size})
        return
    output.text(f"{path} ({output.size(path.stat().st_size)}). `lumen-trainer verify` says who has sealed it.")


def _opened(sign: Path, password_stdin: bool) -> Signer:
    return keys.opened(sign, passphrase.given(from_stdin=password_stdin))


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()
