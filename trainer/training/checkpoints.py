"""The checkpoints of a run: folders that appear under their name only when they are whole, and say whose they are.

Knows no model: the caller fills a folder. Each holds `MARK` with the run's digest and every file's size and digest, so
that a damaged one, or one of another run, is never gone on from.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lumen_desktop.errors import InputError, IntegrityError
from trainer.lines import refused_if_unwritable, write_json
from trainer.ownership.manifest import digested

MARK = "whole.json"
_NAME = "checkpoint-"


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Those of one run.

    Attributes:
        folder: where they lie.
        run: digest of the run that writes and reads them.
    """

    folder: Path
    run: str

    def at(self, step: int) -> Path:
        """Where the one of a step lies, once it is there."""
        return self.folder / f"{_NAME}{step}"

    def write(self, step: int, fill: Callable[[Path], None]) -> None:
        """Writes one: all of it, or nothing under its name.

        Args:
            step: optimiser steps that were made.
            fill: writes files into the folder that it is given.

        Raises:
            StorageError: TRN-010.
        """
        part = self.folder / f".part-{step}"
        with refused_if_unwritable(part):
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            fill(part)
            files = sorted(path for path in part.iterdir() if path.is_file())
            for path in files:
                _to_disk(path)
            facts = [asdict(digested(path)) for path in files]
            write_json(part / MARK, {"run": self.run, "step": step, "files": facts})
            shutil.rmtree(self.at(step), ignore_errors=True)  # a damaged one that was passed over
            part.rename(self.at(step))
            _to_disk(self.folder)

    def steps(self) -> list[int]:
        """Of all that are there, whole or not, in order."""
        found = [path.name.removeprefix(_NAME) for path in self.folder.glob(f"{_NAME}*")]
        return sorted(int(name) for name in found if name.isdecimal())

    def last(self) -> int | None:
        """The step of the last whole one; None where there is none at all.

        Raises:
            InputError: they are another run's (TRN-072).
            IntegrityError: there are some, none of them whole (TRN-073).
        """
        steps = self.steps()
        for step in reversed(steps):
            mark = _mark(self.at(step))
            if mark and mark["run"] != self.run:
                raise InputError(
                    f"{self.at(step).name} belongs to another run.", code="TRN-072",
                    hint="Name another work folder, or move its finetuned folder away to begin anew.",
                )  # fmt: skip
            if mark and _whole(self.at(step), mark):
                return step
        if steps:
            raise IntegrityError(
                f"{self.at(steps[-1]).name} is damaged, and no checkpoint before it is whole.", code="TRN-073",
                hint="Move the finetuned folder away to begin anew.",
            )  # fmt: skip
        return None

    def keep(self, steps: Collection[int | None]) -> None:
        """Removes all but those of some steps."""
        for step in self.steps():
            if step not in steps:
                shutil.rmtree(self.at(step), ignore_errors=True)


def _mark(folder: Path) -> dict[str, Any] | None:
    try:
        mark: dict[str, Any] = json.loads((folder / MARK).read_bytes())
        good = isinstance(mark["run"], str) and isinstance(mark["files"], list)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return mark if good else None


def _whole(folder: Path, mark: dict[str, Any]) -> bool:
    try:
        return all(asdict(digested(folder / one["name"])) == one for one in mark["files"])
    except (OSError, KeyError, TypeError):
        return False


def _to_disk(path: Path) -> None:
    """Has the system write a file, or a folder's names, through; where it cannot for a folder, it need not."""
    with contextlib.suppress(PermissionError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
