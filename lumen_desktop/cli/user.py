"""`lumen user`: the people of a site at the hands of its admins and reviewers; `account` adds what is one's own."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from lumen_desktop import app as composition
from lumen_desktop.cli import account, output
from lumen_desktop.domain.accounts import NEVER, Role
from lumen_desktop.domain.permissions import TABLE, Reach
from lumen_desktop.errors import InputError
from lumen_desktop.services import passwords
from lumen_desktop.services.accounts import NewPerson, People, RefusedSignIn, Standing

app = typer.Typer(help="The people of a site, and your own account.", no_args_is_help=True)
account.register(app)

REVIEWED_DAYS = 90
_REACH = {Reach.NONE: "-", Reach.OWN: "own", Reach.ANY: "all"}

Name = Annotated[str, typer.Argument(help="User name.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, in a few words, for the audit trail.")]
Roles = Annotated[
    list[str] | None, typer.Option("--role", help="clinician, qa-officer, qa-approver or admin; once for each duty.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command("list")
def list_people(context: typer.Context, as_json: Json = False) -> None:
    """Show all people: who they are, what they may do, how their account stands, when they last signed in."""
    with output.site(context, writable=False) as site:
        people = site.people.list()
    if as_json:
        output.result([_as_document(it) for it in people])
        return
    for line in _lines(people):
        output.text(line)


@app.command()
def review(context: typer.Context, as_json: Json = False) -> None:
    """Show for an access review: all people, and the sign-ins refused in the last 90 days."""
    now = composition.now()
    with output.site(context, writable=False) as site:
        refused = site.people.refused_sign_ins(now - timedelta(days=REVIEWED_DAYS))
        people, policy, reviewer = site.people.list(), site.people.policy(), site.people.me()
    if as_json:
        output.result(
            {
                "site": policy.site,
                "profile": policy.profile.value,
                "time_utc": now.isoformat(),
                "reviewer": reviewer.name,
                "people": [_as_document(it) for it in people],
                "refused_sign_ins": [{**asdict(it), "time_utc": it.time_utc.isoformat()} for it in refused],
            }
        )
        return
    output.text(f"Access at {policy.site} ({policy.profile.words}), {_time(now)}, for {reviewer.printed_name}\n")
    for line in [*_lines(people), "", *_refused(refused)]:
        output.text(line)


@app.command()
def add(
    context: typer.Context,
    name: Name,
    printed_name: Annotated[str, typer.Option("--printed-name", help="As it stands under a signature.")],
    role: Roles = None,
    as_json: Json = False,
) -> None:
    """Add a person; their first password is shown once, and they change it when they first sign in."""
    password = passwords.given()
    with output.site(context, writable=True) as site:
        user = site.people.add(NewPerson(name, printed_name, _roles(role)), password)
    _hand_over(user.name, password, as_json=as_json)


@app.command()
def roles(context: typer.Context, name: Name, reason: Reason, role: Roles = None) -> None:
    """Give a person these duties in place of those they had."""
    wanted = _roles(role)
    _done(context, lambda people: people.set_roles(name, wanted, reason), f"Changed: {_words(wanted)}.")


@app.command()
def deactivate(context: typer.Context, name: Name, reason: Reason) -> None:
    """End a person's access; their name and what they did stay on record."""
    done = f"Deactivated. `lumen user reset {name}` lets them back in."
    _done(context, lambda people: people.deactivate(name, reason), done)


@app.command()
def unlock(context: typer.Context, name: Name, reason: Reason) -> None:
    """Let a person try again whose account is locked after wrong passwords."""
    _done(context, lambda people: people.unlock(name, reason), "Unlocked.")


@app.command()
def reset(context: typer.Context, name: Name, reason: Reason, as_json: Json = False) -> None:
    """Give a person a new first password, shown once; also lets one back who was deactivated."""
    password = passwords.given()
    with output.site(context, writable=True) as site:
        site.people.reset(name, password, reason)
    _hand_over(name, password, as_json=as_json)


@app.command()
def identity(
    context: typer.Context,
    name: Name,
    how: Annotated[str, typer.Option("--how", help="How you made sure, such as: passport seen.")],
) -> None:
    """Record that you made sure who a person is; without it they cannot sign."""
    _done(context, lambda people: people.check_identity(name, how), "Recorded.")


@app.command()
def duties(context: typer.Context, as_json: Json = False) -> None:
    """Show which duty allows which act at this site."""
    with output.site(context, writable=False) as site:
        profile = site.people.policy().profile
    table = TABLE[profile]
    if as_json:
        rows = {act.value: {role.value: _REACH[cell] for role, cell in row.items()} for act, row in table.items()}
        output.result({"profile": profile.value, "acts": rows})
        return
    widest = max(len(act.value) for act in table)
    output.text(f"Duties at a {profile.words} site; own: only what is one's own, all: anybody's.\n")
    output.text(" ".join([" " * widest, *(f"{role.words:<11}" for role in Role)]).rstrip())
    for act, row in table.items():
        output.text(" ".join([f"{act.value:<{widest}}", *(f"{_REACH[row[role]]:<11}" for role in Role)]).rstrip())


def _done(context: typer.Context, act: Callable[[People], None], words: str) -> None:
    with output.site(context, writable=True) as site:
        act(site.people)
    output.text(words)


def _hand_over(name: str, password: str, *, as_json: bool) -> None:
    if as_json:
        output.result({"name": name, "first_password": password})
        return
    output.text(f"First password of {name}, shown once: {password}")
    output.text("Tell it to nobody else; the first sign-in asks for another: lumen user password")


def _roles(given: Sequence[str] | None) -> frozenset[Role]:
    """Duties by the names that people type.

    Raises:
        InputError: there is none of a name (ACC-043).
    """
    try:
        return frozenset(Role(word.strip().casefold().replace("-", "_").replace(" ", "_")) for word in given or ())
    except ValueError:
        names = ", ".join(role.value.replace("_", "-") for role in Role)
        raise InputError("There is no duty of that name.", code="ACC-043", hint=f"There are: {names}.") from None


def _lines(people: Sequence[Standing]) -> list[str]:
    cells = [
        (it.user.name, it.user.printed_name, _words(it.user.roles), _state(it), _last(it.last_signed_in_utc))
        for it in people
    ]
    widths = [max(len(row[column]) for row in cells) for column in range(4)]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, [*widths, 0], strict=True)) for row in cells]


def _state(it: Standing) -> str:
    """How an account stands, in words; the first that keeps the person out is said."""
    if not it.user.active:
        return "deactivated"
    if it.locked_until_utc == NEVER:
        return "locked until unlocked"
    if it.locked_until_utc is not None:
        return f"locked until {_time(it.locked_until_utc)}"
    wrong = f", {it.lockout.failures} wrong passwords since" if it.lockout.failures else ""
    return ("must choose a password" if it.user.must_choose_password else "active") + wrong


def _refused(refused: Sequence[RefusedSignIn]) -> list[str]:
    if not refused:
        return [f"No sign-in was refused in the last {REVIEWED_DAYS} days."]
    heading = f"Sign-ins refused in the last {REVIEWED_DAYS} days: {len(refused)}"
    return [heading, *(f"{_time(it.time_utc)}  {it.code}  {it.name}" for it in refused)]


def _words(roles: frozenset[Role]) -> str:
    return ", ".join(role.words for role in Role if role in roles) or "no duty"


def _last(time: datetime | None) -> str:
    return f"last signed in {_time(time)}" if time else "never signed in"


def _time(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M}Z"


def _as_document(it: Standing) -> dict[str, Any]:
    user = it.user
    return {
        "name": user.name,
        "printed_name": user.printed_name,
        "roles": sorted(user.roles),
        "state": _state(it),
        "active": user.active,
        "must_choose_password": user.must_choose_password,
        "second_factor": user.second_factor,
        "wrong_passwords_since": it.lockout.failures,
        "locked_until_utc": _iso(it.locked_until_utc),
        "last_signed_in_utc": _iso(it.last_signed_in_utc),
        "created_utc": _iso(user.created_utc),
        "identity_checked": user.identity_checked,
        "accountable_utc": _iso(user.accountable_utc),
        "may_ever_sign": user.may_ever_sign,
    }


def _iso(time: datetime | None) -> str | None:
    return time.isoformat() if time else None
