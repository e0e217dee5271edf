"""How commands speak: results to standard output, everything else to standard error; and how they open a site.

Documents, titles and file names come from strangers and a terminal obeys what it reads: nothing leaves here that would
steer it or turn a line around.
"""

import contextlib
import io
import json
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from lumen_desktop import paths
from lumen_desktop.app import DEMONSTRATION_NOTICE, Site, SitePlace, find_site, opened
from lumen_desktop.cli import credentials
from lumen_desktop.domain.names import shown, shown_lines
from lumen_desktop.errors import AccessError, LumenError
from lumen_desktop.services.sign_in import Credentials
from lumen_desktop.settings import Settings, load

# What JSON may hold as it is and a terminal obeys or hides: C1 controls, turns of direction, breaks, zero width.
_UNSHOWN = re.compile("[\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


@dataclass(frozen=True, slots=True)
class Chosen:
    """Options that stood before the command."""

    data: Path | None
    user: str | None = None
    password_stdin: bool = False


def prepare() -> None:
    """Lets standard output escape what it cannot write, such as a file name that is no text; in JSON that is valid."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def line(text: str) -> None:
    """One line for the person, on standard error."""
    sys.stderr.write(shown_lines(text) + "\n")
    sys.stderr.flush()


def refusal(error: LumenError) -> None:
    """A refusal as one line: code, sentence, hint."""
    line(shown(f"{error.code}: {error.message} Hint: {error.hint}"))


def result(value: Any) -> None:
    """One JSON document on standard output; what a terminal would obey or hide is escaped, so that nothing is lost."""
    written = json.dumps(value, ensure_ascii=False, indent=1)
    sys.stdout.write(_UNSHOWN.sub(lambda match: f"\\u{ord(match.group()):04x}", written) + "\n")


def text(words: str = "") -> None:
    """Text on standard output; in a terminal its lines break between words."""
    words = shown_lines(words)
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns
        words = "\n".join(_wrapped(part, width) for part in words.split("\n"))
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def _wrapped(part: str, width: int) -> str:
    indent = part[: len(part) - len(part.lstrip())]
    return textwrap.fill(part, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def settings() -> Settings:
    """This user's settings; what cannot be used of them is said."""
    found, notices = load(paths.settings_file())
    for notice in notices:
        line(notice)
    return found


def working(words: str) -> AbstractContextManager[object]:
    """A sign of life in a terminal while nothing else is shown yet; nothing elsewhere."""
    if not sys.stderr.isatty():
        return contextlib.nullcontext()
    return Console(stderr=True).status(words)


@contextlib.contextmanager
def site(
    context: typer.Context, *, writable: bool, only_named: SitePlace | None = None, person: Credentials | None = None
) -> Iterator[Site]:
    """The site that the command line means, open for the person whom `credentials` finds."""
    chosen: Chosen = context.obj
    place = only_named or find_site(chosen.data)
    if place.demonstration:
        line(DEMONSTRATION_NOTICE)
    settings()
    purpose = "lumen " + (context.info_name or "")
    person = person or credentials.of(place, user=chosen.user, from_stdin=chosen.password_stdin)
    with contextlib.ExitStack() as stack:
        try:
            it = stack.enter_context(opened(place, person, purpose=purpose, writable=writable))
        except AccessError as error:
            if error.code != "ACC-021" or not sys.stdin.isatty():
                raise
            code = credentials.asked("One-time code", code=error.code, hint=error.hint)
            it = stack.enter_context(opened(place, replace(person, code=code), purpose=purpose, writable=writable))
        yield it


@contextlib.contextmanager
def interrupts(stop: Callable[[], None]) -> Iterator[None]:
    """While a job runs, Ctrl+C stops it in order; what it had done is kept."""
    import signal  # noqa: PLC0415 - only jobs that can be stopped need it

    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, lambda *_: stop())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
