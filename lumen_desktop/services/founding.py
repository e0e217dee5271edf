"""How a site comes to be: made with its first people, or taken over from the days when one passphrase opened it.

The key file says at first that it is unfinished, and is written as finished last: what a kill leaves can be begun
again, and nothing that anybody stored is ever replaced.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from lumen_desktop.domain.accounts import PROGRAM, Profile, Role
from lumen_desktop.domain.names import shown
from lumen_desktop.errors import InputError, StorageError
from lumen_desktop.services import passwords
from lumen_desktop.services.accounts import NewPerson, added, check_name, keep_key, refuse_mixture
from lumen_desktop.storage import accounts, chat
from lumen_desktop.storage.database import Database, Transaction
from lumen_desktop.storage.folder import DataFolder
from lumen_desktop.storage.keys import RECOVERY, KeyFile, folded, recovery_code

DEMONSTRATION_PASSWORD = "demonstration"  # noqa: S105 - public by design; only a demonstration site takes it
OLD_DEMONSTRATION_PASSPHRASE = DEMONSTRATION_PASSWORD
DEMONSTRATION_USER = "pharmacist"
_LONGEST_SITE_NAME = 100  # characters
_DEMONSTRATION_PEOPLE = (
    NewPerson(DEMONSTRATION_USER, "Paula Pharmacist", frozenset({Role.CLINICIAN})),
    NewPerson("officer", "Oskar Officer", frozenset({Role.OFFICER})),
    NewPerson("reviewer", "Rita Reviewer", frozenset({Role.OFFICER})),
    NewPerson("approver", "Abel Approver", frozenset({Role.APPROVER})),
    NewPerson("admin", "Ada Admin", frozenset({Role.ADMIN})),
)

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Founding:
    """What a new site begins with.

    Attributes:
        name: of the site, as it stands on its documents.
        profile: how strictly duties are kept apart.
        people: one of them an admin; the first gets what a site with a passphrase had.
        password: of all of them; on a real site there is one person.
    """

    name: str
    profile: Profile
    people: Sequence[NewPerson]
    password: str = field(repr=False)


def first_admin(name: str, printed_name: str, profile: Profile) -> NewPerson:
    """The person who makes a site: an admin, who at a clinical site is also its clinician."""
    roles = {Role.ADMIN} if profile is Profile.GMP else {Role.ADMIN, Role.CLINICIAN}
    return NewPerson(name, printed_name, frozenset(roles))


def demonstration() -> Founding:
    """The demonstration: five people with a public password."""
    return Founding("Demonstration", Profile.GMP, _DEMONSTRATION_PEOPLE, DEMONSTRATION_PASSWORD)


def check(founding: Founding) -> None:
    """Refuses names and a password that cannot be used, before anything is written.

    Raises:
        InputError: the site's name (ACC-039), a person's name (ACC-030), or the password.
    """
    if not founding.name or founding.name != shown(founding.name) or len(founding.name) > _LONGEST_SITE_NAME:
        raise InputError(
            f"A site's name has 1 to {_LONGEST_SITE_NAME} characters that can be seen.",
            code="ACC-039",
            hint="It will stand on every document, such as: St Luke's Hospital Pharmacy.",
        )
    for person in founding.people:
        check_name(person)
        passwords.check(founding.password, [founding.name, person.name, person.printed_name])


def found(folder: DataFolder, founding: Founding, *, clock: Clock, is_demonstration: bool) -> str:
    """Makes a site in a folder; one that a kill left half-made is begun again.

    Returns:
        The recovery code of a real site, shown once and stored nowhere; empty for a demonstration.

    Raises:
        InputError: as `check`.
        StorageError: the folder cannot be written, or holds a site already (SIT-002).
    """
    if not is_demonstration:
        check(founding)
    folder.create()
    with folder.writing("making a site"):
        if folder.holds_site and KeyFile.read(folder.key_file).card.finished:
            raise _there_already(folder)  # even without its database, which may be restored: its key is here only
        file, key = KeyFile.new(demonstration=is_demonstration), secrets.token_bytes(32)
        file.write(folder.key_file, key, finished=False)
        folder.remove_databases()  # of an unfinished site: nobody could store anything in it
        return _peopled(folder, file, key, founding, clock=clock)


def take_over(folder: DataFolder, passphrase: str, founding: Founding, *, clock: Clock) -> str:
    """Makes of a site with a passphrase a site with people; its conversations become those of the first.

    Args:
        folder: its data folder.
        passphrase: opens it for the last time.
        founding: its people; after a kill the same or another may be given.
        clock: tells the time.

    Returns:
        As `found`.

    Raises:
        AccessError: the passphrase is wrong (KEY-006).
        InputError: as `check`.
        StorageError: the folder cannot be written, or the site has people already (SIT-002).
    """
    with folder.writing("taking over a site"):
        old = KeyFile.read(folder.key_file)
        if old.card.accounts:
            raise _there_already(folder)
        if not old.card.demonstration:
            check(founding)
        key = old.open_with_passphrase(passphrase)
        file = KeyFile.new(demonstration=old.card.demonstration, site_id=old.card.site_id)
        return _peopled(folder, file, key, founding, clock=clock)


def _peopled(folder: DataFolder, file: KeyFile, key: bytes, founding: Founding, *, clock: Clock) -> str:
    """Stores the people, gives them slots, and finishes the key file."""
    keys = {folded(it.name): file.put(key, it.name, founding.password) for it in founding.people}
    database = Database.open(folder.database(), key, site_id=file.card.site_id, clock=clock, writable=True)
    try:
        with database.transaction(PROGRAM, "make a site") as transaction:
            rows = _store(transaction, founding, keys, now=clock())
            for row in rows if file.card.demonstration else ():
                transaction.change(row, identity_checked="a person of the demonstration")
    finally:
        database.close()
    code = "" if file.card.demonstration else recovery_code()
    if code:
        file.put(key, RECOVERY, code)
    file.write(folder.key_file, key)
    return code


def _store(
    transaction: Transaction, founding: Founding, keys: dict[str, bytes], *, now: datetime
) -> list[accounts.UserRow]:
    """The site's row and its people; who was stored before a kill and is not wanted now cannot sign in."""
    session = transaction.session
    site = accounts.site(session)
    if site is None:
        transaction.add(accounts.SiteRow(name=founding.name, profile=founding.profile.value, made_utc=now))
    else:
        profile = Profile.GMP if site.profile == Profile.GMP else founding.profile
        transaction.change(site, name=founding.name, profile=profile.value)
    before = {row.folded: row for row in accounts.people(session)}
    wanted = {folded(person.name): person for person in founding.people}
    for name, row in before.items():
        if name not in wanted:
            transaction.change(row, active=False)
    rows = [_stored(transaction, before.get(name), person, now=now) for name, person in wanted.items()]
    for row in rows:
        keep_key(transaction, row, keys[row.folded], now=now)
    chat.adopt(transaction, rows[0].id or 0)
    return rows


def _stored(
    transaction: Transaction, row: accounts.UserRow | None, person: NewPerson, *, now: datetime
) -> accounts.UserRow:
    """A person as wanted, whether or not a kill left them stored."""
    if row is None:
        return added(transaction, person, now=now)
    refuse_mixture(person.roles, accounts.profile(transaction.session))
    roles = accounts.joined(person.roles)
    transaction.change(row, printed_name=person.printed_name, roles=roles, active=True)
    return row


def _there_already(folder: DataFolder) -> StorageError:
    return StorageError(
        f"There is a site in {folder.path} already.",
        code="SIT-002",
        hint="Use it as it is, or name another folder with --data.",
    )
