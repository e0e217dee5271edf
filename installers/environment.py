"""The virtual environment in .venv: made, filled from the locks, and left alone while nothing has changed.

Each step has a stamp: the digest of what went into it, written after it succeeded and removed before it begins, so that
a set-up that is killed at any point does that step again and no other. Standard library only; `installers.__main__`
puts the steps in order.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from installers import progress

# pip settings of the person that would send packages elsewhere than into .venv, and paths that would shadow them.
MISLEADING = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
# llama.cpp's picture models and its web client are not used; without them the compiler has a third less to do.
CMAKE_ARGUMENTS = "-DLLAVA_BUILD=OFF -DLLAMA_OPENSSL=OFF"
LOG, LOCK, STAMPS, UNFINISHED = "bootstrap.log", "bootstrap.lock", "stamps", "unfinished"
PIP_INSTALL = ("-m", "pip", "install", "--disable-pip-version-check", "--no-input")
RAW_PROGRESS = ("--progress-bar", "raw")
LOCKED = ("--require-hashes", "--no-deps", "--no-build-isolation", "-v")


@dataclass(frozen=True, slots=True)
class Environment:
    """One checkout's virtual environment; `hold` is the descriptor of its lock."""

    root: Path
    hold: int = -1

    @property
    def folder(self) -> Path:
        """Where it is."""
        return self.root / ".venv"

    @property
    def log(self) -> Path:
        """What all commands said."""
        return self.folder / LOG

    @property
    def mark(self) -> Path:
        """Lies there while pip works, and stays where pip was killed."""
        return self.folder / UNFINISHED

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")

    def variables(self) -> dict[str, str]:
        """The environment variables of commands that work on it."""
        kept = {name: value for name, value in os.environ.items() if name not in MISLEADING}
        path = f"{self.python.parent}{os.pathsep}{kept.get('PATH', '')}"
        return {"CMAKE_ARGS": CMAKE_ARGUMENTS, **kept, "PATH": path, "PYTHONUNBUFFERED": "1"}

    def run(self, title: str, *arguments: str) -> None:
        """Run its Python with these arguments.

        Raises:
            CommandFailedError: it ended with another status than 0.
        """
        self.call(title, [str(self.python), *arguments])

    def call(self, title: str, command: list[str]) -> None:
        """Run any command in the checkout, showing that it lives."""
        variables = self.variables()
        progress.run(title, command, log=self.log, folder=self.root, environment=variables, hold=self.hold)

    def pip(self, title: str, *arguments: str) -> None:
        """`pip install` with these arguments.

        A pip that is killed may leave half a package that the next one takes for whole; so a mark is there as long as
        pip works, and a set-up that finds it makes the environment anew (from pip's cache). A pip that fails by itself
        has cleaned up.

        Raises:
            CommandFailedError: it ended with another status than 0.
        """
        self.mark.touch()
        try:
            self.run(title, *PIP_INSTALL, *arguments)
        except progress.CommandFailedError as failure:
            if failure.status > 0:
                self.mark.unlink()
            raise
        self.mark.unlink()

    def upgrade_pip(self, title: str) -> None:
        """Put the locked pip in place of the one that came with Python, which knows no raw progress yet."""
        self.pip(title, "--require-hashes", "-r", str(self.root / "installers" / "pip.lock"))

    def install(self, title: str, lock: str) -> None:
        """Install one of the lock files beside this module."""
        self.pip(title, *RAW_PROGRESS, *LOCKED, "-r", str(self.root / "installers" / lock))

    def install_apart(self, title: str, lock: str, folder: str) -> None:
        """Install a lock file into a folder of its own in .venv, which only those import who add it to their path."""
        target = ("--upgrade", "--target", str(self.folder / folder))
        self.pip(title, *RAW_PROGRESS, *LOCKED, *target, "-r", str(self.root / "installers" / lock))

    def rebuild(self, title: str, package: str, lock: str) -> None:
        """Replace one package by the same version, compiled here and now, whatever build pip's cache holds."""
        text = (self.root / "installers" / lock).read_text(encoding="utf-8")
        alone = self.folder / f"{package}.lock"
        alone.write_text(pin(text, package), encoding="utf-8")
        again = ("--force-reinstall", "--no-cache-dir", "--no-binary", package)
        self.pip(title, *RAW_PROGRESS, *LOCKED, *again, "-r", str(alone))

    def make(self, title: str) -> None:
        """Make the folder anew, whatever half-made or outdated one is there; the log and the lock stay."""
        for path in self.folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name not in {LOG, LOCK}:
                path.unlink()
        self.call(title, [sys.executable, "-m", "venv", str(self.folder)])


def pin(lock: str, package: str) -> str:
    """The lines of a lock file that pin one package."""
    lines = lock.splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith(f"{package}=="))
    end = next((n for n in range(begin + 1, len(lines)) if not lines[n].startswith(" ")), len(lines))
    return "\n".join(lines[begin:end]) + "\n"


@contextmanager
def locked(root: Path) -> Iterator[Environment]:
    """The checkout's environment, for one set-up at a time; a second one waits for the first."""
    folder = root / ".venv"
    folder.mkdir(exist_ok=True)
    with (folder / LOCK).open("a+") as file:
        if not _try_lock(file.fileno()):
            print("Another set-up is at work in this folder; waiting for it to end.", flush=True)
            _wait_for_lock(file.fileno())
        yield Environment(root, file.fileno())


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _wait_for_lock(descriptor: int) -> None:
        while True:
            try:
                return msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
            except OSError:  # gives up by itself after ten seconds
                continue
else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _wait_for_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)


@dataclass(frozen=True, slots=True)
class Step:
    """One part of the set-up: what it is called, what it depends on, and what does it."""

    name: str
    title: str
    inputs: tuple[str, ...]
    work: Callable[[str], None]

    def digest(self) -> str:
        """Of the inputs: a change of any of them makes the step due again."""
        return hashlib.sha256("\0".join(self.inputs).encode()).hexdigest()


def is_done(environment: Environment, step: Step) -> bool:
    """Whether the step succeeded here, from the same inputs."""
    try:
        return (environment.folder / STAMPS / step.name).read_text(encoding="ascii") == step.digest()
    except OSError:
        return False


def do(environment: Environment, step: Step, title: str) -> None:
    """Do the step and stamp it.

    Raises:
        CommandFailedError: a command of it failed; the step stays unstamped.
    """
    stamp = environment.folder / STAMPS / step.name
    stamp.unlink(missing_ok=True)
    step.work(title)
    stamp.parent.mkdir(exist_ok=True)
    draft = stamp.with_suffix(".draft")
    with draft.open("w", encoding="ascii") as file:
        file.write(step.digest())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(stamp)
