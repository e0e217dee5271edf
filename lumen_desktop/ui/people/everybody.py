"""Everybody at the site: who they are, what they may do, how their accounts stand; and what an admin does about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QPushButton

from lumen_desktop.domain.permissions import Act
from lumen_desktop.ui.entrance import field
from lumen_desktop.ui.flow import Flow
from lumen_desktop.ui.formatting import counted, moment
from lumen_desktop.ui.people import jobs, words
from lumen_desktop.ui.people.part import Part, Viewer
from lumen_desktop.ui.people.rows import PeopleRows, people_table
from lumen_desktop.ui.widgets import button, label

if TYPE_CHECKING:
    from lumen_desktop.app import Site
    from lumen_desktop.domain.accounts import User
    from lumen_desktop.services.accounts import People, Standing

_FIELD = 200  # pixels at the default text size
_NOBODY = "Choose a person in the list."
_ONESELF = "Nobody changes their own access; another admin can."
Job = Callable[[Part, "People", "User"], object]


class EverybodyPart(Part):
    """The list, and a button for each job over the person who is chosen."""

    def __init__(self, site: Site) -> None:
        super().__init__(site, "People", Act.READ_PEOPLE)
        self._total = 0
        self.rows = PeopleRows()
        self.view = people_table(self.rows, "People")
        self.filter = field("Filter the people")
        self.filter.setPlaceholderText("Filter by name, duty or state")
        self.filter.setClearButtonEnabled(True)
        self.count = label("", "small")
        self.count.setWordWrap(False)
        self.add = button(
            "Add a person…", lambda: jobs.add_person(self, site.people), role="primary", icon="plus", shortcut="Ctrl+N"
        )
        self.details = label(_NOBODY, "muted", selectable=True)
        self.duties = self._job("Change duties…", jobs.change_duties)
        self.identity = self._job("Record identity…", jobs.check_identity)
        self.unlock = self._job("Unlock…", jobs.unlock)
        self.reset = self._job("New password…", jobs.reset)
        self.deactivate = self._job("Deactivate…", jobs.deactivate, role="danger")
        self._build()

    def _build(self) -> None:
        head, foot = Flow(), Flow()
        head.add(self.filter, grows=True, least_px=_FIELD)
        head.add(self.count)
        head.add(self.add)
        for made in (self.duties, self.identity, self.unlock, self.reset, self.deactivate):
            foot.add(made)
        self.body.addLayout(head)
        self.body.addWidget(self.view, 1)
        self.body.addWidget(self.details)
        self.body.addLayout(foot)
        self.filter.textChanged.connect(self._narrow)
        self.view.selectionModel().selectionChanged.connect(lambda *_: self._describe())
        self.rows.modelReset.connect(self._describe)
        find = QShortcut(QKeySequence("Ctrl+F"), self)
        find.activated.connect(self.filter.setFocus)

    def _job(self, title: str, job: Job, *, role: str = "") -> QPushButton:
        def begin() -> None:
            if (it := self.chosen) is not None:
                job(self, self._site.people, it.user)

        return button(title, begin, role=role)

    @property
    def chosen(self) -> Standing | None:
        """Who is selected."""
        rows = self.view.selectionModel().selectedRows()
        return self.rows.person(rows[0]) if rows else None

    def choose(self, name: str) -> None:
        """Selects a person, if they are shown."""
        if (row := self.rows.row_of(name)) >= 0:
            self.view.selectRow(row)

    def read(self, _viewer: Viewer) -> Sequence[Standing]:
        """All people."""
        return self._site.people.list()

    def show_found(self, viewer: Viewer, found: Sequence[Standing]) -> None:
        """Shows them, with the one who was chosen chosen yet."""
        held, self._total = self.chosen, len(found)
        self.rows.show_people(found)
        self._tell_count()
        viewer.let(self.add, Act.MANAGE_PEOPLE, tip="Add a person (Ctrl+N)")
        if held is not None:
            self.choose(held.user.name)
        self._describe()

    def _narrow(self, typed: str) -> None:
        held = self.chosen
        self.rows.narrow(typed)
        self._tell_count()
        if held is not None:
            self.choose(held.user.name)

    def _tell_count(self) -> None:
        everybody = counted(self._total, "person", "people")
        shown = self.rows.rowCount()
        self.count.setText(everybody if shown == self._total else f"{shown} of {everybody}")

    def _describe(self) -> None:
        """Says what is known of the person who is chosen, and lets buttons be pressed that would do something."""
        it, viewer = self.chosen, self.viewer
        self.details.setText(described(it) if it else _NOBODY)
        if viewer is None:
            return
        oneself = _ONESELF if it and it.user.id == viewer.me.id else ""
        open_now = "" if it and it.lockout.failures else "There is no wrong password to forgive."
        gone = "" if it and it.user.active else "They are deactivated already."
        reasons = ((self.duties, oneself), (self.identity, oneself), (self.unlock, open_now), (self.reset, oneself),
                   (self.deactivate, oneself or gone))  # fmt: skip
        for made, why_not in reasons:
            viewer.let(made, Act.MANAGE_PEOPLE, why_not if it else _NOBODY)


def described(it: Standing) -> str:
    """What the columns leave out, in a few sentences."""
    user = it.user
    return (
        f"{user.printed_name} ({user.name}), {words.state(it)}, since {moment(user.created_utc)}. Identity: "
        f"{words.identity(user)}. Accountability: {words.accountability(user)}. "
        f"One-time code: {'asked for' if user.second_factor else 'not asked for'}."
    )
