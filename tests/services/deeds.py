"""What people do at a site, one function a kind, so that it can be seen afterwards whether it stands.

`tests.services.killing` and `tests.services.filling` do such deeds while processes die and disks fill up. A new kind of
work is one more function in `DEEDS`: of a number it makes a `Deed`, the same one in the process that does it and in the
one that looks for it.
"""

import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text

from lumen_desktop import app
from lumen_desktop.domain.accounts import PROGRAM, Profile, Role, SessionLimits
from lumen_desktop.domain.audit import Filters, Page
from lumen_desktop.domain.signing import Kind, Meaning
from lumen_desktop.errors import AccessError
from lumen_desktop.services import founding
from lumen_desktop.services.accounts import NewPerson
from lumen_desktop.services.founding import Founding, first_admin
from lumen_desktop.services.sign_in import Credentials, Door
from lumen_desktop.services.signing import Wish
from lumen_desktop.storage import accounts
from lumen_desktop.storage.attempts import Attempts
from lumen_desktop.storage.database import Database
from lumen_desktop.storage.folder import DataFolder, is_database
from lumen_desktop.storage.keys import RECOVERY, KeyFile
from tests.conftest import HOLDER
from tests.services.test_founding import PASSPHRASE, former_site

REASON = "the scripted day asks for it"
TRAVELLERS = ("anna", "bert", "carl")
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_AT_REST = {"site.key", "anchors.jsonl", "lumen.log", "lumen.lock", "site.attempts", "site.attempts.lock", "tmp"}
_BY_KILLS = {"site.key.new", "lumen.holder.new", "site.attempts.new"}  # overwritten by the next write, never read


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that somebody does.

    Attributes:
        about: what it changes; a later deed about the same takes its place.
        do: does it, and returns what only doing it tells.
        stands: whether the site shows it, given what doing it told.
        half: whether a part of it stands that was not acknowledged: the database comes before the key file.
    """

    about: str
    do: Callable[[app.Site], Any]
    stands: Callable[[app.Site, Any], bool]
    half: Callable[[app.Site], bool] = lambda _: False


def title(n: int) -> Deed:
    """A conversation gets another title."""
    words = f"title {n}"
    return Deed("title", lambda site: site.conversations.rename(1, words), lambda site, _: _first(site).title == words)


def pin(n: int) -> Deed:
    """A conversation is pinned or no longer."""
    pinned = bool(n % 2)
    return Deed("pin", lambda site: site.conversations.pin(1, pinned), lambda site, _: _first(site).pinned == pinned)


def _first(site: app.Site) -> Any:
    return site.conversations.conversation(1)


def limits(n: int) -> Deed:
    """The site's policy."""
    wanted = SessionLimits(idle_s=300 + n % 600, longest_s=3600 + n % 80_000)
    return Deed(
        "limits",
        lambda site: site.people.set_limits(wanted, REASON),
        lambda site, _: site.people.policy().limits == wanted,
    )


def person(n: int) -> Deed:
    """A new person, in the database and in the key file."""
    name = f"person{n}"
    new = NewPerson(name, f"Person {n}", frozenset({Role.OFFICER}))
    return Deed(
        f"person {n}",
        lambda site: site.people.add(new, _words(n)),
        lambda site, _: _knows(site, name) and _user(site, name).must_choose_password,
        lambda site: not _knows(site, name) and name in {it.user.name for it in site.people.list()},
    )


def duties(n: int) -> Deed:
    """Other duties for a person."""
    roles = frozenset({Role.OFFICER, Role.CLINICIAN} if n % 2 else {Role.CLINICIAN})
    return Deed(
        "duties",
        lambda site: site.people.set_roles("anna", roles, REASON),
        lambda site, _: _user(site, "anna").roles == roles,
    )


def identity(n: int) -> Deed:
    """Who a person is proven to be."""
    return Deed(
        "identity",
        lambda site: site.people.check_identity("anna", f"passport {n}"),
        lambda site, _: _user(site, "anna").identity_checked.startswith(f"passport {n} "),
    )


def password(n: int) -> Deed:
    """A person's password is reset: afterwards the new one opens the key."""
    return Deed(
        "password",
        lambda site: site.people.reset("bert", _words(n), REASON),
        lambda site, _: _opens(site, "bert", _words(n)),
    )


def access(n: int) -> Deed:
    """A person's access ends, or begins again."""
    if n % 2:
        return Deed(
            "access",
            lambda site: site.people.deactivate("carl", REASON),
            lambda site, _: not _user(site, "carl").active and not _knows(site, "carl"),
            lambda site: not _user(site, "carl").active and _knows(site, "carl"),
        )
    return Deed(
        "access",
        lambda site: site.people.reset("carl", _words(n), REASON),
        lambda site, _: _user(site, "carl").active and _opens(site, "carl", _words(n)),
        lambda site: _user(site, "carl").active and not _knows(site, "carl"),
    )


def recovery(_: int) -> Deed:
    """A new recovery code."""
    return Deed(
        "recovery", lambda site: site.people.new_recovery_code(), lambda site, code: _opens(site, RECOVERY, code)
    )


def export(n: int) -> Deed:
    """The trail is exported, which is an event and an anchor before and after it."""
    return Deed(
        f"export {n}",
        lambda site: site.audit.export(io.BytesIO(), "csv").sha256,
        lambda site, sha256: any(
            event["after"]["sha256"] == sha256 for event in site.audit.find(Filters(act="exported"), Page(limit=1000))
        ),
    )


def refusal(_: int) -> Deed:
    """A wrong password, counted beside the database until the trail is told."""

    def attempt(site: app.Site) -> int:
        door = Door(_file(site), Attempts(site.place.folder.path), app.now)
        with contextlib.suppress(AccessError):
            door.open(Credentials("anna", "surely the wrong words"))
        return _refusals(site)

    return Deed("refusal", attempt, lambda site, count: _refusals(site) >= count)


def _refusals(site: app.Site) -> int:
    """How many refused sign-ins are known, told to the trail or kept beside it."""
    return len(site.people.refused_sign_ins(_LONG_AGO)) + len(Attempts(site.place.folder.path)._read()[1])


def rotation(_: int) -> Deed:
    """A new database key, under which everything lies in another file."""

    def rotate(site: app.Site) -> str:
        site.keys.rotate(REASON, lambda *_: None)
        return _file(site).card.database

    return Deed("rotation", rotate, lambda site, name: _number(_file(site).card.database) >= _number(name))


def signature(n: int) -> Deed:
    """A review of access is signed: the signature, the record and their event are one."""

    def sign(site: app.Site) -> int:
        record = site.reviews.of_access(f"finding {n}")
        wish = Wish(Meaning.REVIEWED, record.sha256, HOLDER.user, HOLDER.password)
        return int(site.reviews.sign(record, wish).statement.record.rsplit(maxsplit=1)[-1])

    return Deed(f"signature {n}", sign, lambda site, number: _holds(site, number, f"finding {n}"))


def _holds(site: app.Site, number: int | None, finding: str) -> bool:
    """Whether a review is there as it was signed."""
    if number is None:
        return False
    record = site.reviews.record(Kind.ACCESS_REVIEW, number)
    return record.content["finding"] == finding and [one.flaw for one in site.signing.on(record)] == [""]


_WORKS = (
    title, pin, limits, person, duties, identity, password, access, recovery, export, refusal, signature, rotation,
)  # fmt: skip
DEEDS: dict[str, Callable[[int], Deed]] = {work.__name__: work for work in _WORKS}
QUICK = ("title", "pin", "limits", "duties", "identity", "export")
ORDINARY = (*QUICK, "person", "password", "access", "recovery", "refusal")


@dataclass(slots=True)
class Diary:
    """What was said of the deeds at one site: done with what it told, and begun since."""

    done: dict[str, tuple[Deed, Any]] = field(default_factory=dict)
    begun: dict[str, list[Deed]] = field(default_factory=dict)

    def begins(self, kind: str, n: int) -> Deed:
        """A deed was begun."""
        deed = DEEDS[kind](n)
        self.begun.setdefault(deed.about, []).append(deed)
        return deed

    def ends(self, kind: str, n: int, told: Any) -> None:
        """A deed was acknowledged."""
        deed = DEEDS[kind](n)
        self.done[deed.about] = (deed, told)
        self.begun.pop(deed.about, None)

    def lost(self, site: app.Site) -> list[str]:
        """Acknowledged deeds that do not stand, unless one begun after them may have taken their place."""
        lost = [about for about, (deed, told) in self.done.items() if not deed.stands(site, told)]
        return [about for about in lost if about not in self.begun or not self._replaced(site, about)]

    def _replaced(self, site: app.Site, about: str) -> bool:
        """Whether what was begun stands, or half; of what tells something only when done nobody can say."""
        return about == "recovery" or any(it.stands(site, None) or it.half(site) for it in self.begun[about])


def _words(n: int) -> str:
    return f"seven green dogs walk home {n}"


def _file(site: app.Site) -> KeyFile:
    return KeyFile.read(site.place.folder.key_file)


def _knows(site: app.Site, name: str) -> bool:
    return _file(site).knows(name)


def _opens(site: app.Site, name: str, words: str) -> bool:
    try:
        return _file(site).open(name, words).key == site._database.key
    except AccessError:
        return False


def _user(site: app.Site, name: str) -> Any:
    return next(it.user for it in site.people.list() if it.user.name == name)


def _number(database: str) -> int:
    return int(database.removeprefix("lumen").removesuffix(".db").removeprefix("-") or 1)


# --- the site ---


def beginning() -> Founding:
    """The people with whom a site begins: `HOLDER`."""
    return Founding(
        "St Luke's Pharmacy", Profile.CLINICAL, [first_admin(HOLDER.user, "Hilda Holder", Profile.CLINICAL)],
        HOLDER.password,
    )  # fmt: skip


def site_of_former_days(folder: Path, *, exchanges: int = 400) -> Path:
    """A site with a passphrase, with questions enough that its take-over takes a moment."""
    former_site(folder)
    database = _former(folder)
    with database._engine.begin() as connection:
        columns = [row[1] for row in connection.execute(text("PRAGMA table_info(exchange)")) if row[1] != "id"]
        names = ", ".join(columns)
        for _ in range(exchanges):
            connection.execute(text(f"INSERT INTO exchange ({names}) SELECT {names} FROM exchange WHERE id = 1"))
    database.close()
    return folder


def _former(folder: Path) -> Database:
    file = KeyFile.read(folder / "site.key")
    return Database(
        folder / "lumen.db", file.open_with_passphrase(PASSPHRASE), site_id=file.card.site_id, clock=app.now
    )


def site_of_today(folder: Path) -> Path:
    """A site that had a passphrase, with its holder and three more people."""
    site_of_former_days(folder)
    founding.take_over(DataFolder(folder), PASSPHRASE, beginning(), clock=app.now)
    with app.opened(app.find_site(folder), HOLDER, purpose="tests", writable=True) as site:
        for n, name in enumerate(TRAVELLERS):
            site.people.add(NewPerson(name, name.title(), frozenset({Role.CLINICIAN})), _words(n))
        site.people.accept_accountability()
        with site._database.transaction(PROGRAM, "identity checked") as transaction:  # as another admin would
            row = accounts.by_name(transaction.session, HOLDER.user)
            assert row is not None
            transaction.change(row, identity_checked="passport seen")
    return folder


def faults_of(site: app.Site) -> list[str]:
    """What is not whole of an open site."""
    with site._database.reading() as session:
        cipher = session.execute(text("PRAGMA cipher_integrity_check")).all()
        integrity = session.execute(text("PRAGMA integrity_check")).scalar_one()
    verdict = site.audit.verify()
    faults = [] if verdict.first_bad is None else [f"the trail is broken at {verdict.first_bad}: {verdict.reason}"]
    if site.trouble is not None:
        faults.append("the site can only be read")
    if cipher or integrity != "ok":
        faults.append("the database is damaged")
    faults += site.signing.broken()
    exchanges = site.conversations.exchanges(1)
    if len(exchanges) < 1 or exchanges[0].question != "What is a recall?":
        faults.append("a conversation of former days is gone")
    return faults


def strangers(folder: Path) -> list[str]:
    """Names in a closed data folder that do not belong there: a second database, a temporary file."""
    names = [entry.name for entry in folder.iterdir()]
    databases = [name for name in names if is_database(name)]
    wrong = [name for name in names if name not in _AT_REST | _BY_KILLS and not is_database(name)]
    if (folder / "tmp").exists():
        wrong += [f"tmp/{entry.name}" for entry in (folder / "tmp").iterdir()]
    return wrong + (databases if len(databases) != 1 else [])
