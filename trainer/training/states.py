"""Optimizer, scheduler and random states on the disk without pickle: tensors in safetensors, the rest as JSON.

Knows nested dicts, lists and tuples of tensors and plain values; `trainer.training.loop` writes and reads checkpoints
through it. A pickle could run a stranger's code when it is read; these two formats hold data only.
"""

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from trainer.lines import refused_if_unwritable, write_json


def save(folder: Path, name: str, tree: Any) -> None:
    """Writes ``name.safetensors`` and ``name.json``.

    Args:
        folder: that exists.
        name: of both files.
        tree: of dicts (keys text or whole numbers), lists, tuples, tensors, numbers, text, truths and None.

    Raises:
        StorageError: TRN-010.
    """
    tensors: dict[str, Tensor] = {}
    names: dict[int, str] = {}  # one tensor in two places stays one
    written = _encoded(tree, tensors, names)
    with refused_if_unwritable(folder / name):
        save_file(tensors, folder / f"{name}.safetensors")
    write_json(folder / f"{name}.json", written)


def load(folder: Path, name: str) -> Any:
    """What `save` was given, its tensors on the processor."""
    tensors = load_file(folder / f"{name}.safetensors")
    return _decoded(json.loads((folder / f"{name}.json").read_bytes()), tensors)


def _encoded(value: Any, tensors: dict[str, Tensor], names: dict[int, str]) -> Any:
    if isinstance(value, Tensor):
        if id(value) not in names:
            names[id(value)] = str(len(names))
            tensors[names[id(value)]] = value.detach().to("cpu", copy=True).contiguous()
        return {"tensor": names[id(value)]}
    if isinstance(value, Mapping):
        return {"dict": [[key, _encoded(one, tensors, names)] for key, one in value.items()]}
    if isinstance(value, (list, tuple)):
        return {type(value).__name__: [_encoded(one, tensors, names) for one in value]}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"a state holds a {type(value).__name__}")


def _decoded(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, inner),) = value.items()
    if kind == "tensor":
        return tensors[inner]
    if kind == "dict":
        return {key: _decoded(one, tensors) for key, one in inner}
    made = [_decoded(one, tensors) for one in inner]
    return tuple(made) if kind == "tuple" else made


def random_state(device: torch.device) -> dict[str, Tensor]:
    """The state of every generator that training may draw from, each a tensor of one dimension."""
    version, numbers, gauss = random.getstate()
    kind, keys, place, has_gauss, cached = np.random.get_state(legacy=True)  # noqa: NPY002 - the global one is meant
    if version != 3 or kind != "MT19937":  # noqa: PLR2004 - Python's own number
        raise RuntimeError("another kind of generator")
    state = {
        "torch": torch.get_rng_state(),
        "python": torch.tensor(numbers, dtype=torch.int64),
        "python_gauss": torch.tensor([] if gauss is None else [gauss], dtype=torch.float64),
        "numpy": torch.from_numpy(np.asarray(keys, dtype=np.int64)),
        "numpy_rest": torch.tensor([place, has_gauss, cached], dtype=torch.float64),
    }
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    return state


def set_random_state(state: Mapping[str, Tensor], device: torch.device) -> None:
    """Sets what `random_state` gave."""
    gauss = state["python_gauss"].tolist()
    random.setstate((3, tuple(state["python"].tolist()), gauss[0] if gauss else None))
    place, has_gauss, cached = state["numpy_rest"].tolist()
    keys = state["numpy"].numpy().astype(np.uint32)
    np.random.set_state(("MT19937", keys, int(place), int(has_gauss), cached))  # noqa: NPY002
    torch.set_rng_state(state["torch"])
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"], device)
