"""`lumen-trainer sources`: what can be read, how to get it, and under which terms."""

from typing import Annotated, Any

import typer

from trainer.cli import output
from trainer.collect.run import sources_of
from trainer.licences import LICENCES
from trainer.sources import Source


def command(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list.")] = False) -> None:
    """Show the public sources: how to get their files, their size and their terms."""
    if as_json:
        output.result([as_value(source) for source in sources_of()])
        return
    for source in sources_of():
        output.text(_words(as_value(source)))


def as_value(source: Source) -> dict[str, Any]:
    """A source as JSON has it; ``commercial`` is null where each file says its own licence."""
    licence = LICENCES.get(source.licence)
    return {
        "name": source.name, "title": source.title, "publisher": source.publisher, "on": source.on,
        "licence": source.licence or None, "licence_title": licence.title if licence else "stated in each file",
        "commercial": licence.commercial if licence else None, "attribution": licence.attribution if licence else None,
        "note": licence.note if licence else "", "terms": source.terms, "how": source.how, "url": source.url,
        "size": source.size, "endings": list(source.endings), "companions": dict(source.companions),
    }  # fmt: skip


def _words(value: dict[str, Any]) -> str:
    sold = {True: "commercial use allowed", False: "NOT for commercial use", None: "it decides on commercial use"}
    lines = [
        f"{value['name']}  {value['title']} ({value['publisher']})" + ("" if value["on"] else "  [off by default]"),
        f"  Get it    {value['how']}",
        f"            {value['url']}",
        f"  Files     {', '.join(value['endings'])}; {value['size']}",
        f"  Licence   {value['licence_title']}; {sold[value['commercial']]}. {value['note']}".rstrip(),
    ]
    lines += [f"  Terms     {value['terms']}"] if value["terms"] else []
    lines += [f"  Beside    {name}: {words}" for name, words in value["companions"].items()]
    return "\n".join(lines) + "\n"
