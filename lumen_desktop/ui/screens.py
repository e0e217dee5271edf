"""Which screens there are, in the order of the navigation; each is loaded and made when it is first shown."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from PySide6.QtWidgets import QWidget

from lumen_desktop.domain.permissions import Act, Reach
from lumen_desktop.ui.widgets import EmptyState

if TYPE_CHECKING:
    from lumen_desktop.app import Site

Shortcuts = tuple[tuple[str, str], ...]


class Screen(Protocol):
    """What the window asks of a screen, which is a widget."""

    @property
    def busy(self) -> bool:
        """Whether it has work under way that closing the window would have to stop."""

    def activated(self) -> None:
        """It is shown now: look whether what it shows is still so."""

    def stop(self) -> None:
        """Ends its work in order; returns at once."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the navigation.

    Attributes:
        name: what the state file calls it.
        title: what people read.
        icon: file of `resources/icons`.
        module: where its class is.
        kind: name of that class; it is made with the open site, or with None where it needs none.
        needs_site: whether it can be shown before a site is open.
        page: page of the manual that F1 opens.
        act: what a person's duties must include; whose do not is told who may. None for everybody.
    """

    name: str
    title: str
    icon: str
    module: str
    kind: str
    page: str
    needs_site: bool = True
    act: Act | None = None


ENTRIES = (
    Entry("ask", "Ask", "message-square", "chat.screen", "AskScreen", "asking", act=Act.ASK),
    Entry("library", "Library", "library", "library.screen", "LibraryScreen", "library"),
    Entry("documents", "Documents", "file-text", "documents", "DocumentsScreen", "documents", needs_site=False),
    Entry("models", "Models", "cpu", "builds", "ModelsScreen", "models", needs_site=False),
    Entry("audit", "Audit", "shield-check", "audit.screen", "AuditScreen", "audit"),
    Entry("people", "People", "users", "people.screen", "PeopleScreen", "people"),
    Entry("settings", "Settings", "settings", "settings.screen", "SettingsScreen", "settings", needs_site=False),
)


def make(entry: Entry, site: Site | None) -> QWidget:
    """Makes a screen.

    Raises:
        LumenError: what it shows cannot be used, such as a library without its model.
    """
    if site is not None and entry.act is not None and site.person.reach(entry.act) is Reach.NONE:
        return _barred(entry, entry.act, site)
    return cast("QWidget", getattr(_module(entry), entry.kind)(site))


def _barred(entry: Entry, act: Act, site: Site) -> QWidget:
    """Says who may use a screen, to a person who may not."""
    from lumen_desktop.ui.people.words import duties, who_may  # noqa: PLC0415 - most people may

    mine = duties(site.people.me().roles)
    said = f"{who_may(act, site.people.policy().profile)} Your duties at this site: {mine}. An admin assigns duties."
    return EmptyState(entry.icon, entry.title, said)


def shortcuts(entry: Entry) -> Shortcuts:
    """Keys of a screen, with what they do."""
    return cast("Shortcuts", getattr(_module(entry), "SHORTCUTS", ()))


def _module(entry: Entry) -> object:
    return importlib.import_module(f"lumen_desktop.ui.{entry.module}")


def as_screen(widget: QWidget | None) -> Screen | None:
    """A widget's face as a screen; None for a page such as the one that says what cannot be shown."""
    return cast("Screen", widget) if hasattr(widget, "activated") else None
