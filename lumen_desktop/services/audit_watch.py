"""What goes on beside every write: anchors are made when they are due, and the clock is looked at.

It is called after each committed transaction, outside of it and without a thread; what fails here never takes back what
was written. Knows no person but the program itself, and nothing of how events are shown.
"""

import contextlib
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from lumen_desktop import logs
from lumen_desktop.domain.accounts import PROGRAM
from lumen_desktop.domain.anchors import is_due
from lumen_desktop.domain.audit import Fault, Verdict
from lumen_desktop.domain.clock import Anomaly, ClockTrouble, Reading, anomaly
from lumen_desktop.errors import IntegrityError, LumenError
from lumen_desktop.storage import anchors, audit, seals
from lumen_desktop.storage.anchors import AuditAnchorRow
from lumen_desktop.storage.database import Database


def steady_s() -> float:
    """Seconds on a clock that nobody sets and that goes on while the computer sleeps."""
    if hasattr(time, "CLOCK_BOOTTIME"):  # Linux, where CLOCK_MONOTONIC stops in sleep
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    if hasattr(time, "CLOCK_MONOTONIC"):
        return time.clock_gettime(time.CLOCK_MONOTONIC)
    return time.monotonic()


class Watch:
    """Watches one site's writing.

    Args:
        database: the site's.
        file: its anchors file.
        steady_s: seconds on a clock that nobody sets.
    """

    def __init__(self, database: Database, file: Path, *, steady_s: Callable[[], float]) -> None:
        self._database = database
        self.file = file
        self._steady_s = steady_s
        self._running = False
        self._start: Reading | None = None
        self._last: tuple[int, datetime] | None = None
        self._anchored: tuple[int, float] = (0, 0.0)
        self._unwritten: AuditAnchorRow | None = None
        self._looking = threading.Lock()
        self._anchoring = threading.Lock()

    def begin(self) -> Verdict | None:
        """Checks the trail's end, makes the seal where there is none, and watches from now on.

        Returns:
            What is wrong, if anything; then writing is refused from now on.
        """
        if (verdict := self._trouble()) is not None and self.distrust(verdict):
            return verdict
        with self._database.reading() as session:
            sealed, last = seals.public_key(session) is not None, audit.last_time(session)
        if not sealed:
            with self._database.transaction(PROGRAM, "this site's first anchor") as transaction:
                seals.make(transaction, self._database.clock())
        self._complete_file()
        self._look_at_clock(last, self._database.clock())
        self._start, self._last = self._reading(self._database.clock()), (0, self._database.clock())
        self._running = True
        self._database.written = self._written
        self._quietly(lambda: self.anchor("start"))
        return None

    def _trouble(self) -> Verdict | None:
        """The quick look at the trail's end; where that is in doubt, at all of it."""
        with self._database.reading() as session:
            if anchors.end_is_right(session, self._database.site_id, self.file):
                return None
        with self._database.reading() as session:
            verdict = anchors.verify(session, self._database.site_id, self.file)
        return verdict if verdict.fault is not Fault.NONE else None

    def distrust(self, verdict: Verdict) -> bool:
        """Whether a verdict says that the trail was changed; then writing ends. A file cut short can be mended."""
        if verdict.fault in {Fault.NONE, Fault.FILE_SHORT}:
            return False
        refusal = IntegrityError(
            f"The audit trail was changed at event {verdict.first_bad} or before; this site can only be read.",
            code="AUD-002",
            hint="Run `lumen audit verify`, keep the folder as it is, and restore a backup.",
        )
        self._database.refuse_writes(refusal)
        logs.event("audit.refused", code=refusal.code, status=verdict.fault, id=str(verdict.first_bad))
        return True

    def _complete_file(self) -> None:
        """Appends what the file lacks: after a kill one line at most; more was lost otherwise, which is an event."""
        with self._database.reading() as session:
            missing = anchors.behind(session, self.file)
        if len(missing) > 1:
            with self._database.transaction(PROGRAM, "the anchors file had lost its end") as transaction:
                transaction.note("completed", "anchors_file", missing[0].n, after={"anchors": len(missing)})
        for row in missing:
            anchors.write_out(self.file, row)

    def _written(self, seq: int, time_utc: datetime) -> None:
        last, self._last = self._last, (seq, time_utc)
        if not self._looking.acquire(blocking=False):
            return  # an event of our own, or another thread looks already
        try:
            self._quietly(lambda: self._look_at_clock(last[1] if last else None, time_utc))
            anchored, at_s = self._anchored
            if is_due(events_since=self._last[0] - anchored, seconds_since=self._steady_s() - at_s):
                self._quietly(lambda: self.anchor("periodic"))
        finally:
            self._looking.release()

    def _quietly(self, work: Callable[[], None]) -> None:
        """What was written is written: what fails after it is told to the log and tried again at the next write."""
        try:
            work()
        except LumenError as error:
            logs.event("audit.watch", code=error.code)

    def anchor(self, why: str) -> None:
        """Anchors the trail's head now, unless it is; never inside a transaction.

        Args:
            why: the occasion, a word or two.

        Raises:
            LumenError: the database or the file cannot be written.
        """
        with self._anchoring:
            if self._unwritten is not None:
                anchors.write_out(self.file, self._unwritten)
                self._unwritten = None
            with self._database.anchoring() as session:
                site_id, now = self._database.site_id, self._database.clock()
                row = anchors.make(session, site_id, now=now, why=why)
            if row is not None:
                self._unwritten = row
                anchors.write_out(self.file, row)
                self._unwritten, self._anchored = None, (row.n, self._steady_s())

    def close(self) -> None:
        """Anchors what was written since the last anchor, and ends the watch."""
        if self._running:
            self._running, self._database.written = False, None
            self._quietly(lambda: self.anchor("close"))

    def _reading(self, wall: datetime) -> Reading:
        return Reading(wall, self._steady_s())

    def look(self) -> None:
        """Looks at the clock now, where this process may write."""
        if self._running and self._looking.acquire(blocking=False):
            with contextlib.ExitStack() as stack:
                stack.callback(self._looking.release)
                self._look_at_clock(self._last[1] if self._last else None, self._database.clock())

    def _look_at_clock(self, last: datetime | None, wall: datetime) -> None:
        now = self._reading(wall)
        kind = anomaly(last, self._start, now)
        if kind is None:
            return
        expected = last if last is not None and kind is not Anomaly.JUMPED else self._expected(now)
        if self._start is not None:
            self._start = now
        seconds = round((wall - expected).total_seconds())
        with self._database.transaction(PROGRAM, f"the clock: {kind}") as transaction:
            transaction.note(
                "clock anomaly", "clock", str(kind),
                before={"time_utc": expected.isoformat()}, after={"time_utc": wall.isoformat(), "seconds": seconds},
            )  # fmt: skip

    def _expected(self, now: Reading) -> datetime:
        assert self._start is not None
        return self._start.wall + timedelta(seconds=now.steady_s - self._start.steady_s)

    def clock_trouble(self) -> ClockTrouble | None:
        """The clock's last anomaly that nobody has explained."""
        with self._database.reading() as session:
            for event in audit.of_clock(session):
                if event["act"] == "clock explained":
                    return None
                if event["entity_id"] != Anomaly.GAP:
                    before, after = event["before"]["time_utc"], event["after"]["time_utc"]
                    return ClockTrouble(event["seq"], Anomaly(event["entity_id"]), before, after)
        return None
