"""Reads weights that torch saved, without running them: a pickle is a program, and this one is only looked at.

Old models on the Hub ship ``pytorch_model.bin``: a zip of plain storages beside a pickle that says which tensor is
which slice of them. The pickle's steps are taken by a machine of our own that knows numbers, texts, tuples, mappings
and three names; at anything else it stops, before anything is called. Knows no model; `adopted` calls it.

Source: torch.serialization's zip form; Python's pickletools for the meaning of each step.
"""

import pickletools
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np
import torch

from lumen_desktop.errors import InputError

LARGEST_PROGRAM_BYTES: Final = 64 * 1024**2
MOST_MEMBERS: Final = 100_000
_PIECE_BYTES: Final = 1024**2
_KEY = re.compile(r"[0-9]{1,9}")
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_STORAGES: Final = {
    "torch FloatStorage": torch.float32, "torch HalfStorage": torch.float16, "torch BFloat16Storage": torch.bfloat16,
    "torch DoubleStorage": torch.float64, "torch LongStorage": torch.int64, "torch IntStorage": torch.int32,
    "torch ShortStorage": torch.int16, "torch CharStorage": torch.int8, "torch ByteStorage": torch.uint8,
    "torch BoolStorage": torch.bool,
}  # fmt: skip
_TENSOR, _PARAMETER = "torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_parameter"
_ORDERED = "collections OrderedDict"
_NAMES: Final = frozenset({_TENSOR, _PARAMETER, _ORDERED, *_STORAGES})


@dataclass(frozen=True, slots=True)
class _Name:
    """What the pickle would import: only a word here."""

    words: str


@dataclass(frozen=True, slots=True)
class _Storage:
    key: str
    dtype: torch.dtype
    numbers: int


@dataclass(frozen=True, slots=True)
class Slice:
    """A tensor: which numbers of which storage."""

    storage: _Storage
    start: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    @property
    def dtype(self) -> torch.dtype:
        """Of its numbers."""
        return self.storage.dtype


class TorchFile:
    """A torch zip file, opened and checked; its tensors are read one at a time.

    Args:
        path: such as ``pytorch_model.bin``.

    Raises:
        InputError: it is none, is damaged, or says more than which tensors it holds (TRN-064).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._members = _members(path)
        programs = [name for name in self._members if name.endswith("/data.pkl")]
        if len(programs) != 1:
            _refuse(path, "it is not in torch's zip form")
        self._root = programs[0].removesuffix("data.pkl")
        if self._read_text("byteorder") not in ("", "little"):
            _refuse(path, "its numbers are written in another byte order")
        start, size = self._members[programs[0]]
        if size > LARGEST_PROGRAM_BYTES:
            _refuse(path, "its list of tensors is too long")
        with path.open("rb") as file:
            file.seek(start)
            found = _Machine(path).run(file.read(size))
        self.tensors: dict[str, Slice] = {name: self._checked(name, one) for name, one in found.items()}

    def read(self, name: str) -> torch.Tensor:
        """One tensor, its memory its own."""
        piece = self.tensors[name]
        start, size = self._members[f"{self._root}data/{piece.storage.key}"]
        if not size:
            return torch.empty(piece.size, dtype=piece.dtype)
        raw = np.memmap(self._path, dtype=np.uint8, mode="c", offset=start, shape=(size,))
        flat = torch.from_numpy(raw).view(piece.dtype)
        return flat.as_strided(piece.size, piece.stride, piece.start).clone(memory_format=torch.contiguous_format)

    def _checked(self, name: str, piece: Any) -> Slice:
        """The slice, if it lies within a storage of the size that is said."""
        if not isinstance(name, str) or not isinstance(piece, Slice):
            _refuse(self._path, "it holds something that is no tensor")
        storage = piece.storage
        member = self._members.get(f"{self._root}data/{storage.key}")
        if member is None or member[1] != storage.numbers * storage.dtype.itemsize:
            _refuse(self._path, f"the numbers of {name[:80]} are missing or cut short")
        count = int(np.prod([float(side) for side in piece.size])) if piece.size else 1
        last = piece.start + sum((side - 1) * step for side, step in zip(piece.size, piece.stride, strict=True))
        if count > storage.numbers or (count and last >= storage.numbers):
            _refuse(self._path, f"{name[:80]} reaches beyond its numbers")
        return piece

    def _read_text(self, name: str) -> str:
        start, size = self._members.get(self._root + name, (0, 0))
        with self._path.open("rb") as file:
            file.seek(start)
            return file.read(min(size, 64)).decode("ascii", "replace").strip()


def _members(path: Path) -> dict[str, tuple[int, int]]:
    """Name to place and length of each member; stored, inside the file, once, unbroken."""
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as file:
            infos = archive.infolist()
            if len(infos) > MOST_MEMBERS or len({one.filename for one in infos}) != len(infos):
                _refuse(path, "its contents are not listed properly")
            return {one.filename: _place(path, file, one) for one in infos}
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError, UnicodeDecodeError, struct.error):
        _refuse(path, "it is cut short, or not in torch's zip form")


def _place(path: Path, file: Any, info: zipfile.ZipInfo) -> tuple[int, int]:
    plain = info.compress_type == zipfile.ZIP_STORED and not info.flag_bits & 1
    if not plain or info.compress_size != info.file_size:
        _refuse(path, "it is compressed or encrypted")
    file.seek(info.header_offset)
    signature, name_bytes, extra_bytes = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
    start = info.header_offset + _LOCAL_HEADER.size + name_bytes + extra_bytes
    if signature != b"PK\x03\x04" or start + info.file_size > path.stat().st_size:
        _refuse(path, "it is cut short")
    file.seek(start)
    left, check = info.file_size, 0
    while left and (piece := file.read(min(left, _PIECE_BYTES))):
        check = zlib.crc32(piece, check)
        left -= len(piece)
    if left or check != info.CRC:
        _refuse(path, f"{info.filename[-40:]} in it is damaged")
    return start, info.file_size


class _Machine:
    """Takes a pickle's steps over plain values; calls nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    def run(self, program: bytes) -> dict[Any, Any]:
        """The mapping that the program ends with.

        Raises:
            InputError: TRN-064.
        """
        steps: Iterator[tuple[Any, Any, int | None]] = pickletools.genops(program)
        try:
            for step, argument, _at in steps:
                if step.name == "STOP":
                    break
                self._take(step.name, argument)
            result = self._stack.pop()
        except (ValueError, IndexError, KeyError, TypeError, OverflowError):
            _refuse(self._path, "its list of tensors is damaged")
        if not isinstance(result, dict) or self._stack or not result:
            _refuse(self._path, "it holds something else than tensors by name")
        return result

    def _take(self, name: str, argument: Any) -> None:
        if name in _VALUES:
            self._stack.append(_VALUES[name](argument))
        elif (act := _ACTS.get(name)) is not None:
            act(self, argument)
        elif name not in ("PROTO", "FRAME"):
            _refuse(self._path, f"it holds more than tensors ({name})")

    def global_(self, words: str) -> None:
        """A name: one of a few, or the end."""
        if words not in _NAMES:
            _refuse(self._path, f"it wants to run {words.replace(' ', '.')[:80]}")
        self._stack.append(_Name(words))

    def mark(self, _argument: Any) -> None:
        """Remembers where the stack stands."""
        self._marks.append(len(self._stack))

    def put(self, number: int) -> None:
        """Remembers the topmost value."""
        self._memo[number] = self._stack[-1]

    def get(self, number: int) -> None:
        """Takes a remembered value."""
        self._stack.append(self._memo[number])

    def tuple_(self, count: int | None) -> None:
        """Makes one of the topmost values, or of those above the mark."""
        self._stack.append(tuple(self._top(count)))

    def _top(self, count: int | None) -> list[Any]:
        start = self._marks.pop() if count is None else len(self._stack) - count
        if start < 0 or (self._marks and start < self._marks[-1]):
            raise IndexError
        taken = self._stack[start:]
        del self._stack[start:]
        return taken

    def set_items(self, count: int | None) -> None:
        """Adds pairs to the mapping below them."""
        pairs = self._top(count)
        target = self._stack[-1]
        if not isinstance(target, dict) or len(pairs) % 2 or not all(isinstance(one, str) for one in pairs[::2]):
            raise ValueError
        target.update(zip(pairs[::2], pairs[1::2], strict=True))

    def persistent(self, _argument: Any) -> None:
        """A storage: its type, its member's name and how many numbers."""
        kind, type_, key, _device, numbers = self._stack.pop()
        if kind != "storage" or not isinstance(type_, _Name) or not _natural(numbers) or not _KEY.fullmatch(key):
            raise ValueError
        self._stack.append(_Storage(key, _STORAGES[type_.words], numbers))

    def reduce(self, _argument: Any) -> None:
        """What would be a call: an empty mapping, a tensor, or a tensor again."""
        name, values = self._top(2)
        if not isinstance(name, _Name) or not isinstance(values, tuple):
            raise TypeError
        self._stack.append(self._made(name.words, values))

    @staticmethod
    def _made(name: str, values: tuple[Any, ...]) -> Any:
        if name == _ORDERED and not values:
            return {}
        if name == _PARAMETER and isinstance(values[0], Slice):
            return values[0]
        if name == _TENSOR:
            storage, start, size, stride = values[:4]
            sides = isinstance(size, tuple) and isinstance(stride, tuple) and len(size) == len(stride)
            if isinstance(storage, _Storage) and sides and all(map(_natural, (start, *size, *stride))):
                return Slice(storage, start, size, stride)
        raise ValueError

    def build(self, _argument: Any) -> None:
        """What torch notes of the mapping itself, such as versions of modules: left out."""
        target, _noted = self._top(2)
        if not isinstance(target, dict):
            raise TypeError
        self._stack.append(target)


def _natural(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**48


_VALUES: Final[dict[str, Callable[[Any], Any]]] = {
    **dict.fromkeys(("BININT", "BININT1", "BININT2", "LONG1", "BINUNICODE", "SHORT_BINUNICODE"), lambda one: one),
    "NONE": lambda _: None, "NEWTRUE": lambda _: True, "NEWFALSE": lambda _: False, "EMPTY_TUPLE": lambda _: (),
    "EMPTY_DICT": lambda _: {},
}  # fmt: skip
_ACTS: Final[dict[str, Callable[[_Machine, Any], None]]] = {
    "GLOBAL": _Machine.global_, "MARK": _Machine.mark, "REDUCE": _Machine.reduce, "BUILD": _Machine.build,
    "BINPERSID": _Machine.persistent, "SETITEMS": lambda m, _: m.set_items(None),
    "SETITEM": lambda m, _: m.set_items(2),
    "TUPLE": lambda m, _: m.tuple_(None), "TUPLE1": lambda m, _: m.tuple_(1), "TUPLE2": lambda m, _: m.tuple_(2),
    "TUPLE3": lambda m, _: m.tuple_(3), **dict.fromkeys(("BINPUT", "LONG_BINPUT"), _Machine.put),
    **dict.fromkeys(("BINGET", "LONG_BINGET"), _Machine.get),
}  # fmt: skip


def _refuse(path: Path, words: str) -> NoReturn:
    raise InputError(
        f"{path.name} cannot be taken as weights: {words}.",
        code="TRN-064",
        hint="Take the model's safetensors files, or download the file again.",
    )
