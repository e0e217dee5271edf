"""`lumen-trainer plan`: what a model will take, three ways side by side, before anything is rented."""

import io
import json
import shutil
from typing import Annotated

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from trainer.catalogue import BASES, GPUS
from trainer.plan import Method, Plan, Request, plan

_NARROWEST = 80


def command(
    *,
    examples: Annotated[int, typer.Option(help="How many examples the dataset holds.")],
    gpu: Annotated[str, typer.Option(help=f"One of {', '.join(GPUS)}.")] = "a100-80",
    price_per_hour: Annotated[float | None, typer.Option(help="Of one GPU, in any currency.")] = None,
    tokens_per_example: Annotated[int, typer.Option(help="Mean of prompt and answer together.")] = 500,
    epochs: Annotated[int, typer.Option(help="How often each example is seen.")] = 3,
    base: Annotated[str, typer.Option(help=f"One of {', '.join(BASES)}.")] = "biomistral-7b",
    sequence: Annotated[int, typer.Option(help="Tokens in a packed row.")] = 2_048,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON value instead of a table.")] = False,
) -> None:
    """Predicts tokens, memory, hours and cost of QLoRA, a full fine-tune and training from scratch."""
    made = plan(Request(examples, gpu, price_per_hour, tokens_per_example, epochs, base, sequence))
    if as_json:
        typer.echo(json.dumps(made.as_json(), ensure_ascii=False, indent=2))
    else:
        typer.echo(_shown(made), nl=False)


def _shown(made: Plan) -> str:
    """The table, what is to be said of each way, and the assumptions; plain text, wrapped to the terminal."""
    width = max(_NARROWEST, shutil.get_terminal_size().columns)
    text = io.StringIO()
    console = Console(file=text, width=width, highlight=False, markup=False, emoji=False)
    asked = made.request
    console.print(
        f"{asked.examples:,} examples of {asked.tokens_per_example:,} tokens, {asked.epochs} epochs, {asked.base} on "
        f"{asked.gpu}: predicted, not measured"
    )
    console.print(_table(made.methods))
    for method in made.methods:
        _said(console, method.title, (f"Predicted from {method.basis}.", *method.remarks))
    _said(console, "Assumptions", made.assumptions)
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


def _said(console: Console, heading: str, sentences: tuple[str, ...]) -> None:
    console.print(f"\n{heading}")
    for sentence in sentences:
        console.print(Padding(sentence, (0, 0, 0, 2)))


def _table(methods: tuple[Method, ...]) -> Table:
    table = Table()
    table.add_column("")
    for method in methods:
        table.add_column(method.title, justify="right")
    for name, cells in _rows(methods):
        table.add_row(name, *cells)
    return table


def _rows(methods: tuple[Method, ...]) -> list[tuple[str, list[str]]]:
    rows = [
        ("Tokens", [f"{one.tokens / 1e6:,.0f} million" for one in methods]),
        ("GPUs at least", [f"{one.gpus:,}" for one in methods]),
        ("Memory a GPU", [f"{one.memory_gb:,.1f} GB" for one in methods]),
        ("Tokens/s a GPU", [f"{one.tokens_per_s:,.0f}" for one in methods]),
        ("Hours by the clock", [_long(one.hours) for one in methods]),
        ("… of an untuned program", [_long(one.hours_cautious) for one in methods]),
        ("GPU hours to pay", [_long(one.gpu_hours) for one in methods]),
    ]
    if all(one.cost is not None for one in methods):
        rows.append(("Cost", [f"{one.cost:,.0f}" for one in methods]))
    return rows


def _long(hours: float) -> str:
    return f"{hours:,.1f}" if hours < 100 else f"{hours:,.0f}"  # noqa: PLR2004
