"""What a run needs of memory, disk and time, said before it begins, and refused with the figures where it is not there.

Arithmetic over the base's shape, by `trainer.arithmetic`; all of it estimates. Knows no tensor; `trainer.finetune`
calls it before it loads anything.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch

from lumen_desktop.errors import InputError, StorageError
from trainer.arithmetic import activations_gb, nf4_gb, work
from trainer.catalogue import Base
from trainer.recipe import Finetune

RESERVE_GB = {"cuda": 2.0, "cpu": 0.6}  # CUDA's context or the libraries, a layer's dequantised weights
CORE_GFLOPS = 100  # of a processor's core at its best; 75 were reached in bf16 on an EPYC with AVX512-BF16
LONGEST_DAYS = 30  # on a processor; beyond, a GPU is needed
_CHECKPOINTS = 4  # the last, the best, the one being written, the adapter itself
_TRAINED_BYTES = {"adamw": 16, "paged_adamw_8bit": 10}  # of a weight: itself, its gradient, two moments
_FROZEN_BYTES = {"bf16": 2, "fp32": 4}
_GB = 1e9

Checkpointing = str  # none, half or full


@dataclass(frozen=True, slots=True)
class Needs:
    """What a run takes.

    Attributes:
        memory: gigabytes of one GPU, or of the machine where there is none, by what takes them.
        disk_gb: of checkpoints and tokens.
        gflop_per_token: with the activations that are computed again.
    """

    memory: Mapping[str, float]
    disk_gb: float
    gflop_per_token: float

    @property
    def memory_gb(self) -> float:
        """Together."""
        return sum(self.memory.values())


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is of it: ``device`` is cuda or cpu, memory is free memory of one GPU or of the machine."""

    device: str
    memory_gb: float
    disk_gb: float
    cores: int


def machine(folder: Path, device: torch.device) -> Machine:
    """This machine as it is now.

    Args:
        folder: where the run writes; it need not be there yet.
        device: on which it computes.
    """
    there = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else psutil.virtual_memory().available
    cores = psutil.cpu_count(logical=False) or 1
    return Machine(device.type, free / _GB, shutil.disk_usage(there).free / _GB, cores)


def shape(config: Mapping[str, Any]) -> Base:
    """The base's shape from its ``config.json``."""
    heads, hidden = int(config["num_attention_heads"]), int(config["hidden_size"])
    width = int(config.get("head_dim") or hidden // heads)
    return Base(
        name=str(config.get("model_type", "base")), layers=int(config["num_hidden_layers"]), hidden=hidden,
        intermediate=int(config["intermediate_size"]), heads_width=heads * width,
        kv_width=int(config.get("num_key_value_heads") or heads) * width, vocabulary=int(config["vocab_size"]),
        longest=int(config.get("max_position_embeddings", 2_048)), tied=bool(config.get("tie_word_embeddings", False)),
    )  # fmt: skip


def needs(
    base: Base, how: Finetune, *, device: str, checkpointing: Checkpointing, optimizer: str, data_bytes: int
) -> Needs:
    """What a run with these choices takes.

    Args:
        base: its shape.
        how: the configuration.
        device: cuda or cpu.
        checkpointing: none, half or full.
        optimizer: adamw or paged_adamw_8bit.
        data_bytes: of the dataset's files.
    """
    frozen = nf4_gb(base) if how.precision == "nf4" else base.parameters * _FROZEN_BYTES[how.precision] / _GB
    weights = base.adapters(how.rank)
    operations = work(base, sequence=min(how.row_tokens, how.example_tokens), adapters=True)
    share = {"none": 0.0, "half": 0.5, "full": 1.0}[checkpointing]
    memory = {
        f"base in {how.precision}": frozen,
        "adapters, gradients, optimizer": weights * _TRAINED_BYTES[optimizer] / _GB,
        "activations": _activations(base, how, checkpointing),
        "reserve": RESERVE_GB[device],
    }
    disk = (_CHECKPOINTS * weights * 12 + 1.5 * data_bytes) / _GB
    return Needs(memory, disk, operations.plain + share * operations.recomputing)


def _activations(base: Base, how: Finetune, checkpointing: Checkpointing) -> float:
    kept, again = (activations_gb(base, how.row_tokens, checkpointed=one) for one in (False, True))
    wide = 2 if how.compute == "fp32" else 1  # the formula counts bf16
    return wide * {"none": kept, "half": (kept + again) / 2, "full": again}[checkpointing]


def chosen_checkpointing(base: Base, how: Finetune, there: Machine, *, optimizer: str) -> Checkpointing:
    """What the configuration says; for auto, by arithmetic, the one with the least computed again that fits."""
    if how.checkpointing != "auto":
        return how.checkpointing
    for one in ("none", "half"):
        taken = needs(base, how, device=there.device, checkpointing=one, optimizer=optimizer, data_bytes=0)
        if taken.memory_gb <= there.memory_gb:
            return one
    return "full"


def chosen_optimizer(base: Base, how: Finetune, there: Machine) -> str:
    """What the configuration says; for auto, AdamW in fp32 unless only 8 bits fit on a GPU."""
    if how.optimizer != "auto":
        return how.optimizer
    if there.device == "cpu":
        return "adamw"
    taken = needs(base, how, device="cuda", checkpointing="full", optimizer="adamw", data_bytes=0)
    return "adamw" if taken.memory_gb + 1 <= there.memory_gb else "paged_adamw_8bit"


def require(taken: Needs, there: Machine, *, tokens: int) -> None:
    """Says whether the machine is enough.

    Args:
        taken: what the run takes.
        there: what there is.
        tokens: that the run trains on, all epochs; 0 where they are not counted yet.

    Raises:
        InputError: a GPU is needed (TRN-070), memory is too small (TRN-071).
        StorageError: the disk is too small (TRN-071).
    """
    days = tokens * taken.gflop_per_token / (there.cores * CORE_GFLOPS) / 86_400
    if there.device == "cpu" and days > LONGEST_DAYS:
        raise InputError(
            f"This run needs a GPU and there is none: {tokens:,} tokens at {taken.gflop_per_token:.0f} billion "
            f"operations each would take {there.cores} cores about {days:,.0f} days.",
            code="TRN-070", hint="Run it where CUDA is, train on fewer examples, or take a smaller base.",
        )  # fmt: skip
    if taken.memory_gb > there.memory_gb:
        parts = ", ".join(f"{name} {amount:.1f}" for name, amount in taken.memory.items())
        raise InputError(
            f"The run needs about {taken.memory_gb:.1f} GB of memory ({parts}) and {there.memory_gb:.1f} GB are free.",
            code="TRN-071", hint="Take shorter rows (finetune.row_tokens), full checkpointing or nf4.",
        )  # fmt: skip
    if taken.disk_gb > there.disk_gb:
        raise StorageError(
            f"The run needs about {taken.disk_gb:.1f} GB on the disk and {there.disk_gb:.1f} GB are free.",
            code="TRN-071", hint="Make room, or choose another work folder.",
        )  # fmt: skip
