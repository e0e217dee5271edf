"""All that is checked before a change is accepted, in the order of what fails fastest; `bootstrap.py test` runs it.

Every check is a command that a person can run alone. The first that fails ends the run with its own exit status. The
tests run side by side, one process for each processor, and then those that hold a promise about time, alone. Both come
with coverage, whose floors are checked after them; the closing line counts the tests once more, because whoever reads
only the end shall see what ran.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / "build" / "reports"
JUNIT, JUNIT_ALONE = REPORTS / "junit.xml", REPORTS / "junit_alone.xml"
NO_COLOUR = {"NO_COLOR": "1"} if os.environ.get("CI") else {}


@dataclass(frozen=True, slots=True)
class Check:
    """A name for people, and the command: a tool beside this Python, or a module that Python runs."""

    name: str
    tool: str
    arguments: tuple[str, ...] = ()

    def command(self) -> list[str]:
        """The command line; the tool's full path, so that no other environment's is taken."""
        if self.tool == "python":
            return [sys.executable, *self.arguments]
        suffix = ".exe" if sys.platform == "win32" else ""
        return [str(Path(sys.executable).with_name(self.tool + suffix)), *self.arguments]


# Who has run out of tests takes half of another's rest, so that a module's tests stay together, and its fixtures do.
SIDE_BY_SIDE = ("-n", "logical", "--maxprocesses", "4", "--dist", "worksteal")
MEASURED = ("--cov", "--cov-report=")

CHECKS = (
    Check("lint", "ruff", ("check",)),
    Check("format", "ruff", ("format", "--check")),
    Check("types", "mypy"),
    Check("imports", "lint-imports"),
    Check("sizes", "python", ("-m", "pytest", "-q", "tests/test_sizes.py")),
    Check("tests", "python", ("-m", "pytest", "-m", "not alone", *SIDE_BY_SIDE, *MEASURED, f"--junitxml={JUNIT}")),
    Check(
        "tests alone", "python", ("-m", "pytest", "-m", "alone", *MEASURED, "--cov-append", f"--junitxml={JUNIT_ALONE}")
    ),
    Check("coverage", "python", ("-m", "installers.coverage_floors")),
)


def run(check: Check) -> int:
    """Run one check in the repository's root; its output goes where ours goes."""
    print(f"== {check.name}: {' '.join([check.tool, *check.arguments])}", flush=True)
    begun = time.monotonic()
    environment = {**os.environ, **NO_COLOUR}
    status = subprocess.run(check.command(), cwd=ROOT, env=environment, check=False).returncode
    print(f"== {check.name}: {'passed' if status == 0 else f'failed ({status})'} in {time.monotonic() - begun:.0f} s")
    return status


def closing_line(*reports: Path) -> str:
    """How many tests passed, failed and were skipped, as pytest's reports state it."""
    total = failed = skipped = 0
    roots = [ET.parse(report).getroot() for report in reports]  # noqa: S314 - our own pytest wrote it
    for suite in (suite for root in roots for suite in root.iter("testsuite")):
        total += int(suite.get("tests", 0))
        failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped += int(suite.get("skipped", 0))
    return f"{total - failed - skipped} passed, {failed} failed, {skipped} skipped"


def main() -> int:
    """Run all checks, stopping at the first that fails."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    for report in (JUNIT, JUNIT_ALONE):
        report.unlink(missing_ok=True)
    for check in CHECKS:
        if status := run(check):
            return status
    print(closing_line(JUNIT, JUNIT_ALONE))
    return 0


if __name__ == "__main__":
    sys.exit(main())
