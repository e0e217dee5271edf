"""Sections of GMP documents from typed facts, in the app's drafting form, beside a requirement of a real text.

The facts are invented and drawn (``wordings/narratives.yaml``); the answer states each of them once, says "Not stated."
where one is missing, and takes the requirement from the passage in its own words.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lumen_desktop.domain.drafting import NOT_STATED, Fact, build_draft_prompt
from trainer.dataset.chance import Chance
from trainer.dataset.shown import Asked, Part, Said, holding, made, parts, passage
from trainer.dataset.statements import statements
from trainer.dataset.wordings import wording
from trainer.records import Example, Message, Record

_MISSING = 0.35  # of texts lack one fact
_MOST_OF_ONE_SECTION = 2
_DIGIT = re.compile(r"#")


def examples(document: Sequence[Record], seed: int) -> Iterator[Example]:
    """Texts beside the first statements of each section that ask for something."""
    for record in document:
        for requirement in _requirements(record)[:_MOST_OF_ONE_SECTION]:
            chance = Chance(seed, f"{record.id} narrative {requirement.start}")
            fitting = [(form, case) for form in wording("narratives")["forms"] for case in form["cases"]
                       if re.search(case["about"], requirement.text, re.IGNORECASE)]  # fmt: skip
            if fitting:
                yield _written(*chance.one("form", fitting), requirement, chance)


def _requirements(record: Record) -> list[Said]:
    """Statements that ask for something and can stand in a document as the rule that was looked at."""
    if re.search(wording("rules")["left_out"], " › ".join(record.section_path), re.IGNORECASE):
        return []
    asks = re.compile(wording("narratives")["requirement"])
    return [Said(record, (one,)) for one in statements(record.text) if asks.search(one.text) and len(one.lines) == 1]


def _written(form: Mapping[str, Any], case: Mapping[str, str], requirement: Said, chance: Chance) -> Example:
    part = holding(requirement, parts(requirement.record)) or Part(
        requirement.record, requirement.start, requirement.end
    )
    given = {**{name: chance.one(name, values) for name, values in form["facts"].items()}, **case}
    facts = {name: _drawn(given[name], name, chance) for name in form["sentences"]}
    missing = chance.one("missing", [name for name in facts if name not in form["always"]])
    missing = missing if chance.happens("lacks", _MISSING) else ""
    listed = [Fact(name, "" if name == missing else value) for name, value in facts.items()]
    system, user = build_draft_prompt(form["document"], form["section"], listed, [passage(part, 1)])
    answer = _prose(form, facts, missing, chance) + f"\n\n{form['rule']} {requirement.quoted(1)}"
    turns = [Message("system", system), Message("user", user), Message("assistant", answer)]
    return made(Asked("narrative", form["name"], user), turns, requirement.origins, [requirement.record])


def _prose(form: Mapping[str, Any], facts: Mapping[str, str], missing: str, chance: Chance) -> str:
    """The form's sentences with the facts in them; a missing one is named as not stated."""
    lines = []
    for name, wordings in form["sentences"].items():
        lines.append(f"{name}: {NOT_STATED}" if name == missing else
                     chance.one(f"{name} sentence", wordings).format_map(_Facts(facts)))  # fmt: skip
    return " ".join(lines)


class _Facts(dict[str, str]):
    """Facts under names with spaces: ``{Batch_number}`` is the fact "Batch number"."""

    def __init__(self, facts: Mapping[str, str]) -> None:
        super().__init__({name.replace(" ", "_"): value for name, value in facts.items()})


def _drawn(value: str, name: str, chance: Chance) -> str:
    """A value with its signs ``#`` as drawn digits."""
    place = iter(range(len(value)))
    return _DIGIT.sub(lambda _: str(1 + chance.number(f"{name} digit {next(place)}", 9)), value)
