"""Unicode and white space of an example brought to one form; never a number, never a unit.

Turns that show sources in the app's form stay as they are: there the bytes are the app's own.
"""

import re
import unicodedata
from dataclasses import replace

from lumen_desktop.domain.library import normalised
from trainer.curation.texts import grounded
from trainer.records import Example, Message

_PARAGRAPH = re.compile(r"\n[^\S\n]*\n\s*")
_EXACT = frozenset("\u212a\u212b\u2126")  # Kelvin, Ångström and Ohm signs, which composing would turn into letters


def tidy(text: str) -> str:
    """Composed characters (NFC), one space between words, one empty line between paragraphs."""
    composed = text if _EXACT & set(text) else unicodedata.normalize("NFC", text)
    return "\n\n".join(part for part in map(normalised, _PARAGRAPH.split(composed)) if part)


def normalise(example: Example) -> Example:
    """The example with its turns tidied; the same object where nothing changes."""
    messages = tuple(_turn(message) for message in example.messages)
    return example if messages == example.messages else replace(example, messages=messages)


def _turn(message: Message) -> Message:
    if message.role == "system" or grounded(message.content):
        return message
    return Message(message.role, tidy(message.content))
