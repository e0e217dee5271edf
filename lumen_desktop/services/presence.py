"""One window per data folder: a second start asks the first window to come forward.

The call is a small file in the data folder, which the window that holds the folder takes away; no network is
involved. Knows no Qt. Called by `ui.application` before anything heavy is loaded.
"""

import contextlib
import time
from pathlib import Path

CALL = "lumen.call"
PURPOSE = "the window"  # what the holder says of itself, and what a second start looks for
_TIMEOUT_S = 2.0
_LOOK_EVERY_S = 0.05


def call_forward(folder: Path, timeout_s: float = _TIMEOUT_S) -> bool:
    """Asks the window that holds a data folder to come forward.

    Args:
        folder: the data folder.
        timeout_s: how long its answer is waited for.

    Returns:
        Whether a window answered; False where none holds the folder, or the one that does hangs.
    """
    if not (folder / "lumen.holder").exists():  # what follows takes a tenth of a second to load
        return False
    from lumen_desktop.storage.folder import DataFolder  # noqa: PLC0415

    data = DataFolder(folder)
    if not data.is_held() or not data.holder().startswith(PURPOSE):
        return False
    call = folder / CALL
    try:
        call.touch(mode=0o600)
    except OSError:
        return False
    deadline = time.monotonic() + timeout_s
    while call.exists():
        if time.monotonic() > deadline:
            answered(folder)
            return False
        time.sleep(_LOOK_EVERY_S)
    return True


def answered(folder: Path) -> bool:
    """Takes a call away, if there is one; True where there was."""
    with contextlib.suppress(OSError):
        (folder / CALL).unlink()
        return True
    return False
