"""People of a site: who they are, which duties they have, and when a sign-in is refused or runs out.

Pure rules over values and given times; `permissions` says which acts a duty allows. Knows no password,
no key and no database.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum


class Role(StrEnum):
    """A duty; one person may have several."""

    CLINICIAN = "clinician"
    OFFICER = "qa_officer"
    APPROVER = "qa_approver"
    ADMIN = "admin"

    @property
    def words(self) -> str:
        """As people say it."""
        return {"qa_officer": "QA officer", "qa_approver": "QA approver"}.get(self.value, self.value)


class Profile(StrEnum):
    """How strictly duties are kept apart at a site; GMP is never taken back."""

    CLINICAL = "clinical"
    GMP = "gmp"

    @property
    def words(self) -> str:
        """As people say it."""
        return "GMP" if self is Profile.GMP else "clinical"


@dataclass(frozen=True, slots=True)
class Actor:
    """The person, or the program itself, on whose behalf a write happens.

    Attributes:
        name: how the audit trail names them: the user name.
        role: in which duty they act.
    """

    name: str
    role: str


PROGRAM = Actor("Lumen", "program")  # housekeeping that no person asked for


@dataclass(frozen=True, slots=True)
class User:
    """A person who may sign in.

    Attributes:
        id: identity, never given to another person.
        name: user name, unique at the site for ever whatever its case. Source: 21 CFR 11.300(a).
        printed_name: as it stands under a signature. Source: 21 CFR 11.50(a)(1).
        roles: duties; none left means no act is permitted.
        active: whether they may sign in; people are deactivated, not deleted. Source: 21 CFR 11.100(a).
        must_choose_password: whether an admin gave the password, so that it is to be changed first.
        second_factor: whether signing in also asks for a one-time code.
        created_utc: since when the account exists.
        identity_checked: who checked who the person is, how and when; empty before. Source: 21 CFR 11.100(b).
        accountable_utc: when the person accepted that a signature binds like one on paper; None before.
            Source: 21 CFR 11.10(j).
    """

    id: int
    name: str
    printed_name: str
    roles: frozenset[Role]
    active: bool
    must_choose_password: bool
    second_factor: bool
    created_utc: datetime
    identity_checked: str
    accountable_utc: datetime | None

    @property
    def may_ever_sign(self) -> bool:
        """Whether identity and accountability are on record, without which no signature is taken."""
        return bool(self.identity_checked) and self.accountable_utc is not None


def forbidden_together(roles: frozenset[Role], profile: Profile) -> str:
    """Why one person may not have these duties at once; empty where they may.

    Source: EU GMP Annex 11 draft 2025 clause 11.10; FDA Data Integrity Q&A 2018, question 4.
    """
    if profile is Profile.GMP and Role.ADMIN in roles and len(roles) > 1:
        return "At a GMP site an admin has no other duty: who rules the system does not work with its records."
    return ""


@dataclass(frozen=True, slots=True)
class Lockout:
    """Wrong passwords of one account since the last right one.

    Attributes:
        failures: how many, in a row.
        until_utc: not to be tried again before; None if it may be.
        last_utc: time of the last one.
    """

    failures: int = 0
    until_utc: datetime | None = None
    last_utc: datetime | None = None


FREE_FAILURES = 5
HARD_CAP = 100  # NIST SP 800-63B-4 section 3.2.2: no more than 100 in a row
NEVER = datetime.max.replace(tzinfo=UTC)
_FIRST_DELAY, _LONGEST_DELAY = timedelta(minutes=15), timedelta(hours=24)


def after_failure(lockout: Lockout, now: datetime) -> Lockout:
    """The state after one more wrong password: from the fifth on, a delay that doubles up to a day.

    Source: 21 CFR 11.300(d); NIST SP 800-63B-4 section 3.2.2.
    """
    failures = lockout.failures + 1
    if failures < FREE_FAILURES:
        return Lockout(failures, None, now)
    delay = min(_FIRST_DELAY * 2 ** min(failures - FREE_FAILURES, 10), _LONGEST_DELAY)
    return Lockout(failures, now + delay, now)


def waits_until(lockout: Lockout, now: datetime) -> datetime | None:
    """Until when an account may not be tried; None if it may, `NEVER` where only an admin's word helps.

    A clock that is set back opens nothing.
    """
    if lockout.failures >= HARD_CAP:
        return NEVER
    if lockout.until_utc is None:
        return None
    set_back = lockout.last_utc is not None and now < lockout.last_utc
    return lockout.until_utc if set_back or now < lockout.until_utc else None


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant on two clocks: the wall's, which a person can set, and the machine's, which none can.

    Attributes:
        wall_utc: aware UTC.
        running_s: seconds that only grow, from an arbitrary start.
    """

    wall_utc: datetime
    running_s: float


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a signed-in period lasts.

    Attributes:
        idle_s: without a key or click, then it locks; 300 to 900 seconds.
        longest_s: then it ends, whatever is done; 1 to 24 hours.
    """

    idle_s: int = 600
    longest_s: int = 12 * 3600

    @property
    def sound(self) -> bool:
        """Whether both are within what a site may choose."""
        return 300 <= self.idle_s <= 900 and 3600 <= self.longest_s <= 24 * 3600  # noqa: PLR2004 - the docstring's


def runs_out(limits: SessionLimits, *, begun: Moment, last_used: Moment, now: Moment) -> str:
    """Why a signed-in period is over: ``idle``, ``too long``, or empty while it goes on.

    The longer of both clocks counts: the wall's goes on while a computer sleeps, the machine's while the
    wall's is set back. Source: 21 CFR 11.10(d).
    """
    if _apart_s(begun, now) >= limits.longest_s:
        return "too long"
    if _apart_s(last_used, now) >= limits.idle_s:
        return "idle"
    return ""


def _apart_s(earlier: Moment, later: Moment) -> float:
    return max(later.running_s - earlier.running_s, (later.wall_utc - earlier.wall_utc).total_seconds())
