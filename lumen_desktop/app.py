"""The composition root: opens a site, builds its services, and closes everything again.

The command line and the window both get their services from here. Knows no Qt.
"""

import contextlib
import gc
import getpass
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Literal

from lumen_desktop import logs, paths
from lumen_desktop.domain.accounts import Actor
from lumen_desktop.domain.audit import Verdict
from lumen_desktop.domain.builds import ModelBuild
from lumen_desktop.domain.drugs import DrugNames
from lumen_desktop.domain.library import Kind
from lumen_desktop.engine.client import ChatEngine, EmbeddingEngine
from lumen_desktop.errors import InputError, StorageError
from lumen_desktop.retrieval.nearest import VectorIndex
from lumen_desktop.retrieval.readers.client import PAGE_LIMITS, ReaderProcess
from lumen_desktop.services.audit import Audit
from lumen_desktop.services.builds import InstalledBuild, installed
from lumen_desktop.services.chat import Chat
from lumen_desktop.services.conversations import Conversations
from lumen_desktop.services.doctor import Doctor
from lumen_desktop.services.library import AddProgress, AddReport, Library
from lumen_desktop.services.search import Searcher
from lumen_desktop.services.sources import Sources
from lumen_desktop.settings import Settings, load, save
from lumen_desktop.storage import anchors, keys
from lumen_desktop.storage.database import Database
from lumen_desktop.storage.folder import DataFolder

DEMONSTRATION_PASSPHRASE = keys.DEMONSTRATION_PASSPHRASE  # the window may not ask storage
SHORTEST_PASSPHRASE = keys.SHORTEST_PASSPHRASE
STARTER_COLLECTION = "GMP summaries"
DEMONSTRATION_NOTICE = "DEMONSTRATION: this site is for trying out; do not use its answers for a patient or a batch."


def now() -> datetime:
    """The time, aware UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class SitePlace:
    """A data folder and what can be known of it before its passphrase."""

    folder: DataFolder
    demonstration: bool


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
        if folder.holds_site:
            return SitePlace(folder, keys.read_card(folder.key_file).demonstration)
    where = f"in {data}" if data else "on this computer"
    raise InputError(
        f"There is no site {where} yet.",
        code="SIT-001",
        hint="`lumen demo` makes a demonstration to try, `lumen init` a site of your own.",
    )


def create_site(path: Path, passphrase: str, *, demonstration: bool) -> SitePlace:
    """Makes a site; one that a kill left half-made is taken up again with the same passphrase.

    Raises:
        InputError: the passphrase is too short.
        StorageError: the folder cannot be written, or holds a site already (SIT-002).
    """
    folder = DataFolder(path)
    folder.create()
    if folder.database.exists() and folder.holds_site:
        raise StorageError(
            f"There is a site in {path} already.",
            code="SIT-002",
            hint="Use it as it is, or name another folder with --data.",
        )
    with folder.writing("making a site"):
        keys.create(folder.key_file, passphrase, demonstration=demonstration)
    return SitePlace(folder, demonstration)


def create_own_site(chosen: Path, passphrase: str) -> SitePlace:
    """Makes a site of a person's own where that person chose, and lets the next start find it there.

    Args:
        chosen: the folder for the person's sites, or the site's own folder in it.
        passphrase: opens it.

    Raises:
        InputError: as `create_site`.
        StorageError: as `create_site`, or the settings cannot be written (SET-003).
    """
    chosen = chosen.expanduser().absolute()
    place = chosen.parent if chosen == paths.own_site(chosen.parent) else chosen
    usual = paths.own_site(sites())
    made = create_site(paths.own_site(place), passphrase, demonstration=False)
    if made.folder.path != usual:
        settings, _ = load(paths.settings_file())
        save(paths.settings_file(), replace(settings, data_folder=str(place)))
    return made


def _login() -> str:
    """The operating system's name for who runs this; a container may have none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "an unnamed user"


class Site:
    """An open site and its services; children start when first needed."""

    def __init__(self, place: SitePlace, database: Database, *, writable: bool, settings: Settings) -> None:
        self.place = place
        self.settings = settings
        self.writable = writable
        self.trouble: Verdict | None = None  # what is wrong with the audit trail; then nothing is written
        self._database = database
        self._actor = Actor(name=f"site holder ({_login()} on this computer)", role="holder")
        self._closing = contextlib.ExitStack()

    @cached_property
    def embedding(self) -> InstalledBuild:
        """The embedding build, its digest checked."""
        return installed(paths.models(), paths.resources() / "prompts", "embedding")

    @cached_property
    def embedder(self) -> EmbeddingEngine:
        """The embedding child; it starts when first asked, or by `warm`."""
        engine = EmbeddingEngine(self.embedding.path, threads=self.settings.threads)
        self._closing.callback(engine.close)
        return engine

    @cached_property
    def index(self) -> VectorIndex | None:
        """The vector index, started by `warm`; None where another process holds the site."""
        if not self.writable:
            return None
        index = VectorIndex(self.place.folder.index)
        self._closing.callback(index.close)
        return index

    @cached_property
    def reader(self) -> ReaderProcess:
        """Reads files in a child."""
        reader = ReaderProcess()
        self._closing.callback(reader.close)
        return reader

    @cached_property
    def sources(self) -> Sources:
        """Opens the pages that quotes come from, by a reader of its own: no import makes a page wait."""
        reader = ReaderProcess(PAGE_LIMITS)
        self._closing.callback(reader.close)
        return Sources(self._database, reader)

    @cached_property
    def drugs(self) -> DrugNames:
        """The dictionary of drug names."""
        names = DrugNames.load(paths.resources() / "drugs")
        gc.freeze()  # tens of thousands of objects that stay: to walk them would hold up the window for 0.2 s
        return names

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
        return Library(
            self._database,
            self._actor,
            searcher=lambda: self.searcher,
            embedder=lambda: (self.embedder, self.embedding.build.sha256),
            reader=self.reader,
            index=self.index,
        )

    @cached_property
    def chat(self) -> Chat:
        """Asks; answers that a kill left open are marked first, and conversations long deleted are erased."""
        chat = Chat(
            self._database,
            self._actor,
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
        return Conversations(self._database, self._actor)

    @cached_property
    def audit(self) -> Audit:
        """Reads and verifies the audit trail."""
        return Audit(self._database, self._actor, self.place.folder.path / anchors.FILE)

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
        self._closing.callback(engine.close)
        return engine, chosen.build

    @cached_property
    def doctor(self) -> Doctor:
        """Tests every part."""
        return Doctor(
            folder=self.place.folder,
            audit=self.audit,
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
        """Ends the children, anchors the audit trail and closes the database."""
        self._closing.close()
        self.audit.close()
        self._database.close()


@contextlib.contextmanager
def opened(place: SitePlace, passphrase: str, *, purpose: str, writable: bool) -> Iterator[Site]:
    """Opens a site for one job.

    Args:
        place: which site.
        passphrase: opens its database key.
        purpose: what others are told while this process holds the site.
        writable: whether the job writes; then it holds the site alone.

    Raises:
        AccessError: the passphrase is wrong.
        StorageError: in use, read-only, full, damaged or from a newer version.

    A site whose audit trail was changed opens all the same, to be read: its ``trouble`` says what is wrong.
    """
    with contextlib.ExitStack() as stack:
        if writable:
            stack.enter_context(place.folder.writing(purpose))
            place.folder.check_space()
            logs.open_log(place.folder.path)
            stack.callback(logs.close_log)
        key = keys.unlock(place.folder.key_file, passphrase)
        card = keys.read_card(place.folder.key_file)
        database = Database.open(place.folder.database, key, site_id=card.site_id, clock=now, writable=writable)
        settings, _ = load(paths.settings_file())
        site = Site(place, database, writable=writable, settings=settings)
        stack.callback(site.close)
        if writable and (trouble := site.audit.at_start()) is not None:
            site.trouble, site.writable = trouble, False
        yield site


def add_starter_library(site: Site) -> Iterator[AddProgress | AddReport]:
    """Adds the summaries that ship with the app; those already there are left as they are."""
    return site.library.add([paths.resources() / "library"], collection=STARTER_COLLECTION, kind=Kind.SUMMARY)


def has_starter_library(site: Site) -> bool:
    """Whether every summary that ships with the app is there; a kill may have left only some."""
    there = {document.name for document in site.library.documents() if document.collection == STARTER_COLLECTION}
    return there >= {path.name for path in (paths.resources() / "library").glob("*.md")}
