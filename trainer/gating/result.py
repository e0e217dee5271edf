"""What the gate said: each check with its figure, its line and one sentence, and the whole as a file.

Canonical JSON, so that its digest may stand in the bundle's manifest. Knows no check; `trainer.gate` makes it,
`trainer.release`, the report and the model card read it.
"""

import enum
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from trainer.lines import refused_if_unwritable
from trainer.ownership.manifest import canonical

NAME = "gate.json"
SCHEMA, VERSION = "lumen-gate", 1


class Outcome(enum.StrEnum):
    """How a check ended."""

    PASS = "PASS"  # noqa: S105 - no password
    FAIL = "FAIL"
    WAIVED = "WAIVED"  # it failed, and somebody who may has signed for it
    NOT_RUN = "NOT RUN"  # soft ones only: what was not measured fails a hard one


class Kind(enum.StrEnum):
    """What a failed check does: a hard one stops the build, a soft one is told."""

    HARD = "hard"
    SOFT = "soft"


@dataclass(frozen=True, slots=True)
class Waived:
    """Who let a failed check pass, when and why; ``key`` is the public key that signed, hexadecimal."""

    by: str
    reason: str
    day: str
    key: str


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the gate.

    Attributes:
        number: in the table; stays the same for ever, waivers name it.
        title: two or three words.
        kind: what failing does.
        value: what was measured, as people read it; empty where nothing was.
        threshold: what it had to be.
        outcome: of it.
        why: one sentence.
        figures: what was measured, by name.
        waived: who let it pass; None where nobody did.
    """

    number: int
    title: str
    kind: Kind
    value: str
    threshold: str
    outcome: Outcome
    why: str
    figures: Mapping[str, float] = field(default_factory=dict)
    waived: Waived | None = None

    @property
    def stops(self) -> bool:
        """Whether it keeps the build from going out."""
        return self.kind is Kind.HARD and self.outcome is Outcome.FAIL


@dataclass(frozen=True, slots=True)
class GateResult:
    """All of it.

    Attributes:
        build: short name of the build.
        number: of the build.
        quantisation: of the file.
        day: on which it was judged, ISO 8601.
        file_sha256: of the GGUF that was judged and may be sealed.
        evaluation_sha256: of the build's evaluation: its scores and every item.
        evidence_sha256: of all that was looked at; a waiver holds for this and nothing else.
        commercial: whether what it was trained on allows it to be sold.
        stamp: what every paper of it must carry; empty where it may be sold.
        checks: in the table's order.
    """

    build: str
    number: int
    quantisation: str
    day: str
    file_sha256: str
    evaluation_sha256: str
    evidence_sha256: str
    commercial: bool
    stamp: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether no hard check failed without a waiver."""
        return bool(self.checks) and not any(check.stops for check in self.checks)

    @property
    def word(self) -> str:
        """PASS, FAIL, or WAIVED where it passed only with waivers."""
        if not self.passed:
            return Outcome.FAIL.value
        waived = any(check.outcome is Outcome.WAIVED for check in self.checks)
        return (Outcome.WAIVED if waived else Outcome.PASS).value

    def check(self, number: int) -> Check:
        """The check of a number."""
        return next(check for check in self.checks if check.number == number)

    def fields(self) -> dict[str, Any]:
        """As JSON values."""
        return {"schema": SCHEMA, "version": VERSION, **asdict(self), "checks": [asdict(one) for one in self.checks]}

    def to_bytes(self) -> bytes:
        """As it is stored. Source: RFC 8785."""
        return canonical(self.fields())

    def write(self, folder: Path) -> Path:
        """Writes it, whole or not at all.

        Raises:
            StorageError: TRN-010.
        """
        path = folder / NAME
        part = path.with_name(path.name + ".part")
        with refused_if_unwritable(path):
            folder.mkdir(parents=True, exist_ok=True)
            part.write_bytes(self.to_bytes())
            part.replace(path)
        return path

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The result in a folder.

        Raises:
            OSError, ValueError, KeyError, TypeError: there is none, or it is none.
        """
        fields = json.loads((folder / NAME).read_bytes())
        if (fields.pop("schema"), fields.pop("version")) != (SCHEMA, VERSION):
            raise ValueError("a gate's result of another form")
        return cls(**{**fields, "checks": tuple(map(_check, fields["checks"]))})


def _check(fields: Mapping[str, Any]) -> Check:
    waived = fields["waived"]
    return Check(**{
        **fields, "kind": Kind(fields["kind"]), "outcome": Outcome(fields["outcome"]),
        "waived": Waived(**waived) if waived else None,
    })  # fmt: skip
