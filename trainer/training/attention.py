"""Attention over rows in which several documents lie one after the other, none seeing another.

On a GPU it is FlashAttention for documents of different length, as it ships inside torch; elsewhere a loop over the
documents, which says the same and is what the tests hold against torch's masked attention. THE GPU'S BRANCH HAS NOT
RUN: no GPU was at hand; its arguments are taken from torch's own signature. Called by `trainer.finetune`.
"""

import inspect
import itertools
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface

NAME = "lumen_varlen"


def use(model: Any) -> bool:
    """Sets it for a model; on a GPU where torch lacks the kernel, the model keeps masked attention.

    Without a mask nothing is computed that causality or another document hides: on a processor half of the work.

    Returns:
        Whether it was set.
    """
    if next(model.parameters()).device.type == "cuda" and _kernel() is None:
        return False
    register()
    model.set_attn_implementation(NAME)
    return True


def register() -> None:
    """Makes it known to transformers under `NAME`; it wants no mask built."""
    AttentionInterface.register(NAME, attend)
    AttentionMaskInterface.register(NAME, lambda *_args, **_more: None)


def attend(  # noqa: PLR0917 - transformers calls it so
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **more: Any,
) -> tuple[Tensor, None]:
    """Causal attention within each document.

    Args:
        module: of the layer.
        query: shape (1, heads, tokens, width).
        key: shape (1, key heads, tokens, width).
        value: as key.
        attention_mask: none is wanted.
        scaling: of the products; one over the root of the width where it is None.
        dropout: is not used by models of this family.
        **more: ``cu_seq_lens_q`` (documents + 1,), where each document begins, and ``max_length_q``.

    Returns:
        Shape (1, tokens, heads, width), and None for the weights.
    """
    del module, attention_mask, dropout
    starts = more.get("cu_seq_lens_q")
    if starts is None:
        starts = torch.tensor([0, query.shape[2]], dtype=torch.int32, device=query.device)
    longest = int(more.get("max_length_q") or query.shape[2])
    if query.device.type == "cuda":
        return _on_gpu(query, key, value, starts, longest=longest, scaling=scaling), None
    bounds = starts.tolist()
    parts = [
        scaled_dot_product_attention(
            query[:, :, a:b], key[:, :, a:b], value[:, :, a:b], is_causal=True, scale=scaling, enable_gqa=True
        )
        for a, b in itertools.pairwise(bounds)
    ]
    return torch.cat(parts, dim=2).transpose(1, 2).contiguous(), None


def _on_gpu(
    query: Tensor, key: Tensor, value: Tensor, starts: Tensor, *, longest: int, scaling: float | None
) -> Tensor:  # fmt: skip
    """Not run here; see the module's first words."""
    kernel = _kernel()
    assert kernel is not None
    flat = [one[0].transpose(0, 1).contiguous() for one in (query, key, value)]
    named = inspect.signature(kernel).parameters
    causal = {"window_size": (-1, 0)} if "window_size" in named else {"is_causal": True}
    grouped = {"enable_gqa": True} if "enable_gqa" in named else {}
    if not grouped and query.shape[1] != key.shape[1]:
        times = query.shape[1] // key.shape[1]
        flat[1:] = [one.repeat_interleave(times, dim=1) for one in flat[1:]]
    out: Tensor = kernel(*flat, starts, starts, longest, longest, scale=scaling, **causal, **grouped)
    return out[None]


def _kernel() -> Any | None:
    """Torch's, from 2.10 on."""
    try:
        from torch.nn.attention.varlen import varlen_attn  # noqa: PLC0415 - older torch has none
    except ImportError:
        return None
    return varlen_attn
