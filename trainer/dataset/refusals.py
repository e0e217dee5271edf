"""Requests that are refused, each with what is offered instead, and look-alikes that are answered from the label.

A refused request names the medicine, or the subject, of a real document and is asked with and without its passages: a
source beside it does not make it acceptable.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from trainer.dataset.chance import Chance
from trainer.dataset.shown import Asked, Said, grounded, holding, made, parts, prompt, within
from trainer.dataset.statements import statements
from trainer.dataset.subject import name_of
from trainer.dataset.wordings import wording
from trainer.records import Example, Message, Origin, Record

_BESIDE_SOURCES = 0.5


def examples(document: Sequence[Record], seed: int) -> Iterator[Example]:
    """One refusal of each document, and one look-alike where it answers it."""
    chance = Chance(seed, f"{document[0].doc_id} refusal")
    medicine = document[0].kind in {"label", "leaflet"}
    name = name_of(document) if medicine else ""
    if medicine and not name:
        return
    said = wording("refusals")["medicine" if medicine else "quality"]
    yield _refused(document, said["refused"], name, chance)
    if medicine:
        yield from _alike(document, said["alike"], name, chance)


def _refused(document: Sequence[Record], kinds: Sequence[dict[str, list[str]]], name: str, chance: Chance) -> Example:
    number = chance.number("kind", len(kinds))
    kind = kinds[number]
    n = chance.number("wording", len(kind["ask"]))
    question = kind["ask"][n].format(name=name)
    answer = chance.one("answer", kind["answer"]).format(name=name)
    asked = Asked("refusal", f"refused-{number + 1}-{n + 1}", question)
    shown = within(chance.order("shown", parts(chance.one("record", document))), most=2)
    beside = chance.happens("beside sources", _BESIDE_SOURCES)
    turns = [*prompt(question, shown)] if beside else [Message("user", question)]
    first = shown[0]
    origins = [Origin(first.record.id, first.start, first.end)] if beside else []
    return made(asked, [*turns, Message("assistant", answer)], origins, [first.record])


def _alike(document: Sequence[Record], kinds: Sequence[dict[str, Any]], name: str, chance: Chance) -> Iterator[Example]:
    """A question that sounds harmful and is a professional's: answered, with its source."""
    for kind in chance.order("alike", [one for one in kinds if chance.happens(one["name"], one.get("share", 1))]):
        for record in document:
            fitting = [one for one in statements(record.text) if re.search(kind["says"], one.text, re.IGNORECASE)]
            said = Said(record, tuple(fitting[:1]))
            shown = holding(said, parts(record)) if fitting else None
            if shown:
                n = chance.number("alike wording", len(kind["ask"]))
                asked = Asked("refusal", f"alike-{kind['name']}-{n + 1}", kind["ask"][n].format(name=name))
                yield grounded(asked, [shown], said)
                return
