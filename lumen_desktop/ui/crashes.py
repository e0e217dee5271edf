"""What happens to a bug: a report is written on this computer, the banner says so, the window goes on.

A report holds the kind of the error, file names, lines and versions; never its message, a value or any text of a
document, so that it can be handed on.
"""

import json
import os
import platform
import sys
import threading
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import PySide6
from PySide6.QtCore import QObject, Qt, Signal

from lumen_desktop import __version__

_LARGEST_COUNT = 20  # reports of one run; a fault in a loop must not fill the disk


class CrashReports(QObject):
    """Takes what nothing else caught, from any thread, for as long as it is installed.

    Args:
        folder: tells where reports go; it may change while the program runs.
    """

    told = Signal(str)
    _happened = Signal(str)

    def __init__(self, folder: Callable[[], Path], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder = folder
        self.count = 0
        self._before = sys.excepthook, threading.excepthook
        self._happened.connect(self.told, Qt.ConnectionType.QueuedConnection)

    def install(self) -> None:
        """Takes errors from now on."""
        sys.excepthook = self.take
        threading.excepthook = lambda a: self.take(a.exc_type, a.exc_value, a.exc_traceback)

    def remove(self) -> None:
        """Gives the former handlers their place back."""
        sys.excepthook, threading.excepthook = self._before

    def take(self, kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
        """Writes the report of one error, and tells of it."""
        if issubclass(kind, KeyboardInterrupt | SystemExit):
            return
        sys.stderr.write("".join(traceback.format_tb(trace)) + f"{kind.__name__}\n")
        self.count += 1
        if self.count > _LARGEST_COUNT:
            return
        path = _written(self._folder(), _report(kind, error, trace))
        where = f" A report without any of your texts is in {path}." if path else ""
        self._happened.emit(f"Something went wrong inside Lumen. You can go on; what was stored is unharmed.{where}")


def _report(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> str:
    causes: list[dict[str, object]] = []
    cause = error.__cause__ or error.__context__ if error is not None else None
    while cause is not None and len(causes) < 5:  # noqa: PLR2004 - deeper ones help nobody
        causes.append({"type": type(cause).__name__, "frames": _frames(cause.__traceback__)})
        cause = cause.__cause__ or cause.__context__
    fields = {
        "time_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "type": kind.__name__,
        "frames": _frames(trace),
        "causes": causes,
        "versions": {
            "lumen": __version__, "python": platform.python_version(), "qt": PySide6.__version__,
            "system": platform.platform(),
        },
    }  # fmt: skip
    return json.dumps(fields, indent=1)


def _frames(trace: TracebackType | None) -> list[str]:
    """File (without the folders above its package), line and function of each step."""
    steps = traceback.extract_tb(trace)
    return [f"{Path(*Path(step.filename).parts[-3:])}:{step.lineno} {step.name}" for step in steps]


def _written(folder: Path, content: str) -> Path | None:
    moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
    path = folder / "reports" / f"crash-{moment}.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
    except OSError:
        return None
    return path
