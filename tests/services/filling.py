"""Fills the disk under an open site so that the k-th page written no longer fits: what is said, and what is lost?

The disk is a small one in memory. A point is a kind of deed and how many pages are left: the deed is done again and
again until it is refused; then all is read, every other kind is tried, and once there is space again all go on.
"""

import contextlib
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lumen_desktop import app
from lumen_desktop.errors import AccessError, LumenError
from lumen_desktop.services.sign_in import Credentials
from lumen_desktop.storage import folder as folders
from tests.conftest import HOLDER, fill
from tests.services.deeds import DEEDS, ORDINARY, Diary, faults_of, strangers

PAGE_BYTES = 4096
FULL = frozenset({"STO-003"})
_MOST = 20  # deeds of a kind, at a point
_ALL = (*ORDINARY, "signature", "rotation")


@dataclass(slots=True)
class Findings:
    """What the points showed; ``faults`` must stay empty."""

    faults: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    half: Counter[str] = field(default_factory=Counter)
    points: int = 0

    def as_json(self) -> dict[str, Any]:
        """Counts; ``half`` are refused deeds of which a part is stored all the same."""
        return {
            "points": self.points, "refused": dict(self.refused.most_common()), "acknowledged": self.acknowledged,
            "half": dict(+self.half), "faults": self.faults,
        }  # fmt: skip


@contextlib.contextmanager
def no_reserve() -> Iterator[None]:
    """As if another program filled the disk only after Lumen had looked for its 64 MB."""
    before, folders.SMALLEST_FREE_BYTES = folders.SMALLEST_FREE_BYTES, -(10**9)
    try:
        yield
    finally:
        folders.SMALLEST_FREE_BYTES = before


def spread(number: int) -> list[tuple[str, int]]:
    """So many points: each kind of deed with one page left, two, three …; a new key writes far more pages."""
    kinds = list(DEEDS)
    pages = [(kinds[point % len(kinds)], point // len(kinds)) for point in range(number)]
    return [(kind, PAGE_BYTES * left * (24 if kind == "rotation" else 1)) for kind, left in pages]


def fill_often(made: Path, disk: Path, points: list[tuple[str, int]]) -> Findings:
    """Fills the disk at each point.

    Args:
        made: a site to begin with.
        disk: a small disk, empty.
        points: kind of deed, and the bytes left for it.
    """
    findings = Findings()
    with no_reserve():
        for number, (kind, left) in enumerate(points):
            here = disk / "here"
            shutil.copytree(made, here)
            for fault in _Point(here, findings, f"{kind}, {left:,} bytes left").tried(
                kind, left, closing=number % 2 == 1
            ):
                findings.faults.append(f"{kind}, {left:,} bytes left: {fault}")
            findings.points += 1
            shutil.rmtree(here)
    return findings


class _Point:
    """One filling of the disk under a site."""

    def __init__(self, folder: Path, findings: Findings, name: str) -> None:
        self._folder = folder
        self._findings = findings
        self._name = name
        self._diary = Diary()
        self._n = 0

    def tried(self, kind: str, left: int, *, closing: bool) -> list[str]:
        """Runs it; what is raised all the way is a fault."""
        try:
            return self.run(kind, left, closing=closing)
        except Exception as error:  # noqa: BLE001 - whatever it is
            return [f"is left with {error!r}"]

    def run(self, kind: str, left: int, *, closing: bool) -> list[str]:
        """Fills, writes, reads, frees, writes; with ``closing`` the site is closed while the disk is full."""
        filler = fill(self._folder.parent, leave_bytes=left)
        try:
            faults = self._read_while_full()
            filler.unlink()
            faults += self._full(kind, left, closing=closing)
        finally:
            filler.unlink(missing_ok=True)
        with self._opened(writable=True) as site:
            faults += self._all_work(site) + self._lost(site)
        return [*faults, *(f"{name} should not be there" for name in strangers(self._folder))]

    def _full(self, kind: str, left: int, *, closing: bool) -> list[str]:
        with self._opened(writable=True) as site:
            self._do(site, "title")
            filler = fill(self._folder.parent, leave_bytes=left)
            for _ in range(_MOST):
                if self._do(site, kind):
                    break
            for other in _ALL:
                self._do(site, other)
            faults = self._lost(site)
            if not closing:
                filler.unlink()
                faults += self._all_work(site)
        return faults + (self._read_while_full() if closing else [])

    def _read_while_full(self) -> list[str]:
        """A site that is closed on a full disk opens to be read, and refuses wrong passwords."""
        with self._opened(writable=False) as site:
            faults = self._lost(site)
        try:
            with app.opened(app.find_site(self._folder), Credentials(HOLDER.user, "no"), purpose="", writable=False):
                faults.append("a wrong password opened it")
        except AccessError:
            pass
        return faults

    def _opened(self, *, writable: bool) -> contextlib.AbstractContextManager[app.Site]:
        return app.opened(app.find_site(self._folder), HOLDER, purpose="filling", writable=writable)

    def _lost(self, site: app.Site) -> list[str]:
        return [*(f"{about} was acknowledged and is lost" for about in self._diary.lost(site)), *faults_of(site)]

    def _do(self, site: app.Site, kind: str) -> str:
        """Does one deed; returns the code of its refusal."""
        self._n += 1
        deed = self._diary.begins(kind, self._n)
        try:
            told = deed.do(site)
        except LumenError as error:
            self._findings.refused[f"{kind}: {error.code}"] += 1
            if error.code not in FULL or not _is_clear(error):
                self._findings.faults.append(f"{self._name}: {kind} says {error.code} {error.message} {error.hint}")
            self._findings.half[kind] += deed.half(site)
            return error.code
        self._diary.ends(kind, self._n, told)
        self._findings.acknowledged += 1
        return ""

    def _all_work(self, site: app.Site) -> list[str]:
        """With space again, every kind of deed is done."""
        return [f"{kind} is refused with space again" for kind in _ALL if self._do(site, kind)]


def _is_clear(error: LumenError) -> bool:
    """Whether a refusal is one sentence and says what to do."""
    return error.message.endswith(".") and "\n" not in error.message and ". " not in error.message and bool(error.hint)
