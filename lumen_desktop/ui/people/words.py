"""How people, duties and accounts are said on this screen; the terminal says the same with times in UTC. No widget."""

from collections.abc import Iterable
from datetime import datetime

from lumen_desktop.domain.accounts import NEVER, Profile, Role, User
from lumen_desktop.domain.permissions import TABLE, Act, Reach
from lumen_desktop.services.accounts import Standing
from lumen_desktop.ui.formatting import counted, moment

REFUSED = {
    "KEY-001": "wrong password",
    "ACC-005": "account deactivated",
    "ACC-020": "account locked after wrong passwords",
    "ACC-022": "wrong one-time code",
}


def duties(roles: Iterable[Role]) -> str:
    """Duties in the order of the table of permissions."""
    held = frozenset(roles)
    return ", ".join(role.words for role in Role if role in held) or "no duty"


def state(it: Standing) -> str:
    """How an account stands; the first that keeps the person out is said."""
    if not it.user.active:
        return "deactivated"
    if it.locked_until_utc == NEVER:
        return "locked until unlocked"
    if it.locked_until_utc is not None:
        return f"locked until {moment(it.locked_until_utc)}"
    wrong = f", {counted(it.lockout.failures, 'wrong password')} since" if it.lockout.failures else ""
    return ("must choose a password" if it.user.must_choose_password else "active") + wrong


def last_sign_in(time: datetime | None) -> str:
    """When somebody signed in last."""
    return moment(time) if time else "never"


def identity(user: User) -> str:
    """Whether somebody made sure who a person is."""
    return user.identity_checked or "not checked"


def accountability(user: User) -> str:
    """Whether a person accepted what their signature means."""
    return f"accepted {moment(user.accountable_utc)}" if user.accountable_utc else "not accepted"


def who_may(act: Act, profile: Profile) -> str:
    """Which duties reach an act, in one sentence."""
    names = [role.words for role in Role if TABLE[profile][act][role] is not Reach.NONE]
    joined = " or ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
    return f"Only {'an' if joined[0] in 'aeiou' else 'a'} {joined} may {act}."
