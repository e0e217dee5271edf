"""A key's passphrase: typed at the terminal, unseen, or the first line of standard input; kept nowhere."""

import sys

import typer

from lumen_desktop.errors import AccessError
from trainer.keys import SHORTEST_PASSPHRASE

_LONGEST = 1024


def given(*, from_stdin: bool) -> str:
    """The passphrase of a key that exists.

    Raises:
        AccessError: none was given, and nobody can be asked (TRN-114).
    """
    return _line() if from_stdin else _asked("Passphrase of the key", twice=False)


def new(*, from_stdin: bool) -> str:
    """A passphrase for a new key; at the terminal it is typed twice.

    Raises:
        AccessError: as `given`.
    """
    words = f"New passphrase (at least {SHORTEST_PASSPHRASE} characters; a sentence is easiest)"
    return _line() if from_stdin else _asked(words, twice=True)


def _line() -> str:
    line = sys.stdin.readline(_LONGEST + 1).rstrip("\r\n")
    if not line or len(line) > _LONGEST:
        raise _none()
    return line


def _asked(words: str, *, twice: bool) -> str:
    if not sys.stdin.isatty():
        raise _none()
    typed: str = typer.prompt(words, hide_input=True, confirmation_prompt=twice, err=True)
    return typed


def _none() -> AccessError:
    return AccessError(
        "No passphrase was given.",
        code="TRN-114",
        hint="Run this in a terminal, or give it as one line on standard input with --password-stdin.",
    )
