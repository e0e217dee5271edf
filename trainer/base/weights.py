"""A model's weights: linked where they are safetensors, rewritten from torch files without running them.

Knows files and shapes, no model. Called by `adopted`.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from safetensors import SafetensorError, safe_open

from lumen_desktop.errors import InputError
from trainer.tensors import INDEX, TYPES, Form, write

SINGLE, TORCH = "model.safetensors", "pytorch_model.bin"
TORCH_INDEX = TORCH + ".index.json"
_LEFT_OUT = ("rotary_emb.inv_freq", "rotary_emb.cos_cached", "rotary_emb.sin_cached")  # computed, not learnt
_MOST_FILES = 1_000

Told = Callable[[str, int, int], None]


def bring(source: Path, folder: Path, *, told: Told) -> None:
    """Puts weights into ``folder``: links to safetensors files, or new ones made of torch files.

    Raises:
        InputError: none, incomplete or damaged ones, or of whole numbers (TRN-064).
    """
    names = _listed(source, SINGLE, INDEX)
    if names:
        for name in names:
            _link(source / name, folder / name)
        if (source / INDEX).is_file():
            shutil.copyfile(source / INDEX, folder / INDEX)
        shapes(folder)
        return
    names = _listed(source, TORCH, TORCH_INDEX)
    if not names:
        _refuse("The base's folder holds no weights.", "Copy the model's safetensors files too.")
    _rewrite([source / name for name in names], folder, told)


def shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """Each tensor's shape by its name, from the files' headers.

    Raises:
        InputError: a file is missing or damaged, or holds numbers that are not trained (TRN-064).
    """
    found: dict[str, tuple[int, ...]] = {}
    types: dict[str, str] = {}
    for path in sorted(folder.glob("*.safetensors")):
        try:
            with safe_open(path, framework="pt") as file:
                slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
                types |= {name: one.get_dtype() for name, one in slices.items()}
                found |= {name: tuple(one.get_shape()) for name, one in slices.items()}
        except (SafetensorError, OSError):
            _refuse(f"{path.name} is damaged or cut short.", "Copy the file again.")
    if missing := _placed(folder / INDEX).keys() - found.keys():
        _refuse(f"The base's weights lack {min(missing)[:80]}.", "Copy the model's whole folder again.")
    for name, type_ in sorted(types.items()):
        if type_ not in TYPES:
            _refuse_type(name, type_)
    return found


def _listed(folder: Path, single: str, index: str) -> list[str]:
    """The files that hold the weights, none where they are not of this form."""
    if not (folder / index).is_file():
        return [single] if (folder / single).is_file() else []
    names = sorted(set(_placed(folder / index).values()))
    if len(names) > _MOST_FILES or any("/" in name or "\\" in name or name.startswith(".") for name in names):
        _refuse(f"{index} names files that cannot be.", "Download the file again.")
    for name in names:
        if not (folder / name).is_file():
            _refuse(f"The base's folder lacks {name}.", "Copy the model's whole folder again.")
    return names


def _placed(index: Path) -> dict[str, str]:
    if not index.is_file():
        return {}
    try:
        fields: Any = json.loads(index.read_bytes())
        return {str(name): str(file) for name, file in fields["weight_map"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        _refuse(f"{index.name} is damaged.", "Download the file again.")


def _link(source: Path, target: Path) -> None:
    try:
        target.symlink_to(source.resolve())
    except OSError:  # Windows without the right to link
        shutil.copyfile(source, target)


def _rewrite(paths: list[Path], folder: Path, told: Told) -> None:
    from trainer.base.torch_file import TorchFile  # noqa: PLC0415 - torch takes seconds, and most bases need none here

    files = {name: file for file in map(TorchFile, paths) for name in file.tensors if not name.endswith(_LEFT_OUT)}
    forms = {name: Form(_type(name, file.tensors[name].dtype), file.tensors[name].size) for name, file in files.items()}
    write(folder, forms, lambda name: files[name].read(name), heard=lambda n, m: told("base: weights", n, m))


def _type(name: str, dtype: Any) -> str:
    found = next((type_ for type_, one in TYPES.items() if one == dtype), "")
    return found or _refuse_type(name, str(dtype).removeprefix("torch."))


def _refuse_type(name: str, type_: str) -> NoReturn:
    _refuse(
        f"The base's {name[:80]} is of {type_}: only weights of 16 or 32 bits are trained here.",
        "Take the model's files as they were before somebody quantised them.",
    )


def _refuse(words: str, hint: str) -> NoReturn:
    raise InputError(words, code="TRN-064", hint=hint)
