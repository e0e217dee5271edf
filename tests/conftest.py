"""What all tests share: guards that nothing is left behind and nothing reaches a network, and sites to work on."""

import contextlib
import datetime as dt
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import filelock
import psutil
import pytest

from lumen_desktop import app, paths
from lumen_desktop.domain.accounts import Profile
from lumen_desktop.domain.library import Kind
from lumen_desktop.services import audit_watch
from lumen_desktop.services.founding import Founding, first_admin
from lumen_desktop.services.incoming import AddReport
from lumen_desktop.services.library import Library
from lumen_desktop.services.sign_in import Credentials
from lumen_desktop.storage import keys
from lumen_desktop.storage.folder import DataFolder
from tests.rehearsal import RehearsalSite

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"
PASSWORD = "correct horse battery staple"
HOLDER = Credentials("holder", PASSWORD)
AS_HOLDER = {"LUMEN_USER": HOLDER.user, "LUMEN_PASSWORD": PASSWORD}
_GRACE_S = 5.0
MOUNT, UNMOUNT = "/usr/bin/mount", "/usr/bin/umount"
_INTERNET = {socket.AF_INET, socket.AF_INET6, -1}


def _refuse_internet(event: str, values: tuple[Any, ...]) -> None:
    if event == "socket.__new__" and values[1] in _INTERNET:
        raise AssertionError("a test asked for a network socket")


os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # a window that a test opens needs no screen
sys.addaudithook(_refuse_internet)  # cannot be taken back, which is the point


@pytest.fixture(scope="session", autouse=True)
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where temporary files go, here and in child processes, so that one left behind is seen.

    The settings are there as well: no test reads its user's own, and one that leaves some is seen.
    """
    folder = tmp_path_factory.mktemp("temporary")
    os.environ["LUMEN_SETTINGS"] = str(folder / "settings.json")
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    return folder


@pytest.fixture(autouse=True)
def nothing_left_behind(temporary: Path) -> Iterator[None]:
    """Fails a test that leaves a thread, a child process or a temporary file."""
    threads, files = set(threading.enumerate()), set(temporary.iterdir())
    children = set(psutil.Process().children())

    def left() -> list[object]:
        return [
            *(thread for thread in threading.enumerate() if thread not in threads),
            *(child for child in psutil.Process().children() if child not in children),
            *(file for file in temporary.iterdir() if file not in files),
        ]

    yield
    deadline = time.monotonic() + _GRACE_S
    while left() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not left(), "left behind"


@pytest.fixture
def unmeasured_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """Child processes start without coverage, in half the time: what runs in them is measured where it is tested."""
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


@pytest.fixture
def settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings file of the test's own; there is none yet."""
    path = tmp_path / "config" / "settings.json"
    monkeypatch.setenv("LUMEN_SETTINGS", str(path))
    return path


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.time = dt.datetime(2026, 11, 22, 9, 30, tzinfo=dt.UTC)
        self.steady = 1000.0

    def __call__(self) -> dt.datetime:
        return self.time

    def steady_s(self) -> float:
        """What a clock shows that nobody sets."""
        return self.steady

    def tick(self, seconds: float = 1.0) -> None:
        """Time passes."""
        self.steady += seconds
        self.set(seconds)

    def set(self, seconds: float) -> None:
        """Somebody sets the clock."""
        self.time += dt.timedelta(seconds=seconds)

    def rule(self, patch: pytest.MonkeyPatch) -> None:
        """Becomes the time of sites."""
        patch.setattr(app, "now", self)
        patch.setattr(audit_watch, "steady_s", self.steady_s)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time of sites and databases."""
    stopped = Clock()
    stopped.rule(monkeypatch)
    return stopped


RECALL = """---
subject: 21 CFR part 7
edition: as known November 2026
---
# Recalls of drug products

## How deep a recall goes

The recalling firm's strategy states the depth of the recall: consumer, retail or wholesale level. An effectiveness
check confirms that every consignee received the notice within 5 business days.

## Who is told

The firm notifies its consignees promptly and tells them what to do with the remaining lots of the product.
"""
LABEL = """# Zelboramax (zelboraxib) tablets, prescribing information

## Dosage and administration

The recommended dose of zelboraxib is 40 mg once daily. Do not exceed 80 mg of zelboraxib in one day.

## Storage

Store zelboraxib tablets at 2 °C to 8 °C in the original container.
"""
CLEANING = """Cleaning of shared equipment

Each piece of shared equipment is cleaned within 24 hours after the last batch of a campaign. The cleaning record names
the person who cleaned and the person who checked the equipment.

A swab sample is taken from the surface that is hardest to clean. The residue limit of the site is 10 ppm.
"""


def found_site(folder: Path, profile: Profile = Profile.CLINICAL) -> app.SitePlace:
    """A site of one person, `HOLDER`, who is its admin, and at a clinical site its clinician too."""
    person = first_admin(HOLDER.user, "Hilda Holder", profile)
    return app.create_site(folder, Founding("St Luke's Pharmacy", profile, [person], PASSWORD))[0]


def write_documents(folder: Path) -> tuple[Path, Path, Path]:
    """A summary with metadata, a label of a drug that no dictionary has, and a plain text; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    files = (folder / "recalls.md", folder / "zelboramax.md", folder / "cleaning.txt")
    for path, text in zip(files, (RECALL, LABEL, CLEANING), strict=True):
        path.write_text(text, encoding="utf-8")
    return files


def added(library: Library, *files: Path, collection: str = "Documents", kind: Kind = Kind.SOURCE) -> AddReport:
    """Adds files and returns the report."""
    *_, report = library.add(list(files), collection=collection, kind=kind)
    assert isinstance(report, AddReport)
    return report


@pytest.fixture
def cheap_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a passphrase be stretched in a millisecond; `storage/test_keys.py` has the real cost."""
    monkeypatch.setattr(keys, "_MEMORY_KIB", 64)
    monkeypatch.setattr(keys, "_PASSES", 1)


@pytest.fixture(scope="session")
def stocked_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rehearsal site with three documents in two collections, made once; `site` copies it."""
    folder = tmp_path_factory.mktemp("stocked")
    recalls, label, cleaning = write_documents(folder / "files")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "_MEMORY_KIB", 64)
        patch.setattr(keys, "_PASSES", 1)
        patch.setattr(app, "Site", RehearsalSite)
        Clock().rule(patch)
        place = found_site(folder / "site")
        with app.opened(place, HOLDER, purpose="tests", writable=True) as site:
            added(site.library, recalls, collection="Rules", kind=Kind.SUMMARY)
            added(site.library, label, cleaning)
    return folder / "site"


@pytest.fixture
def site_folder(stocked_folder: Path, tmp_path: Path) -> Path:
    """A copy of the stocked site's data folder, under `HOLDER`."""
    return Path(shutil.copytree(stocked_folder, tmp_path / "site"))


@pytest.fixture
def rehearsed(monkeypatch: pytest.MonkeyPatch, cheap_keys: None) -> type[RehearsalSite]:
    """Sites opened in this test have rehearsal engines; set the class's behaviours for their faults."""

    class Rehearsed(RehearsalSite):
        pass

    monkeypatch.setattr(app, "Site", Rehearsed)
    return Rehearsed


@pytest.fixture
def site(site_folder: Path, rehearsed: type[RehearsalSite], clock: Clock) -> Iterator[app.Site]:
    """An open, writable site: SQLCipher file, reader and engines' children are real, the models are not."""
    place = app.SitePlace(DataFolder(site_folder), demonstration=False)
    with app.opened(place, HOLDER, purpose="tests", writable=True) as opened:
        yield opened


class Lumen(Protocol):
    """Runs the command line."""

    def __call__(
        self,
        *arguments: object,
        data: Path | None = None,
        env: Mapping[str, str] | None = None,
        given: str = "",
        rehearsal: Mapping[str, Any] | None = None,
    ) -> subprocess.CompletedProcess[str]: ...


def lumen_command(*arguments: object, data: Path | None = None, rehearsal: bool = False) -> list[str]:
    """The command line of a `lumen` process."""
    start = ["-m", "tests.rehearsal"] if rehearsal else ["-c", "from lumen_desktop.cli import main; main()"]
    return [sys.executable, *start, *(["--data", str(data)] if data else []), *map(str, arguments)]


def lumen_environment(
    env: Mapping[str, str] | None = None, rehearsal: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """The environment of a `lumen` process: ours without what would decide for it."""
    decided = {"LUMEN_DATA", "LUMEN_PASSPHRASE", "LUMEN_USER", "LUMEN_PASSWORD", "LUMEN_REHEARSAL"}
    ours = {name: value for name, value in os.environ.items() if name not in decided}
    rehearsed = {"LUMEN_REHEARSAL": json.dumps(rehearsal)} if rehearsal is not None else {}
    return {**ours, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", **rehearsed, **(env or {})}


@pytest.fixture
def lumen() -> Lumen:
    """Runs `lumen` as a process of its own; with ``rehearsal``, over rehearsal engines."""

    def run(
        *arguments: object,
        data: Path | None = None,
        env: Mapping[str, str] | None = None,
        given: str = "",
        rehearsal: Mapping[str, Any] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            lumen_command(*arguments, data=data, rehearsal=rehearsal is not None),
            env=lumen_environment(env, rehearsal),
            cwd=ROOT,
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
            errors="surrogateescape",
        )

    return run


@pytest.fixture(scope="session")
def demonstration_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demonstration site with the starter models, made once for all workers; `demonstration` copies it."""
    if not (paths.models() / "installed.json").is_file():
        pytest.skip("the starter models are missing: run the set-up")
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "demonstration"
    with filelock.FileLock(folder.with_suffix(".lock")):
        if not (made := folder / "made").exists():
            shutil.rmtree(folder, ignore_errors=True)  # the process that began it was killed
            folder.mkdir()
            done = subprocess.run(
                lumen_command("demo", data=folder / "site"), env=lumen_environment({"COVERAGE_PROCESS_CONFIG": ""}),
                cwd=ROOT, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            made.touch()
    return folder / "site"


@pytest.fixture
def demonstration(demonstration_folder: Path, tmp_path: Path) -> Path:
    """A copy of the demonstration site's data folder."""
    return Path(shutil.copytree(demonstration_folder, tmp_path / "demonstration"))


def mounted(place: Path, *options: str) -> None:
    """Mounts a small disk, where this computer lets us; skips the test elsewhere."""
    if not Path(MOUNT).exists():
        pytest.skip("needs mount")
    done = subprocess.run([MOUNT, *options, str(place)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("mounting a disk needs root")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted(place, "-t", "tmpfs", "-o", "size=24m", "tmpfs")
    yield place
    subprocess.run([UNMOUNT, "-l", str(place)], check=True)


def fill(folder: Path, *, leave_bytes: int = 0) -> Path:
    """Fills the disk of a folder with one file but for some bytes; returns the file."""
    filler = folder / "filler"
    descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT, 0o600)
    with contextlib.suppress(OSError):
        while os.write(descriptor, bytes(4096)):
            pass
    os.truncate(filler, max(0, os.fstat(descriptor).st_size - leave_bytes))
    os.close(descriptor)
    return filler


@pytest.fixture
def read_only_disk(tmp_path: Path, stocked_folder: Path) -> Iterator[Path]:
    """The stocked site on a disk that cannot be written."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted(place, "-t", "tmpfs", "-o", "size=24m", "tmpfs")
    shutil.copytree(stocked_folder, place, dirs_exist_ok=True)
    subprocess.run([MOUNT, "-o", "remount,ro", str(place)], check=True)
    yield place
    subprocess.run([UNMOUNT, "-l", str(place)], check=True)
