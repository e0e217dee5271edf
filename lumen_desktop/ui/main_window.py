"""The main window: navigation, the screens, one banner for refusals, and the line at its foot.

It decides which of its pages is shown and closes in order; what the screens do is theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QDialog, QMainWindow, QSplitter, QStackedWidget, QWidget

from lumen_desktop.errors import LumenError
from lumen_desktop.ui import errors, screens, shortcuts
from lumen_desktop.ui.entrance import OpeningPage
from lumen_desktop.ui.navigation import Navigation
from lumen_desktop.ui.remembered import Remembered
from lumen_desktop.ui.screens import ENTRIES, Entry, as_screen
from lumen_desktop.ui.status import Status
from lumen_desktop.ui.widgets import Banner, EmptyState, column, restyle, row

if TYPE_CHECKING:
    from lumen_desktop.app import Site

_SMALLEST, _USUAL = (880, 560), (1280, 800)
_LOOK_EVERY_MS = 250
_CLOSE_WITHIN_MS = 4000
_STATES = {"none": "none", "running": "ready", "safe": "safe"}  # of the site, as the status bar calls them


class MainWindow(QMainWindow):
    """Shows one screen at a time; before a site is open, the page that leads to one.

    Args:
        remembered: what the window knows of its last time.
    """

    help_wanted = Signal(str)  # page of the manual
    leaving = Signal()  # all work is stopped: the site may be closed
    lock_wanted = Signal()
    signing_out = Signal()  # all work is stopped: the site may be closed, and the next person signs in

    def __init__(self, remembered: Remembered) -> None:
        super().__init__()
        self.setWindowTitle("Lumen")
        self.setMinimumSize(*_SMALLEST)
        self.resize(*_USUAL)
        self._remembered = remembered
        self._site: Site | None = None
        self._screens: dict[str, QWidget] = {}
        self._wanted = remembered.screen if remembered.screen in {e.name for e in ENTRIES} else ENTRIES[0].name
        self._leaving = self._may_close = False
        self._cover: QWidget | None = None
        self.navigation, self.banner, self.stack, self.status = Navigation(), Banner(), QStackedWidget(), Status()
        self._before: QWidget = OpeningPage()  # stands in for every screen that needs a site
        self._looking = QTimer(self, interval=_LOOK_EVERY_MS)
        self._looking.timeout.connect(self._look)
        self._build()
        remembered.place(self)
        self.show_screen(self._wanted)

    def _build(self) -> None:
        self.banner.setObjectName(errors.BANNER)
        right = column(spacing=0)
        right.addWidget(self.banner)
        right.addWidget(self.stack, 1)
        whole = row(spacing=0)
        whole.addWidget(self.navigation)
        whole.addLayout(right, 1)
        self._open, outside, self._over = QWidget(), QWidget(), column(spacing=0)
        self._open.setLayout(whole)
        self._over.addWidget(self._open)
        outside.setLayout(self._over)
        outside.setProperty("role", "page")
        self.setCentralWidget(outside)
        self.setStatusBar(self.status)
        self.stack.addWidget(self._before)
        self.navigation.chosen.connect(self.show_screen)
        self.navigation.help_wanted.connect(self._help)
        self.navigation.shortcuts_wanted.connect(self._sheet)
        self.navigation.lock_wanted.connect(self.lock_wanted)
        self.navigation.sign_out_wanted.connect(self.sign_out)
        for number, entry in enumerate(ENTRIES, start=1):
            self._key(f"Ctrl+{number}", lambda name=entry.name: self.show_screen(name))
        self._key("F1", self._help)
        self._key("Ctrl+/", self._sheet)
        self._key("Ctrl+Q", self.close)
        self._key("Ctrl+Shift+L", self.lock_wanted.emit)

    def _key(self, keys: str, act: object) -> None:
        shortcut = QShortcut(QKeySequence(keys), self)
        shortcut.setContext(Qt.ShortcutContext.ApplicationShortcut if keys == "Ctrl+Q" else
                            Qt.ShortcutContext.WindowShortcut)  # fmt: skip
        shortcut.activated.connect(act)

    @property
    def screen_name(self) -> str:
        """Which screen is chosen."""
        return self._wanted

    @property
    def busy(self) -> bool:
        """Whether some screen has work under way."""
        return any(screen.busy for widget in self._screens.values() if (screen := as_screen(widget)))

    def before(self, page: QWidget) -> None:
        """Shows this page in place of the screens that need a site, until one is open."""
        if page is not self._before:
            self.stack.addWidget(page)
            self.stack.removeWidget(self._before)
            self._before.deleteLater()
            self._before = page
        self.show_screen(self._wanted)

    def enter(self, site: Site) -> None:
        """A site is open: its screens can be made."""
        self._site = site
        self.navigation.mark_demonstration(on=site.place.demonstration)
        self.navigation.show_person(site.people.me().name)
        self.status.show_site(site)
        self._looking.start()
        self._clear()
        self.show_screen(self._wanted)

    def _clear(self) -> None:
        for widget in self._screens.values():
            self.stack.removeWidget(widget)
            widget.deleteLater()
        self._screens.clear()

    def show_screen(self, name: str) -> None:
        """Shows a screen, made now if it never was shown before."""
        self._wanted = name
        self.navigation.show_chosen(name)
        entry = next(entry for entry in ENTRIES if entry.name == name)
        widget = self._before if entry.needs_site and self._site is None else self._screen(entry)
        self.stack.setCurrentWidget(widget)
        if (screen := as_screen(widget)) is not None:
            screen.activated()

    def _screen(self, entry: Entry) -> QWidget:
        if entry.name not in self._screens:
            try:
                made = screens.make(entry, self._site)
            except LumenError as error:
                made = EmptyState("triangle-alert", f"{entry.title} cannot be used now", errors.sentence(error))
            for number, splitter in enumerate(made.findChildren(QSplitter)):
                splitter.setObjectName(f"{entry.name}-{number}")
            if hasattr(made, "library_wanted"):
                made.library_wanted.connect(lambda: self.show_screen("library"))
            self.stack.addWidget(made)
            self._remembered.divide(made)
            self._screens[entry.name] = made
        return self._screens[entry.name]

    def cover(self, page: QWidget | None) -> None:
        """Puts a page over all that the site shows, or takes it away again."""
        if self._cover is not None:
            self._cover.deleteLater()  # which takes it out of its layout as well
        self._cover = page
        for other in self.findChildren(QDialog):
            other.close()
        self._open.setVisible(page is None)
        self.status.setVisible(page is None)
        if page is not None:
            self._over.addWidget(page)

    def sign_out(self) -> None:
        """Stops the work in order and lets the next person sign in."""
        self._stop_screens(self._signed_out)

    def _signed_out(self) -> None:
        self._clear()
        self._looking.stop()
        self._site = None
        self.navigation.show_person("")
        self.before(OpeningPage())
        self.signing_out.emit()

    def refresh(self) -> None:
        """Lets the screen that is shown look again at what it shows."""
        if (screen := as_screen(self.stack.currentWidget())) is not None:
            screen.activated()

    def restyle(self) -> None:
        """Redraws what a change of the theme does not reach by itself."""
        restyle(self)
        self.navigation.show_chosen(self._wanted)

    def come_forward(self) -> None:
        """Brings the window before all others, as a second start asks."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized | Qt.WindowState.WindowActive)
        self.show()
        self.raise_()
        self.activateWindow()

    def _look(self) -> None:
        """Follows what the engine does."""
        if self._site is None or self.status.state == "loading":
            return
        asking = as_screen(self._screens.get("ask"))
        writing = asking is not None and asking.busy
        state = self._site.engine_state()
        self.status.show_state("writing" if writing and state == "running" else _STATES[state])

    def _help(self) -> None:
        self.help_wanted.emit(next(entry.page for entry in ENTRIES if entry.name == self._wanted))

    def _sheet(self) -> None:
        sheet = shortcuts.ShortcutSheet(self, shortcuts.groups())
        sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet.open()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Lets the navigation show words or icons, as there is room."""
        super().resizeEvent(event)
        self.navigation.fit(QSize(event.size().width(), event.size().height() - self.status.sizeHint().height()))

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Stops the work in order, lets it be stored, then closes; asks nothing."""
        if self._may_close:
            event.accept()
            return
        event.ignore()
        if self._leaving:
            return
        self._leaving = True
        self._looking.stop()
        self._remembered.keep(self, self._wanted)
        self._stop_screens(self.leaving.emit)

    def _stop_screens(self, then: Callable[[], None]) -> None:
        for widget in self._screens.values():
            if (screen := as_screen(widget)) is not None:
                screen.stop()
        self.status.progress("Storing and closing…", 0, 0)
        self._wait_for_screens(0, then)

    def _wait_for_screens(self, waited_ms: int, then: Callable[[], None]) -> None:
        if self.busy and waited_ms < _CLOSE_WITHIN_MS:
            QTimer.singleShot(50, self, lambda: self._wait_for_screens(waited_ms + 50, then))
        else:
            then()

    def left(self) -> None:
        """The site is closed, or took too long to: the window goes."""
        self._may_close = True
        QTimer.singleShot(0, self, self.close)  # not within the event that asked: Qt closes no window twice
