"""Check 2: looks through the whole training part again for what was asked, with the same three signs as curation.

Curation leaves such examples out where it was given the sets; this finds those that it was not given, and those of a
dataset that was put together otherwise. Own questions are kept apart by groups: no medicine, rule or article of the
test part may be in the training part.
"""

from collections import Counter
from collections.abc import Callable, Iterator

from trainer.config import Config
from trainer.curation import evaluation
from trainer.curation.contamination import Index
from trainer.curation.evaluation import Item
from trainer.evaluation import sets
from trainer.gating.finding import Looked
from trainer.lines import read_examples
from trainer.ownership import card
from trainer.ownership.work import Work

Told = Callable[[str, int, int], None]
_SECTION = "## Decontamination"


def looked(config: Config, *, told: Told) -> Looked:
    """How many training examples hold what was asked, and whether the dataset's card reports on it.

    Args:
        config: whose sets, named for curation or for evaluation, are looked for.
        told: examples done.

    Raises:
        InputError: an evaluation file that cannot be used (TRN-030, TRN-090), or a damaged line (TRN-008, TRN-009).
    """
    work = Work(config.work_folder)
    train = work.dataset / "train.jsonl"
    if not train.is_file():
        return Looked(told=("There is no training part to look through.",))
    items = list(_items(config))
    index = Index(items, config.dataset.contaminated)
    found, examples = Counter[str](), 0
    groups: set[str] = set()
    for examples, example in enumerate(read_examples(train), start=1):
        told("contamination", examples, 0)
        groups.update(example.groups)
        found.update({hit.set for hit in index.look(example)[0]})
    faults = [f"{count} training examples hold items of {name}." for name, count in sorted(found.items())]
    faults += _shared(work, groups)
    faults += [] if _reported(work) else ["The dataset's card has no report on decontamination."]
    names = {item.set.partition("/")[0] for item in items}
    seen = f"{sum(found.values())} of {examples:,} examples hold any of {len(items):,} items of {len(names)} sets"
    return Looked(seen, tuple(faults), figures={"examples": examples, "items": len(items), "hits": found.total()})


def _items(config: Config) -> Iterator[Item]:
    """Questions and answers of the sets that curation was given, and of those that are asked."""
    yield from evaluation.items([config.place(written) for written in config.dataset.evaluation])
    for name, choices in sets.letter_questions(config).items():
        for one in choices:
            yield Item(name, one.id, "question", "\n".join([one.question, *one.options]))
            yield Item(name, one.id, "question", one.question)
    for name, questions in sets.word_questions(config).items():
        for asked in questions:
            yield Item(name, asked.id, "question", asked.user)
            yield Item(name, asked.id, "answer", asked.wanted)


def _shared(work: Work, groups: set[str]) -> list[str]:
    test = work.dataset / "test.jsonl"
    if not test.is_file():
        return []
    shared = {group for example in read_examples(test) for group in example.groups} & groups
    return [f"{len(shared)} groups of the test part, such as {min(shared)}, are trained on too."] if shared else []


def _reported(work: Work) -> bool:
    try:
        return _SECTION in (work.dataset / card.NAME).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False
