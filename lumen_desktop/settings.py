"""What a person may set, and the small file that keeps it: threads, limits, looks, where sites are.

Everything has a default that was chosen by a measurement or a rule named beside it; the file holds only
what differs from it. Knows no site: settings belong to a person on a computer and are no records.
The composition root reads them, the command line and the settings screen change them.
"""

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from lumen_desktop.errors import InputError, StorageError

Theme = Literal["system", "light", "dark"]
_LARGEST_FILE_BYTES = 64 * 1024
_LONGEST_PATH = 4096  # characters
_SWITCH = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _threads() -> int:
    """All cores but one, so that the machine stays usable; llama.cpp spins when it has them all."""
    return max(1, _cores() - 1)


@dataclass(frozen=True, slots=True)
class Settings:
    """How this machine runs the app.

    Attributes:
        threads: threads of one llama.cpp context (both for prompt and for generation).
        context_tokens: context window asked of the chat model, tokens.
        answer_tokens: longest commentary, tokens.
        passages: passages offered to an answer.
        quotes: sentences that lead an answer.
        prose: whether the model comments below the quotes unless a question says otherwise.
        theme: colours of the window.
        font_points: size of its letters, points; 0 is the system's.
        data_folder: absolute path of the folder that holds the sites; empty is the operating system's.
    """

    threads: int = field(default_factory=_threads)
    context_tokens: int = 4096
    answer_tokens: int = 256
    passages: int = 5
    quotes: int = 3
    prose: bool = False
    theme: Theme = "system"
    font_points: int = 0
    data_folder: str = ""


RANGES: Mapping[str, range] = {
    "threads": range(1, _cores() + 1),
    "context_tokens": range(512, 32768 + 1),
    "answer_tokens": range(16, 4096 + 1),
    "passages": range(1, 20 + 1),
    "quotes": range(1, 10 + 1),
    "font_points": range(8, 32 + 1),  # or 0
}


def accepted(name: str) -> str:
    """Which values a setting takes, in words, such as ``1 to 20``."""
    if name in RANGES:
        return f"{'0 or ' if name == 'font_points' else ''}{RANGES[name][0]} to {RANGES[name][-1]}"
    return {"prose": "on or off", "theme": "system, light or dark", "data_folder": "a folder, or nothing"}[name]


def load(path: Path) -> tuple[Settings, tuple[str, ...]]:
    """The settings in a file; what cannot be used there is left at its default.

    Args:
        path: the file; where there is none, everything is at its default. Names it does not know are left out.

    Returns:
        The settings, and a sentence for each value that was not used.
    """
    try:
        with path.open("rb") as file:
            untrusted = json.loads(_whole(file.read(_LARGEST_FILE_BYTES + 1)))
    except FileNotFoundError:
        return Settings(), ()
    except (OSError, ValueError, RecursionError):
        untrusted = None
    if not isinstance(untrusted, dict):
        return Settings(), (f"The settings in {path} cannot be read; the defaults are used.",)
    given = {f.name: untrusted[f.name] for f in fields(Settings) if f.name in untrusted}
    usable = {name: value for name, value in given.items() if _fits(name, value)}
    notices = (f"The setting {name} takes {accepted(name)}; its default is used." for name in given.keys() - usable)
    return replace(Settings(), **usable), tuple(sorted(notices))


def _whole(content: bytes) -> bytes:
    if len(content) > _LARGEST_FILE_BYTES:
        raise ValueError("too large")
    return content


def _fits(name: str, value: object) -> bool:
    """Whether a value has the setting's type and lies in its range."""
    if type(value) is not type(getattr(Settings(), name)):
        return False
    if name in RANGES:
        return value in RANGES[name] or (name == "font_points" and value == 0)
    if isinstance(value, str):
        return value in get_args(Theme) if name == "theme" else _is_place(value)
    return True


def _is_place(text: str) -> bool:
    """Whether text is empty or an absolute path that the operating system can be asked for."""
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return not text or (Path(text).is_absolute() and "\0" not in text and len(text) <= _LONGEST_PATH)


def save(path: Path, settings: Settings) -> None:
    """Writes what differs from the defaults, whole or not at all, readable by its owner only.

    Raises:
        StorageError: the file cannot be written (SET-003).
    """
    defaults = asdict(Settings())
    content = json.dumps({name: value for name, value in asdict(settings).items() if value != defaults[name]}, indent=1)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content.encode())
    except OSError as error:
        raise StorageError(
            f"The settings cannot be written to {path}.",
            code="SET-003",
            hint="Make its folder writable for you, or free some space, and try again.",
        ) from error


def write_whole(path: Path, content: bytes) -> None:
    """Writes a small file of this person whole or not at all, readable by its owner only.

    Raises:
        OSError: it cannot be written; what was there stays.
    """
    descriptor, name = tempfile.mkstemp(prefix=path.name, dir=path.parent)  # mkstemp makes it mode 0600
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor has no path
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def changed(settings: Settings, name: str, text: str) -> Settings:
    """The same settings but for one.

    Args:
        settings: those before.
        name: field of `Settings`.
        text: the new value as a person writes it.

    Raises:
        InputError: no such setting (SET-001), or it does not take this value (SET-002).
    """
    names = [f.name for f in fields(Settings)]
    if name not in names:
        raise InputError("There is no setting of that name.", code="SET-001", hint=f"There are: {', '.join(names)}.")
    try:
        value = _parsed(text.strip(), like=getattr(settings, name), name=name)
    except (ValueError, KeyError, RuntimeError):
        value = None
    if not _fits(name, value):
        raise InputError(
            f"The setting {name} does not take this value.", code="SET-002", hint=f"{name}: {accepted(name)}."
        )
    return replace(settings, **{name: value})


def _parsed(text: str, *, like: object, name: str) -> Any:
    """Text as a value of the same type; a folder may be given from here or from one's home."""
    if isinstance(like, bool):
        return _SWITCH[text.casefold()]
    if isinstance(like, int):
        return int(text)
    return str(Path(text).expanduser().absolute()) if name == "data_folder" and text else text.casefold()
