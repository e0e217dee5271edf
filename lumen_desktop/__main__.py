"""`python -m lumen_desktop`: the program, or with a switch one of its child processes.

Parses only what decides which; a child loads nothing but its own code, so that its limits hold
before any heavy library is there. Started by people, and by `children.parent`.
"""

import argparse
import ctypes
import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path

_CHILDREN = {
    "reader": "lumen_desktop.retrieval.readers.child",
    "engine": "lumen_desktop.engine.worker",
    "engine-fake": "lumen_desktop.engine.fake",
    "index": "lumen_desktop.retrieval.vectors",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the child that a switch names; without one, starts the application.

    Args:
        arguments: the command line without the program's name; None takes the process's own.

    Returns:
        The exit status.
    """
    parser = argparse.ArgumentParser(prog="lumen_desktop", allow_abbrev=False)
    role = parser.add_mutually_exclusive_group()
    for name in _CHILDREN:
        role.add_argument(f"--{name}", dest="role", action="store_const", const=name)
    parser.add_argument("--memory-bytes", type=int, default=0)
    _add_data(parser)
    parser.add_argument("arguments", nargs="*")
    options = parser.parse_args(arguments)
    if options.role is None:
        return _application(options.data)
    run = importlib.import_module(_CHILDREN[options.role]).run
    status: int = run(options.memory_bytes, *options.arguments)
    return status


def window(arguments: Sequence[str] | None = None) -> int:
    """The console script `lumen-desktop`: the window; see `main` for arguments and result."""
    parser = argparse.ArgumentParser(prog="lumen-desktop", description="Ask your own library, offline.")
    _add_data(parser)
    return _application(parser.parse_args(arguments).data)


def _add_data(parser: argparse.ArgumentParser) -> None:
    given = os.environ.get("LUMEN_DATA")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", default=Path(given) if given else None, help="data folder of the site"
    )


def _application(data: Path | None) -> int:
    """The window where there is a display for it, else the terminal."""
    lacking = _lacking()
    if not lacking:
        started: int = importlib.import_module("lumen_desktop.ui.application").start(data)
        return started
    sys.stderr.write(f"{lacking}: Lumen works in the terminal.\n")
    in_terminal: int = importlib.import_module("lumen_desktop.cli").start(data)
    return in_terminal


def _lacking() -> str:
    """What keeps a window from being shown, in words; empty where nothing does."""
    display = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))
    if sys.platform not in {"win32", "darwin"} and not display:
        return "There is no display for a window"
    if _is_deaf():
        return "The display does not answer"
    try:
        importlib.import_module("PySide6.QtWidgets")
    except ImportError as error:
        return f"The window cannot be shown ({error})"
    return ""


def _is_deaf() -> bool:
    """Whether windows would be shown through X11 and no display answers there: Qt would end the process."""
    if not os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.environ.get("QT_QPA_PLATFORM"):
        return False
    try:
        xcb, _ = ctypes.CDLL("libxcb.so.1"), ctypes.CDLL("libxcb-cursor.so.0")
    except OSError:  # Qt needs both
        return True
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_disconnect.argtypes = xcb.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(None, None)
    failed: bool = xcb.xcb_connection_has_error(connection) != 0
    xcb.xcb_disconnect(connection)
    return failed


if __name__ == "__main__":
    sys.exit(main())
