"""A trained LoRA adapter as peft leaves it: what it adds to each weight of the base.

Hu et al. 2021, arXiv 2106.09685. Reads the two files itself, so that nothing of the base has to be loaded.
`trainer.merge` adds it up.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from lumen_desktop.errors import InputError
from trainer.tensors import Place, Tensors

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_PREFIX = "base_model.model."
_FOREIGN = ("use_dora", "modules_to_save", "rank_pattern", "alpha_pattern", "fan_in_fan_out", "lora_bias")


class Adapter:
    """The adapter in a folder.

    Raises:
        InputError: there is none, or one that adds something other than two matrices to a weight (TRN-080).
    """

    def __init__(self, folder: Path) -> None:
        fields = _fields(folder)
        rank, alpha = int(fields["r"]), float(fields["lora_alpha"])
        self.scale = alpha / (math.sqrt(rank) if fields.get("use_rslora") else rank)
        self._tensors = Tensors(folder / WEIGHTS)
        down = ".lora_A.weight"
        self.names = frozenset(
            name.removeprefix(_PREFIX).removesuffix(down) + ".weight"
            for name in self._tensors.places
            if name.endswith(down)
        )
        if 2 * len(self.names) != len(self._tensors.places):
            raise _refused("it holds more than pairs of matrices")

    def fits(self, places: Mapping[str, Place]) -> bool:
        """Whether each of its pairs of matrices belongs to a weight of these, of its shape."""
        return all(name in places and self._shape(name) == places[name].shape for name in self.names)

    def delta(self, name: str) -> torch.Tensor:
        """What is added to the weight of this name of the base, fp32, shape (outputs, inputs)."""
        down, up = (self._tensors.read(one).float() for one in _pair(name))
        return up @ down * self.scale

    def _shape(self, name: str) -> tuple[int, int]:
        down, up = (self._tensors.places[one].shape for one in _pair(name))
        return up[0], down[1]


def _pair(name: str) -> tuple[str, str]:
    module = _PREFIX + name.removesuffix(".weight")
    return f"{module}.lora_A.weight", f"{module}.lora_B.weight"


def _fields(folder: Path) -> dict[str, Any]:
    try:
        fields: dict[str, Any] = json.loads((folder / CONFIG).read_bytes())
        plain = fields["peft_type"] == "LORA" and int(fields["r"]) > 0 and float(fields["lora_alpha"]) > 0
    except OSError:
        raise InputError(
            "There is no trained adapter.", code="TRN-080", hint="Run `lumen-trainer finetune` first."
        ) from None
    except (ValueError, KeyError, TypeError):
        raise _refused("its description is damaged") from None
    if not plain or any(fields.get(one) for one in _FOREIGN):
        raise _refused("it is not plain LoRA")
    return fields


def _refused(words: str) -> InputError:
    return InputError(
        f"The trained adapter cannot be merged: {words}.", code="TRN-080", hint="Run `lumen-trainer finetune` again."
    )
