"""The trained model itself, computing in fp32 whatever its weights are kept in: what every file is compared with.

A layer is widened while it computes and narrowed after it, exactly, so that a 7B model of 16 bits needs 16 GB and not
30. Knows no file but a model's folder; `trainer.merge`, `trainer.importance` and `trainer.parity` ask it.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import psutil
import torch
from numpy.typing import NDArray
from transformers import AutoModelForCausalLM

from lumen_desktop.errors import InputError
from trainer.base.quiet import quiet
from trainer.tensors import TYPES, Tensors

_ROOM = 1.2  # times the weights: one layer widened, embeddings widened, activations
_MORE_BYTES = 2 * 10**9
_GB = 1e9
_WIDE = torch.float32

Linear = torch.nn.Linear


class Trained:
    """A model's folder, opened on the GPU where it fits, else on the processor.

    Args:
        folder: config.json and safetensors.
        threads: of the processor.

    Raises:
        InputError: it cannot be read (TRN-083), or the memory is too small (TRN-087).
    """

    def __init__(self, folder: Path, *, threads: int | None = None) -> None:
        if threads:
            torch.set_num_threads(threads)
        tensors = Tensors(folder)
        self.device = _device(tensors.size_bytes)
        narrow = TYPES[next(place.type for place in tensors.places.values() if len(place.shape) > 1)]
        with quiet():
            self.model = AutoModelForCausalLM.from_pretrained(
                folder, dtype=narrow, attn_implementation="sdpa", local_files_only=True, device_map={"": self.device}
            ).eval()
        self.model.requires_grad_(requires_grad=False)
        if narrow is not _WIDE:
            _widen(self.model)

    def logits(self, ids: Sequence[int], *, last: int = 0) -> NDArray[np.float32]:
        """Logits after each token, shape (tokens, vocabulary), or only after the last ones."""
        asked = torch.tensor([list(ids)], device=self.device)
        with torch.inference_mode():
            found = self.model(input_ids=asked, use_cache=False, logits_to_keep=last).logits[0]
        logits: NDArray[np.float32] = found.float().cpu().numpy()
        return logits

    @property
    def layers(self) -> Any:
        """The decoder's layers, in order."""
        return self.model.model.layers

    @contextlib.contextmanager
    def listening(self, heard: Callable[[int, str, torch.Tensor], None]) -> Iterator[None]:
        """Tells of the inputs of every linear module of every layer while it lasts.

        Args:
            heard: takes the layer's number, the module's name in it, and its input, shape (tokens, columns).
        """
        handles = [
            module.register_forward_pre_hook(
                lambda _module, inputs, n=number, called=name: heard(n, called, inputs[0].flatten(0, -2))
            )
            for number, layer in enumerate(self.layers)
            for name, module in layer.named_modules()
            if isinstance(module, Linear)
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def close(self) -> None:
        """Gives the memory back."""
        del self.model
        if self.device != "cpu":
            torch.cuda.empty_cache()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_ended: object) -> None:
        self.close()


def _device(weights_bytes: int) -> str:
    needed = int(weights_bytes * _ROOM) + _MORE_BYTES
    if torch.cuda.is_available() and torch.cuda.mem_get_info()[0] > needed:
        return "cuda"
    free = psutil.virtual_memory().available
    if free < needed:
        raise InputError(
            f"Comparing needs {needed / _GB:.1f} GB of memory, and {free / _GB:.1f} GB are free.", code="TRN-087",
            hint="Close other programs, or run this step on a larger machine: the work folder may be moved.",
        )  # fmt: skip
    return "cpu"


def _widen(model: Any) -> None:
    """Embeddings, last norm and head for good, each layer only while it computes."""
    inner = model.model
    for module in (inner.embed_tokens, inner.norm, model.lm_head):
        module.float()
    for layer in inner.layers:
        kept: list[tuple[torch.nn.Parameter, torch.Tensor]] = []
        layer.register_forward_pre_hook(lambda module, _inputs, kept=kept: _open(module, kept))
        layer.register_forward_hook(lambda _module, _inputs, _output, kept=kept: _shut(kept), always_call=True)


def _open(layer: torch.nn.Module, kept: list[tuple[torch.nn.Parameter, torch.Tensor]]) -> None:
    for parameter in layer.parameters():
        kept.append((parameter, parameter.data))
        parameter.data = parameter.data.float()


def _shut(kept: list[tuple[torch.nn.Parameter, torch.Tensor]]) -> None:
    for parameter, narrow in kept:
        parameter.data = narrow
    kept.clear()
