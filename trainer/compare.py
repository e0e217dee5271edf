"""Two evaluations side by side, question by question: what got better, what got worse, and whether that may be chance.

Called by `trainer.cli.compare` and the gate. Knows no model.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from lumen_desktop.errors import InputError
from trainer.evaluation.own import OVER_PASSAGES
from trainer.evaluation.results import ITEMS, Evaluation, Item, items
from trainer.evaluation.statistics import Paired, paired


@dataclass(frozen=True, slots=True)
class Compared:
    """One set of both.

    Attributes:
        set: its name.
        right: share right of the one and the other; where a set has only scores, their means.
        formed: share well formed; None where no form was asked for.
        overlap: of words with the wanted answer, mean, 0 to 1; None where answers are only right or wrong.
    """

    set: str
    right: Paired
    formed: Paired | None
    overlap: Paired | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """All sets of two evaluations.

    Attributes:
        one: name of the model looked at.
        other: name of the model it is compared with.
        sets: each that both have.
        only_in_one: sets that the other was not asked.
        only_in_other: sets that the one was not asked.
        together: all questions over passages as one set; None where there are none.
    """

    one: str
    other: str
    sets: tuple[Compared, ...]
    only_in_one: tuple[str, ...] = ()
    only_in_other: tuple[str, ...] = ()
    together: Compared | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As ``--json`` prints it."""
        return asdict(self)


def compare(one: Path, other: Path) -> Comparison:
    """Compares two folders of `Work.evaluated`.

    Args:
        one: of the model looked at.
        other: of the model it is compared with.

    Raises:
        InputError: a folder holds no evaluation (TRN-093), they were not asked the same (TRN-092), or an item is
            damaged (TRN-008, TRN-009, TRN-017).
    """
    first, second = _evaluation(one), _evaluation(other)
    if first.asked != second.asked:
        raise InputError(
            f"{first.model} and {second.model} were not asked the same questions.", code="TRN-092",
            hint="Evaluate both with the same configuration and dataset, then compare again.",
        )  # fmt: skip
    names, others = [score.set for score in first.scores], {score.set for score in second.scores}
    both = [name for name in names if name in others and (_file(one, name) and _file(other, name))]
    ours, theirs = ({name: list(items(folder, name)) for name in both} for folder in (one, other))
    over = [name for name in both if name in OVER_PASSAGES]
    return Comparison(
        one=first.model,
        other=second.model,
        sets=tuple(_compared(name, ours[name], theirs[name]) for name in both),
        together=_compared("over passages", *([item for name in over for item in of[name]] for of in (ours, theirs)))
        if over
        else None,
        only_in_one=tuple(name for name in names if name not in others),
        only_in_other=tuple(sorted(others - set(names))),
    )


def _compared(name: str, one: list[Item], other: list[Item]) -> Compared:
    theirs = {item.id: item for item in other}
    pairs = [(item, theirs[item.id]) for item in one if item.id in theirs]
    judged = all(a.right is not None and b.right is not None for a, b in pairs)
    formed = [(bool(a.formed), bool(b.formed)) for a, b in pairs if a.formed is not None and b.formed is not None]
    right = paired([_value(a, judged=judged) for a, _ in pairs], [_value(b, judged=judged) for _, b in pairs])
    graded = judged and formed and any(item.score not in {0.0, 1.0} for pair in pairs for item in pair)
    return Compared(
        set=name,
        right=right if judged else replace(right, p=None),
        formed=paired([a for a, _ in formed], [b for _, b in formed]) if formed else None,
        overlap=paired([a.score for a, _ in pairs], [b.score for _, b in pairs]) if graded else None,
    )


def _value(item: Item, *, judged: bool) -> float:
    return float(bool(item.right)) if judged else item.score


def _file(folder: Path, name: str) -> bool:
    return (folder / ITEMS / f"{name}.jsonl").is_file()


def _evaluation(folder: Path) -> Evaluation:
    try:
        return Evaluation.read(folder)
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(
            f"{folder.name} holds no evaluation.", code="TRN-093",
            hint="Run `lumen-trainer evaluate` and name the folder that it wrote.",
        ) from None  # fmt: skip
