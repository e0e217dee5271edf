"""The site and its people in SQL. Passwords are not here: `keys` holds what they open."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from sqlmodel import Field, Session, col, select

from lumen_desktop.domain.accounts import Profile, Role, SessionLimits, User
from lumen_desktop.domain.library import storable
from lumen_desktop.storage.keys import folded
from lumen_desktop.storage.rows import Row, UtcTime

GUARDS = {
    "site_is_never_removed": """
        CREATE TRIGGER site_is_never_removed BEFORE DELETE ON site
        BEGIN SELECT RAISE(ABORT, 'a site is never removed'); END""",
    "gmp_is_never_taken_back": """
        CREATE TRIGGER gmp_is_never_taken_back BEFORE UPDATE OF id, profile ON site
        WHEN OLD.profile = 'gmp' AND NEW.profile IS NOT 'gmp'
        BEGIN SELECT RAISE(ABORT, 'a GMP site stays one'); END""",
    "user_is_never_removed": """
        CREATE TRIGGER user_is_never_removed BEFORE DELETE ON user
        BEGIN SELECT RAISE(ABORT, 'people are deactivated, never removed'); END""",
    "user_name_is_never_changed": """
        CREATE TRIGGER user_name_is_never_changed BEFORE UPDATE OF id, name, folded ON user
        BEGIN SELECT RAISE(ABORT, 'a user name stays with its person'); END""",
    "user_key_is_never_changed": """
        CREATE TRIGGER user_key_is_never_changed BEFORE UPDATE ON user_key
        BEGIN SELECT RAISE(ABORT, 'a signing key is never changed'); END""",
    "user_key_is_never_removed": """
        CREATE TRIGGER user_key_is_never_removed BEFORE DELETE ON user_key
        BEGIN SELECT RAISE(ABORT, 'a signing key is never removed'); END""",
}


class SiteRow(Row, table=True):
    """The site itself; one row, none while a site made with a passphrase has no people yet."""

    __tablename__ = "site"
    entity: ClassVar[str] = "site"

    id: int = Field(default=1, primary_key=True)
    name: str
    profile: str
    idle_s: int = SessionLimits().idle_s
    longest_s: int = SessionLimits().longest_s
    made_utc: datetime = Field(sa_type=UtcTime)

    @property
    def limits(self) -> SessionLimits:
        """How long a signed-in period lasts here."""
        return SessionLimits(idle_s=self.idle_s, longest_s=self.longest_s)


class UserRow(Row, table=True):
    """A person; see `domain.accounts.User`."""

    __tablename__ = "user"
    entity: ClassVar[str] = "user"
    digested: ClassVar[frozenset[str]] = frozenset({"totp_secret"})
    unaudited: ClassVar[frozenset[str]] = frozenset({"salt", "folded", "totp_step"})

    id: int | None = Field(default=None, primary_key=True)
    name: str
    folded: str
    printed_name: str
    roles: str  # values of Role, comma-separated, sorted
    active: bool = True
    must_choose_password: bool = False
    totp_secret: str = ""
    totp_step: int = 0  # the last one-time code's interval, so that none is taken twice
    salt: str = Field(default_factory=lambda: secrets.token_hex(16))
    identity_checked: str = ""
    accountable_utc: datetime | None = Field(default=None, sa_type=UtcTime)
    created_utc: datetime = Field(sa_type=UtcTime)


class UserKeyRow(Row, table=True):
    """The public half of a key that a person signs with; the newest is theirs now, older ones check old signatures."""

    __tablename__ = "user_key"
    entity: ClassVar[str] = "user_key"

    id: int | None = Field(default=None, primary_key=True)
    user_id: int
    public_key: str  # hex
    since_utc: datetime = Field(sa_type=UtcTime)


def site(session: Session) -> SiteRow | None:
    """The site's row."""
    return session.get(SiteRow, 1)


def profile(session: Session) -> Profile:
    """How strictly duties are kept apart; clinical where nobody decided yet."""
    row = site(session)
    return Profile(row.profile) if row else Profile.CLINICAL


def new_user(name: str, printed_name: str, roles: frozenset[Role], *, now: datetime) -> UserRow:
    """A row for a person who is not stored yet."""
    return UserRow(name=name, folded=folded(name), printed_name=printed_name, roles=joined(roles), created_utc=now)


def by_name(session: Session, name: str) -> UserRow | None:
    """The person of a user name, whatever its case; deactivated ones too."""
    return session.exec(select(UserRow).where(UserRow.folded == storable(folded(name)))).first()


def by_id(session: Session, user_id: int) -> UserRow | None:
    """The person of a number."""
    return session.get(UserRow, user_id)


def people(session: Session) -> Sequence[UserRow]:
    """All people, deactivated ones too, by name."""
    return session.exec(select(UserRow).order_by(col(UserRow.folded))).all()


def public_key(session: Session, user_id: int, *, at: datetime) -> str:
    """What a person's signatures of a time are checked with, hex: the newest key that they had then; empty without."""
    query = select(UserKeyRow.public_key).where(UserKeyRow.user_id == user_id, col(UserKeyRow.since_utc) <= at)
    return session.exec(query.order_by(col(UserKeyRow.id).desc()).limit(1)).first() or ""


def user(row: UserRow) -> User:
    """The row as the domain knows a person."""
    assert row.id is not None
    return User(
        id=row.id,
        name=row.name,
        printed_name=row.printed_name,
        roles=parted(row.roles),
        active=row.active,
        must_choose_password=row.must_choose_password,
        second_factor=bool(row.totp_secret),
        created_utc=row.created_utc,
        identity_checked=row.identity_checked,
        accountable_utc=row.accountable_utc,
    )


def joined(roles: frozenset[Role]) -> str:
    """Duties as one stored text."""
    return ",".join(sorted(roles))


def parted(roles: str) -> frozenset[Role]:
    """Duties from their stored text."""
    return frozenset(Role(role) for role in roles.split(",") if role)
