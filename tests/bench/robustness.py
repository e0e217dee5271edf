"""Kills, full disks, damaged pages and planted strings: is anything lost, missed or left readable?

``kills [--points N]``   SIGKILL at random moments of writes, new keys, founding and take-over.

Status 1 where a goal is missed.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.services import killing

SHARES = {"writes": 0.48, "new keys": 0.24, "founding": 0.12, "take-over": 0.16}


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


PARTS = {"kills": (kills, 500)}


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
