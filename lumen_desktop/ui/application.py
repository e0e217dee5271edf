"""The program as a window: makes the application, the session and the main window, and ties them together.

Called by `__main__`. Nothing heavy is loaded before the window is shown.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication

from lumen_desktop import __version__, paths, settings
from lumen_desktop.errors import LumenError
from lumen_desktop.services.presence import Presence
from lumen_desktop.ui import errors, tasks, theme
from lumen_desktop.ui.crashes import CrashReports
from lumen_desktop.ui.entrance import OpeningPage, RefusedPage
from lumen_desktop.ui.formatting import counted
from lumen_desktop.ui.founding import RecoveryPage, TakeOverPage
from lumen_desktop.ui.guard import Guard
from lumen_desktop.ui.main_window import MainWindow
from lumen_desktop.ui.remembered import Remembered
from lumen_desktop.ui.session import Session
from lumen_desktop.ui.sign_in import ChoosePasswordPage, SignInPage
from lumen_desktop.ui.welcome import WelcomePage

if TYPE_CHECKING:
    from lumen_desktop.app import Site
    from lumen_desktop.domain.audit import Verdict

_LISTEN_EVERY_MS = 400
_CLOSE_WITHIN_MS = 3000
_SWITCH_S = 0.0005  # with Python's 5 ms, work in other threads held up the window by up to half a second

_COLLECT_AFTER = 20_000  # new objects; at Python's 700, a tenth of the start went into looking through modules


def start(data: Path | None = None) -> int:
    """Shows the window and returns when it is closed.

    Args:
        data: data folder of the site; None takes the user's own, else the demonstration.

    Returns:
        The exit status: 0, also where a window that is open already came forward instead.
    """
    presence = Presence(data)
    if not presence.first():
        return 0
    application = make()
    shell = Shell(application, data, presence)
    shell.begin()
    status = application.exec()
    if not shell.end():  # a thread waits for what does not come: what is stored is safe, and children end with us
        sys.stderr.flush()
        os._exit(status)
    return status


def make() -> QApplication:
    """The application, with its names, its icon and the look that the settings ask for."""
    sys.setswitchinterval(_SWITCH_S)
    gc.set_threshold(_COLLECT_AFTER)
    existing = QApplication.instance()
    application = existing if isinstance(existing, QApplication) else QApplication([sys.argv[0] or "lumen-desktop"])
    application.setOrganizationName("Lumen")
    application.setApplicationName("lumen-desktop")
    application.setApplicationDisplayName("Lumen")
    application.setApplicationVersion(__version__)
    application.setDesktopFileName("lumen-desktop")
    dress(application)
    application.setWindowIcon(theme.icon("lumen", "accent"))
    return application


def dress(application: QApplication) -> tuple[str, ...]:
    """Gives the application the look that the settings ask for; returns what could not be used of them."""
    chosen, notices = settings.load(paths.settings_file())
    theme.apply(application, chosen.theme, font_points=chosen.font_points)
    return notices


class Shell(QObject):
    """One run of the program: a session, its window, crash reports, and calls of a second start."""

    def __init__(self, application: QApplication, data: Path | None, presence: Presence | None = None) -> None:
        super().__init__()
        self._presence = presence
        self._application = application
        self._data = data
        self.remembered = Remembered(paths.settings_file().with_name("window.json"))
        self.session = Session(data, self)
        self.window = MainWindow(self.remembered)
        self.crashes = CrashReports(self._reports_folder, self)
        self.guard = Guard(application, self.window, self)
        self._user = ""  # whose password was typed last
        self._listening = QTimer(self, interval=_LISTEN_EVERY_MS)
        self._tie()

    def _tie(self) -> None:
        self.crashes.told.connect(lambda words: self.window.banner.tell(words, kind="danger"))
        self._listening.timeout.connect(self._listen)
        session = self.session
        session.opening.connect(lambda: self.window.before(OpeningPage()))
        session.nowhere.connect(self._welcome)
        session.sign_in_wanted.connect(self._ask_who)
        session.take_over_wanted.connect(self._take_over)
        session.founded.connect(self._show_recovery_code)
        session.password_wanted.connect(self._ask_for_own_password)
        session.opened.connect(self._enter)
        session.refused.connect(self._refused)
        session.adding.connect(self._follow)
        session.added.connect(self._added)
        session.closed.connect(self.window.left)
        self.guard.sign_out_wanted.connect(self.window.sign_out)
        self.window.signing_out.connect(self.session.sign_out)
        self.window.leaving.connect(self._leave)
        self.window.help_wanted.connect(self._help)
        self._application.styleHints().colorSchemeChanged.connect(lambda _: self._redress())

    def begin(self) -> None:
        """Shows the window; looks for the site once it is drawn."""
        self.crashes.install()
        for number in (signal.SIGINT, signal.SIGTERM):  # Python hears them at the listening timer's next tick
            signal.signal(number, lambda *_: self.window.close())
        self.window.show()
        self._listening.start()
        QTimer.singleShot(0, self, self.session.find)

    def end(self) -> bool:
        """After the last window: waits for threads, gives handlers and place back; False where a thread is left."""
        self._listening.stop()
        settled = tasks.settle(_CLOSE_WITHIN_MS / 1000)
        self.crashes.remove()
        if self._presence is not None:
            self._presence.leave()
        return settled

    def _reports_folder(self) -> Path:
        place = self.session.place
        return place.folder.path if place is not None and place.folder.path.is_dir() else paths.user_data()

    def _listen(self) -> None:
        leaves = not self._listening.isActive()  # a signal that is heard at this tick closes the window
        if self._presence is not None and not leaves and self._presence.called():
            self.window.come_forward()

    def _redress(self) -> None:
        dress(self._application)
        self.window.restyle()

    def _welcome(self) -> None:
        app = importlib.import_module("lumen_desktop.app")  # loaded by now: the session looked for a site
        page = WelcomePage(self._data or paths.own_site(app.sites()), app.SHORTEST_PASSWORD)
        page.demonstration_wanted.connect(self.session.demonstrate)
        page.form.made.connect(self.session.create)
        self.window.before(page)
        page.try_it.setFocus()

    def _ask_who(self, refused: LumenError | None) -> None:
        """Who signs in; the name that was typed stays after a refusal."""
        app, place = importlib.import_module("lumen_desktop.app"), self.session.place
        self.window.status.progress("", 0, 0)
        self.window.status.show_state("none")
        page = SignInPage(app.DEMONSTRATION_PEOPLE if place is not None and place.demonstration else "")
        page.given.connect(self._sign_in)
        self.window.before(page)
        page.ask(refused, self._user if refused else "")

    def _sign_in(self, user: str, password: str, code: str) -> None:
        from lumen_desktop.services.sign_in import Credentials  # noqa: PLC0415 - loaded by now

        self._user = user
        self.session.sign_in(Credentials(user, password, code))

    def _take_over(self, refused: LumenError | None) -> None:
        page = TakeOverPage(importlib.import_module("lumen_desktop.app").SHORTEST_PASSWORD)
        page.given.connect(self.session.take_over)
        self.window.before(page)
        page.ask(refused)

    def _show_recovery_code(self, code: str) -> None:
        assert self.session.place is not None
        page = RecoveryPage(code, str(self.session.place.folder.path))
        page.seen.connect(self.session.go_on)
        self.window.before(page)

    def _ask_for_own_password(self, _site: Site) -> None:
        page = ChoosePasswordPage(importlib.import_module("lumen_desktop.app").SHORTEST_PASSWORD)
        page.chosen.connect(lambda old, new: self.session.choose_password(old, new, page.refuse))
        self.window.before(page)
        page.old.setFocus()

    def _enter(self, site: Site) -> None:
        self.window.enter(site)
        self.guard.watch(site)
        self._verify_when_idle(site)
        self.window.status.progress("", 0, 0)
        if site.trouble is not None:
            said = f"{site.trouble.reason} The audit trail was changed; this site can only be read. (AUD-002)"
            self.window.banner.tell(said, kind="danger")
        _, notices = settings.load(paths.settings_file())
        if notices:
            self.window.banner.tell(" ".join(notices), kind="warning")

    def _verify_when_idle(self, site: Site) -> None:
        from lumen_desktop.ui.audit import idle, words  # noqa: PLC0415 - loaded by now

        def tell(verdict: Verdict) -> None:
            show = partial(self.window.show_screen, "audit")
            self.window.banner.tell(words.verdict(verdict), kind="danger", action="Show the trail", act=show)

        watch = idle.IdleVerification(site, lambda: self.window.busy or self.session.adding_library, self)
        watch.broken.connect(tell)
        for going in (self.window.signing_out, self.window.leaving):
            going.connect(watch.leave)

    def _refused(self, error: LumenError) -> None:
        if self.session.site is not None:
            errors.show(self.window, error)
            return
        page = RefusedPage()
        page.again.connect(self.session.find)
        self.window.before(page)
        page.tell(error)

    def _follow(self, text: int, texts: int) -> None:
        """Progress of the starter library, which is added while the window is used."""
        self.window.status.progress(f"Preparing the library: {text} of {counted(texts, 'text')}", text, texts)

    def _added(self) -> None:
        self.window.status.progress("", 0, 0)
        self.window.refresh()

    def _leave(self) -> None:
        """The screens have stopped: closes the site, and waits for it no longer than people would."""
        self._listening.stop()  # a second start waits for the end of this one, and then shows a window of its own
        if self.session.site is not None and self.session.adding_library:
            self.session.site.starter_library.stop()
        QTimer.singleShot(_CLOSE_WITHIN_MS, self, self.window.left)
        self.session.close()

    def _help(self, page: str) -> None:
        from lumen_desktop.ui.help import show_help  # noqa: PLC0415 - most runs never need it

        show_help(self.window, page)
