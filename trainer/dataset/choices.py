"""Multiple-choice questions with the right letter first and the reason after it."""

import re
from collections.abc import Iterator, Sequence

from trainer.dataset.chance import Chance
from trainer.dataset.shown import Asked, made
from trainer.dataset.wordings import wording
from trainer.records import Example, Message, Origin, Record, Reject

_FEWEST_OPTIONS = 2
_FEWEST_WORDS, _MOST_WORDS = 6, 250
_LETTER = re.compile(
    r"\b(?:option|choice|ans(?:wer)?\.?(?: is)?:?|\(?[a-e]\)?\s*[).:])\s*\(?[a-eA-E1-5]\)?\b", re.IGNORECASE
)


def examples(document: Sequence[Record], seed: int) -> Iterator[Example | Reject]:
    """One example of each question; its options are put into a drawn order, so that no letter is learnt."""
    for record in document:
        options = {str(letter): str(text).strip() for letter, text in dict(record.facts.get("options", {})).items()}
        answer = options.get(str(record.facts.get("answer", "")), "")
        question = " ".join(str(record.facts.get("question", "")).split())
        if not question or not answer or len(set(options.values())) < max(_FEWEST_OPTIONS, len(options)):
            yield Reject("examples", record.id, "no-choice", "Its options or its answer are not complete.")
            continue
        yield _made(record, question, answer, list(options.values()), Chance(seed, record.id))


def _made(record: Record, question: str, answer: str, options: Sequence[str], chance: Chance) -> Example:
    fixed = any(re.search(r"\b(?:above|both|none of|all of|[A-D] and [A-D])\b", option) for option in options)
    order = list(options) if fixed else chance.order("options", options)
    letters = "ABCDEFGHIJ"[: len(order)]
    rows = [f"{letter}. {option}" for letter, option in zip(letters, order, strict=True)]
    ask = wording("choices")["ask"]
    n = chance.number("wording", len(ask))
    user = ask[n].format(question=question, options="\n".join(rows))
    said, reason = f"{letters[order.index(answer)]}. {answer}", _reason(record, fixed=fixed)
    turns = [Message("user", user), Message("assistant", f"{said}\n\n{reason}" if reason else said)]
    origins = [_origin(record, words) for words in (answer, reason) if words and words in record.text]
    return made(Asked("mcq", f"mcq-{n + 1}{'' if reason else '-letter'}", user), turns,
                origins or [Origin(record.id, 0, len(record.text))], [record])  # fmt: skip


def _origin(record: Record, words: str) -> Origin:
    start = record.text.rindex(words)
    return Origin(record.id, start, start + len(words))


def _reason(record: Record, *, fixed: bool) -> str:
    """The explanation, where it is one: not a bare reference, and no letters where the order was drawn."""
    reason = str(record.facts.get("explanation", "")).strip()
    words = len(reason.split())
    usable = _FEWEST_WORDS <= words <= _MOST_WORDS and (fixed or not _LETTER.search(reason))
    return reason if usable else ""
