"""Fine-tuning by QLoRA, one recipe from top to bottom: base, rows, order, adapters, loop, result.

A killed run goes on from its last whole checkpoint with the same command, on a processor to the last bit; what went in
and came out stands in `run.json`, how it goes in `progress.jsonl` and `progress.html`. On several GPUs the same command
runs under ``torchrun --nproc_per_node N -m trainer finetune --config FILE``. Called by `trainer.cli.finetune`.

Files, in the work folder's ``finetuned``::

    adapter/            the best adapters, as peft reads them
    checkpoint-N/       the last and the best, to go on from
    run.json            `trainer.training.record`
    progress.jsonl      a line a step and a look at validation
    progress.html       the same as curves
    trial/              all of these of a run of a few steps

Refusals: `trainer.training`.
"""

import contextlib
import hashlib
import json
import math
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState

from lumen_desktop.errors import Stopped
from trainer.base import Prepared, load, prepare, tokenizer
from trainer.base.quiet import quiet
from trainer.collect import Stop
from trainer.config import Config
from trainer.lines import refused_if_unwritable
from trainer.ownership.manifest import digested
from trainer.ownership.work import Work
from trainer.packing import collate
from trainer.rows import Rows, rows
from trainer.training import adapters, attention, needs, preference, probe
from trainer.training.checkpoints import Checkpoints
from trainer.training.loop import Laid, Loop, Parts, arguments, mean_loss
from trainer.training.order import Order, accumulation, order
from trainer.training.record import RunRecord, identity, session
from trainer.training.watching import Watch
from trainer.turns import Turns

ADAPTER, BEFORE_PREFERENCE, TRIAL = "adapter", "adapter-before-preference", "trial"
_OPTIMIZERS = {"adamw": {"cpu": "adamw_torch", "cuda": "adamw_torch_fused"}}
_STEP_PAIRS = 8  # in a step of preference
_LONGEST_WAIT = timedelta(hours=12)  # of a process while the first one tokenises
Told = Callable[[str, int, int], None]


def _nobody(_stage: str, _done: int, _all: int) -> None:
    """Tells nobody."""


@dataclass(frozen=True, slots=True)
class Finetuned:
    """What came out.

    Attributes:
        folder: of the run.
        adapter: folder of the adapters, as peft reads them.
        best_step: after which validation was best; theirs.
        validation_loss: then, mean over learnt tokens, nats; after the preference step where there was one.
        tokens: trained on, without padding.
        seconds: trained, all sessions.
    """

    folder: Path
    adapter: Path
    best_step: int
    validation_loss: float
    tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class _Place:
    """Where this process computes: the first of one, or one of several under torchrun."""

    device: torch.device
    state: PartialState | None

    @property
    def world(self) -> int:
        return self.state.num_processes if self.state else 1

    @property
    def rank(self) -> int:
        return self.state.process_index if self.state else 0

    @contextlib.contextmanager
    def first(self) -> Iterator[None]:
        """The first process goes ahead, the others wait for what it makes."""
        with self.state.main_process_first() if self.state else contextlib.nullcontext():
            yield

    def wait(self) -> None:
        """For all."""
        if self.state:
            self.state.wait_for_everyone()


@dataclass(frozen=True, slots=True)
class _Data:
    train: Rows
    validation: Rows
    order: Order
    pairs: list[preference.Pair]  # empty where there is no preference step


@dataclass(frozen=True, slots=True)
class _Run:
    """What every part of the recipe is given; ``choice`` is what auto means here, and grows as things are set up."""

    config: Config
    folder: Path
    place: _Place
    prepared: Prepared
    data: _Data
    choice: dict[str, Any]
    stop: Stop
    told: Told


def finetune(config: Config, *, stop: Stop | None = None, told: Told = _nobody, steps: int | None = None) -> Finetuned:
    """Fine-tunes, or goes on with a run that was ended, or finds it done.

    Args:
        config: whose work folder holds a dataset.
        stop: asks it to end in order, with a checkpoint.
        told: the stage, the steps done and the steps there are.
        steps: tries only so many, in a folder of its own, which is begun anew each time.

    Raises:
        InputError: TRN-062 to TRN-072, TRN-074 to TRN-078.
        EngineError: the loss is no number (TRN-075).
        StorageError: TRN-010, TRN-071, TRN-073.
        Stopped: it was asked to; the same command goes on.
    """
    place = _place(config)
    told = told if place.rank == 0 else _nobody
    folder = _folder(config, place, trial=steps is not None)
    with place.first():
        prepared = prepare(config, told=told)
        choice = _choice(config, prepared, place, folder)
        data = _data(config, prepared, told, steps=steps)
        earlier = RunRecord.read(folder)
    run = _Run(config, folder, place, prepared, data, choice, stop or Stop(), told)
    record = _record(run)
    if earlier:
        record.require_same(earlier)
        record.sessions = earlier.sessions
        if earlier.result and (folder / ADAPTER / adapters.WEIGHTS).is_file():
            return _finetuned(folder, earlier)
    needs.require(_needs(run), needs.machine(folder, place.device), tokens=_tokens(data))
    checkpoints = Checkpoints(folder, record.run)
    from_step = checkpoints.last() or 0
    with quiet():
        loop = _loop(run, _model(run), checkpoints, from_step)
        if place.rank == 0:
            record.sessions.append(session(from_step=from_step, world=place.world, device=place.device, **choice))
            record.write(folder)
        _train(loop, from_step)
        if place.rank == 0:
            _finish(run, record, loop)
    place.wait()
    done = RunRecord.read(folder)
    assert done is not None
    return _finetuned(folder, done)


# ---- before the run -------------------------------------------------------------------------------------------------


def _place(config: Config) -> _Place:
    if config.finetune.threads:
        torch.set_num_threads(config.finetune.threads)
    gpu = torch.cuda.is_available()
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return _Place(torch.device("cuda:0" if gpu else "cpu"), None)
    state = PartialState(cpu=not gpu, backend="nccl" if gpu else "gloo", timeout=_LONGEST_WAIT)
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if gpu else torch.device("cpu")
    return _Place(device, state)


def _folder(config: Config, place: _Place, *, trial: bool) -> Path:
    folder = Work(config.work_folder).finetuned
    if not trial:
        return folder
    if place.rank == 0:
        shutil.rmtree(folder / TRIAL, ignore_errors=True)
    place.wait()
    return folder / TRIAL


def _choice(config: Config, prepared: Prepared, place: _Place, folder: Path) -> dict[str, Any]:
    """What auto means on this machine; the GPU's probe may choose again."""
    base, there = _shape(prepared), needs.machine(folder, place.device)
    optimizer = needs.chosen_optimizer(base, config.finetune, there)
    kind = needs.chosen_checkpointing(base, config.finetune, there, optimizer=optimizer)
    return {"optimizer": optimizer, "checkpointing": kind}


def _shape(prepared: Prepared) -> Any:
    return needs.shape(json.loads((prepared.folder / "config.json").read_bytes()))


def _needs(run: _Run) -> needs.Needs:
    dataset, choice = Work(run.config.work_folder).dataset, run.choice
    data = sum((dataset / f"{split}.jsonl").stat().st_size for split in ("train", "validation"))
    return needs.needs(
        _shape(run.prepared), run.config.finetune, device=run.place.device.type, checkpointing=choice["checkpointing"],
        optimizer=choice["optimizer"], data_bytes=data,
    )  # fmt: skip


def _data(config: Config, prepared: Prepared, told: Told, *, steps: int | None) -> _Data:
    how = config.finetune
    turns = Turns(prepared, tokenizer(prepared))
    train = rows(config, turns, "train", told=told)
    validation = rows(config, turns, "validation", most=how.validation_examples, told=told)
    most = min(filter(None, (steps, how.steps)), default=None)
    laid = order(
        len(train), rows_per_step=max(1, how.step_tokens // how.row_tokens), epochs=how.epochs, steps=most,
        seed=how.seed,
    )  # fmt: skip
    used = config.preference.use  # a lack of pairs is said now, not after the run
    pairs = preference.pairs(Work(config.work_folder), turns, longest=how.example_tokens) if used else []
    return _Data(train, validation, laid, pairs)


def _tokens(data: _Data) -> int:
    """Of the whole run, about: rows differ little in how full they are."""
    return round(data.train.token_count / len(data.train) * len(data.order.rows))


def _record(run: _Run) -> RunRecord:
    config, prepared, data = run.config, run.prepared, run.data
    dataset = Work(config.work_folder).dataset
    digests = {
        "base": prepared.sha256,
        "template": hashlib.sha256(prepared.template.encode()).hexdigest(),
        "train": data.train.tokens.digest,
        "validation": data.validation.tokens.digest,
    }
    if (dataset / "manifest.json").is_file():
        digests["dataset"] = digested(dataset / "manifest.json").sha256
    section = config.finetune.model_dump(mode="json")
    what = identity(
        section, digests, order=data.order.sha256, steps=data.order.steps, rows_per_step=data.order.rows_per_step
    )
    what |= {"preference": config.preference.model_dump(mode="json"), "optimizer": run.choice["optimizer"]}
    facts = {
        "base": {"name": prepared.name, "revision": prepared.revision, "licence": prepared.licence,
                 "notes": list(prepared.notes)},
        "finetune": section, "seeds": {"finetune": config.finetune.seed, "dataset": config.dataset.seed},
        "train": _counted(data.train), "validation": _counted(data.validation),
        "planned": {"tokens": _tokens(data), "steps": data.order.steps, "rows_per_step": data.order.rows_per_step},
        "needs": {"memory_gb": dict(_needs(run).memory), "disk_gb": _needs(run).disk_gb},
    }  # fmt: skip
    return RunRecord(what, facts)


def _counted(one: Rows) -> dict[str, Any]:
    return {**asdict(one.tokens.counts), "taken": one.documents, "taken_tokens": one.token_count, "rows": len(one),
            "row_tokens": one.room, "padding_share": round(one.padding_share, 6)}  # fmt: skip


# ---- the run --------------------------------------------------------------------------------------------------------


def _model(run: _Run) -> Any:
    """The base with adapters, set up for speed where there is a GPU."""
    how, choice, place = run.config.finetune, run.choice, run.place
    base = load(run.prepared, precision=how.precision, compute=how.compute, device=str(place.device))
    choice["attention"] = attention.NAME if attention.use(base) else "sdpa"
    choice["liger"] = _liger(base, place)
    torch.manual_seed(how.seed)
    model = adapters.add(base, how)
    probe.switch(base, choice["checkpointing"])
    if place.device.type == "cuda" and how.checkpointing == "auto":
        # with scores at every place: more than any row needs, so what fits here fits all of them
        tried = probe.probe(model, collate([run.data.train[0]]), reserved_bytes=8 * adapters.trainable(model))
        choice |= {"probe": [asdict(one) for one in tried], "checkpointing": tried[-1].checkpointing}
    return model


def _liger(base: Any, place: _Place) -> bool:
    """Fused kernels, on CUDA where they are installed. NOT RUN: no GPU was at hand."""
    if place.device.type != "cuda":
        return False
    try:
        from liger_kernel.transformers import _apply_liger_kernel_to_instance  # noqa: PLC0415 - only where CUDA is
    except ImportError:
        return False
    _apply_liger_kernel_to_instance(model=base)
    return True


def _loop(run: _Run, model: Any, checkpoints: Checkpoints, from_step: int) -> Loop:
    how, data, place, total = run.config.finetune, run.data, run.place, run.data.order.steps
    name = run.choice["optimizer"]
    given = arguments(
        run.folder, device=place.device, max_steps=total, learning_rate=how.learning_rate,
        optim=_OPTIMIZERS.get(name, {}).get(place.device.type, name), bf16=how.compute == "bf16",
        gradient_accumulation_steps=accumulation(data.order.rows_per_step, place.world),
        warmup_steps=math.ceil(how.warmup * total), eval_steps=how.evaluate_every, save_steps=how.save_every,
        eval_on_start=from_step == 0, seed=how.seed, data_seed=how.seed,
    )  # fmt: skip
    title = f"{run.config.release.name} from {run.prepared.name}"
    parts = Parts(
        laid=Laid(data.train, data.order),
        validation=data.validation,
        checkpoints=checkpoints,
        watch=Watch(run.folder, title=title, steps=total, from_step=from_step, told=run.told)
        if place.rank == 0
        else None,
        stop=run.stop,
        base=run.prepared.name,
        patience=how.patience,
    )
    loop = Loop(model, given, parts)
    torch.manual_seed(how.seed + 1_000_003 * place.rank)  # of the dropout: each process its own
    return loop


def _train(loop: Loop, from_step: int) -> None:
    parts = loop.parts
    try:
        loop.train(resume_from_checkpoint=str(parts.checkpoints.at(from_step)) if from_step else None)
    finally:
        if parts.watch:
            parts.watch.draw()
            parts.watch.close()
    if loop.stopped and loop.state.global_step < loop.state.max_steps:
        raise Stopped


# ---- what came out --------------------------------------------------------------------------------------------------


def _finish(run: _Run, record: RunRecord, loop: Loop) -> None:
    watch, folder = loop.parts.watch, run.folder
    assert watch is not None
    best, loss = int(loop.state.best_global_step), float(loop.state.best_metric)
    _adapter_from(loop.parts.checkpoints.at(best), folder / ADAPTER)
    preferred = None
    if run.data.pairs:
        preferred, loss = _prefer(run, loop, best)
    looks = [one["validation_loss"] for one in watch.lines if one["step"] == 0 and "validation_loss" in one]
    steps = int(loop.state.global_step)
    record.result = {
        "ended": "finished" if steps == loop.state.max_steps else "early", "steps": steps, "best_step": best,
        "validation_loss": loss, "validation_loss_before": looks[0] if looks else None, "tokens": watch.tokens,
        "seconds": round(watch.lines[-1]["seconds"], 3), "preference": preferred,
        "adapter": [asdict(digested(path)) for path in sorted((folder / ADAPTER).iterdir())],
    }  # fmt: skip
    record.write(folder)
    watch.draw(ended=f"Done after {steps:,} steps; the best adapters are those of step {best:,}.")


def _adapter_from(source: Path, target: Path) -> None:
    """Copies a folder's adapters: all of them, or nothing under the name."""
    part = target.with_name(target.name + ".part")
    with refused_if_unwritable(target):
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        for name in (adapters.WEIGHTS, adapters.CONFIG):
            shutil.copyfile(source / name, part / name)
        shutil.rmtree(target, ignore_errors=True)
        part.replace(target)


def _prefer(run: _Run, loop: Loop, best: int) -> tuple[dict[str, Any], float]:
    """The preference step over the best adapters, and validation after it."""
    config, folder, found = run.config, run.folder, run.data.pairs
    model = loop.accelerator.unwrap_model(loop.model)
    adapters.load(model, loop.parts.checkpoints.at(best))
    torch.manual_seed(config.finetune.seed)
    outcome = preference.prefer(
        model, found, config.preference, seed=config.finetune.seed, step_pairs=_STEP_PAIRS,
        forward=loop.accelerator.autocast, stop=run.stop, told=run.told,
    )  # fmt: skip
    loss = mean_loss(model, loop.parts.validation, loop.args.device)
    written = folder / "preferred.part"
    shutil.rmtree(written, ignore_errors=True)
    written.mkdir()
    adapters.save(model, written, base=run.prepared.name)
    _adapter_from(folder / ADAPTER, folder / BEFORE_PREFERENCE)
    _adapter_from(written, folder / ADAPTER)
    shutil.rmtree(written)
    return asdict(outcome), loss


def _finetuned(folder: Path, record: RunRecord) -> Finetuned:
    result = record.result
    assert result is not None
    return Finetuned(
        folder, folder / ADAPTER, int(result["best_step"]), float(result["validation_loss"]), int(result["tokens"]),
        float(result["seconds"]),
    )  # fmt: skip
