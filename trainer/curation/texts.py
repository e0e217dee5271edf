"""The texts of an example that curation compares, and the words in them.

Knows the app's prompt form only by its two marks, which a test holds against `domain.grounding.build_prompt`.
"""

import re
import unicodedata

from lumen_desktop.domain.grounding import ABSTENTION
from trainer.records import Example

_SOURCES, _QUESTION = "Sources:\n\n", "\n\nQuestion: "
_HEADER = re.compile(r"^\[\d{1,2}\] .*$", re.MULTILINE)
_REFERENCE = re.compile(r"\s?\[\d{1,2}\]")
_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+|[<>≤≥±%]")
_WORD = re.compile(r"[^\W_]+")


def tokens(text: str) -> list[str]:
    """Words and numbers as two texts are compared by them: punctuation and case say nothing, 1.5 is not 15."""
    return _TOKEN.findall(unicodedata.normalize("NFKC", text).casefold())


def bare_words(text: str) -> list[str]:
    """Words and digits with everything between them left out, so that no other punctuation hides a copy."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def grounded(turn: str) -> bool:
    """Whether a user's turn shows numbered sources in the app's form."""
    return turn.startswith(_SOURCES) and _QUESTION in turn


def asked(example: Example) -> str:
    """The question without the sources shown before it."""
    turn = example.question
    return turn.rpartition(_QUESTION)[2] if grounded(turn) else turn


def shown(example: Example) -> str:
    """The sources shown before the question; empty where there are none."""
    turn = example.question
    return turn.rpartition(_QUESTION)[0] if grounded(turn) else ""


def unreferenced(text: str) -> str:
    """An answer without its [1]."""
    return _REFERENCE.sub("", text)


def distinguishing(example: Example) -> str:
    """What tells an example from others: the question and the answer, not the passage that many of them show.

    Where the sources shown do not answer, all answers are the same; there the sources' headings tell them apart.
    """
    text = f"{asked(example)}\n{unreferenced(example.answer)}"
    if example.answerable is False or example.answer == ABSTENTION:
        text += "\n" + "\n".join(_HEADER.findall(shown(example)))
    return text
