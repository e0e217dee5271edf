"""Whether an example is worth learning: its form, its length, its words and its numbers.

Numbers and words are held against what the example shows and, where the collected records are at hand, against the
characters it names as its origins. Knows no step before or after it.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal

from lumen_desktop.domain.grounding import ABSTENTION
from lumen_desktop.domain.quantities import Quantity, clauses, quantities
from lumen_desktop.domain.sentences import content_words, sentences
from trainer.curation.settings import Quality
from trainer.curation.texts import asked, instructed, shown, unreferenced
from trainer.licences import LICENCES
from trainer.records import Example, Origin

Lookup = Callable[[Origin], str | None]

_SPACES = re.compile(r"\s+")
_MARK = re.compile(r"[^\w\s]")
_ODD = re.compile(r"[^\w\s.,;:()'\"\-/%|\[\]?!*•–—’“”]")
_HALF_PAIR = re.compile("[\ud800-\udfff]")
_TURN_SHORT = 40  # words under which repetition says nothing


def flaw(example: Example, limits: Quality, lookup: Lookup | None) -> str:
    """Why an example is left out, a short fixed word; empty where it may stay.

    Args:
        example: normalised.
        limits: what it must hold.
        lookup: the text of an origin, None for one that is not there; None where no records are at hand.
    """
    return (
        _form(example)
        or _licence(example)
        or _length(example, limits)
        or _characters(example.answer, limits)
        or _repetition(example.answer, limits)
        or _support(example, limits, lookup)
    )


def checkable(example: Example, limits: Quality, lookup: Lookup | None) -> bool:
    """Whether there is anything to hold the answer against."""
    if example.family in limits.free or example.answer == ABSTENTION:
        return False
    return instructed(example) or bool(shown(example)) or bool(lookup and example.origins)


def _form(example: Example) -> str:
    roles = [message.role for message in example.messages]
    turns = roles[1:] if roles[:1] == ["system"] else roles
    paired = len(turns) % 2 == 0 and turns == ["user", "assistant"] * (len(turns) // 2)
    if not turns or not paired:
        return "turns"
    return "" if all(message.content.strip() for message in example.messages) else "empty"


def _licence(example: Example) -> str:
    """Whether what the example says of its use agrees with its licences."""
    if not all(licence in LICENCES for licence in example.licences):
        return "licence-unknown"
    allowed = all(LICENCES[licence].commercial for licence in example.licences)
    return "licence-conflict" if example.commercial and not allowed else ""


def _length(example: Example, limits: Quality) -> str:
    least, most = limits.answer_words
    count = len(example.answer.split())
    if count < least:
        return "answer-short"
    if count > most or sum(len(message.content) for message in example.messages) > limits.most_characters:
        return "long"
    return ""


def _characters(answer: str, limits: Quality) -> str:
    if "\ufffd" in answer or _HALF_PAIR.search(answer):
        return "damaged"
    odd, marks = len(_ODD.findall(answer)), len(_MARK.findall(answer))
    return "symbols" if odd > limits.symbols * len(answer) or marks > 2 * limits.symbols * len(answer) else ""


def _repetition(answer: str, limits: Quality) -> str:
    words = answer.casefold().split()
    if any(
        a == b == c == d and a.isalpha() for a, b, c, d in zip(words, words[1:], words[2:], words[3:], strict=False)
    ):
        return "repetition"
    if len(words) < _TURN_SHORT:
        return ""
    triples = Counter(zip(words, words[1:], words[2:], strict=False))
    again = sum(triples.values()) - len(triples)
    return "repetition" if again > limits.repeated * sum(triples.values()) else ""


def _support(example: Example, limits: Quality, lookup: Lookup | None) -> str:
    """Whether the answer's words and numbers stand in its origins, in what it shows or in the question."""
    if not checkable(example, limits, lookup):
        return ""
    slices = [lookup(origin) for origin in example.origins] if lookup else []
    if any(text is None for text in slices):
        return "origin-missing"
    evidence = "\n".join([*(text for text in slices if text), shown(example)])
    flat = _SPACES.sub(" ", evidence)
    own = [s for s in _sentences(unreferenced(example.answer)) if s not in flat]
    if not own:
        return ""
    text = " ".join(own)
    return _numbers(text, f"{flat}\n{asked(example)}") or _words(text, example, flat, limits)


def _sentences(answer: str) -> Iterator[str]:
    """The answer's sentences on one line each; what is copied whole needs no look at its numbers."""
    for sentence in sentences(answer):
        yield _SPACES.sub(" ", sentence.text).strip()


def _words(own: str, example: Example, evidence: str, limits: Quality) -> str:
    said = content_words(unreferenced(example.answer))
    there = {*content_words(evidence), *content_words(asked(example))}
    strange = sum(word not in there for word in content_words(own))
    return "not-in-span" if said and strange > (1 - limits.in_span) * len(said) else ""


def _numbers(own: str, evidence: str) -> str:
    stated = quantities(own)
    if stated:
        there = quantities(evidence)
        values = {quantity.value for quantity in there}
        if any(_strange(quantity, there, values) for quantity in stated):
            return "number"
    return "clause" if clauses(own) - clauses(evidence) else ""


def _strange(quantity: Quantity, there: frozenset[Quantity], values: set[Decimal]) -> bool:
    return quantity not in there and (bool(quantity.unit) or quantity.value not in values)
