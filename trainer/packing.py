"""Puts documents of many lengths into rows of one length, none cut, none seeing another.

A row is one sequence in which positions start again at each document: attention by scaled dot products without a mask
keeps documents apart then, as do kernels that take their boundaries. Knows no text; `trainer.rows` packs with it,
`trainer.finetune` collates with it. Source: Ding et al. 2024, "Fewer Truncations Improve Language Modeling".
"""

import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

NOT_LEARNT = -100

Ids = NDArray[np.int64]
Learn = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Document:
    """One tokenised conversation.

    Attributes:
        ids: token ids, shape (tokens,).
        learn: which of them are learnt, shape (tokens,).
    """

    ids: Ids
    learn: Learn


@dataclass(frozen=True, slots=True)
class Pack:
    """Documents that make one row.

    Attributes:
        number: of the row in its file of rows, from 0.
        documents: in the row's order.
        examples: their examples' ids.
    """

    number: int
    documents: tuple[Document, ...]
    examples: tuple[str, ...] = ()


def best_fit(lengths: Sequence[int], room: int) -> list[list[int]]:
    """Longest first, each into the fullest row that still has room for it.

    Args:
        lengths: of the documents, tokens.
        room: of a row, tokens.

    Returns:
        Rows, each the numbers of its documents.

    Raises:
        ValueError: a document is longer than a row, or empty.
    """
    rows: list[list[int]] = []
    left: dict[int, list[int]] = {}  # rows by the room that they have left
    rooms: list[int] = []  # its keys, in order
    for number in sorted(range(len(lengths)), key=lambda n: -lengths[n]):
        length = int(lengths[number])
        if not 0 < length <= room:
            raise ValueError(f"a document of {length} tokens fits no row of {room}")
        at = bisect.bisect_left(rooms, length)
        if at == len(rooms):
            row, now = len(rows), room
            rows.append([])
        else:
            now = rooms[at]
            row = left[now].pop()
            if not left[now]:
                del left[now], rooms[at]
        rows[row].append(number)
        if rest := now - length:
            if rest not in left:
                left[rest] = []
                bisect.insort(rooms, rest)
            left[rest].append(row)
    return rows


def collate(packs: Sequence[Pack]) -> dict[str, Any]:
    """A batch of one row: the documents of the packs one after the other, positions starting again at each.

    Args:
        packs: at least one.

    Returns:
        Tensors of shape (1, tokens): ``input_ids``, ``labels`` (-100 where nothing is learnt, and at the first token
        of each document, which nothing in it foretells) and ``position_ids``; the documents' boundaries and longest
        length as kernels of variable length take them; and ``use_cache`` off, without which an evaluation pass would
        let documents see each other.
    """
    documents = [document for pack in packs for document in pack.documents]
    lengths = np.array([len(document.ids) for document in documents])
    bounds = np.concatenate(([0], np.cumsum(lengths)))
    ids = np.concatenate([document.ids for document in documents]).astype(np.int64)
    learn = np.concatenate([document.learn for document in documents])
    labels = np.where(learn, ids, NOT_LEARNT)
    labels[bounds[:-1]] = NOT_LEARNT
    positions = np.arange(len(ids)) - np.repeat(bounds[:-1], lengths)
    ends = torch.from_numpy(bounds.astype(np.int32))
    longest = int(lengths.max())
    return {
        "input_ids": torch.from_numpy(ids)[None],
        "labels": torch.from_numpy(labels)[None],
        "position_ids": torch.from_numpy(positions)[None],
        "use_cache": False,
        "cu_seq_lens_q": ends,
        "cu_seq_lens_k": ends,
        "max_length_q": longest,
        "max_length_k": longest,
    }


def collate_to_learn(packs: Sequence[Pack]) -> dict[str, Any]:
    """The same, asking for scores only where a token is learnt: of questions on passages that is one place in thirty.

    Returns:
        What `collate` gives, and as transformers' causal models and Liger's kernels take them: ``logits_to_keep``, the
        places whose next token is learnt, shape (learnt,), and ``shift_labels``, these tokens, shape (1, learnt).
    """
    batch = collate(packs)
    following = batch["labels"][0, 1:]
    kept = (following != NOT_LEARNT).nonzero()[:, 0]
    return {**batch, "logits_to_keep": kept, "shift_labels": following[kept][None]}
