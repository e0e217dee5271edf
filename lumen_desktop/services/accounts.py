"""The people of a site: who they are, what they may do, and how they get in again.

Every change is authorised, audited with its reason, and written to the database before the key file: a kill in
between leaves a person who cannot sign in yet, or whose old password still works, and never one whom nobody knows.
Only a password of one's own choice goes to the key file first: after a kill it is to be chosen once more.
"""

import hashlib
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from lumen_desktop import paths
from lumen_desktop.domain.accounts import (
    Actor,
    Lockout,
    Profile,
    Role,
    SessionLimits,
    User,
    forbidden_together,
    waits_until,
)
from lumen_desktop.domain.names import shown
from lumen_desktop.domain.permissions import Act
from lumen_desktop.errors import AccessError, InputError
from lumen_desktop.services import passwords, sign_in
from lumen_desktop.services.authority import SignedIn
from lumen_desktop.storage import accounts, audit
from lumen_desktop.storage.attempts import Attempts
from lumen_desktop.storage.database import Database, Transaction
from lumen_desktop.storage.keys import RECOVERY, KeyFile, Opened, folded, recovery_code

LONGEST_NAME, LONGEST_PRINTED_NAME = 64, 100  # characters


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A person to be added.

    Attributes:
        name: user name.
        printed_name: as it stands under a signature.
        roles: duties.
    """

    name: str
    printed_name: str
    roles: frozenset[Role]


@dataclass(frozen=True, slots=True)
class Standing:
    """A person as the list of people and the access review show them.

    Attributes:
        user: who.
        lockout: wrong passwords since the last right one.
        locked_until_utc: not to be tried before; None if they may sign in.
        last_signed_in_utc: None if never.
    """

    user: User
    lockout: Lockout
    locked_until_utc: datetime | None
    last_signed_in_utc: datetime | None


@dataclass(frozen=True, slots=True)
class RefusedSignIn:
    """A sign-in that was refused.

    Attributes:
        name: whose user name was given; names that nobody has are not kept.
        time_utc: when.
        code: of the refusal.
    """

    name: str
    time_utc: datetime
    code: str


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds for everybody at the site.

    Attributes:
        site: its name.
        profile: how strictly duties are kept apart.
        limits: how long a signed-in period lasts.
    """

    site: str
    profile: Profile
    limits: SessionLimits


class People:
    """The people of one site, at the hands of one of them.

    Args:
        database: the site's.
        key_file: path of its key file.
        attempts: where wrong passwords are counted.
        person: who is signed in.
    """

    def __init__(self, database: Database, key_file: Path, attempts: Attempts, person: SignedIn) -> None:
        self._database = database
        self._key_file = key_file
        self._attempts = attempts
        self._person = person

    def me(self) -> User:
        """Who is signed in."""
        return self._person.user

    def list(self) -> Sequence[Standing]:
        """All people, deactivated ones too, by user name.

        Raises:
            AccessError: not permitted.
        """
        self._person.authorize(Act.READ_PEOPLE)
        lockouts, file = self._attempts.locked(), KeyFile.read(self._key_file)
        with self._database.reading() as session:
            last = audit.last_times(session, "signed in")
            users = [accounts.user(row) for row in accounts.people(session)]
        states = [(user, lockouts.get(file.label(user.name), Lockout())) for user in users]
        now = self._database.clock()
        return [Standing(user, lockout, waits_until(lockout, now), last.get(str(user.id))) for user, lockout in states]

    def add(self, person: NewPerson, password: str) -> User:
        """Adds a person with a password to be changed at the first sign-in.

        Raises:
            AccessError: not permitted.
            InputError: a name that cannot be used (ACC-030) or was used before (ACC-031), duties that do not go
                together (ACC-032), or a password that is not taken.
        """
        actor = self._person.authorize(Act.MANAGE_PEOPLE)
        self._check_password(password, person)
        file = KeyFile.read(self._key_file)
        public = file.put(self._database.key, person.name, password)
        with self._both(file), self._database.transaction(actor, "add a person") as transaction:
            row = added(transaction, person, now=self._database.clock())
            transaction.change(row, must_choose_password=True)
            keep_key(transaction, row, public, now=self._database.clock())
        return accounts.user(row)

    def set_roles(self, name: str, roles: frozenset[Role], reason: str) -> None:
        """Gives a person other duties.

        Raises:
            AccessError: not permitted, or one's own duties (ACC-033).
            InputError: nobody of that name (ACC-034), duties that do not go together (ACC-032), or the last admin
                (ACC-035).
        """
        actor = self._over_another(name)
        with self._database.transaction(actor, self._person.because(reason)) as transaction:
            row = _existing(transaction, name)
            refuse_mixture(roles, accounts.profile(transaction.session))
            if Role.ADMIN not in roles:
                _refuse_last_admin(transaction, row)
            transaction.change(row, roles=accounts.joined(roles))

    def deactivate(self, name: str, reason: str) -> None:
        """Ends a person's access; their name and records stay.

        Raises:
            AccessError: not permitted, or oneself (ACC-033).
            InputError: nobody of that name (ACC-034), or the last admin (ACC-035).
        """
        actor = self._over_another(name)
        words, file = self._person.because(reason), KeyFile.read(self._key_file)
        file.drop(name)
        with self._both(file), self._database.transaction(actor, words) as transaction:
            row = _existing(transaction, name)
            _refuse_last_admin(transaction, row)
            transaction.change(row, active=False)

    def unlock(self, name: str, reason: str) -> None:
        """Lets a person whose account is locked try again.

        Raises:
            AccessError: not permitted.
            InputError: nobody of that name (ACC-034).
        """
        actor = self._person.authorize(Act.MANAGE_PEOPLE)
        with self._database.transaction(actor, self._person.because(reason)) as transaction:
            row = _existing(transaction, name)
            transaction.note("unlocked", "user", row.id)
        self._attempts.clear(KeyFile.read(self._key_file).label(row.name))

    def reset(self, name: str, password: str, reason: str) -> None:
        """Gives a person a new password, to be changed at the next sign-in; also lets one back who was deactivated.

        The second factor goes, as its device may be what was lost. What the person signed before stays theirs.

        Raises:
            AccessError: not permitted, or one's own (ACC-033).
            InputError: nobody of that name (ACC-034), a password that is not taken, or duties that do not go together
                any more (ACC-032).
        """
        actor = self._over_another(name)
        words, file = self._person.because(reason), KeyFile.read(self._key_file)
        public = file.put(self._database.key, name, password)
        with self._both(file), self._database.transaction(actor, words) as transaction:
            row = _existing(transaction, name)
            refuse_mixture(accounts.parted(row.roles), accounts.profile(transaction.session), row.name)
            self._check_password(password, NewPerson(row.name, row.printed_name, frozenset()))
            transaction.change(row, active=True, must_choose_password=True, totp_secret="")
            keep_key(transaction, row, public, now=self._database.clock())
        self._attempts.clear(file.label(name))

    def choose_password(self, old: str, new: str) -> None:
        """Changes one's own password.

        Who had one that was given to them also gets a new key to sign with: whoever gave it could have opened the old.

        Raises:
            AccessError: the old one is wrong.
            InputError: the new one is the old one (ACC-036), or is not taken.
        """
        actor = self._person.authorize(Act.OWN_ACCOUNT)
        user = self.me()
        opened = self.confirm(old)
        if old == new:
            raise InputError("The new password is the old one.", code="ACC-036", hint="Choose another.")
        self._check_password(new, NewPerson(user.name, user.printed_name, frozenset()))
        file = KeyFile.read(self._key_file)
        public = file.put(
            self._database.key, user.name, new, secret=None if user.must_choose_password else opened.secret
        )
        file.write(self._key_file, self._database.key)
        with self._database.transaction(actor, "choose a password") as transaction:
            row = _existing(transaction, user.name)
            transaction.note("password chosen", "user", row.id)
            if user.must_choose_password:
                keep_key(transaction, row, public, now=self._database.clock())
                transaction.change(row, must_choose_password=False)

    def confirm(self, password: str) -> Opened:
        """Checks the signed-in person's password again, counting wrong ones as a sign-in does.

        Raises:
            AccessError: the signed-in period is locked (ACC-004), or the password is wrong (KEY-001), or too many were
                (ACC-020).
        """
        self._person.authorize(Act.OWN_ACCOUNT)
        return self._confirmed(password)

    def come_back(self, password: str) -> None:
        """Unlocks a locked period by the person's password.

        Raises:
            AccessError: the password is wrong (KEY-001), or too many were (ACC-020), or a new sign-in with the second
                factor is due (ACC-025).
        """
        self._confirmed(password)
        user = self.me()
        if user.second_factor and self._person.over() == "too long":
            words = "The longest signed-in period is over: your one-time code is needed as well."
            raise AccessError(words, code="ACC-025", hint="Sign out, and sign in again with both.")
        with self._database.transaction(Actor(user.name, accounts.joined(user.roles)), "unlock") as transaction:
            transaction.note("came back", "user", user.id)
        self._person.unlock()

    def check_identity(self, name: str, how: str) -> None:
        """Keeps who a person is proven to be, and how; needed before they sign. Source: 21 CFR 11.100(b).

        Raises:
            AccessError: not permitted, or oneself (ACC-033).
            InputError: nobody of that name (ACC-034), or no words (ACC-037).
        """
        actor = self._over_another(name)
        words = shown(how)
        if not words:
            raise InputError("Say how the person was identified.", code="ACC-037", hint="Such as: passport seen.")
        with self._database.transaction(actor, "identity checked") as transaction:
            row = _existing(transaction, name)
            when = self._database.clock().strftime("%Y-%m-%d")
            transaction.change(row, identity_checked=f"{words} (by {actor.name}, {when})")

    def accept_accountability(self) -> None:
        """The person accepts `accountability_statement`; the trail keeps its digest. Source: 21 CFR 11.10(j)."""
        actor = self._person.authorize(Act.OWN_ACCOUNT)
        sha256 = hashlib.sha256(accountability_statement().encode()).hexdigest()
        with self._database.transaction(actor, "accept accountability for signatures") as transaction:
            row = _existing(transaction, actor.name)
            transaction.note("accepted", "accountability statement", row.id, after={"sha256": sha256})
            transaction.change(row, accountable_utc=self._database.clock())

    def use_second_factor(self, secret: str, code: str) -> None:
        """Asks for a one-time code at each sign-in from now on.

        Args:
            secret: as `sign_in.new_second_factor` made it.
            code: of now, which shows that the person's device has the secret; no sign-in takes it again.

        Raises:
            AccessError: not the code of that secret (ACC-022).
        """
        actor = self._person.authorize(Act.OWN_ACCOUNT)
        step = sign_in.step_of(secret, code, self._database.clock())
        if step is None:
            raise sign_in.wrong_code()
        with self._database.transaction(actor, "begin a second factor") as transaction:
            transaction.change(_existing(transaction, actor.name), totp_secret=secret, totp_step=step)

    def drop_second_factor(self, password: str) -> None:
        """Asks for the password only from now on.

        Raises:
            AccessError: as `confirm`.
        """
        actor = self._person.authorize(Act.OWN_ACCOUNT)
        self.confirm(password)
        with self._database.transaction(actor, "end the second factor") as transaction:
            transaction.change(_existing(transaction, actor.name), totp_secret="")

    def refused_sign_ins(self, since: datetime) -> Sequence[RefusedSignIn]:
        """Sign-ins refused from a time on, oldest first. Source: 21 CFR 11.300(d).

        Raises:
            AccessError: not permitted.
        """
        self._person.authorize(Act.REVIEW_ACCESS)
        with self._database.reading() as session:
            found = audit.of_act(session, "sign-in refused", since=since)
        refused = [
            RefusedSignIn(
                event["entity_id"], datetime.fromisoformat(event["after"]["time_utc"]), event["after"]["code"]
            )
            for event in found
        ]
        return sorted((it for it in refused if it.time_utc >= since), key=lambda it: it.time_utc)

    def policy(self) -> Policy:
        """The site's policy."""
        with self._database.reading() as session:
            site = accounts.site(session)
        assert site is not None
        return Policy(site.name, Profile(site.profile), site.limits)

    def set_limits(self, limits: SessionLimits, reason: str) -> None:
        """Changes how long a signed-in period lasts.

        Raises:
            AccessError: not permitted.
            InputError: outside what is sound (ACC-041), or no reason (AUD-010 to AUD-012).
        """
        actor = self._person.authorize(Act.CHANGE_POLICY)
        if not limits.sound:
            raise InputError(
                "Lumen locks after 5 to 15 minutes without use, and asks for a new sign-in after 1 to 24 hours.",
                code="ACC-041",
                hint="Choose within these limits.",
            )
        with self._database.transaction(actor, self._person.because(reason)) as transaction:
            site = accounts.site(transaction.session)
            assert site is not None
            transaction.change(site, idle_s=limits.idle_s, longest_s=limits.longest_s)

    def become_gmp(self, reason: str) -> None:
        """Turns the site into a GMP site; there is no way back.

        Raises:
            AccessError: not permitted.
            InputError: it is one (ACC-042), or somebody's duties do not go together then (ACC-032).
        """
        actor = self._person.authorize(Act.CHANGE_POLICY)
        if self.policy().profile is Profile.GMP:
            raise InputError("This is a GMP site already.", code="ACC-042", hint="`lumen policy` shows what holds.")
        with self._database.transaction(actor, self._person.because(reason)) as transaction:
            for row in accounts.people(transaction.session):
                if row.active:
                    refuse_mixture(accounts.parted(row.roles), Profile.GMP, row.name)
            site = accounts.site(transaction.session)
            assert site is not None
            transaction.change(site, profile=Profile.GMP.value)

    def new_recovery_code(self) -> str:
        """A new recovery code; the one before opens nothing any more."""
        actor = self._person.authorize(Act.ROTATE_KEY)
        code, file = recovery_code(), KeyFile.read(self._key_file)
        file.put(self._database.key, RECOVERY, code)
        with self._both(file), self._database.transaction(actor, "make a recovery code") as transaction:
            transaction.note("made", "recovery code", 1)
        return code

    def _both(self, file: KeyFile) -> AbstractContextManager[None]:
        """What is written inside, then the key file; where a disk is full, neither."""
        return file.following(self._key_file, self._database.key)

    @property
    def _demonstration(self) -> bool:
        return KeyFile.read(self._key_file).card.demonstration

    def _check_password(self, password: str, person: NewPerson) -> None:
        with self._database.reading() as session:
            site = accounts.site(session)
        if not self._demonstration:
            passwords.check(password, [person.name, person.printed_name, site.name if site else ""])

    def _over_another(self, name: str) -> Actor:
        """Who manages a person other than themselves."""
        actor = self._person.authorize(Act.MANAGE_PEOPLE)
        if folded(name) == folded(actor.name):
            words, hint = "Nobody changes their own access.", "Another admin of the site can."
            raise self._person.denied(Act.MANAGE_PEOPLE, words, "ACC-033", hint)
        return actor

    def _confirmed(self, password: str) -> Opened:
        """Opens the person's slot again; a right password clears the wrong ones before it, as at a sign-in."""
        file, name = KeyFile.read(self._key_file), self.me().name
        opened = sign_in.Door(file, self._attempts, self._database.clock).open(sign_in.Credentials(name, password))
        self._attempts.clear(file.label(name))
        return opened


def accountability_statement() -> str:
    """What a person accepts before they sign. Source: 21 CFR 11.10(j), 11.100(c)."""
    return (paths.resources() / "accountability.txt").read_text(encoding="utf-8").strip()


def added(transaction: Transaction, person: NewPerson, *, now: datetime) -> accounts.UserRow:
    """Stores a person whom nobody was before.

    Raises:
        InputError: as `People.add`.
    """
    check_name(person)
    refuse_mixture(person.roles, accounts.profile(transaction.session))
    if accounts.by_name(transaction.session, person.name):
        raise InputError(
            "That user name belongs to somebody, or did.",
            code="ACC-031",
            hint="Names are never given twice; choose another.",
        )
    return transaction.add(accounts.new_user(person.name, person.printed_name, person.roles, now=now))


def keep_key(transaction: Transaction, row: accounts.UserRow, public_key: bytes, *, now: datetime) -> None:
    """Stores what a person's signatures are checked with from now on."""
    transaction.add(accounts.UserKeyRow(user_id=row.id or 0, public_key=public_key.hex(), since_utc=now))


def check_name(person: NewPerson) -> None:
    """Refuses names that are empty, too long or that cannot be shown as they are (ACC-030)."""
    for name, longest in ((person.name, LONGEST_NAME), (person.printed_name, LONGEST_PRINTED_NAME)):
        if not name or name != shown(name) or len(name) > longest:
            raise InputError(
                f"A name has 1 to {longest} characters that can be seen.",
                code="ACC-030",
                hint="Leave out line breaks, double spaces and invisible characters.",
            )


def _existing(transaction: Transaction, name: str) -> accounts.UserRow:
    row = accounts.by_name(transaction.session, name)
    if row is None:
        raise InputError("There is nobody of that user name.", code="ACC-034", hint="`lumen user list` shows them.")
    return row


def refuse_mixture(roles: frozenset[Role], profile: Profile, name: str = "") -> None:
    """Refuses no duties (ACC-038), and those that do not go together (ACC-032)."""
    if not roles:
        raise InputError("A person needs a duty.", code="ACC-038", hint="To end their access, deactivate them.")
    if words := forbidden_together(roles, profile):
        hint = f"Change the duties of {name} first." if name else "Choose either."
        raise InputError(words, code="ACC-032", hint=hint)


def _refuse_last_admin(transaction: Transaction, row: accounts.UserRow) -> None:
    others = [
        it for it in accounts.people(transaction.session)
        if it.active and it.id != row.id and Role.ADMIN in accounts.parted(it.roles)
    ]  # fmt: skip
    if Role.ADMIN in accounts.parted(row.roles) and row.active and not others:
        raise InputError("That is the site's last admin.", code="ACC-035", hint="Make another one first.")
