"""A model file of a few kilobytes that keeps every rule, written field by field so that a test can break any one."""

import struct
from collections.abc import Mapping
from typing import Any

WIDTH, INNER, HEADS, PAIRS, BLOCKS = 4, 6, 2, 1, 1
TOKENS = ("<unk>", "<s>", "</s>", "▁a", "▁b")
U32, F32, STRING = 4, 6, 8


def text(value: bytes | str) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(raw)) + raw


def scalar(form: str, kind: int, value: Any) -> bytes:
    return struct.pack("<I" + form, kind, value)


def array(kind: int, count: int, content: bytes) -> bytes:
    return struct.pack("<IIQ", 9, kind, count) + content


def fields() -> dict[str, bytes]:
    """Every field of the header by name, as it is written."""
    numbers = {
        "block_count": BLOCKS, "context_length": 64, "embedding_length": WIDTH, "feed_forward_length": INNER,
        "attention.head_count": HEADS, "attention.head_count_kv": PAIRS, "rope.dimension_count": WIDTH // HEADS,
        "vocab_size": len(TOKENS),
    }  # fmt: skip
    return {
        "general.architecture": struct.pack("<I", STRING) + text("llama"),
        "general.name": struct.pack("<I", STRING) + text("Tiny"),
        **{f"llama.{name}": scalar("I", U32, value) for name, value in numbers.items()},
        "llama.attention.layer_norm_rms_epsilon": scalar("f", F32, 1e-5),
        "llama.rope.freq_base": scalar("f", F32, 1e4),
        "tokenizer.ggml.model": struct.pack("<I", STRING) + text("llama"),
        "tokenizer.ggml.tokens": array(STRING, len(TOKENS), b"".join(map(text, TOKENS))),
        "tokenizer.ggml.scores": array(6, len(TOKENS), struct.pack(f"<{len(TOKENS)}f", *range(len(TOKENS)))),
        "tokenizer.ggml.token_type": array(5, len(TOKENS), struct.pack(f"<{len(TOKENS)}i", 2, 3, 3, 1, 1)),
        "tokenizer.ggml.bos_token_id": scalar("I", U32, 1),
        "tokenizer.ggml.add_bos_token": struct.pack("<IB", 7, 1),
        "tokenizer.chat_template": struct.pack("<I", STRING) + text("{{ messages[0].content }}"),
    }


def shapes(*, inner: int = INNER) -> dict[str, tuple[int, ...]]:
    """Every tensor's shape by name."""
    keys = PAIRS * WIDTH // HEADS
    block = {
        "attn_norm": (WIDTH,), "attn_q": (WIDTH, WIDTH), "attn_k": (WIDTH, keys), "attn_v": (WIDTH, keys),
        "attn_output": (WIDTH, WIDTH), "ffn_norm": (WIDTH,), "ffn_gate": (WIDTH, inner), "ffn_up": (WIDTH, inner),
        "ffn_down": (inner, WIDTH),
    }  # fmt: skip
    return {
        "token_embd.weight": (WIDTH, len(TOKENS)),
        "output_norm.weight": (WIDTH,),
        **{f"blk.0.{name}.weight": shape for name, shape in block.items()},
    }


def size_bytes(shape: tuple[int, ...]) -> int:
    """Of a tensor of 32-bit numbers."""
    count = 4
    for length in shape:
        count *= length
    return count


def header(
    written: Mapping[str, bytes], tensors: Mapping[str, tuple[int, ...]], *, kind: int = 0, moved: int = 0,
    counts: tuple[int, int] | None = None,
) -> bytes:  # fmt: skip
    """The header up to where the weights begin; ``moved`` shifts the second tensor."""
    content = b"".join(text(name) + value for name, value in written.items())
    at = 0
    for number, (name, shape) in enumerate(tensors.items()):
        offset = at + (moved if number == 1 else 0)
        content += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)
        at += -(-size_bytes(shape) // 32) * 32
    head = b"GGUF" + struct.pack("<IQQ", 3, *(counts or (len(tensors), len(written)))) + content
    return head.ljust(-(-len(head) // 32) * 32, b"\0")


def weights_bytes(tensors: Mapping[str, tuple[int, ...]]) -> int:
    """Length of all weights with what lies between them."""
    return sum(-(-size_bytes(shape) // 32) * 32 for shape in tensors.values())


def model(**changes: bytes) -> bytes:
    """The file; fields are changed by keyword, with ``__`` for each full stop."""
    changed = {name.replace("__", "."): value for name, value in changes.items()}
    return header(fields() | changed, shapes()) + bytes(range(1, 17)) * (weights_bytes(shapes()) // 16)
