"""Questions by topic: which statements of a document answer "how is it stored?", under which of its headings.

A topic is data (``wordings``): patterns for headings and statements, and the wordings of its question. Knows no kind of
document; `labels` calls it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

from trainer.dataset.chance import Chance
from trainer.dataset.shown import Asked, Part, Said, abstaining, beside, grounded, holding, parts, within
from trainer.dataset.statements import Statement, statements
from trainer.dataset.wordings import wording
from trainer.records import Example, Record

UNANSWERABLE = 0.11  # of questions that the document answers
ABSENT = 0.05  # of questions that it does not; together about 15 of 100
_NAME = r"(?:this medicine|[A-Z][\w®-]*(?: (?:[A-Z0-9][\w.®/-]*|and|plus|mg|tablets|capsules))*?)"
_WHOLE = 0.9  # share of a stretch that an answer must hold where it must be complete
_FAR_CHARACTERS = 400  # statements of one answer lie no further apart


# What every leaflet says, whatever it is about.
_EVERYWHERE = re.compile(
    r"further questions|national reporting|expiry date|throw away|medicines? via"
    r"|more information (?:about|on) (?:this|the)"
    r"|ask your (?:doctor|pharmacist|nurse)(?: or (?:doctor|pharmacist|nurse))? for (?:more|further) information",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Topic:
    """See ``wordings/leaflet.yaml`` for what each field means."""

    name: str
    family: str
    under: re.Pattern[str]
    codes: frozenset[str]
    says: re.Pattern[str]
    never: re.Pattern[str] | None
    mentions: re.Pattern[str]
    most: int
    whole: bool
    ask: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a record's text under one heading, which may stand in the running text."""

    record: Record
    heading: str
    start: int
    end: int


@cache
def topics(kind: str) -> tuple[Topic, ...]:
    """The topics of a kind of document."""
    return tuple(_topic(fields) for fields in wording(kind)["topics"])


def _topic(fields: Mapping[str, Any]) -> Topic:
    pattern = {key: re.compile(fields[key], re.IGNORECASE) for key in ("under", "says", "never", "mentions")
               if key in fields}  # fmt: skip
    return Topic(
        fields["name"], fields["family"], pattern.get("under", re.compile("")), frozenset(fields.get("codes", ())),
        pattern["says"], pattern.get("never"), pattern["mentions"], fields["most"], fields.get("whole", False),
        tuple(fields["ask"]),
    )  # fmt: skip


@cache
def _headings() -> re.Pattern[str]:
    said = wording("headings")
    cut = "|".join(said["cut"]).replace("NAME", _NAME)
    keep = "|".join(said["keep"]).replace("NAME", _NAME)
    before = r"(?:(?<=\s)|^)(?<!see )(?<!also )(?<!section )(?<!the )(?<!or )(?<!and )"
    return re.compile(rf"{before}(?:(?P<cut>{cut})(?=:?\s+[A-Z0-9•-]|:?\s*\n|:?\s*$)|(?P<keep>{keep}))")


def stretches(record: Record) -> Iterator[Stretch]:
    """A record's text by the headings in it; a leaflet's text has them glued to its sentences."""
    path = " › ".join(record.section_path)
    if record.kind != "leaflet":
        yield Stretch(record, path, 0, len(record.text))
        return
    at, heading = 0, path
    for match in _headings().finditer(record.text):
        yield from _stretch(record, heading, at, match.start())
        heading = f"{path} › {' '.join(match.group().split())}"
        at = match.end() if match.group("cut") else match.start()
    yield from _stretch(record, heading, at, len(record.text))


def _stretch(record: Record, heading: str, start: int, end: int) -> Iterator[Stretch]:
    while start < end and record.text[start] in " :\n":
        start += 1
    if record.text[start:end].strip():
        yield Stretch(record, heading, start, end)


@dataclass(frozen=True, slots=True)
class Contents:
    """A document read once for all topics."""

    stretches: tuple[tuple[Stretch, tuple[Statement, ...]], ...]
    parts: tuple[Part, ...]

    @classmethod
    def of(cls, document: Sequence[Record]) -> "Contents":
        """Reads a document."""
        found = tuple(
            (stretch, statements(stretch.record.text, stretch.start, stretch.end))
            for record in document for stretch in stretches(record)
        )  # fmt: skip
        return cls(found, tuple(part for record in document for part in parts(record)))


def answers(topic: Topic, contents: Contents) -> Said | None:
    """The first statements of a document that answer a topic's question; None where none does."""
    for stretch, stated in contents.stretches:
        if not _concerns(topic, stretch):
            continue
        fitting = [_on_topic(topic, statement, stretch.record) for statement in stated if _fits(topic, statement)]
        chosen = fitting[:1]
        for statement in fitting[1 : topic.most]:
            if statement.start - chosen[-1].end <= _FAR_CHARACTERS and len(statement.lines) == 1:
                chosen.append(statement)
        if topic.whole and not _complete(topic, chosen, stretch, contents):
            continue
        if chosen and not _nested(chosen):
            said = Said(stretch.record, tuple(chosen))
            if holding(said, contents.parts):
                return said
    return None


def _complete(topic: Topic, chosen: Sequence[Statement], stretch: Stretch, contents: Contents) -> bool:
    """Whether the statements are all that stands under the heading, and no other section is on the same."""
    path = stretch.record.section_path
    others = [one.record for one, _ in contents.stretches if one.record is not stretch.record]
    below = any(one.section_path[: len(path)] == path or one.section_code in topic.codes for one in others)
    return not below and sum(one.end - one.start for one in chosen) >= _WHOLE * (stretch.end - stretch.start)


def _nested(chosen: Sequence[Statement]) -> bool:
    return any(one.end > other.start for one, other in pairwise(chosen))


def _on_topic(topic: Topic, statement: Statement, record: Record) -> Statement:
    """Of a list that a heading announces the items on the topic, where the answer need not be complete."""
    lead, *items = statement.lines
    if lead or topic.whole:
        return statement
    kept = [item for item in items if topic.says.search(" ".join(record.text[start:end] for start, end in item))]
    return Statement((lead, *kept), statement.start, statement.end, statement.text) if kept else statement


def _concerns(topic: Topic, stretch: Stretch) -> bool:
    if topic.codes:
        return stretch.record.section_code in topic.codes and topic.under.search(stretch.heading) is not None
    return topic.under.search(stretch.heading) is not None


def _fits(topic: Topic, statement: Statement) -> bool:
    refused = (topic.never is not None and topic.never.search(statement.text)) or _EVERYWHERE.search(statement.text)
    return not refused and topic.says.search(statement.text) is not None


def examples(topic: Topic, contents: Contents, name: str, chance: Chance) -> Iterator[Example]:
    """A topic's question with the passages that answer it; in 15 of 100 cases with passages that do not.

    A question that the document does not answer at all is asked where its topic is drawn, with passages in which
    nothing comes near the topic.
    """
    asked = _asked(topic, name, chance)
    said = answers(topic, contents)
    if chance.happens("unanswerable", UNANSWERABLE if said else ABSENT):
        silent = [part for part in contents.parts if not topic.mentions.search(_everything(part))]
        if silent:
            yield abstaining(asked, within(chance.order("silent", silent), most=1 + chance.number("how many", 4)))
    elif said:
        yield grounded(asked, beside(said, contents.parts, chance), said)


def _everything(part: Part) -> str:
    return " ".join([*part.record.section_path, part.text])


def _asked(topic: Topic, name: str, chance: Chance) -> Asked:
    n = chance.number("wording", len(topic.ask))
    return Asked(topic.family, f"{topic.name}-{n + 1}", topic.ask[n].format(name=name))
