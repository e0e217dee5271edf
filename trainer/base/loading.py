"""The base's tokenizer and model in memory, each the one way that was measured to be right.

The tokenizer is made from tokenizer.json alone: which class transformers chooses by the files beside it was measured to
change the ids. The model attends by scaled dot products, and in four bits it is kept from repacking its weights.
"""

import json
from typing import Any, Literal

import bitsandbytes
import torch
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, PreTrainedModel, PreTrainedTokenizerFast

from trainer.base.prepared import Prepared
from trainer.base.quiet import quiet

_TOKENS = ("bos_token", "eos_token", "unk_token", "pad_token")
_TYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}

Precision = Literal["nf4", "bf16", "fp32"]
Compute = Literal["bf16", "fp32"]


def tokenizer(prepared: Prepared) -> PreTrainedTokenizerFast:
    """The base's tokenizer, with its template; its ids are llama.cpp's."""
    fields: dict[str, Any] = json.loads((prepared.folder / "tokenizer_config.json").read_bytes())
    named = {name: _word(fields[name]) for name in _TOKENS if fields.get(name)}
    with quiet():
        return PreTrainedTokenizerFast(
            tokenizer_file=str(prepared.folder / "tokenizer.json"), chat_template=prepared.template,
            clean_up_tokenization_spaces=False, **named,
        )  # fmt: skip


def load(prepared: Prepared, *, precision: Precision, compute: Compute, device: str = "cpu") -> PreTrainedModel:
    """The base's model, in evaluation mode.

    Args:
        prepared: what `prepare` gave.
        precision: of the frozen weights; nf4 is 4 bits with the scales quantised too.
        compute: of the arithmetic where weights are nf4, and of what is not quantised then.
        device: such as cpu or cuda:0.
    """
    four = precision == "nf4"
    kind = _TYPES[compute if precision == "nf4" else precision]
    how = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=kind
    )  # fmt: skip
    with quiet():
        model = AutoModelForCausalLM.from_pretrained(
            prepared.folder, dtype=kind, quantization_config=how if four else None, device_map={"": device},
            attn_implementation="sdpa", local_files_only=True, use_safetensors=True,
        )  # fmt: skip
    if four:
        keep_unpacked(model)
    result: PreTrainedModel = model.eval()
    return result


def keep_unpacked(model: torch.nn.Module) -> None:
    """Keeps 4-bit layers from repacking their weights in place when they are first evaluated.

    On processors with AVX512-BF16 the repacked form has no gradient: training after an evaluation then follows wrong
    ones, silently, and merging gives noise. Source: measured, bitsandbytes 0.50.2.
    """
    for layer in model.modules():
        if isinstance(layer, bitsandbytes.nn.Linear4bit):
            layer.support_avx512bf16_for_cpu = False


def _word(token: Any) -> str:
    return str(token["content"]) if isinstance(token, dict) else str(token)
