"""LoRA's matrices: added to every linear layer in fp32, written and read as peft's own files without pickle.

The folder holds `WEIGHTS` and `CONFIG` as peft names them; `run.json` says on which base they were trained.
"""

import json
import warnings
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors.torch import load_file, save_file

from trainer.lines import refused_if_unwritable, write_json
from trainer.recipe import Finetune

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"


def add(model: Any, how: Finetune) -> PeftModel:
    """The model with untrained adapters on all linear layers but the output layer; everything else is frozen.

    Their first values come from torch's generator: seed it first. Source: Hu et al. 2021, arXiv 2106.09685.
    """
    config = LoraConfig(
        r=how.rank, lora_alpha=how.alpha, lora_dropout=how.dropout, target_modules="all-linear", bias="none",
        task_type="CAUSAL_LM",
    )  # fmt: skip
    with warnings.catch_warnings():
        # peft asks for a property by the name that transformers 5 gives up; it answers the same until version 6
        warnings.filterwarnings("ignore", message="`is_gradient_checkpointing`", category=FutureWarning)
        adapted = get_peft_model(model, config)
    for parameter in adapted.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    return adapted


def save(model: PeftModel, folder: Path, *, base: str, weights: dict[str, Any] | None = None) -> None:
    """Writes the adapters, the same bytes for the same weights.

    Args:
        model: with adapters.
        folder: that exists.
        base: short name of the model they belong to; no path of this machine.
        weights: all of the model's, gathered, where it holds only a share of them itself.

    Raises:
        StorageError: TRN-010.
    """
    found = get_peft_model_state_dict(model, state_dict=weights, save_embedding_layers=False)
    kept = {name: one.detach().to("cpu", torch.float32, copy=True).contiguous() for name, one in found.items()}
    with refused_if_unwritable(folder / WEIGHTS):
        save_file(kept, folder / WEIGHTS, metadata={"format": "pt"})
    fields = model.peft_config["default"].to_dict()
    fields |= {"base_model_name_or_path": base, "inference_mode": True}
    write_json(folder / CONFIG, json.loads(json.dumps(fields, default=_plain)))


def load(model: PeftModel, folder: Path) -> None:
    """Puts written adapters in place of the model's own."""
    found = set_peft_model_state_dict(model, load_file(folder / WEIGHTS))
    if found.unexpected_keys:
        raise ValueError("adapters of another shape")


def trainable(model: Any) -> int:
    """How many weights are trained."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def _plain(value: Any) -> Any:
    """Sets have no order of their own; enums say their value."""
    return sorted(value) if isinstance(value, (set, frozenset)) else str(getattr(value, "value", value))
