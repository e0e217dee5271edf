"""The adapter added to the base, in two ways, layer by layer; kept is the one that reads validation better as it ships.

Training saw the base through NF4. Added to what NF4 made of it ("dequantised") the adapter gives the trained model
exactly; added to the weights as they were ("original") it often keeps more of what the base knew. Neither is ever
written in 4 bits: rounding again erases what was learnt (peft 2321). Which is better is asked of the file that ships,
for the type of that file rounds as well (`trainer.rounding`). The files::

    WORK/merged/<kind>/         the model, in the base's own form; tokenizer and template are copies of the base's
    WORK/merged/merge.json      which was kept, the losses, how far apart they are, digests; written last

Refusals of merging and exporting:

TRN-080 there is no adapter, or it is not plain LoRA
TRN-081 the disk is too small
TRN-082 the adapter was trained on another base
TRN-083 weights are damaged or cut short
TRN-084 llama.cpp's converter is missing or failed
TRN-086 the split holds no conversation that fits
TRN-087 the memory is too small to compare
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import bitsandbytes
import torch

from lumen_desktop.errors import InputError, Stopped
from trainer import base
from trainer.adapter import Adapter
from trainer.base.prepared import STAMP, Prepared
from trainer.collect import Stop
from trainer.config import Config
from trainer.conversations import Conversation, few
from trainer.distance import Distance, Expected, distance, room_bytes
from trainer.lines import refused_if_unwritable, write_json
from trainer.ownership.manifest import digested
from trainer.ownership.work import Work
from trainer.room import refuse_full
from trainer.rounding import losses_as_shipped
from trainer.tensors import INDEX, Tensors, write
from trainer.trained import Trained
from trainer.turns import Turns

NAME = "merge.json"
DEQUANTISED, ORIGINAL = "dequantised", "original"
_FROM = "from.json"
_TRIED = "tried"  # files that were only made to be scored
_LINEAR = "_proj.weight"  # of Llama's family: what is adapted, and what NF4 holds
_TYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}

Told = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Merged:
    """The merged model that was kept.

    Attributes:
        folder: config.json, safetensors, tokenizer and template.
        kept: dequantised or original.
        losses: of each that was built: mean over learnt validation tokens, nats.
        shipped: the same as files of the type that ships; empty where there was nothing to choose.
        sha256: of its files.
    """

    folder: Path
    kept: str
    losses: Mapping[str, float]
    shipped: Mapping[str, float]
    sha256: str


def merge(config: Config, *, stop: Stop | None = None, told: Told = lambda _stage, _done, _all: None) -> Merged:
    """Builds what the configuration asks for, scores it, keeps the better; what is there of the same inputs stays.

    Raises:
        InputError: no adapter or one of another base (TRN-080, TRN-082), weights that cannot be read (TRN-083), no
            validation example (TRN-086), or too little memory (TRN-087).
        EngineError: llama.cpp's converter or quantiser failed (TRN-084, TRN-061), where there are two to choose from.
        StorageError: too little room, with the figures (TRN-081), or the disk refuses (TRN-010).
        Stopped: what was written whole stays.
    """
    work, asked = Work(config.work_folder), stop or Stop()
    heard = partial(_heard, asked, told)
    prepared = base.prepare(config, told=told)
    adapter = Adapter(work.finetuned / "adapter")
    origin = _origin(config, prepared, work)
    if (there := _found(work, origin)) is not None:
        return there
    _refuse_other_base(work, prepared, adapter)
    kinds = _kinds(config)
    _refuse_full(work, prepared, kinds)
    (work.merged / NAME).unlink(missing_ok=True)
    for kind in kinds:
        build(Build(kind, prepared, adapter, config.finetune.compute, work.merged / kind), origin, heard)
    return _kept(config, prepared, kinds, origin, heard)


def read(config: Config) -> Merged:
    """The merged model that a run before this one kept.

    Raises:
        InputError: there is none (TRN-017).
    """
    found = _found(Work(config.work_folder), None)
    if found is None:
        raise InputError("There is no merged model yet.", code="TRN-017", hint="Run `lumen-trainer merge` first.")
    return found


def as_trained(name: str, weight: torch.Tensor, compute: torch.dtype) -> torch.Tensor:
    """A weight of the base as it was seen while training on NF4 with double quantisation.

    Quantised by the same functions, from the same type, on the same kind of device as `trainer.base.load` does.

    Args:
        name: of the weight.
        weight: as the base's file has it.
        compute: type of the arithmetic of the training.
    """
    seen = weight.to(compute)
    if not name.endswith(_LINEAR):
        return seen
    device = "cuda" if torch.cuda.is_available() else "cpu"
    packed, state = bitsandbytes.functional.quantize_4bit(
        seen.contiguous().to(device), blocksize=64, compress_statistics=True, quant_type="nf4"
    )
    back: torch.Tensor = bitsandbytes.functional.dequantize_4bit(packed, state)
    return back.to("cpu")


def _heard(asked: Stop, told: Told, stage: str, done: int, count: int) -> None:
    if asked.asked:
        raise Stopped
    told(stage, done, count)


def _kinds(config: Config) -> list[str]:
    if config.finetune.precision != "nf4":
        return [ORIGINAL]  # what training saw is what the files hold
    wanted = config.export.merge
    return [DEQUANTISED, ORIGINAL] if wanted == "both" else [wanted]


@dataclass(frozen=True, slots=True)
class Build:
    """One of the two merges.

    Attributes:
        kind: dequantised or original.
        prepared: the base.
        adapter: what is added to it.
        compute: of the training: bf16 or fp32.
        folder: that it is written into.
    """

    kind: str
    prepared: Prepared
    adapter: Adapter
    compute: str
    folder: Path

    def weight(self, weights: Tensors, name: str) -> torch.Tensor:
        """A weight of the merged model, fp32; its own type comes last, when it is written."""
        found = weights.read(name)
        if self.kind == DEQUANTISED:
            found = as_trained(name, found, _TYPES[self.compute])
        found = found.float()
        return found + self.adapter.delta(name) if name in self.adapter.names else found


def build(one: Build, origin: Mapping[str, Any], heard: Callable[[str, int, int], None]) -> None:
    """Writes one merged model; goes on where a run of the same inputs was stopped."""
    if _made_of(one.folder) == origin:
        return
    shutil.rmtree(one.folder, ignore_errors=True)
    part = one.folder.with_name(one.folder.name + ".part")
    weights = Tensors(one.prepared.folder)
    with refused_if_unwritable(one.folder):
        if _made_of(part) != origin:
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            write_json(part / _FROM, origin)
        write(part, weights.places, partial(one.weight, weights), heard=partial(heard, f"merge {one.kind}"))
        copy_words(one.prepared, part)
        part.replace(one.folder)


def copy_words(prepared: Prepared, target: Path) -> None:
    """Everything of a base but its weights, byte for byte: a tokenizer that is saved anew is another one."""
    for file in sorted(prepared.folder.iterdir()):
        if file.is_file() and file.suffix != ".safetensors" and file.name not in {INDEX, STAMP}:
            shutil.copyfile(file, target / file.name)


def _kept(
    config: Config, prepared: Prepared, kinds: Sequence[str], origin: Mapping[str, Any],
    heard: Callable[[str, int, int], None],
) -> Merged:  # fmt: skip
    """Scores what was built, records it, and takes the other away."""
    work = Work(config.work_folder)
    turns = Turns(prepared, base.tokenizer(prepared))
    split = work.dataset / "validation.jsonl"
    asked = few(split, turns, count=config.export.parity_examples, longest=config.finetune.example_tokens)
    folders = [work.merged / kind for kind in kinds]
    losses, apart = _scores(config, folders, asked, heard)
    shipped = losses_as_shipped(config, folders, asked, work.merged / _TRIED, heard) if len(kinds) > 1 else {}
    kept = min(kinds, key=(shipped or losses).__getitem__)
    files = [asdict(digested(file)) for file in sorted((work.merged / kept).iterdir()) if file.name != _FROM]
    write_json(work.merged / NAME, {
        "from": origin, "kept": kept, "losses": losses, "shipped": shipped, "apart": apart and asdict(apart),
        "conversations": len(asked), "files": files, "sha256": _digest(files),
    })  # fmt: skip
    for kind in kinds:
        if kind != kept:
            shutil.rmtree(work.merged / kind)
    return read(config)


def _scores(
    config: Config, folders: Sequence[Path], asked: Sequence[Conversation], heard: Callable[[str, int, int], None]
) -> tuple[dict[str, float], Distance | None]:
    """The loss of each, and how far the second lies from the first."""
    first, *others = folders
    threads, kept = config.finetune.threads, first.with_name("said.part")
    with Trained(first, threads=threads) as model:
        expected = Expected(asked, model.logits, kept, heard=partial(heard, f"score {first.name}"))
    try:
        if not others:
            return {first.name: expected.loss}, None
        with Trained(others[0], threads=threads) as model:
            apart = distance(expected, model.logits, heard=partial(heard, f"score {others[0].name}"))
        return {first.name: apart.loss_trained, others[0].name: apart.loss}, apart
    finally:
        expected.close()


def _refuse_full(work: Work, prepared: Prepared, kinds: Sequence[str]) -> None:
    weights = Tensors(prepared.folder)
    there = sum(file.stat().st_size for kind in kinds for file in work.merged.glob(f"{kind}*/*.safetensors"))
    vocabulary = max(place.shape[0] for place in weights.places.values())
    tried = 4 * sum(place.count for place in weights.places.values()) if len(kinds) > 1 else 0  # two files, at most F16
    scoring = max(tried, room_bytes(vocabulary))  # one after the other
    refuse_full(work.folder, len(kinds) * weights.size_bytes + scoring - there, "Merging")


def _refuse_other_base(work: Work, prepared: Prepared, adapter: Adapter) -> None:
    """The run that made the adapter says on which base; its shapes say so as well."""
    try:
        said = json.loads((work.finetuned / "run.json").read_bytes())["identity"]["digests"]["base"]
    except (OSError, ValueError, KeyError, TypeError):
        said = ""
    if said != prepared.sha256 or not adapter.fits(Tensors(prepared.folder).places):
        raise InputError(
            "The adapter was trained on another base than the configuration names.", code="TRN-082",
            hint="Run `lumen-trainer finetune` with this configuration, or name the base that it was trained on.",
        )  # fmt: skip


def _origin(config: Config, prepared: Prepared, work: Work) -> dict[str, Any]:
    """What decides the merged models and which is kept."""
    adapter = [digested(file).sha256 for file in sorted((work.finetuned / "adapter").glob("adapter_*"))]
    split = work.dataset / "validation.jsonl"
    return {
        "base": prepared.sha256, "template": hashlib.sha256(prepared.template.encode()).hexdigest(),
        "adapter": adapter, "precision": config.finetune.precision, "compute": config.finetune.compute,
        "kinds": _kinds(config), "ship": config.export.ship, "conversations": config.export.parity_examples,
        "longest": config.finetune.example_tokens, "split": digested(split).sha256 if split.is_file() else "",
    }  # fmt: skip


def _found(work: Work, origin: Mapping[str, Any] | None) -> Merged | None:
    """What was kept, where it is whole and, if said, of these inputs."""
    try:
        fields = json.loads((work.merged / NAME).read_bytes())
        folder = work.merged / fields["kept"]
        whole = all((folder / one["name"]).stat().st_size == one["size_bytes"] for one in fields["files"])
        if not whole or (origin is not None and fields["from"] != origin):
            return None
        return Merged(folder, fields["kept"], fields["losses"], fields["shipped"], fields["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _made_of(folder: Path) -> Any:
    try:
        return json.loads((folder / _FROM).read_bytes())
    except (OSError, ValueError):
        return None


def _digest(files: Sequence[Mapping[str, Any]]) -> str:
    """Of a model: over the names and digests of its files."""
    lines = "".join(f"{one['sha256']}  {one['name']}\n" for one in files)
    return hashlib.sha256(lines.encode()).hexdigest()
