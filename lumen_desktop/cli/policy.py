"""`lumen policy`: what holds for everybody at a site."""

from dataclasses import replace
from typing import Annotated

import typer

from lumen_desktop.cli import credentials, output
from lumen_desktop.services.accounts import People, Policy

_MINUTE_S, _HOUR_S = 60, 3600


def register(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command()(policy)


def policy(
    context: typer.Context,
    *,
    idle_minutes: Annotated[int | None, typer.Option("--idle-minutes", help="Lock after so long, 5 to 15.")] = None,
    longest_hours: Annotated[int | None, typer.Option("--longest-hours", help="Sign in anew after, 1 to 24.")] = None,
    gmp: Annotated[bool, typer.Option("--gmp", help="Make this a GMP site; there is no way back.")] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why, in a few words, for the audit trail.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Agree to --gmp without being asked, for scripts.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Show the site's policy, or change it as an admin."""
    changes = gmp or idle_minutes is not None or longest_hours is not None
    with output.site(context, writable=changes) as site:
        if idle_minutes is not None or longest_hours is not None:
            _set_limits(site.people, idle_minutes, longest_hours, reason=reason)
        if gmp:
            _become_gmp(site.people, reason, yes=yes)
        found = site.people.policy()
    _show(found, as_json=as_json)


def _set_limits(people: People, idle_minutes: int | None, longest_hours: int | None, *, reason: str) -> None:
    limits = people.policy().limits
    if idle_minutes is not None:
        limits = replace(limits, idle_s=idle_minutes * _MINUTE_S)
    if longest_hours is not None:
        limits = replace(limits, longest_s=longest_hours * _HOUR_S)
    people.set_limits(limits, reason)


def _become_gmp(people: People, reason: str, *, yes: bool) -> None:
    name = people.policy().site
    if not yes:
        words = "A GMP site keeps its admins apart from its other duties, and never becomes a clinical site again."
        credentials.agree(f'{words}\nType the site\'s name, "{name}", to go on', yes=False, answer=name)
    people.become_gmp(reason)


def _show(found: Policy, *, as_json: bool) -> None:
    idle_minutes, longest_hours = found.limits.idle_s // _MINUTE_S, found.limits.longest_s // _HOUR_S
    if as_json:
        output.result(
            {
                "site": found.site,
                "profile": found.profile.value,
                "idle_minutes": idle_minutes,
                "longest_hours": longest_hours,
            }
        )
        return
    output.text(f"{found.site}: a {found.profile.words} site")
    output.text(f"Lumen locks after {idle_minutes} minutes without use; a sign-in lasts {longest_hours} hours at most.")
