"""Unicode and white space of an example brought to one form; never a number, never a unit.

What the user says under the app's instruction stays as it is: there the bytes are the app's own.
"""

import re
import unicodedata
from dataclasses import replace

from lumen_desktop.domain.library import normalised
from trainer.curation.texts import instructed
from trainer.records import Example, Message

_PARAGRAPH = re.compile(r"\n[^\S\n]*\n\s*")
_EXACT = frozenset("\u212a\u212b\u2126")  # Kelvin, Ångström and Ohm signs, which composing would turn into letters


def tidy(text: str) -> str:
    """Composed characters (NFC), one space between words, one empty line between paragraphs."""
    composed = text if _EXACT & set(text) else unicodedata.normalize("NFC", text)
    return "\n\n".join(part for part in map(normalised, _PARAGRAPH.split(composed)) if part)


def normalise(example: Example) -> Example:
    """The example with its turns tidied; the same object where nothing changes."""
    ours = {"system", "user"} if example.messages and instructed(example) else {"system"}
    messages = tuple(m if m.role in ours else Message(m.role, tidy(m.content)) for m in example.messages)
    return example if messages == example.messages else replace(example, messages=messages)
