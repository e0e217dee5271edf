"""`run.json`: which run this is, what went into it, on what it ran, and what came out.

A run is the same as another where its `identity` is: only then does it go on from the other's checkpoints. Written by
`trainer.finetune`; the model card, the gate and an inspector read it.
"""

import contextlib
import hashlib
import importlib.metadata
import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import rfc8785
import torch

from lumen_desktop import __version__
from lumen_desktop.errors import InputError, IntegrityError
from trainer.lines import write_json

NAME = "run.json"
SCHEMA, VERSION = "lumen-training-run", 1
_PACKAGES = ("torch", "transformers", "peft", "bitsandbytes", "accelerate", "safetensors", "tokenizers", "numpy",
             "liger-kernel")  # fmt: skip
_FREE = ("save_every", "threads", "checkpointing")  # of the configuration: may differ when a run goes on


def identity(
    finetune: Mapping[str, Any], digests: Mapping[str, str], *, order: str, steps: int, rows_per_step: int
) -> dict[str, Any]:
    """What makes a run that run.

    Args:
        finetune: the configuration's section, all its fields.
        digests: of base, template, dataset …, by name.
        order: digest of the order of the rows.
        steps: that the whole run has.
        rows_per_step: in one optimiser step.
    """
    kept = {name: value for name, value in finetune.items() if name not in _FREE}
    return {"finetune": kept, "digests": dict(digests), "order": order, "steps": steps, "rows_per_step": rows_per_step}


@dataclass(slots=True)
class RunRecord:
    """What `run.json` holds.

    Attributes:
        identity: see `identity`.
        facts: counts of the data, what the run needs, the configuration as it was.
        sessions: each time that it was begun or gone on with, and on what.
        result: what came out; None while it runs.
    """

    identity: dict[str, Any]
    facts: dict[str, Any] = field(default_factory=dict)
    sessions: list[dict[str, Any]] = field(default_factory=list)
    result: dict[str, Any] | None = None

    @property
    def run(self) -> str:
        """Digest of the identity. Source: RFC 8785."""
        return hashlib.sha256(rfc8785.dumps(self.identity)).hexdigest()

    def write(self, folder: Path) -> None:
        """Writes it.

        Raises:
            StorageError: TRN-010.
        """
        fields = {
            "schema": SCHEMA, "version": VERSION, "trainer": __version__, "run": self.run, "identity": self.identity,
            "facts": self.facts, "sessions": self.sessions, "result": self.result,
        }  # fmt: skip
        write_json(folder / NAME, fields)

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """The record in a folder; None where there is none.

        Raises:
            IntegrityError: it is damaged (TRN-073).
        """
        try:
            fields = json.loads((folder / NAME).read_bytes())
            made = cls(fields["identity"], fields["facts"], fields["sessions"], fields["result"])
            good = (fields["schema"], fields["version"], fields["run"]) == (SCHEMA, VERSION, made.run)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            good = False
        if not good:
            raise IntegrityError(
                f"{NAME} in the finetuned folder is damaged.", code="TRN-073",
                hint="Move the finetuned folder away to begin anew.",
            )  # fmt: skip
        return made

    def require_same(self, earlier: "RunRecord") -> None:
        """Says whether a folder's earlier run is this one.

        Raises:
            InputError: it is another (TRN-072); the sentence names what differs.
        """
        if self.run != earlier.run:
            ours, theirs = _flat(self.identity), _flat(earlier.identity)
            other = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
            raise InputError(
                f"The work folder holds another run: it differs in {', '.join(other)}.", code="TRN-072",
                hint="Name another work folder, or move its finetuned folder away to begin anew.",
            )  # fmt: skip


def session(*, from_step: int, world: int, device: torch.device, **facts: Any) -> dict[str, Any]:
    """On what a run is begun or gone on with.

    Args:
        from_step: optimiser steps that were made before.
        world: how many processes train.
        device: of this one.
        **facts: what else was chosen: checkpointing, optimizer, attention …
    """
    found = {"from_step": from_step, "world": world, "device": device.type, "threads": torch.get_num_threads()}
    if device.type == "cuda":
        found |= {"gpu": torch.cuda.get_device_name(device), "cuda": torch.version.cuda}
    return {**found, **facts, "packages": packages(), "python": platform.python_version(),
            "system": platform.platform(), "cores": os.cpu_count()}  # fmt: skip


def packages() -> dict[str, str]:
    """Versions of what trains; those that are not installed are left out."""
    found = {}
    for name in _PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def _flat(value: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, one in value.items():
        found |= _flat(one, f"{before}{name}.") if isinstance(one, dict) else {f"{before}{name}": one}
    return found
