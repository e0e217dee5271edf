"""Which activations to keep: a step is tried on the GPU with none, half and all of them computed again.

The fewer are computed again the faster, so the first that fits is the fastest; each trial's time and memory are kept
for the run's record. It leaves no trace: gradients are dropped and every generator is set back. On a processor nothing
is tried, `trainer.training.needs` reckons instead. THE GPU'S PART HAS NOT RUN: no GPU was at hand.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from trainer.training.states import random_state, set_random_state

KINDS = ("none", "half", "full")
HEADROOM = 0.94  # share of the memory that a trial may fill: the longest rows are not all of one shape
_EVERY = {"half": 2, "full": 1}


@dataclass(frozen=True, slots=True)
class Trial:
    """One step as it was tried; ``seconds`` and ``peak_gb`` are 0 where it did not fit."""

    checkpointing: str
    fits: bool
    seconds: float = 0.0
    peak_gb: float = 0.0


def switch(model: Any, checkpointing: str) -> None:
    """Has the model compute some of its activations again: none, every second block's, all blocks'."""
    model.activation_checkpointing_disable()
    if checkpointing != "none":
        model.activation_checkpointing_enable(
            activation_checkpointing_kwargs={"use_reentrant": False}, every_n_layers=_EVERY[checkpointing]
        )


def probe(model: Any, batch: Mapping[str, Any], *, reserved_bytes: int) -> list[Trial]:
    """Tries one step with each kind until one fits, and leaves the model switched to that one.

    Args:
        model: with adapters, on its GPU, set up as it will train.
        batch: of a full row, made without the training's own loader, which draws from the generators.
        reserved_bytes: what the optimizer will take beside it.

    Returns:
        A trial each, the last of them the one that fits; where none does, the last is full and does not.
    """
    device = next(model.parameters()).device
    batch = {name: one.to(device) if isinstance(one, torch.Tensor) else one for name, one in batch.items()}
    room = torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device)
    return tried(
        KINDS, lambda kind: _step(model, batch, kind, device=device, room=HEADROOM * room - reserved_bytes), device
    )


def tried(kinds: tuple[str, ...], trial: Callable[[str], Trial], device: torch.device) -> list[Trial]:
    """Trials up to the first that fits; the generators stand afterwards as they stood before."""
    before = random_state(device)
    made: list[Trial] = []
    try:
        for kind in kinds:
            made.append(trial(kind))
            if made[-1].fits:
                break
    finally:
        set_random_state(before, device)
    return made


def _step(model: Any, batch: Mapping[str, Any], kind: str, *, device: torch.device, room: float) -> Trial:
    switch(model, kind)
    model.train()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(device)
    try:
        for _ in range(2):  # the first also compiles and picks kernels
            torch.cuda.synchronize(device)
            begun = time.perf_counter()
            with torch.autocast("cuda", torch.bfloat16):
                loss = model(**batch).loss
            loss.backward()
            torch.cuda.synchronize(device)
            seconds = time.perf_counter() - begun
    except torch.OutOfMemoryError:
        return Trial(kind, fits=False)
    finally:
        model.zero_grad(set_to_none=True)
    peak = torch.cuda.max_memory_allocated(device)
    return Trial(kind, peak <= room, seconds, peak / 1e9)
