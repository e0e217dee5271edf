"""The composition root: opens a site, builds its services, and closes everything again.

The command line and the window both get their services from here. Knows no Qt.
"""

from __future__ import annotations

import contextlib
import gc
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lumen_desktop import logs, paths
from lumen_desktop.domain.audit import Verdict
from lumen_desktop.domain.builds import ModelBuild
from lumen_desktop.domain.drugs import DrugNames
from lumen_desktop.domain.library import Kind
from lumen_desktop.engine.client import ChatEngine, EmbeddingEngine
from lumen_desktop.errors import AccessError, InputError, StorageError
from lumen_desktop.retrieval.nearest import VectorIndex
from lumen_desktop.retrieval.readers.client import PAGE_LIMITS, ReaderProcess
from lumen_desktop.services import audit_watch, founding, passwords
from lumen_desktop.services.accounts import People
from lumen_desktop.services.audit import Audit
from lumen_desktop.services.audit_watch import Watch
from lumen_desktop.services.authority import Authority, Housekeeping, SignedIn
from lumen_desktop.services.builds import InstalledBuild, installed
from lumen_desktop.services.chat import Chat
from lumen_desktop.services.conversations import Conversations
from lumen_desktop.services.founding import Founding
from lumen_desktop.services.incoming import AddProgress, AddReport
from lumen_desktop.services.library import Library
from lumen_desktop.services.search import Searcher
from lumen_desktop.services.sign_in import Credentials, Door
from lumen_desktop.services.sources import Sources
from lumen_desktop.settings import Settings, load, save
from lumen_desktop.storage import anchors
from lumen_desktop.storage.attempts import Attempts
from lumen_desktop.storage.database import Database, refuse_missing
from lumen_desktop.storage.folder import DataFolder
from lumen_desktop.storage.keys import KeyFile, read_card

if TYPE_CHECKING:  # hardly any run needs them
    from collections.abc import Callable, Iterator

    from lumen_desktop.services.doctor import Doctor
    from lumen_desktop.services.keys import Keys
    from lumen_desktop.services.recovery import Recovered
    from lumen_desktop.services.releases import Releases
    from lumen_desktop.services.reviews import Reviews
    from lumen_desktop.services.signing import Signing

DEMONSTRATION = Credentials(founding.DEMONSTRATION_USER, founding.DEMONSTRATION_PASSWORD)
DEMONSTRATION_PEOPLE = (
    "This is a demonstration. Sign in as pharmacist, officer, reviewer, approver or admin; "
    f"the password of each is {founding.DEMONSTRATION_PASSWORD}."
)
SHORTEST_PASSWORD = passwords.SHORTEST
STARTER_COLLECTION = "GMP summaries"
DEMONSTRATION_NOTICE = "DEMONSTRATION: this site is for trying out; do not use its answers for a patient or a batch."


def now() -> datetime:
    """The time, aware UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class SitePlace:
    """A data folder and what can be known of it before anybody signs in.

    Attributes:
        folder: where it is.
        demonstration: whether it is for trying out only.
        accounts: whether people sign in; else it has its passphrase yet, and `take_over` ends that.
    """

    folder: DataFolder
    demonstration: bool
    accounts: bool = True


def sites() -> Path:
    """Folder that holds this user's sites: the one set, else the operating system's."""
    set_one = load(paths.settings_file())[0].data_folder
    return Path(set_one) if set_one else paths.user_data()


def find_site(data: Path | None) -> SitePlace:
    """The site that a command means: the folder named, else the user's own, else the demonstration.

    Raises:
        InputError: there is none (SIT-001).
        StorageError: its key file cannot be read.
    """
    for path in [data] if data else [paths.own_site(sites()), paths.demonstration(sites())]:
        folder = DataFolder(path)
        if folder.holds_site and (card := read_card(folder.key_file)).finished:
            return SitePlace(folder, card.demonstration, card.accounts)
    where = f"in {data}" if data else "on this computer"
    raise InputError(
        f"There is no site {where} yet.",
        code="SIT-001",
        hint="`lumen demo` makes a demonstration to try, `lumen init` a site of your own.",
    )


def create_site(path: Path, begun: Founding) -> tuple[SitePlace, str]:
    """Makes a site; one that a kill left half-made is begun again.

    Returns:
        Where it is, and its recovery code, which is stored nowhere.

    Raises:
        InputError: a name or the password cannot be used.
        StorageError: the folder cannot be written, or holds a site already (SIT-002).
    """
    folder = DataFolder(path)
    return SitePlace(folder, demonstration=False), founding.found(folder, begun, clock=now, is_demonstration=False)


def create_demonstration(path: Path) -> SitePlace:
    """Makes a demonstration site with its five people.

    Raises:
        StorageError: as `create_site`.
    """
    folder = DataFolder(path)
    founding.found(folder, founding.demonstration(), clock=now, is_demonstration=True)
    return SitePlace(folder, demonstration=True)


def create_own_site(chosen: Path, begun: Founding) -> tuple[SitePlace, str]:
    """Makes a site of a person's own where that person chose, and lets the next start find it there.

    Args:
        chosen: the folder for the person's sites, or the site's own folder in it.
        begun: what it begins with.

    Returns:
        As `create_site`.

    Raises:
        InputError: as `create_site`.
        StorageError: as `create_site`, or the settings cannot be written (SET-003).
    """
    chosen = chosen.expanduser().absolute()
    place = chosen.parent if chosen == paths.own_site(chosen.parent) else chosen
    usual = paths.own_site(sites())
    made, code = create_site(paths.own_site(place), begun)
    if made.folder.path != usual:
        settings, _ = load(paths.settings_file())
        save(paths.settings_file(), replace(settings, data_folder=str(place)))
    return made, code


def recover(place: SitePlace, name: str, code: str) -> Recovered:
    """Lets an admin back in by the recovery code; see `recovery.recover`."""
    from lumen_desktop.services import recovery  # noqa: PLC0415 - hardly any run needs it

    return recovery.recover(place.folder, name, code, clock=now)


def take_over(place: SitePlace, passphrase: str, begun: Founding) -> tuple[SitePlace, str]:
    """Ends a site's passphrase: its first person signs in from now on; see `founding.take_over`."""
    code = founding.take_over(place.folder, passphrase, begun, clock=now)
    return replace(place, accounts=True), code


@cache
def _drug_names(folder: Path) -> DrugNames:
    """The dictionary, read once for all sites that a run opens: it never changes."""
    names = DrugNames.load(folder)
    gc.freeze()  # tens of thousands of objects that stay: to walk them would hold up the window for 0.2 s
    return names


class Site:
    """An open site and its services; children start when first needed."""

    def __init__(
        self, place: SitePlace, database: Database, *, person: SignedIn, people: People, watch: Watch, writable: bool
    ) -> None:
        self.place = place
        self.person = person
        self.people = people
        self.settings, _ = load(paths.settings_file())
        self.writable = writable
        self.trouble: Verdict | None = None  # what is wrong with the audit trail; then nothing is written
        self._database = database
        self._watch = watch
        self._closing = contextlib.ExitStack()
        self._closed = False

    @cached_property
    def embedding(self) -> InstalledBuild:
        """The embedding build, its digest checked."""
        return installed(paths.models(), paths.resources() / "prompts", "embedding")

    @cached_property
    def embedder(self) -> EmbeddingEngine:
        """The embedding child; it starts when first asked, or by `warm`."""
        engine = EmbeddingEngine(self.embedding.path, threads=self.settings.threads)
        self._close_with(engine.close)
        return engine

    @cached_property
    def index(self) -> VectorIndex | None:
        """The vector index, started by `warm`; None where another process holds the site."""
        if not self.writable:
            return None
        index = VectorIndex(self.place.folder.index)
        self._close_with(index.close)
        return index

    @cached_property
    def reader(self) -> ReaderProcess:
        """Reads files in a child."""
        reader = ReaderProcess()
        self._close_with(reader.close)
        return reader

    @cached_property
    def sources(self) -> Sources:
        """Opens the pages that quotes come from, by a reader of its own: no import makes a page wait."""
        reader = ReaderProcess(PAGE_LIMITS)
        self._close_with(reader.close)
        return Sources(self._database, self.person, reader)

    @cached_property
    def drugs(self) -> DrugNames:
        """The dictionary of drug names."""
        return _drug_names(paths.resources() / "drugs")

    @cached_property
    def searcher(self) -> Searcher:
        """Searches all collections."""
        return Searcher(
            self._database,
            embedder=self.embedder,
            embedder_sha256=self.embedding.build.sha256,
            index=self.index,
        )

    @cached_property
    def library(self) -> Library:
        """Adds, lists, searches documents."""
        return self._library_of(self.person)

    def _library_of(self, authority: Authority) -> Library:
        return Library(
            self._database,
            authority,
            searcher=lambda: self.searcher,
            embedder=lambda: (self.embedder, self.embedding.build.sha256),
            reader=self.reader,
            index=self.index,
        )

    @cached_property
    def starter_library(self) -> Library:
        """The library at the hands of the program, which adds what it ships with."""
        return self._library_of(Housekeeping())

    @cached_property
    def chat(self) -> Chat:
        """Asks; answers that a kill left open are marked first, and conversations long deleted are erased."""
        chat = Chat(
            self._database,
            self.person,
            searcher=self.searcher,
            embedder=self.embedder,
            embedding_build=self.embedding.build,
            engine=lambda: self._chat_engine,
            drugs=self.drugs,
            settings=self.settings,
        )
        if self.writable:
            chat.recover()
            self.conversations.erase_deleted()
        return chat

    @cached_property
    def conversations(self) -> Conversations:
        """Lists, shows, renames, pins, deletes and restores conversations."""
        return Conversations(self._database, self.person)

    @cached_property
    def audit(self) -> Audit:
        """Reads and verifies the audit trail."""
        return Audit(self._database, self.person, self._watch, demonstration=self.place.demonstration)

    @cached_property
    def _chat_engine(self) -> tuple[ChatEngine, ModelBuild]:
        chosen = installed(paths.models(), paths.resources() / "prompts", "chat")
        assert chosen.template is not None
        engine = ChatEngine(
            chosen.path,
            template=chosen.template,
            threads=self.settings.threads,
            context_tokens=min(self.settings.context_tokens, chosen.build.context_tokens),
        )
        self._close_with(engine.close)
        return engine, chosen.build

    @cached_property
    def signing(self) -> Signing:
        """Gives and checks electronic signatures."""
        from lumen_desktop.services.signing import Signing  # noqa: PLC0415 - most runs sign nothing

        return Signing(self._database, self.person, self.people, self.audit)

    @cached_property
    def releases(self) -> Releases:
        """Releases documents into use, and withdraws them."""
        from lumen_desktop.services.releases import Releases  # noqa: PLC0415 - as `signing`

        return Releases(self._database, self.person, self.signing, level=self.library.level)

    @cached_property
    def reviews(self) -> Reviews:
        """Signed reviews of the trail and of access."""
        from lumen_desktop.services.reviews import Reviews  # noqa: PLC0415 - as `signing`

        return Reviews(self._database, self.person, self.people, self.signing)

    @cached_property
    def keys(self) -> Keys:
        """Makes new keys."""
        from lumen_desktop.services.keys import Keys  # noqa: PLC0415 - hardly any run needs it

        return Keys(self._database, self.person, self.place.folder)

    @cached_property
    def doctor(self) -> Doctor:
        """Tests every part."""
        from lumen_desktop.services.doctor import Doctor  # noqa: PLC0415 - few runs need it

        return Doctor(
            folder=self.place.folder,
            authority=self.person,
            audit=self.audit,
            damage=self._database.damaged,
            signatures=self.signing.broken,
            embedder=lambda: (self.embedder, self.embedding.build),
            engine=lambda: self._chat_engine,
            vectors_agree=lambda: self.searcher.index_agrees() if self.writable else None,
        )

    def chat_engine(self) -> tuple[ChatEngine, ModelBuild]:
        """The chat child, started when first asked for, and its build."""
        return self._chat_engine

    def use(self, settings: Settings) -> None:
        """Takes over changed settings; threads, context window and data folder count from the next start."""
        now = self.settings
        self.settings = replace(
            settings, threads=now.threads, context_tokens=now.context_tokens, data_folder=now.data_folder
        )
        if "chat" in vars(self):
            self.chat.use(self.settings)

    def engine_state(self) -> Literal["none", "running", "safe"]:
        """What the engines do, without waiting or starting any: the one that every question needs, or safe mode."""
        made = vars(self)  # what was never asked for is not made by looking
        engines = [made.get("embedder"), *made.get("_chat_engine", ())[:1]]
        if any(engine.in_safe_mode for engine in engines if engine is not None):
            return "safe"
        return "running" if engines[0] is not None and engines[0].pid is not None else "none"

    def warm(self) -> None:
        """Starts the children that a question will need, without waiting for them; both load side by side."""
        self.embedder.start()
        if self.index is not None:
            self.index.start()

    def close(self) -> None:
        """Ends the children; a task that still asks for one gets none."""
        self._closed = True
        self._closing.close()

    def _close_with(self, close: Callable[[], None]) -> None:
        """Has a child ended with the site, also one that a task makes after it."""
        self._closing.callback(close)
        if self._closed:
            self._closing.close()


@contextlib.contextmanager
def opened(place: SitePlace, credentials: Credentials, *, purpose: str, writable: bool) -> Iterator[Site]:
    """Opens a site for one job of one person, who is signed out at its end.

    Args:
        place: which site.
        credentials: of the person.
        purpose: what others are told while this process holds the site.
        writable: whether the job writes to the library; then it holds the site alone.

    Raises:
        AccessError: the sign-in is refused, or the site has a passphrase yet (SIT-003).
        StorageError: in use, read-only, full, damaged or from a newer version.

    A site whose audit trail was changed opens all the same, to be read: its ``trouble`` says what is wrong.
    """
    with contextlib.ExitStack() as stack:
        if not place.accounts:
            place = _with_accounts(place)
        file, attempts = KeyFile.read(place.folder.key_file), Attempts(place.folder.path)
        door = Door(file, attempts, now)
        if writable:
            try:
                stack.enter_context(place.folder.writing(purpose))
            except StorageError as error:  # in use: the trail is told by whoever comes in next
                door.turned_away(credentials, error.code)
                raise
            file = KeyFile.read(place.folder.key_file)  # as it is now that nobody else writes it
            door = Door(file, attempts, now)
            place.folder.check_space()
            logs.open_log(place.folder.path)
            stack.callback(logs.close_log)
        keys = door.open(credentials)
        path = place.folder.database(file.card.database)
        refuse_missing(path)
        database = Database.open(path, keys.key, site_id=file.card.site_id, clock=now, writable=writable)
        stack.callback(database.close)
        watch = Watch(database, place.folder.path / anchors.FILE, steady_s=audit_watch.steady_s)
        trouble = watch.begin() if writable else None
        stack.callback(watch.close)
        person = door.enter(database, credentials)
        if writable:  # only now is it certain that the database named is the site's own
            with contextlib.suppress(StorageError):  # one that a reader has open yet goes another time
                place.folder.remove_databases(but=path.name)
        stack.callback(door.leave, database, person)
        people = People(database, place.folder.key_file, attempts, person)
        site = Site(place, database, person=person, people=people, watch=watch, writable=writable and not trouble)
        site.trouble = trouble
        stack.callback(site.close)
        yield site


def _with_accounts(place: SitePlace) -> SitePlace:
    """A demonstration made when sites had a passphrase, with its people now; an own site asks for its passphrase.

    Raises:
        AccessError: it is a person's own site (SIT-003).
    """
    if not place.demonstration:
        raise AccessError(
            "This site was made when one passphrase opened it; now each person signs in.",
            code="SIT-003",
            hint="`lumen init` and the window ask for the passphrase once more, and for your name and a password.",
        )
    return take_over(place, founding.OLD_DEMONSTRATION_PASSPHRASE, founding.demonstration())[0]


def add_starter_library(site: Site) -> Iterator[AddProgress | AddReport]:
    """Adds the summaries that ship with the app; those already there are left as they are."""
    return site.starter_library.add([paths.resources() / "library"], collection=STARTER_COLLECTION, kind=Kind.SUMMARY)


def has_starter_library(site: Site) -> bool:
    """Whether every summary that ships with the app is there; a kill may have left only some."""
    there = {
        document.name for document in site.starter_library.documents() if document.collection == STARTER_COLLECTION
    }
    return there >= {path.name for path in (paths.resources() / "library").glob("*.md")}
