"""A sentencepiece model as the Hub writes it for tokenizers: the one form whose ids are llama.cpp's.

Other forms (a pre-tokenizer in place of the normaliser, or none) were measured to lose the space before a text or to
differ on leading spaces. Knows nothing of a base; `tiny` and `folder` call it.
"""

import json
from pathlib import Path
from typing import Any

from sentencepiece import SentencePieceProcessor

SPACE = "▁"


def hub_tokenizer(model: bytes) -> str:
    """The text of a ``tokenizer.json`` for the bytes of a ``tokenizer.model``.

    Raises:
        RuntimeError: sentencepiece cannot read it.
    """
    reader = SentencePieceProcessor()
    reader.LoadFromSerializedProto(model)
    pieces = [reader.IdToPiece(number) for number in range(reader.GetPieceSize())]
    control = [n for n in range(len(pieces)) if reader.IsControl(n) or reader.IsUnknown(n)]
    spoken = [n for n in range(len(pieces)) if not (reader.IsByte(n) or n in control)]
    begin = pieces[reader.bos_id()]
    written = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [_added(n, pieces[n]) for n in control],
        "normalizer": _sequence("normalizers", {"type": "Prepend", "prepend": SPACE}, _replace(" ", SPACE)),
        "pre_tokenizer": None,
        "post_processor": _begin(begin, reader.bos_id()),
        "decoder": _sequence(
            "decoders", _replace(SPACE, " "), {"type": "ByteFallback"}, {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0},
        ),
        "model": {
            "type": "BPE", "dropout": None, "unk_token": pieces[reader.unk_id()], "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": True, "byte_fallback": True, "ignore_merges": False,
            "vocab": {piece: n for n, piece in enumerate(pieces)}, "merges": _merges(pieces, spoken),
        },
    }  # fmt: skip
    return json.dumps(written, ensure_ascii=False, indent=1) + "\n"


def is_hub_form(tokenizer: Path) -> bool:
    """Whether a ``tokenizer.json`` puts the space before a text by its normaliser, as the Hub's does."""
    fields = json.loads(tokenizer.read_bytes())
    normalizer = fields.get("normalizer") or {}
    kinds = {one.get("type") for one in normalizer.get("normalizers", [normalizer])}
    return "Prepend" in kinds and fields.get("pre_tokenizer") is None


def _merges(pieces: list[str], spoken: list[int]) -> list[list[str]]:
    """Every way to put a piece together from two, likelier pieces first, as sentencepiece would choose them."""
    rank = {pieces[n]: n for n in spoken}
    merges = []
    for n in spoken:
        whole = pieces[n]
        halves = [(whole[:cut], whole[cut:]) for cut in range(1, len(whole))]
        merges += sorted(
            (one for one in halves if one[0] in rank and one[1] in rank), key=lambda one: _ranks(rank, one)
        )
    return [list(one) for one in merges]


def _ranks(rank: dict[str, int], halves: tuple[str, str]) -> tuple[int, int]:
    return rank[halves[0]], rank[halves[1]]


def _added(number: int, content: str) -> dict[str, Any]:
    plain = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": number, "content": content, **plain, "special": True}


def _begin(token: str, number: int) -> dict[str, Any]:
    first = {"SpecialToken": {"id": token, "type_id": 0}}
    one, two = ({"Sequence": {"id": name, "type_id": at}} for at, name in enumerate("AB"))
    second = {"SpecialToken": {"id": token, "type_id": 1}}
    return {
        "type": "TemplateProcessing", "single": [first, one], "pair": [first, one, second, two],
        "special_tokens": {token: {"id": token, "ids": [number], "tokens": [token]}},
    }  # fmt: skip


def _replace(this: str, that: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": {"String": this}, "content": that}


def _sequence(kind: str, *parts: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Sequence", kind: list(parts)}
