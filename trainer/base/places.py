"""Where the configuration's base lies: a folder, a GGUF file, the Hub's local cache, or nowhere yet.

Opens no weights and no network; `prepared` asks it, `adopted` reads what it found.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lumen_desktop.errors import InputError
from trainer.base import template
from trainer.config import Config
from trainer.recipe import TINY

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
_REVISION = re.compile(r"[A-Za-z0-9][\w.-]{0,99}")
_GGUF = b"GGUF"

Kind = Literal["tiny", "gguf", "folder"]


@dataclass(frozen=True, slots=True)
class Source:
    """A base as it was found.

    Attributes:
        kind: how it is read.
        path: of the file or folder; the trainer's own for the tiny model.
        template: Jinja text that the configuration gives, empty where the base's own is taken.
        fingerprint: what changes when the base or the template changes; JSON values.
    """

    kind: Kind
    path: Path
    template: str
    fingerprint: dict[str, Any]


def locate(config: Config) -> Source:
    """Finds the base.

    Raises:
        InputError: it is not on this machine (TRN-062), is neither folder nor GGUF (TRN-063), or its template cannot
            be read (TRN-066).
    """
    words = _template(config)
    if config.base.model == TINY:
        from trainer.base import tiny  # noqa: PLC0415 - torch takes seconds, and only the tiny model needs it here

        made = {"kind": "tiny", "of": tiny.VERSION, "seed": tiny.SEED, "template": words}
        return Source("tiny", Path(__file__), words, made)
    path = _path(config)
    kind: Kind = "folder" if path.is_dir() else "gguf"
    if kind == "gguf" and _head(path) != _GGUF:
        raise InputError(
            f"{path.name} is no GGUF file.", code="TRN-063", hint="Name a folder with config.json, or a .gguf file."
        )
    files = sorted(one for one in path.iterdir() if one.is_file()) if kind == "folder" else [path]
    return Source(kind, path, words, {"kind": kind, "path": str(path), "files": _facts(files), "template": words})


def _path(config: Config) -> Path:
    written = config.base.model
    path = config.place(written)
    if path.exists():
        return path.resolve()
    if not _HUB_NAME.fullmatch(written):
        raise InputError(
            f"The base {path.name} is not there.", code="TRN-062", hint="Correct base.model in the configuration."
        )
    return _cached(written, config.base.revision)


def _cached(name: str, revision: str) -> Path:
    """A model's folder in the Hub's cache. Source: huggingface_hub, "Understand caching"."""
    model = _cache() / ("models--" + name.replace("/", "--"))
    commit = revision or _main(model)
    folder = model / "snapshots" / commit
    if not _REVISION.fullmatch(commit) or not folder.is_dir():
        at = f" at revision {revision[:12]}" if revision else ""
        raise InputError(
            f"The base {name}{at} is not on this machine.",
            code="TRN-062",
            hint=f"On a machine with a network: hf download {name}{f' --revision {revision}' if revision else ''}; "
            "then copy that folder here and set base.model to it, or HF_HOME to the cache.",
        )
    return folder


def _main(model: Path) -> str:
    try:
        return (model / "refs" / "main").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _cache() -> Path:
    if named := os.environ.get("HF_HUB_CACHE"):
        return Path(named).expanduser()
    home = os.environ.get("HF_HOME")
    return (Path(home).expanduser() if home else Path.home() / ".cache" / "huggingface") / "hub"


def _template(config: Config) -> str:
    """The configuration's template; the word for the trainer's own stands for it."""
    written = config.base.template
    if not written or written == template.MISTRAL_WORD:
        return template.MISTRAL if written else ""
    path = config.place(written)
    try:
        return template.read(path)
    except (OSError, UnicodeDecodeError):
        raise InputError(
            f"The template {path.name} cannot be read.", code="TRN-066", hint="Correct base.template."
        ) from None


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(len(_GGUF))
    except OSError:
        return b""


def _facts(files: Iterable[Path]) -> list[list[Any]]:
    return [[path.name, (stat := path.stat()).st_size, stat.st_mtime_ns] for path in files]
