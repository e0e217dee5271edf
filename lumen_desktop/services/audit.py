"""Reading and verifying the audit trail."""

from typing import Any

from lumen_desktop.domain.audit import Verdict
from lumen_desktop.storage import audit
from lumen_desktop.storage.database import Database


class Audit:
    """The audit trail of one site."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def newest(self, count: int | None) -> list[dict[str, Any]]:
        """The last events as JSON fields, oldest first; all of them if None."""
        with self._database.reading() as session:
            return audit.events(session, newest=count)

    def verify(self) -> Verdict:
        """Follows the whole chain; the verdict names the first bad event."""
        with self._database.reading() as session:
            return audit.verify(session, self._database.site_id)
