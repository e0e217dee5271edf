"""`lumen help`: the manual that the window shows under F1."""

from typing import Annotated

import typer

from lumen_desktop.cli import output
from lumen_desktop.services import manual


def register(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command("help")(show)


def show(
    topic: Annotated[str, typer.Argument(help="A page of the manual; without one they are listed.")] = "",
) -> None:
    """Read the user manual."""
    if topic:
        output.text(manual.page(topic).plain())
        return
    for page in manual.pages():
        output.text(f"{page.name:<12} {page.title}")
    output.text("\nRead a page: lumen help asking")
