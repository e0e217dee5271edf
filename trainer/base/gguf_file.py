"""A GGUF file as a folder that can be trained: weights unpacked once, the tokenizer as its publisher wrote it.

Reads Llama-family files with a byte-level tokenizer, such as the app's starter model. A sentencepiece model's GGUF
holds no tokenizer.model, which its export would need: for those the publisher's folder is asked for. Called by
`adopted`.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np
import torch
from tokenizers import pre_tokenizers
from transformers import LlamaConfig
from transformers.integrations.gguf import gguf_tokenizer_mapping as reading
from transformers.integrations.gguf.dequant import dequantize, row_bytes
from transformers.integrations.gguf.reader import GgufHeader, read_gguf_metadata

from lumen_desktop.errors import InputError
from trainer.base import template
from trainer.base.quiet import quiet
from trainer.tensors import Form
from trainer.tensors import write as write_tensors

_DIGITS: Final = pre_tokenizers.Sequence([
    pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
])  # fmt: skip
# Where transformers' own reading of a GGUF leaves the pre-tokenizer as GPT-2's though the file says another one.
_PRE: Final = {"smollm": _DIGITS}
_PLAIN: Final = ("default", "gpt-2", "gpt2")
_PLAIN_TYPES: Final = {0: torch.float32, 1: torch.float16, 30: torch.bfloat16}
_ENDS: Final = {
    "token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}  # fmt: skip
_PARTS: Final = {
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj", "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
}  # fmt: skip
_LAYER: Final = re.compile(r"blk\.(?P<layer>[0-9]{1,4})\.(?P<part>[a-z_]+)\.weight")

Told = Callable[[str, int, int], None]


def write(path: Path, folder: Path, *, told: Told) -> None:
    """Writes what the file holds as config.json, safetensors, tokenizer files and template.

    Raises:
        InputError: another architecture (TRN-063), weights that cannot be unpacked (TRN-064) or a tokenizer that cannot
            be brought over (TRN-065).
    """
    try:
        architecture, words, settings = reading.get_gguf_tokenizer(str(path))
        facts, _names = read_gguf_metadata(str(path))
    except Exception:  # noqa: BLE001 - a damaged file fails in whatever way
        _refuse("TRN-064", f"{path.name} is damaged or cut short.", "Download the file again.")
    if architecture != "llama":
        _refuse("TRN-063", f"{path.name} is a {architecture[:40]} model, which is not trained here.",
                "Name a GGUF of the Llama or Mistral family.")  # fmt: skip
    _write_tokenizer(path, folder, words, settings)
    try:
        _write_config(path, folder, facts, len(words["tokens"]))
        _write_weights(path, folder, facts, told)
    except (KeyError, ValueError, TypeError, RuntimeError, IndexError):
        _refuse("TRN-064", f"The weights of {path.name} cannot be unpacked.", "Download the file again.")


def _write_tokenizer(path: Path, folder: Path, words: dict[str, Any], settings: dict[str, Any]) -> None:
    pre = words.get("pre_tokenizer_type", "default")
    known = pre in _PRE or pre in _PLAIN or pre in reading.GGUF_PRE_TOKENIZER_SPLITS
    if words.get("tokenizer_type") != "gpt2" or not known:
        _refuse("TRN-065", f"The tokenizer of {path.name} cannot be brought over from a GGUF.",
                "Name the folder of the same model as its publisher has it.")  # fmt: skip
    with quiet():
        tokenizer, _ = reading.convert_gguf_tokenizer("llama", words)
    if pre in _PRE:
        tokenizer.pre_tokenizer = _PRE[pre]
    tokenizer.save(str(folder / "tokenizer.json"))
    named = {name: settings.get(name) for name in ("bos_token", "eos_token", "unk_token", "pad_token")}
    fields = {
        "tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False,
        "add_bos_token": bool(settings.get("add_bos_token", False)), **{k: v for k, v in named.items() if v},
    }  # fmt: skip
    (folder / "tokenizer_config.json").write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")
    if rendering := settings.get("chat_template"):
        (folder / template.NAME).write_bytes(rendering.encode())


def _write_weights(path: Path, folder: Path, facts: dict[str, Any], told: Told) -> None:
    """Unpacked one by one to half precision, the type that the export begins with."""
    header = GgufHeader.from_file(str(path))
    blob = np.memmap(path, dtype=np.uint8, mode="r")
    named = {_name(path, one.name): one for one in header.tensors}
    heads = {"q_proj": facts["llama.attention.head_count"], "k_proj": facts["llama.attention.head_count_kv"]}

    def unpacked(name: str) -> torch.Tensor:
        one = named[name]
        start = header.data_start + one.offset
        raw = torch.from_numpy(np.array(blob[start : start + one.nbytes]))
        if raw.numel() != one.nbytes:
            _refuse("TRN-064", f"{path.name} is damaged or cut short.", "Download the file again.")
        tensor = _numbers(raw, one.ggml_type, one.shape)
        count = heads.get(name.split(".")[-2])
        half = (_halves(tensor, count) if count else tensor).half()
        if not bool(torch.isfinite(half).all()):
            _refuse("TRN-064", f"{one.name[:80]} of {path.name} has no half-precision form.", "Take another file.")
        return half

    forms = {name: Form("F16", one.shape) for name, one in named.items()}
    write_tensors(folder, forms, unpacked, heard=lambda done, of: told("base: weights", done, of))


def _numbers(raw: torch.Tensor, kind: int, shape: tuple[int, ...]) -> torch.Tensor:
    if kind in _PLAIN_TYPES:
        return raw.view(_PLAIN_TYPES[kind]).reshape(shape).float()
    numbers: torch.Tensor = dequantize(raw.reshape(*shape[:-1], row_bytes(kind, shape[-1])), kind)
    return numbers.reshape(shape)


def _halves(tensor: torch.Tensor, heads: int) -> torch.Tensor:
    """Queries and keys with each head's two halves one after the other again; llama.cpp interleaves them."""
    pairs = tensor.reshape(heads, tensor.shape[0] // heads // 2, 2, *tensor.shape[1:])
    return pairs.transpose(1, 2).reshape(tensor.shape)


def _name(path: Path, name: str) -> str:
    """A tensor's name in the publisher's form."""
    if name in _ENDS:
        return _ENDS[name]
    found = _LAYER.fullmatch(name)
    if found is None or found["part"] not in _PARTS:
        _refuse("TRN-063", f"{path.name} holds {name[:80]}, which no model that is trained here has.",
                "Name the folder of the same model as its publisher has it.")  # fmt: skip
    return f"model.layers.{found['layer']}.{_PARTS[found['part']]}.weight"


def _write_config(path: Path, folder: Path, facts: dict[str, Any], tokens: int) -> None:
    if facts.get("llama.rope.scaling.type", "none") != "none" or facts.get("llama.expert_count"):
        _refuse("TRN-063", f"{path.name} stretches its positions or has experts, which is not trained here.",
                "Name a plain Llama or Mistral model.")  # fmt: skip
    width, heads = facts["llama.embedding_length"], facts["llama.attention.head_count"]
    names = {one.name for one in GgufHeader.from_file(str(path)).tensors}
    fields = LlamaConfig(
        vocab_size=tokens, hidden_size=width, intermediate_size=facts["llama.feed_forward_length"],
        num_hidden_layers=facts["llama.block_count"], num_attention_heads=heads,
        num_key_value_heads=facts["llama.attention.head_count_kv"],
        head_dim=facts.get("llama.attention.key_length", width // heads),
        max_position_embeddings=facts["llama.context_length"],
        rms_norm_eps=round(facts["llama.attention.layer_norm_rms_epsilon"], 10),
        rope_theta=float(facts.get("llama.rope.freq_base", 10_000.0)), tie_word_embeddings="output.weight" not in names,
        bos_token_id=facts.get("tokenizer.ggml.bos_token_id"), eos_token_id=facts.get("tokenizer.ggml.eos_token_id"),
        architectures=["LlamaForCausalLM"], dtype="float16",
    ).to_dict()  # fmt: skip
    (folder / "config.json").write_text(json.dumps(fields, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _refuse(code: str, words: str, hint: str) -> NoReturn:
    raise InputError(words, code=code, hint=hint)
