"""The release: manifest and parts become one file; each signer then adds a seal. Called by `trainer.cli.release`."""

from datetime import date
from pathlib import Path

from trainer.config import Config


def release(config: Config, *, today: date, key: object | None = None) -> Path:
    """Writes ``released/<name>-<build>-<quantisation>.lumenbuild`` where it is not there yet, and adds a seal.

    Args:
        config: where everything lies, and what the bundle says of itself.
        today: for the day of making, and against the day of expiry.
        key: of `trainer.keys`, opened; None writes the bundle without a seal.

    Raises:
        InputError: one of the refusals TRN-100 and TRN-103 to TRN-108.
        StorageError: TRN-010.
    """
    raise NotImplementedError
