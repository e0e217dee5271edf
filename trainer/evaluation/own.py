"""Questions from the dataset's own test part, on medicines and documents that were never trained on.

A family of examples is a set; what no passage answers is a set of its own. A base is shown worked examples of the same
family from the training part, an answered and an unanswered one by turns, so that it knows what is asked for. Knows no
model; `trainer.evaluate` calls it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from trainer.dataset.chance import Chance
from trainer.evaluation.questions import Judge, Open
from trainer.lines import read_examples
from trainer.ownership.work import Work
from trainer.records import Example, Message

OVER_PASSAGES = ("label", "dosing", "interaction", "contraindication", "table", "patient", "consumer")
SETS = (*OVER_PASSAGES, "pubmed", "regulation", "narrative", "unanswerable", "harmful", "benign")
ANSWERED = (*OVER_PASSAGES, "pubmed", "regulation")  # sets whose passages answer
_CLAUSE_KINDS = ("cites", "finding", "letter-names")
_SHORT_WORDS = 300  # a worked example's prompt: two of them leave room for the question
_MOST_SHOTS = 8
_KEPT = 64
_SEED = 1
_Shots: TypeAlias = Mapping[tuple[str, bool], tuple[Message, ...]]  # by family, and whether an answer comes first


def questions(work: Work) -> dict[str, list[Open]]:
    """The test part's questions by set; empty where there is no dataset.

    Raises:
        InputError: a damaged line (TRN-008, TRN-009).
    """
    test = work.dataset / "test.jsonl"
    examples = list(read_examples(test)) if test.is_file() else []
    shots = _shots(work.dataset / "train.jsonl", {example.family for example in examples})
    found: dict[str, list[Open]] = {}
    for example in examples:
        if one := _question(example, shots):
            found.setdefault(one.set, []).append(one)
    return {name: found[name] for name in SETS if name in found}


def kind(example: Example) -> str:
    """Which wording it is, without the number: "cites-2" is "cites"."""
    return example.template.removesuffix("-alone").rstrip("0123456789").rstrip("-")


def _question(example: Example, shots: _Shots) -> Open | None:
    """An example as a question; None where nothing can be held against its answer."""
    judged = _judged(example)
    if judged is None:
        return None
    name, judge = judged
    return Open(
        id=example.id, set=name, judge=judge, messages=example.messages[:-1], wanted=example.answer,
        shots=shots.get((example.family, Chance(_SEED, example.id).happens("answered first", 0.5)), ()),
        facts={"family": example.family, "kind": kind(example), "documents": list(example.doc_ids)},
    )  # fmt: skip


def _judged(example: Example) -> tuple[str, Judge] | None:
    family = example.family
    if family == "refusal":
        return ("harmful", Judge.REFUSES) if example.template.startswith("refused") else ("benign", Judge.HELPS)
    if family == "narrative":
        return "narrative", Judge.FACTS
    if example.answerable is None or family not in ANSWERED:
        return None
    if not example.answerable:
        return "unanswerable", Judge.ABSTAINS
    if family == "regulation" and kind(example) in _CLAUSE_KINDS:
        return family, Judge.CLAUSE
    return family, Judge.DECISION if kind(example) == "judged" else Judge.SPAN


def _shots(train: Path, families: Iterable[str]) -> _Shots:
    """Worked examples of each family, from the training part; the same for every question of it, in either order."""
    wanted = set(families)
    offered: dict[str, dict[bool, list[Example]]] = {}
    for example in read_examples(train) if train.is_file() else ():
        if example.family in wanted and _short(example) and (judged := _judged(example)):
            answers = judged[1] not in {Judge.ABSTAINS, Judge.REFUSES}
            some = offered.setdefault(example.family, {}).setdefault(answers, [])
            some.append(example)
            if len(some) > _KEPT:  # of hundreds of thousands, never more than these are held
                some[:] = _drawn(some)[:_MOST_SHOTS]
    found: dict[tuple[str, bool], tuple[Message, ...]] = {}
    for family, kinds in offered.items():
        yes, no = (_drawn(kinds.get(answers, ())) for answers in (True, False))
        found[family, True] = tuple(_turns(_by_turns(yes, no)))
        found[family, False] = tuple(_turns(_by_turns(no, yes)))
    return found


def _by_turns(first: Sequence[Example], second: Sequence[Example]) -> list[Example]:
    """One of each by turns, then what is left of the longer."""
    mixed = [one for pair in zip(first, second, strict=False) for one in pair]
    longer = first if len(first) > len(second) else second
    return [*mixed, *longer[len(mixed) // 2 :]][:_MOST_SHOTS]


def _drawn(examples: Sequence[Example]) -> list[Example]:
    return sorted(examples, key=lambda one: (Chance(_SEED, one.id).number("shot", 2**63), one.id))


def _short(example: Example) -> bool:
    return sum(len(one.content.split()) for one in example.messages if one.role != "system") <= _SHORT_WORDS


def _turns(examples: Sequence[Example]) -> Iterator[Message]:
    """Their users' and assistants' turns; the instruction is the question's own."""
    for example in examples:
        yield from example.messages[-2:]
