"""A new database key for the site: everybody's password stays, and the old key opens nothing any more."""

from collections.abc import Callable

from lumen_desktop.domain.permissions import Act
from lumen_desktop.services.authority import Authority
from lumen_desktop.storage import rotation
from lumen_desktop.storage.database import Database
from lumen_desktop.storage.folder import DataFolder


class Keys:
    """The database key of one site.

    Args:
        database: the site's.
        authority: who asks.
        folder: its data folder, held for writing.
    """

    def __init__(self, database: Database, authority: Authority, folder: DataFolder) -> None:
        self._database = database
        self._authority = authority
        self._folder = folder

    def rotate(self, reason: str, progress: Callable[[str, float], None]) -> None:
        """Encrypts the whole database anew under a random key; takes about a minute for 3 GB.

        Args:
            reason: why, for the audit trail.
            progress: is told what is being done and which part of it, 0 to 1.

        Raises:
            AccessError: not permitted.
            InputError: no reason (AUD-010 to AUD-012).
            StorageError: too little space for a second copy (STO-003), or another program reads the site (STO-004).
            IntegrityError: the copy failed its verification (KEY-009); nothing was changed.
        """
        actor = self._authority.authorize(Act.ROTATE_KEY)
        rotation.rotate(self._folder, self._database, actor, self._authority.because(reason), progress)
