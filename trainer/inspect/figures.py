"""Counts of a dataset: how many of what, how long, how old; and what was left out, with why.

One walk over the files, in memory that grows with the number of kinds and not of examples. Called by `lumen-trainer
inspect` and by the dataset card.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from trainer.ownership.work import SPLITS, Work
from trainer.records import Example, Reject

_YEAR_DIGITS = 4
_MOST = 20


@dataclass(slots=True)
class Lengths:
    """How many words texts have: a count for each length."""

    counts: Counter[int] = field(default_factory=Counter)

    def add(self, words: int) -> None:
        """Counts one text of so many words."""
        self.counts[words] += 1

    def quantile(self, share: float) -> int:
        """The length that this share of the texts do not exceed; 0 where there are none."""
        wanted = share * self.counts.total()
        seen = 0
        for words, n in sorted(self.counts.items()):
            seen += n
            if seen >= wanted:
                return words
        return 0

    def doubling(self) -> list[tuple[str, int]]:
        """Texts by length in classes that double: 0, 1, 2-3, 4-7 …; ends with the longest one's class."""
        classes = Counter[int]()
        for words, n in self.counts.items():
            classes[words.bit_length()] += n
        return [(_class(bits), classes[bits]) for bits in range(max(classes, default=-1) + 1)]


@dataclass(slots=True)
class Figures:
    """Counts over the examples added.

    Attributes:
        examples: all.
        words: of all turns.
        synthetic: of which a model wrote part.
        non_commercial: that say of themselves that no model of them may be sold.
        undated: that rest on documents of which none has a date.
        splits: by split.
        families: by family, then split.
        templates: by family and wording.
        languages: by ISO 639-1.
        licences: by licence; one with two counts in both.
        sources: by source; likewise.
        answerable: "yes" and "no" of those that show sources, "none" of the others.
        years: by year of the latest source.
        groups: by what must not lie on both sides of a split.
        questions: lengths of the user's last turn.
        answers: lengths of the assistant's last turn.
        whole: lengths of all turns together.
    """

    examples: int = 0
    words: int = 0
    synthetic: int = 0
    non_commercial: int = 0
    undated: int = 0
    splits: Counter[str] = field(default_factory=Counter)
    families: dict[str, Counter[str]] = field(default_factory=dict)
    templates: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    licences: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    answerable: Counter[str] = field(default_factory=Counter)
    years: Counter[str] = field(default_factory=Counter)
    groups: Counter[str] = field(default_factory=Counter)
    questions: Lengths = field(default_factory=Lengths)
    answers: Lengths = field(default_factory=Lengths)
    whole: Lengths = field(default_factory=Lengths)

    @property
    def families_count(self) -> int:
        """How many families there are."""
        return len(self.families)

    def add(self, split: str, example: Example) -> None:
        """Counts one example."""
        self.examples += 1
        self.synthetic += example.synthetic
        self.non_commercial += not example.commercial
        self.undated += bool(example.doc_ids) and not example.as_of
        self.splits[split] += 1
        self.families.setdefault(example.family, Counter())[split] += 1
        self.templates[f"{example.family}: {example.template}"] += 1
        self.languages[example.language] += 1
        self.licences.update(example.licences or ("none",))
        self.sources.update({doc.partition(":")[0] for doc in example.doc_ids} or {"none"})
        self.answerable[{True: "yes", False: "no", None: "none"}[example.answerable]] += 1
        if example.as_of:
            self.years[example.as_of[:_YEAR_DIGITS]] += 1
        self.groups.update(example.groups)
        words = [(message.role, len(message.content.split())) for message in example.messages]
        whole = sum(n for _, n in words)
        self.questions.add(next((n for role, n in reversed(words) if role == "user"), 0))
        self.answers.add(words[-1][1])
        self.whole.add(whole)
        self.words += whole

    def fields(self) -> dict[str, Any]:
        """As JSON values; of templates and groups the most frequent."""
        return {
            "examples": self.examples, "words": self.words, "synthetic": self.synthetic,
            "non_commercial": self.non_commercial, "undated": self.undated,
            "splits": {split: self.splits[split] for split in SPLITS},
            "families": {family: dict(splits) for family, splits in sorted(self.families.items())},
            "languages": ranked(self.languages), "licences": ranked(self.licences), "sources": ranked(self.sources),
            "answerable": ranked(self.answerable), "years": dict(sorted(self.years.items())),
            "templates": ranked(self.templates, _MOST), "groups": ranked(self.groups, _MOST),
            "lengths_words": {
                name: {"median": one.quantile(0.5), "p95": one.quantile(0.95), "longest": one.quantile(1)}
                for name, one in self.lengths().items()
            },
        }  # fmt: skip

    def lengths(self) -> dict[str, Lengths]:
        """The three kinds of lengths by name."""
        return {"user's turn": self.questions, "answer": self.answers, "all turns": self.whole}


def figures_of(work: Work) -> Figures:
    """Counts of a whole dataset.

    Raises:
        InputError: no dataset (TRN-040).
        InputError: a damaged line (TRN-008, TRN-009).
    """
    work.require_dataset()
    figures = Figures()
    for split, example in work.examples():
        figures.add(split, example)
    return figures


def rejected(rejects: Iterable[Reject]) -> dict[tuple[str, str], int]:
    """How many were left out, by step and reason; most first."""
    counts = Counter((one.step, one.reason) for one in rejects)
    return dict(sorted(counts.items(), key=lambda found: (-found[1], found[0])))


def ranked(counts: Mapping[str, int], most: int | None = None) -> dict[str, int]:
    """Counts with the largest first; equal ones by name."""
    return dict(sorted(counts.items(), key=lambda found: (-found[1], found[0]))[:most])


def _class(bits: int) -> str:
    low, high = (1 << bits) >> 1, (1 << bits) - 1
    return str(high) if low >= high else f"{low}-{high}"
