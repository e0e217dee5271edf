"""Somebody at the screen of people, and the dialogs that they open; the site below is real."""

from typing import TypeVar

from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from lumen_desktop import app
from lumen_desktop.domain.accounts import Role
from lumen_desktop.services.accounts import Standing
from lumen_desktop.ui.people.part import Part
from lumen_desktop.ui.people.screen import PeopleScreen
from lumen_desktop.ui.people.sheet import Form, Sheet

PEOPLE = {"ada": Role.ADMIN, "anna": Role.CLINICIAN, "olga": Role.OFFICER}
WHY = "moved to the other department"
Kind = TypeVar("Kind", bound=Sheet)
_WAIT_MS = 10_000


class Desk:
    """The screen of people, with who signed in before it."""

    def __init__(self, site: app.Site, qtbot: QtBot) -> None:
        self.site, self.qtbot, self.screen = site, qtbot, PeopleScreen(site)
        qtbot.addWidget(self.screen)
        self.screen.resize(1000, 700)
        self.screen.show()
        self.screen.activated()
        self.settle()

    def leave(self) -> None:
        """Ends what is under way, as the window does before the site is closed."""
        self.screen.stop()
        self.qtbot.waitUntil(lambda: not self.screen.busy, timeout=_WAIT_MS)
        self.settle()
        self.screen.close()

    def settle(self) -> None:
        """Waits until all is read."""
        self.qtbot.waitUntil(lambda: not any(part.reading for part in self.screen.parts), timeout=_WAIT_MS)

    def go(self, part: Part) -> None:
        """Goes to a tab."""
        self.screen.tabs.setCurrentIndex(self.screen.parts.index(part))
        self.settle()

    def people(self) -> None:
        """Goes to the list of people."""
        self.go(self.screen.everybody)

    def open(self, kind: type[Kind]) -> Kind:
        """The one dialog of a kind that is open."""
        (shown,) = [it for it in self.screen.findChildren(kind) if it.isVisible()]
        return shown

    def dialogs(self) -> list[Sheet]:
        """All that are open."""
        return [it for it in self.screen.findChildren(Sheet) if it.isVisible()]

    def do(self, form: Form, **typed: str) -> str:
        """Types into a form's fields and presses its button; returns what its banner says, empty once it is closed.

        Fields are named in lower case, words joined by underscores.
        """
        fields = {it.accessibleName().lower().replace(" ", "_"): it for it in form.findChildren(QLineEdit)}
        for name, words in typed.items():
            fields[name].setText(words)
        closed: list[bool] = []
        form.finished.connect(lambda _: closed.append(True))
        form.act.click()
        self.qtbot.waitUntil(lambda: bool(closed) or not form.working, timeout=_WAIT_MS)
        if closed:
            self.settle()
            return ""
        assert all(fields[name].text() == words for name, words in typed.items()), "what was typed is gone"
        return form.banner.words

    def standing(self, name: str) -> Standing:
        """How a person's account stands; needs the duty to know."""
        return next(it for it in self.site.people.list() if it.user.name == name)
