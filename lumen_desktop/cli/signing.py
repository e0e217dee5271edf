"""Signing at the terminal: what is signed is shown with its digest, then name and password are asked for.

`lumen library release|withdraw|record`, `lumen audit review|reviews` and `lumen user sign-review` are made of it. On a
real site name and password come from the terminal, or with ``--password-stdin`` from the next two lines of standard
input; neither the environment nor being signed in counts. Source: 21 CFR 11.200(a)(1).
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from lumen_desktop.app import DEMONSTRATION, Site
from lumen_desktop.cli import credentials, output
from lumen_desktop.domain.accounts import Role
from lumen_desktop.domain.signing import Kind, Meaning
from lumen_desktop.errors import InputError
from lumen_desktop.services.signing import Record, Signature, Wish, status

Document = Annotated[int, typer.Argument(help="The document's number in `library list`.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for a rejection or a withdrawal.")]
Finding = Annotated[str, typer.Option("--finding", help="What you found, in your words; it is part of what is signed.")]
Out = Annotated[Path | None, typer.Option("--out", help="Also write it as PDF to this new file.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
_HINT = "Run this in a terminal, or give user name and password as the next two lines with --password-stdin."


def register(library: typer.Typer, audit: typer.Typer, user: typer.Typer) -> None:
    """Adds the commands to those of their nouns."""
    library.command()(release)
    library.command()(withdraw)
    library.command("record")(release_record)
    audit.command()(review)
    audit.command()(reviews)
    user.command("sign-review")(review_access)


def release(
    context: typer.Context,
    document: Document,
    reject: Annotated[bool, typer.Option("--reject", help="Sign its rejection instead, with --reason.")] = False,
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Sign the next step of a document's release: reviewed by one, then approved by another, it is in use."""
    with output.site(context, writable=True) as site:
        record = site.releases.record(document)
        meaning = Meaning.REJECTED if reject else _next(site, record)
        _signed(context, site, record, site.releases.sign, meaning=meaning, reason=reason, as_json=as_json)


def withdraw(context: typer.Context, document: Document, reason: Reason = "", as_json: Json = False) -> None:
    """Sign that a document is taken out of use; answers that quoted it keep their quotes."""
    with output.site(context, writable=True) as site:
        record = site.releases.record(document)
        _signed(context, site, record, site.releases.sign, meaning=Meaning.WITHDRAWN, reason=reason, as_json=as_json)


def release_record(context: typer.Context, document: Document, out: Out = None, as_json: Json = False) -> None:
    """Show a document's release record with every signature on it."""
    with output.site(context, writable=out is not None) as site:
        _show(site, site.releases.record(document), out, as_json=as_json)


def review(
    context: typer.Context,
    finding: Finding,
    first: Annotated[int, typer.Option("--from", min=0, help="First event; 0 goes on after the last review.")] = 0,
    last: Annotated[int, typer.Option("--to", min=0, help="Last event; 0 takes the newest.")] = 0,
    as_json: Json = False,
) -> None:
    """Sign that you reviewed the audit trail; your own events are left to another reviewer."""
    with output.site(context, writable=True) as site:
        record = site.reviews.of_trail(finding, first=first or None, last=last or None)
        _signed(context, site, record, site.reviews.sign, meaning=Meaning.REVIEWED, reason="", as_json=as_json)


def reviews(
    context: typer.Context,
    number: Annotated[int, typer.Argument(help="Of a review, to read it whole; 0 lists all.")] = 0,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """List the signed reviews of the audit trail, or show one of them."""
    with output.site(context, writable=out is not None) as site:
        if number:
            _show(site, site.reviews.record(Kind.AUDIT_REVIEW, number), out, as_json=as_json)
            return
        done = site.reviews.of_the_trail()
    if as_json:
        said = [{"number": it.number, "first": it.first, "last": it.last, "reviewer": it.reviewer} for it in done]
        output.result(said)
        return
    for it in done:
        output.text(f"{it.number:>4}  events {it.first} to {it.last}  by {it.reviewer}, {it.time_utc:%Y-%m-%d %H:%M}Z")
    if not done:
        output.text("The audit trail was never reviewed. `lumen audit review --finding WORDS` signs a review.")


def review_access(context: typer.Context, finding: Finding, as_json: Json = False) -> None:
    """Sign that you reviewed who has access; `lumen user review` shows it before."""
    with output.site(context, writable=True) as site:
        record = site.reviews.of_access(finding)
        _signed(context, site, record, site.reviews.sign, meaning=Meaning.REVIEWED, reason="", as_json=as_json)


def _next(site: Site, record: Record) -> Meaning:
    """The next step that is no rejection; where there is none, what stands for it is refused by the service."""
    steps = [step.meaning for step in site.signing.steps(record) if step.meaning is not Meaning.WITHDRAWN]
    return steps[0] if steps else Meaning.APPROVED


def _signed(
    context: typer.Context, site: Site, record: Record, sign: Callable[[Record, Wish], Signature], *, meaning: Meaning,
    reason: str, as_json: bool,
) -> None:  # fmt: skip
    site.signing.check(record, meaning, reason)
    for name, value in record.content.items():
        output.line(f"  {name.replace('_', ' '):<18} {_plain(value)}")
    output.line(f"  digest             {record.sha256}")
    output.line(f"You sign as {meaning}: “{meaning.statement}”")
    user, password = _components(context, site)
    signature = sign(record, Wish(meaning, record.sha256, user, password, reason))
    if as_json:
        output.result(_as_json(signature))
        return
    output.text(_line(signature))


def _components(context: typer.Context, site: Site) -> tuple[str, str]:
    """User name and password, given for this signature. Source: 21 CFR 11.200(a)(1)."""
    chosen: output.Chosen = context.obj
    if chosen.password_stdin:
        return credentials.line_of_stdin(), credentials.line_of_stdin()
    if site.place.demonstration and not sys.stdin.isatty():
        return site.person.user.name, os.environ.get("LUMEN_PASSWORD", DEMONSTRATION.password)
    user = credentials.asked("Sign as (user name)", code="SIG-005", hint=_HINT)
    return user, credentials.asked("Password for this signature", code="SIG-005", hint=_HINT, hidden=True)


def _show(site: Site, record: Record, out: Path | None, *, as_json: bool) -> None:
    given = site.signing.on(record)
    if out is not None:
        _write(out, site.signing.printed(record))
    if as_json:
        signatures = [_as_json(one) for one in given]
        content = {"content": record.content, "sha256": record.sha256, "status": status(record, given)}
        output.result({**content, "signatures": signatures})
        return
    output.text(f"{record.title}\n{status(record, given)}\n")
    for name, value in record.content.items():
        output.text(f"  {name.replace('_', ' '):<18} {_plain(value)}")
    output.text(f"  digest             {record.sha256}\n")
    for one in given:
        output.text(_line(one))


def _write(path: Path, content: bytes) -> None:
    try:
        with path.open("xb") as file:
            file.write(content)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror}).", code="SIG-012", hint="Name a new file with --out."
        ) from None


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _line(signature: Signature) -> str:
    said = signature.statement
    who = f"{said.printed_name} ({said.user_name}, {Role(said.role).words})"
    words = f"{said.meaning.capitalize()} by {who} at {said.time_utc:%Y-%m-%d %H:%M:%S}Z"
    words += f"; {said.reason}" if said.reason else ""
    return f"S-{signature.id:06}  {words}" + (f"\n  DOES NOT HOLD: {signature.flaw}" if signature.flaw else "")


def _as_json(signature: Signature) -> dict[str, Any]:
    return {"id": signature.id, **signature.statement.fields(), "flaw": signature.flaw}
