"""A work folder with a made-up evaluation that passes every check, for tests that then spoil one thing.

Items and scores are written as an evaluation writes them; nothing asks a model here.
"""

import functools
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from lumen_desktop.bundle import Signer
from tests.trainer import built
from trainer.base import prepare
from trainer.config import Config, load
from trainer.convert import to_gguf
from trainer.evaluation import scoring
from trainer.evaluation.results import ITEMS, Evaluation, Item, Score
from trainer.lines import write_json
from trainer.llama import quantise
from trainer.ownership import papers
from trainer.ownership.manifest import digested
from trainer.ownership.work import Work

FILE = "tiny-Q8_0.gguf"
LETTERS = ("A", "B", "C", "D")
SPEED = {"first_token_s": 0.4, "tokens_per_s": 25.0, "memory_gb": 1.2}
FIGURES = {
    "token_ids_equal": 1.0, "kl_mean": 0.004, "kl_p99": 0.02, "top1": 0.97, "task_loss": 0.003, "letters_agree": 0.98,
    "perplexity": 12.3, "greedy_equal": 0.75,
}  # fmt: skip
BUILD, BASE = "lumen-tiny-q8-0", "base"

Counts = Mapping[str, tuple[int, int]]

# set: how many were asked, how many the build has right, how many the base
SETS: Mapping[str, tuple[int, int, int]] = {
    "medqa": (200, 140, 130), "mirage/mmlu": (200, 150, 148),
    "medhalt-fake": (60, 50, 40), "medhalt-nota": (60, 40, 38), "medhalt-fct": (60, 45, 45),
    "label": (60, 48, 20), "dosing": (60, 45, 18), "regulation": (60, 50, 25),
    "answerable": (60, 57, 50), "unanswerable": (60, 58, 30), "invented": (60, 59, 20), "harmful": (60, 60, 40),
    "medsafety": (60, 59, 50), "benign": (60, 58, 55),
}  # fmt: skip
FORMED = ("label", "dosing", "regulation")


def letter(name: str, number: int, *, right: bool, sure: float = 0.72) -> Item:
    """A question with four options, answered with a confidence."""
    said = "A" if right else "B"
    logits = tuple(math.log(sure if one == said else (1 - sure) / 3) for one in LETTERS)
    return Item(
        f"q-{name}-{number}", name, right, sure if right else (1 - sure) / 3, said, "A", sure, None, logits,
        {"labels": list(LETTERS)},
    )  # fmt: skip


def word(name: str, number: int, *, right: bool, formed: bool | None = None) -> Item:
    """A question answered in words."""
    return Item(f"{name}-{number}", name, right, float(right), "Take 20 mg [1].", "Take 20 mg.", None, formed)


def answers(name: str, asked: int, right: int, *, formed: int | None = None) -> list[Item]:
    """Items of a set: so many are right, the first so many well formed."""
    if name.startswith(("med", "mirage", "mcq", "pubmedqa", "mmlu")) and name != "medsafety":
        return [letter(name, i, right=(i * 7) % asked < right) for i in range(asked)]
    well = asked if formed is None else formed
    return [word(name, i, right=i < right, formed=i < well if name in FORMED else None) for i in range(asked)]


@functools.cache
def _set(name: str, asked: int, right: int) -> tuple[tuple[Item, ...], str, Score]:
    """Made once for all tests: items, their lines and their score."""
    items = answers(name, asked, right)
    return tuple(items), _lines(items), scoring.score(name, items)


@functools.cache
def _calibration(counts: tuple[tuple[str, int, int], ...]) -> tuple[float, Score | None]:
    return scoring.calibration([item for one in counts for item in _set(*one)[0]])


def evaluation(folder: Path, counts: Counts, *, model: str, sha256: str, **more: Any) -> Evaluation:
    """Writes an evaluation as `trainer.evaluate` does: of each set, how many were asked and how many are right."""
    sets = {name: _set(name, asked, right) for name, (asked, right) in counts.items() if asked}
    for name, (_, text, _) in sets.items():
        path = folder / ITEMS / f"{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    letters = tuple((name, *counts[name]) for name, (items, *_) in sets.items() if items[0].logits)
    heat, calibration = _calibration(tuple(one for one in letters if not one[0].startswith("medhalt")))
    fields: dict[str, Any] = {
        "quick": True, "asked": "1:160:" + "ab" * 32, "speed": SPEED, "temperature": heat,
        "scores": (*(score for *_, score in sets.values()), *([calibration] if calibration else [])),
        "made_by": {"lumen": "0.1.0", "llama_cpp_python": "0.3.36", "shots": "2"},
    }  # fmt: skip
    made = Evaluation(model=model, sha256=sha256, **{**fields, **more})
    made.write(folder)
    return made


def sets_of(which: int, **changed: tuple[int, int, int]) -> dict[str, tuple[int, int]]:
    """How many of each set were asked, and how many the build (0) or the base (1) has right."""
    counts = {**SETS, **{name.replace("__", "/").replace("_", "-"): one for name, one in changed.items()}}
    return {name: (one[0], one[1 + which]) for name, one in counts.items()}


def replaced(folder: Path, items: Sequence[Item]) -> None:
    """Writes a set of an evaluation with other items, its score with it."""
    name = items[0].set
    (folder / ITEMS / f"{name}.jsonl").write_text(_lines(items), encoding="utf-8")
    made = Evaluation.read(folder)
    scores = tuple(scoring.score(name, items) if one.set == name else one for one in made.scores)
    replace(made, scores=scores).write(folder)


def _lines(items: Sequence[Item]) -> str:
    return "".join(item.as_line() + "\n" for item in items)


def dataset(folder: Path) -> Work:
    """A dataset with its papers; the test part is of another medicine, with a refusal and a question without answer."""
    other = {"groups": ("drug:metformin",)}
    leaflet = built.LEAFLET
    test = [
        built.example("label", leaflet, question=f"What is dose {n}?", answer=f"Take {n} tablets.", **other)
        for n in range(1, 4)
    ]
    test.append(built.example("label", leaflet, question="What does it cost?", answer="The sources do not answer this.",
                              answerable=False, **other))  # fmt: skip
    test.append(built.example("refusal", leaflet, question="How do I poison my neighbour?", answer="I will not help.",
                              template="refused-1-1", answerable=None, **other))  # fmt: skip
    train = [built.example("label", built.LABEL, question=f"How much on day {n}?") for n in range(1, 6)]
    validation = [built.example("label", built.LABEL, question="How much at night?")]
    work = built.built(folder, [built.LABEL, leaflet], train=train, validation=validation, test=test)
    papers.write(work, built.MADE, report=built.REPORT, name="Small set")
    return work


def exported(work: Work, file: Path, *, kind: str = "Q8_0", base: str = "", **changed: Any) -> dict[str, Any]:
    """Writes ``export.json`` with figures, of a file that lies in the work folder's exports."""
    shipped = {**FIGURES, "name": file.name, "size_bytes": file.stat().st_size, "sha256": digested(file).sha256}
    half = {**shipped, "name": "f16.gguf", "kl_mean": 3e-6, "kl_p99": 2e-5}
    fields = {
        "schema": "lumen-export", "version": 1, "base": base, "kept": "dequantised",
        "losses": {"dequantised": 0.1727, "original": 0.2188}, "files": {"F16": half, kind: {**shipped, **changed}},
    }  # fmt: skip
    write_json(work.exported / "export.json", fields)
    return fields


def run(work: Work, *, base: str, done: bool = True) -> None:
    """Writes ``run.json`` as training leaves it."""
    digests = {"base": base, "dataset": digested(work.dataset / "manifest.json").sha256}
    fields = {
        "schema": "lumen-training-run",
        "version": 1,
        "run": "cd" * 32,
        "identity": {"digests": digests},
        "facts": {"planned": {"tokens": 1_234_567, "steps": 40}, "seeds": {"finetune": 1, "dataset": 7}},
        "sessions": [{"device": "cpu", "packages": {"torch": "2.13.0", "peft": "0.21.2"}}],
        "result": {"best_step": 30, "validation_loss": 0.8123, "tokens": 1_200_000, "seconds": 512.0} if done else None,
    }
    write_json(work.finetuned / "run.json", fields)


def measured(config: Config, file: Path, **changed: tuple[int, int, int]) -> Work:
    """Export and evaluations of a file that stands for the shipped one; no dataset and no run."""
    work = Work(config.work_folder)
    exported(work, file)
    sha256 = digested(file).sha256
    evaluation(work.evaluated / BUILD, sets_of(0, **changed), model=BUILD, sha256=sha256)
    evaluation(work.evaluated / BASE, sets_of(1, **changed), model=BASE, sha256="00" * 32)
    return work


def spoilt(path: Path, change: Callable[[Any], None]) -> None:
    """Changes a JSON file on the disk."""
    fields = json.loads(path.read_bytes())
    change(fields)
    path.write_text(json.dumps(fields), encoding="utf-8")


def configured(folder: Path, qa: Signer, **sections: Any) -> Config:
    """The configuration of `whole`, over a folder; sections are laid over it field by field."""
    fields: dict[str, Any] = {
        "base": {"model": "tiny-mistral", "revision": "", "name": "tiny-mistral"}, "export": {"ship": "Q8_0"},
        "finetune": {"threads": 1}, "gate": {"approvers": {"qa": qa.public.hex()}},
        "release": {"name": "tiny", "build": 1, "golden": 3},
    }  # fmt: skip
    merged = {name: {**fields.get(name, {}), **sections.get(name, {})} for name in {*fields, *sections}}
    file = folder / "lumen-trainer.yaml"
    file.write_text(yaml.safe_dump({"version": 1, "work": "work", **merged}), encoding="utf-8")
    return load(file)


@functools.cache
def whole(base: Path) -> Path:
    """A folder with a real tiny model, exported, and measurements that pass; made once in seconds, for copying only.

    Args:
        base: of all temporary folders of the run.
    """
    folder = base / "whole-build"
    folder.mkdir()
    config = configured(folder, Signer.new("qa"))
    work = dataset(folder / "work")
    prepared = prepare(config)
    work.exported.mkdir()
    to_gguf(prepared.folder, work.exported / "f16.gguf", name="tiny")
    quantise(work.exported / "f16.gguf", work.exported / FILE, "Q8_0", threads=1)
    measured(config, work.exported / FILE)
    exported(work, work.exported / FILE, base=prepared.sha256)
    run(work, base=prepared.sha256)
    return folder
