"""The tiny Mistral for tests: a configuration of it, and it as a GGUF file."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from trainer.config import Config, load

PLACE = Path(os.environ.get("LUMEN_CONVERTER", str(Path(sys.prefix) / "converter")))


def configured(folder: Path, **sections: Mapping[str, Any]) -> Config:
    """A configuration in a folder, over the tiny model unless another base is named."""
    base = {"model": "tiny-mistral", "revision": "", "name": "tiny", **sections.pop("base", {})}
    fields = {"version": 1, "work": "work", "base": base, **{name: dict(one) for name, one in sections.items()}}
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "lumen-trainer.yaml"
    file.write_text(yaml.safe_dump(fields))
    return load(file)


def converted(folder: Path, target: Path) -> Path:
    """A model's folder as an f16 GGUF, by llama.cpp's own converter; skips where it is not installed."""
    if not (PLACE / "convert_hf_to_gguf.py").is_file():
        pytest.skip("llama.cpp's converter is not installed here")
    command = [sys.executable, "-m", "convert_hf_to_gguf", folder, "--outfile", target, "--outtype", "f16"]
    environment = {**os.environ, "PYTHONPATH": str(PLACE), "PYTHONWARNINGS": "ignore", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [*map(str, command)], env=environment, capture_output=True, text=True, check=False, timeout=200
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2_000:]
    return target
