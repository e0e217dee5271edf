"""The site that the window works on: found, made, opened, held and closed, all off the interface's thread.

A site is opened and closed by the same thread, because the lock on its data folder belongs to that thread: it
waits in between. Whatever takes long to load is loaded there as well, so that the window is there at once.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from lumen_desktop import paths
from lumen_desktop.errors import EngineError, InputError, LumenError
from lumen_desktop.ui import tasks

if TYPE_CHECKING:  # loading it takes longer than showing the window
    from lumen_desktop.app import Site, SitePlace
    from lumen_desktop.services.library import AddProgress, AddReport


@dataclass(frozen=True, slots=True)
class Entered:
    """An open site; ``incomplete`` where the demonstration's library has yet to be added, or to be completed."""

    site: Site
    incomplete: bool


class Session(QObject):
    """From the start of the program to its end: at most one open site.

    Args:
        data: the data folder asked for; None finds the user's own, else the demonstration.
    """

    nowhere = Signal()  # there is no site yet
    locked = Signal(object)  # LumenError | None: a passphrase is wanted, and why the last one was refused
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
        self.adding_library = False
        self._starter_stopped = False

    def find(self) -> None:
        """Looks for the site and opens it, or says what is lacking."""
        self.opening.emit()
        tasks.run(self, lambda: _app().find_site(self.data), self._found, self._not_found)

    def create(self, path: Path | None, passphrase: str, *, demonstration: bool) -> None:
        """Makes a site and opens it.

        Args:
            path: its data folder; None takes the usual one.
            passphrase: of an own site; a demonstration has a public one.
            demonstration: whether it is for trying out.
        """
        self.opening.emit()
        self._new = True

        def work() -> SitePlace:
            app = _app()
            usual = (paths.demonstration if demonstration else paths.own_site)(app.sites())
            secret = app.DEMONSTRATION_PASSPHRASE if demonstration else passphrase
            folder = path or self.data or usual
            made: SitePlace
            if demonstration or folder == self.data:
                made = app.create_site(folder, secret, demonstration=demonstration)
            else:
                made = app.create_own_site(folder, secret)
            return made

        tasks.run(self, work, lambda place: self._enter(place, passphrase), self.refused.emit)

    def unlock(self, passphrase: str) -> None:
        """Opens the site that was found with its passphrase."""
        assert self.place is not None
        self.opening.emit()
        self._enter(self.place, passphrase)

    def close(self) -> None:
        """Closes the site, if one is open or being opened; ``closed`` follows."""
        self._leave.set()
        if self._holding is None:
            self.closed.emit()

    def _found(self, place: SitePlace) -> None:
        self.place = place
        if place.demonstration:
            self._enter(place, "")
        else:
            self.locked.emit(None)

    def _not_found(self, error: LumenError) -> None:
        if isinstance(error, InputError):
            self.nowhere.emit()
        else:
            self.refused.emit(error)

    def _enter(self, place: SitePlace, passphrase: str) -> None:
        self.place = place
        if self._leave.is_set():  # the window was closed meanwhile
            return
        holding = self._holding = tasks.stream(
            self, lambda: _held(place, passphrase, new=self._new, leave=self._leave), self._entered, self._kept_out
        )
        holding.finished.connect(lambda: self._left(holding))

    def _entered(self, entered: Entered) -> None:
        if self._leave.is_set():
            return
        self.site = entered.site
        self.opened.emit(entered.site)
        if entered.incomplete:
            self.adding_library = True
            self._add_starter(entered.site)

    def _add_starter(self, site: Site) -> None:
        self._starter_stopped = False
        added = tasks.stream(self, lambda: _app().add_starter_library(site), self._follow, self.refused.emit)
        added.finished.connect(self._all_added)

    def _follow(self, event: AddProgress | AddReport) -> None:
        from lumen_desktop.services.library import AddProgress  # noqa: PLC0415 - loaded by now

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
        if error.code == "KEY-001" and self.place is not None and not self.place.demonstration:
            self.locked.emit(error)
        else:
            self.refused.emit(error)

    def _left(self, task: tasks.Task) -> None:
        if task is not self._holding:  # one that was kept out; the next one is under way already
            return
        self._holding = self.site = None
        if self._leave.is_set():
            self.closed.emit()


def _app() -> Any:
    """The composition root, loaded by whichever thread asks first."""
    return importlib.import_module("lumen_desktop.app")


def _held(place: SitePlace, passphrase: str, *, new: bool, leave: threading.Event) -> Iterator[Entered]:
    """Opens a site, hands it over, and holds it until it is to be left."""
    app = _app()
    secret = app.DEMONSTRATION_PASSPHRASE if place.demonstration else passphrase
    with app.opened(place, secret, purpose="the window", writable=True) as site:
        yield Entered(site, _prepared(site) and (new or place.demonstration) and not app.has_starter_library(site))
        leave.wait()


def _prepared(site: Site) -> bool:
    """Builds the services that the screens ask for at once; False where the models to do so are lacking."""
    try:
        _ = site.library, site.conversations, site.audit, site.chat
    except EngineError:  # told by the screen that needs it, and by the status bar
        return False
    return True
