"""What is done to each example by itself: normalised, checked, de-identified, held against the evaluation sets.

Any number of shards can do it at the same time; which shard an example falls to changes nothing of it.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lumen_desktop.errors import InputError
from trainer.curation.contamination import Index, SetReport
from trainer.curation.evaluation import items
from trainer.curation.normalise import normalise
from trainer.curation.origins import Origins
from trainer.curation.personal import Detector, concerns
from trainer.curation.quality import checkable, flaw
from trainer.curation.settings import Settings
from trainer.records import Example, Reject

STEPS = ("read", "quality", "decontaminate")
_BLOCK = 8 * 2**20


def lines(parts: Sequence[Path], rank: int, shards: int, *, block: int = _BLOCK) -> Iterator[tuple[str, bytes]]:
    """Lines that fall to a shard, each with its file's name and the byte at which it begins.

    Files are dealt out in blocks, so that one large file is shared too; a line belongs to the block it begins in.
    """
    number = 0
    for file in parts:
        size = file.stat().st_size
        for start in range(0, size, block):
            if number % shards == rank:
                yield from _block(file, start, min(start + block, size))
            number += 1


def _block(file: Path, start: int, end: int) -> Iterator[tuple[str, bytes]]:
    with file.open("rb") as stream:
        if start:
            stream.seek(start - 1)
            stream.readline()
        while (place := stream.tell()) < end and (line := stream.readline()):
            if line.strip():
                yield f"{file.name}@{place}", line


@dataclass(slots=True)
class Counts:
    """What a shard counted; shards' counts add up."""

    taken: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, Counter[str]] = field(default_factory=lambda: {step: Counter() for step in STEPS})
    checked: Counter[str] = field(default_factory=Counter)
    replaced: Counter[str] = field(default_factory=Counter)
    sets: dict[str, SetReport] = field(default_factory=dict)

    def as_line(self) -> str:
        """One line of JSON."""
        sets = {
            name: [report.examples, report.long, dict(report.signs), sorted(report.found)]
            for name, report in self.sets.items()
        }
        return json.dumps([self.taken, self.reasons, self.checked, self.replaced, sets])

    def add(self, line: str, sets: dict[str, SetReport]) -> None:
        """Adds what another shard's line says; ``sets`` says what each evaluation set holds."""
        taken, reasons, checked, replaced, found = json.loads(line)
        self.taken.update(taken)
        self.checked.update(checked)
        self.replaced.update(replaced)
        for step, counts in reasons.items():
            self.reasons[step].update(counts)
        for name, (examples, long, signs, ids) in found.items():
            report = self.sets.setdefault(name, sets[name])
            report.examples += examples
            report.long += long
            report.signs.update(signs)
            report.found.update(ids)


class Preparation:
    """The steps of one shard.

    Args:
        settings: limits.
        evaluation: sets to keep out.
        records: files of Record lines, for the words of origins; none checks only what examples show.

    Raises:
        InputError: an evaluation set that cannot be read (TRN-030).
    """

    def __init__(self, settings: Settings, evaluation: Sequence[Path], records: Sequence[Path]) -> None:
        self._settings = settings
        self._index = Index(items(evaluation), settings.contaminated)
        self._origins = Origins(records) if records else None
        self._detector = Detector()
        self.counts = Counts(sets=self._index.reports())

    def __call__(self, where: str, line: bytes) -> Example | Reject:
        """The example of a line as it goes on, or why it does not."""
        self.counts.taken["read"] += 1
        try:
            example = normalise(Example.from_line(line))
        except (ValueError, TypeError, KeyError, AttributeError):
            return self._reject("read", where, "unreadable", "The line is no example.")
        return self._checked(example)

    def _checked(self, example: Example) -> Example | Reject:
        self.counts.taken["quality"] += 1
        reason = flaw(example, self._settings.quality, self._origins)
        if reason:
            return self._reject("quality", example.id, reason, f"Not good enough to learn from: {reason}.")
        can = checkable(example, self._settings.quality, self._origins)
        self.counts.checked["checked" if can else "not checkable"] += 1
        if concerns(example, self._settings.personal):
            example, replaced = self._detector.without(example)
            self.counts.replaced.update(replaced)
        return self._clean(example)

    def _clean(self, example: Example) -> Example | Reject:
        self.counts.taken["decontaminate"] += 1
        hits, long = self._index.look(example)
        for name in long:
            self.counts.sets[name].long += 1
        if not hits:
            return example
        for name in {hit.set for hit in hits}:
            self.counts.sets[name].examples += 1
        for hit in hits:
            self.counts.sets[hit.set].signs[hit.sign] += 1
            self.counts.sets[hit.set].found.add(hit.item)
        first = hits[0]
        words = f"It holds {first.share:.0%} of {first.item} of {first.set} ({first.sign})."
        return self._reject("decontaminate", example.id, first.sign, words)

    def _reject(self, step: str, where: str, reason: str, words: str) -> Reject:
        self.counts.reasons[step][reason] += 1
        return Reject(step, where, reason, words)


def evaluated(evaluation: Sequence[Path], settings: Settings) -> dict[str, SetReport]:
    """What the evaluation sets hold, read once before any shard begins, so that a wrong one is refused at once.

    Raises:
        InputError: an evaluation set that cannot be read (TRN-030).
    """
    missing = next((path for path in evaluation if not path.exists()), None)
    if missing:
        raise InputError(f"The evaluation set {missing.name} is not there.", code="TRN-031", hint="Correct its path.")
    return Index(items(evaluation), settings.contaminated).reports()


def as_json(sets: dict[str, SetReport]) -> dict[str, Any]:
    """The report on each evaluation set."""
    return {name: report.as_json() for name, report in sorted(sets.items())}
