"""A trail with its service, apart from any site."""

import json
from pathlib import Path

from sqlmodel import select

from lumen_desktop.domain.accounts import Actor
from lumen_desktop.domain.permissions import Act, Reach
from lumen_desktop.domain.reasons import checked
from lumen_desktop.services.audit import Audit
from lumen_desktop.services.audit_watch import Watch
from lumen_desktop.storage import anchors
from lumen_desktop.storage.database import Database
from tests.conftest import Clock
from tests.storage.conftest import opened

PERSON = Actor("Ada Example", "officer")
OTHER = Actor("Ben Example", "approver")


class Allowed:
    """Somebody who may do everything."""

    user_id = 1
    release_needed = False

    def __init__(self, actor: Actor = PERSON) -> None:
        self._actor = actor

    def authorize(self, act: Act, *, of: int | None = None) -> Actor:  # noqa: ARG002 - whatever it is
        return self._actor

    def because(self, reason: str) -> str:
        return checked(reason)

    def reach(self, act: Act) -> Reach:  # noqa: ARG002 - whatever it is
        return Reach.ANY


class Trail:
    """A database with its audit service, opened as often as a test wants."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder, self.clock, self.file = folder, clock, folder / anchors.FILE
        self._database: Database | None = None
        self.watch: Watch

    @property
    def database(self) -> Database:
        assert self._database is not None
        return self._database

    def service(self) -> Audit:
        self.watch = Watch(self.database, self.file, steady_s=self.clock.steady_s)
        return Audit(self.database, Allowed(), self.watch)

    def open(self) -> Audit:
        self._database = opened(self.folder / "lumen.db", clock=self.clock)
        audit = self.service()
        assert self.watch.begin() is None
        return audit

    def finish(self) -> None:
        """Opens it and ends in order, but for the database."""
        self.open()
        self.watch.close()

    def close(self) -> None:
        if self._database is not None:
            self._database.close()

    def write(self, number: int = 1, *, actor: Actor = PERSON, reason: str = "test") -> None:
        for place in range(number):
            with self.database.transaction(actor, reason) as transaction:
                transaction.note("tried", "test", place, before={"limit": "5"}, after={"limit": "10", "n": place})

    def anchored(self) -> list[int]:
        return [json.loads(line)["n"] for line in self.file.read_bytes().splitlines()]

    def why(self) -> list[str]:
        with self.database.reading() as session:
            rows = session.exec(select(anchors.AuditAnchorRow).order_by("n")).all()
            return [row.why for row in rows]
