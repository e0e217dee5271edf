"""Makes the GGUF files that llama.cpp reads: all-MiniLM-L6-v2 from its safetensors, SmolLM2 at another quantisation.

Knows nothing of wheels, digests or folders: `installers.models` calls it with two paths, inside the virtual
environment, because it needs gguf, safetensors, numpy and llama_cpp (each imported where it is used).
"""

from __future__ import annotations

import ctypes
from importlib import metadata
from pathlib import Path
from typing import Any

import gguf
import llama_cpp
import numpy as np
from safetensors.numpy import load_file

# The shape of MiniLM-L6-H384: https://arxiv.org/abs/2002.10957, as its config.json states it.
LAYERS, HEADS, WIDTH, INNER_WIDTH, POSITIONS = 6, 12, 384, 1536, 512
LAYER_NORM_EPSILON = 1e-12
SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
# Buffers and layers of the published file that sentence-transformers does not use for the sentence's vector.
UNUSED_TENSORS = ("embeddings.position_ids", "pooler.")
FULL_PRECISION = ("position_embd.", "token_types.")
# Module-wide, because llama.cpp keeps the pointer and calls it again when the next file is loaded.
_SILENT = llama_cpp.llama_log_callback(lambda _level, _text, _user: None)


def convert_bert(weights: Path, vocabulary: Path, target: Path, *, name: str, licence: str) -> None:
    """Write a BERT sentence encoder as GGUF with half-precision matrices; the same bytes on every machine.

    Args:
        weights: model.safetensors of a six-layer MiniLM.
        vocabulary: vocab.txt, one WordPiece token a line, in the order of their numbers.
        target: the file to write.
        name: what the file calls the model.
        licence: SPDX name.

    Raises:
        KeyError: a tensor has a name that no BERT has, or a special token is missing.

    Source: GGUF specification (ggml docs/gguf.md); llama.cpp's BERT graph for the tensor names.
    """
    writer = gguf.GGUFWriter(target, "bert")
    writer.add_name(name)
    writer.add_license(licence)
    _add_shape(writer)
    _add_vocabulary(writer, vocabulary.read_text(encoding="utf-8").splitlines())
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.BERT, LAYERS)
    for source_name, tensor in sorted(load_file(weights).items()):
        if not source_name.startswith(UNUSED_TENSORS):
            gguf_name = names.get_name(source_name, try_suffixes=(".weight", ".bias"))
            if gguf_name is None:
                raise KeyError(source_name)
            writer.add_tensor(gguf_name, _stored(gguf_name, tensor))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _stored(gguf_name: str, tensor: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Matrices in half precision; vectors and the two small tables, which llama.cpp adds in float32, in full."""
    full = tensor.ndim == 1 or gguf_name.startswith(FULL_PRECISION)
    return tensor.astype("float32" if full else "float16")


def _add_shape(writer: Any) -> None:
    writer.add_context_length(POSITIONS)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(INNER_WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_head_count(HEADS)
    writer.add_layer_norm_eps(LAYER_NORM_EPSILON)
    writer.add_causal_attention(value=False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)


def _add_vocabulary(writer: Any, tokens: list[str]) -> None:
    """WordPiece as llama.cpp wants it: word starts carry the SentencePiece mark, continuations lose their ##."""
    special = set(SPECIAL_TOKENS)
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_type_count(2)
    writer.add_token_list([_piece(token, special=token in special) for token in tokens])
    control, normal = int(gguf.TokenType.CONTROL), int(gguf.TokenType.NORMAL)
    writer.add_token_types([control if token in special else normal for token in tokens])
    number = {token: tokens.index(token) for token in SPECIAL_TOKENS}
    writer.add_bos_token_id(number["[CLS]"])
    writer.add_eos_token_id(number["[SEP]"])
    writer.add_unk_token_id(number["[UNK]"])
    writer.add_sep_token_id(number["[SEP]"])
    writer.add_pad_token_id(number["[PAD]"])
    writer.add_mask_token_id(number["[MASK]"])


def _piece(token: str, *, special: bool) -> str:
    if special:
        return token
    return token[2:] if token.startswith("##") else "\u2581" + token


def requantise(source: Path, target: Path, kind: str) -> None:
    """Write `source` with its matrices in another type, such as Q4_0 or Q8_0, by llama.cpp's own quantiser.

    Raises:
        ValueError: llama.cpp knows no such type, or refused the file.
    """
    number = getattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{kind}", None)
    if number is None:
        raise ValueError(f"llama.cpp knows no type {kind}")
    how = llama_cpp.llama_model_quantize_default_params()
    how.ftype = number
    how.allow_requantize = True
    llama_cpp.llama_log_set(_SILENT, ctypes.c_void_p())
    if llama_cpp.llama_model_quantize(bytes(source), bytes(target), ctypes.byref(how)) != 0:
        raise ValueError(f"llama.cpp could not rewrite {source.name} as {kind}")


def maker_versions() -> dict[str, str]:
    """The versions of the packages that make the files, for the record kept beside them."""
    return {package: metadata.version(package) for package in ("gguf", "llama-cpp-python", "numpy", "safetensors")}
