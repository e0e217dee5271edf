"""Which words of a value changed: two texts against each other, word by word. Knows no widget and no event."""

import json
import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_MOST = 3000  # words; the comparison of longer ones would take seconds


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of text, and whether the other side lacks it."""

    text: str
    changed: bool


def said(value: Any) -> str:
    """A stored value as people read it."""
    if value is None or value == "":
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def compared(before: str, after: str) -> tuple[list[Part], list[Part]]:
    """Both texts in parts, those that differ marked; texts that share nothing, or are very long, differ as a whole."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    if max(len(old), len(new)) > _MOST:
        return [Part(before, changed=True)], [Part(after, changed=True)]
    left: list[Part] = []
    right: list[Part] = []
    for what, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        for side, words in ((left, old[i:j]), (right, new[k:m])):
            if words:
                side.append(Part("".join(words), changed=what != "equal"))
    return left, right
