"""The same jobs from a terminal: ``lumen [--data DIR] COMMAND … [--json]``.

With ``--json`` one JSON document goes to standard output and everything else to standard error.
Exit status: 0 done (an abstention is done), 1 a check whose answer is no, 2 refused: one line with a
code and a hint.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
import typer.exceptions

from lumen_desktop import __version__
from lumen_desktop.cli import ask, audit, conversations, key, library, output, policy, settings, signing, site, user
from lumen_desktop.cli import help as manual
from lumen_desktop.cli import start as starting
from lumen_desktop.errors import LumenError

app = typer.Typer(
    name="lumen",
    help="Ask your own library, offline, and get answers with sources that can be checked.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
site.register(app)
ask.register(app)
manual.register(app)
policy.register(app)
signing.register(library.app, audit.app, user.app)
app.add_typer(library.app, name="library")
app.add_typer(conversations.app, name="conversation")
app.add_typer(user.app, name="user")
app.add_typer(key.app, name="key")
app.add_typer(audit.app, name="audit")
app.add_typer(settings.app, name="settings")


def _version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"lumen {__version__}\n")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    data: Annotated[
        Path | None, typer.Option("--data", envvar="LUMEN_DATA", help="Data folder of the site.", metavar="DIR")
    ] = None,
    user: Annotated[str | None, typer.Option("--user", envvar="LUMEN_USER", help="Who you are at the site.")] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input, one line.")
    ] = False,
    version: Annotated[  # noqa: ARG001 - typer's callback acts on it
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options that stand before the command."""
    context.obj = output.Chosen(data=data, user=user, password_stdin=password_stdin)


def main() -> None:
    """The console script `lumen`: runs one command and turns its refusal into one line."""
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


def start(data: Path | None = None) -> int:
    """Runs the application without a command; see `cli.start`."""
    return _presented(lambda: starting.start(data))


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
            output.line(f"CLI-001: {words if words.endswith(('.', '?')) else words + '.'} Hint: see `lumen --help`.")
        return 2
    except (typer.Abort, KeyboardInterrupt):
        output.line("Stopped.")
        return 2
    except BrokenPipeError:
        return 2
    return status if isinstance(status, int) else 0
