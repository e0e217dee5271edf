"""The texts of an example that curation compares, and the words in them.

Knows the app's two prompt forms, for answers and for drafts, only by their marks; a test holds those against
`domain.grounding.build_prompt`.
"""

import re
import unicodedata

from lumen_desktop.domain.grounding import ABSTENTION
from trainer.records import Example

_SOURCES, _QUESTION, _FACTS = "Sources:\n\n", "\n\nQuestion: ", "\n\nFacts:\n"
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


def instructed(example: Example) -> bool:
    """Whether the example has the app's form: its instruction, then sources or facts, then what is asked."""
    return example.messages[0].role == "system"


def asked(example: Example) -> str:
    """The question, or a draft's facts and what is to be written, without the sources shown before."""
    return _parted(example)[1]


def shown(example: Example) -> str:
    """The sources shown before the question; empty where there are none."""
    return _parted(example)[0]


def _parted(example: Example) -> tuple[str, str]:
    turn = example.question
    if turn.startswith(_SOURCES):
        for mark in (_QUESTION, _FACTS):
            before, found, after = turn.rpartition(mark)
            if found:
                return before, after
    return "", turn


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
