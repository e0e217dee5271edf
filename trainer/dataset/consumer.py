"""Health questions of the public with their answers, asked over the answer's page or by themselves."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lumen_desktop.domain.sentences import content_words
from trainer.dataset.chance import Chance
from trainer.dataset.shown import Asked, Part, Said, abstaining, grounded, holding, made, parts
from trainer.dataset.statements import Statement, statements
from trainer.dataset.wordings import wording
from trainer.records import Example, Message, Record

_MOST_WORDS = 110  # of an answer
_MOST_STATEMENTS = 4
_GAP_CHARACTERS = 3  # statements of one answer follow each other
_ALONE = 0.35  # asked without a passage: what is known by heart
_OPENING_WORDS = 9
_ABSENT = 0.08


def examples(document: Sequence[Record], seed: int) -> Iterator[Example]:
    """A question of each answer, and for some one that the page does not answer."""
    for record in document:
        said = wording("consumer")
        chance = Chance(seed, record.id)
        ask = said["ask"].get(str(record.facts.get("qtype", "")))
        focus = _focus(record)
        if not ask or not focus:
            continue
        n = chance.number("wording", len(ask))
        asked = Asked("consumer", f"{record.facts['qtype']}-{n + 1}".replace(" ", "-"), _question(ask[n], focus))
        answer = _answer(record, said)
        if answer:
            yield from _asked(asked, answer, chance)
        if chance.happens("absent", _ABSENT):
            yield from _absent(record, focus, chance)


def _focus(record: Record) -> str:
    """The disease as a question names it; empty where it is a page's headline."""
    focus = re.sub(r"\s*\((?:also known as[^)]*|[A-Z]{2,6})\)", "", str(record.facts.get("focus", ""))).strip()
    headline = re.search(r"[:?!]|\b(?:your|you|what|how)\b", focus, re.IGNORECASE) or len(focus.split()) > 8  # noqa: PLR2004
    return "" if headline else _lowered(focus)


def _question(ask: str, focus: str) -> str:
    """The question; of several things it asks in the plural."""
    question = ask.format(focus=focus)
    if not _MANY.search(focus):
        return question
    for one, many in (
        ("What is", "What are"),
        ("Is ", "Are "),
        ("How is", "How are"),
        ("How common is", "How common are"),
    ):
        if question.startswith(one):
            return many + question.removeprefix(one)
    return re.sub(rf"\b(?:is|was)\b(?= {re.escape(focus)})|(?<={re.escape(focus)} )(?:is|has)\b", "are", question)


_MANY = re.compile(
    r"(?:problem|disorder|tumor|cancer|injur(?:ie)|stone|adhesion|defect|condition|fracture|seizure|headache|drug|medicine|"
    r"infection|polyp|wart|cyst|burn|allerg(?:ie)|clot|vaccine|hormone|steroid|test|transplant|worm|tic|mite|attack)s$",
    re.IGNORECASE,
)


def _lowered(focus: str) -> str:
    """Common nouns in lower case, names and abbreviations as they are."""
    first, *rest = focus.split(" ")
    named = not first[1:].islower() or bool(re.search(r"['’]s?$", first)) or any(word[:1].isupper() for word in rest)
    return focus if named else " ".join([first.lower(), *rest])


def _answer(record: Record, said: Mapping[str, Any]) -> Said | None:
    """The first statements that say something to the question and stand side by side."""
    if re.search(said["hollow"], record.text):
        return None
    begin = re.match(r"Summary\s*:\s*", record.text)
    found = [
        one
        for one in statements(record.text, begin.end() if begin else 0)
        if not re.search(said["never"], one.text, re.IGNORECASE)
    ]
    chosen: list[Statement] = []
    count = 0
    for one in found[:_MOST_STATEMENTS]:
        count += len(one.text.split())
        beside = not chosen or one.start - chosen[-1].end <= _GAP_CHARACTERS
        if not beside or (chosen and count > _MOST_WORDS):
            break
        chosen.append(one)
    text = Said(record, tuple(chosen)).text
    kind = str(record.facts["qtype"])
    named = _names(record, _opening(chosen[0].text) if chosen and kind == "information" else text)
    concerns = chosen and named and re.search(said["says"].get(kind, "."), text, re.IGNORECASE)
    return Said(record, tuple(chosen)) if concerns else None


def _opening(text: str) -> str:
    """The words that a definition begins with."""
    return " ".join(text.split()[:_OPENING_WORDS])


def _names(record: Record, text: str) -> bool:
    """Whether a word of the disease's name stands in the words, or they speak of "this condition"."""
    own = {word[:6] for word in content_words(str(record.facts["focus"]))}
    there = {word[:6] for word in content_words(text)}
    return bool(own & there) or text.startswith(("This condition", "The cause"))


def _asked(asked: Asked, answer: Said, chance: Chance) -> Iterator[Example]:
    shown = [part for part in parts(answer.record) if holding(answer, [part])]
    if shown and not chance.happens("alone", _ALONE):
        yield grounded(asked, shown, answer)
    else:
        words = re.sub(r" \[1\](?=[.\n]|$)", "", answer.quoted(1))
        turns = [Message("user", asked.question), Message("assistant", words)]
        yield made(
            Asked(asked.family, f"{asked.template}-alone", asked.question), turns, answer.origins, [answer.record]
        )


def _absent(record: Record, focus: str, chance: Chance) -> Iterator[Example]:
    """A question of another type on the same disease, where the page says nothing that comes near it."""
    said = wording("consumer")
    page: Part = parts(record)[0]
    silent = [kind for kind, pattern in sorted(said["mentions"].items())
              if kind != record.facts.get("qtype") and not re.search(pattern, page.text, re.IGNORECASE)]  # fmt: skip
    if silent:
        kind = chance.one("other type", silent)
        ask = said["ask"][kind]
        n = chance.number("other wording", len(ask))
        yield abstaining(Asked("consumer", f"{kind}-{n + 1}".replace(" ", "-"), _question(ask[n], focus)), [page])
