"""Questions on abstracts and articles: yes, no or maybe with the reason, and what a study set out to do and found."""

import re
from collections.abc import Iterator, Sequence

from lumen_desktop.domain.sentences import content_words
from trainer.dataset.chance import Chance
from trainer.dataset.shown import (
    WHOLE_WORDS,
    Asked,
    Part,
    Said,
    abstaining,
    example,
    grounded,
    holding,
    number,
    parts,
    within,
)
from trainer.dataset.statements import statements
from trainer.dataset.topics import UNANSWERABLE
from trainer.dataset.wordings import wording
from trainer.records import Example, Record

CONCLUSION = re.compile(r"conclusion|interpretation|implication|significance", re.IGNORECASE)
_BEFORE = re.compile(r"background|objective|aim|purpose|introduction|method|design|setting|patient|participant|material"
                     r"|context|hypothes|subject|importance|intervention|outcome", re.IGNORECASE)  # fmt: skip
_WORDS = 1000
_FEWEST_SHARED, _SHARED = 4, 0.3  # words of the conclusion that a result must hold to be the reason
_CONCLUDED, _UNDECIDED = 0.4, 0.1
_PASSAGES = 8
_DECISIONS = {"yes": "Yes", "no": "No", "maybe": "Maybe"}


def judged(document: Sequence[Record], seed: int) -> Iterator[Example]:
    """A question of experts with their decision; the reason is the abstract's sentence that comes nearest to theirs.

    In half of the cases the conclusion is shown as well, as the app's library would hold it; else the reason must
    come from the results.
    """
    chance = Chance(seed, document[0].doc_id)
    decision = _DECISIONS.get(str(document[0].facts.get("final_decision", "")))
    conclusion = [record for record in document if CONCLUSION.search(record.section_code)]
    body = [record for record in document if record not in conclusion]
    if not decision or not conclusion or not body:
        return
    n = chance.number("wording", len(wording("literature")["judged"]))
    question = wording("literature")["judged"][n].format(question=str(document[0].facts["question"]))
    asked = Asked("pubmed", f"judged-{n + 1}", question)
    findings = [record for record in body if not _BEFORE.search(record.section_code)]
    if len(findings) < len(body) and chance.happens("unanswerable", _UNDECIDED):
        yield abstaining(asked, _shown([record for record in body if record not in findings]))
        return
    said = None if chance.happens("with its conclusion", _CONCLUDED) else _reason(findings, conclusion)
    shown = _shown(body if said else [*body, *conclusion])
    said = said or _concluded(conclusion, str(document[0].facts["question"]))
    if said and holding(said, shown):
        at = number(said, shown)
        yield example(asked, shown, f"{decision} [{at}]. {said.quoted(at)}", said.origins)


def _shown(records: Sequence[Record]) -> list[Part]:
    return within([part for record in records for part in parts(record)], most_words=_WORDS, most=_PASSAGES)


def _reason(findings: Sequence[Record], conclusion: Sequence[Record]) -> Said | None:
    """The statement of the results that shares most words with the conclusion; None where none shares enough."""
    wanted = frozenset(content_words(" ".join(record.text for record in conclusion)))
    offered = [Said(record, (one,)) for record in findings for one in statements(record.text)]
    best = max(offered, key=lambda said: len(wanted & frozenset(content_words(said.text))), default=None)
    near = best and len(wanted & frozenset(content_words(best.text))) >= max(_FEWEST_SHARED, _SHARED * len(wanted))
    return best if near and len(best.record.text.split()) <= WHOLE_WORDS else None  # type: ignore[union-attr]


def _concluded(conclusion: Sequence[Record], question: str) -> Said | None:
    """The statement of the conclusion that shares most words with the question."""
    wanted = frozenset(content_words(question))
    offered = [Said(record, (one,)) for record in conclusion for one in statements(record.text)]
    return max(offered, key=lambda said: len(wanted & frozenset(content_words(said.text))), default=None)


def told(document: Sequence[Record], seed: int) -> Iterator[Example]:
    """What an abstract says of its aim, its methods, its results and its conclusion."""
    said = wording("literature")
    names = re.compile(said["abstract"], re.IGNORECASE)
    abstract = [record for record in document if names.search(" ".join(record.section_path))]
    records = abstract or ([] if document[0].kind == "article" else list(document))
    offered = [part for record in records for part in parts(record)]
    title = document[0].title.rstrip(".")
    for topic in said["topics"]:
        chance = Chance(seed, f"{document[0].doc_id} {topic['name']}")
        answer = _told(records, topic)
        if answer is None:
            continue
        ask = topic["asked"] if title.endswith("?") and "asked" in topic else topic["ask"]
        n = chance.number("wording", len(ask))
        asked = Asked("pubmed", f"{topic['name']}-{n + 1}", ask[n].format(title=title))
        other = [part for part in offered if part.record is not answer.record and not _names(topic, part)]
        if other and chance.happens("unanswerable", UNANSWERABLE):
            yield abstaining(asked, within(other, most_words=_WORDS, most=_PASSAGES))
            continue
        apart = [part for part in offered if part.record is not answer.record or holding(answer, [part])]
        shown = within(apart, most_words=_WORDS, most=_PASSAGES)
        if holding(answer, shown):
            yield grounded(asked, shown, answer)


def _names(topic: dict[str, str], part: Part) -> bool:
    return re.search(topic["mentions"], part.text, re.IGNORECASE) is not None


def _told(records: Sequence[Record], topic: dict[str, str]) -> Said | None:
    """The first one or two statements of a section on the topic, or the first in any section that says so."""
    for record in records:
        named = re.search(topic["under"], " ".join([record.section_code, *record.section_path]), re.IGNORECASE)
        found = [one for one in statements(record.text) if re.search(topic["says"], one.text, re.IGNORECASE)]
        if found and named:
            near = len(found) > 1 and found[1].start - found[0].end <= 2  # noqa: PLR2004 - the next sentence
            return Said(record, tuple(found[: 1 + near]))
        unnamed = [one for one in statements(record.text) if re.search(topic["states"], one.text, re.IGNORECASE)]
        if unnamed:
            return Said(record, (unnamed[0],))
    return None
