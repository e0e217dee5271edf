"""Signing in: the password opens the person's slot, wrong ones are counted, and the audit trail is told.

Called by `app`, which opens the database in between, and by a window that asks for the password again.
"""

import contextlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import pyotp

from lumen_desktop.domain.accounts import NEVER, PROGRAM, Actor, Lockout, after_failure, waits_until
from lumen_desktop.errors import AccessError, StorageError
from lumen_desktop.services import audit_watch
from lumen_desktop.services.authority import SignedIn
from lumen_desktop.storage import accounts
from lumen_desktop.storage.attempts import Attempt, Attempts
from lumen_desktop.storage.database import Database
from lumen_desktop.storage.keys import RECOVERY, KeyFile, Opened

_STEP_S = 30  # RFC 6238 section 5.2


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
        label = self._file.label(credentials.user)
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
        label = self._file.label(credentials.user)
        with database.reading() as session:
            row = accounts.by_name(session, credentials.user)
        if row is None or not row.active:
            self._failed(label, "ACC-005")
            raise AccessError("Your account was deactivated.", code="ACC-005", hint="Ask an admin of the site.")
        if row.totp_secret:
            self._check_code(database, row, credentials.code, label)
        with contextlib.suppress(StorageError):  # a copy on a disk that is read-only can be looked at all the same
            self._attempts.clear(label)
            self._attempts.tell(lambda attempts: self._told(database, attempts))
            assert row.id is not None
            with database.transaction(Actor(row.name, row.roles), "sign in") as transaction:
                transaction.note("signed in", "user", row.id)
        assert row.id is not None
        return SignedIn(database, row.id, audit_watch.steady_s)

    def leave(self, database: Database, person: SignedIn) -> None:
        """Ends a signed-in period."""
        user = person.user
        with contextlib.suppress(StorageError):
            role = accounts.joined(user.roles)
            with database.transaction(Actor(user.name, role), "sign out") as transaction:
                transaction.note("signed out", "user", user.id)

    def _check_code(self, database: Database, row: accounts.UserRow, code: str, label: str) -> None:
        """Takes each one-time code once. Source: RFC 6238 section 5.2."""
        if not code:
            raise AccessError(
                "Your one-time code is needed as well.", code="ACC-021", hint="Your second factor shows it."
            )
        step = step_of(row.totp_secret, code, self._clock())
        if step is None or step <= row.totp_step:
            self._failed(label, "ACC-022")
            raise wrong_code()
        with database.transaction(PROGRAM, "a one-time code is taken once") as transaction:
            current = accounts.by_id(transaction.session, row.id or 0)
            assert current is not None
            transaction.change(current, totp_step=step)

    def _failed(self, label: str, why: str, state: Callable[[Lockout], Lockout] | None = None) -> Lockout:
        now = self._clock()
        attempt = Attempt(label, now, why)
        try:
            return self._attempts.failed(attempt, state or (lambda lockout: after_failure(lockout, now)))
        except StorageError:  # a copy that cannot be written counts nothing: its passwords keep it closed
            return Lockout()

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


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """Which interval a code belongs to: the present one or a neighbour; None if none."""
    present = int(now.timestamp()) // _STEP_S
    try:
        totp = pyotp.TOTP(secret)
    except ValueError:  # not base32
        return None
    for step in (present - 1, present, present + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), code.strip().encode()):
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
