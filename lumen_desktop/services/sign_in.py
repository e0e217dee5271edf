"""Signing in: the password opens the person's slot, wrong ones are counted, and the audit trail is told.

Called by `app`, which opens the database in between, and by a window that asks for the password again.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import pyotp

from lumen_desktop.domain.accounts import NEVER, PROGRAM, Actor, Lockout, after_failure, waits_until
from lumen_desktop.errors import AccessError
from lumen_desktop.services import audit_watch
from lumen_desktop.services.authority import SignedIn, where_writable
from lumen_desktop.storage import accounts
from lumen_desktop.storage.attempts import Attempt, Attempts
from lumen_desktop.storage.database import Database
from lumen_desktop.storage.keys import RECOVERY, KeyFile, Opened

_STEP_S = 30  # RFC 6238 section 5.2
_TOLD_OF_A_STRANGER = 3  # letters of a digest


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a person signs in with.

    Attributes:
        user: their user name, in any case.
        password: their password.
        code: the one-time code, for those who have a second factor.
    """

    user: str
    password: str = field(repr=False)
    code: str = field(default="", repr=False)


class Door:
    """The door of one site.

    Args:
        file: its key file.
        attempts: where wrong passwords are counted.
        clock: tells the time, aware UTC.
    """

    def __init__(self, file: KeyFile, attempts: Attempts, clock: Callable[[], datetime]) -> None:
        self._file = file
        self._attempts = attempts
        self._clock = clock

    def open(self, credentials: Credentials) -> Opened:
        """The database key and the person's secret, for a right password.

        Raises:
            AccessError: name or password is wrong (KEY-001), or too many were (ACC-020).
            IntegrityError: the key file was changed.
        """
        label = self._label(credentials.user)
        if until := waits_until(self._attempts.lockout(label), self._clock()):
            self._failed(label, "ACC-020", state=lambda lockout: lockout)
            raise _too_many(until)
        try:
            return self._file.open(credentials.user, credentials.password)
        except AccessError as error:
            lockout = self._failed(label, error.code)
            if until := waits_until(lockout, self._clock()):
                raise _too_many(until) from None
            raise

    def enter(self, database: Database, credentials: Credentials) -> SignedIn:
        """Begins the signed-in period of a person whose password was right.

        Raises:
            AccessError: deactivated (ACC-005), or the one-time code is missing (ACC-021) or wrong (ACC-022).
        """
        label = self._label(credentials.user)
        with database.reading() as session:
            row = accounts.by_name(session, credentials.user)
        if row is None or not row.active:
            self._failed(label, "ACC-005")
            raise AccessError("Your account was deactivated.", code="ACC-005", hint="Ask an admin of the site.")
        if row.totp_secret:
            self._check_code(database, row, credentials.code, label)
        assert row.id is not None
        with where_writable():
            self._attempts.clear(label)
            self._attempts.tell(lambda attempts: self._told(database, attempts))
        with where_writable(), database.transaction(Actor(row.name, row.roles), "sign in") as transaction:
            transaction.note("signed in", "user", row.id)
        return SignedIn(database, row.id, audit_watch.steady_s)

    def turned_away(self, credentials: Credentials, code: str) -> None:
        """Keeps for the trail that somebody could not come in, although no password of theirs was wrong."""
        self._failed(self._label(credentials.user), code, state=lambda lockout: lockout)

    def leave(self, database: Database, person: SignedIn) -> None:
        """Ends a signed-in period."""
        user = person.user
        actor = Actor(user.name, accounts.joined(user.roles))
        with where_writable(), database.transaction(actor, "sign out") as transaction:
            transaction.note("signed out", "user", user.id)

    def _label(self, name: str) -> str:
        """Under what an account is counted; see `storage.attempts`."""
        label = self._file.label(name)
        return label if self._file.knows(name) else label[:_TOLD_OF_A_STRANGER]

    def _check_code(self, database: Database, row: accounts.UserRow, code: str, label: str) -> None:
        """Takes each one-time code once. Source: RFC 6238 section 5.2."""
        if not code:
            raise AccessError(
                "Your one-time code is needed as well.", code="ACC-021", hint="Your second factor shows it."
            )
        step = step_of(row.totp_secret, code, self._clock())
        if step is None or not _taken(database, row, step):
            self._failed(label, "ACC-022")
            raise wrong_code()

    def _failed(self, label: str, why: str, state: Callable[[Lockout], Lockout] | None = None) -> Lockout:
        now = self._clock()
        with where_writable():
            return self._attempts.failed(
                Attempt(label, now, why), state or (lambda lockout: after_failure(lockout, now))
            )
        return Lockout()  # a copy that cannot be written counts nothing: its passwords keep it closed

    def _told(self, database: Database, attempts: list[Attempt]) -> None:
        with database.reading() as session:
            names = {self._file.label(row.name): row.name for row in accounts.people(session)}
        names[self._file.label(RECOVERY)] = "the recovery code"
        with database.transaction(PROGRAM, "sign-ins refused before") as transaction:
            for attempt in attempts:
                said = {"time_utc": attempt.time_utc.isoformat(), "code": attempt.why}
                transaction.note("sign-in refused", "user", names.get(attempt.label, "an unknown name"), after=said)


def new_second_factor() -> str:
    """A fresh secret for one-time codes, base32."""
    return pyotp.random_base32()


def second_factor_uri(secret: str, *, user: str, site: str) -> str:
    """What an authenticator takes, as ``otpauth://…``."""
    return pyotp.TOTP(secret).provisioning_uri(name=user, issuer_name=f"Lumen {site}")


def wrong_code() -> AccessError:
    """The refusal of a one-time code."""
    return AccessError("The one-time code is not right.", code="ACC-022", hint="Wait for the next one.")


def _taken(database: Database, row: accounts.UserRow, step: int) -> bool:
    """Keeps that a code of this interval was taken; False if it or a later one was before, here or elsewhere."""
    with database.transaction(PROGRAM, "a one-time code is taken once") as transaction:
        current = accounts.by_id(transaction.session, row.id or 0)
        if current is None or step <= current.totp_step:
            return False
        transaction.change(current, totp_step=step)
    return True


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """Which interval a code belongs to: the present one or a neighbour; None if none."""
    present = int(now.timestamp()) // _STEP_S
    try:
        totp = pyotp.TOTP(secret)
    except ValueError:  # not base32
        return None
    for step in (present - 1, present, present + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), code.strip().encode("utf-8", "replace")):
            return step
    return None


def _too_many(until: datetime) -> AccessError:
    if until == NEVER:
        return AccessError(
            "This account is locked: too many wrong passwords.", code="ACC-020", hint="An admin of the site unlocks it."
        )
    when = until.astimezone().strftime("%H:%M on %d %B")
    return AccessError(
        f"Too many wrong passwords: this account can be tried again at {when}.",
        code="ACC-020",
        hint="An admin of the site can unlock it before.",
    )
