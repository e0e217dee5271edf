"""The site that the window works on: found, made, opened, held and closed, all off the interface's thread.

A site is opened and closed by the same thread, because the lock on its data folder belongs to that thread: it
waits in between. Whatever takes long to load is loaded there as well, so that the window is there at once.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from lumen_desktop import paths
from lumen_desktop.errors import AccessError, EngineError, InputError, LumenError
from lumen_desktop.ui import tasks

if TYPE_CHECKING:  # loading it takes longer than showing the window
    from lumen_desktop.app import Site, SitePlace
    from lumen_desktop.services.founding import Founding
    from lumen_desktop.services.incoming import AddProgress, AddReport
    from lumen_desktop.services.sign_in import Credentials


@dataclass(frozen=True, slots=True)
class Entered:
    """An open site.

    Attributes:
        site: it, with the person who signed in.
        incomplete: whether the starter library has yet to be added, or to be completed.
        chooses_password: whether the person has a password that another gave them.
    """

    site: Site
    incomplete: bool
    chooses_password: bool


class Session(QObject):
    """From the start of the program to its end: at most one open site.

    Args:
        data: the data folder asked for; None finds the user's own, else the demonstration.
    """

    nowhere = Signal()  # there is no site yet
    sign_in_wanted = Signal(object)  # LumenError | None: why the last one was refused
    take_over_wanted = Signal(object)  # LumenError | None: the site has a passphrase yet
    founded = Signal(str)  # a site was made; its recovery code, to be shown once before `go_on`
    password_wanted = Signal(object)  # Site: the person has a password that another gave them
    opening = Signal()
    opened = Signal(object)  # Site
    adding = Signal(int, int)  # number of the starter library's text that is added now, of how many
    added = Signal()
    refused = Signal(object)  # LumenError
    closed = Signal()

    def __init__(self, data: Path | None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.data = data
        self.site: Site | None = None
        self.place: SitePlace | None = None
        self._leave = threading.Event()
        self._holding: tasks.Task | None = None
        self._new = False
        self._credentials: Credentials | None = None  # kept while the recovery code is shown
        self._signing_out = False
        self.adding_library = False
        self._starter_stopped = False
        self._incomplete = False

    def find(self) -> None:
        """Looks for the site and opens it, or says what is lacking."""
        self.opening.emit()
        tasks.run(self, lambda: _app().find_site(self.data), self._found, self._not_found)

    def demonstrate(self) -> None:
        """Makes the demonstration site and opens it as its pharmacist."""
        self.opening.emit()
        self._new = True

        def work() -> SitePlace:
            app = _app()
            made: SitePlace = app.create_demonstration(self.data or paths.demonstration(app.sites()))
            return made

        tasks.run(self, work, lambda place: self._enter(place, _app().DEMONSTRATION), self.refused.emit)

    def create(self, path: Path, begun: Founding) -> None:
        """Makes a site of one's own; ``founded`` follows.

        Args:
            path: its data folder.
            begun: what it begins with.
        """
        self.opening.emit()
        self._new = True

        def work() -> tuple[SitePlace, str]:
            app = _app()
            make = app.create_site if path == self.data else app.create_own_site
            made: tuple[SitePlace, str] = make(path, begun)
            return made

        tasks.run(self, work, lambda made: self._founded(*made, begun), self.refused.emit)

    def take_over(self, passphrase: str, begun: Founding) -> None:
        """Makes of the site that was found, which has a passphrase, one with people; ``founded`` follows."""
        place = self.place
        assert place is not None
        self.opening.emit()

        def work() -> tuple[SitePlace, str]:
            made: tuple[SitePlace, str] = _app().take_over(place, passphrase, begun)
            return made

        tasks.run(self, work, lambda made: self._founded(*made, begun), self.take_over_wanted.emit)

    def _founded(self, place: SitePlace, code: str, begun: Founding) -> None:
        from lumen_desktop.services.sign_in import Credentials  # noqa: PLC0415 - loaded by now

        self.place = place
        self._credentials = Credentials(begun.people[0].name, begun.password)
        self.founded.emit(code)

    def go_on(self) -> None:
        """Opens the site that was just made; its recovery code was seen."""
        assert self.place is not None
        assert self._credentials is not None
        credentials, self._credentials = self._credentials, None
        self.opening.emit()
        self._enter(self.place, credentials)

    def sign_in(self, credentials: Credentials) -> None:
        """Opens the site that was found for a person."""
        assert self.place is not None
        self.opening.emit()
        self._enter(self.place, credentials)

    def sign_out(self) -> None:
        """Closes the site and asks who is next; the window has ended its work before."""
        if self.site is not None and self.adding_library:
            self.site.starter_library.stop()
        self._signing_out = True
        self._leave.set()

    def choose_password(self, old: str, new: str, failed: Callable[[LumenError], None]) -> None:
        """Gives the person who just signed in a password of their own, then goes on."""
        site = self.site
        assert site is not None
        tasks.run(self, lambda: site.people.choose_password(old, new), lambda _: self._welcomed(site), failed)

    def close(self) -> None:
        """Closes the site, if one is open or being opened; ``closed`` follows."""
        self._leave.set()
        if self._holding is None:
            self.closed.emit()

    def _found(self, place: SitePlace) -> None:
        self.place = place
        if place.demonstration:
            self._enter(place, _app().DEMONSTRATION)
        elif place.accounts:
            self.sign_in_wanted.emit(None)
        else:
            self.take_over_wanted.emit(None)

    def _not_found(self, error: LumenError) -> None:
        if isinstance(error, InputError):
            self.nowhere.emit()
        else:
            self.refused.emit(error)

    def _enter(self, place: SitePlace, credentials: Credentials) -> None:
        self.place = place
        if self._leave.is_set():  # the window was closed meanwhile
            return
        holding = self._holding = tasks.stream(
            self, lambda: _held(place, credentials, new=self._new, leave=self._leave), self._entered, self._kept_out
        )
        holding.finished.connect(lambda: self._left(holding))

    def _entered(self, entered: Entered) -> None:
        if self._leave.is_set():
            return
        self.site, self._incomplete = entered.site, entered.incomplete
        if entered.chooses_password:
            self.password_wanted.emit(entered.site)
        else:
            self._welcomed(entered.site)

    def _welcomed(self, site: Site) -> None:
        self.opened.emit(site)
        if self._incomplete:
            self.adding_library = True
            self._add_starter(site)

    def _add_starter(self, site: Site) -> None:
        self._starter_stopped = False
        added = tasks.stream(self, lambda: _app().add_starter_library(site), self._follow, self.refused.emit)
        added.finished.connect(self._all_added)

    def _follow(self, event: AddProgress | AddReport) -> None:
        from lumen_desktop.services.incoming import AddProgress  # noqa: PLC0415 - loaded by now

        if isinstance(event, AddProgress):
            self.adding.emit(event.file, event.files)
        else:
            self._starter_stopped = event.stopped

    def _all_added(self) -> None:
        if self._starter_stopped and self.site is not None and not self._leave.is_set():
            self._add_starter(self.site)  # a person stopped an import of their own, which stops all
            return
        self.adding_library = False
        self.added.emit()

    def _kept_out(self, error: LumenError) -> None:
        if isinstance(error, AccessError):
            self.sign_in_wanted.emit(error)
        else:
            self.refused.emit(error)

    def _left(self, task: tasks.Task) -> None:
        if task is not self._holding:  # one that was kept out; the next one is under way already
            return
        self._holding = self.site = None
        if self._signing_out:
            self._signing_out = False
            self._leave.clear()
            self.sign_in_wanted.emit(None)
        elif self._leave.is_set():
            self.closed.emit()


def _app() -> Any:
    """The composition root, loaded by whichever thread asks first."""
    return importlib.import_module("lumen_desktop.app")


def _held(place: SitePlace, credentials: Credentials, *, new: bool, leave: threading.Event) -> Iterator[Entered]:
    """Opens a site, hands it over, and holds it until it is to be left."""
    app = _app()
    with app.opened(place, credentials, purpose="the window", writable=True) as site:
        chooses = site.people.me().must_choose_password
        lacking = _prepared(site) and (new or place.demonstration) and not app.has_starter_library(site)
        yield Entered(site, incomplete=lacking, chooses_password=chooses)
        leave.wait()


def _prepared(site: Site) -> bool:
    """Builds the services that the screens ask for at once; False where the models to do so are lacking."""
    try:
        _ = site.library, site.conversations, site.audit, site.chat
    except EngineError:  # told by the screen that needs it, and by the status bar
        return False
    return True
