"""One walk over a finished dataset: its figures, samples of each family, and what was left out and why.

Called by `lumen-trainer inspect` and, for the page beside a new dataset, by `lumen-trainer dataset`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lumen_desktop.errors import InputError
from trainer.inspect.figures import Figures, rejected
from trainer.inspect.samples import Sample
from trainer.lines import refused_if_unwritable
from trainer.ownership.work import Work
from trainer.records import Example, Reject

_IN_PAGE = 3  # examples of each family


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen.

    Attributes:
        seed: of the samples.
        figures: of all examples.
        families: a few examples with their splits, by family.
        drawn: those asked for.
        counts: how many were left out, by step and reason; most first.
        rejects: a few of them, by step and reason.
    """

    seed: int
    figures: Figures
    families: Mapping[str, list[tuple[str, Example]]]
    drawn: list[tuple[str, Example]]
    counts: Mapping[tuple[str, str], int]
    rejects: Mapping[tuple[str, str], list[Reject]]


def look(work: Work, *, family: str = "", n: int = 3, seed: int = 0) -> Look:
    """Looks at a dataset.

    Args:
        work: the work folder.
        family: from which ``drawn`` is drawn; any where empty.
        n: how many are drawn, and how many of each reason.
        seed: decides which.

    Raises:
        InputError: no dataset (TRN-040), no such family (TRN-044), a damaged line (TRN-008, TRN-009).
    """
    work.require_dataset()
    figures = Figures()
    drawn = Sample[tuple[str, Example]](n, seed=seed)
    families: dict[str, Sample[tuple[str, Example]]] = {}
    for split, example in work.examples():
        figures.add(split, example)
        found = (split, example)
        families.setdefault(example.family, Sample(_IN_PAGE, seed=seed)).offer(example.id, found)
        if family in ("", example.family):
            drawn.offer(example.id, found)
    if family and family not in families:
        raise InputError(
            "The dataset has no such family.", code="TRN-044", hint=f"Choose one of {', '.join(sorted(families))}."
        )
    reasons: dict[tuple[str, str], Sample[Reject]] = {}
    counts = rejected(_offered(work.rejects(), reasons, lambda: Sample(n, seed=seed)))
    return Look(
        seed, figures, {name: sample.kept() for name, sample in sorted(families.items())}, drawn.kept(), counts,
        {key: sample.kept() for key, sample in reasons.items()},
    )  # fmt: skip


def write_page(path: Path, seen: Look, *, name: str) -> None:
    """Writes what was seen as one page of HTML.

    Raises:
        StorageError: it cannot be written (TRN-010).
    """
    from trainer.inspect.page import page  # noqa: PLC0415 - drawing takes a second to load, and most do not need it

    whole = page(seen.figures, seen.counts, seen.families, name=name, seed=seen.seed)
    with refused_if_unwritable(path):
        path.write_bytes(whole.encode())


def _offered(
    rejects: Iterable[Reject], reasons: dict[tuple[str, str], Sample[Reject]], sample: Callable[[], Sample[Reject]]
) -> Iterator[Reject]:
    """Passes what was left out on, and lets each reason draw a few."""
    for one in rejects:
        key = (one.step, one.reason)
        if key not in reasons:
            reasons[key] = sample()
        reasons[key].offer(f"{one.where} {one.words}", one)
        yield one
