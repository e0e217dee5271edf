"""Makes a folder of the trainer's own from a base as it came: weights, tokenizer and template in place.

Checks what it brings: an architecture that is trained here, whole weights, a tokenizer of their vocabulary, a template
that carries each turn, a token to fill rows with. Called by `prepared`.
"""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from lumen_desktop.errors import InputError
from trainer.base import template, weights
from trainer.base.places import Source
from trainer.base.sentencepiece import hub_tokenizer

ARCHITECTURES = ("MistralForCausalLM", "LlamaForCausalLM")
SMALL_FILES = (
    "config.json", "generation_config.json", "tokenizer.json", "tokenizer.model", "tokenizer_config.json",
    "special_tokens_map.json", "added_tokens.json", template.NAME,
)  # fmt: skip
LARGEST_SMALL_BYTES = 64 * 1024**2
MOST_SPARE_ROWS = 1_024  # that the weights may have beyond the tokenizer: bases round their vocabulary up
PADS = ("<|endoftext|>", "<pad>", "[PAD]", "<|pad|>", "<unk>")

Told = Callable[[str, int, int], None]


def bring(source: Source, folder: Path, *, told: Told) -> list[str]:
    """Fills an empty folder with a base.

    Args:
        source: where it lies.
        folder: of the trainer's own.
        told: the stage, the parts done and the parts there are.

    Returns:
        Sentences on what was changed or chosen.

    Raises:
        InputError: TRN-063 to TRN-066, TRN-068.
    """
    told("base", 0, 1)
    if source.kind == "tiny":
        from trainer.base import tiny  # noqa: PLC0415 - only the tiny model needs sentencepiece's trainer

        tiny.write(folder)
        fields = _json(folder / "config.json", "TRN-063")
    elif source.kind == "gguf":
        from trainer.base import gguf_file  # noqa: PLC0415 - transformers' GGUF reader takes seconds to import

        gguf_file.write(source.path, folder, told=told)
        fields = _json(folder / "config.json", "TRN-063")
    else:
        fields = _config(source.path)
        _copy(source.path, folder)
        weights.bring(source.path, folder, told=told)
    notes = [*_tokenizer(folder), *_template(source, folder)]
    _vocabulary(folder, fields)
    return [*notes, *_pad(folder)]


def _config(folder: Path) -> dict[str, Any]:
    """The model's own configuration, if it is of a family that is trained here."""
    if not (folder / "config.json").is_file():
        _refuse("TRN-063", f"{folder.name} holds no config.json.", "Name the folder of a model as the Hub has it.")
    fields = _json(folder / "config.json", "TRN-063")
    names = fields.get("architectures") or ["none"]
    if names[0] not in ARCHITECTURES:
        _refuse("TRN-063", f"The base is a {str(names[0])[:60]}, which is not trained here.",
                f"Name one of {' or '.join(ARCHITECTURES)}.")  # fmt: skip
    if fields.get("quantization_config"):
        _refuse("TRN-063", "The base's weights are quantised already.", "Name the model it was quantised from.")
    return fields


def _copy(source: Path, folder: Path) -> None:
    for name in SMALL_FILES:
        path = source / name
        if path.is_file():
            if path.stat().st_size > LARGEST_SMALL_BYTES:
                _refuse("TRN-065", f"{name} is larger than 64 MB.", "Download the file again.")
            shutil.copyfile(path, folder / name)


def _tokenizer(folder: Path) -> list[str]:
    """Sees that there is a tokenizer.json whose ids are llama.cpp's."""
    if (folder / "tokenizer.json").is_file():
        return []
    model = folder / "tokenizer.model"
    if not model.is_file():
        _refuse("TRN-065", "The base has neither tokenizer.json nor tokenizer.model.", "Copy the model's whole folder.")
    try:
        (folder / "tokenizer.json").write_text(hub_tokenizer(model.read_bytes()), encoding="utf-8")
    except (RuntimeError, ValueError, IndexError):
        _refuse("TRN-065", "The base's tokenizer.model is damaged.", "Download the file again.")
    return ["tokenizer.json was made from tokenizer.model."]


def _template(source: Source, folder: Path) -> list[str]:
    """Leaves one template in a file of its own, and none in the tokenizer's settings, where two could differ."""
    path, settings = folder / template.NAME, folder / "tokenizer_config.json"
    fields = _json(settings, "TRN-065") if settings.is_file() else {}
    own = fields.pop("chat_template", None)
    if source.template:
        words, notes = source.template, ["The configuration's template replaces the base's own."]
    elif path.is_file():
        words, notes = path.read_bytes().decode("utf-8", "replace"), []
    elif isinstance(own, str) and own:
        words, notes = own, []
    else:
        _refuse("TRN-066", "The base has no template for conversations.",
                f"Set base.template to a Jinja file, or to {template.MISTRAL_WORD} for that family.")  # fmt: skip
    fields.pop("auto_map", None)
    path.write_bytes(words.encode())
    _write(settings, fields)
    return notes


def _vocabulary(folder: Path, fields: Mapping[str, Any]) -> None:
    """Compares the tokenizer with the rows of the embedding."""
    from tokenizers import Tokenizer  # noqa: PLC0415 - not before it is known that there is something to read

    try:
        known = Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab(with_added_tokens=True)
    except Exception:  # noqa: BLE001 - tokenizers raises Exception itself
        _refuse("TRN-065", "The base's tokenizer.json is damaged.", "Download the file again.")
    rows = weights.shapes(folder).get("model.embed_tokens.weight", (0,))[0]
    highest = max(known.values(), default=-1)
    if rows != fields.get("vocab_size"):
        _refuse("TRN-064", f"The base's weights have {rows:,} tokens, its config.json {fields.get('vocab_size')}.",
                "Copy the model's whole folder again.")  # fmt: skip
    if highest >= rows or highest + 1 < rows - MOST_SPARE_ROWS:
        _refuse("TRN-065", f"The tokenizer has {highest + 1:,} tokens, the weights {rows:,}: it is another model's.",
                "Copy the tokenizer files from the model's own folder.")  # fmt: skip


def _pad(folder: Path) -> list[str]:
    """Chooses a token that fills rows where none is named, or where it is the one that ends a turn."""
    from tokenizers import Tokenizer  # noqa: PLC0415

    settings = folder / "tokenizer_config.json"
    fields = _json(settings, "TRN-065")
    end, own = _word(fields.get("eos_token")), _word(fields.get("pad_token"))
    if not end:
        _refuse("TRN-065", "The base's tokenizer names no token that ends a text.", "Copy tokenizer_config.json too.")
    if own and own != end:
        return []
    known = Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab(with_added_tokens=True)
    chosen = next((token for token in PADS if token in known and token != end), None)
    if chosen is None:
        _refuse("TRN-068", "The base has no token to fill rows with but the one that ends a turn.",
                "Name a pad_token in its tokenizer_config.json.")  # fmt: skip
    _write(settings, fields | {"pad_token": chosen})
    return [
        f"Rows are filled with {chosen}: " + ("the base fills them with its end." if own else "the base names none.")
    ]


def _word(token: Any) -> str:
    """A token as the settings write it: a text, or a mapping that holds one."""
    return str(token.get("content", "")) if isinstance(token, dict) else (token or "")


def _json(path: Path, code: str) -> dict[str, Any]:
    try:
        fields = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        _refuse(code, f"The base's {path.name} is damaged.", "Download the file again.")
    return fields


def _write(path: Path, fields: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(fields, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _refuse(code: str, words: str, hint: str) -> NoReturn:
    raise InputError(words, code=code, hint=hint)
