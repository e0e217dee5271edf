"""`lumen settings`: show and change what a person may set; no site is needed."""

from dataclasses import asdict
from typing import Annotated

import typer

from lumen_desktop import paths
from lumen_desktop.cli import output
from lumen_desktop.settings import accepted, changed, save

app = typer.Typer(help="Show and change settings.", no_args_is_help=True)


@app.command()
def show(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False) -> None:
    """Show the settings and which values each takes."""
    values = asdict(output.settings())
    if as_json:
        output.result(values)
        return
    for name, value in values.items():
        output.text(f"{name:<16} {_shown(value):<12} ({accepted(name)})")
    output.text(f"They are kept in {paths.settings_file()}.")


@app.command("set")
def change(
    name: Annotated[str, typer.Argument(help="The setting, as `lumen settings show` names it.")],
    value: Annotated[str, typer.Argument(help='Its new value; "" takes data_folder back to its default.')],
) -> None:
    """Change one setting; it counts from the next start."""
    settings = changed(output.settings(), name, value)
    save(paths.settings_file(), settings)
    output.text(f"{name}: {_shown(getattr(settings, name))}")


def _shown(value: object) -> str:
    return ("on" if value else "off") if isinstance(value, bool) else str(value)
