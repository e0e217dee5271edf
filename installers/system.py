"""What the machine itself must bring: a C++ compiler, venv, and on Linux the libraries that the window stands on.

Installs them where it may (Debian's apt, as root) and otherwise says which command does. Knows nothing of Python
packages; `installers.__main__` asks it before anything has to be built.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

APT_ALWAYS = ("ca-certificates", "libgomp1")
# What Qt loads by itself, also where no screen is; the second part only where windows are shown through X11.
# Library to load, and the names of what holds it for apt, dnf, pacman and zypper.
WINDOW_LIBRARIES = {
    "libGL.so.1": ("libgl1", "libglvnd-glx", "libglvnd", "libGL1"),
    "libEGL.so.1": ("libegl1", "libglvnd-egl", "libglvnd", "libEGL1"),
    "libxkbcommon.so.0": ("libxkbcommon0", "libxkbcommon", "libxkbcommon", "libxkbcommon0"),
    "libglib-2.0.so.0": ("libglib2.0-0", "glib2", "glib2", "libglib-2_0-0"),
    "libfontconfig.so.1": ("libfontconfig1", "fontconfig", "fontconfig", "libfontconfig1"),
    "libdbus-1.so.3": ("libdbus-1-3", "dbus-libs", "dbus", "libdbus-1-3"),
    "libxcb-cursor.so.0": ("libxcb-cursor0", "xcb-util-cursor", "xcb-util-cursor", "libxcb-cursor0"),
    "libxcb-icccm.so.4": ("libxcb-icccm4", "xcb-util-wm", "xcb-util-wm", "libxcb-icccm4"),
    "libxcb-keysyms.so.1": ("libxcb-keysyms1", "xcb-util-keysyms", "xcb-util-keysyms", "libxcb-keysyms1"),
    "libxcb-shape.so.0": ("libxcb-shape0", "libxcb", "libxcb", "libxcb-shape0"),
    "libxcb-xkb.so.1": ("libxcb-xkb1", "libxcb", "libxcb", "libxcb-xkb1"),
    "libxkbcommon-x11.so.0": ("libxkbcommon-x11-0", "libxkbcommon-x11", "libxkbcommon-x11", "libxkbcommon-x11-0"),
}
APT, DNF, PACMAN, ZYPPER = range(4)
VSWHERE = Path("Microsoft Visual Studio", "Installer", "vswhere.exe")
VC_TOOLS = "Microsoft.VisualStudio.Component.VC.Tools.x86.x64"


class MissingError(Exception):
    """The machine lacks something that only its owner can install; the message holds the exact command."""


def missing() -> list[str]:
    """What is lacking, in words; empty where all is there."""
    found = []
    if not _has_compiler():
        found.append("a C++ compiler")
    if importlib.util.find_spec("ensurepip") is None:
        found.append("Python's venv module")
    return found


def window_libraries() -> list[str]:
    """Which of the libraries that Qt needs cannot be loaded; on Linux only, elsewhere Qt brings its own."""
    return [name for name in WINDOW_LIBRARIES if not _loads(name)] if sys.platform == "linux" else []


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _window_packages(tool: int) -> str:
    """The names, in one package tool, of what holds the libraries of the window."""
    return " ".join(sorted({names[tool] for names in WINDOW_LIBRARIES.values()}))


def apt_packages() -> list[str]:
    """Debian's and Ubuntu's names for what `missing` looks for, for the Python that runs this."""
    window = (names[APT] for names in WINDOW_LIBRARIES.values())
    return sorted([*APT_ALWAYS, "g++", f"python{sys.version_info.major}.{sys.version_info.minor}-venv", *window])


def ensure(*, log: Path) -> None:
    """Install what is lacking, or raise; without the libraries of the window Lumen works in the terminal.

    Raises:
        MissingError: it takes a person to install it, or apt failed.
    """
    lacking, window = missing(), window_libraries()
    if not lacking and not window:
        return
    named = [*lacking, *([f"libraries of the window ({', '.join(window)})"] if window else [])]
    print(f"This machine lacks {' and '.join(named)}.", flush=True)
    if not (shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0):
        if lacking:
            raise MissingError(f"Install what is lacking, then start again:\n  {by_hand()}")
        print(f"Lumen works in the terminal. For its window, install them and start again:\n  {by_hand()}", flush=True)
        return
    _apt(log)
    if still := missing():
        raise MissingError(f"apt-get ran, and yet {' and '.join(still)} is lacking; see {log}.")


def _apt(log: Path) -> None:
    """apt-get as root, without questions."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "--no-install-recommends", *apt_packages()]
    with log.open("a", encoding="utf-8") as file:
        for command in (["apt-get", "update"], install):
            print(f"  {' '.join(command)}", flush=True)
            if subprocess.run(command, env=environment, stdout=file, stderr=file, check=False).returncode != 0:
                raise MissingError(f"'{' '.join(command)}' failed; its own words are in {log}.")


def by_hand() -> str:
    """The command for this machine's own package tool."""
    if sys.platform == "darwin":
        return "xcode-select --install"
    if sys.platform == "win32":
        return (
            "winget install Microsoft.VisualStudio.2022.BuildTools "
            '--override "--wait --add Microsoft.VisualStudio.Workload.VCTools --includeRecommended"'
        )
    commands = {
        "apt-get": f"sudo apt-get update && sudo apt-get install -y {' '.join(apt_packages())}",
        "dnf": f"sudo dnf install -y gcc-c++ libgomp python3 {_window_packages(DNF)}",
        "pacman": f"sudo pacman -S --needed gcc python {_window_packages(PACMAN)}",
        "zypper": f"sudo zypper install -y gcc-c++ libgomp1 python311 {_window_packages(ZYPPER)}",
    }
    known = (command for tool, command in commands.items() if shutil.which(tool))
    return next(known, "(your system's command for a C++ compiler, Python with venv, and the libraries named)")


def _has_compiler() -> bool:
    if sys.platform == "win32":
        return _has_visual_studio()
    if sys.platform == "darwin":
        # /usr/bin/c++ is there on every Mac and only asks for the tools; this one tells.
        return subprocess.run(["xcode-select", "-p"], capture_output=True, check=False).returncode == 0  # noqa: S607
    return any(shutil.which(name) for name in (os.environ.get("CXX", "c++"), "c++", "g++", "clang++"))


def _has_visual_studio() -> bool:
    finder = Path(os.environ.get("PROGRAMFILES(X86)", "C:\\Program Files (x86)")) / VSWHERE
    if not finder.is_file():
        return False
    question = [str(finder), "-latest", "-products", "*", "-requires", VC_TOOLS, "-property", "installationPath"]
    return bool(subprocess.run(question, capture_output=True, text=True, check=False).stdout.strip())
