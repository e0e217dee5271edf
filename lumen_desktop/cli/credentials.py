"""Who a command runs as: from the terminal, from standard input, or from the environment, and stored nowhere."""

import os
import sys

import typer

from lumen_desktop.app import DEMONSTRATION, SHORTEST_PASSWORD, SitePlace
from lumen_desktop.errors import AccessError, InputError
from lumen_desktop.services.sign_in import Credentials

_PASSWORD_HINT = "Give it on standard input with --password-stdin, set LUMEN_PASSWORD, or run this in a terminal."  # noqa: S105 - words


def of(place: SitePlace, *, user: str | None, from_stdin: bool) -> Credentials:
    """The person who signs in at a site.

    Where none is named, a demonstration takes its pharmacist; a real site never assumes anybody.

    Args:
        place: the site.
        user: the name given with --user, if any.
        from_stdin: whether the password is the first line of standard input.

    Raises:
        AccessError: a name (KEY-007) or password (KEY-004) is needed and nobody can be asked.
        InputError: the passphrase of former versions is set (KEY-005).
    """
    refuse_passphrase()
    name = user or os.environ.get("LUMEN_USER", "")
    if place.demonstration and not name:
        return DEMONSTRATION
    if not name:
        name = asked("User name", code="KEY-007", hint="Name it with --user or LUMEN_USER, or run this in a terminal.")
    if place.demonstration and not from_stdin and "LUMEN_PASSWORD" not in os.environ:
        return Credentials(name, DEMONSTRATION.password)
    return Credentials(name, password(from_stdin=from_stdin), os.environ.get("LUMEN_CODE", ""))


def refuse_passphrase() -> None:
    """Says that passphrases ended, to whoever still sets one.

    Raises:
        InputError: it is set (KEY-005).
    """
    if os.environ.get("LUMEN_PASSPHRASE"):
        raise InputError(
            "LUMEN_PASSPHRASE is set, but sites are opened by people now.",
            code="KEY-005",
            hint="Unset it; give LUMEN_USER, and LUMEN_PASSWORD or --password-stdin. "
            "A site that still has its passphrase: `lumen init` asks for it once more.",
        )


def password(*, from_stdin: bool) -> str:
    """A password that exists.

    Raises:
        AccessError: none was given and nobody can be asked (KEY-004).
    """
    if from_stdin:
        return line_of_stdin()
    if given := os.environ.get("LUMEN_PASSWORD"):
        return given
    return asked("Password", code="KEY-004", hint=_PASSWORD_HINT, hidden=True)


def new_password(*, from_stdin: bool) -> str:
    """A password to be set: from standard input, the environment, or typed twice.

    Raises:
        AccessError: as `password`.
    """
    if from_stdin or os.environ.get("LUMEN_PASSWORD"):
        return password(from_stdin=from_stdin)
    words = f"New password (at least {SHORTEST_PASSWORD} characters; a sentence is easiest)"
    return asked(words, code="KEY-004", hint=_PASSWORD_HINT, hidden=True, twice=True)


def line_of_stdin() -> str:
    """The next line of standard input.

    Raises:
        AccessError: there is none (KEY-004).
    """
    line = sys.stdin.readline()
    if not line.strip("\r\n"):
        raise AccessError("Standard input held no password.", code="KEY-004", hint="Give it there, one per line.")
    return line.rstrip("\r\n")


def asked(words: str, *, code: str, hint: str, hidden: bool = False, twice: bool = False) -> str:
    """What a person types in the terminal.

    Raises:
        AccessError: there is no terminal; with the code and hint given.
    """
    if not sys.stdin.isatty():
        raise AccessError(f"{words.split(' (', maxsplit=1)[0]} is needed.", code=code, hint=hint)
    return str(typer.prompt(words, hide_input=hidden, confirmation_prompt=twice, err=True))


def agree(question: str, *, yes: bool, answer: str = "yes") -> None:
    """Goes on only if the person types the answer, or agreed beforehand.

    Raises:
        AccessError: nobody can be asked (CLI-002).
        InputError: they typed something else (CLI-003).
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise AccessError(
            "This needs your agreement.", code="CLI-002", hint="Run it in a terminal, or agree with --yes."
        )
    typed = str(typer.prompt(question, err=True))
    if typed.strip().casefold() != answer.casefold():
        raise InputError("You did not agree, so nothing was changed.", code="CLI-003", hint=f"Type: {answer}")
