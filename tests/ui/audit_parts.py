"""What the tests of the audit trail's screen share: events, the screen over a real site, and how it is used."""

from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from lumen_desktop import app
from lumen_desktop.domain.accounts import Actor
from lumen_desktop.ui import errors
from lumen_desktop.ui.audit.filtering import FilterBar
from lumen_desktop.ui.audit.screen import AuditScreen
from lumen_desktop.ui.widgets import Banner, column

WAIT_MS = 20_000
ANNA = Actor("anna", "qa_officer")
OLD, NEW = "Cleaning of shared equiment, edition 3", "Cleaning of shared equipment and rooms, edition 4"
LIMIT = "the limit was lowered after an inspection"


def note(site: app.Site, number: int, *, actor: Actor = ANNA, reason: str = "test") -> None:
    """So many events in one step."""
    with site._database.transaction(actor, reason) as transaction:
        for place in range(number):
            transaction.note(
                "tried", "test_piece", place, before={"title": OLD}, after={"title": NEW, "limit": "10 ppm"}
            )


def shown(site: app.Site, qtbot: QtBot, *, width: int = 1200) -> AuditScreen:
    """The screen in a window that has a banner for refusals; its first page and the number of events are read."""
    screen, banner, window = AuditScreen(site), Banner(), QWidget()
    banner.setObjectName(errors.BANNER)
    layout = column()
    layout.addWidget(banner)
    layout.addWidget(screen, 1)
    window.setLayout(layout)
    qtbot.addWidget(window)
    vars(screen)["around"] = window  # which nobody else holds
    window.resize(width, 800)
    window.show()
    read(qtbot, screen, screen.activated)
    window.activateWindow()
    return screen


def read(qtbot: QtBot, screen: AuditScreen, act: Callable[[], object]) -> None:
    """Does something, and waits until the events were read again."""
    screen.events.said.setText("")
    act()
    qtbot.waitUntil(
        lambda: screen.events.said.text() not in {"", "Reading…"} and not screen.events.reading, timeout=WAIT_MS
    )


def refusal(screen: AuditScreen) -> str:
    """What the window's banner says."""
    banner = screen.window().findChild(Banner, errors.BANNER)
    assert banner is not None
    return banner.words


def numbers(screen: AuditScreen) -> list[int]:
    """The events in the table."""
    return [line.seq for line in screen.events.model.lines]


def choose(box: Any, value: str) -> None:
    box.setCurrentIndex(box.findData(value))


def give(bar: FilterBar, **words: str) -> None:
    """Writes into fields, as a person who then presses Enter."""
    for name, text in words.items():
        getattr(bar, name).setText(text)
    bar.read()
