"""The commands of `lumen user` for one's own account: password, second factor, accountability, recovery."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from lumen_desktop.app import find_site, recover
from lumen_desktop.cli import credentials, output
from lumen_desktop.errors import InputError
from lumen_desktop.services.accounts import People, accountability_statement
from lumen_desktop.services.sign_in import new_second_factor, second_factor_uri

Yes = Annotated[bool, typer.Option("--yes", help="Agree without being asked, for scripts.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
_NEW_HINT = "Give the old one and the new one as two lines with --password-stdin, or run this in a terminal."


class Switch(StrEnum):
    """On or off."""

    ON = "on"
    OFF = "off"


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command()(password)
    app.command("second-factor")(second_factor)
    app.command()(accept)
    app.command("recover")(let_back_in)


def password(context: typer.Context) -> None:
    """Change your password; with --password-stdin the old one is the first line and the new one the second."""
    chosen: output.Chosen = context.obj
    place = find_site(chosen.data)
    person = credentials.of(place, user=chosen.user, from_stdin=chosen.password_stdin)
    with output.site(context, writable=True, only_named=place, person=person) as site:
        site.people.choose_password(person.password, _new_password(from_stdin=chosen.password_stdin))
    output.text("Your password is changed.")


def second_factor(
    context: typer.Context,
    switch: Annotated[Switch, typer.Argument(help="on or off.")],
    secret: Annotated[
        str, typer.Option("--secret", envvar="LUMEN_NEW_SECRET", help="The one that `on` showed, with --code.")
    ] = "",
    code: Annotated[str, typer.Option("--code", help="The code that your device shows now.")] = "",
    as_json: Json = False,
) -> None:
    """Ask for a one-time code at each of your sign-ins, or no longer."""
    chosen: output.Chosen = context.obj
    if code and not secret:
        raise InputError("A code needs the secret that made it.", code="ACC-024", hint="Give both, or neither.")
    with output.site(context, writable=True) as site:
        if switch is Switch.OFF:
            site.people.drop_second_factor(credentials.password(from_stdin=chosen.password_stdin))
            output.text("Only your password is asked for from now on.")
            return
        if not secret:
            secret = _show_secret(site.people, as_json=as_json)
            if not sys.stdin.isatty():
                output.line("Nothing is changed yet: give the secret and the code it makes now, --secret and --code.")
                return
        code = code or credentials.asked("The code that your device shows now", code="ACC-023", hint="Add --code.")
        site.people.use_second_factor(secret, code)
    output.line("From now on each sign-in asks for a one-time code as well.")


def _show_secret(people: People, *, as_json: bool) -> str:
    secret = new_second_factor()
    uri = second_factor_uri(secret, user=people.me().name, site=people.policy().site)
    if as_json:
        output.result({"secret": secret, "uri": uri})
    else:
        output.text(f"Give your authenticator this secret: {secret}\nor this address: {uri}")
    return secret


def accept(context: typer.Context, yes: Yes = False) -> None:
    """Accept that your electronic signature binds like one on paper; without it you cannot sign."""
    with output.site(context, writable=True) as site:
        if yes:
            output.line(accountability_statement())
        credentials.agree(f"{accountability_statement()}\n\nDo you accept this? Type yes", yes=yes)
        site.people.accept_accountability()
    output.text("Accepted.")


def let_back_in(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="User name of an admin.")],
    as_json: Json = False,
) -> None:
    """Give an admin a new password by the recovery code, which is the first line of standard input or is asked for."""
    chosen: output.Chosen = context.obj
    credentials.refuse_passphrase()
    if chosen.password_stdin:
        code = credentials.line_of_stdin()
    else:
        code = credentials.asked(
            "Recovery code", code="KEY-004", hint="Give it as the first line of standard input with --password-stdin."
        )
    done = recover(find_site(chosen.data), name, code)
    if as_json:
        output.result({"name": done.name, "first_password": done.password, "recovery_code": done.code})
        return
    output.text(f"First password of {done.name}, shown once: {done.password}")
    output.text(f"New recovery code, shown once: {done.code}\nPrint it and lock it away; the one before is void.")


def _new_password(*, from_stdin: bool) -> str:
    if from_stdin:
        return credentials.line_of_stdin()
    words = "New password (a sentence is easiest)"
    return credentials.asked(words, code="KEY-004", hint=_NEW_HINT, hidden=True, twice=True)
