"""Writes safetensors files one tensor at a time, so that a model of any size passes through a small machine.

Knows no model; `torch_file` and whatever else streams weights call it. Source: safetensors, "Format".
"""

import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

SHARD_BYTES = 2 * 1024**3
INDEX = "model.safetensors.index.json"
TYPES: Mapping[torch.dtype, str] = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
    torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}  # fmt: skip
_ALIGNMENT = 8


@dataclass(frozen=True, slots=True)
class Shape:
    """A tensor that is to be written."""

    name: str
    dtype: torch.dtype
    size: tuple[int, ...]

    @property
    def size_bytes(self) -> int:
        """Of its numbers."""
        return math.prod(self.size) * self.dtype.itemsize


Read = Callable[[Shape], torch.Tensor]


def write(
    folder: Path, shapes: Sequence[Shape], read: Read, *, largest_bytes: int = SHARD_BYTES,
    told: Callable[[int, int], None] | None = None,
) -> list[Path]:  # fmt: skip
    """Writes tensors in the order given, in files of about ``largest_bytes``, with an index where there are several.

    Args:
        folder: that is written into.
        shapes: of all tensors, each name once.
        read: gives a tensor of that type and shape; asked once for each, and not kept.
        largest_bytes: of a file; one tensor may be larger.
        told: the tensors done and the tensors there are.

    Returns:
        The files, in order.
    """
    groups = _grouped(shapes, largest_bytes)
    names = [
        "model.safetensors" if len(groups) == 1 else f"model-{n:05d}-of-{len(groups):05d}.safetensors"
        for n in range(1, len(groups) + 1)
    ]
    done = 0
    for name, group in zip(names, groups, strict=True):
        done = _write_file(folder / name, group, read, lambda now: told(now, len(shapes)) if told else None, done)
    if len(groups) > 1:
        _write_index(folder, dict(zip(names, groups, strict=True)))
    return [folder / name for name in names]


def _grouped(shapes: Sequence[Shape], largest_bytes: int) -> list[list[Shape]]:
    groups: list[list[Shape]] = [[]]
    filled = 0
    for shape in shapes:
        if groups[-1] and filled + shape.size_bytes > largest_bytes:
            groups.append([])
            filled = 0
        groups[-1].append(shape)
        filled += shape.size_bytes
    return groups


def _write_file(path: Path, group: Sequence[Shape], read: Read, told: Callable[[int], None], done: int) -> int:
    with path.open("wb") as file:
        file.write(_header(group))
        for shape in group:
            tensor = read(shape)
            assert (tensor.dtype, tuple(tensor.shape)) == (shape.dtype, shape.size), shape.name
            flat = tensor.detach().cpu().contiguous().flatten()
            if flat.numel():
                file.write(flat.view(torch.uint8).numpy().data)
            done += 1
            told(done)
        file.flush()
        os.fsync(file.fileno())
    return done


def _header(group: Sequence[Shape]) -> bytes:
    fields: dict[str, object] = {"__metadata__": {"format": "pt"}}
    at = 0
    for shape in group:
        end = at + shape.size_bytes
        fields[shape.name] = {"dtype": TYPES[shape.dtype], "shape": list(shape.size), "data_offsets": [at, end]}
        at = end
    text = json.dumps(fields, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    return len(text).to_bytes(8, "little") + text


def _write_index(folder: Path, files: Mapping[str, Sequence[Shape]]) -> None:
    total = sum(shape.size_bytes for group in files.values() for shape in group)
    places = {shape.name: name for name, group in files.items() for shape in group}
    written = {"metadata": {"total_size": total}, "weight_map": dict(sorted(places.items()))}
    (folder / INDEX).write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
