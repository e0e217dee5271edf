"""The merged model as GGUF files: one of 16 bits, smaller ones by llama.cpp's quantiser, each compared with the model.

Goes on where it was stopped: a file that is there, of the same inputs and with its digest, is not made again. Nothing
is refused for its figures here; they are written down for the gate. The files::

    WORK/exported/<name>-<quantisation>.gguf    beside it ….made.json: of what it was made; ….parity.json: its figures
    WORK/exported/importance.safetensors        which columns matter to the quantiser
    WORK/exported/export.json                   digests and figures of every file; written last
"""

import hashlib
import importlib.metadata
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import lumen_desktop
from lumen_desktop.errors import InputError, Stopped
from trainer import base, importance, merge
from trainer.collect import Stop
from trainer.config import Config
from trainer.conversations import few
from trainer.convert import WHOLE, to_gguf
from trainer.distance import room_bytes
from trainer.evaluation import sets
from trainer.evaluation.questions import digest, part, share
from trainer.lines import refused_if_unwritable, write_json
from trainer.llama import quantise
from trainer.merge import Merged
from trainer.ownership.manifest import FileFact, digested
from trainer.ownership.work import Work
from trainer.parity import Parity, Questions, measured
from trainer.room import refuse_full
from trainer.tensors import Tensors
from trainer.trained import Trained
from trainer.turns import Turns

NAME = "export.json"
SCHEMA, VERSION = "lumen-export", 1
IMPORTANCE = "importance.safetensors"
_BITS = {"F16": 16.0, "Q8_0": 8.5, "Q5_K_M": 5.7, "Q4_K_M": 4.9}  # of a weight, about
_FORM = 1  # of what is measured; another number measures anew
_FALLBACK = 1.25  # rows that are no multiple of 256 are kept in wider types
_PACKAGES = ("torch", "transformers", "llama-cpp-python", "numpy")

Told = Callable[[str, int, int], None]
Heard = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Exported:
    """The files that were made.

    Attributes:
        folder: that they lie in.
        files: by quantisation.
        parity: of each, against the trained model.
    """

    folder: Path
    files: Mapping[str, FileFact]
    parity: Mapping[str, Parity]


def export(config: Config, *, stop: Stop | None = None, told: Told = lambda _stage, _done, _all: None) -> Exported:
    """Converts, quantises and compares.

    Raises:
        InputError: nothing was merged (TRN-017), too little memory (TRN-087), or no examples (TRN-086).
        StorageError: too little room, with the figures (TRN-081), or the disk refuses (TRN-010).
        EngineError: llama.cpp's converter or quantiser failed (TRN-084, TRN-061), or a file cannot be opened (TRN-060).
        Stopped: what was written whole stays.
    """
    heard = partial(_heard, stop or Stop(), told)
    merged, prepared = merge.read(config), base.prepare(config, told=told)
    tokenizer = base.tokenizer(prepared)
    job = Job(config, merged, Work(config.work_folder), tokenizer, Turns(prepared, tokenizer))
    job.folder.mkdir(parents=True, exist_ok=True)
    job.refuse_full()
    (job.folder / NAME).unlink(missing_ok=True)
    kinds = [WHOLE, *(kind for kind in config.export.quantisations if kind != WHOLE)]
    files = {kind: job.made(kind, heard) for kind in kinds}
    found = _parity(job, files, heard)
    write_json(job.folder / NAME, _report(job, files, found))
    return Exported(job.folder, files, found)


@dataclass(frozen=True, slots=True)
class Job:
    """One export; knows where each file lies and of what it is made."""

    config: Config
    merged: Merged
    work: Work
    tokenizer: Any
    turns: Turns

    @property
    def folder(self) -> Path:
        """Where everything is written."""
        return self.work.exported

    @property
    def threads(self) -> int:
        """Of the processor."""
        return self.config.finetune.all_threads

    def path(self, kind: str) -> Path:
        """Where the file of a quantisation lies."""
        return self.folder / f"{self.config.release.name}-{kind}.gguf"

    def refuse_full(self) -> None:
        """Says before the first byte whether all of it has room."""
        weights = Tensors(self.merged.folder)
        numbers = sum(place.count for place in weights.places.values())
        kinds = {WHOLE, *self.config.export.quantisations}
        bits = sum(_BITS[kind] * (1 if kind == WHOLE else _FALLBACK) for kind in kinds if not self.path(kind).is_file())
        vocabulary = max(place.shape[0] for place in weights.places.values())
        refuse_full(self.folder, int(numbers * bits / 8) + room_bytes(vocabulary), "Exporting")

    def made(self, kind: str, heard: Heard) -> FileFact:
        """A file, made unless it is there."""
        origin, path = self._origin(kind), self.path(kind)
        if (fact := _there(path, origin)) is not None:
            return fact
        path.unlink(missing_ok=True)
        if kind == WHOLE:
            to_gguf(self.merged.folder, path, name=self.config.release.name, asked=lambda: heard("convert", 0, 1))
        else:
            self._quantise(kind, path, heard)
        fact = digested(path)
        write_json(_mark(path), {"from": origin, "fact": asdict(fact)})
        return fact

    def _quantise(self, kind: str, path: Path, heard: Heard) -> None:
        figures = self._importance(heard)
        part = path.with_name(path.name + ".part")
        heard(f"quantise {kind}", 0, 1)
        quantise(self.path(WHOLE), part, kind, threads=self.threads, importance=figures)
        with refused_if_unwritable(path), part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(path)

    def _importance(self, heard: Heard) -> Mapping[str, importance.Floats]:
        path, origin = self.folder / IMPORTANCE, self._calibration()
        if _there(path, origin) is None:
            split, longest = self.work.dataset / "train.jsonl", self.config.finetune.example_tokens
            asked = few(split, self.turns, count=self.config.export.importance_examples, longest=longest)
            with Trained(self.merged.folder, threads=self.config.finetune.threads) as model:
                found = importance.importance(model, asked, heard=partial(heard, "importance"))
            importance.write(path, found)
            write_json(_mark(path), {"from": origin, "fact": asdict(digested(path))})
        return importance.read(path)

    def _origin(self, kind: str) -> dict[str, Any]:
        """What decides the bytes of a file."""
        own = {"merged": self.merged.sha256, "kind": kind, "name": self.config.release.name}
        return own if kind == WHOLE else own | {"importance": self._calibration()}

    def _calibration(self) -> dict[str, Any]:
        return {
            "merged": self.merged.sha256, "split": digested(self.work.dataset / "train.jsonl").sha256,
            "examples": self.config.export.importance_examples, "longest": self.config.finetune.example_tokens,
        }  # fmt: skip


def _parity(job: Job, files: Mapping[str, FileFact], heard: Heard) -> dict[str, Parity]:
    """Of each file; what was measured before of the same file on the same questions holds."""
    settings, split = job.config, job.work.dataset / "validation.jsonl"
    most = settings.export.parity_examples
    letters = sets.letter_questions(settings)
    each = share({name: len(some) for name, some in letters.items()}, most)
    choices = [one for name, some in letters.items() for one in part(some, each[name])]
    origin = {
        "form": _FORM, "merged": job.merged.sha256, "split": digested(split).sha256, "conversations": most,
        "longest": settings.finetune.example_tokens, "choices": digest(choices), "threads": job.threads,
    }  # fmt: skip
    known = {kind: one for kind, fact in files.items() if (one := _measured(job, kind, origin, fact)) is not None}
    waiting = {kind: job.path(kind) for kind in files if kind not in known}
    if waiting:
        asked = Questions(
            conversations=few(split, job.turns, count=most, longest=settings.finetune.example_tokens),
            choices=choices, split=split, turns=job.turns, tokenizer=job.tokenizer,
            context_tokens=settings.evaluate.context_tokens,
        )  # fmt: skip
        for kind, one in measured(waiting, job.merged.folder, asked, threads=job.threads, heard=heard):
            values = {"from": {**origin, "file": files[kind].sha256}, "parity": asdict(one)}
            write_json(_figures_of(job, kind), values)
            known[kind] = one
    return {kind: known[kind] for kind in files}


def _figures_of(job: Job, kind: str) -> Path:
    path = job.path(kind)
    return path.with_name(path.name + ".parity.json")


def _measured(job: Job, kind: str, origin: Mapping[str, Any], fact: FileFact) -> Parity | None:
    try:
        values = json.loads(_figures_of(job, kind).read_bytes())
        same = values["from"] == {**origin, "file": fact.sha256}
        return Parity.of(values["parity"]) if same else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _report(job: Job, files: Mapping[str, FileFact], found: Mapping[str, Parity]) -> dict[str, Any]:
    """What `export.json` holds."""
    template = hashlib.sha256(job.turns.prepared.template.encode()).hexdigest()
    return {
        "schema": SCHEMA, "version": VERSION, "trainer": lumen_desktop.__version__, "name": job.config.release.name,
        "base": job.turns.prepared.sha256, "merged": job.merged.sha256, "kept": job.merged.kept,
        "losses": dict(job.merged.losses), "shipped_losses": dict(job.merged.shipped), "template": template,
        "ship": job.config.export.ship,
        "importance_examples": job.config.export.importance_examples,
        "files": {kind: _figures(fact, found[kind]) for kind, fact in files.items()},
        "packages": {name: importlib.metadata.version(name) for name in _PACKAGES},
    }  # fmt: skip


def _figures(fact: FileFact, one: Parity) -> dict[str, Any]:
    apart = one.distance
    return {
        **asdict(fact), "token_ids_equal": one.tokens.share, "texts": one.tokens.texts,
        "unequal": list(one.tokens.unequal), "passed_over": one.tokens.passed_over, "kl_mean": apart.kl_mean,
        "kl_p99": apart.kl_p99, "top1": apart.top1, "task_loss": apart.task_loss, "loss": apart.loss,
        "loss_trained": apart.loss_trained, "letters_agree": one.letters_agree, "letters": one.letters,
        "perplexity": apart.perplexity, "perplexity_trained": apart.perplexity_trained, "tokens": apart.tokens,
        "positions": apart.positions, "greedy_equal": one.greedy_equal, "greedy_prefix": one.greedy_prefix,
        "template_equal": one.template_equal,
    }  # fmt: skip


def read(config: Config) -> dict[str, Any]:
    """`export.json` of a run before this one.

    Raises:
        InputError: there is none (TRN-017).
    """
    try:
        fields: dict[str, Any] = json.loads((Work(config.work_folder).exported / NAME).read_bytes())
    except (OSError, ValueError):
        raise InputError(
            "Nothing was exported yet.", code="TRN-017", hint="Run `lumen-trainer export` first."
        ) from None
    return fields


def _mark(path: Path) -> Path:
    return path.with_name(path.name + ".made.json")


def _there(path: Path, origin: Mapping[str, Any]) -> FileFact | None:
    """The file as it was made, where it was made of this and is still that."""
    try:
        mark = json.loads(_mark(path).read_bytes())
        fact = FileFact(**mark["fact"])
        return fact if mark["from"] == origin and digested(path) == fact else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _heard(asked: Stop, told: Told, stage: str, done: int, count: int) -> None:
    if asked.asked:
        raise Stopped
    told(stage, done, count)
