"""Questions on regulations and guidance: which section asks for it, what it asks, what proves it, what breaks it.

Requirements are sentences with shall, must or should. A finding is such a sentence turned round by its grammar alone.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trainer.dataset.chance import Chance
from trainer.dataset.shown import Asked, Part, Said, abstaining, beside, example, grounded, number, parts, within
from trainer.dataset.statements import Statement, statements
from trainer.dataset.subject import spoken
from trainer.dataset.wordings import wording
from trainer.records import Example, Record

_MODAL = re.compile(r"\b(?:shall|must|should)\b")
_SECTION = re.compile(r"§+ ?\d+\.\d+|\b\d{2,4}\.\d+\b")
_MOST_OF_ONE_SECTION = 3
_MOST_GAP = 4
_FEWEST_GAP = 3
_COVERED = 0.7
_ABSENT = 0.15


@dataclass(frozen=True, slots=True)
class Section:
    """A section with what it states."""

    record: Record
    statements: tuple[Statement, ...]
    clause: str  # as an answer cites it
    topic: str  # as a question speaks of it; empty where its heading is none
    document: str


def examples(document: Sequence[Record], seed: int) -> Iterator[Example]:
    """All examples of one regulation or guidance document."""
    left_out = re.compile(wording("rules")["left_out"], re.IGNORECASE)
    sections = [_section(record) for record in document if not left_out.search(" › ".join(record.section_path))]
    offered = [part for section in sections for part in parts(section.record)]
    topics = [section.topic for section in sections if section.topic]
    for section in sections:
        chance = Chance(seed, section.record.id)
        for builder in (_says, _cites, _evidence, _finding, _gap):
            yield from builder(section, offered, chance)
        yield from _absent(section, topics, offered, chance)


def _section(record: Record) -> Section:
    heading = record.section_path[-1] if record.section_path else ""
    number = _SECTION.search(f"§ {record.section_code}" if record.kind == "regulation" else "")
    title = re.search(r"\b\d{1,2}(?= CFR\b)", f"{record.doc_id} {record.title}")
    clause = (
        f"{title.group() if title else 21} CFR {record.section_code}"
        if number
        else f"{short(record.title)}, “{heading}”"
    )
    return Section(
        record,
        tuple(statements(record.text)),
        clause,
        spoken(heading, wording("rules")["no_topic"]),
        short(record.title),
    )


def short(title: str) -> str:
    """A document's title as people say it: without "Guidance for Industry" and the like."""
    cut = re.split(r"\s*(?:;|\s[-–—]\s|\bGuidance for Industry\b|\bFinal Guidance\b|: Guidance)\s*", title.strip())
    kept = next((piece.strip(" -–—,") for piece in cut if len(piece.split()) > 1), title)
    return kept.title() if kept.isupper() else kept


def _asked(name: str, section: Section, chance: Chance, **words: str) -> Asked:
    ask = wording("rules")[name]
    n = chance.number(f"{name} wording", len(ask))
    question = ask[n].format(document=section.document, topic=section.topic, **words)
    return Asked("regulation", f"{name}-{n + 1}", question)


def _says(section: Section, offered: Sequence[Part], chance: Chance) -> Iterator[Example]:
    """What a section says of its subject: its first statements; a definition where it is one."""
    if not section.topic or not section.statements:
        return
    defines = re.search(r"definition|glossary|terms", " ".join(section.record.section_path[:-1]), re.IGNORECASE)
    first = section.statements[:1]
    if not defines:
        modal = [one for one in section.statements if _MODAL.search(one.text)]
        first = tuple(modal[:1]) or first
        first += tuple(one for one in modal[1:2] if first[-1].end < one.start <= first[-1].end + 2)
    name = "defines" if defines else "says"
    said = Said(section.record, first)
    if shown := beside(said, offered, chance):
        yield grounded(_asked(name, section, chance), shown, said)


def _requirements(section: Section) -> list[Statement]:
    return [one for one in section.statements if _MODAL.search(one.text) and len(one.lines) == 1]


def _cites(section: Section, offered: Sequence[Part], chance: Chance) -> Iterator[Example]:
    """Which section asks for something."""
    named = section.record.kind == "regulation" or section.topic
    wanted = chance.order("cites", _requirements(section))[:_MOST_OF_ONE_SECTION] if named else []
    for one in wanted:
        own = Chance(chance.seed, f"{chance.key} {one.start}")
        asked = _asked("cites", section, own, requirement=lowered(one.text.rstrip(".")))
        yield from _cited(section, Said(section.record, (one,)), asked, offered, own)


def _cited(section: Section, said: Said, asked: Asked, offered: Sequence[Part], chance: Chance) -> Iterator[Example]:
    """An answer that names the clause and gives its words."""
    if shown := beside(said, offered, chance):
        n = number(said, shown)
        paragraph = _PARAGRAPH.search(said.record.text, max(0, said.start - 8), said.start)
        clause = f"{section.clause}, {paragraph[1]}" if paragraph else section.clause
        yield example(asked, shown, f"{clause} [{n}]. It says: {said.quoted(n)}", said.origins)


_PARAGRAPH = re.compile(r"(?:^|\n)(\d{1,2}(?:\.\d{1,2})+)\.?\s+$")


def _evidence(section: Section, offered: Sequence[Part], chance: Chance) -> Iterator[Example]:
    """Which document or record shows that a requirement is met, where the section names one."""
    naming = re.compile(wording("rules")["evidence_named"], re.IGNORECASE)
    found = [one for one in _requirements(section) if naming.search(one.text)]
    if found and section.topic:
        said = Said(section.record, (chance.one("evidence", found),))
        if shown := beside(said, offered, chance):
            yield grounded(_asked("evidence", section, chance), shown, said)


_PASSIVE = re.compile(
    r"(?P<subject>[A-Z][^,;:()]{3,90}?) (?:shall|must|should) (?:also )?be (?P<verb>(?:\w+ly )?(?:\w+ed|kept|written|"
    r"taken|made|held|given|set|read|drawn|shown|built))\b(?P<rest>[^;:()]*)\.$"
)
_ACTIVE = re.compile(
    r"(?P<subject>[A-Z][^,;:()]{3,90}?) (?:shall|must|should) (?P<verb>have|include|contain|ensure|establish|maintain|"
    r"define|describe|provide|document|verify|validate|control|review|perform|conduct|prevent|identify|specify)\b"
    r"(?P<rest>[^;:()]*)\.$"
)
_UNTURNED = re.compile(
    r"\b(?:that|which|who|also|therefore|normally|generally|typically) (?:shall|must|should)\b"
    r"|^(?:any|no|none|only|neither|each|every|if|when|where|while|although|unless|there)\b|\bnot\b|\bno\b",
    re.IGNORECASE,
)


def finding(requirement: str) -> str:
    """A requirement as an auditor would find it broken; empty where grammar alone does not turn it.

    "Equipment shall be cleaned at intervals." becomes "equipment had not been cleaned at intervals".
    """
    if _UNTURNED.search(requirement) or len(_MODAL.findall(requirement)) != 1:
        return ""
    if match := _PASSIVE.fullmatch(requirement):
        return f"{lowered(match['subject'])} had not been {match['verb']}{match['rest']}"
    if match := _ACTIVE.fullmatch(requirement):
        return f"{lowered(match['subject'])} did not {match['verb']}{match['rest']}"
    return ""


def _finding(section: Section, offered: Sequence[Part], chance: Chance) -> Iterator[Example]:
    """A finding, and the clause that it breaks."""
    found = [(one, finding(one.text)) for one in _requirements(section)]
    usable = [(one, words) for one, words in found if words] if section.topic or section.record.section_code else []
    for one, words in chance.order("findings", usable)[:_MOST_OF_ONE_SECTION]:
        own = Chance(chance.seed, f"{chance.key} finding {one.start}")
        asked = _asked("finding", section, own, finding=words, Finding=words[:1].upper() + words[1:])
        yield from _cited(section, Said(section.record, (one,)), asked, offered, own)


def _gap(section: Section, offered: Sequence[Part], chance: Chance) -> Iterator[Example]:
    """A procedure that has all requirements of a section but one."""
    found = _requirements(section)
    covered = sum(one.end - one.start for one in section.statements)
    if not section.topic or not len(found) >= _FEWEST_GAP or covered < _COVERED * len(section.record.text):
        return
    missing = chance.one("missing", found)
    kept = [one for one in found if one is not missing][:_MOST_GAP]
    if len(found) - 1 > len(kept):
        return
    sop = "\n".join(f"{n}. {_MODAL.sub('shall', one.text)}" for n, one in enumerate(kept, start=1))
    said = Said(section.record, (missing,))
    if shown := beside(said, offered, chance):
        yield grounded(_asked("gap", section, chance, sop=sop), shown, said)


def _absent(section: Section, topics: Sequence[str], offered: Sequence[Part], chance: Chance) -> Iterator[Example]:
    """A subject of another section, asked over passages in which none of its words stands."""
    others = [topic for topic in topics if topic != section.topic]
    if not others or not chance.happens("absent", _ABSENT):
        return
    topic = chance.one("absent topic", others)
    words = [word for word in re.findall(r"[a-z]{4,}", topic.lower()) if word not in _COMMON]
    silent = [part for part in offered if not any(word[:6] in _all(part) for word in words)]
    if words and silent:
        ask = wording("rules")["says"]
        n = chance.number("absent wording", len(ask))
        asked = Asked("regulation", f"says-{n + 1}", ask[n].format(document=section.document, topic=topic))
        yield abstaining(asked, within(chance.order("silent", silent), most=1 + chance.number("how many", 4)))


def _all(part: Part) -> str:
    return f"{' '.join(part.record.section_path)} {part.text}".lower()


_COMMON = frozenset("general other with from their quality part requirements and the for".split())


def lowered(sentence: str) -> str:
    """A sentence as it goes on within another one: its first word in lower case unless it is a name."""
    first = sentence.split(" ", 1)[0]
    name = any(letter.isupper() for letter in first[1:]) or first in _NAMES or len(first) == 1
    return sentence if name else sentence[:1].lower() + sentence[1:]


_NAMES = frozenset("Part Annex Title Chapter Section Appendix I Qualified European Member Congress".split())
