"""Brings the configuration's base into one form: a folder with weights as safetensors, tokenizer files and a template.

What a folder, a GGUF file, a Hub name or the word for the tiny model become is the same, so that no later step asks
where the base came from. Made once; a second call finds it by its stamp. Refusals, each with its code:

TRN-062 the base is not on this machine
TRN-063 it is no model that is trained here
TRN-064 its weights are missing, damaged or in a form that could run code
TRN-065 its tokenizer is missing, damaged or another model's
TRN-066 it has no template, or one that cannot be trained with
TRN-067 (`trainer.turns`) a conversation whose prompt is not the beginning of the whole
TRN-068 no token is free to fill rows with
TRN-069 (`trainer.rows`) no example is left
"""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import rfc8785

from trainer.base import adopted, places, template
from trainer.config import Config
from trainer.lines import refused_if_unwritable, write_json
from trainer.ownership.manifest import digested
from trainer.ownership.work import Work

STAMP = "base.json"
VERSION = 1  # of what is written here; another one makes it again

Told = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A base that is ready to be trained.

    Attributes:
        name: its short name, from the configuration.
        revision: the commit of a Hub model; empty for a folder or a file.
        licence: identifier in `trainer.licences`.
        folder: with config.json, weights as safetensors, tokenizer files and chat_template.jinja.
        sha256: of all these files' digests.
        template: Jinja text that renders conversations.
        notes: sentences on what was changed or chosen, for the run's manifest.
    """

    name: str
    revision: str
    licence: str
    folder: Path
    sha256: str
    template: str
    notes: tuple[str, ...] = ()


def nothing(_stage: str, _done: int, _all: int) -> None:
    """Tells nobody."""


def prepare(config: Config, *, told: Told = nothing) -> Prepared:
    """The base of a configuration, made ready in the work folder unless it is so already.

    Args:
        config: whose section base is read.
        told: the stage, the parts done and the parts there are.

    Raises:
        InputError: TRN-062 to TRN-066, TRN-068.
        StorageError: the work folder cannot be written (TRN-010).
    """
    source = places.locate(config)
    folder = Work(config.work_folder).base / config.base.name
    wanted = source.fingerprint | {"version": VERSION}
    stamp = _stamp(folder)
    if stamp is None or stamp["made_from"] != wanted or not _whole(folder, stamp):
        _make(source, folder, wanted, told)
        stamp = _stamp(folder)
    assert stamp is not None
    return _prepared(config, folder, stamp)


def _make(source: places.Source, folder: Path, wanted: dict[str, Any], told: Told) -> None:
    """The folder, by another name until it is whole; what was there before stays until then."""
    part = folder.with_name(folder.name + ".part")
    with refused_if_unwritable(folder):
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        try:
            notes = adopted.bring(source, part, told=told)
            _write_stamp(part, wanted, notes, told)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        shutil.rmtree(folder, ignore_errors=True)
        part.replace(folder)


def _prepared(config: Config, folder: Path, stamp: dict[str, Any]) -> Prepared:
    base = config.base
    return Prepared(
        name=base.name, revision=base.revision, licence=base.licence, folder=folder, sha256=stamp["sha256"],
        template=(folder / template.NAME).read_bytes().decode(), notes=tuple(stamp["notes"]),
    )  # fmt: skip


def _stamp(folder: Path) -> dict[str, Any] | None:
    try:
        fields: dict[str, Any] = json.loads((folder / STAMP).read_bytes())
    except (OSError, ValueError):
        return None
    known = {"made_from", "files", "sha256", "notes"}
    return fields if isinstance(fields, dict) and known <= set(fields) else None


def _whole(folder: Path, stamp: dict[str, Any]) -> bool:
    """Whether each file is there with the size that it had: a link may have lost what it leads to."""
    try:
        return all((folder / one["name"]).stat().st_size == one["size_bytes"] for one in stamp["files"])
    except (OSError, TypeError, KeyError):
        return False


def _write_stamp(folder: Path, made_from: dict[str, Any], notes: list[str], told: Told) -> None:
    paths = sorted(path for path in folder.iterdir() if path.name != STAMP)
    facts = []
    for done, path in enumerate(paths):
        told("base: digests", done, len(paths))
        facts.append(asdict(digested(path)))
    digest = hashlib.sha256(rfc8785.dumps(facts)).hexdigest()
    write_json(folder / STAMP, {"made_from": made_from, "files": facts, "sha256": digest, "notes": notes})
