"""Weights in safetensors files, one tensor at a time: a model larger than memory can be read, changed and written.

Files are written under their names only when they are whole, and whole ones are not written again. Knows the form of
the files, not what the tensors mean; `trainer.base`, `trainer.merge`, `trainer.adapter` and `trainer.convert` use it.
Source: safetensors format: eight bytes of length, a JSON header, the tensors without gaps.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import torch

from lumen_desktop.errors import InputError
from trainer.lines import refused_if_unwritable, write_json

SHARD_BYTES = 2 * 10**9
INDEX = "model.safetensors.index.json"
TYPES: Mapping[str, torch.dtype] = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
_LONGEST_HEADER = 100 * 10**6
_ALIGNED = 8


@dataclass(frozen=True, slots=True)
class Form:
    """What a tensor is.

    Attributes:
        type: F32, F16 or BF16.
        shape: its dimensions.
    """

    type: str
    shape: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)

    @property
    def size_bytes(self) -> int:
        """How long it is."""
        return self.count * TYPES[self.type].itemsize


@dataclass(frozen=True, slots=True)
class Place(Form):
    """Where a tensor lies.

    Attributes:
        file: that holds it.
        start: of its bytes in the file.
    """

    file: Path
    start: int


class Tensors:
    """All tensors of a folder's safetensors files, or of one file; nothing stays open and nothing is kept.

    Args:
        source: the folder, or the file.

    Raises:
        InputError: no such file, or one that is cut short, damaged or of numbers other than 16 or 32 bits (TRN-083).
    """

    def __init__(self, source: Path) -> None:
        files = sorted(source.glob("*.safetensors")) if source.is_dir() else [source]
        self.places: dict[str, Place] = {}
        for file in files:
            self.places |= _header(file)
        if not self.places:
            raise _unreadable(source, "it holds no weights")

    @property
    def size_bytes(self) -> int:
        """Of all tensors together."""
        return sum(place.size_bytes for place in self.places.values())

    def read(self, name: str) -> torch.Tensor:
        """A tensor, in its own type."""
        place = self.places[name]
        content = bytearray(place.size_bytes)
        with place.file.open("rb") as file:
            file.seek(place.start)
            if file.readinto(content) != len(content):
                raise _unreadable(place.file, "it is cut short")
        return torch.frombuffer(content, dtype=TYPES[place.type]).reshape(place.shape)


def write(
    folder: Path, forms: Mapping[str, Form], made: Callable[[str], torch.Tensor], *,
    shard_bytes: int | None = None, heard: Callable[[int, int], None] = lambda _done, _all: None,
) -> None:  # fmt: skip
    """Writes tensors in files of about ``shard_bytes`` with their index; files that are there already stay.

    Args:
        folder: where; it exists.
        forms: names, types and shapes of what is written, in this order.
        made: gives the tensor of a name, of any type; cast to the one of its form here.
        shard_bytes: after which the next file begins; SHARD_BYTES where it is not said.
        heard: tensors done and tensors there are; may raise to stop.

    Raises:
        StorageError: TRN-010.
    """
    shards = list(_shards(forms, shard_bytes or SHARD_BYTES))
    names = [_name(number, len(shards)) for number in range(len(shards))]
    done = 0
    for name, shard in zip(names, shards, strict=True):
        if not (folder / name).is_file():
            of_it = {one: forms[one] for one in shard}
            _write_one(folder / name, of_it, made, partial(_after, heard, done, len(forms)))
        done += len(shard)
        heard(done, len(forms))
    if len(shards) > 1:
        listed = {one: name for name, shard in zip(names, shards, strict=True) for one in shard}
        total = sum(form.size_bytes for form in forms.values())
        write_json(folder / INDEX, {"metadata": {"total_size": total}, "weight_map": listed})


def _after(heard: Callable[[int, int], None], before: int, count: int, done: int) -> None:
    heard(before + done, count)


def _write_one(
    path: Path, forms: Mapping[str, Form], made: Callable[[str], torch.Tensor], heard: Callable[[int], None]
) -> None:
    part = path.with_name(path.name + ".part")
    with refused_if_unwritable(path):
        file = part.open("wb")
    with file:
        with refused_if_unwritable(path):
            file.write(_head(forms))
        for number, (name, form) in enumerate(forms.items()):
            heard(number)
            tensor = made(name).to("cpu", TYPES[form.type]).contiguous()
            if tensor.shape != form.shape:
                raise ValueError(f"{name} has another shape than was said")
            with refused_if_unwritable(path):
                file.write(tensor.reshape(-1).view(torch.uint8).numpy().data)
        with refused_if_unwritable(path):
            file.flush()
            os.fsync(file.fileno())
    part.replace(path)


def _shards(forms: Mapping[str, Form], shard_bytes: int) -> Iterator[list[str]]:
    shard: list[str] = []
    filled = 0
    for name, form in forms.items():
        if shard and filled + form.size_bytes > shard_bytes:
            yield shard
            shard, filled = [], 0
        shard.append(name)
        filled += form.size_bytes
    yield shard


def _name(number: int, count: int) -> str:
    return "model.safetensors" if count == 1 else f"model-{number + 1:05}-of-{count:05}.safetensors"


def _head(forms: Mapping[str, Form]) -> bytes:
    fields: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, form in forms.items():
        end = at + form.size_bytes
        fields[name] = {"dtype": form.type, "shape": list(form.shape), "data_offsets": [at, end]}
        at = end
    words = json.dumps(fields, separators=(",", ":")).encode()
    words += b" " * (-len(words) % _ALIGNED)
    return len(words).to_bytes(8, "little") + words


def _header(file: Path) -> dict[str, Place]:
    try:
        with file.open("rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            fields = json.loads(opened.read(min(length, _LONGEST_HEADER)))
        fields.pop("__metadata__", None)
        places = {name: _place(file, 8 + length, one) for name, one in fields.items()}
        whole_bytes = file.stat().st_size
    except OSError as error:
        raise _unreadable(file, error.strerror or "not readable") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _unreadable(file, "its header is damaged, or its numbers are neither 16 nor 32 bits") from None
    if any(place.start + place.size_bytes > whole_bytes for place in places.values()):
        raise _unreadable(file, "it is cut short")
    return places


def _place(file: Path, data: int, fields: Mapping[str, Any]) -> Place:
    start, end = fields["data_offsets"]
    place = Place(fields["dtype"], tuple(int(size) for size in fields["shape"]), file, data + int(start))
    if end - start != place.size_bytes or start < 0:
        raise ValueError
    return place


def _unreadable(source: Path, words: str) -> InputError:
    return InputError(
        f"The weights in {source.name} cannot be read: {words}.", code="TRN-083",
        hint="Copy the model again, or run the step again that made it.",
    )  # fmt: skip
