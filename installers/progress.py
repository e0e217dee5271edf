"""Shows a person what a long command is doing, and keeps all that it says in a log.

Understands three kinds of lines: ninja's `[45/193]`, pip's `Progress 1024 of 4096` and pip's `Collecting name`. Knows
nothing of what the commands are for; `installers.environment` calls it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

TAIL_LINES = 20
REDRAW_S = 0.25
LINE_EVERY_S = 20.0
BAR_CELLS = 20
BYTES_PER_MB = 1e6
COMPILED = re.compile(r"^\s*\[(\d+)/(\d+)\]")
FETCHED = re.compile(r"^Progress (\d+) of (\d+)$")
NAMED = re.compile(r"^\s*(?:Collecting|Building wheel for|Installing collected packages:) ?([\w.\[\]-]*)")


class CommandFailedError(Exception):
    """A command ended with another status than 0; `tail` holds its last lines."""

    def __init__(self, status: int, tail: list[str]) -> None:
        super().__init__(f"The command ended with status {status}.")
        self.status = status
        self.tail = tail


@dataclass(slots=True)
class Sighting:
    """What the command said last: a count, what it counts, and the name of what is being worked on."""

    name: str = ""
    done: int = 0
    total: int = 0
    unit: str = ""
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=TAIL_LINES))

    def take(self, line: str) -> None:
        """Read one line of the command's output."""
        if found := FETCHED.match(line):
            self.done, self.total, self.unit = int(found[1]), int(found[2]), "MB"
            return
        self.tail.append(line)
        if found := COMPILED.match(line):
            self.done, self.total, self.unit = int(found[1]), int(found[2]), "files compiled"
        elif found := NAMED.match(line):
            self.name, self.done, self.total = found[1], 0, 0

    def words(self) -> str:
        """As much as is known, in a few words: `llama-cpp-python 45 of 193 files compiled`."""
        if not self.total:
            return self.name
        scale = BYTES_PER_MB if self.unit == "MB" else 1
        return f"{self.name} {self.done / scale:.0f} of {self.total / scale:.0f} {self.unit}".strip()

    def bar(self) -> str:
        """A bar where something can be counted, else nothing."""
        if not self.total:
            return ""
        filled = min(BAR_CELLS, BAR_CELLS * self.done // self.total)
        return "#" * filled + "." * (BAR_CELLS - filled) + " "


def run(title: str, command: list[str], *, log: Path, folder: Path, environment: Mapping[str, str], hold: int) -> None:
    """Run a command to its end, showing that it lives.

    Args:
        title: what the person is waiting for.
        command: program and arguments.
        log: everything that the command says is added to this file.
        folder: where the command runs.
        environment: its environment variables.
        hold: descriptor of a lock that the command shares, so that it is held for as long as the command lives.

    Raises:
        CommandFailedError: it ended with another status than 0.
    """
    sighting = Sighting()
    begun = time.monotonic()
    share = (hold,) if hold >= 0 and sys.platform != "win32" else ()
    with log.open("a", encoding="utf-8") as file:
        file.write(f"\n$ {' '.join(command)}\n")
        with subprocess.Popen(
            command, cwd=folder, env=dict(environment), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace", pass_fds=share,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            follower = threading.Thread(target=_follow, args=(process.stdout, file, sighting), daemon=True)
            follower.start()
            try:
                _show_until_ended(title, follower, sighting, begun)
            except KeyboardInterrupt:
                process.terminate()
                follower.join()
                raise
        status = process.returncode
    if status != 0:
        raise CommandFailedError(status, list(sighting.tail))


def _follow(output: IO[str], log: IO[str], sighting: Sighting) -> None:
    for line in output:
        log.write(line)
        log.flush()
        sighting.take(line.rstrip())


def _show_until_ended(title: str, follower: threading.Thread, sighting: Sighting, begun: float) -> None:
    terminal = sys.stdout.isatty()
    print(title if terminal else f"{title} …", end="" if terminal else "\n", flush=True)
    next_line_s = LINE_EVERY_S
    while follower.is_alive():
        follower.join(REDRAW_S)
        elapsed_s = time.monotonic() - begun
        if terminal:
            _redraw(f"{title}  {sighting.bar()}{sighting.words()}  {clock(elapsed_s)}")
        elif elapsed_s >= next_line_s:
            print(f"  {clock(elapsed_s)} {sighting.words()}", flush=True)
            next_line_s += LINE_EVERY_S
    took = clock(time.monotonic() - begun)
    if terminal:
        _redraw(f"{title}  {took}")
        print()
    else:
        print(f"  {took} taken", flush=True)


def _redraw(line: str) -> None:
    width = shutil.get_terminal_size().columns - 1
    print("\r" + line[:width].ljust(width), end="", flush=True)


def clock(seconds: float) -> str:
    """Minutes and seconds, as a person reads a watch."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
