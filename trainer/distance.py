"""How far one model's next tokens lie from another's, over the same conversations: divergence, first choice and loss.

`Expected` asks the trained model once and keeps what it said on the disk; `distance` compares any other with it. Knows
neither GGUF nor torch's models, only functions from tokens to logits; `trainer.merge` and `trainer.parity` use it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.conversations import Conversation
from trainer.lines import refused_if_unwritable

POSITIONS = 8_192  # of whole distributions kept, in all conversations together: 1 GB at 32,000 tokens
_AT_ONCE = 256

Floats = NDArray[np.float32]
Logits = Callable[[Sequence[int]], Floats]
Heard = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Said:
    """What a model said of one conversation.

    Attributes:
        losses: of each token but the first, nats.
        first: the likeliest token after each but the last.
    """

    losses: NDArray[np.float64]
    first: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Distance:
    """A model against the trained one.

    Attributes:
        kl_mean: divergence of its distributions from the trained model's, nats, mean over the kept positions.
        kl_p99: the same, 99th percentile.
        top1: share of tokens after which both have the same first choice.
        loss: mean over learnt tokens, nats.
        loss_trained: the same of the trained model.
        perplexity: over all tokens.
        perplexity_trained: the same of the trained model.
        tokens: all, but the first of each conversation.
        learnt: those that the loss counts.
        positions: at which the divergence was taken.
    """

    kl_mean: float
    kl_p99: float
    top1: float
    loss: float
    loss_trained: float
    perplexity: float
    perplexity_trained: float
    tokens: int
    learnt: int
    positions: int

    @property
    def task_loss(self) -> float:
        """How much its loss lies above the trained model's, nats."""
        return self.loss - self.loss_trained


class Expected:
    """What the trained model says of conversations; whole distributions lie in ``file`` until `close`.

    Args:
        conversations: that it is asked.
        logits: of the trained model.
        file: for its log-probabilities; made here, and taken away by `close`.
        heard: conversations done and conversations there are; may raise to stop.
    """

    def __init__(
        self, conversations: Sequence[Conversation], logits: Logits, file: Path, *, heard: Heard = lambda _n, _all: None
    ) -> None:
        self.conversations = conversations
        self.said: list[Said] = []
        self._file = file
        self._places = [_places(one, len(conversations)) for one in conversations]
        self._vocabulary = 0
        try:
            with refused_if_unwritable(file), file.open("wb") as out:
                for number, one in enumerate(conversations):
                    heard(number, len(conversations))
                    found = logits(one.ids)
                    self._vocabulary = found.shape[1]
                    self.said.append(_said(one, found))
                    out.write(_log_softmax(found[self._places[number]]).data)
        except BaseException:
            self.close()
            raise

    @property
    def loss(self) -> float:
        """Its own, mean over learnt tokens, nats."""
        return _mean(self.conversations, self.said)

    def kept(self) -> list[tuple[NDArray[np.int64], Floats]]:
        """Of each conversation, the kept positions and their log-probabilities, mapped from the disk."""
        whole = np.memmap(self._file, dtype=np.float32, mode="r").reshape(-1, self._vocabulary)
        ends = np.cumsum([len(places) for places in self._places])
        return list(zip(self._places, np.split(whole, ends[:-1]), strict=True))

    def close(self) -> None:
        """Takes the file away."""
        self._file.unlink(missing_ok=True)


def room_bytes(vocabulary: int) -> int:
    """How large the file of `Expected` becomes at most."""
    return 4 * POSITIONS * vocabulary


def distance(expected: Expected, logits: Logits, *, heard: Heard = lambda _n, _all: None) -> Distance:
    """Compares a model with the trained one.

    Args:
        expected: of the trained model.
        logits: of the other.
        heard: conversations done and conversations there are; may raise to stop.
    """
    said, divergences = [], []
    count = len(expected.conversations)
    for number, (one, (places, trained)) in enumerate(zip(expected.conversations, expected.kept(), strict=True)):
        heard(number, count)
        found = logits(one.ids)
        said.append(_said(one, found))
        divergences.append(_divergence(trained, found[places]))
    kl = np.concatenate(divergences)
    theirs = np.concatenate([one.losses for one in expected.said])
    its = np.concatenate([one.losses for one in said])
    learnt = sum(sum(one.learn[1:]) for one in expected.conversations)
    same = np.concatenate([a.first == b.first for a, b in zip(expected.said, said, strict=True)])
    return Distance(
        float(kl.mean()), float(np.quantile(kl, 0.99)), float(same.mean()), _mean(expected.conversations, said),
        expected.loss, math.exp(its.mean()), math.exp(theirs.mean()), len(its), learnt, len(kl),
    )  # fmt: skip


def mean_loss(conversations: Sequence[Conversation], logits: Logits, *, heard: Heard = lambda _n, _all: None) -> float:
    """A model's loss by itself, mean over learnt tokens, nats.

    Args:
        conversations: that it is asked.
        logits: of the model.
        heard: conversations done and conversations there are; may raise to stop.
    """
    said = []
    for number, one in enumerate(conversations):
        heard(number, len(conversations))
        said.append(_said(one, logits(one.ids)))
    return _mean(conversations, said)


def _mean(conversations: Sequence[Conversation], said: Sequence[Said]) -> float:
    """Over the learnt tokens of all of them."""
    learn = np.concatenate([np.array(one.learn[1:], dtype=bool) for one in conversations])
    return float(np.concatenate([one.losses for one in said])[learn].mean())


def _places(one: Conversation, count: int) -> NDArray[np.int64]:
    """Positions whose distribution is kept, evenly over a conversation."""
    most = max(1, POSITIONS // count)
    after = len(one.ids) - 1
    return np.unique(np.linspace(0, after - 1, min(most, after)).astype(np.int64))


def _said(one: Conversation, logits: Floats) -> Said:
    """Losses in fp64 sums; in slices, for a vocabulary is wide."""
    losses, wanted = [], np.array(one.ids[1:])
    for start in range(0, len(wanted), _AT_ONCE):
        part = logits[:-1][start : start + _AT_ONCE].astype(np.float64)
        picked = part[np.arange(len(part)), wanted[start : start + _AT_ONCE]]
        losses.append(_log_sum(part)[:, 0] - picked)
    return Said(np.concatenate(losses), logits[:-1].argmax(axis=1))


def _divergence(trained: Floats, logits: Floats) -> NDArray[np.float64]:
    """Kullback-Leibler, nats, of each row."""
    found = []
    for start in range(0, len(trained), _AT_ONCE):
        ours = trained[start : start + _AT_ONCE].astype(np.float64)
        part = logits[start : start + _AT_ONCE].astype(np.float64)
        found.append((np.exp(ours) * (ours - part + _log_sum(part))).sum(axis=1))
    return np.concatenate(found)


def _log_softmax(logits: Floats) -> Floats:
    wide = logits.astype(np.float64)
    return np.ascontiguousarray(wide - _log_sum(wide), dtype=np.float32)


def _log_sum(wide: NDArray[np.float64]) -> NDArray[Any]:
    highest = wide.max(axis=1, keepdims=True)
    total: NDArray[Any] = highest + np.log(np.exp(wide - highest).sum(axis=1, keepdims=True))
    return total
