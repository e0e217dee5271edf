"""A model file's header, read by rule in plain Python before any native code sees it.

llama.cpp ends the process on some files and answers differently on others without a word (a block count of 0, an eps
that is no number, a changed rope base). Every count, length, type, name, range, shape and offset is checked here; what
no rule knows is refused. It does not tell right weights from wrong ones: that is the digest's work.

Reads the header once and none of the weights. Called by `verifying`, and by the trainer on what it exported.

Source: GGUF specification, version 3 (ggml, docs/gguf.md); block sizes of ggml-common.h.
"""

import hashlib
import math
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from lumen_desktop.bundle.container import disk
from lumen_desktop.errors import BundleError

ARCHITECTURES: Final = frozenset({"llama"})  # Mistral, BioMistral and SmolLM2 are written as this one
LARGEST_HEADER_BYTES: Final = 64 * 1024**2
MOST_FIELDS, MOST_TENSORS, MOST_ITEMS = 512, 4096, 2**21
LONGEST_KEY, LONGEST_TEXT = 128, 256 * 1024  # bytes
MOST_DIMENSIONS: Final = 4
_MOST_WEIGHTS: Final = 10**12

_KEY = re.compile(r"[a-z0-9_-]+(\.[A-Za-z0-9_-]+)+")
_TENSOR = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+){0,5}")
_SCALARS: Final[Mapping[int, str]] = {
    0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d",
}  # fmt: skip
_BOOL, _STRING, _ARRAY = 7, 8, 9
_INT32, _FLOAT32 = 5, 6
# type: (weights a block, bytes a block)
_BLOCKS: Final[Mapping[int, tuple[int, int]]] = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 10: (256, 84),
    11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 20: (32, 18), 23: (256, 136), 30: (1, 2),
}  # fmt: skip
_FIGURES: Final = frozenset(
    {
        "attention.head_count", "attention.head_count_kv", "attention.key_length", "attention.layer_norm_rms_epsilon",
        "attention.value_length", "block_count", "context_length", "embedding_length", "expert_count",
        "feed_forward_length", "rope.dimension_count", "rope.freq_base", "vocab_size",
    }
)  # fmt: skip
_TEMPLATE_KEY: Final = "tokenizer.chat_template"


@dataclass(frozen=True, slots=True)
class GgufFacts:
    """What a model file's header says.

    Attributes:
        architecture: ``general.architecture``.
        parameters: number of weights.
        context_tokens: the longest conversation that it was trained for.
        vocabulary: number of tokens.
        tokenizer_sha256: over every ``tokenizer.`` field but the chat template, by key, as the file writes them.
        template: the chat template in the file; empty where it has none.
    """

    architecture: str
    parameters: int
    context_tokens: int
    vocabulary: int
    tokenizer_sha256: str
    template: str


@dataclass(frozen=True, slots=True)
class _Array:
    """An array's element type and length; its numbers are kept where they are small whole ones."""

    kind: int
    count: int
    lowest: int = 0
    highest: int = 0


@dataclass(frozen=True, slots=True)
class _Tensor:
    name: str
    shape: tuple[int, ...]
    offset: int
    size_bytes: int


def check_file(path: Path) -> GgufFacts:
    """As `check`, for a file of its own."""
    with disk(path), path.open("rb") as file:
        return check(file, path.stat().st_size)


def check(file: BinaryIO, size_bytes: int) -> GgufFacts:
    """Reads a model file's header and checks it against every rule.

    Args:
        file: at its beginning.
        size_bytes: its length.

    Raises:
        BundleError: a rule is broken (BUN-014).
    """
    header = _Header(file, size_bytes)
    fields, raw = header.fields()
    tensors = header.tensors()
    _check_places(tensors, header.at, size_bytes, _alignment(fields))
    architecture = _checked(fields, "general.architecture", str, lambda name: name in ARCHITECTURES)
    for key in fields:
        if key.partition(".")[0] not in {"general", "quantize", "tokenizer", architecture}:
            raise _broken(f"nothing is known of its field {key}")
    vocabulary = _check_tokenizer(fields)
    context_tokens = _check_shapes(fields, architecture, vocabulary, {one.name: one.shape for one in tensors})
    return GgufFacts(
        architecture=architecture,
        parameters=sum(math.prod(one.shape) for one in tensors),
        context_tokens=context_tokens,
        vocabulary=vocabulary,
        tokenizer_sha256=_tokenizer_digest(raw),
        template=str(fields.get(_TEMPLATE_KEY, "")),
    )


class _Header:
    """Takes a header apart; every length is held against its limit before it is believed."""

    def __init__(self, file: BinaryIO, size_bytes: int) -> None:
        self._file, self._size = file, min(size_bytes, LARGEST_HEADER_BYTES)
        self.at = 0
        self._taken: list[bytes] = []
        if self._take(4) != b"GGUF" or self._number("I") != 3:  # noqa: PLR2004 - the version's number
            raise _broken("it is no GGUF file of version 3")
        self._tensors = self._limited("Q", MOST_TENSORS, "tensors")
        self._fields = self._limited("Q", MOST_FIELDS, "fields")

    def fields(self) -> tuple[dict[str, Any], dict[str, bytes]]:
        """Every field's value, and the bytes that it is written in."""
        values: dict[str, Any] = {}
        raw: dict[str, bytes] = {}
        for _ in range(self._fields):
            key = self._name(_KEY)
            if key in values:
                raise _broken(f"the field {key} is there twice")
            self._taken.clear()
            values[key] = self._value(self._number("I"))
            raw[key] = b"".join(self._taken)
        return values, raw

    def tensors(self) -> list[_Tensor]:
        """Every tensor's name, shape and place."""
        found = [self._tensor() for _ in range(self._tensors)]
        if len({one.name for one in found}) != len(found):
            raise _broken("a tensor is there twice")
        return found

    def _tensor(self) -> _Tensor:
        name = self._name(_TENSOR)
        dimensions = self._limited("I", MOST_DIMENSIONS, "dimensions")
        shape = tuple(self._limited("Q", _MOST_WEIGHTS, "weights") for _ in range(dimensions))
        kind, offset, count = self._number("I"), self._number("Q"), math.prod(shape)
        if kind not in _BLOCKS:
            raise _broken(f"the tensor {name} has an unknown type")
        weights, block_bytes = _BLOCKS[kind]
        if not shape or not 1 <= count <= _MOST_WEIGHTS or shape[0] % weights:
            raise _broken(f"the tensor {name} has a shape that cannot be")
        return _Tensor(name, shape, offset, count // weights * block_bytes)

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._text()
        if kind == _ARRAY:
            return self._array(self._number("I"))
        if kind not in _SCALARS:
            raise _broken("a field has an unknown type")
        return self._boolean() if kind == _BOOL else self._number(_SCALARS[kind])

    def _array(self, kind: int) -> _Array:
        count = self._limited("Q", MOST_ITEMS, "items in an array")
        if kind == _STRING:
            for _ in range(count):
                self._take(self._limited("Q", LONGEST_TEXT, "characters"))
            return _Array(kind, count)
        if kind not in _SCALARS:
            raise _broken("an array has an unknown type")
        width = struct.calcsize("<" + _SCALARS[kind])
        content = self._take(count * width)
        if kind != _INT32 or not count:
            return _Array(kind, count)
        numbers = struct.unpack(f"<{count}i", content)
        return _Array(kind, count, min(numbers), max(numbers))

    def _boolean(self) -> bool:
        byte = self._take(1)
        if byte not in {b"\0", b"\1"}:
            raise _broken("a field is neither true nor false")
        return byte == b"\1"

    def _name(self, pattern: re.Pattern[str]) -> str:
        name = self._decoded(self._take(self._limited("Q", LONGEST_KEY, "characters in a name")))
        if not pattern.fullmatch(name):
            raise _broken("a name has characters that do not belong there")
        return name

    def _text(self) -> str:
        return self._decoded(self._take(self._limited("Q", LONGEST_TEXT, "characters")))

    def _decoded(self, untrusted: bytes) -> str:
        try:
            return untrusted.decode()
        except UnicodeDecodeError:
            raise _broken("a text is not UTF-8") from None

    def _limited(self, form: str, most: int, what: str) -> int:
        number = int(self._number(form))
        if number > most:
            raise _broken(f"it states {number} {what}, and {most} are allowed")
        return number

    def _number(self, form: str) -> Any:
        return struct.unpack("<" + form, self._take(struct.calcsize("<" + form)))[0]

    def _take(self, count: int) -> bytes:
        if self.at + count > self._size:
            raise _broken("it ends in the middle of its header, or that is too long")
        content = self._file.read(count)
        if len(content) != count:
            raise _broken("it ends in the middle of its header")
        self.at += count
        self._taken.append(content)
        return content


def _check_places(tensors: list[_Tensor], header_bytes: int, size_bytes: int, alignment: int) -> None:
    """Tensors lie one after the other, and the file ends with the last (or where the next would begin)."""
    end = 0
    for tensor in tensors:
        end = -(-end // alignment) * alignment
        if tensor.offset != end:
            raise _broken(f"the tensor {tensor.name} does not lie where the one before it ends")
        end += tensor.size_bytes
    start = -(-header_bytes // alignment) * alignment
    if size_bytes not in {start + end, start + -(-end // alignment) * alignment}:
        raise _broken("its length is not that of its tensors")


def _alignment(fields: Mapping[str, Any]) -> int:
    return int(_checked(fields, "general.alignment", int, lambda value: value in {8, 16, 32, 64, 128, 256}, default=32))


def _check_tokenizer(fields: Mapping[str, Any]) -> int:
    """The tokenizer's lists are of one length and its special tokens in it; the number of tokens."""
    _checked(fields, "tokenizer.ggml.model", str, lambda name: name in {"llama", "gpt2"})
    tokens = _checked(fields, "tokenizer.ggml.tokens", _Array, lambda array: array.kind == _STRING and array.count > 0)
    vocabulary = int(tokens.count)
    for key, kind in (("token_type", _INT32), ("scores", _FLOAT32)):
        found = fields.get(f"tokenizer.ggml.{key}", _Array(kind, vocabulary))
        if type(found) is not _Array or (found.kind, found.count) != (kind, vocabulary):
            raise _broken(f"{key} are not as many as the tokens")
    kinds = fields.get("tokenizer.ggml.token_type")
    if kinds is not None and not 0 <= kinds.lowest <= kinds.highest <= 6:  # noqa: PLR2004 - the types that there are
        raise _broken("a token has an unknown type")
    for key, value in fields.items():
        special = key.startswith("tokenizer.ggml.") and key.endswith("_token_id")
        if special and not (type(value) is int and 0 <= value < vocabulary):
            raise _broken(f"{key} is not among the tokens")
    _checked(fields, _TEMPLATE_KEY, str, lambda _template: True, default="")
    return vocabulary


def _check_shapes(
    fields: Mapping[str, Any], architecture: str, vocabulary: int, shapes: dict[str, tuple[int, ...]]
) -> int:
    """The figures fit each other and every tensor has the shape that they ask for; the longest conversation."""
    for key in fields:
        if key.startswith(f"{architecture}.") and key.removeprefix(f"{architecture}.") not in _FIGURES:
            raise _broken(f"nothing is known of its field {key}")

    def figure(name: str, lowest: float, highest: float, *, default: Any = ...) -> Any:
        kind = float if isinstance(lowest, float) else int
        return _checked(
            fields, f"{architecture}.{name}", kind, lambda value: lowest <= value <= highest, default=default
        )

    blocks, width = figure("block_count", 1, 256), figure("embedding_length", 1, 2**16)
    inner, heads = figure("feed_forward_length", 1, 2**18), figure("attention.head_count", 1, 1024)
    pairs = figure("attention.head_count_kv", 1, 1024, default=heads)
    head = figure("attention.key_length", 1, 4096, default=width // heads)
    figure("attention.value_length", head, head, default=head)
    figure("attention.layer_norm_rms_epsilon", 1e-8, 1e-2)
    figure("rope.freq_base", 1e2, 1e9, default=1e4)
    figure("rope.dimension_count", 1, head, default=head)
    figure("vocab_size", vocabulary, vocabulary, default=vocabulary)
    figure("expert_count", 0, 0, default=0)
    if heads % pairs or (head * heads != width and f"{architecture}.attention.key_length" not in fields):
        raise _broken("its heads do not divide its width")
    wanted = _wanted(blocks, width=width, inner=inner, vocabulary=vocabulary, queries=heads * head, keys=pairs * head)
    allowed = wanted | {"output.weight": (width, vocabulary), "rope_freqs.weight": (head // 2,)}
    for name in wanted.keys() - shapes.keys():
        raise _broken(f"the tensor {name} is missing")
    for name, shape in shapes.items():
        if shape != allowed.get(name):
            raise _broken(f"the tensor {name} has another shape than its figures ask for, or does not belong there")
    return int(figure("context_length", 1, 2**24))


def _wanted(
    blocks: int, *, width: int, inner: int, vocabulary: int, queries: int, keys: int
) -> dict[str, tuple[int, ...]]:
    """The tensors that a Llama must have, with their shapes."""
    block = {
        "attn_norm": (width,), "attn_q": (width, queries), "attn_k": (width, keys), "attn_v": (width, keys),
        "attn_output": (queries, width), "ffn_norm": (width,), "ffn_gate": (width, inner), "ffn_up": (width, inner),
        "ffn_down": (inner, width),
    }  # fmt: skip
    wanted: dict[str, tuple[int, ...]] = {
        f"blk.{number}.{name}.weight": shape for number in range(blocks) for name, shape in block.items()
    }
    return wanted | {"token_embd.weight": (width, vocabulary), "output_norm.weight": (width,)}


def _tokenizer_digest(raw: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256(b"LUMEN-TOKENIZER-v1\0")
    for key in sorted(raw):
        if key.startswith("tokenizer.") and key != _TEMPLATE_KEY:
            for piece in (key.encode(), raw[key]):
                digest.update(struct.pack("<Q", len(piece)) + piece)
    return digest.hexdigest()


def _checked(
    fields: Mapping[str, Any], key: str, kind: type, right: Callable[[Any], bool], *, default: Any = ...
) -> Any:
    """A field's value, once it has its kind and keeps its rule; the default where the file may do without."""
    if key not in fields and default is not ...:
        return default
    value = fields.get(key)
    if type(value) is not kind or not right(value):
        raise _broken(f"{key} is missing or not as it must be")
    return value


def _broken(what: str) -> BundleError:
    return BundleError(
        f"The model file breaks a rule of its form: {what}.",
        code="BUN-014",
        hint="It was not handed to llama.cpp; ask the publisher for a right one.",
    )
