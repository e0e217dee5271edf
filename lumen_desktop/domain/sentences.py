"""Sentences of a text and the words in them: what is quoted, and what two texts share.

Splits without changing a character, so that a sentence is always a verbatim slice.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

_ABBREVIATIONS = frozenset(
    "e.g i.e etc vs al no nos fig figs eq sec approx dr mr mrs ms prof inc ltd co corp st jr sr cf ca pp p vol ed eds"
    " para art resp max min temp dept ref refs suppl tab q.s b.i.d t.i.d q.i.d p.o i.v i.m s.c u.s".split()
)
_END = re.compile(r"[.!?][\"'”’)\]]*[⁰¹²³⁴-⁹]*(?=\s)|\n(?=\s*(?:[-•*–]|\(?[a-z0-9]{1,3}[.)]\s))|(?<=[:;])\n")
_WORD = re.compile(r"[a-zµ0-9]+(?:[.,/'’-][a-zµ0-9]+)*", re.IGNORECASE)
_LEAD = re.compile(r"\s*(?:[-•*–▪●◦]\s+)?")
_LARGEST_SENTENCE_CHARACTERS = 600

STOP_WORDS = frozenset(
    "a about above after again all also am an and any are as at be because been before being below between both but "
    "by can could did do does doing done down during each either else ever every few for from further get give given "
    "had has have having he her here hers him his how i if in into is it its itself just know like may me might more "
    "most much must my myself need no nor not now of off on once one only or other our ours out over own per please "
    "same shall she should so some such tell than that the their theirs them then there these they this those through "
    "to too under until up upon us use used using very want was we were what when where whether which while who whom "
    "whose why will with within without would yes you your yours".split()
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A verbatim slice ``text`` of a longer text, from ``start`` to ``end``."""

    text: str
    start: int
    end: int


def sentences(text: str) -> Iterator[Sentence]:
    """Cuts a text into sentences; a bullet or numbered item is one of its own.

    A full stop after an abbreviation, a single letter or inside a number ends nothing.
    """
    start = 0
    for match in _END.finditer(text):
        if text[match.start()] == "." and not _ends(text, start, match.start()):
            continue
        yield from _trimmed(text, start, match.end())
        start = match.end()
    yield from _trimmed(text, start, len(text))


def markdown_sentences(text: str) -> Iterator[Sentence]:
    """Cuts a model's Markdown into sentences; a heading, a table's row and a paragraph each end one.

    A line break alone ends none, or a number could be parted from its unit.
    """
    start = 0
    for end in [*(match.end() for match in _ROW_END.finditer(text)), len(text)]:
        yield from (Sentence(s.text, start + s.start, start + s.end) for s in sentences(text[start:end]))
        start = end


_ROW_END = re.compile(r"\n(?=[ \t]*[|#\n])|(?<=\|)[ \t]*\n|(?m:^[ \t]*#[^\n]*\n)")


def _ends(text: str, start: int, stop: int) -> bool:
    before = text[start:stop].rsplit(None, 1)
    last = before[-1].lstrip("(\"'“[").lower() if before else ""
    if last in _ABBREVIATIONS or (len(last) == 1 and last.isalpha()):
        return False
    return not (last.isdigit() and len(before) == 1)  # "1." opens an item


def _trimmed(text: str, start: int, end: int) -> Iterator[Sentence]:
    """The slice without white space around it and without a bullet before it, cut where it is very long."""
    start = _LEAD.match(text, start, end).end()  # type: ignore[union-attr]  # it matches the empty string too
    while end > start and text[end - 1].isspace():
        end -= 1
    while end - start > _LARGEST_SENTENCE_CHARACTERS:
        cut = text.rfind(" ", start, start + _LARGEST_SENTENCE_CHARACTERS)
        cut = cut if cut > start else start + _LARGEST_SENTENCE_CHARACTERS
        yield Sentence(text[start:cut], start, cut)
        start = cut + (text[cut : cut + 1] == " ")
    if end > start:
        yield Sentence(text[start:end], start, end)


def words(text: str) -> list[str]:
    """Words and numbers of a text in lower case, in order."""
    return [match.group().lower() for match in _WORD.finditer(text)]


def content_words(text: str) -> list[str]:
    """Words that carry meaning: stop words dropped, a plural or verb ending cut so that forms meet."""
    return [stem(word) for word in words(text) if word not in STOP_WORDS]


def stem(word: str) -> str:
    """The word without a common English ending; numbers and short words stay as they are."""
    if word[-1].isdigit():
        return word
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:  # noqa: PLR2004 - three letters are a word's core
            return word[: len(word) - len(ending)] + instead
    return word


_ENDINGS = (
    ("ations", "at"), ("ation", "at"), ("ities", ""), ("ity", ""), ("ings", ""), ("ing", ""), ("ies", "y"),
    ("ied", "y"), ("sses", "ss"), ("ss", "ss"), ("es", ""), ("ed", ""), ("ly", ""), ("s", ""), ("e", ""),
)  # fmt: skip


def coverage(question: Iterable[str], text: Iterable[str], weights: Mapping[str, float]) -> float:
    """Share of a question's weight whose words stand in a text, 0 to 1.

    Args:
        question: content words of the question.
        text: content words of the text.
        weights: how rare each word is (`inverse_frequencies`); a missing one is as rare as can be.
    """
    rarest = max(weights.values(), default=1.0)
    present = set(text)
    asked = set(question)
    total = sum(weights.get(word, rarest) for word in asked)
    found = sum(weights.get(word, rarest) for word in asked if word in present)
    return found / total if total else 0.0


def inverse_frequencies(having: Mapping[str, int], texts: int) -> dict[str, float]:
    """How rare each word is: ln(1 + texts / texts with it); one that no text has is as rare as one that one has.

    Source: Sparck Jones 1972, smoothed so that it is never negative.
    """
    return {word: math.log(1 + texts / max(1, n)) for word, n in having.items()}
