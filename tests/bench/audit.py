"""The audit trail: is every tampering found with its place, how fast is it written, verified and read?

Makes trails in real SQLCipher files, tampers with copies of them at random places as somebody with the key would, and
verifies each. A trail is cut back together with its anchors file as well: the limit that only an anchor kept elsewhere
shows. ``--each`` is how many of each class. Status 1 where a goal is missed.
"""

import argparse
import json
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import rfc8785
from sqlalchemy import text

from lumen_desktop.domain.audit import Fault, Filters, Order, Page, Verdict, genesis, link
from lumen_desktop.services.audit import Audit
from lumen_desktop.services.audit_watch import Watch, steady_s
from lumen_desktop.services.authority import Housekeeping
from lumen_desktop.storage import anchors
from lumen_desktop.storage.database import Database
from tests.storage.conftest import KEY, SITE, TESTER
from tests.storage.tampering import CLASSES, anchored_trail, without_guards

EVENTS, EVERY = 400, 50
GOALS = {"transactions_per_s": 100.0, "events_verified_per_s": 30_000.0, "start_s": 1.0, "page_ms": 200.0}


@dataclass(slots=True)
class Score:
    """How one class of tampering fared."""

    tried: int = 0
    found: int = 0
    placed: int = 0
    exact: int = 0
    missed_at: list[int] = field(default_factory=list)

    def note(self, first_wrong: int, verdict: Verdict) -> None:
        """Takes in one verdict; ``first_wrong`` is the first event that is wrong."""
        self.tried += 1
        if verdict.first_bad is None:
            self.missed_at.append(first_wrong)
            return
        self.found += 1
        self.placed += verdict.good_until < first_wrong <= verdict.first_bad
        self.exact += verdict.first_bad == first_wrong

    def as_json(self) -> dict[str, Any]:
        """Counts; placed is one whose first wrong event lies after the last good anchor and not after that named."""
        found = {"tried": self.tried, "found": self.found, "placed": self.placed, "named_exactly": self.exact}
        return {**found, "missed_at": self.missed_at} if self.missed_at else found


def _opened(folder: Path, *, writable: bool) -> Database:
    return Database.open(folder / "lumen.db", KEY, site_id=SITE, clock=lambda: datetime.now(UTC), writable=writable)


def verdict(folder: Path, *copies: Path) -> Verdict:
    """What verification says of a folder."""
    database = _opened(folder, writable=False)
    try:
        with database.reading() as session:
            return anchors.verify(session, SITE, folder / anchors.FILE, elsewhere=copies)
    finally:
        database.close()


def tampering(folder: Path, each: int, draw: random.Random) -> dict[str, Any]:
    """Each class, so many times, at random places before the last anchor."""
    scores = {name: Score() for name in CLASSES}
    for name, tamper in CLASSES.items():
        for _ in range(each):
            copy = Path(shutil.copytree(folder, folder.with_name("copy")))
            first_wrong = tamper(copy, draw.randrange(2, EVENTS - 1))
            scores[name].note(first_wrong, verdict(copy))
            shutil.rmtree(copy)
    return {name: score.as_json() for name, score in scores.items()}


def cut_back(folder: Path, each: int, draw: random.Random) -> dict[str, int]:
    """Database and anchors file taken back to the same anchor: what is seen without and with a copy kept elsewhere."""
    seen = {"tried": each, "found_by_the_folder_alone": 0, "found_with_a_copy_kept_elsewhere": 0}
    kept = Path(shutil.copy(folder / anchors.FILE, folder.with_name("kept.jsonl")))
    for _ in range(each):
        copy, n = Path(shutil.copytree(folder, folder.with_name("copy"))), EVERY * draw.randrange(1, EVENTS // EVERY)
        with without_guards(copy) as raw:
            raw.execute("DELETE FROM audit_event WHERE seq > ?", (n,))
            raw.execute("DELETE FROM audit_anchor WHERE n > ?", (n,))
        lines = (copy / anchors.FILE).read_bytes().splitlines(keepends=True)
        (copy / anchors.FILE).write_bytes(b"".join(lines[: n // EVERY]))
        seen["found_by_the_folder_alone"] += verdict(copy).fault is not Fault.NONE
        seen["found_with_a_copy_kept_elsewhere"] += verdict(copy, kept).first_bad == n + 1
        shutil.rmtree(copy)
    return seen


def clean(folder: Path, number: int, draw: random.Random) -> dict[str, int]:
    """Databases that nobody touched, of different sizes: none may be called wrong."""
    alarms = 0
    for _ in range(number):
        every = draw.randrange(2, 40)
        anchored_trail(_made(folder / "clean"), events=every * draw.randrange(1, 6), every=every)
        alarms += verdict(folder / "clean").fault is not Fault.NONE
        shutil.rmtree(folder / "clean")
    return {"databases": number, "false_alarms": alarms}


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _watch(database: Database, folder: Path) -> Watch:
    return Watch(database, folder / anchors.FILE, steady_s=steady_s)


def writing(folder: Path, transactions: int) -> dict[str, float]:
    """Audited transactions one by one, anchored as they fall due, as a site writes them."""
    database = _opened(_made(folder), writable=True)
    watch = _watch(database, folder)
    watch.begin()
    took = []
    for number in range(transactions):
        began = time.perf_counter()
        with database.transaction(TESTER, "bench") as transaction:
            transaction.note("tried", "test", number, before={"title": "x" * 50}, after={"title": "y" * 60})
        took.append((time.perf_counter() - began) * 1000)
    watch.close()
    database.close()
    took.sort()
    return {
        "transactions_per_s": round(transactions / sum(took) * 1000, 1),
        "commit_p50_ms": round(statistics.median(took), 2),
        "commit_p99_ms": round(took[int(transactions * 0.99)], 2),
        "commit_max_ms": round(took[-1], 2),
    }


def _fill(database: Database, events: int) -> None:
    """A long trail in one step: the events are true, only the transactions are left out."""
    began, previous, rows = datetime.now(UTC) - timedelta(seconds=37 * (events + 1)), genesis(SITE), []
    for seq in range(1, events + 1):
        fields: dict[str, Any] = {
            "seq": seq, "time_utc": (began + timedelta(seconds=37 * seq)).isoformat(timespec="microseconds"),
            "utc_offset_minutes": 0, "actor": f"person {seq % 17}", "role": ("clinician", "officer", "admin")[seq % 3],
            "act": ("added", "changed", "removed")[seq % 3], "entity": ("conversation", "exchange")[seq % 2],
            "entity_id": str(seq % 5000), "before": {"title": "x" * 50, "edition": "a" * 40},
            "after": {"title": "y" * 60, "salt": "z" * 64}, "reason": f"reason number {seq}", "app": "0.1.0",
        }  # fmt: skip
        body = rfc8785.dumps(fields)
        rows.append({"seq": seq, "body": body, "previous": previous, "hash": link(previous, body)})
        previous = link(previous, body)
    statement = text("INSERT INTO audit_event (seq, body, previous, hash) VALUES (:seq, :body, :previous, :hash)")
    with database.anchoring() as session:
        session.execute(statement, rows)


def reading(folder: Path, events: int) -> dict[str, Any]:
    """A long trail: the first start, which checks all of it, a later start, verification, and pages."""
    database = _opened(_made(folder), writable=True)
    _fill(database, events)
    first = _timed(_watch(database, folder).begin)
    watch = _watch(database, folder)
    start = _timed(watch.begin)
    audit = Audit(database, Housekeeping(), watch)
    rates = [events / _timed(audit.verify) for _ in range(3)]
    database.close()
    database = _opened(folder, writable=True)
    audit = Audit(database, Housekeeping(), _watch(database, folder))
    pages = {
        name: round(1000 * _timed(lambda f=filters, p=page: audit.find(f, p)), 1)  # type: ignore[misc]
        for name, (filters, page) in PAGES.items()
    }
    counts = {name: round(1000 * _timed(lambda f=filters: audit.count(f)), 1) for name, (filters, _) in PAGES.items()}  # type: ignore[misc]
    database.close()
    return {
        "events": events, "first_start_without_any_anchor_s": round(first, 3), "start_s": round(start, 4),
        "events_verified_per_s": round(statistics.median(rates)), "page_ms": pages, "count_ms": counts,
    }  # fmt: skip


_LAST = Page(descending=True, limit=100)
PAGES = {
    "the last ones": (Filters(), _LAST),
    "of a person": (Filters(actor="person 3"), _LAST),
    "of a kind and an act": (Filters(entity="exchange", act="added"), _LAST),
    "by time, the 5,000th": (Filters(), Page(Order.TIME, descending=True, offset=5000, limit=100)),
    "by person, the 50,000th": (Filters(), Page(Order.ACTOR, offset=50_000, limit=100)),
    "words that are frequent": (Filters(words="Reason"), _LAST),
    "words that are rare": (Filters(words="number 77777"), _LAST),
}


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main(argv: list[str]) -> int:
    """Runs all parts and prints what they showed as JSON."""
    parser = argparse.ArgumentParser(prog="tests.bench audit")
    parser.add_argument("--each", type=int, default=400)
    parser.add_argument("--clean", type=int, default=100)
    parser.add_argument("--transactions", type=int, default=2000)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    draw = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        speed, long = writing(folder / "writing", options.transactions), reading(folder / "long", options.events)
        anchored_trail(_made(folder / "whole"), events=EVENTS, every=EVERY)
        classes = tampering(folder / "whole", options.each, draw)
        together = cut_back(folder / "whole", min(options.each, 50), draw)
        untouched = clean(folder, options.clean, draw)
    result = {
        "goals": GOALS, "writing": speed, "reading": long, "tampering": classes, "clean": untouched,
        "database_and_file_cut_back_together": together,
    }  # fmt: skip
    sys.stdout.write(json.dumps(result, indent=1) + "\n")
    good = all(score["tried"] == score["placed"] for score in classes.values()) and not untouched["false_alarms"]
    quick = speed["transactions_per_s"] >= GOALS["transactions_per_s"] and long["start_s"] <= GOALS["start_s"]
    return 0 if good and quick and long["events_verified_per_s"] >= GOALS["events_verified_per_s"] else 1
