"""In which order the packed rows are seen: the whole run laid out before it begins, the same for any number of GPUs.

Epochs follow each other without a seam, so that every step holds as many rows; row ``k`` of step ``s`` is at
``s * rows_per_step + k``, and process ``r`` of ``w`` takes every ``w``-th from ``r``. Knows numbers only.
"""

import hashlib
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lumen_desktop.errors import InputError


@dataclass(frozen=True, slots=True)
class Order:
    """The rows of a run.

    Attributes:
        rows: numbers of rows, as they are seen; whole steps.
        rows_per_step: in one optimiser step, on all GPUs together.
    """

    rows: NDArray[np.int64]
    rows_per_step: int

    @property
    def steps(self) -> int:
        """Optimiser steps."""
        return len(self.rows) // self.rows_per_step

    def of(self, step: int) -> NDArray[np.int64]:
        """The rows of a step, from 0."""
        return self.rows[step * self.rows_per_step : (step + 1) * self.rows_per_step]

    @property
    def sha256(self) -> str:
        """Digest of the order."""
        return hashlib.sha256(self.rows.astype("<i8").tobytes() + str(self.rows_per_step).encode()).hexdigest()


def order(rows: int, *, rows_per_step: int, epochs: float, steps: int | None, seed: int) -> Order:
    """Lays out a run; each epoch holds every row once, shuffled anew.

    Args:
        rows: how many there are.
        rows_per_step: in one optimiser step.
        epochs: how often each row is seen, at least; the last step is filled up.
        steps: at most so many.
        seed: of the shuffling.
    """
    wanted = max(1, math.ceil(rows * epochs / rows_per_step))
    wanted = min(wanted, steps) if steps else wanted
    generator = np.random.Generator(np.random.PCG64(seed))
    size = wanted * rows_per_step
    laid = [generator.permutation(rows) for _ in range(math.ceil(size / rows))]
    return Order(np.concatenate(laid)[:size].astype(np.int64), rows_per_step)


def accumulation(rows_per_step: int, world: int) -> int:
    """How many rows each process takes in a step.

    Raises:
        InputError: they cannot be shared evenly (TRN-074).
    """
    if rows_per_step % world:
        raise InputError(
            f"A step of {rows_per_step} rows cannot be shared by {world} processes.", code="TRN-074",
            hint="Choose finetune.step_tokens as row_tokens times a multiple of the processes.",
        )  # fmt: skip
    return rows_per_step // world
