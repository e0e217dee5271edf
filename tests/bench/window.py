"""How soon the window can be used: from the start of its process to a question's field that takes words.

``start`` makes a demonstration site once, then starts the program with it several times, as it is and with 1,000
conversations in it: median, worst, and the processor time of each start. The load says how idle the machine was.
Run: ``python -m tests.bench window start``. Status 1 where the goal is missed.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from lumen_desktop import app
from lumen_desktop.domain.accounts import Actor
from lumen_desktop.domain.chat import Status
from lumen_desktop.storage import chat as stored
from lumen_desktop.storage.folder import DataFolder

GOAL_S = 2.5
CONVERSATIONS = 1_000
ROOT = Path(__file__).resolve().parents[2]
_CHILD = """
import sys, time
from pathlib import Path
begun = float(sys.argv[2])
from PySide6.QtCore import QTimer
from lumen_desktop.ui import application
program = application.make()
shell = application.Shell(program, Path(sys.argv[1]))
shell.begin()
shown = time.monotonic() - begun
def look():
    screen = shell.window.stack.currentWidget()
    composer = getattr(screen, "composer", None)
    if composer is not None and composer.field.isEnabled() and composer.field.isVisible():
        print(shown, time.monotonic() - begun, time.process_time(), flush=True)
        looking.stop()
        shell.window.close()
looking = QTimer(interval=5)
looking.timeout.connect(look)
looking.start()
program.exec()
assert shell.end()
"""


@dataclass(frozen=True, slots=True)
class Start:
    """One start: seconds until the window is shown, until it can be used, and of processor time until then."""

    shown_s: float
    usable_s: float
    processor_s: float


def started(folder: Path, settings: Path) -> Start:
    """Starts the program once in a process of its own."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "LUMEN_SETTINGS": str(settings)}
    environment.setdefault("QT_QPA_PLATFORM", "offscreen")
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(folder), str(begun)],
        env=environment, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    return Start(*map(float, done.stdout.split()))


def made(folder: Path) -> Path:
    """A demonstration site with its library."""
    place = app.create_demonstration(folder)
    with app.opened(place, app.DEMONSTRATION, purpose="bench", writable=True) as site:
        site.warm()
        for _ in app.add_starter_library(site):
            pass
    return folder


def talked(folder: Path, count: int) -> None:
    """Adds conversations of one question each."""
    place = app.SitePlace(DataFolder(folder), demonstration=True)
    actor = Actor(name="bench", role="bench")
    with app.opened(place, app.DEMONSTRATION, purpose="bench", writable=True) as site:
        for number in range(count):
            with site._database.transaction(actor, "ask") as transaction:
                now = app.now()
                exchange = stored.start(
                    transaction, f"Question {number}?", conversation_id=None, now=now, owner_id=site.person.user_id
                )
                transaction.change(exchange, status=Status.NO_EVIDENCE, answer="Not in your library.", answered_utc=now)


def told(what: str, runs: list[Start]) -> float:
    """Prints the figures of some starts; returns the median of the usable ones."""
    usable = [run.usable_s for run in runs]
    median = statistics.median(usable)
    sys.stdout.write(
        f"{what:22} usable: median {median:.2f} s, best {min(usable):.2f}, worst {max(usable):.2f}; "
        f"shown: median {statistics.median(run.shown_s for run in runs):.2f} s; "
        f"processor: median {statistics.median(run.processor_s for run in runs):.2f} s; "
        f"{len(runs)} runs, load {psutil.getloadavg()[0]:.1f}\n"
    )
    return median


def start(runs: int) -> int:
    """Measures starts; 1 where the goal is missed."""
    with tempfile.TemporaryDirectory() as place:
        few, many = Path(place) / "few", Path(place) / "many"
        made(few)
        shutil.copytree(few, many)
        talked(many, CONVERSATIONS)
        settings = Path(place) / "settings.json"
        started(few, settings)  # fills the file system's cache
        pairs = [(started(few, settings), started(many, settings)) for _ in range(runs)]
    medians = [
        told("no conversation", [pair[0] for pair in pairs]),
        told(f"{CONVERSATIONS:,} conversations", [pair[1] for pair in pairs]),
    ]
    sys.stdout.write(f"goal: {GOAL_S} s\n")
    return int(max(medians) > GOAL_S)


def main(argv: list[str]) -> int:
    """Parses the part to run."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench window", description=__doc__)
    parser.add_argument("part", nargs="?", choices=["start"], default="start")
    parser.add_argument("--runs", type=int, default=7)
    return start(parser.parse_args(argv).runs)
