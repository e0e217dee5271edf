"""What the trainer's tests share: a folder with a configuration over small sources, and the command line."""

import io
import json
import multiprocessing.resource_tracker
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import fsspec.asyn
import multiprocess
import multiprocess.forkserver
import multiprocess.resource_tracker
import pytest
import yaml

from tests.conftest import ROOT
from trainer.collect import Summary, inputs
from trainer.collect import collect as collect_with
from trainer.config import Config, load
from trainer.lines import read_lines, read_records
from trainer.records import Record

TINY = "tests.trainer.tiny_sources"
COMMAND = (
    f"import trainer.collect.run as run; run.REGISTRY = '{TINY}'\n"
    "import trainer.collect.inputs as inputs; inputs.SLICE_BYTES = 1  # every file alone\n"
    "from trainer.cli import main\nif __name__ == '__main__': main()"
)


def line(identity: str, *texts: str, **fields: Any) -> dict[str, Any]:
    """A document of the tests' own source."""
    return {"id": identity, "texts": list(texts or ("Take one tablet.",)), **fields}


def written(path: Path, *lines: Mapping[str, Any]) -> Path:
    """A file of the tests' own source."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")
    return path


@pytest.fixture
def configured(tmp_path: Path) -> Callable[..., Config]:
    """Makes a configuration in the test's folder: sources by name, other sections by keyword."""

    def configure(sources: Mapping[str, Any], **sections: Any) -> Config:
        file = tmp_path / "lumen-trainer.yaml"
        choices = {name: one if isinstance(one, dict) else {"files": one} for name, one in sources.items()}
        file.write_text(yaml.safe_dump({"version": 1, "work": "work", "sources": choices, **sections}))
        return load(file)

    return configure


@pytest.fixture(scope="session")
def spawning() -> None:
    """Python's own processes beside spawned ones begin before a test counts what it leaves; they end with this one."""
    multiprocessing.resource_tracker.ensure_running()
    multiprocess.resource_tracker.ensure_running()
    if "forkserver" in multiprocess.get_all_start_methods():
        multiprocess.forkserver.ensure_running()
    fsspec.asyn.get_loop()  # a thread that datatrove's files start once


Trainer = Callable[..., subprocess.CompletedProcess[str]]


def environment() -> dict[str, str]:
    """Of a `lumen-trainer` process."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}


@pytest.fixture
def lumen_trainer() -> Trainer:
    """Runs `lumen-trainer` over the tests' sources as a process of its own."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", COMMAND, *map(str, arguments)], env=environment(), cwd=ROOT, capture_output=True,
            text=True, check=False, timeout=120,
        )  # fmt: skip

    return run


def collected(work: Path) -> dict[str, bytes]:
    """Every file that a collection laid out, by its name."""
    out = work / "collected"
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


Configured = Callable[..., Config]


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is a unit of its own, as in the command's processes here."""
    monkeypatch.setattr(inputs, "SLICE_BYTES", 1)


def collect(config: Config, **options: Any) -> Summary:
    """In this process, over the tests' sources."""
    return collect_with(config, registry=TINY, **{"processes": 1, **options})


def records(work: Path) -> list[Record]:
    """All records, in the order of the files."""
    return [record for path in sorted((work / "collected").glob("*/*.jsonl")) for record in read_records(path)]


def rejects(work: Path) -> list[tuple[str, str]]:
    """Where and why, for each reject."""
    lines = read_lines(work / "collected" / "rejects.jsonl", json.loads)
    return [(one["where"], one["reason"]) for one in lines]


def zipped(*members: tuple[str, bytes]) -> bytes:
    """A zip."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content)
    return whole.getvalue()


def packed(*lines: dict[str, Any]) -> bytes:
    """The bytes of a file of the tests' source."""
    return "".join(json.dumps(one) + "\n" for one in lines).encode()
