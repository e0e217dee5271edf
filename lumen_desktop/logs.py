"""The log file: event codes, ids, durations and sizes as JSON lines; never text that a person wrote.

An allow-list decides what may be written, so that a question, a document's words or a passphrase
cannot slip in. Every layer above may call `event`.
"""

import contextlib
import io
import json
import logging
import logging.handlers
import os
import time
from pathlib import Path
from typing import Final

ALLOWED_FIELDS: Final = frozenset(
    {"code", "id", "build", "duration_s", "size_bytes", "count", "passages", "status", "exit", "child"}
)
_log = logging.getLogger("lumen_desktop")
_log.propagate = False
_log.addHandler(logging.NullHandler())


class _Handler(logging.handlers.RotatingFileHandler):
    """Makes each file its owner's only; drops what it cannot write: the work's own refusal tells of a full disk."""

    def _open(self) -> io.TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return io.TextIOWrapper(io.FileIO(descriptor, "a"), encoding=self.encoding, write_through=True)

    def close(self) -> None:
        with contextlib.suppress(OSError):  # what a full disk did not take
            super().close()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        """Says nothing."""


def open_log(folder: Path) -> None:
    """Writes events to ``lumen.log`` in a data folder from now on: ten files of 5 MB, owner only."""
    close_log()
    handler = _Handler(folder / "lumen.log", maxBytes=5_000_000, backupCount=9, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(message)s"))
    _log.addHandler(handler)
    _log.setLevel(logging.INFO)


def close_log() -> None:
    """Closes the log file, if one is open."""
    for handler in [h for h in _log.handlers if isinstance(h, logging.FileHandler)]:
        _log.removeHandler(handler)
        handler.close()


def event(name: str, **fields: str | float | None) -> None:
    """Writes one event.

    Args:
        name: what happened, such as ``answer.stored``.
        fields: ids, codes, counts, durations; a field outside `ALLOWED_FIELDS` is a bug.

    Raises:
        ValueError: a field is not on the allow-list.
    """
    if stray := set(fields) - ALLOWED_FIELDS:
        raise ValueError(f"not on the log's allow-list: {sorted(stray)}")
    if _log.isEnabledFor(logging.INFO):
        _log.info(json.dumps({"time_utc": round(time.time(), 3), "event": name, **fields}, ensure_ascii=False))
