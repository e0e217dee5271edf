"""Kills processes that write to a site at random moments, and looks for what they had acknowledged.

A process is forked, says what it begins and what is done, and gets SIGKILL; then the site is opened again with its
password. `STORIES` says what such processes do. Used by `test_kills` with few points and by the bench with all.
"""

import contextlib
import multiprocessing
import multiprocessing.connection
import random
import shutil
import signal
import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lumen_desktop import app
from lumen_desktop.services import founding
from lumen_desktop.storage.folder import DataFolder
from lumen_desktop.storage.keys import RECOVERY, KeyFile, read_card
from tests.conftest import HOLDER
from tests.services.deeds import (
    DEEDS,
    ORDINARY,
    QUICK,
    Diary,
    beginning,
    faults_of,
    site_of_former_days,
    site_of_today,
    strangers,
)
from tests.services.test_founding import PASSPHRASE

LONGEST_OPENING_S = 2.0
CAN_FORK = "fork" in multiprocessing.get_all_start_methods()
PER_POINT = 1000  # numbers that the deeds of one process may take
Told = Callable[[str, str, int, Any], None]


@dataclass(slots=True)
class Findings:
    """What the points showed; ``faults`` must stay empty."""

    faults: list[str] = field(default_factory=list)
    killed_while: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    opening_s: list[float] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Counts and seconds."""
        seconds = self.opening_s or [0.0]
        return {
            "points": sum(self.killed_while.values()),
            "killed_while": dict(self.killed_while.most_common()),
            "acknowledged": self.acknowledged,
            "opening_s": {
                "median": round(statistics.median(seconds), 3),
                "max": round(max(seconds), 3),
                "too_long": sum(one > LONGEST_OPENING_S for one in seconds),
            },
            "faults": self.faults,
        }


@dataclass(frozen=True, slots=True)
class Story:
    """One kind of process to be killed.

    Attributes:
        begin: makes the folder that it works in.
        work: what it does, in a process of its own, with a number that no other process at this folder gets.
        settle: goes on with what a kill left unfinished, before the site is opened.
        again: how many processes follow each other at one folder.
        longest_s: the latest kill, or None to kill during as long as one whole run was seen to last.
    """

    begin: Callable[[Path], object]
    work: Callable[[Path, int, Told], None]
    settle: Callable[[Path, dict[str, Any]], list[str]]
    again: int = 1
    longest_s: float | None = None


def deeds_of(*kinds: str) -> Callable[[Path, int, Told], None]:
    """Opens the site and does such deeds until killed."""

    def work(folder: Path, first: int, told: Told) -> None:
        draw = random.Random(first)
        with app.opened(app.find_site(folder), HOLDER, purpose="to be killed", writable=True) as site:
            for n in range(first, first + PER_POINT):
                kind = draw.choice(kinds)
                told("begun", kind, n, None)
                told("done", kind, n, DEEDS[kind](n).do(site))

    return work


def found(folder: Path, _: int, told: Told) -> None:
    """Makes a site."""
    told("begun", "founding", 0, None)
    code = founding.found(DataFolder(folder / "site"), beginning(), clock=app.now, is_demonstration=False)
    told("done", "founding", 0, code)


def found_again(folder: Path, told: dict[str, Any]) -> list[str]:
    """Makes the site once more, unless it is finished; one that was acknowledged is."""
    place = DataFolder(folder / "site")
    finished = place.holds_site and read_card(place.key_file).finished
    if "founding" in told:
        whole = finished and KeyFile.read(place.key_file).open(RECOVERY, told["founding"])
        return [] if whole else ["an acknowledged site is unfinished"]
    if not finished:
        founding.found(place, beginning(), clock=app.now, is_demonstration=False)
    return []


def take_over(folder: Path, _: int, told: Told) -> None:
    """Ends a site's passphrase, which migrates its database."""
    told("begun", "take-over", 0, None)
    code = founding.take_over(DataFolder(folder), PASSPHRASE, beginning(), clock=app.now)
    told("done", "take-over", 0, code)


def take_over_again(folder: Path, told: dict[str, Any]) -> list[str]:
    """Goes on with a take-over, unless it came to its end."""
    place = DataFolder(folder)
    if "take-over" in told:
        whole = KeyFile.read(place.key_file).open(RECOVERY, told["take-over"])
        return [] if whole else ["an acknowledged take-over is unfinished"]
    if not read_card(place.key_file).accounts:
        founding.take_over(place, PASSPHRASE, beginning(), clock=app.now)
    return []


def nothing(_: Path, __: dict[str, Any]) -> list[str]:
    """The site is opened as it is."""
    return []


STORIES: dict[str, Story] = {
    "writes": Story(site_of_today, deeds_of(*ORDINARY), nothing, again=25, longest_s=1.5),
    "new keys": Story(site_of_today, deeds_of("rotation", "rotation", *QUICK), nothing, again=25, longest_s=1.5),
    "signing": Story(site_of_today, deeds_of("signature", "signature", *QUICK), nothing, again=25, longest_s=1.5),
    "founding": Story(lambda folder: folder.mkdir(), found, found_again),
    "take-over": Story(site_of_former_days, take_over, take_over_again),
}


def _child(story: Story, folder: Path, first: int, pipe: multiprocessing.connection.Connection) -> None:
    def told(*words: Any) -> None:
        pipe.send(words)

    try:
        story.work(folder, first, told)
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent is to know
        told("failed", repr(error), first, None)


def _started(story: Story, folder: Path, first: int) -> tuple[Any, multiprocessing.connection.Connection]:
    context: Any = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(story, folder, first, theirs))
    process.start()
    theirs.close()
    return process, ours


def killed(story: Story, folder: Path, first: int, after_s: float) -> list[tuple[str, str, int, Any]]:
    """What a process had said that was killed some seconds after it began to work, unless it ended before.

    Every fifth is killed so many seconds after its start, which may be while it opens the site.
    """
    process, ours = _started(story, folder, first)
    if first // PER_POINT % 5:
        ours.poll(60)
    process.join(after_s)
    process.kill()
    process.join()
    said = []
    with contextlib.suppress(EOFError, OSError):
        while ours.poll():
            said.append(ours.recv())
    ours.close()
    assert process.exitcode in {0, -signal.SIGKILL}
    process.close()
    return said


def _longest_s(story: Story, made: Path, folder: Path) -> float:
    """How long one whole run lasts, with a tenth more."""
    if story.longest_s is not None:
        return story.longest_s
    shutil.copytree(made, folder)
    process, ours = _started(story, folder, 0)
    began = time.monotonic()
    process.join()
    ours.close()
    process.close()
    shutil.rmtree(folder)
    return (time.monotonic() - began) * 1.1


def kill_often(name: str, folder: Path, points: int, seed: int = 1) -> Findings:
    """Kills at so many random points of a story.

    Args:
        name: of the story.
        folder: an empty folder to work in.
        points: how many.
        seed: of the moments.
    """
    story, draw, findings = STORIES[name], random.Random(seed), Findings()
    story.begin(folder / "made")
    longest_s = _longest_s(story, folder / "made", folder / "measured")
    here, diary = folder / "here", Diary()
    for point in range(points):
        if point % story.again == 0:
            shutil.rmtree(here, ignore_errors=True)
            shutil.copytree(folder / "made", here)
            diary = Diary()
        said = killed(story, here, PER_POINT * point + 1, draw.uniform(0, longest_s))
        told = _noted(said, diary, findings)
        findings.faults += [f"{name} {point}: {fault}" for fault in _faults(story, here, told, diary, findings)]
    shutil.rmtree(here)
    return findings


def _noted(said: list[tuple[str, str, int, Any]], diary: Diary, findings: Findings) -> dict[str, Any]:
    """Enters what a process said in the diary; returns what was told of that which is no deed."""
    told, doing = dict[str, Any](), "opening"
    for state, kind, n, value in said:
        doing = kind if state == "begun" else f"after {kind}"
        if state == "failed":
            findings.faults.append(f"the process failed: {kind}")
        elif state == "done":
            findings.acknowledged += 1
        if kind in DEEDS:
            diary.begins(kind, n) if state == "begun" else diary.ends(kind, n, value)
        elif state == "done":
            told[kind] = value
    findings.killed_while[doing] += 1
    return told


def _faults(story: Story, here: Path, told: dict[str, Any], diary: Diary, findings: Findings) -> list[str]:
    """Opens the site and looks for all that was acknowledged and for anything half."""
    faults = story.settle(here, told)
    folder = here / "site" if (here / "site").exists() else here
    began = time.perf_counter()
    with app.opened(app.find_site(folder), HOLDER, purpose="examining", writable=True) as site:
        findings.opening_s.append(time.perf_counter() - began)
        faults += [f"{about} was acknowledged and is lost" for about in diary.lost(site)]
        faults += faults_of(site) if folder == here else [] if site.audit.verify().first_bad is None else ["trail"]
    return [*faults, *(f"{name} should not be there" for name in strangers(folder))]
