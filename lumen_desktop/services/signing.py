"""Giving electronic signatures: the one door through which anything is signed, and the check of those given.

A signature is asked for on a `Record`, whose canonical content the person was shown; it binds person, duty, meaning,
content and the trail's head, and is an audit event in the same transaction as what it brings about. Refusals::

    SIG-001  not now, not by this person        SIG-005  user name or password missing
    SIG-002  the content is not what was shown  SIG-006  another person's user name
    SIG-003  the clock is to be explained       SIG-007  no record of that number
    SIG-004  too many attempts                  SIG-008  a signature on it is not what was signed

Source: 21 CFR 11.50, 11.70, 11.100, 11.200, 11.300; EU GMP Annex 11 clause 14 and its draft of 2025, clause 13.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lumen_desktop import logs
from lumen_desktop.domain.accounts import Actor
from lumen_desktop.domain.clock import offset_minutes
from lumen_desktop.domain.permissions import Act, Reach
from lumen_desktop.domain.signing import (
    ROUTES,
    WITH_REASON,
    Given,
    Kind,
    Meaning,
    Route,
    Statement,
    Step,
    allowed,
    in_force,
    refusal,
)
from lumen_desktop.errors import AccessError, InputError, IntegrityError, LumenError
from lumen_desktop.services import audit_export
from lumen_desktop.services.accounts import People
from lumen_desktop.services.audit import Audit
from lumen_desktop.services.authority import SignedIn
from lumen_desktop.storage import audit as trail
from lumen_desktop.storage import signatures as stored
from lumen_desktop.storage.database import Database, Transaction
from lumen_desktop.storage.keys import folded

Consequence = Callable[[Transaction, Sequence[Given]], None]
_BEFORE = "`lumen user identity` is for an admin, `lumen user accept` for yourself; the window asks for it."
_ENDED = {Meaning.REJECTED: "Rejected", Meaning.WITHDRAWN: "Withdrawn"}
MOST_ATTEMPTS = 3  # wrong components in a row; then the signed-in period is locked
_COUNTED = frozenset({"KEY-001", "SIG-006"})


@dataclass(frozen=True, slots=True)
class Record:
    """What a person is asked to sign.

    Attributes:
        kind: of record.
        number: its own; None for one that comes to be by its signature.
        title: as people call it.
        content: everything that is signed, as JSON values.
        author_id: who made or brought it; 0 for nobody.
        again: reads the content as it is now, where it could have changed since; None where it cannot.
    """

    kind: Kind
    number: int | None
    title: str
    content: dict[str, Any]
    author_id: int = 0
    again: Callable[[Any], dict[str, Any]] | None = None

    @property
    def canonical(self) -> str:
        """The content, byte for byte as it is signed."""
        return stored.canonical(self.content)

    @property
    def sha256(self) -> str:
        """Its digest, hex; shown to who signs."""
        return stored.digest(self.canonical)

    @property
    def route(self) -> Route:
        """The signatures that it needs."""
        return ROUTES[self.kind]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person gives to sign.

    Attributes:
        meaning: what the signature is to say.
        shown_sha256: digest of the content that they were shown.
        user: their user name; may be empty after the first signature of a signed-in period.
        password: theirs.
        reason: why, for a rejection or a withdrawal.
    """

    meaning: Meaning
    shown_sha256: str
    user: str
    password: str = field(repr=False)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature that was given.

    Attributes:
        id: its number.
        statement: what it says.
        flaw: why it does not hold any more; empty while it does.
    """

    id: int
    statement: Statement
    flaw: str


class Signing:
    """Signs records of one site as one person.

    Args:
        database: the site's.
        person: who signs.
        people: checks their password again.
        audit: tells of the clock and anchors the trail.
    """

    def __init__(self, database: Database, person: SignedIn, people: People, audit: Audit) -> None:
        self._database = database
        self._person = person
        self._people = people
        self._audit = audit

    @property
    def needs_user(self) -> bool:
        """Whether the user name is needed beside the password: at the first signature of a signed-in period."""
        return not self._person.has_signed

    def on(self, record: Record) -> Sequence[Signature]:
        """The signatures given on a record, each held against what it signed and against the record as it is now."""
        if record.number is None:
            return ()
        with self._database.reading() as session:
            rows = stored.of_record(session, record.kind, record.number)
            return [_checked(session, row, record.sha256) for row in rows]

    def steps(self, record: Record) -> tuple[Step, ...]:
        """What may be signed on it now, by whoever may; nothing where a signature on it does not hold."""
        given = self.on(record)
        return () if any(one.flaw for one in given) else allowed(record.route, _given(given))

    def hindrance(self, record: Record, meaning: Meaning) -> str:
        """Why the signed-in person may not give this signature now, before they type anything; empty where they may."""
        given = _given(self.on(record))
        words = refusal(self._person.user, meaning, record.route, given, author_id=record.author_id, reason="-")
        step = next((step for step in allowed(record.route, given) if step.meaning is meaning), None)
        if words or step is None or self._person.reach(step.act) is not Reach.NONE:
            return words
        return f"Your duties at this site do not include to {step.act}."

    def broken(self) -> list[str]:
        """Signatures of the site that are not what was signed, each with its reason; empty where all hold.

        Whether the record is still the same, `on` says of each record.
        """
        with self._database.reading() as session:
            flaws = [(row.id, stored.flaw(session, row)) for row in stored.all_of(session)]
        return [f"S-{number:06}: {flaw}" for number, flaw in flaws if flaw]

    def printed(self, record: Record, *, preview: bool = False) -> bytes:
        """The record with its signatures as PDF; the trail keeps that it was printed.

        Args:
            record: what to print.
            preview: whether it is only looked at before it is signed; then nothing is written.

        Raises:
            StorageError: a font is missing (PDF-001).
        """
        from lumen_desktop.services import record_print  # noqa: PLC0415 - most runs print nothing

        actor, signatures = self._person.authorize(Act.OWN_ACCOUNT), self.on(record)
        if not preview:
            with self._database.transaction(actor, "print a record") as transaction:
                transaction.note("printed", record.kind, record.number or 0, after={"sha256": record.sha256})
        with self._database.reading() as session:
            title = self._audit.title(session, actor)
        return record_print.rendered(
            record, signatures, title, site_id=self._database.site_id, made_utc=self._database.clock()
        )

    def save(self, record: Record, target: Path, *, replace: bool) -> None:
        """Writes the record with its signatures as a PDF file, which appears whole.

        Raises:
            InputError: there is such a file already and it may not be replaced (AUD-014).
            StorageError: it cannot be written (AUD-016), or as `printed`.
        """
        with audit_export.opened(target, replace=replace) as out:
            out.write_bytes(self.printed(record))

    def sign(self, record: Record, wish: Wish, *, then: Consequence | None = None) -> Signature:
        """Gives a signature.

        Args:
            record: what was shown.
            wish: what the person gave.
            then: if given, writes what follows from it in the same transaction, told all that is signed now.

        Raises:
            AccessError: not by their duties (ACC-001), or not this person now (SIG-001); user name or password missing
                (SIG-005) or wrong (SIG-006, KEY-001); locked after three attempts (SIG-004).
            InputError: the meaning is not the next (SIG-001), the content is not what was shown (SIG-002), a reason is
                missing (AUD-010 to AUD-012), or the clock is to be explained first (SIG-003).
            IntegrityError: a signature on it does not hold (SIG-008).
        """
        actor, reason = self.check(record, wish.meaning, wish.reason)
        if wish.shown_sha256 != record.sha256:
            raise self._refused(_changed())
        secret = self._proved(wish)
        with self._database.transaction(actor, reason or f"sign: {wish.meaning}") as transaction:
            row = self._added(transaction, record, wish.meaning, actor, reason=reason, secret=secret)
            if then is not None:
                then(transaction, _given(_of(transaction.session, record.kind, row.record_id)))
        self._person.has_signed, self._person.failed_signatures = True, 0
        try:
            self._audit.anchor("signature")
        except LumenError as error:  # what is signed is signed; the next write tries again
            logs.event("audit.watch", code=error.code)
        assert row.id is not None
        return Signature(row.id, row.statement(), "")

    def check(self, record: Record, meaning: Meaning, reason: str = "") -> tuple[Actor, str]:
        """Everything but name and password: duties, order, reason, clock, and the signatures that are there.

        Returns:
            The actor and the reason as the trail keeps it.

        Raises:
            LumenError: as `sign`; every refusal is an event.
        """
        reason = self._person.because(reason) if meaning in WITH_REASON else ""
        actor = self._permitted(record, meaning, reason)
        if self._audit.clock_trouble() is not None:
            words = "The computer's clock was set back or jumped; nothing is signed until an admin has explained it."
            raise self._refused(InputError(words, code="SIG-003", hint="`lumen audit explain-clock --reason …`"))
        return actor, reason

    def _permitted(self, record: Record, meaning: Meaning, reason: str) -> Actor:
        given = self.on(record)
        if flaws := [one.flaw for one in given if one.flaw]:
            words = f"A signature on this {record.route.kind} does not hold: {flaws[0]}"
            raise self._refused(
                IntegrityError(words, code="SIG-008", hint="Run `lumen audit verify` and report the code.")
            )
        meanings = {step.meaning: step for step in allowed(record.route, _given(given))}
        step = meanings.get(meaning)
        actor = self._person.authorize(step.act if step else Act.OWN_ACCOUNT)
        user = self._person.user
        if words := refusal(user, meaning, record.route, _given(given), author_id=record.author_id, reason=reason):
            hint = f"Possible now: {', '.join(sorted(meanings)) or 'nothing'}." if user.may_ever_sign else _BEFORE
            raise self._refused(AccessError(words, code="SIG-001", hint=hint))
        return actor

    def _proved(self, wish: Wish) -> bytes:
        """The signer's secret, for the components that this signature needs. Source: 21 CFR 11.200(a)(1)."""
        if not wish.password or (self.needs_user and not wish.user):
            needed = "user name and password are" if self.needs_user else "password is"
            raise AccessError(f"Your {needed} needed to sign.", code="SIG-005", hint="Being signed in does not count.")
        if wish.user and folded(wish.user) != folded(self._person.user.name):
            words = "That is another person's user name."
            raise self._counted(AccessError(words, code="SIG-006", hint="Sign as who is signed in."))
        try:
            return self._people.confirm(wish.password).secret
        except AccessError as error:
            raise self._counted(error) from None

    def _counted(self, error: AccessError) -> LumenError:
        """A wrong component: told to the trail; the third in a row locks. Source: 21 CFR 11.300(d)."""
        self._refused(error)
        if error.code not in _COUNTED:
            return error
        self._person.failed_signatures += 1
        if self._person.failed_signatures < MOST_ATTEMPTS:
            return error
        self._person.lock("attempts")
        return AccessError(
            "Three attempts to sign failed: Lumen is locked.", code="SIG-004", hint="Sign in again; nothing was signed."
        )

    def _refused(self, error: LumenError) -> LumenError:
        return self._person.told("signature refused", error)

    def _added(
        self, transaction: Transaction, record: Record, meaning: Meaning, actor: Actor, *, reason: str, secret: bytes
    ) -> stored.SignatureRow:
        session, now = transaction.session, self._database.clock()
        if record.again is not None and stored.canonical(record.again(session)) != record.canonical:
            raise _changed()
        number = record.number or stored.next_number(session, record.kind)
        (last,) = trail.events(session, newest=1)
        user = self._person.user
        statement = Statement(
            record=f"{record.kind} {number}", content_sha256=record.sha256, user_id=user.id, user_name=user.name,
            printed_name=user.printed_name, role=actor.role, meaning=meaning, reason=reason, time_utc=now,
            utc_offset_minutes=offset_minutes(now), chain_seq=last["seq"], chain_head=last["hash"],
        )  # fmt: skip
        return transaction.add(stored.signed(record.kind, number, record.canonical, statement, secret))


def status(record: Record, signatures: Sequence[Signature]) -> str:
    """How far a record is, in words."""
    if any(one.flaw for one in signatures):
        return "Signatures do not hold"
    given = _given(signatures)
    if given and given[-1].meaning in _ENDED:
        return _ENDED[given[-1].meaning]
    if in_force(record.route, given):
        return "Released" if record.kind is Kind.SOURCE_DOCUMENT else "Signed"
    step = allowed(record.route, given)[0]
    return f"{len(given)} of {len(record.route.steps)} signatures; next: {step.meaning}"


def _of(session: Any, kind: Kind, number: int) -> list[Signature]:
    return [_checked(session, row, row.content_sha256) for row in stored.of_record(session, kind, number)]


def _checked(session: Any, row: stored.SignatureRow, sha256: str) -> Signature:
    flaw = stored.flaw(session, row)
    if not flaw and row.content_sha256 != sha256:
        flaw = "The record was changed after it was signed."
    assert row.id is not None
    return Signature(row.id, row.statement(), flaw)


def _given(signatures: Sequence[Signature]) -> list[Given]:
    return [Given(one.statement.user_id, one.statement.meaning) for one in signatures]


def _changed() -> InputError:
    return InputError("What you were shown is not what it is now.", code="SIG-002", hint="Look at it again, then sign.")
