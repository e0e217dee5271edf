"""Answered questions on the disk, line by line: a run that is killed goes on after the last whole one.

A set that is not whole lies under "NAME.jsonl.open"; it gets its name when every question is answered. What was asked
of another model, or otherwise, is thrown away and asked again. Knows no model; `trainer.evaluate` calls it.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import filelock

from lumen_desktop.errors import Stopped, StorageError
from trainer.collect import Stop
from trainer.evaluation.prompts import Choice
from trainer.evaluation.questions import Open
from trainer.evaluation.results import ITEMS, NAME, Item
from trainer.lines import refused_if_unwritable, write_json

RUN = "run.json"
Told = Callable[[str, int, int], None]


@contextlib.contextmanager
def opened(folder: Path, run: Mapping[str, Any]) -> Iterator[None]:
    """An evaluation's folder for one process; what lies there of another run is taken away.

    Args:
        folder: of one model.
        run: what decides the answers: model, questions, limits; JSON values.

    Raises:
        StorageError: another run works in it (TRN-014), or it cannot be written (TRN-010).
    """
    lock = filelock.FileLock(folder / "lock", timeout=0)
    with refused_if_unwritable(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire()
        except filelock.Timeout:
            raise StorageError(
                "Another evaluation works in this folder.", code="TRN-014", hint="Wait until it ends, or stop it."
            ) from None
    try:
        if _run(folder) != json.loads(json.dumps(run)):
            with refused_if_unwritable(folder):
                shutil.rmtree(folder / ITEMS, ignore_errors=True)
                (folder / NAME).unlink(missing_ok=True)
            write_json(folder / RUN, run)
        yield
    finally:
        lock.release()


def _run(folder: Path) -> Any:
    try:
        return json.loads((folder / RUN).read_bytes())
    except (OSError, ValueError):
        return None


def answered(
    folder: Path, name: str, questions: Sequence[Choice | Open], answer: Callable[[Any], Item],
    *, stop: Stop, told: Told,
) -> list[Item]:  # fmt: skip
    """The items of a set, those of an earlier run and those that are asked now.

    Args:
        folder: of the evaluation.
        name: of the set.
        questions: all of it, in order.
        answer: asks one.
        stop: ends the run between two questions.
        told: told the set, how many are answered, and how many there are.

    Raises:
        Stopped: what was answered stays.
        StorageError: TRN-010.
    """
    path = folder / ITEMS / f"{name}.jsonl"
    part = path.with_name(path.name + ".open")
    if path.is_file() and len(kept := _whole(path, questions)) == len(questions):
        return kept
    with refused_if_unwritable(path):
        part.parent.mkdir(parents=True, exist_ok=True)
        kept = _whole(part, questions) if part.is_file() else []
        with part.open("r+b" if part.is_file() else "w+b") as file:
            _cut(file, kept)
            for number, one in enumerate(questions[len(kept) :], start=len(kept)):
                if stop.asked:
                    raise Stopped
                told(name, number, len(questions))
                kept.append(answer(one))
                file.write(kept[-1].as_line().encode() + b"\n")
                file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    told(name, len(questions), len(questions))
    return kept


def _whole(path: Path, questions: Sequence[Choice | Open]) -> list[Item]:
    """The items at a file's beginning that are whole and answer the questions in their order."""
    found: list[Item] = []
    with path.open("rb") as file:
        for one, line in zip(questions, file, strict=False):
            try:
                item = Item.from_line(line) if line.endswith(b"\n") else None
            except (ValueError, KeyError, TypeError, AttributeError):
                item = None
            if item is None or item.id != one.id:
                break
            found.append(item)
    return found


def _cut(file: IO[bytes], kept: Sequence[Item]) -> None:
    """Leaves the first so many lines and goes behind them."""
    for _ in kept:
        file.readline()
    file.truncate()
