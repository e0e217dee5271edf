"""`lumen key`: a new database key, and a new recovery code."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from lumen_desktop.cli import output
from lumen_desktop.cli.site import hand_over

app = typer.Typer(help="The keys of a site.", no_args_is_help=True)

_PARTS = 10  # a line for each tenth


@app.command()
def rotate(
    context: typer.Context,
    reason: Annotated[str, typer.Option("--reason", help="Why, in a few words, for the audit trail.")],
) -> None:
    """Encrypt the whole site anew; the old key opens nothing any more, all passwords stay."""
    with output.site(context, writable=True) as site:
        site.keys.rotate(reason, _told())
    output.text("The site has a new key. Copies made before, such as backups, still open with the old one.")


@app.command("recovery-code")
def recovery_code(
    context: typer.Context,
    file: Annotated[Path | None, typer.Option("--file", help="Write it there instead of showing it.")] = None,
) -> None:
    """Make a new recovery code; the one before opens nothing any more."""
    with output.site(context, writable=True) as site:
        code = site.people.new_recovery_code()
    hand_over(code, file)


def _told() -> Callable[[str, float], None]:
    """Says each tenth of each step once."""
    said: set[tuple[str, int]] = set()

    def tell(what: str, part: float) -> None:
        tenth = int(part * _PARTS)
        if (what, tenth) not in said:
            said.add((what, tenth))
            output.line(f"{what} {tenth * 100 // _PARTS} %")

    return tell
