"""Questions on labels and package leaflets: by topic, on interactions, and questions that look harmful and are not."""

import re
from collections.abc import Iterator, Sequence

from trainer.dataset import topics
from trainer.dataset.chance import Chance
from trainer.dataset.shown import Asked, Said, abstaining, beside, grounded, holding, parts, within
from trainer.dataset.statements import Statement, statements
from trainer.dataset.subject import drugs, name_of, spoken
from trainer.dataset.topics import Contents
from trainer.dataset.wordings import wording
from trainer.records import Example, Record, Reject

_MOST_PAIRS = 6  # of one document
_ENDS_LIKE_A_DRUG = 4
_UNNAMED = 0.15
_NEXT_CHARACTERS = 2


def examples(document: Sequence[Record], seed: int) -> Iterator[Example | Reject]:
    """All examples of one label or leaflet."""
    name = name_of(document)
    if not name:
        yield Reject("examples", document[0].doc_id, "no-name", "No name of the medicine stands in its own text.")
        return
    contents = Contents.of(document)
    for topic in topics.topics(document[0].kind):
        yield from topics.examples(topic, contents, name, Chance(seed, f"{document[0].doc_id} {topic.name}"))
    yield from _headed(contents, name, seed)
    yield from _interactions(document, contents, name, seed)


def _headed(contents: Contents, name: str, seed: int) -> Iterator[Example]:
    """What a label says first under a heading of its own, such as a warning's."""
    said = wording("label")
    for stretch, stated in contents.stretches:
        record = stretch.record
        kind = next((kind for kind in said["headed"] if record.section_code in kind["codes"]), None)
        topic = spoken(record.section_path[-1], said["no_topic"]) if len(record.section_path) > 1 else ""
        if record.kind != "label" or not kind or not topic or not stated or stated[0].start != stretch.start:
            continue
        following = [one for one in stated[1:2] if one.start - stated[0].end <= _NEXT_CHARACTERS]
        answer = Said(record, (stated[0], *following))
        if holding(answer, contents.parts):
            chance = Chance(seed, f"{record.id} headed")
            n = chance.number("wording", len(kind["ask"]))
            asked = Asked(kind["family"], f"{kind['name']}-{n + 1}", kind["ask"][n].format(name=name, topic=topic))
            yield grounded(asked, beside(answer, contents.parts, chance), answer)


def _interactions(document: Sequence[Record], contents: Contents, name: str, seed: int) -> Iterator[Example]:
    """One example for each other medicine that a statement on interactions names, and one that none names."""
    said = wording("interactions")
    own = _own(document, name)
    pairs: dict[str, tuple[Said, str]] = {}
    for stretch, stated in contents.stretches:
        if re.search(said["under"], stretch.heading, re.IGNORECASE) or stretch.record.section_code in said["codes"]:
            for statement in stated:
                for other, written in _others(statement, own, said["says"]):
                    pairs.setdefault(
                        other, (Said(stretch.record, (_only(statement, stretch.record, written),)), written)
                    )
    chance = Chance(seed, f"{document[0].doc_id} interactions")
    for other in chance.order("pairs", sorted(pairs))[:_MOST_PAIRS]:
        answer, written = pairs[other]
        if holding(answer, contents.parts):
            asked = _asked(said[document[0].kind], name, written, Chance(seed, f"{document[0].doc_id} with {other}"))
            yield grounded(asked, beside(answer, contents.parts, chance), answer)
    if chance.happens("unnamed", _UNNAMED):
        yield from _unnamed(document, contents, name, own, chance)


def _own(document: Sequence[Record], name: str) -> frozenset[str]:
    entity = document[0].entity
    return drugs().ingredients(" , ".join([name, *entity.brands, *(one.name for one in entity.ingredients)]))


def _others(statement: Statement, own: frozenset[str], says: str) -> Iterator[tuple[str, str]]:
    """Ingredient and name as written of the other medicines that a statement advises on."""
    if not re.search(says, statement.text, re.IGNORECASE):
        return
    for found in drugs().find(statement.text):
        if found.ingredient not in own and " + " not in found.ingredient and len(found.name) > _ENDS_LIKE_A_DRUG:
            yield found.ingredient, found.name


def _only(statement: Statement, record: Record, written: str) -> Statement:
    """Of a list the words that announce it and the items that name the medicine; a sentence as it is."""
    lead, *items = statement.lines
    kept = [item for item in items if any(written in record.text[start:end] for start, end in item)]
    return Statement((lead, *kept), statement.start, statement.end, statement.text) if kept else statement


def _asked(ask: Sequence[str], name: str, other: str, chance: Chance) -> Asked:
    n = chance.number("wording", len(ask))
    return Asked("interaction", f"interaction-{n + 1}", ask[n].format(name=name, other=other))


def _unnamed(
    document: Sequence[Record], contents: Contents, name: str, own: frozenset[str], chance: Chance
) -> Iterator[Example]:
    """A medicine that the document does not name, asked over passages on other things than interactions."""
    said = wording("interactions")
    everything = "\n".join(part.text for part in contents.parts).lower()
    strangers = [drug for drug in said["strangers"] if drug not in everything and drug not in own]
    silent = [part for part in contents.parts if not re.search(said["mentions"], part.text, re.IGNORECASE)]
    if strangers and silent:
        asked = _asked(said[document[0].kind], name, chance.one("stranger", strangers), chance)
        yield abstaining(asked, within(chance.order("silent", silent), most=1 + chance.number("how many", 4)))


def pairs(document: Sequence[Record], seed: int) -> Iterator[Example]:
    """Interactions of two medicines as a database lists them, one section a pair; few of each medicine.

    The wordings of such databases come from templates: more of them would teach the template.
    """
    said = wording("interactions")
    name = document[0].title
    listed = [record for record in document if record.section_path[:1] == ("Interactions",)]
    chance = Chance(seed, f"{document[0].doc_id} pairs")
    offered = [part for record in listed for part in parts(record)]
    for record in chance.order("pairs", listed)[:_MOST_PAIRS]:
        first = next(iter(statements(record.text)), None)
        other = record.section_path[-1]
        if first and other.lower() in record.text.lower():
            answer = Said(record, (first,))
            asked = _asked(said["interaction"], name, other, Chance(seed, record.id))
            if shown := beside(answer, offered, chance):
                yield grounded(asked, shown, answer)
