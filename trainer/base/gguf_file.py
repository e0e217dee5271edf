"""A GGUF file as a folder that can be trained: weights unpacked once, the tokenizer as its publisher wrote it.

Reads Llama-family files with a byte-level tokenizer, such as the app's starter model. A sentencepiece model's GGUF
holds no tokenizer.model, which its export would need: for those the publisher's folder is asked for. Called by
`adopted`.
"""

import json
import warnings
from pathlib import Path
from typing import Any, Final, NoReturn

import torch
from tokenizers import pre_tokenizers
from transformers import AutoModelForCausalLM, GgufConfig
from transformers.integrations.gguf import gguf_tokenizer_mapping as reading

from lumen_desktop.errors import InputError
from trainer.base import template
from trainer.base.quiet import quiet

_DIGITS: Final = pre_tokenizers.Sequence([
    pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
])  # fmt: skip
# Where transformers' own reading of a GGUF leaves the pre-tokenizer as GPT-2's though the file says another one.
_PRE: Final = {"smollm": _DIGITS}
_PLAIN: Final = ("default", "gpt-2", "gpt2")


def write(path: Path, folder: Path) -> None:
    """Writes what the file holds as config.json, safetensors, tokenizer files and template.

    Raises:
        InputError: another architecture (TRN-063), weights that cannot be unpacked (TRN-064) or a tokenizer that cannot
            be brought over (TRN-065).
    """
    try:
        architecture, words, settings = reading.get_gguf_tokenizer(str(path))
    except Exception:  # noqa: BLE001 - a damaged file fails in whatever way
        _refuse("TRN-064", f"{path.name} is damaged or cut short.", "Download the file again.")
    if architecture != "llama":
        _refuse("TRN-063", f"{path.name} is a {architecture[:40]} model, which is not trained here.",
                "Name a GGUF of the Llama or Mistral family.")  # fmt: skip
    _write_tokenizer(path, folder, words, settings)
    _write_weights(path, folder)


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


def _write_weights(path: Path, folder: Path) -> None:
    """Unpacked to half precision, the type that the export begins with; to single where a weight would not fit."""
    try:
        with quiet(), warnings.catch_warnings():
            model = AutoModelForCausalLM.from_pretrained(
                path.parent, gguf_file=path.name, dtype=torch.float32, local_files_only=True,
                quantization_config=GgufConfig(dequantize=True),
            )  # fmt: skip
            largest = max(float(one.detach().abs().max()) for one in model.parameters())
            if largest < torch.finfo(torch.float16).max:
                model = model.half()
            model.save_pretrained(folder)
    except (ValueError, OSError, RuntimeError, KeyError):
        _refuse("TRN-064", f"The weights of {path.name} cannot be unpacked.", "Download the file again.")


def _refuse(code: str, words: str, hint: str) -> NoReturn:
    raise InputError(words, code=code, hint=hint)
