"""`lumen conversation`: list, show, rename, pin, delete and restore conversations."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from lumen_desktop.app import DEMONSTRATION_NOTICE
from lumen_desktop.cli import ask, output
from lumen_desktop.domain.chat import Conversation, Status
from lumen_desktop.services.conversations import Conversations

app = typer.Typer(help="The conversations of a site.", no_args_is_help=True)

Number = Annotated[int, typer.Argument(help="The number that `lumen conversation list` gives.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command("list")
def list_conversations(
    context: typer.Context,
    words: Annotated[str, typer.Option("--words", help="Only those that hold all these words.")] = "",
    deleted: Annotated[bool, typer.Option("--deleted", help="Those deleted in the last 30 days.")] = False,
    most: Annotated[int, typer.Option("-n", min=1, max=100_000, help="At most so many.")] = 200,
    as_json: Json = False,
) -> None:
    """Show conversations: pinned ones first, then the most recently used; deleted ones, the last one first."""
    with output.site(context, writable=False) as site:
        found = site.conversations.list(words, deleted=deleted, most=most)
    if as_json:
        output.result([_as_document(conversation) for conversation in found])
        return
    for one in found:
        output.text(_line(one))
    if not found:
        output.text("There are no such conversations." if words or deleted else "There are no conversations yet.")
    elif deleted:
        output.text("`lumen conversation restore NUMBER` takes one back; 30 days after its deletion it is erased.")


def _line(one: Conversation) -> str:
    pin = "*" if one.pinned else " "
    questions = f"{one.exchanges} question{'' if one.exchanges == 1 else 's'}"
    when = f"deleted {one.deleted_utc:%Y-%m-%d %H:%M}Z" if one.deleted_utc else f"{one.last_utc:%Y-%m-%d %H:%M}Z"
    return f"{one.id:>6} {pin} {when}  {one.title}  ({questions})"


@app.command()
def show(context: typer.Context, number: Number, as_json: Json = False) -> None:
    """Show the questions and answers of a conversation."""
    with output.site(context, writable=False) as site:
        conversation = site.conversations.conversation(number)
        exchanges = site.conversations.exchanges(number)
        demonstration = site.place.demonstration
    if as_json:
        answers = [
            {"question": e.question, **ask.as_document(e.answer, demonstration=demonstration)} for e in exchanges
        ]
        output.result({**_as_document(conversation), "answers": answers})
        return
    if demonstration:
        output.text(DEMONSTRATION_NOTICE)
    output.text(conversation.title)
    for exchange in exchanges:
        output.text(f"\nQuestion: {exchange.question}\n\n{exchange.answer.text}")
        if exchange.answer.status is Status.OPEN:
            output.text("This answer is still being written.")
        ask.closing_lines(exchange.answer)


@app.command()
def rename(
    context: typer.Context,
    number: Number,
    title: Annotated[str, typer.Argument(help="1 to 200 characters.")],
) -> None:
    """Give a conversation another title."""
    _done(context, lambda conversations: conversations.rename(number, title), "Renamed.")


@app.command()
def pin(context: typer.Context, number: Number) -> None:
    """Let a conversation stand above the others."""
    _done(context, lambda conversations: conversations.pin(number, pinned=True), "Pinned.")


@app.command()
def unpin(context: typer.Context, number: Number) -> None:
    """Let a conversation stand among the others again."""
    _done(context, lambda conversations: conversations.pin(number, pinned=False), "No longer pinned.")


@app.command()
def delete(context: typer.Context, number: Number) -> None:
    """Delete a conversation; for 30 days it can be restored."""
    done = f"Deleted. `lumen conversation restore {number}` takes it back."
    _done(context, lambda conversations: conversations.delete(number), done)


@app.command()
def restore(context: typer.Context, number: Number) -> None:
    """Take back the deletion of a conversation."""
    _done(context, lambda conversations: conversations.restore(number), "Restored.")


def _done(context: typer.Context, act: Callable[[Conversations], None], words: str) -> None:
    with output.site(context, writable=True) as site:
        act(site.conversations)
    output.text(words)


def _as_document(conversation: Conversation) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(conversation).items()
    }
