"""A day at a site on which everything that people type, and every document, holds a word that occurs nowhere else.

After each flow all that lies in the data folder, in the folder for temporary files, in the user's home and beside the
settings is searched for all the words: they may be in the encrypted database, in what was exported to a chosen place,
and nowhere else. `FLOWS` is what happens; a new flow is one more function there.
"""

import contextlib
import os
import re
import secrets
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docx
import pyotp
from sqlalchemy import text

from lumen_desktop import app
from lumen_desktop.domain.accounts import Profile, Role, SessionLimits
from lumen_desktop.domain.audit import Filters, Page
from lumen_desktop.errors import EngineError, LumenError
from lumen_desktop.services.accounts import NewPerson
from lumen_desktop.services.founding import Founding, first_admin
from lumen_desktop.services.sign_in import Credentials, new_second_factor
from tests.conftest import ROOT, added, lumen_command, lumen_environment
from tests.retrieval.documents import pdf

ENCODINGS = ("utf-8", "utf-16-le")
NOBODY = Credentials("", "")
ROLES = frozenset({Role.OFFICER, Role.CLINICIAN})


@dataclass(slots=True)
class Day:
    """The site, the words planted so far, and where they were found.

    Attributes:
        root: everything is below it.
        rehearsal: whether engines are rehearsed in the processes of the command line too.
        words: word by what it was planted as.
        hits: file, word's place, and after which flow.
    """

    root: Path
    rehearsal: bool
    words: dict[str, str] = field(default_factory=dict)
    hits: list[str] = field(default_factory=list)
    holder: Credentials = NOBODY
    anna: Credentials = NOBODY

    @property
    def data(self) -> Path:
        """The site's data folder."""
        return self.root / "data"

    def plant(self, what: str) -> str:
        """A word that occurs nowhere else."""
        assert what not in self.words, what
        self.words[what] = f"zq{secrets.token_hex(7)}"
        return self.words[what]

    def phrase(self, what: str) -> str:
        """A password or a reason with such a word in it."""
        return f"{self.plant(what)} walks with seven green dogs"

    def watch(self, after: str) -> None:
        """Searches every file and every name for every word."""
        for folder in watched(self.root):
            for path in sorted(folder.rglob("*")):
                content = _content(path) + str(path.relative_to(self.root)).encode()
                found = [what for what, word in self.words.items() if _holds(content, word)]
                self.hits += [f"{path.relative_to(self.root)} holds the {what} after {after}" for what in found]

    def command(self, *arguments: object, given: str = "", **env: str) -> int:
        """Runs a command in a process of its own; returns its exit status."""
        environment = lumen_environment(env, {"indexed": True} if self.rehearsal else None)
        done = subprocess.run(
            lumen_command(*arguments, data=self.data, rehearsal=self.rehearsal),
            env={**environment, "LUMEN_CHEAP_KEYS": "1"}, cwd=ROOT, input=given, capture_output=True, text=True,
            check=False, timeout=240,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode


def watched(root: Path) -> list[Path]:
    """Folders where nothing may be readable."""
    return [root / name for name in ("data", "temporary", "home", "config")]


def _content(path: Path) -> bytes:
    if not path.is_file():
        return b""
    try:
        return path.read_bytes()
    except FileNotFoundError:  # gone meanwhile
        return b""


def _holds(content: bytes, word: str) -> bool:
    lower = content.lower()
    return any(word.encode(encoding) in lower for encoding in ENCODINGS)


@contextlib.contextmanager
def apart(root: Path) -> Iterator[None]:
    """Gives this process and its children a home, a settings folder and a place for temporary files of their own."""
    names = {
        "HOME": "home", "XDG_CACHE_HOME": "home/cache", "XDG_DATA_HOME": "home/share", "XDG_CONFIG_HOME": "home/config",
        "TMPDIR": "temporary", "LUMEN_SETTINGS": "config/settings.json",
    }  # fmt: skip
    before, place = {name: os.environ.get(name) for name in names}, tempfile.tempdir
    for folder in (*watched(root), root / "inbox", root / "chosen"):
        folder.mkdir(exist_ok=True)
    os.environ |= {name: str(root / folder) for name, folder in names.items()}
    tempfile.tempdir = str(root / "temporary")
    try:
        yield
    finally:
        tempfile.tempdir = place
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)


def refused(job: Callable[[], object]) -> None:
    """Does what is to be refused."""
    try:
        job()
    except LumenError:
        return
    raise AssertionError("it was not refused")


# --- before anybody is signed in ---


def founding(day: Day) -> None:
    """A site is made; a name that cannot be used is refused first."""
    user, password = day.plant("user name"), day.phrase("password")
    person = first_admin(user, f"Hilda {day.plant('printed name')}", Profile.CLINICAL)
    bad = Founding(day.plant("refused site name") + "\n", Profile.CLINICAL, [person], password)
    refused(lambda: app.create_site(day.data, bad))
    wanted = Founding(f"Pharmacy {day.plant('site name')}", Profile.CLINICAL, [person], password)
    _, day.words["recovery code"] = app.create_site(day.data, wanted)
    day.words["recovery code"] = day.words["recovery code"].lower()
    day.holder = Credentials(user, password)


def wrong_doors(day: Day) -> None:
    """Wrong passwords, a password typed as a name, and a wrong recovery code."""
    place = app.find_site(day.data)
    for person in (
        Credentials(day.holder.user, day.phrase("wrong password")),
        Credentials(day.plant("name that nobody has"), day.phrase("password of nobody")),
    ):
        refused(lambda person=person: _enter(place, person))  # type: ignore[misc]
    refused(lambda: app.recover(place, day.holder.user, day.plant("wrong recovery code")))
    refused(lambda: app.take_over(place, day.plant("passphrase of former days"), _nobody()))


def _nobody() -> Founding:
    return Founding("x", Profile.CLINICAL, [], "")


def _enter(place: app.SitePlace, person: Credentials) -> None:
    with app.opened(place, person, purpose="tests", writable=True):
        pass


# --- signed in ---


def people(day: Day, site: app.Site) -> None:
    """People are added, changed, identified, locked, let back in, and have a second factor."""
    name, given = day.plant("second user name"), day.phrase("first password")
    site.people.add(NewPerson(name, f"Anna {day.plant('second printed name')}", ROLES), given)
    refused(lambda: site.people.add(NewPerson(day.plant("refused user name") + "\n", "B", ROLES), given))
    site.people.set_roles(name, frozenset({Role.CLINICIAN}), day.phrase("reason for duties"))
    site.people.check_identity(name, f"passport {day.plant('identity')}")
    site.people.deactivate(name, day.phrase("reason for an end"))
    again = day.phrase("password after a reset")
    site.people.reset(name, again, day.phrase("reason for a reset"))
    site.people.unlock(name, day.phrase("reason for unlocking"))
    refused(lambda: site.people.unlock(day.plant("name to be unlocked"), "she asked for it"))
    site.people.set_limits(SessionLimits(idle_s=600, longest_s=7200), day.phrase("reason for a policy"))
    refused(lambda: site.people.confirm(day.phrase("wrong password while signed in")))
    day.anna = Credentials(name, again)


def own_account(day: Day) -> None:
    """Somebody chooses a password, takes a second factor, and signs in with it."""
    place, new = app.find_site(day.data), day.phrase("chosen password")
    secret = day.words["second factor"] = new_second_factor()
    with app.opened(place, day.anna, purpose="tests", writable=True) as site:
        refused(lambda: site.people.choose_password(day.anna.password, day.plant("no")[:9]))
        site.people.choose_password(day.anna.password, new)
        site.people.use_second_factor(secret, pyotp.TOTP(secret).now())
    refused(lambda: _enter(place, Credentials(day.anna.user, new, day.plant("wrong code"))))
    day.words["second factor"] = secret.lower()


def documents(day: Day, site: app.Site) -> None:
    """Documents of four kinds are read, one is taken away again, pages are drawn; some files are refused."""
    inbox = day.root / "inbox"
    files = [_markdown(day, inbox), _plain(day, inbox), _word(day, inbox), _pdf(day, inbox)]
    broken = inbox / f"{day.plant('name of a broken file')}.pdf"
    broken.write_bytes(b"%PDF-1.7\n" + day.plant("text of a broken file").encode())
    foreign = inbox / f"{day.plant('name of a foreign file')}.png"
    foreign.write_bytes(b"\x89PNG\r\n\x1a\n\0\0" + day.plant("text of a foreign file").encode())
    report = added(site.library, *files, broken, foreign, collection=f"Shelf {day.plant('collection')}")
    assert report.added == 4, report
    assert len(report.failed) == 2
    for document in site.library.documents():
        site.sources.texts(document.id)
        if document.name.endswith(".pdf"):
            site.sources.image(document.id, 1, width_px=300)
    gone = next(it for it in site.library.documents() if it.name.endswith(".txt"))
    site.library.remove(gone.id)


def _markdown(day: Day, inbox: Path) -> Path:
    path = inbox / f"{day.plant('name of a Markdown file')}.md"
    path.write_text(
        f"---\nsubject: {day.plant('subject')}\n---\n# Recalls {day.plant('heading')}\n\nAn effectiveness check "
        f"confirms that every consignee of {day.plant('text of a Markdown file')} received the notice in 5 days.\n",
        encoding="utf-8",
    )
    return path


def _plain(day: Day, inbox: Path) -> Path:
    path = inbox / f"{day.plant('name of a text file')}.txt"
    path.write_text(f"Cleaning\n\nShared equipment {day.plant('text of a text file')} is cleaned.\n", encoding="utf-8")
    return path


def _word(day: Day, inbox: Path) -> Path:
    path, document = inbox / f"{day.plant('name of a Word file')}.docx", docx.Document()
    document.core_properties.author = day.plant("author of a Word file")
    document.add_heading("Storage", level=1)
    document.add_paragraph(
        f"Store the tablets {day.plant('text of a Word file')} at 2 to 8 degrees in their container."
    )
    cells = document.add_table(rows=1, cols=2).rows[0].cells
    cells[0].text, cells[1].text = "Limit", day.plant("cell of a Word file")
    document.save(str(path))
    return path


def _pdf(day: Day, inbox: Path) -> Path:
    path = inbox / f"{day.plant('name of a PDF')}.pdf"
    line = f"The residue limit of the site is 10 ppm {day.plant('text of a PDF')} on each surface."
    path.write_bytes(pdf([[(line, "F1", 12, 72, 700)]], title=day.plant("title of a PDF")))
    return path


def asking(day: Day, site: app.Site) -> None:
    """Questions that are answered, not answered, stopped, refused; each in a conversation of its title."""
    recall = f"Within how many days does a consignee receive the notice of a recall {day.plant('question')}?"
    list(site.chat.ask(recall, prose=True))
    conversation = site.conversations.list()[0].id
    list(site.chat.ask(f"What is the weather {day.plant('unanswered question')}?", conversation_id=conversation))
    stopped = site.chat.ask(f"What is a recall's notice {day.plant('stopped question')}?", prose=True)
    next(iter(stopped))
    assert isinstance(stopped, Generator)
    stopped.close()
    refused(lambda: list(site.chat.ask(day.plant("refused question") + " why" * 2000)))
    refused(lambda: list(site.chat.ask("What is it?", collection=day.plant("collection that is not there"))))
    site.conversations.rename(conversation, f"About {day.plant('title')}")
    refused(lambda: site.conversations.rename(conversation, day.plant("refused title") + "e" * 300))
    list(site.chat.ask(f"What is {day.plant('deleted question')}?"))
    site.conversations.delete(next(it.id for it in site.conversations.list() if it.id != conversation))


def searching(day: Day, site: app.Site) -> None:
    """Words that are searched for: in the library, in conversations, in the trail."""
    site.library.search(f"recall {day.plant('search words')}", collection=None, most=5)
    site.conversations.list(day.plant("words in conversations"))
    site.audit.find(Filters(words=day.plant("words in the trail")), Page())
    refused(lambda: site.audit.explain_clock(day.phrase("explanation of the clock")))


def handing_on(day: Day, site: app.Site) -> None:
    """The trail is exported, to the place that was chosen and no other; the site gets a new key."""
    for kind in ("csv", "json", "pdf"):
        site.audit.export(day.root / "chosen" / f"trail.{kind}", kind)
    assert _holds((day.root / "chosen" / "trail.csv").read_bytes(), day.words["reason for duties"])
    site.keys.rotate(day.phrase("reason for a new key"), lambda *_: None)


def commands(day: Day) -> None:
    """The command line: passwords from the environment and from standard input, questions, titles, refusals."""
    who = {"LUMEN_USER": day.holder.user}
    right = {**who, "LUMEN_PASSWORD": day.holder.password}
    assert day.command("ask", f"What is a recall {day.plant('question of a command')}?", **right) == 0
    assert day.command("library", "search", day.plant("search of a command"), **right) == 0
    given = f"{day.phrase('wrong password on standard input')}\n"
    assert day.command("--password-stdin", "audit", "list", given=given, **who) == 2
    assert day.command("--password-stdin", "audit", "verify", given=f"{day.holder.password}\n", **who) == 0
    assert day.command(day.plant("unknown command"), **right) == 2
    assert day.command("library", "add", str(day.root / day.plant("missing file")), "--collection", "x", **right) == 2
    assert day.command("policy", "--gmp", "--reason", day.phrase("refused reason"), **right) == 2


Before = Callable[[Day], None]
SignedIn = Callable[[Day, app.Site], None]
FIRST: tuple[Before, ...] = (founding, wrong_doors)
FLOWS: tuple[SignedIn, ...] = (people, documents, asking, searching, handing_on)
LAST: tuple[Before, ...] = (own_account, commands)


def lived(day: Day) -> Day:
    """The whole day, with a look at the disk after each flow: while the site is open, and after its end."""
    for flow in FIRST:
        flow(day)
        day.watch(flow.__name__)
    with app.opened(app.find_site(day.data), day.holder, purpose="tests", writable=True) as site:
        site.warm()
        for job in FLOWS:
            with contextlib.suppress(EngineError):
                job(day, site)
            day.watch(f"{job.__name__}, the site open")
    day.watch("the site was closed")
    for flow in LAST:
        flow(day)
        day.watch(flow.__name__)
    return day


def stored(day: Day) -> set[str]:
    """What of the planted stands in the encrypted database: it went through."""
    with app.opened(app.find_site(day.data), day.holder, purpose="tests", writable=False) as site:
        rows = list(_everything(site))
    return {what for what, word in day.words.items() if any(_holds(row, word) for row in rows)}


def _everything(site: app.Site) -> Iterator[bytes]:
    with site._database.reading() as session:
        names = session.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all()
        for name in names:
            for row in session.execute(text(f'SELECT * FROM "{name}"')):
                yield b" ".join(_bytes(value) for value in row)


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


def readable_by_others(folder: Path) -> list[str]:
    """Files that are not 0600 and folders that are not 0700, in a data folder and itself."""
    if sys.platform == "win32":
        return []
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.rglob("*"))}
    return sorted(
        f"{path.relative_to(folder)} {mode:o}" for path, mode in modes.items()
        if mode != (0o700 if path.is_dir() else 0o600)
    )  # fmt: skip


def texts_of_the_index(folder: Path) -> list[str]:
    """Whatever Chroma keeps as text that is no identifier: documents and metadata."""
    import sqlite3  # noqa: PLC0415 - Chroma's own file is no database of ours

    connection = sqlite3.connect(folder / "index" / "chroma.sqlite3")
    try:
        rows = connection.execute("SELECT key, string_value FROM embedding_metadata WHERE string_value IS NOT NULL")
        kept = [f"{key}: {value}" for key, value in rows]
        queue = connection.execute("SELECT id, metadata FROM embeddings_queue")
        kept += [f"{name}: {value}" for name, value in queue if value not in {None, "{}"}]
        names = connection.execute("SELECT embedding_id FROM embeddings")
        return kept + [name for (name,) in names if not re.fullmatch(r"\d+", name)]
    finally:
        connection.close()
