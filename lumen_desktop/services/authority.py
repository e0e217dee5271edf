"""Who acts, and whether they may: the one door through which every service gets the actor of a write.

`SignedIn` is a person's signed-in period. Its `authorize` reads the person anew each time, so that duties taken
away count at once, refuses by default, and leaves an event of every refusal. `Housekeeping` stands for the program
itself. What a duty allows stands in `domain.permissions`.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Protocol

from lumen_desktop.domain.accounts import PROGRAM, Actor, Moment, Profile, SessionLimits, User, runs_out
from lumen_desktop.domain.permissions import Act, Reach, reach
from lumen_desktop.domain.reasons import checked
from lumen_desktop.errors import AccessError, InputError, LumenError, StorageError
from lumen_desktop.storage import accounts
from lumen_desktop.storage.database import Database

NOBODY = 0  # owner of what belongs to no person; no user has this number
_UNWRITABLE = frozenset({"STO-001", "STO-003", "AUD-002"})


class Authority(Protocol):
    """What a service asks before it does anything."""

    @property
    def user_id(self) -> int:
        """Who becomes the owner of what is made; `NOBODY` for the program."""

    @property
    def release_needed(self) -> bool:
        """Whether documents that are brought await their release; at a GMP site what a person brings does."""

    def authorize(self, act: Act, *, of: int | None = None) -> Actor:
        """The actor for an act.

        Args:
            act: what is to be done.
            of: whose record it is done to; None for what has no owner, or is made.

        Raises:
            AccessError: it is not allowed.
        """

    def reach(self, act: Act) -> Reach:
        """Whose records an act may touch."""

    def because(self, reason: str) -> str:
        """A reason as the trail keeps it.

        Raises:
            InputError: it is missing or says nothing (AUD-010 to AUD-012).
        """


class Housekeeping:
    """The program itself: it may do what its own code asks for."""

    user_id = NOBODY
    release_needed = False

    def authorize(self, act: Act, *, of: int | None = None) -> Actor:  # noqa: ARG002 - whatever it is
        """The program as actor."""
        return PROGRAM

    def reach(self, act: Act) -> Reach:  # noqa: ARG002 - whatever it is
        """Everybody's."""
        return Reach.ANY

    def because(self, reason: str) -> str:
        """As given: the code's own."""
        return checked(reason)


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
        self.has_signed = False  # since the period began: the next signature needs the password only
        self.failed_signatures = 0
        self._limits = SessionLimits()

    @property
    def release_needed(self) -> bool:
        """See `Authority.release_needed`."""
        return self.profile is Profile.GMP

    @property
    def user(self) -> User:
        """The person as they are stored now."""
        return self._standing()[0]

    @property
    def profile(self) -> Profile:
        """The site's profile now."""
        return self._standing()[1]

    def _standing(self) -> tuple[User, Profile]:
        with self._database.reading() as session:
            row = accounts.by_id(session, self.user_id)
            assert row is not None
            return accounts.user(row), accounts.profile(session)

    def authorize(self, act: Act, *, of: int | None = None) -> Actor:
        """See `Authority.authorize`.

        Raises:
            AccessError: not by their duties (ACC-001), not theirs (ACC-002), a password to be chosen first
                (ACC-003), locked (ACC-004) or deactivated meanwhile (ACC-005).
        """
        user, profile = self._standing()
        if self.over():
            raise self.denied(act, "Lumen is locked.", "ACC-004", "Sign in again; nothing was lost.")
        if not user.active:
            raise self.denied(act, "Your account was deactivated.", "ACC-005", "Ask an admin of the site.")
        if user.must_choose_password and act is not Act.OWN_ACCOUNT:
            words = "Choose a password of your own first: the one you have was given to you."
            raise self.denied(act, words, "ACC-003", "`lumen user password` changes it; the window asks for it.")
        extent, role = reach(user.roles, act, profile)
        if role is None:
            duties = ", ".join(role.words for role in sorted(user.roles)) or "none"
            words = f"Your duties at this site ({duties}) do not include to {act}."
            raise self.denied(act, words, "ACC-001", "`lumen user duties` shows who may; an admin assigns duties.")
        if extent is Reach.OWN and of is not None and of != self.user_id:
            raise self.denied(act, "That belongs to another person.", "ACC-002", "Ask for your own.")
        return Actor(user.name, role.value)

    def reach(self, act: Act) -> Reach:
        """See `Authority.reach`."""
        user, profile = self._standing()
        return reach(user.roles, act, profile)[0]

    def because(self, reason: str) -> str:
        """See `Authority.because`; a refusal is an event."""
        try:
            return checked(reason)
        except InputError as error:
            raise self.told("reason refused", error) from None

    def told(self, act: str, refusal: LumenError) -> LumenError:
        """A refusal, after its event; on a disk that cannot be written without one."""
        user = self.user
        actor = Actor(user.name, accounts.joined(user.roles) or "none")
        with where_writable(), self._database.transaction(actor, "refused") as transaction:
            transaction.note(act, "user", user.id, after={"code": refusal.code})
        return refusal

    def denied(self, act: Act, words: str, code: str, hint: str) -> AccessError:
        """The refusal of an act, after its event; on a disk that cannot be written it refuses without one."""
        user = self.user
        role = accounts.joined(user.roles) or "none"
        with where_writable(), self._database.transaction(Actor(user.name, role), "not permitted") as transaction:
            transaction.note("denied", "act", act.value, after={"code": code})
        return AccessError(words, code=code, hint=hint)

    def used(self) -> None:
        """Says that the person is there: a key, a click, a command."""
        if not self.over():
            self._last_used = self._now()

    def over(self) -> str:
        """Why the period is over or locked: ``idle``, ``too long``, ``locked``, ``attempts``; empty while it is not."""
        if not self._locked:
            self._limits = self._limits_now()
            self._locked = runs_out(self._limits, begun=self._begun, last_used=self._last_used, now=self._now())
        return self._locked

    def _limits_now(self) -> SessionLimits:
        """The site's limits; while a new key is made, which nobody waits for here, those that held before."""
        try:
            with self._database.reading(waits=False) as session:
                row = accounts.site(session)
        except StorageError as error:
            if error.code != "STO-004":
                raise
            return self._limits
        return row.limits if row is not None else self._limits

    def lock(self, why: str = "locked") -> None:
        """Locks at the person's word, when the computer sleeps, or after attempts to sign (``attempts``)."""
        self._locked = self._locked or why

    def unlock(self) -> None:
        """Begins a new period after the password was given again."""
        self._begun = self._last_used = self._now()
        self._locked = ""
        self.has_signed, self.failed_signatures = False, 0

    def _now(self) -> Moment:
        return Moment(self._database.clock(), self._running())


@contextlib.contextmanager
def where_writable() -> Iterator[None]:
    """Leaves an event out where the disk cannot be written: a copy or a full disk can be read all the same.

    Any other fault of the database is one here too.
    """
    try:
        yield
    except StorageError as error:
        if error.code not in _UNWRITABLE:
            raise
