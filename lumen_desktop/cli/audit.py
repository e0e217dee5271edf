"""`lumen audit`: read the trail, check that nothing in it was changed, hand it on."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from lumen_desktop.app import Site
from lumen_desktop.cli import output
from lumen_desktop.domain.audit import Difference, Filters, Order, Page, Verdict
from lumen_desktop.domain.clock import ago
from lumen_desktop.errors import InputError

app = typer.Typer(help="Read, verify and export the audit trail.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Person = Annotated[str, typer.Option("--actor", help="Only events of this person.")]
Role = Annotated[str, typer.Option("--role", help="Only events of this role.")]
Act = Annotated[str, typer.Option("--act", help="Only this act, such as changed.")]
Entity = Annotated[str, typer.Option("--entity", help="Only events of this kind of thing.")]
EntityId = Annotated[str, typer.Option("--id", help="Only events of the thing with this id.")]
Since = Annotated[str, typer.Option("--since", help="From this time on, such as 2026-11-22T09:30 (UTC).")]
Until = Annotated[str, typer.Option("--until", help="Before this time.")]
Words = Annotated[str, typer.Option("--words", help="Only events whose reason or values hold these words.")]


def _filters(person: str, role: str, act: str, entity: str, entity_id: str, **more: str) -> Filters:
    return Filters(
        actor=person, role=role, act=act, entity=entity, entity_id=entity_id, words=more["words"],
        since=_time(more["since"]), until=_time(more["until"]),
    )  # fmt: skip


def _time(given: str) -> datetime | None:
    if not given:
        return None
    try:
        time = datetime.fromisoformat(given)
    except ValueError:
        raise InputError(
            "This is no time.", code="AUD-017", hint="Write it as 2026-11-22 or 2026-11-22T09:30, in UTC."
        ) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


@app.command("list")
def list_events(  # noqa: PLR0913 - each is an option
    context: typer.Context, *,
    newest: Annotated[int, typer.Option("-n", min=1, help="Only this many of the last events.")] = 50,
    offset: Annotated[int, typer.Option("--offset", min=0, help="Leave out this many of the last ones.")] = 0,
    sort: Annotated[Order, typer.Option("--sort", help="By number, time or person.")] = Order.SEQ,
    newest_first: Annotated[bool, typer.Option("--newest-first", help="Turn the order round.")] = False,
    person: Person = "", role: Role = "", act: Act = "", entity: Entity = "", entity_id: EntityId = "",
    since: Since = "", until: Until = "", words: Words = "", as_json: Json = False,
) -> None:  # fmt: skip
    """Show the last events that the filters choose, oldest first."""
    filters = _filters(person, role, act, entity, entity_id, since=since, until=until, words=words)
    page = Page(sort, descending=True, offset=offset, limit=newest)
    with output.site(context, writable=False) as site:
        events = site.audit.find(filters, page)
    if not newest_first:
        events.reverse()
    if as_json:
        output.result(events)
        return
    for event in events:
        what = f"{event['act']} {event['entity']} {event['entity_id']}"
        output.text(f"{event['seq']:>6}  {event['time_utc'][:19]}Z  {what:<32}  {event['reason']}  ({event['actor']})")


@app.command()
def show(context: typer.Context, seq: Annotated[int, typer.Argument(min=1)], as_json: Json = False) -> None:
    """Show one event, with what was before and after."""
    with output.site(context, writable=False) as site:
        told = site.audit.event(seq)
    if as_json:
        output.result({**told.fields, "differences": [_as_json(one) for one in told.differences]})
        return
    event = told.fields
    output.text(f"Event {seq}: {event['act']} {event['entity']} {event['entity_id']}")
    output.text(f"  when    {event['time_utc']} (local time is {event['utc_offset_minutes']:+} minutes)")
    output.text(f"  who     {event['actor']}, as {event['role']}")
    output.text(f"  why     {event['reason']}")
    output.text(f"  digest  {event['hash']}")
    for one in told.differences:
        output.text(f"  {one.change} {one.field}: {_value(one.before)} -> {_value(one.after)}")


def _as_json(one: Difference) -> dict[str, Any]:
    return {"field": one.field, "change": one.change, "before": one.before, "after": one.after}


def _value(value: object) -> str:
    return "nothing" if value is None else str(value)


@app.command()
def verify(
    context: typer.Context,
    copies: Annotated[
        list[Path] | None, typer.Option("--anchors", help="A copy of anchors.jsonl that was kept elsewhere.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check the whole chain against its anchors; exit status 1 if it does not hold. A copy of a site will do."""
    with output.site(context, writable=False) as site:
        verdict = site.audit.verify(copies=copies or ())
        age_s = site.audit.anchor_age_s(verdict)
    if as_json:
        output.result(_verdict(verdict, age_s))
    else:
        _say(verdict, age_s)
    if verdict.first_bad is not None:
        raise typer.Exit(1)


def _verdict(verdict: Verdict, age_s: float | None) -> dict[str, Any]:
    outside = verdict.outside
    return {
        "whole": verdict.first_bad is None,
        "events": verdict.events,
        "first_bad": verdict.first_bad,
        "good_until": verdict.good_until,
        "fault": verdict.fault,
        "reason": verdict.reason,
        "head": verdict.head.hex(),
        "outside": outside and {"seq": outside.seq, "time_utc": outside.time_utc.isoformat(), "age_s": age_s},
    }


def _say(verdict: Verdict, age_s: float | None) -> None:
    if verdict.first_bad is None:
        output.text(f"The audit trail is whole: {verdict.events} events, head {verdict.head.hex()}.")
    else:
        output.text(f"The audit trail is broken at event {verdict.first_bad}: {verdict.reason}")
        output.text(f"Up to event {verdict.good_until} an anchor vouches for it.")
    if verdict.outside is None or age_s is None:
        output.text("No anchor lies outside the database yet.")
        return
    output.text(
        f"Last anchor outside the database: event {verdict.outside.seq}, {ago(age_s)} "
        f"({verdict.outside.time_utc.isoformat(timespec='seconds')})."
    )


@app.command()
def export(  # noqa: PLR0913 - each is an option
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The file to write.")], *,
    kind: Annotated[str, typer.Option("--format", help="csv, json or pdf; else as the file's name ends.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there already.")] = False,
    person: Person = "", role: Role = "", act: Act = "", entity: Entity = "", entity_id: EntityId = "",
    since: Since = "", until: Until = "", words: Words = "", as_json: Json = False,
) -> None:  # fmt: skip
    """Write the events that the filters choose to a file; the export is an event itself."""
    filters = _filters(person, role, act, entity, entity_id, since=since, until=until, words=words)
    with output.site(context, writable=True) as site:
        done = site.audit.export(file, kind or file.suffix.lstrip("."), filters, replace=force)
    if as_json:
        output.result({"format": done.kind, "events": done.events, "sha256": done.sha256})
    else:
        output.text(f"{done.events} events written to {file}, sha256 {done.sha256}.")


@app.command("explain-clock")
def explain_clock(
    context: typer.Context, reason: Annotated[str, typer.Argument(help="Why the clock was set.")]
) -> None:
    """Say why the computer's clock was set back or jumped; until then nothing is signed."""
    with output.site(context, writable=True) as site:
        _explain(site, reason)


def _explain(site: Site, reason: str) -> None:
    trouble = site.audit.clock_trouble()
    site.audit.explain_clock(reason)
    if trouble is not None:
        output.text(f"Explained: the clock was at {trouble.after} where {trouble.before} was to be expected.")
