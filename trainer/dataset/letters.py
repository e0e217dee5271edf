"""Questions on an authority's letters: what it asks for under a heading, and which clause a deficiency names.

Names and addresses in the letters are taken out later, by the curation.
"""

import re
from collections.abc import Iterator, Sequence

from lumen_desktop.domain.quantities import clauses
from trainer.dataset.chance import Chance
from trainer.dataset.shown import Asked, Part, Said, beside, example, grounded, number, parts
from trainer.dataset.statements import statements
from trainer.dataset.subject import spoken
from trainer.dataset.wordings import wording
from trainer.records import Example, Record

_NEXT_CHARACTERS = 2
_ASKS = re.compile(
    r"\b(?:must|should|required|require[sd]?|provide|submit|revise|resolve|address|qualify|include|justify|clarify|conduct|"
    r"perform|cannot|not (?:been )?(?:adequate|submitted|sufficient|provided|established)|inadequate|deficien|lack)",
    re.IGNORECASE,
)


def examples(document: Sequence[Record], seed: int) -> Iterator[Example]:
    """All examples of one letter."""
    said = wording("letters")
    offered = [part for record in document for part in parts(record)]
    for record in document:
        heading = record.section_path[-1] if record.section_path else ""
        topic = spoken(heading, said["no_topic"])
        stated = [one for one in statements(record.text) if not re.search(said["never"], one.text, re.IGNORECASE)]
        chance = Chance(seed, record.id)
        asking = [one for one in stated if _ASKS.search(one.text)]
        if topic and asking:
            following = [one for one in asking[1:2] if one.start - asking[0].end <= _NEXT_CHARACTERS]
            answer = Said(record, (asking[0], *following))
            if shown := beside(answer, offered, chance, most=3):
                yield grounded(_asked("asks", chance, topic=topic), shown, answer)
        for one in stated:
            answer = Said(record, (one,))
            if _bare(one.text) and (shown := beside(answer, offered, chance, most=3)):
                yield _named(answer, shown, Chance(seed, f"{record.id} {one.start}"))


def _named(answer: Said, shown: Sequence[Part], chance: Chance) -> Example:
    """The clause that a deficiency names, with the letter's words."""
    n = number(answer, shown)
    asked = _asked("names", chance, deficiency=_bare(answer.text))
    return example(asked, shown, answer.quoted(n), answer.origins)


def _bare(text: str) -> str:
    """A deficiency without the clause that it names; empty where it names none, or where a part of it is left."""
    bare = _CITED.sub("", text).rstrip(".")
    left = re.search(r"\b(?:at|under|of|with|to|by|in) (?:and|or)\b|\b\d{2,4}\.\d|\([a-z]\) and", bare)
    return bare if clauses(text) and bare != text.rstrip(".") and not left else ""


_ONE = r"[\d.]+(?:\([a-z0-9]+\))*"
_CITED = re.compile(
    r"\s*[\[(]?(?:(?:under|as required by|in accordance with|pursuant to|and|of)\s+)?"
    rf"(?:section \d+[^ ]* of the [A-Z]\w+ and )?21 CFR (?:parts? )?{_ONE}(?:(?:,| and| or) (?:21 CFR )?{_ONE})*[\])]?"
)


def _asked(kind: str, chance: Chance, **words: str) -> Asked:
    ask = wording("letters")[kind]
    n = chance.number(f"{kind} wording", len(ask))
    return Asked("regulation", f"letter-{kind}-{n + 1}", ask[n].format(**words))
