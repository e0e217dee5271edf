"""A random Mistral of three million parameters with a tokenizer trained on the spot: for tests and for trying commands.

It says nothing, but takes the way that BioMistral takes at every step: the same architecture, the same kind of
tokenizer, rows of 256 so that the quantiser's real types apply. The same bytes each time.
"""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sentencepiece
import torch
from safetensors.torch import save_file
from transformers import MistralConfig, MistralForCausalLM

from trainer.base import template
from trainer.base.sentencepiece import hub_tokenizer

ROOT = Path(__file__).resolve().parents[1]
VOCABULARY, SEED, VERSION = 2_048, 20_261_123, 1
_LONGEST_LINE_BYTES = 4_192
_CONFIG = {
    "vocab_size": VOCABULARY, "hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 4,
    "num_attention_heads": 8, "num_key_value_heads": 2, "max_position_embeddings": 8_192, "rms_norm_eps": 1e-5,
    "sliding_window": None, "tie_word_embeddings": False, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip


def write(folder: Path) -> None:
    """Writes the model as the Hub would show it: config, weights, both tokenizer files and a template."""
    folder.mkdir(parents=True, exist_ok=True)
    model = _tokenizer()
    (folder / "tokenizer.model").write_bytes(model)
    (folder / "tokenizer.json").write_text(hub_tokenizer(model), encoding="utf-8")
    _json(folder / "tokenizer_config.json", {
        "tokenizer_class": "LlamaTokenizer", "add_bos_token": True, "add_eos_token": False, "bos_token": "<s>",
        "eos_token": "</s>", "unk_token": "<unk>", "clean_up_tokenization_spaces": False, "legacy": False,
        "model_max_length": _CONFIG["max_position_embeddings"], "chat_template": template.MISTRAL,
    })  # fmt: skip
    weights, fields = _weights()
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    _json(folder / "config.json", fields)
    _json(folder / "generation_config.json", {"bos_token_id": 1, "eos_token_id": 2, "do_sample": False})


def _weights() -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        model = MistralForCausalLM(MistralConfig(**_CONFIG)).to(torch.bfloat16)
    fields: dict[str, Any] = model.config.to_dict()
    fields |= {"architectures": ["MistralForCausalLM"], "torch_dtype": "bfloat16", "dtype": "bfloat16"}
    return {name: tensor.contiguous() for name, tensor in model.state_dict().items()}, fields


def _tokenizer() -> bytes:
    """The bytes of a sentencepiece model: byte-pair encoding with bytes for what it does not know, as Llama's."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.Train(
        sentence_iterator=_lines(), model_writer=model, vocab_size=VOCABULARY, model_type="bpe", byte_fallback=True,
        unk_id=0, bos_id=1, eos_id=2, pad_id=-1, normalization_rule_name="identity", add_dummy_prefix=True,
        remove_extra_whitespaces=False, split_digits=True, allow_whitespace_only_pieces=True, num_threads=1,
        minloglevel=2,
    )  # fmt: skip
    return model.getvalue()


def _lines() -> Iterator[str]:
    """English that ships with the code: the wordings of questions, the licences, the words of curation."""
    files = [
        *sorted((ROOT / "dataset" / "wordings").glob("*.yaml")),
        *sorted((ROOT / "ownership" / "texts").glob("*.txt")),
    ]
    for file in [*files, ROOT / "curation" / "words.txt"]:
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.strip():
                yield line[:_LONGEST_LINE_BYTES]


def _json(path: Path, fields: dict[str, Any]) -> None:
    path.write_text(json.dumps(fields, indent=1, sort_keys=True) + "\n", encoding="utf-8")
