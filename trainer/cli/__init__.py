"""The trainer from a terminal: ``lumen-trainer COMMAND … [--json]``.

With ``--json`` one JSON value goes to standard output and everything else to standard error. Exit status: 0 done, 1 a
check whose answer is no, 2 refused: one line with a code and a hint.

======= ===========================================================================
code    meaning
======= ===========================================================================
TRN-001 the command line is not understood
TRN-002 the configuration cannot be read
TRN-003 the configuration is no plain YAML
TRN-004 a field of the configuration is wrong
TRN-005 a source is not known, or is off
TRN-006 a source's terms were not accepted
TRN-007 a file or folder to read is not there or holds nothing to read
TRN-008 a line of a file of the work folder is damaged
TRN-009 a file of the work folder ends in the middle of a line
TRN-010 the work folder cannot be written
TRN-011 a reader failed on a file (a fault of ours)
TRN-012 a reading process ended without a word
TRN-013 a file changed while it was read
TRN-014 another run works in the same folder
TRN-015 not a shard
TRN-017 a file that an earlier step makes is not there
TRN-018 a file cannot be read from the disk
======= ===========================================================================

Examples have TRN-02x, curation TRN-03x, ownership TRN-04x, the plan TRN-05x, gate and release TRN-10x, keys
TRN-11x.
"""

import sys
from collections.abc import Callable
from typing import Annotated

import typer
import typer.exceptions

import lumen_desktop
from lumen_desktop.errors import LumenError
from trainer.cli import (
    collect,
    dataset,
    evaluate,
    export,
    finetune,
    inspect,
    keygen,
    licence,
    output,
    plan,
    release,
    review,
    root,
    sources,
    validate,
    verify,
)
from trainer.cli import run as run_all

app = typer.Typer(
    name="lumen-trainer",
    help="From public sources to a sealed model build: offline, each example with its origin, each step measured.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("sources")(sources.command)
app.command("validate")(validate.command)
app.command("collect")(collect.command)
app.command("dataset")(dataset.command)
app.command("inspect")(inspect.command)
app.command("licence")(licence.command)
app.command("plan")(plan.command)
app.command("run")(run_all.command)
app.command("finetune")(finetune.command)
app.command("merge")(export.merging)
app.command("export")(export.exporting)
app.command("evaluate")(evaluate.evaluating)
app.command("compare")(evaluate.comparing)
app.command("gate")(release.gating)
app.command("review")(review.command)
app.command("release")(release.releasing)
app.command("keygen")(keygen.command)
app.command("verify")(verify.command)
app.add_typer(root.app, name="root")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"lumen-trainer {lumen_desktop.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options that stand before the command."""


def main() -> None:
    """The console script `lumen-trainer`: runs one command and turns its refusal into one line."""
    output.prepare()
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Runs one command line.

    Args:
        arguments: without the program's name.

    Returns:
        The exit status.
    """
    return _presented(lambda: app(arguments, standalone_mode=False))


def _presented(job: Callable[[], int | None]) -> int:
    """Runs a job; the one place where the terminal turns refusals into a line and an exit status."""
    try:
        status = job()
    except LumenError as error:
        output.refusal(error)
        return 2
    except typer.exceptions.TyperException as error:
        words = error.format_message()
        if words:  # without a command there are none: the help was shown
            ended = words if words.endswith((".", "?")) else words + "."
            output.line(f"TRN-001: {ended} Hint: see `lumen-trainer --help`.")
        return 2
    except (typer.Abort, KeyboardInterrupt):
        output.line("Stopped.")
        return 2
    except SystemExit:  # typer, where nobody reads what is printed
        return 2
    return status if isinstance(status, int) else 0
