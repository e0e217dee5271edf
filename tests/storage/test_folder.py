"""A data folder is its owner's only, and one process writes to it at a time."""

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lumen_desktop.errors import StorageError
from lumen_desktop.storage import folder as folders
from lumen_desktop.storage.folder import DataFolder, write_atomically
from tests.conftest import ROOT, fill

HOLD = """
import sys, time
from pathlib import Path
from lumen_desktop.storage.folder import DataFolder
with DataFolder(Path(sys.argv[1])).writing("lumen chat"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path / "site")
    folder.create()
    return folder


def holding(folder: DataFolder) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder.path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def ended(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def code_of(caught: pytest.ExceptionInfo[StorageError]) -> str:
    return caught.value.code


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_folder_and_files_are_the_owners_only(tmp_path: Path) -> None:
    path = tmp_path / "site"
    path.mkdir(mode=0o755)
    folder = DataFolder(path)
    folder.create()
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    with folder.writing("tests"):
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.iterdir()}
    assert modes == {"lumen.lock": 0o600, "lumen.holder": 0o600, "tmp": 0o700}


def test_a_second_process_is_refused_with_who_holds_it(folder: DataFolder) -> None:
    process = holding(folder)
    try:
        began = time.monotonic()
        with pytest.raises(StorageError) as caught, folder.writing("tests"):
            pass
        assert code_of(caught) == "STO-004"
        assert f"lumen chat, process {process.pid}, since 20" in caught.value.message
        assert time.monotonic() - began < 2
    finally:
        ended(process)


def test_a_lock_whose_holder_was_killed_is_free(folder: DataFolder) -> None:
    process = holding(folder)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert "lumen chat" in folder.holder()  # the name stays, the lock does not
    with folder.writing("tests"):
        assert f"tests, process {os.getpid()}" in folder.holder()
    assert folder.holder() == "another program"


def test_a_second_folder_object_of_the_same_process_is_refused(folder: DataFolder) -> None:
    with folder.writing("tests"), pytest.raises(StorageError), DataFolder(folder.path).writing("tests"):
        pass
    with folder.writing("tests"):
        pass


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"purpose": 1}', "\x00"])
def test_a_damaged_name_of_the_holder_is_another_program(folder: DataFolder, content: str) -> None:
    (folder.path / "lumen.holder").write_text(content, encoding="utf-8")
    assert folder.holder() == "another program"


def test_what_was_left_in_the_temporary_folder_is_removed(folder: DataFolder) -> None:
    (folder.temporary / "deep").mkdir(parents=True)
    (folder.temporary / "deep" / "left").touch()
    with folder.writing("tests"):
        assert list(folder.temporary.iterdir()) == []


@pytest.mark.parametrize("left", ["letter.docx", "site.key.bak", "lumen.db.old"])
def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path: Path, left: str) -> None:
    (tmp_path / left).write_text("mine", encoding="utf-8")
    mode = tmp_path.stat().st_mode
    with pytest.raises(StorageError) as caught:
        DataFolder(tmp_path).create()
    assert code_of(caught) == "STO-002"
    assert (tmp_path / left).read_text(encoding="utf-8") == "mine"
    assert tmp_path.stat().st_mode == mode


@pytest.mark.parametrize("left", ["lumen.lock", "lumen.holder.new", "site.key.new", "tmp", "lumen.db-wal"])
def test_what_a_kill_left_of_a_folder_in_the_making_is_ours(tmp_path: Path, left: str) -> None:
    (tmp_path / left).touch()
    DataFolder(tmp_path).create()


def test_a_file_in_the_place_of_the_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "site").touch()
    with pytest.raises(StorageError) as caught:
        DataFolder(tmp_path / "site").create()
    assert code_of(caught) == "STO-001"


@pytest.mark.parametrize("name", ["a" * 300, "a/" * 3000])
def test_a_name_that_is_none_is_one_sentence(tmp_path: Path, name: str) -> None:
    folder = DataFolder(tmp_path / name)
    with pytest.raises(StorageError) as caught:
        assert folder.holds_site
    assert code_of(caught) == "STO-001"
    with pytest.raises(StorageError):
        folder.create()


def test_little_space_is_refused_before_anything_is_written(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "SMALLEST_FREE_BYTES", 2**60)
    with pytest.raises(StorageError) as caught:
        folder.check_space()
    assert code_of(caught) == "STO-003"


def test_a_full_disk_leaves_the_old_content(small_disk: Path) -> None:
    path = small_disk / "site.key"
    write_atomically(path, b"old")
    filler = fill(small_disk)
    with pytest.raises(StorageError) as caught:
        write_atomically(path, b"new" * 10_000)
    filler.unlink()
    assert code_of(caught) == "STO-003"
    assert path.read_bytes() == b"old"


def test_a_disk_that_cannot_be_written_is_one_sentence(read_only_disk: Path) -> None:
    with pytest.raises(StorageError) as caught:
        DataFolder(read_only_disk / "new").create()
    assert code_of(caught) == "STO-001"
    with pytest.raises(StorageError) as caught, DataFolder(read_only_disk).writing("tests"):
        pass
    assert code_of(caught) == "STO-001"
