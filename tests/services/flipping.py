"""Flips one byte in a page of a site's database and asks the product's own checks: do they say so, with a code?

What is asked: opening for reading and `audit.verify`, as `lumen audit verify` does; opening for writing and the
self-test before it comes to the models, as `lumen doctor` does.
"""

import random
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lumen_desktop import app
from lumen_desktop.errors import IntegrityError
from lumen_desktop.storage.folder import DataFolder
from tests.conftest import HOLDER, added

PAGE_BYTES = 4096
_PART = (
    "An effectiveness check of recall {0} confirms the notice within {1} business days. "
    "The strategy of recall {0} states its depth, and each consignee of part {1} is told what to do with it. "
)


@dataclass(slots=True)
class Findings:
    """What the points showed; ``missed`` and ``faults`` must stay empty."""

    points: int = 0
    pages_of_the_file: int = 0
    found_by: Counter[str] = field(default_factory=Counter)
    missed: list[int] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Counts; a damage counts for the command, and for where in it that was found."""
        return {
            "points": self.points, "pages_of_the_file": self.pages_of_the_file,
            "found_by": dict(self.found_by.most_common()), "missed": self.missed, "faults": self.faults,
        }  # fmt: skip


def stock(folder: Path, *, documents: int) -> None:
    """Adds documents to a site, and takes every third away again, which leaves free pages."""
    inbox = folder.with_name("inbox")
    inbox.mkdir()
    for number in range(documents):
        sections = "".join(
            f"## Part {n} of {number}\n\n{_PART.format(number, n + 3) * 4}\n\n" for n in range(6)
        )  # fmt: skip
        (inbox / f"{number}.md").write_text(f"# Recall {number}\n\n{sections}", encoding="utf-8")
    with app.opened(app.find_site(folder), HOLDER, purpose="tests", writable=True) as site:
        added(site.library, inbox)
        for document in list(site.library.documents())[::3]:
            site.library.remove(document.id)


def flip_often(made: Path, folder: Path, points: int, seed: int = 1) -> Findings:
    """Flips a byte in so many different pages, each in a copy of its own.

    Args:
        made: a closed site.
        folder: an empty folder to work in.
        points: how many; as many as the file has pages if it has fewer.
        seed: of pages and bytes.
    """
    draw, findings = random.Random(seed), Findings()
    findings.pages_of_the_file = (made / "lumen.db").stat().st_size // PAGE_BYTES
    every = range(1, findings.pages_of_the_file + 1)
    for page in sorted(draw.sample(every, min(points, len(every)))):
        place = (page - 1) * PAGE_BYTES + draw.randrange(PAGE_BYTES)
        ways = [_way(made, folder / "here", place, check, findings) for check in (verify, doctor)]
        findings.points += 1
        for way in ways:
            findings.found_by[way] += 1
        if ways[1].endswith("nothing"):  # the self-test is to find all
            findings.missed.append(page)
    return findings


def _way(made: Path, here: Path, place: int, check: Callable[[Path], str], findings: Findings) -> str:
    """How one command finds one damage."""
    shutil.copytree(made, here)
    flip(here / "lumen.db", place)
    try:
        where = check(here)
    except IntegrityError as error:
        where = f"is refused ({error.code})"
    except Exception as error:  # noqa: BLE001 - whatever it is, it is no answer
        where = "fails"
        findings.faults.append(f"page {place // PAGE_BYTES + 1}: {check.__name__} {error!r}")
    shutil.rmtree(here)
    return f"{check.__name__}: {where}"


def flip(file: Path, place: int) -> None:
    """Flips a bit of one byte of a file."""
    with file.open("r+b") as raw:
        raw.seek(place)
        (byte,) = raw.read(1)
        raw.seek(place)
        raw.write(bytes([byte ^ 1 << place % 8]))


def verify(folder: Path) -> str:
    """What `lumen audit verify` says."""
    place = app.SitePlace(DataFolder(folder), demonstration=False)
    with app.opened(place, HOLDER, purpose="verify", writable=False) as site:
        verdict = site.audit.verify()
    return "nothing" if verdict.first_bad is None else "says the trail is broken"


def doctor(folder: Path) -> str:
    """What `lumen doctor` says before it comes to the models."""
    place = app.SitePlace(DataFolder(folder), demonstration=False)
    with app.opened(place, HOLDER, purpose="doctor", writable=True) as site:
        for finding in site.doctor.examine():
            if not finding.good:
                return f"names the {finding.check}"
            if finding.check == "audit trail":
                break
    return "nothing"
