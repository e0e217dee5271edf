"""All steps of a build in order, each skipped where nothing that decides its result has changed since it was done.

Knows of each step what goes in and what comes out, not what it does. A step's stamp, written last, holds the digest of
all that went in (files, sections of the configuration, the trainer's version) and of each file that came out; a step
whose outputs were changed by hand is done again. A new wording in the trainer's own code does not make a day of
training stale; a new version does.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lumen_desktop
from lumen_desktop.errors import Stopped
from trainer.collect import Stop
from trainer.config import Config
from trainer.lines import write_json
from trainer.ownership.manifest import digested
from trainer.ownership.work import Work

Told = Callable[[str, int, int], None]
_FORM = 1  # of the stamps


@dataclass(frozen=True, slots=True)
class Step:
    """One part of a build.

    Attributes:
        name: its command's name.
        sections: of the configuration that decide its result.
        inputs: files that do, those of steps before it among them.
        outputs: files that it makes; all of them are there when it was done.
        work: does it; returns a sentence for the person.
        looks: whether it looks for itself what has changed, as what reads hundreds of gigabytes must.
    """

    name: str
    sections: tuple[str, ...]
    inputs: Callable[[Config], Sequence[Path]]
    outputs: Callable[[Config], Sequence[Path]]
    work: Callable[[Config, Stop, Told], str]
    looks: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """A step as it ended.

    Attributes:
        name: of the step.
        skipped: whether nothing had changed.
        words: a sentence.
        seconds: how long it took this time.
        outputs: digests of its files, by their names in the work folder.
    """

    name: str
    skipped: bool
    words: str
    seconds: float
    outputs: Mapping[str, str] = field(default_factory=dict)


def run(
    config: Config, steps: Sequence[Step], *, stop: Stop | None = None,
    told: Told = lambda _stage, _done, _all: None, heard: Callable[[Done], None] = lambda _done: None,
) -> list[Done]:  # fmt: skip
    """Does the steps that are due, in order.

    Args:
        config: of the build.
        steps: as `trainer.steps` has them.
        stop: ends the run within a step; what is done stays, the same command goes on.
        told: how far a step is.
        heard: each step as it ended.

    Raises:
        Stopped: it was asked for.
        LumenError: what a step refuses; the steps before it stay done.
    """
    asked, found = stop or Stop(), []
    for step in steps:
        if asked.asked:
            raise Stopped
        found.append(_done(config, step, asked, told))
        heard(found[-1])
    return found


def due(config: Config, steps: Sequence[Step]) -> Iterator[tuple[str, bool]]:
    """Each step's name and whether it would be done; after the first that is, all that rest on it may be."""
    for step in steps:
        yield step.name, step.looks or _stamped(config, step, _digest(config, step)) is None


def _done(config: Config, step: Step, stop: Stop, told: Told) -> Done:
    before = _digest(config, step)
    stamp = None if step.looks else _stamped(config, step, before)
    if stamp is not None:
        return Done(step.name, skipped=True, words=stamp["words"], seconds=0.0, outputs=stamp["outputs"])
    place = _place(config, step)
    place.unlink(missing_ok=True)
    began = time.monotonic()
    words = step.work(config, stop, lambda stage, done, total: told(f"{step.name}: {stage}", done, total))
    seconds, outputs = time.monotonic() - began, _outputs(config, step)
    stamp = {"form": _FORM, "inputs": before, "outputs": outputs, "words": words, "seconds": round(seconds, 1)}
    write_json(place, stamp)
    return Done(step.name, skipped=False, words=words, seconds=seconds, outputs=outputs)


def _place(config: Config, step: Step) -> Path:
    return config.work_folder / "steps" / f"{step.name}.json"


def _digest(config: Config, step: Step) -> str:
    """Of all that decides the step's result."""
    written = config.model_dump(mode="json", include=set(step.sections))
    facts: dict[str, Any] = {"version": lumen_desktop.__version__, "sections": written}
    facts["files"] = [[str(path), _sha256(path)] for path in step.inputs(config)]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _stamped(config: Config, step: Step, digest: str) -> dict[str, Any] | None:
    """The stamp of the step, where it was done from these inputs and its files are as it left them."""
    try:
        stamp: dict[str, Any] = json.loads(_place(config, step).read_bytes())
        current = stamp["form"] == _FORM and stamp["inputs"] == digest
        return stamp if current and stamp["outputs"] == _outputs(config, step) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _outputs(config: Config, step: Step) -> dict[str, str]:
    folder = Work(config.work_folder).folder
    return {path.relative_to(folder).as_posix(): _sha256(path) for path in step.outputs(config)}


def _sha256(path: Path) -> str:
    return digested(path).sha256 if path.is_file() else "absent"
