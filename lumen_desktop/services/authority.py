"""Who acts, and whether they may: the one door through which every service gets the actor of a write.

`SignedIn` is a person's signed-in period. Its `authorize` reads the person anew each time, so that duties taken
away count at once, refuses by default, and leaves an event of every refusal. `Housekeeping` stands for the program
itself. What a duty allows stands in `domain.permissions`.
"""

import contextlib
from collections.abc import Callable
from typing import Protocol

from lumen_desktop.domain.accounts import PROGRAM, Actor, Moment, Profile, User, runs_out
from lumen_desktop.domain.permissions import Act, Reach, reach
from lumen_desktop.errors import AccessError, StorageError
from lumen_desktop.storage import accounts
from lumen_desktop.storage.database import Database

NOBODY = 0  # owner of what belongs to no person; no user has this number


class Authority(Protocol):
    """What a service asks before it does anything."""

    @property
    def user_id(self) -> int:
        """Who becomes the owner of what is made; `NOBODY` for the program."""

    def authorize(self, act: Act, *, of: int | None = None) -> Actor:
        """The actor for an act.

        Args:
            act: what is to be done.
            of: whose record it is done to; None for what has no owner, or is made.

        Raises:
            AccessError: it is not allowed.
        """

    def reaches_all(self, act: Act) -> bool:
        """Whether an act that is allowed reaches the records of everybody."""


class Housekeeping:
    """The program itself: it may do what its own code asks for."""

    user_id = NOBODY

    def authorize(self, act: Act, *, of: int | None = None) -> Actor:  # noqa: ARG002 - whatever it is
        """The program as actor."""
        return PROGRAM

    def reaches_all(self, act: Act) -> bool:  # noqa: ARG002 - whatever it is
        """It does."""
        return True


class SignedIn:
    """A person from their sign-in to their sign-out.

    Args:
        database: the site's.
        user_id: who signed in.
        running: seconds on a clock that nobody can set.
    """

    def __init__(self, database: Database, user_id: int, running: Callable[[], float]) -> None:
        self._database = database
        self._running = running
        self.user_id = user_id
        self._begun = self._last_used = self._now()
        self._locked = ""

    @property
    def user(self) -> User:
        """The person as they are stored now."""
        with self._database.reading() as session:
            row = accounts.by_id(session, self.user_id)
            assert row is not None
            return accounts.user(row)

    @property
    def profile(self) -> Profile:
        """The site's profile now."""
        with self._database.reading() as session:
            return accounts.profile(session)

    def authorize(self, act: Act, *, of: int | None = None) -> Actor:
        """See `Authority.authorize`.

        Raises:
            AccessError: not by their duties (ACC-001), not theirs (ACC-002), a password to be chosen first
                (ACC-003), locked (ACC-004) or deactivated meanwhile (ACC-005).
        """
        if self.over():
            raise locked()
        user = self.user
        if not user.active:
            raise self._denied(user, act, "Your account was deactivated.", "ACC-005", "Ask an admin of the site.")
        if user.must_choose_password and act is not Act.OWN_ACCOUNT:
            raise AccessError(
                "Choose a password of your own first: the one you have was given to you.",
                code="ACC-003",
                hint="`lumen user password` changes it; the window asks for it.",
            )
        extent, role = reach(user.roles, act, self.profile)
        if role is None:
            duties = ", ".join(role.words for role in sorted(user.roles)) or "none"
            words = f"Your duties at this site ({duties}) do not include to {act}."
            raise self._denied(
                user, act, words, "ACC-001", "`lumen user duties` shows who may; an admin assigns duties."
            )
        if extent is Reach.OWN and of is not None and of != self.user_id:
            raise self._denied(user, act, "That belongs to another person.", "ACC-002", "Ask for your own.")
        return Actor(user.name, role.value)

    def reaches_all(self, act: Act) -> bool:
        """See `Authority.reaches_all`."""
        return reach(self.user.roles, act, self.profile)[0] is Reach.ANY

    def used(self) -> None:
        """Says that the person is there: a key, a click, a command."""
        if not self.over():
            self._last_used = self._now()

    def over(self) -> str:
        """Why the period is locked or over (``idle``, ``too long``, ``locked``); empty while it goes on."""
        if not self._locked:
            with self._database.reading() as session:
                row = accounts.site(session)
            if row is not None:
                self._locked = runs_out(row.limits, begun=self._begun, last_used=self._last_used, now=self._now())
        return self._locked

    def lock(self) -> None:
        """Locks at the person's word, or when the computer sleeps."""
        self._locked = self._locked or "locked"

    def unlock(self) -> None:
        """Goes on after the password was given again; after the longest time a new period begins."""
        if self._locked == "too long":
            self._begun = self._now()
        self._locked, self._last_used = "", self._now()

    def _now(self) -> Moment:
        return Moment(self._database.clock(), self._running())

    def _denied(self, user: User, act: Act, words: str, code: str, hint: str) -> AccessError:
        """The refusal, after its event; on a disk that is read-only it refuses without one."""
        role = ",".join(sorted(user.roles)) or "none"
        with contextlib.suppress(StorageError), self._database.transaction(Actor(user.name, role), code) as transaction:
            transaction.note("denied", "act", act.value)
        return AccessError(words, code=code, hint=hint)


def locked() -> AccessError:
    """The refusal while a signed-in period is locked."""
    return AccessError("Lumen is locked.", code="ACC-004", hint="Sign in again; nothing was lost.")
