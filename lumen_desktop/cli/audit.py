"""`lumen audit`: read the trail, and check that nothing in it was changed."""

from typing import Annotated

import typer

from lumen_desktop.cli import output

app = typer.Typer(help="Read and verify the audit trail.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command("list")
def list_events(
    context: typer.Context,
    newest: Annotated[int, typer.Option("-n", min=1, help="Only this many of the last events.")] = 50,
    as_json: Json = False,
) -> None:
    """Show the last events, oldest first."""
    with output.site(context, writable=False) as site:
        events = site.audit.newest(newest)
    if as_json:
        output.result(events)
        return
    for event in events:
        what = f"{event['act']} {event['entity']} {event['entity_id']}"
        output.text(f"{event['seq']:>6}  {event['time_utc'][:19]}Z  {what:<32}  {event['reason']}  ({event['actor']})")


@app.command()
def verify(context: typer.Context, as_json: Json = False) -> None:
    """Check the whole chain; exit status 1 if it is broken."""
    with output.site(context, writable=False) as site:
        verdict = site.audit.verify()
    if as_json:
        output.result(
            {
                "whole": verdict.first_bad is None,
                "events": verdict.events,
                "first_bad": verdict.first_bad,
                "reason": verdict.reason,
                "head": verdict.head.hex(),
            }
        )
    elif verdict.first_bad is None:
        output.text(f"The audit trail is whole: {verdict.events} events, head {verdict.head.hex()}.")
    else:
        output.text(f"The audit trail is broken at event {verdict.first_bad}: {verdict.reason}")
    if verdict.first_bad is not None:
        raise typer.Exit(1)
