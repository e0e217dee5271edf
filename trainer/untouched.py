"""The base as it came, as a GGUF of the shipped quantisation: what the build is compared with.

Made as the build is, by the same converter, quantiser and importance figures, so that only the training differs.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from lumen_desktop.errors import InputError, Stopped
from trainer import base, importance
from trainer.collect import Stop
from trainer.config import Config
from trainer.convert import WHOLE, to_gguf
from trainer.export import IMPORTANCE
from trainer.lines import refused_if_unwritable, write_json
from trainer.llama import quantise
from trainer.ownership.manifest import FileFact, digested
from trainer.ownership.work import Work

Told = Callable[[str, int, int], None]


def untouched(config: Config, *, stop: Stop, told: Told = lambda _stage, _done, _all: None) -> Path:
    """The base's file; made once of one base and one quantisation, or the one that the configuration names.

    Raises:
        InputError: the file that the configuration names is not there (TRN-091), or nothing was exported (TRN-017).
        EngineError: llama.cpp's converter or quantiser failed (TRN-084, TRN-061).
        StorageError: TRN-010.
    """
    if config.base.quantised:
        return _named(config.place(config.base.quantised))
    prepared, kind = base.prepare(config, told=told), config.export.ship
    folder = Work(config.work_folder).exported
    path, figures = folder / f"base-{config.base.name}-{kind}.gguf", folder / IMPORTANCE
    if kind != WHOLE and not figures.is_file():
        raise InputError("Nothing was exported yet.", code="TRN-017", hint="Run `lumen-trainer export` first.")
    origin = {"base": prepared.sha256, "kind": kind, "importance": digested(figures).sha256 if kind != WHOLE else ""}
    mark = path.with_name(path.name + ".made.json")
    if _is_made(path, mark, origin):
        return path

    def asked() -> None:
        if stop.asked:
            raise Stopped
        told("base", 0, 1)

    whole = path if kind == WHOLE else folder / f"base-{config.base.name}-{WHOLE}.gguf"
    to_gguf(prepared.folder, whole, name=config.base.name, asked=asked)
    if kind != WHOLE:
        part = path.with_name(path.name + ".part")
        quantise(whole, part, kind, threads=config.finetune.all_threads, importance=importance.read(figures))
        with refused_if_unwritable(path):
            part.replace(path)
            whole.unlink()
    write_json(mark, {"from": origin, "fact": asdict(digested(path))})
    return path


def _named(path: Path) -> Path:
    if not path.is_file():
        raise InputError(
            f"The base's file {path.name} is not there.", code="TRN-091",
            hint="Mend base.quantised in the configuration, or leave it out.",
        )  # fmt: skip
    return path


def _is_made(path: Path, mark: Path, origin: dict[str, str]) -> bool:
    try:
        made = json.loads(mark.read_bytes())
        return bool(made["from"] == origin and FileFact(**made["fact"]) == digested(path))
    except (OSError, ValueError, KeyError, TypeError):
        return False
