"""May a model of this dataset be sold: which examples stand in the way, and what it costs to leave them out.

Goes by the collected records and by the example's own statement: both must allow it. No legal advice.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from trainer.licences import LICENCES
from trainer.ownership.ledger import OWN_WORDING, UNRECORDED_FAMILIES, Document, Ledger, named, sources_of
from trainer.ownership.work import Work
from trainer.records import Example

NON_COMMERCIAL = "non-commercial"
UNKNOWN_LICENCE = "unknown-licence"
UNTRACED = "untraced"
WHY = {
    NON_COMMERCIAL: "rest on a source whose terms forbid commercial use",
    UNKNOWN_LICENCE: "have no licence, or one that the trainer does not know",
    UNTRACED: "rest on a document that is not among the collected records",
}
STAMP = "NON-COMMERCIAL: a model trained on this dataset must not be sold."
_OWN_WORDING_FAMILIES = frozenset({"refusal", "narrative"})  # need no licence where they rest on no document


@dataclass(frozen=True, slots=True)
class Cause:
    """An example that stands in the way, and the sources that make it do so, by why."""

    id: str
    split: str
    family: str
    why: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Cost:
    """What leaving out the causes takes from one family, source or split."""

    examples: int
    removed: int

    @property
    def left(self) -> int:
        """Examples that stay."""
        return self.examples - self.removed


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer.

    Attributes:
        examples: in the dataset.
        removed: of them that stand in the way.
        why: how many examples, by why and by the source that makes them so; one may count twice.
        families: cost by family.
        sources: cost by source and licence; an example that rests on two counts in both.
        splits: cost by split.
        bases: base models whose licence stands in the way.
    """

    examples: int
    removed: int
    why: Mapping[str, Mapping[str, int]]
    families: Mapping[str, Cost]
    sources: Mapping[str, Cost]
    splits: Mapping[str, Cost]
    bases: tuple[str, ...]

    @property
    def commercial(self) -> bool:
        """Whether a model trained on the dataset may be sold."""
        return not self.removed and not self.bases

    @property
    def vanish(self) -> tuple[str, ...]:
        """Families of which nothing would be left."""
        return tuple(name for name, cost in self.families.items() if not cost.left)

    @property
    def stamp(self) -> str:
        """What every paper of the build must carry; empty where it may be sold."""
        return "" if self.commercial else STAMP

    def fields(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "commercial": self.commercial, "stamp": self.stamp, "examples": self.examples, "removed": self.removed,
            "why": {why: dict(blamed) for why, blamed in self.why.items()}, "families": _costs(self.families),
            "sources": _costs(self.sources), "splits": _costs(self.splits), "families_that_vanish": list(self.vanish),
            "bases": list(self.bases),
        }  # fmt: skip


@dataclass(slots=True)
class _Count:
    all: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)

    def add(self, names: list[str], *, removed: bool) -> None:
        self.all.update(names)
        self.removed.update(names if removed else [])

    def costs(self) -> dict[str, Cost]:
        return {name: Cost(n, self.removed[name]) for name, n in sorted(self.all.items())}


def verdict(work: Work, ledger: Ledger, *, cause: Callable[[Cause], None] = lambda _: None) -> Verdict:
    """Judges every example of the dataset.

    Args:
        work: the work folder.
        ledger: of it.
        cause: told of each example that stands in the way, in the dataset's order.

    Raises:
        InputError: a damaged line (TRN-008, TRN-009).
    """
    families, sources, splits = _Count(), _Count(), _Count()
    blamed: dict[str, Counter[str]] = {why: Counter() for why in WHY}
    examples = removed = 0
    for split, example in work.examples():
        why = _why(example, ledger.documents)
        examples, removed = examples + 1, removed + bool(why)
        families.add([example.family], removed=bool(why))
        sources.add([named(*pair) for pair in sources_of(example, ledger.documents)], removed=bool(why))
        splits.add([split], removed=bool(why))
        for reason, names in why.items():
            blamed[reason].update(names)
        if why:
            cause(Cause(example.id, split, example.family, why))
    return Verdict(
        examples, removed, {why: dict(sorted(names.items())) for why, names in blamed.items() if names},
        families.costs(), sources.costs(), splits.costs(), tuple(one.id for one in ledger.base if not one.commercial),
    )  # fmt: skip


def _why(example: Example, documents: Mapping[str, Document]) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for why, name in _reasons(example, documents):
        found.setdefault(why, set()).add(name)
    if not example.commercial and NON_COMMERCIAL not in found:
        found[NON_COMMERCIAL] = {"marked so when it was built"}
    return {why: tuple(sorted(names)) for why, names in sorted(found.items())}


def _reasons(example: Example, documents: Mapping[str, Document]) -> Iterator[tuple[str, str]]:
    for doc in example.doc_ids:
        one = documents.get(doc)
        if one is not None:
            yield from _terms(one.licence, one.source, forbidden=not one.commercial)
        elif example.family not in UNRECORDED_FAMILIES:
            yield UNTRACED, doc.partition(":")[0]
        elif not example.licences:
            yield UNKNOWN_LICENCE, named(doc.partition(":")[0], "")
    traced = {documents[doc].licence for doc in example.doc_ids if doc in documents}
    for licence in sorted(set(example.licences) - traced):
        yield from _terms(licence, OWN_WORDING if not example.doc_ids else "stated by the example", forbidden=False)
    if not example.licences and not example.doc_ids and example.family not in _OWN_WORDING_FAMILIES:
        yield UNKNOWN_LICENCE, named(OWN_WORDING, "")


def _terms(licence: str, source: str, *, forbidden: bool) -> Iterator[tuple[str, str]]:
    if licence not in LICENCES:
        yield UNKNOWN_LICENCE, named(source, licence)
    elif forbidden or not LICENCES[licence].commercial:
        yield NON_COMMERCIAL, named(source, licence)


def _costs(costs: Mapping[str, Cost]) -> dict[str, dict[str, int]]:
    return {
        name: {"examples": cost.examples, "removed": cost.removed, "left": cost.left} for name, cost in costs.items()
    }
