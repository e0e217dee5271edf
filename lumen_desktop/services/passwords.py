"""Which passwords are taken: long ones that are not guessed first. No rule about kinds of characters.

Source: NIST SP 800-63B-4 section 3.1.1.2: 15 characters where a password is the only factor, a list of common
passwords to refuse, no composition rules, no change by the calendar.
"""

import secrets
import unicodedata
from collections.abc import Sequence

from lumen_desktop.errors import InputError

SHORTEST = 15  # characters
LONGEST = 1000
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is read as another
_GROUPS, _GROUP = 5, 4
_READ = 72  # characters that are weighed; more only add
_FEWEST_GUESSES_LOG10 = 10.0  # zxcvbn calls this very unguessable


def given() -> str:
    """A random first password that can be read aloud: five groups, 99 bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))


def check(password: str, about: Sequence[str]) -> None:
    """Refuses a password that is too short or is guessed early.

    Args:
        password: the new one.
        about: words that a stranger would try: names of the person, the site and the program.

    Raises:
        InputError: too short (ACC-010), too long (ACC-011) or easily guessed (ACC-012).
    """
    password = unicodedata.normalize("NFKC", password)  # as it is stretched
    if len(password) < SHORTEST:
        raise InputError(
            f"The password is too short: at least {SHORTEST} characters are needed.",
            code="ACC-010",
            hint="A sentence that you remember is easiest; spaces count.",
        )
    if len(password) > LONGEST:
        raise InputError(
            f"The password has more than {LONGEST:,} characters.", code="ACC-011", hint="Use a shorter one."
        )
    words = [word.casefold() for name in (*about, "lumen") for word in (name, *name.split())]
    from zxcvbn import zxcvbn  # noqa: PLC0415 - its lists take 30 ms that no start should wait for

    found = zxcvbn(password[:_READ], user_inputs=words, max_length=_READ)
    if float(found["guesses_log10"]) < _FEWEST_GUESSES_LOG10:
        raise InputError(
            "The password is easily guessed: it is a common one, a repetition, or made of your own or the site's name.",
            code="ACC-012",
            hint="Use four or more words that have nothing to do with each other.",
        )
