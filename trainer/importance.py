"""How much each input column of each weight matters: the mean of its squares over training conversations.

llama.cpp's quantiser rounds the columns that matter more carefully; this is what its own llama-imatrix tool collects,
taken from the trained model. Names are GGUF's. `trainer.export` hands it on.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from trainer.conversations import Conversation
from trainer.distance import Heard
from trainer.lines import refused_if_unwritable
from trainer.trained import Trained

Floats = NDArray[np.float32]
_NAMES = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}  # fmt: skip


def importance(
    model: Trained, conversations: Sequence[Conversation], *, heard: Heard = lambda _done, _all: None
) -> Mapping[str, Floats]:
    """The mean square of each input column, by GGUF's name of the weight, shape (columns,).

    The converter permutes rows of the query and key weights, never columns, so that the figures fit as they are.

    Args:
        model: the trained model.
        conversations: of the training part, never of validation or test.
        heard: conversations done and conversations there are; may raise to stop.
    """
    sums: dict[str, torch.Tensor] = {}
    tokens = 0

    def hear(layer: int, module: str, inputs: torch.Tensor) -> None:
        name = f"blk.{layer}.{_NAMES[module]}.weight"
        squares = inputs.double().square().sum(dim=0)
        sums[name] = sums[name] + squares if name in sums else squares

    with model.listening(hear):
        for number, one in enumerate(conversations):
            heard(number, len(conversations))
            model.logits(one.ids, last=1)
            tokens += len(one.ids)
    return {name: (total / tokens).float().cpu().numpy() for name, total in sums.items()}


def write(path: Path, figures: Mapping[str, Floats]) -> None:
    """Keeps the figures in a file, whole or not at all.

    Raises:
        StorageError: TRN-010.
    """
    part = path.with_name(path.name + ".part")
    with refused_if_unwritable(path):
        save_file(dict(figures), part)
        part.replace(path)


def read(path: Path) -> Mapping[str, Floats]:
    """The figures that `write` kept."""
    kept: Mapping[str, Floats] = load_file(path)
    return kept
