"""The manifest of a build: which bytes went in, which came out, made by what; and whether they are still those.

Canonical JSON (RFC 8785) without a clock, so that the same inputs, settings and programs give the same bytes.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import rfc8785

from lumen_desktop import __version__
from lumen_desktop.errors import IntegrityError
from trainer.ownership.ledger import Ledger
from trainer.ownership.verdict import Verdict
from trainer.ownership.work import Work

NAME = "manifest.json"
SCHEMA, VERSION = "lumen-dataset-manifest", 1
_PIECE_BYTES = 1024**2
_HEX_DIGITS = 64


@dataclass(frozen=True, slots=True)
class FileFact:
    """A file as it was: its name, size and digest."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A file that is not what the manifest says: ``how`` is missing, changed or unlisted."""

    name: str
    how: str


def digested(path: Path, *, name: str = "") -> FileFact:
    """A file's size and digest, read in pieces.

    Args:
        path: the file.
        name: under which it is listed; its own where none is given.
    """
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
            size += len(piece)
    return FileFact(name or path.name, size, digest.hexdigest())


@dataclass(frozen=True, slots=True)
class Made:
    """How a build was made.

    Attributes:
        config: the configuration as it was used, its bytes.
        seeds: every seed, by what it decides.
        inputs: the files that the user named, digested when they were read.
    """

    config: bytes
    seeds: Mapping[str, int]
    inputs: tuple[FileFact, ...]


def inputs(work: Work) -> tuple[FileFact, ...]:
    """The files that the user named, as collecting digested them; none where nothing was collected.

    Raises:
        IntegrityError: the list of them is damaged (TRN-041).
    """
    path = work.collected / "inputs.json"
    if not path.is_file():
        return ()
    try:
        listed = json.loads(path.read_bytes())
        return tuple(FileFact(one["file"], int(one["size_bytes"]), one["sha256"]) for one in listed)
    except (ValueError, TypeError, KeyError):
        raise IntegrityError(
            "The list of the collected files is damaged.", code="TRN-041", hint="Run `lumen-trainer collect` again."
        ) from None


def origin(made: Made, ledger: Ledger, verdict: Verdict) -> dict[str, Any]:
    """What a manifest says of how the build was made and what it is; `finished` adds what came out."""
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "trainer": __version__,
        "commercial": verdict.commercial,
        "stamp": verdict.stamp,
        "base": ledger.base[0].id,
        "config_sha256": hashlib.sha256(made.config).hexdigest(),
        "seeds": dict(made.seeds),
        "packages": {one.name: one.version for one in ledger.tools if one.version},
        "inputs": [asdict(one) for one in sorted(made.inputs, key=lambda one: (one.name, one.sha256))],
    }


def finished(work: Work, begun: Mapping[str, Any]) -> dict[str, Any]:
    """The whole manifest, once every other file of the dataset is written."""
    return {
        **begun,
        "records": [asdict(one) for one in _facts(work.collected, work.record_files())],
        "outputs": [asdict(one) for one in _facts(work.dataset, _outputs(work.dataset))],
    }


def canonical(fields: Mapping[str, Any]) -> bytes:
    """The bytes of a manifest or ledger. Source: RFC 8785."""
    return rfc8785.dumps(dict(fields)) + b"\n"


def read(dataset: Path) -> dict[str, Any]:
    """The manifest in a dataset's folder.

    Raises:
        IntegrityError: there is none, or it is not one, or not as the trainer writes it (TRN-042).
    """
    try:
        written = (dataset / NAME).read_bytes()
        fields: dict[str, Any] = json.loads(written)
        good = (
            (fields["schema"], fields["version"]) == (SCHEMA, VERSION)
            and written == canonical(fields)
            and all(_listable(one) for kind in ("records", "outputs") for one in fields[kind])
        )
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        good = False
    if not good:
        raise IntegrityError(
            "The dataset's manifest is missing, damaged or of another version.",
            code="TRN-042",
            hint="Build the dataset again, or copy its folder again.",
        )
    return fields


def verify(dataset: Path) -> tuple[Difference, ...]:
    """Files that are not what the manifest in the folder says; none where all is as it was built.

    The collected records beside the dataset are looked at only where they are there: a dataset may travel alone.

    Raises:
        IntegrityError: no readable manifest (TRN-042).
    """
    fields = read(dataset)
    found = list(_differences(dataset, fields["outputs"]))
    listed = {one["name"] for one in fields["outputs"]}
    found += [
        Difference(name, "unlisted")
        for path in _outputs(dataset)
        if (name := path.relative_to(dataset).as_posix()) not in listed
    ]
    collected = dataset.parent / "collected"
    if collected.is_dir():
        found += [Difference(f"collected/{one.name}", one.how) for one in _differences(collected, fields["records"])]
    return tuple(sorted(found, key=lambda one: one.name))


def _differences(folder: Path, facts: Sequence[Mapping[str, Any]]) -> Iterator[Difference]:
    for one in facts:
        path = folder / one["name"]
        if not path.is_file():
            yield Difference(one["name"], "missing")
        elif path.stat().st_size != one["size_bytes"] or digested(path).sha256 != one["sha256"]:
            yield Difference(one["name"], "changed")


def _listable(one: Mapping[str, Any]) -> bool:
    """Whether a listed file is well described and lies within the folder: a manifest may come from a stranger."""
    name = PurePosixPath(one["name"])
    inside = not name.is_absolute() and ".." not in name.parts and "\\" not in one["name"] and ":" not in one["name"]
    return inside and isinstance(one["size_bytes"], int) and len(one["sha256"]) == _HEX_DIGITS


def _facts(folder: Path, paths: Iterable[Path]) -> list[FileFact]:
    return [digested(path, name=path.relative_to(folder).as_posix()) for path in paths]


def _outputs(dataset: Path) -> list[Path]:
    return sorted(path for path in dataset.rglob("*") if path.is_file() and path.name != NAME)
