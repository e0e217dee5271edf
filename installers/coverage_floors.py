"""Holds each layer of the application to its floor of tested lines and branches.

Reads the floors in pyproject.toml ([tool.lumen.coverage]: a path below lumen_desktop/, or trainer; a percentage) and
the data that pytest left; `installers.checks` runs it after the tests. A floor that names nothing is an error, no pass.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def measured() -> dict[str, Any]:
    """Coverage's own JSON report, by file.

    pytest has put the data of all processes together by now; what still lies beside it was left half-written by
    children that a test killed, and coverage would complain of it at every run.
    """
    for leftover in ROOT.glob(".coverage.*"):
        leftover.unlink()
    with tempfile.TemporaryDirectory() as name:
        target = Path(name) / "coverage.json"
        subprocess.run([sys.executable, "-m", "coverage", "json", "-q", "-o", str(target)], cwd=ROOT, check=True)
        files: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))["files"]
    return {Path(name).as_posix(): report["summary"] for name, report in files.items()}


def share(summaries: Mapping[str, Any], layer: str) -> float | None:
    """Per cent of the layer's lines and branches that ran; None where no file is in it."""
    home = layer if layer == "trainer" else f"lumen_desktop/{layer}"
    inside = [found for name, found in summaries.items() if name == f"{home}.py" or name.startswith(f"{home}/")]
    if not inside:
        return None
    there = sum(found["num_statements"] + found.get("num_branches", 0) for found in inside)
    ran = sum(found["covered_lines"] + found.get("covered_branches", 0) for found in inside)
    return 100.0 * ran / there if there else 100.0


def shortfalls(summaries: Mapping[str, Any], floors: Mapping[str, float]) -> list[str]:
    """One sentence for each layer below its floor."""
    found = []
    for layer, floor in floors.items():
        reached = share(summaries, layer)
        if reached is None:
            found.append(f"{layer}: pyproject.toml sets a floor, and no file of it was measured")
        elif reached < floor:
            found.append(f"{layer}: {reached:.2f} % of lines and branches ran, the floor is {floor} %")
    return found


def main() -> int:
    """Print every layer's share; exit status 1 where one is too low."""
    floors = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["lumen"]["coverage"]
    summaries = measured()
    for layer, floor in floors.items():
        print(f"{layer:12} {share(summaries, layer) or 0.0:6.2f} % (floor {floor} %)")
    lacking = shortfalls(summaries, floors)
    for line in lacking:
        print(line, file=sys.stderr)
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
