"""Pages fetched off the interface's thread: one at a time, the newest wish next, the last ones kept.

Whoever turns pages quickly waits for one page, never for all that were passed by. `pages.PagePane` asks.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from lumen_desktop.errors import LumenError
from lumen_desktop.services.sources import PageView
from lumen_desktop.ui import tasks

LARGEST_CACHE_BYTES = 64 * 1024 * 1024


class Pages(Protocol):
    """Where pages come from: `services.sources.Sources`, or its `Sheets`."""

    def page(
        self, document_id: int, number: int, *, width_px: int | None, passage_id: int | None = None, quote: str = ""
    ) -> PageView:
        """See `Sources.page`."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page that somebody waits for.

    Attributes:
        document_id: the document; `number` its page, from 1.
        width_px: pixels of the screen; None where only the text is wanted.
        passage_id: whose quote is marked; without `quote` the whole passage.
        quote: its words.
    """

    document_id: int
    number: int
    width_px: int | None
    passage_id: int | None = None
    quote: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Fetched:
    """A page that came: what the service says of it, its pixels as an image where it has any."""

    wanted: Wanted
    view: PageView
    image: QImage


class PageLoader(QObject):
    """Fetches pages and keeps the last ones.

    Args:
        owner: whose life bounds it.
        sources: the service, asked for when first needed.
    """

    arrived = Signal(object)
    refused = Signal(object, object)

    def __init__(self, owner: QObject, sources: Callable[[], Pages]) -> None:
        super().__init__(owner)
        self._sources = sources
        self._newest: Wanted | None = None
        self._running = False
        self._kept: OrderedDict[Wanted, Fetched] = OrderedDict()

    def want(self, wanted: Wanted) -> None:
        """Asks for a page; what was asked for before and has not come is not shown any more."""
        self._newest = wanted
        if wanted in self._kept:
            self._kept.move_to_end(wanted)
            self.arrived.emit(self._kept[wanted])
        elif not self._running:
            self._start(wanted)

    def forget(self) -> None:
        """Nobody waits for a page any more."""
        self._newest = None

    @property
    def kept_bytes(self) -> int:
        """What the kept images take."""
        return sum(fetched.image.sizeInBytes() for fetched in self._kept.values())

    def _start(self, wanted: Wanted) -> None:
        self._running = True
        sources = self._sources()
        tasks.run(
            self, lambda: _fetch(sources, wanted), self._came, lambda error: self._failed(wanted, error)
        ).finished.connect(self._next)

    def _came(self, fetched: Fetched) -> None:
        self._kept[fetched.wanted] = fetched
        while len(self._kept) > 1 and self.kept_bytes > LARGEST_CACHE_BYTES:
            self._kept.popitem(last=False)
        if fetched.wanted == self._newest:
            self.arrived.emit(fetched)

    def _failed(self, wanted: Wanted, error: LumenError) -> None:
        if wanted == self._newest:
            self._newest = None
            self.refused.emit(wanted, error)

    def _next(self) -> None:
        self._running = False
        if self._newest is not None and self._newest not in self._kept:
            self._start(self._newest)


def _fetch(sources: Pages, wanted: Wanted) -> Fetched:
    """One page; made into an image here, in the thread of the task."""
    view = sources.page(
        wanted.document_id, wanted.number, width_px=wanted.width_px, passage_id=wanted.passage_id, quote=wanted.quote
    )
    if view.rgb is None:
        return Fetched(wanted, view, QImage())
    rows = QImage(view.rgb, view.width_px, view.height_px, 3 * view.width_px, QImage.Format.Format_RGB888)
    return Fetched(wanted, replace(view, rgb=None), rows.convertToFormat(QImage.Format.Format_RGB32))
