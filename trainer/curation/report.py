"""What curation did, in numbers: for the card, the report and whoever asks."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Step:
    """One step: examples taken in and left over, and why the others went."""

    name: str
    taken: int = 0
    left: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "name": self.name,
            "taken": self.taken,
            "left": self.left,
            "reasons": dict(sorted(self.reasons.items())),
        }


@dataclass(slots=True)
class Report:
    """All of it.

    Attributes:
        seed: of every drawing.
        steps: in the order they were done.
        checked: answers whose words and numbers were held against a source, and those that had none to be held against.
        replaced: pieces of personal data taken out, by kind.
        decontamination: by evaluation set.
        splits: by part: examples, groups, families and so on.
        connection: sets of connected groups, and the share of the largest.
        mix: by part and family: wanted, there, taken, missing.
        seconds: of the run, by stage; not part of the dataset, so that its bytes stay the same.
    """

    seed: int
    steps: list[Step] = field(default_factory=list)
    checked: Counter[str] = field(default_factory=Counter)
    replaced: Counter[str] = field(default_factory=Counter)
    decontamination: dict[str, Any] = field(default_factory=dict)
    splits: dict[str, Any] = field(default_factory=dict)
    connection: dict[str, Any] = field(default_factory=dict)
    mix: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """JSON values; the times left out, so that the same input gives the same report."""
        return {
            "seed": self.seed,
            "steps": [step.as_json() for step in self.steps],
            "checked": dict(sorted(self.checked.items())),
            "personal_data": dict(sorted(self.replaced.items())),
            "decontamination": self.decontamination,
            "splits": self.splits,
            "connection": self.connection,
            "mix": self.mix,
        }
