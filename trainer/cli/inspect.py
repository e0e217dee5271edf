"""`lumen-trainer inspect`: a built dataset to be looked at, in the terminal or as a page of HTML."""

import enum
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from trainer.cli import output
from trainer.inspect import terminal
from trainer.inspect.look import Look, look, write_page
from trainer.ownership.work import Work


class Part(enum.StrEnum):
    """What is shown."""

    FIGURES = "figures"
    REJECTS = "rejects"
    EXAMPLES = "examples"


def command(  # noqa: PLR0917 - typer takes options so
    work: Annotated[Path, typer.Option("--work", help="Work folder of the build.", metavar="DIR")],
    show: Annotated[list[Part] | None, typer.Option("--show", help="Only this part; may be given again.")] = None,
    family: Annotated[str, typer.Option("--family", help="Examples of this family only.")] = "",
    n: Annotated[int, typer.Option("--n", min=0, max=10_000, help="Examples, and samples of each reason.")] = 3,
    seed: Annotated[int, typer.Option("--seed", help="Decides which are drawn.")] = 0,
    html: Annotated[Path | None, typer.Option("--html", help="Write one page of HTML there.", metavar="FILE")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Look at a dataset: how much of what, what was left out and why, and examples to read."""
    parts = set(show or Part)
    seen = look(Work(work), family=family, n=n, seed=seed)
    if html is not None:
        write_page(html, seen, name=work.resolve().name)
    if as_json:
        output.result(_fields(seen, parts))
    elif html is None or show:
        output.text("\n".join(_lines(seen, parts)))
    else:
        output.text(f"Written: {html}")


def _fields(seen: Look, parts: set[Part]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if Part.FIGURES in parts:
        found["figures"] = seen.figures.fields()
    if Part.REJECTS in parts:
        found["rejects"] = [
            {"step": step, "reason": reason, "count": count,
             "samples": [{"where": one.where, "words": one.words} for one in seen.rejects[step, reason]]}
            for (step, reason), count in seen.counts.items()
        ]  # fmt: skip
    if Part.EXAMPLES in parts:
        found["examples"] = [{"split": split, "id": one.id, **asdict(one)} for split, one in seen.drawn]
    return found


def _lines(seen: Look, parts: set[Part]) -> Iterator[str]:
    if Part.FIGURES in parts:
        yield from terminal.summary(seen.figures)
        yield ""
    if Part.REJECTS in parts:
        yield from _rejects(seen)
        yield ""
    if Part.EXAMPLES in parts:
        for split, example in seen.drawn:
            yield from terminal.conversation(split, example)


def _rejects(seen: Look) -> Iterator[str]:
    yield f"Left out: {sum(seen.counts.values()):,}"
    for (step, reason), count in seen.counts.items():
        yield f"{count:>9,}  {step}: {reason}"
        yield from (f"             {one.where}: {one.words}" for one in seen.rejects[step, reason])
