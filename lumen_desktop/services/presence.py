"""One window per person, screen and site: a second start asks the first window to come forward.

The first start holds a lock beside the person's settings from its first moment to its last, whether or not a site is
open by then. A second start leaves a call there, which the first takes away when it hears it; no network is involved.
Knows no Qt and no site. Called by `ui.application` before anything else.
"""

import contextlib
import ctypes
import hashlib
import os
import platform
import sys
import time
from pathlib import Path

import filelock

from lumen_desktop import paths, settings

_TIMEOUT_S = 6.0  # a window that is being made hears once its event loop runs; one that closes has gone by then
_LOOK_EVERY_S = 0.05


class Presence:
    """The place where starts of the program meet.

    Args:
        data: the data folder asked for; None is the usual one.
    """

    def __init__(self, data: Path | None) -> None:
        beside = paths.settings_file()
        name = _name(beside, paths.user_data() if data is None or _is_usual(data) else data)
        self._call = beside.with_name(f"window-{name}.call")
        self._lock = filelock.FileLock(beside.with_name(f"window-{name}.lock"), mode=0o600)

    def first(self, timeout_s: float = _TIMEOUT_S) -> bool:
        """Takes the place, or asks the window that has it to come forward.

        Args:
            timeout_s: how long that window may take to answer, or to go.

        Returns:
            Whether this start shows a window: no other has the place, or the other one does not answer, or the folder
            cannot be written, so that none can be asked. False where the other one came forward.
        """
        if self._take():
            return True
        try:
            self._call.touch(mode=0o600)
        except OSError:
            return True
        _give_up_foreground()
        deadline = time.monotonic() + timeout_s
        while self._call.exists():
            if self._take() or time.monotonic() > deadline:
                self.called()
                return True
            time.sleep(_LOOK_EVERY_S)
        return False

    def called(self) -> bool:
        """Takes a call away; whether there was one."""
        with contextlib.suppress(OSError):
            self._call.unlink()
            return True
        return False

    def leave(self) -> None:
        """Gives the place back; the end of the process does as well, however it ends."""
        self._lock.release()

    def _take(self) -> bool:
        """False where another process has the place; one that cannot be locked is had by nobody."""
        try:
            self._call.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except filelock.Timeout:
            return False
        except OSError:
            return True
        self.called()  # a call that nobody was there to hear
        return True


def _name(beside: Path, data: Path) -> str:
    """Differs for other settings, another folder, another computer on the same home, and another screen of it."""
    screen = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY", "")
    place = (_real(beside), _real(data), platform.node(), screen)
    return hashlib.sha256(repr(place).encode()).hexdigest()[:12]


def _is_usual(data: Path) -> bool:
    """Whether a folder that was named is the one that a start without a name would open."""
    chosen = settings.load(paths.settings_file())[0].data_folder
    sites = Path(chosen) if chosen else paths.user_data()
    own, demonstration = _real(paths.own_site(sites)), _real(paths.demonstration(sites))
    found = demonstration if os.access(demonstration, os.F_OK) and not os.access(own, os.F_OK) else own
    return _real(data) == found


def _real(path: Path) -> str:
    """One spelling of a path, whatever links lead there."""
    return os.path.normcase(os.path.realpath(path))


def _give_up_foreground() -> None:
    """Windows lets a process raise its window only where the one that the person started last allows it."""
    if sys.platform == "win32":
        any_process = -1
        ctypes.windll.user32.AllowSetForegroundWindow(any_process)
