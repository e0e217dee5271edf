"""What the gate looks at: the measurements that lie in the work folder, and their digest.

Reads, and judges nothing. An evaluation belongs to the build when it is of the very file that is to be shipped; the
base's is the one that was asked the same and is of another file.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lumen_desktop.errors import InputError
from trainer.compare import Compared, Comparison, compare
from trainer.config import Config
from trainer.evaluation.results import ITEMS, NAME, Evaluation, Item, Score, items
from trainer.gating import roles
from trainer.ownership.manifest import FileFact, canonical, digested
from trainer.ownership.work import Work

EXPORT = "export.json"
RUN = "run.json"


@dataclass(frozen=True, slots=True)
class Asked:
    """A model as it was asked."""

    folder: Path
    evaluation: Evaluation

    def scores(self, role: tuple[str, ...]) -> tuple[Score, ...]:
        """Of the sets that have a role and were asked anything."""
        wanted = set(roles.among((one.set for one in self.evaluation.scores), role))
        return tuple(one for one in self.evaluation.scores if one.set in wanted and one.items)

    def items(self, name: str) -> list[Item]:
        """The items of a set; none where it has no file."""
        return list(items(self.folder, name)) if (self.folder / ITEMS / f"{name}.jsonl").is_file() else []

    def files(self) -> list[FileFact]:
        """The evaluation and every item, digested."""
        found = [self.folder / NAME, *sorted((self.folder / ITEMS).rglob("*.jsonl"))]
        return [digested(path, name=path.relative_to(self.folder).as_posix()) for path in found if path.is_file()]

    @property
    def sha256(self) -> str:
        """Digest of all of it."""
        return _digest({one.name: one.sha256 for one in self.files()})


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that lies there.

    Attributes:
        exported: what `trainer.export` wrote.
        shipped: the quantisation that is to be shipped.
        file: the GGUF of it.
        build: its evaluation.
        base: the base's, where it was asked the same.
        prior: of the build before, where one is named.
        against_base: item by item.
        against_prior: the same.
    """

    exported: Mapping[str, Any]
    shipped: str
    file: Path
    build: Asked
    base: Asked | None
    prior: Asked | None
    against_base: Mapping[str, Compared] = field(default_factory=dict)
    against_prior: Mapping[str, Compared] = field(default_factory=dict)
    others: tuple[FileFact, ...] = ()

    @property
    def facts(self) -> Mapping[str, Any]:
        """What was measured of the shipped file."""
        found: Mapping[str, Any] = self.exported["files"][self.shipped]
        return found

    @property
    def sha256(self) -> str:
        """Digest of everything that was looked at."""
        asked = {"build": self.build, "base": self.base, "prior": self.prior}
        return _digest({
            **{f"{who}/{one.name}": one.sha256 for who, of in asked.items() if of for one in of.files()},
            **{one.name: one.sha256 for one in self.others},
        })  # fmt: skip


def gathered(config: Config) -> Evidence:
    """Everything the gate needs that lies in the work folder.

    Raises:
        InputError: nothing was exported, or the exported file was not evaluated (TRN-100), or an item is damaged.
    """
    work, shipped = Work(config.work_folder), config.export.ship
    exported = _exported(work, shipped)
    sha256 = exported["files"][shipped]["sha256"]
    known = dict(_asked(work.evaluated))
    build = next((one for one in known.values() if one.evaluation.sha256 == sha256), None)
    if build is None:
        raise missing(f"The {shipped} file was not evaluated.", "Run `lumen-trainer evaluate` first.")
    base = _base(config, build, known)
    prior = dict(_asked_one(config.place(config.gate.prior))).get("") if config.gate.prior else None
    return Evidence(
        exported, shipped, work.exported / exported["files"][shipped]["name"], build, base, prior,
        _compared(build, base), _compared(build, prior), tuple(_others(work)),
    )  # fmt: skip


def missing(message: str, hint: str) -> InputError:
    """The refusal where a step before did not run."""
    return InputError(message, code="TRN-100", hint=hint)


def _exported(work: Work, shipped: str) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = json.loads((work.exported / EXPORT).read_bytes())
        found["files"][shipped]["sha256"], found["files"][shipped]["name"]
    except (OSError, ValueError, KeyError, TypeError):
        raise missing(f"No {shipped} file was exported.", "Run `lumen-trainer export` first.") from None
    return found


def _base(config: Config, build: Asked, known: Mapping[str, Asked]) -> Asked | None:
    """The base as it was asked; by the file that the configuration names, else by a folder's name."""
    same = {
        name: one for name, one in known.items()
        if one.evaluation.asked == build.evaluation.asked and one.folder != build.folder
    }  # fmt: skip
    likely = [name for name in sorted(same) if config.base.name in name or "base" in name]
    return same[likely[0]] if likely else None


def _compared(build: Asked, other: Asked | None) -> dict[str, Compared]:
    if other is None or other.evaluation.asked != build.evaluation.asked:
        return {}
    found: Comparison = compare(build.folder, other.folder)
    return {one.set: one for one in found.sets}


def _asked(folder: Path) -> Iterator[tuple[str, Asked]]:
    for inner in sorted(folder.glob("*")):
        for _, one in _asked_one(inner):
            yield inner.name, one


def _asked_one(folder: Path) -> Iterator[tuple[str, Asked]]:
    try:
        yield "", Asked(folder, Evaluation.read(folder))
    except (OSError, ValueError, KeyError, TypeError):
        return


def _others(work: Work) -> Iterator[FileFact]:
    for path in (work.exported / EXPORT, work.finetuned / RUN, work.dataset / "manifest.json"):
        if path.is_file():
            yield digested(path, name=path.relative_to(work.folder).as_posix())


def _digest(fields: Mapping[str, str]) -> str:
    return hashlib.sha256(canonical(dict(fields))).hexdigest()
