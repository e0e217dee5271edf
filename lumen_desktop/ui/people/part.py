"""What the four parts of the screen share: they read off the interface's thread, and say what a person may not do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QStackedWidget, QWidget

from lumen_desktop.domain.permissions import Act, Reach, reach
from lumen_desktop.ui import tasks
from lumen_desktop.ui.flow import Flow
from lumen_desktop.ui.people import words
from lumen_desktop.ui.people.sheet import Form
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import Banner, Card, EmptyState, Scrolled, column, label, sized

if TYPE_CHECKING:
    from lumen_desktop.app import Site
    from lumen_desktop.domain.accounts import User
    from lumen_desktop.services.accounts import Policy

_NAME, _VALUE = 150, 240  # pixels at the default text size: of a fact's name, and at least of what stands beside it
_MOST = 760


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at the screen, and what holds at the site.

    Attributes:
        me: who is signed in.
        policy: the site's.
    """

    me: User
    policy: Policy

    def may(self, act: Act) -> bool:
        """Whether their duties reach an act."""
        return reach(self.me.roles, act, self.policy.profile)[0] is not Reach.NONE

    def who_may(self, act: Act) -> str:
        """Whose duties do."""
        return words.who_may(act, self.policy.profile)

    def let(self, made: QPushButton, act: Act, why_not: str = "", tip: str = "") -> None:
        """Lets a button be pressed, or says in its tip who may press it, or why nobody can now."""
        refused = why_not if self.may(act) else self.who_may(act)
        made.setEnabled(not refused)
        made.setToolTip(refused or tip)
        made.setAccessibleDescription(refused)


class Part(QWidget):
    """One tab.

    Args:
        site: whose people.
        name: its title.
        needs: the act without which nothing of it is shown; None for what everybody may see.
    """

    changed = Signal()  # something was written

    def __init__(self, site: Site, name: str, needs: Act | None = None) -> None:
        super().__init__()
        self._site = site
        self._needs = needs
        self._working = 0
        self._reading: tasks.Task | None = None
        self.viewer: Viewer | None = None
        self.notice = Banner()
        self.setAccessibleName(name)
        self.inside, self.body = QWidget(), column(margin=SPACE, spacing=int(1.5 * SPACE))
        self.inside.setAccessibleName(name)
        self.inside.setLayout(self.body)
        self.body.addWidget(self.notice)
        self._stack = QStackedWidget()
        self._stack.addWidget(Scrolled(self.inside))
        layout = column()
        layout.addWidget(self._stack)
        self.setLayout(layout)

    @property
    def busy(self) -> bool:
        """Whether one of its forms does its job now; reading is never waited for."""
        return any(form.working for form in self.findChildren(Form))

    @property
    def reading(self) -> bool:
        """Whether what it shows is being read."""
        return self._working > 0

    @property
    def barred(self) -> bool:
        """Whether it only says who may see it."""
        return self._stack.currentIndex() > 0

    def activated(self) -> None:
        """Reads what it shows again."""
        if self._reading is not None:
            self._reading.drop()
        self._working += 1
        self._reading = tasks.run(self, self._read_all, self._show_all)
        self._reading.finished.connect(self._ended)

    def told(self, sentence: str) -> None:
        """Says what was done, and lets all parts read again."""
        self.notice.tell(sentence, kind="success", seconds=12)
        self.changed.emit()

    def stop(self) -> None:
        """What a form does is over in a moment."""

    def read(self, viewer: Viewer) -> Any:
        """What it shows beside the viewer; called in another thread."""

    def show_found(self, viewer: Viewer, found: Any) -> None:
        """Shows what was read."""

    def _read_all(self) -> tuple[Viewer, Any]:
        people = self._site.people
        viewer = Viewer(people.me(), people.policy())
        barred = self._needs is not None and not viewer.may(self._needs)
        return viewer, None if barred else self.read(viewer)

    def _show_all(self, read: tuple[Viewer, Any]) -> None:
        self.viewer, found = read
        if self._needs is not None and not self.viewer.may(self._needs):
            self._bar(self.viewer, self._needs)
            return
        self._stack.setCurrentIndex(0)
        self.show_found(self.viewer, found)

    def _bar(self, viewer: Viewer, needs: Act) -> None:
        if (before := self._stack.widget(1)) is not None:
            self._stack.removeWidget(before)
        mine = words.duties(viewer.me.roles)
        said = f"{viewer.who_may(needs)} Your duties at this site: {mine}. An admin assigns duties."
        self._stack.addWidget(EmptyState("users", self.accessibleName(), said))
        self._stack.setCurrentIndex(1)

    def _ended(self) -> None:
        self._working -= 1


class Facts(Card):
    """A card of facts under a heading, each with its name; and buttons at its foot."""

    def __init__(self, title: str, names: Iterable[str], explained: str = "") -> None:
        super().__init__()
        self.body.setSpacing(SPACE)
        self.body.addWidget(label(title, "heading"))
        if explained:
            self.body.addWidget(label(explained, "small"))
        self.values = {name: label(selectable=True) for name in names}
        for name, value in self.values.items():
            line, called = Flow(spacing=2 * SPACE), label(name, "muted")
            sized(called, width=_NAME)
            line.add(called, top=True)
            line.add(value, grows=True, least_px=_VALUE)
            self.body.addLayout(line)
        self.acts = Flow()
        self.body.addLayout(self.acts)
        sized(self, most=_MOST)

    def tell(self, facts: Mapping[str, str]) -> None:
        """Shows facts, by the names that it was made with."""
        for name, said in facts.items():
            self.values[name].setText(said)
