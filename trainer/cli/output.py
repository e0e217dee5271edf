"""How the trainer's commands speak: results to standard output, everything else to standard error.

File names and texts come from strangers and a terminal obeys what it reads: nothing leaves here that would steer it.
The app's command line has the same rules; neither imports the other.
"""

import contextlib
import io
import json
import re
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

import typer

from lumen_desktop.domain.names import shown, shown_lines
from lumen_desktop.errors import LumenError

# What JSON may hold as it is and a terminal obeys or hides: C1 controls, turns of direction, breaks, zero width.
_UNSHOWN = re.compile("[\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def prepare() -> None:
    """Lets standard output escape what it cannot write, such as a file name that is no text; in JSON that is valid."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def line(words: str) -> None:
    """One line for the person, on standard error."""
    typer.echo(shown(words), err=True)


def refusal(error: LumenError) -> None:
    """A refusal as one line: code, sentence, hint."""
    line(f"{error.code}: {error.message} Hint: {error.hint}")


def result(value: Any) -> None:
    """One JSON value on standard output; what a terminal would obey or hide is escaped, so that nothing is lost."""
    written = json.dumps(value, ensure_ascii=False, indent=1)
    typer.echo(_UNSHOWN.sub(lambda match: f"\\u{ord(match.group()):04x}", written))


def text(words: str = "") -> None:
    """Lines on standard output."""
    typer.echo(shown_lines(words))


def size(size_bytes: int) -> str:
    """A size as people read it, in powers of ten."""
    amount, units = float(size_bytes), ["bytes", "kB", "MB", "GB", "TB"]
    while amount >= 1000 and len(units) > 1:  # noqa: PLR2004 - powers of ten
        amount /= 1000
        units.pop(0)
    return f"{amount:.0f} {units[0]}" if units[0] == "bytes" else f"{amount:.1f} {units[0]}"


@contextlib.contextmanager
def interrupts(stop: Callable[[], None]) -> Iterator[None]:
    """While a job runs, Ctrl+C and a scheduler's SIGTERM stop it in order; what it had done is kept."""
    kinds = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(kind) for kind in kinds]
    for kind in kinds:
        signal.signal(kind, lambda *_: stop())
    try:
        yield
    finally:
        for kind, handler in zip(kinds, before, strict=True):
            signal.signal(kind, handler)
