"""One answered item, one score, one evaluation: what asking hands to comparing, to the gate and to the report.

JSON lines and JSON; knows no model and no question set. The files of an evaluation::

    WORK/evaluated/<model>/items/<set>.jsonl    an `Item` a line, in the set's order; kept, so that builds compare later
    WORK/evaluated/<model>/evaluation.json      the `Evaluation`
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from trainer.lines import read_lines, write_json

NAME = "evaluation.json"
ITEMS = "items"


@dataclass(frozen=True, slots=True)
class Item:
    """One question as it was answered.

    Attributes:
        id: of the question, the same for every model, so that two are compared item by item.
        set: name of the set it belongs to.
        right: whether the answer is right; None where only ``score`` says something.
        score: 0 to 1; of letters, the probability of the right one.
        said: what was answered: a letter, or the text.
        wanted: what is right; empty where there is no single answer.
        confidence: of the answer given, 0 to 1; None for free text.
        formed: whether it has the form asked for, whatever it says; None where none was asked for.
        logits: of the letters, in their order; empty for free text.
        facts: what else the report may group by, JSON values.
    """

    id: str
    set: str
    right: bool | None
    score: float
    said: str
    wanted: str = ""
    confidence: float | None = None
    formed: bool | None = None
    logits: tuple[float, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    def as_line(self) -> str:
        """One line of JSON, keys sorted."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_line(cls, line: str | bytes) -> Self:
        """The item of a line that `as_line` made."""
        fields = json.loads(line)
        return cls(**{**fields, "logits": tuple(fields["logits"])})


@dataclass(frozen=True, slots=True)
class Score:
    """What a set gave.

    Attributes:
        set: its name.
        measure: what ``value`` is: accuracy, refused, answered, exact …
        value: 0 to 1.
        low: of the 95 % interval.
        high: of the 95 % interval.
        items: how many were asked.
        majority: what the commonest answer alone would reach; None where there is none.
        facts: further figures by name, such as ece or form.
    """

    set: str
    measure: str
    value: float
    low: float
    high: float
    items: int
    majority: float | None = None
    facts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All scores of one model.

    Attributes:
        model: short name: of a build and its quantisation, or of the base.
        sha256: of the model file, or of the folder's files in order.
        quick: whether only a part of the public sets was asked.
        asked: digest of the questions and of how they were worded; evaluations compare only where it is equal.
        scores: a set each.
        temperature: fitted on validation, by which letters' logits are divided.
        speed: first_token_s, tokens_per_s, memory_gb, measured while it was asked.
        made_by: versions of the programs.
    """

    model: str
    sha256: str
    quick: bool
    asked: str
    scores: tuple[Score, ...]
    temperature: float
    speed: Mapping[str, float]
    made_by: Mapping[str, str]

    def score(self, name: str) -> Score | None:
        """The score of a set, where it was asked."""
        return next((score for score in self.scores if score.set == name), None)

    def write(self, folder: Path) -> None:
        """Writes it beside its items."""
        write_json(folder / NAME, asdict(self))

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The evaluation of a folder.

        Raises:
            OSError, ValueError, KeyError, TypeError: it is not there, or is none.
        """
        fields = json.loads((folder / NAME).read_bytes())
        return cls(**{**fields, "scores": tuple(Score(**one) for one in fields["scores"])})


def items(folder: Path, name: str) -> Iterator[Item]:
    """The items of a set in an evaluation's folder.

    Raises:
        InputError: it is not there (TRN-017) or damaged (TRN-008, TRN-009).
    """
    return read_lines(folder / ITEMS / f"{name}.jsonl", Item.from_line)
