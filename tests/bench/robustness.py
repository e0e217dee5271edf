"""Kills, full disks, damaged pages and planted strings: is anything lost, missed or left readable?

``kills``   SIGKILL at random moments of writes, new keys, founding and take-over.
``disk``    a small disk that is full at the k-th page written; needs root, to mount it.
``pages``   one flipped byte in each page of a database.
``strings`` words planted in every flow of a site; needs the models.
``--points N`` is how many.

Status 1 where a goal is missed.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from lumen_desktop import app
from lumen_desktop.storage import keys
from tests.conftest import UNMOUNT, mounted
from tests.end_to_end import planting
from tests.end_to_end.test_planted_strings import crash
from tests.rehearsal import RehearsalSite
from tests.services import filling, flipping, killing
from tests.services.deeds import site_of_today

SHARES = {"writes": 0.36, "signing": 0.16, "new keys": 0.2, "founding": 0.12, "take-over": 0.16}


def kills(folder: Path, points: int, seed: int) -> tuple[dict[str, Any], bool]:
    """Kills at so many points, spread over the stories."""
    shown, total, good = {}, killing.Findings(), True
    for story, share in SHARES.items():
        (folder / story).mkdir()
        found = killing.kill_often(story, folder / story, round(points * share), seed)
        shown[story] = found.as_json()
        total.killed_while += found.killed_while
        total.opening_s += found.opening_s
        total.acknowledged += found.acknowledged
        total.faults += found.faults
        good = good and not found.faults
    return {**shown, "all": total.as_json()}, good and max(total.opening_s) <= killing.LONGEST_OPENING_S


def _cheap() -> None:
    """The cost of a password is not what is measured."""
    keys._MEMORY_KIB, keys._PASSES = 64, 1


def disk(folder: Path, points: int, seed: int) -> tuple[dict[str, Any], bool]:
    """Fills a disk at so many points."""
    _cheap()
    made, place = site_of_today(folder / "made"), folder / "disk"
    place.mkdir()
    try:
        mounted(place, "-t", "tmpfs", "-o", "size=24m", "tmpfs")
    except pytest.skip.Exception as reason:
        return {"left out": str(reason)}, True
    try:
        found = filling.fill_often(made, place, filling.spread(points))
    finally:
        subprocess.run([UNMOUNT, "-l", str(place)], check=True)
    return found.as_json(), not found.faults


def pages(folder: Path, points: int, seed: int) -> tuple[dict[str, Any], bool]:
    """Flips a byte in each of so many pages of a site with documents."""
    _cheap()
    app.Site = RehearsalSite  # type: ignore[misc]
    made = site_of_today(folder / "made")
    flipping.stock(made, documents=60)
    found = flipping.flip_often(made, folder, points, seed)
    return found.as_json(), not found.missed and not found.faults


def strings(folder: Path, points: int, seed: int) -> tuple[dict[str, Any], bool]:
    """Plants strings in every flow of a site with the installed models; how many is what the flows hold."""
    with planting.apart(folder):
        day = planting.lived(planting.Day(folder, rehearsal=False))
        crash(day)
        day.watch("a crash")
        there = planting.stored(day)
    others, texts = planting.readable_by_others(day.data), planting.texts_of_the_index(day.data)
    shown = {"planted": len(day.words), "in_the_database": len(there), "readable": day.hits}
    return {**shown, "open_to_others": others, "texts_in_the_index": texts}, not (day.hits or others or texts)


PARTS = {"kills": (kills, 500), "disk": (disk, 204), "pages": (pages, 500), "strings": (strings, 0)}


def main(argv: list[str]) -> int:
    """Runs the part named, or all of them, and prints what they showed as JSON."""
    parser = argparse.ArgumentParser(prog="tests.bench robustness")
    parser.add_argument("part", nargs="?", choices=[*PARTS, "all"], default="all")
    parser.add_argument("--points", type=int, default=0, help="how many; as many as the goal asks for if left out")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    result, good = {}, True
    for name in PARTS if options.part == "all" else [options.part]:
        part, usual = PARTS[name]
        with tempfile.TemporaryDirectory() as folder:
            os.environ["LUMEN_SETTINGS"] = str(Path(folder) / "settings.json")
            result[name], fine = part(Path(folder), options.points or usual, options.seed)
        good = good and fine
    sys.stdout.write(json.dumps(result, indent=1) + "\n")
    return 0 if good else 1
