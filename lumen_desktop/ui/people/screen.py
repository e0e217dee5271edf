"""The screen of people: four parts as tabs; each reads anew when it is shown, and when another one wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QTabWidget, QWidget

from lumen_desktop.ui.flow import Flow
from lumen_desktop.ui.people.account import AccountPart
from lumen_desktop.ui.people.everybody import EverybodyPart
from lumen_desktop.ui.people.part import Part
from lumen_desktop.ui.people.policy import PolicyPart
from lumen_desktop.ui.people.review import ReviewPart
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import button, column, label

if TYPE_CHECKING:
    from lumen_desktop.app import Site

SHORTCUTS = (
    ("Ctrl+Tab", "Next page of people"),
    ("F5", "Read what is shown again"),
    ("Ctrl+F", "Filter the people"),
    ("Ctrl+N", "Add a person"),
)


class PeopleScreen(QWidget):
    """One's own account, everybody, the access review, and the policy."""

    def __init__(self, site: Site) -> None:
        super().__init__()
        self.account, self.everybody = AccountPart(site), EverybodyPart(site)
        self.review, self.policy = ReviewPart(site), PolicyPart(site)
        self.tabs = QTabWidget()
        for part in (self.tabs, self.tabs.tabBar()):
            part.setAccessibleName("Pages of people")
        for page in self.parts:
            self.tabs.addTab(page, page.accessibleName())
            page.changed.connect(self.activated)
        self.tabs.currentChanged.connect(lambda _: self.activated())
        head = Flow()
        head.add(label("People", "title"), grows=True)
        head.add(button("Read again", self.activated, icon="refresh-cw", shortcut="F5"))
        layout = column(margin=2 * SPACE)
        layout.addLayout(head)
        layout.addWidget(self.tabs, 1)
        self.setLayout(layout)

    @property
    def parts(self) -> tuple[Part, ...]:
        """All of them, in the order of the tabs."""
        return self.account, self.everybody, self.review, self.policy

    @property
    def busy(self) -> bool:
        """Whether a form does its job now."""
        return any(part.busy for part in self.parts)

    def activated(self) -> None:
        """Reads what the page that is shown shows; the others read when they are."""
        self.parts[self.tabs.currentIndex()].activated()

    def stop(self) -> None:
        """Gives up what takes long."""
        for part in self.parts:
            part.stop()
