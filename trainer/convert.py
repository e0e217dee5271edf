"""A model's folder as a GGUF file, by llama.cpp's own converter in a process of its own.

The converter brings its own package `gguf`, which would take the place of ours: it lies in a folder of its own that
only the child process sees. Knows no step; `trainer.export` and the dry run call it.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lumen_desktop.errors import EngineError
from trainer.lines import refused_if_unwritable, write_json
from trainer.tensors import INDEX, Tensors, write

MODULE = "convert_hf_to_gguf"
LOG = "convert.log"
WHOLE = "F16"  # of 16 bits: what smaller files are made from
_FOLDER = "LUMEN_CONVERTER"
_PASSED_ON = ("PATH", "HOME", "TMPDIR", "TEMP", "SYSTEMROOT", "LD_LIBRARY_PATH", "OMP_NUM_THREADS")
_POLL_S = 0.1
_GRACE_S = 5.0
_LAST_LINES = 200
_LAYER = re.compile(r"\.layers\.(\d+)\.")


def converter() -> Path:
    """The folder that the converter was set up in: beside the interpreter, or where LUMEN_CONVERTER says."""
    return Path(os.environ.get(_FOLDER) or Path(sys.prefix) / "converter")


def to_gguf(
    model: Path, target: Path, *, name: str, type: str = "f16",  # noqa: A002 - the converter's word
    log: Path | None = None, asked: Callable[[], None] = lambda: None,
) -> None:  # fmt: skip
    """Writes a model as GGUF; the file has its name only when it is whole.

    Args:
        model: config.json, safetensors, tokenizer and template.
        target: the file.
        name: general.name, what the file says of itself.
        type: of the weights: f16 or bf16. On a processor llama.cpp rounds activations to it as well, so that a file in
            f16 lies nearer to a bf16 model than one in bf16 (KL 2e-6 and 1.6e-4, measured).
        log: what the converter says; where none is named, "convert.log" beside the file.
        asked: called while it runs; may raise to stop it.

    Raises:
        EngineError: there is no converter, or it failed (TRN-084).
        StorageError: TRN-010.
    """
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    command = [
        sys.executable, "-P", "-s", "-m", MODULE, str(model.absolute()), "--outfile", str(part.absolute()),
        "--outtype", type, "--model-name", name,
    ]  # fmt: skip
    if not (converter() / f"{MODULE}.py").is_file():
        raise EngineError(
            "llama.cpp's converter is not set up.", code="TRN-084",
            hint="Run the set-up of the trainer, or name its folder in LUMEN_CONVERTER.",
        )  # fmt: skip
    said = log or target.with_name(LOG)
    try:
        status = _run(command, said, asked)
        if status or not part.is_file():
            raise _failed(model, said, status)
        with refused_if_unwritable(target), part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def truncated(model: Path, target: Path, *, layers: int = 1) -> Path:
    """A model of the first layers only, in every other way the same: for trying an export in seconds.

    Args:
        model: a model's folder.
        target: the folder to make.
        layers: how many are kept.

    Returns:
        The folder made.
    """
    target.mkdir(parents=True, exist_ok=True)
    weights = Tensors(model)
    kept = {
        name: place
        for name, place in weights.places.items()
        if (match := _LAYER.search(name)) is None or int(match[1]) < layers
    }
    write(target, kept, weights.read)
    for file in sorted(model.iterdir()):
        if file.is_file() and file.suffix != ".safetensors" and file.name != INDEX:
            (target / file.name).write_bytes(file.read_bytes())
    fields: dict[str, Any] = json.loads((model / "config.json").read_bytes())
    write_json(target / "config.json", {**fields, "num_hidden_layers": layers})
    return target


def _run(command: list[str], log: Path, asked: Callable[[], None]) -> int:
    """Runs it to its end or to a request to stop; what it says goes to the log."""
    few = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    environment = {**few, "PYTHONPATH": str(converter()), "HF_HUB_OFFLINE": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    with refused_if_unwritable(log):
        out = log.open("wb")
    with out, subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment) as child:
        try:
            while child.poll() is None:
                asked()
                time.sleep(_POLL_S)
        except BaseException:
            child.terminate()
            try:
                child.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                child.kill()
            raise
        return child.returncode


def _failed(model: Path, log: Path, status: int) -> EngineError:
    lines = log.read_bytes().splitlines()[-_LAST_LINES:]
    log.write_bytes(b"\n".join(lines) + b"\n")
    return EngineError(
        f"llama.cpp's converter could not write {model.name} as GGUF (status {status}).", code="TRN-084",
        hint=f"Its last words are in {log.name} beside the exported files; see that the disk has room.",
    )  # fmt: skip
