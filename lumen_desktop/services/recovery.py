"""The way in when all else fails: the recovery code gives an admin a new password, once.

It works where the admin's account is locked or its password forgotten, and is followed by a new recovery code. Wrong
codes are counted like wrong passwords.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from lumen_desktop.domain.accounts import Actor, Role
from lumen_desktop.errors import AccessError
from lumen_desktop.services import passwords
from lumen_desktop.services.accounts import keep_key
from lumen_desktop.services.sign_in import Credentials, Door
from lumen_desktop.storage import accounts
from lumen_desktop.storage.attempts import Attempts
from lumen_desktop.storage.database import Database, refuse_missing
from lumen_desktop.storage.folder import DataFolder
from lumen_desktop.storage.keys import RECOVERY, KeyFile, grouped, recovery_code

_ACTOR = Actor("recovery code", "recovery")


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a recovery hands over, shown once.

    Attributes:
        name: the admin's user name.
        password: their first password, to be changed at the next sign-in.
        code: the recovery code from now on.
    """

    name: str
    password: str = field(repr=False)
    code: str = field(repr=False)


def recover(folder: DataFolder, name: str, code: str, *, clock: Callable[[], datetime]) -> Recovered:
    """Lets an admin back in by the recovery code, which is void afterwards.

    Raises:
        AccessError: the code is wrong (KEY-008), too many were (ACC-020), or that is no active admin (ACC-040).
        StorageError: the site is in use or cannot be written.
    """
    with folder.writing("recovering"):
        file, attempts = KeyFile.read(folder.key_file), Attempts(folder.path)
        key = _opened(Door(file, attempts, clock), code)
        path = folder.database(file.card.database)
        refuse_missing(path)
        database = Database.open(path, key, site_id=file.card.site_id, clock=clock, writable=True)
        try:
            recovered = _recover(database, file, folder, name=name, key=key)
        except AccessError as error:
            with database.transaction(_ACTOR, "refused") as transaction:
                transaction.note("recovery refused", "site", 1, after={"code": error.code})
            raise
        finally:
            database.close()
        for label in (file.label(RECOVERY), file.label(name)):
            attempts.clear(label)
    return recovered


def _opened(door: Door, code: str) -> bytes:
    try:
        return door.open(Credentials(RECOVERY, grouped(code))).key
    except AccessError as error:
        if error.code != "KEY-001":
            raise
        raise AccessError(
            "The recovery code is not right.", code="KEY-008", hint="It has eight groups of four letters and digits."
        ) from None


def _recover(database: Database, file: KeyFile, folder: DataFolder, *, name: str, key: bytes) -> Recovered:
    """The database first, then the key file: a kill in between leaves the old code, which can be used again."""
    password, code = passwords.given(), recovery_code()
    public = file.put(key, name, password)
    file.put(key, RECOVERY, code)
    with file.following(folder.key_file, key), database.transaction(_ACTOR, "all else failed") as transaction:
        row = accounts.by_name(transaction.session, name)
        if row is None or not row.active or Role.ADMIN not in accounts.parted(row.roles):
            raise AccessError(
                "The recovery code lets only an admin back in.",
                code="ACC-040",
                hint="Name an admin of the site, who then gives others a new password with `lumen user reset`.",
            )
        transaction.note("recovered by the code", "user", row.id)
        transaction.change(row, must_choose_password=True, totp_secret="")
        keep_key(transaction, row, public, now=database.clock())
    return Recovered(row.name, password, code)
