"""A reason that a person gives: said in words that tell something.

Knows nobody and no record. Services ask it wherever the trail requires a why.
"""

import unicodedata

from lumen_desktop.errors import InputError

SHORTEST = 5  # characters
LONGEST = 500
_VACUOUS = frozenset(
    "a aa aaa adjust adjusted admin as asked because change changed changes check checked correct corrected correction "
    "data default done edit edited entry error explanation fix fixed general as_needed n/a na nil no none normal "
    "nothing ok okay other per reason required requested see_above self_explanatory some_reason test testing tbd todo "
    "unknown update updated updates updating various was_wrong wrong xxx yes".split()
)


def checked(reason: str) -> str:
    """A reason, trimmed, as the trail keeps it.

    Raises:
        InputError: there is none (AUD-010), it says nothing, such as "update" (AUD-011), or it is too long (AUD-012).

    Source: 21 CFR 211.160(a), EU Annex 11 section 9: a change states its reason.
    """
    words = " ".join(unicodedata.normalize("NFC", reason).split())
    if not words:
        raise InputError("A reason is needed.", code="AUD-010", hint="Say in a few words why this is done.")
    if _says_nothing(words):
        raise InputError(
            "This reason says nothing.",
            code="AUD-011",
            hint="Say what happened and why this answers it, in a few words that another person understands.",
        )
    if len(words) > LONGEST:
        raise InputError(
            f"The reason is longer than {LONGEST} characters.",
            code="AUD-012",
            hint="Say the main point, and name the record that tells the rest.",
        )
    return words


def _says_nothing(words: str) -> bool:
    plain = words.casefold().strip(" .,;:!?-_\"'()")
    letters = {character for character in plain if character.isalnum()}
    return len(plain) < SHORTEST or len(letters) < 3 or plain.replace(" ", "_") in _VACUOUS  # noqa: PLR2004
