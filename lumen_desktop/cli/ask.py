"""`lumen ask`, `lumen chat` and `lumen answer`."""

import contextlib
import importlib
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from lumen_desktop.app import DEMONSTRATION_NOTICE, Site
from lumen_desktop.cli import output
from lumen_desktop.domain.chat import Answer, Citation, Status
from lumen_desktop.errors import LumenError
from lumen_desktop.services.chat import UNVERIFIED, AnswerReady, AskEvent, Commentary, EvidenceFound, place

Collection = Annotated[str | None, typer.Option("--collection", help="Search only this collection.")]
Prose = Annotated[
    bool | None,
    typer.Option(
        "--prose/--no-prose",
        help="Let the model comment below the quotes (not verified); otherwise as the settings say.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

_CHAT_HELP = "Ask a question. /prose switches the model's commentary on or off, /quit ends. Ctrl+C stops an answer."


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command()(ask)
    app.command()(chat)
    app.command()(answer)


def ask(
    context: typer.Context,
    question: Annotated[str, typer.Argument(help="The question, in words.")],
    *,
    collection: Collection = None,
    prose: Prose = None,
    conversation: Annotated[int | None, typer.Option("--conversation", help="Ask in this conversation.")] = None,
    as_json: Json = False,
) -> None:
    """Answer a question from the library, with its sources."""
    with output.site(context, writable=True) as site:
        prose = site.settings.prose if prose is None else prose
        answered(site, question, collection, prose=prose, show=not as_json, conversation_id=conversation)


def chat(
    context: typer.Context,
    collection: Collection = None,
    prose: Prose = None,
) -> None:
    """Ask one question after another."""
    with output.site(context, writable=True) as site:
        converse(site, collection, prose=site.settings.prose if prose is None else prose)


def answer(
    context: typer.Context,
    number: Annotated[int, typer.Argument(help="The number under the answer.")],
    as_json: Json = False,
) -> None:
    """Show a stored answer again."""
    with output.site(context, writable=False) as site:
        found = site.chat.record(number)
        if as_json:
            output.result(as_document(found, demonstration=site.place.demonstration))
            return
        if site.place.demonstration:
            output.text(DEMONSTRATION_NOTICE)
        output.text(found.text)
        closing_lines(found)


def converse(site: Site, collection: str | None, *, prose: bool) -> None:
    """A conversation in the terminal, stored as one, until /quit or the end of input."""
    output.text(_CHAT_HELP)
    site.warm()
    interactive, conversation_id = sys.stdin.isatty(), None
    if interactive:
        with contextlib.suppress(ImportError):
            importlib.import_module("readline")  # arrow keys and history at the prompt
    while True:
        try:
            question = input("\nYou: " if interactive else "").strip()
        except (EOFError, KeyboardInterrupt):
            return
        if question in {"/quit", "/exit", "/q"}:
            return
        if question in {"/help", "/?"}:
            output.text(_CHAT_HELP)
        elif question == "/prose":
            prose = not prose
            output.text(f"Commentary is {'on' if prose else 'off'}.")
        elif question:
            try:
                conversation_id = answered(
                    site, question, collection, prose=prose, conversation_id=conversation_id
                ).conversation_id
            except LumenError as error:
                output.refusal(error)


def answered(
    site: Site,
    question: str,
    collection: str | None,
    *,
    prose: bool,
    show: bool = True,
    conversation_id: int | None = None,
) -> Answer:
    """Runs one question and prints each part as it comes; or, where it is not to be shown, one document at the end."""
    commenting, answer = False, None
    site.warm()
    events = site.chat.ask(question, collection=collection, prose=prose, conversation_id=conversation_id)
    with output.interrupts(site.chat.stop):
        for event in _waited_for(events):
            if isinstance(event, AnswerReady):
                answer = event.answer
                _finished(site, answer, show=show)
            elif isinstance(event, EvidenceFound) and show:
                _heading(site)
                for citation in event.citations:
                    output.text(f"“{citation.quote}” [{citation.n}]\n    — {place(citation)}\n")
            elif isinstance(event, Commentary) and show:
                if not commenting:
                    output.text(UNVERIFIED)
                commenting = True
                output.text(event.text.strip())
    assert answer is not None  # `ask` ends with an answer or raises
    return answer


def _waited_for(events: Iterator[AskEvent]) -> Iterator[AskEvent]:
    """The same events, with a sign of life while each is waited for."""
    what = "Searching …"
    while True:
        with output.working(what):
            event = next(events, None)
        if event is None:
            return
        yield event
        what = "The model is writing …"


def _finished(site: Site, answer: Answer, *, show: bool) -> None:
    if not show:
        output.result(as_document(answer, demonstration=site.place.demonstration))
        return
    if answer.status is Status.NO_EVIDENCE:
        _heading(site)
        output.text(answer.text)
    closing_lines(answer)


def _heading(site: Site) -> None:
    if site.place.demonstration:
        output.text(DEMONSTRATION_NOTICE)
    output.text()


def closing_lines(answer: Answer) -> None:
    """What stands below an answer: notes, how it ended, its number and build."""
    if answer.status is not Status.NO_EVIDENCE:
        for note in answer.notes:
            output.text(f"Note: {note}")
    if answer.status is Status.STOPPED:
        output.text("Stopped: the answer is incomplete.")
    seconds = f", {answer.timing.total_s:.1f} s" if answer.timing.total_s is not None else ""
    output.text(f"Answer {answer.record_id} · {answer.build_id} · {answer.build_sha256[:12]}{seconds}")


def as_document(answer: Answer, *, demonstration: bool) -> dict[str, Any]:
    """An answer as the JSON document that `lumen ask --json` promises."""
    return {
        "status": answer.status.value,
        "answer": answer.text,
        "citations": [_citation(c) for c in answer.citations],
        "commentary": answer.commentary,
        "notes": list(answer.notes),
        "build": {"id": answer.build_id, "sha256": answer.build_sha256},
        "record_id": answer.record_id,
        "conversation_id": answer.conversation_id,
        "timing": {
            "retrieval_s": answer.timing.retrieval_s,
            "first_evidence_s": answer.timing.first_evidence_s,
            "first_token_s": answer.timing.first_token_s,
            "total_s": answer.timing.total_s,
            "prompt_tokens": answer.timing.prompt_tokens,
            "answer_tokens": answer.timing.answer_tokens,
        },
        **({"demonstration": DEMONSTRATION_NOTICE} if demonstration else {}),
    }


def _citation(citation: Citation) -> dict[str, Any]:
    return {
        "n": citation.n,
        "document": citation.document,
        "kind": citation.kind.value,
        "attribution": citation.attribution,
        "edition": citation.edition,
        "page": citation.page,
        "section": citation.section,
        "quote": citation.quote,
        "passage_id": citation.passage_id,
    }
