"""The model that is trained further: found, brought into one form, and loaded.

`prepare` needs no torch where the base is a folder of safetensors; `tokenizer` and `load` do, and are imported late.
"""

from typing import TYPE_CHECKING, Any

from trainer.base.prepared import Prepared, prepare

if TYPE_CHECKING:
    from trainer.base.loading import keep_unpacked, load, tokenizer

__all__ = ["Prepared", "keep_unpacked", "load", "prepare", "tokenizer"]


def __getattr__(name: str) -> Any:
    """What needs torch, when it is first asked for."""
    if name in ("load", "tokenizer", "keep_unpacked"):
        from trainer.base import loading  # noqa: PLC0415 - torch takes seconds to import

        return getattr(loading, name)
    raise AttributeError(name)
