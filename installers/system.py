"""What the machine itself must bring: a C++ compiler, and Python's own means to make a virtual environment.

Installs them where it may (Debian's apt, as root) and otherwise says which command does. Knows nothing of Python
packages; `installers.__main__` asks it before anything has to be built.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

APT_ALWAYS = ("ca-certificates", "libgomp1")
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


def apt_packages() -> list[str]:
    """Debian's and Ubuntu's names for what `missing` looks for, for the Python that runs this."""
    return sorted([*APT_ALWAYS, "g++", f"python{sys.version_info.major}.{sys.version_info.minor}-venv"])


def ensure(*, log: Path) -> None:
    """Install what is lacking, or raise.

    Raises:
        MissingError: it takes a person to install it, or apt failed.
    """
    lacking = missing()
    if not lacking:
        return
    print(f"This machine lacks {' and '.join(lacking)}.", flush=True)
    if not (shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0):
        raise MissingError(f"Install what is lacking, then start again:\n  {by_hand()}")
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
        "dnf": "sudo dnf install -y gcc-c++ libgomp python3",
        "pacman": "sudo pacman -S --needed gcc python",
        "zypper": "sudo zypper install -y gcc-c++ libgomp1 python311",
    }
    known = (command for tool, command in commands.items() if shutil.which(tool))
    return next(known, "(your system's command for a C++ compiler and for Python with venv)")


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
