"""A source beside what cites it: whose words these are, the page, and the quote lit on it.

`show_quotes` is for answers, `show_passages` for search results; both go from one to the next by keyboard. Knows
neither conversations nor lists.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QWidget

from lumen_desktop.app import Site
from lumen_desktop.domain.chat import Citation
from lumen_desktop.domain.library import Passage
from lumen_desktop.errors import LumenError
from lumen_desktop.services.sources import Source
from lumen_desktop.ui import tasks, widgets
from lumen_desktop.ui.flow import Flow
from lumen_desktop.ui.library import pages
from lumen_desktop.ui.library.keys import shortcut
from lumen_desktop.ui.library.pages import Opened, PagePane
from lumen_desktop.ui.theme import SPACE

SHORTCUTS: tuple[tuple[str, str], ...] = (
    ("Alt+Left", "Previous quote"),
    ("Alt+Right", "Next quote"),
    *pages.SHORTCUTS,
    ("Esc", "Close the source"),
)


_LEAST_PX = 280


@dataclass(frozen=True, slots=True)
class _Place:
    """What is opened: a passage, the quote in it or the whole of it, and what is known before it is read."""

    passage_id: int
    quote: str
    document: str
    attribution: str
    section: str


class SourceView(QFrame):
    """A panel that shows a source.

    Args:
        site: where the sources are.
    """

    closed = Signal()

    def __init__(self, site: Site, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._site = site
        self._places: list[_Place] = []
        self._chosen = 0
        self._noun = "Quote"
        self._opening: tasks.Task | None = None
        self._build()

    def _build(self) -> None:
        self.setProperty("role", "panel")
        self.setAccessibleName("Source")
        self._title = widgets.label("", "heading", selectable=True)
        close = widgets.icon_button("panel-right-close", "Close the source", self.close_source)
        head = widgets.row()
        head.addWidget(self._title, 1)
        head.addWidget(close, alignment=Qt.AlignmentFlag.AlignTop)
        self._attribution = widgets.label("", "muted", selectable=True)
        self._section = widgets.label("", "small", selectable=True)
        self._before = widgets.button("Previous", lambda: self.step(-1), role="quiet", icon="chevron-left")
        self._after = widgets.button("Next", lambda: self.step(1), role="quiet", icon="chevron-right")
        shortcut(self, "Alt+Left", lambda: self.step(-1), self._before)
        shortcut(self, "Alt+Right", lambda: self.step(1), self._after)
        self._count = widgets.label("", "small")
        self._count.setWordWrap(False)
        steps = Flow(spacing=SPACE // 2)
        steps.add(self._count)
        steps.stretch()
        steps.add(self._before)
        steps.add(self._after)
        self._steps = QWidget()
        self._steps.setLayout(steps)
        self._pane = PagePane(lambda: self._site.sources)
        inside, whole = QWidget(), widgets.column()
        layout = widgets.column(margin=2 * SPACE)
        layout.addLayout(head)
        for part in (self._attribution, self._section, self._steps, widgets.line()):
            layout.addWidget(part)
        layout.addWidget(self._pane, 1)
        inside.setLayout(layout)
        panel = widgets.Scrolled(inside)
        panel.setAccessibleName("Source")
        whole.addWidget(panel)
        self.setLayout(whole)
        self.setMinimumWidth(_LEAST_PX)
        close.setToolTip("Close the source (Esc)")

    @property
    def pane(self) -> PagePane:
        """The page."""
        return self._pane

    @property
    def chosen(self) -> int:
        """Which of the quotes is open, from 0."""
        return self._chosen

    def show_quotes(self, citations: Sequence[Citation], chosen: int) -> None:
        """Opens one of an answer's quotes; the others are a step away.

        Args:
            citations: the answer's, in order; at least one.
            chosen: which of them, from 0.
        """
        places = [_Place(c.passage_id, c.quote, c.document, c.attribution, c.section) for c in citations]
        self._show(places, chosen, noun="Quote")

    def show_passages(self, passages: Sequence[Passage], chosen: int) -> None:
        """Opens one of some passages, marked as a whole; the others are a step away.

        Args:
            passages: in order; at least one.
            chosen: which of them, from 0.
        """
        places = [_Place(p.id, "", p.document, p.attribution, p.section) for p in passages]
        self._show(places, chosen, noun="Passage")

    def step(self, by: int) -> None:
        """Goes to a quote before or after, as far as there are any."""
        target = self._chosen + by
        if 0 <= target < len(self._places):
            self._go(target)

    def close_source(self) -> None:
        """Says that the panel is not wanted any more; whoever owns it takes it away."""
        self._drop()
        self._pane.clear()
        self._places = []
        self.closed.emit()

    def event(self, event: QEvent) -> bool:
        """While the focus is in here Escape is the panel's, whatever it means around it."""
        if event.type() == QEvent.Type.ShortcutOverride and cast("QKeyEvent", event).key() == Qt.Key.Key_Escape:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Escape closes."""
        if event.key() == Qt.Key.Key_Escape:
            self.close_source()
            return
        super().keyPressEvent(event)

    def _show(self, places: list[_Place], chosen: int, *, noun: str) -> None:
        self._places, self._noun = places, noun
        kind = noun.lower()
        self._before.setAccessibleName(f"Previous {kind}")
        self._after.setAccessibleName(f"Next {kind}")
        self._steps.setVisible(len(places) > 1)
        self._go(chosen)

    def _go(self, chosen: int) -> None:
        self._chosen = chosen
        place = self._places[chosen]
        self._title.setText(place.document)
        self._attribution.setText(place.attribution)
        self._attribution.setVisible(place.attribution != place.document)
        self._section.setText(place.section)
        self._section.setVisible(bool(place.section))
        self._count.setText(f"{self._noun} {chosen + 1} of {len(self._places)}")
        self._before.setEnabled(chosen > 0)
        self._after.setEnabled(chosen < len(self._places) - 1)
        self._drop()
        self._pane.opening()
        sources = self._site.sources
        self._opening = tasks.run(
            self, lambda: sources.open(place.passage_id, place.quote), lambda source: self._open(place, source),
            self._refused,
        )  # fmt: skip

    def _open(self, place: _Place, source: Source) -> None:
        self._opening = None
        opened = Opened(
            source.document_id, source.title, source.pages, source.drawable, source.paged, place.passage_id, place.quote
        )
        self._pane.open(opened, source.page)

    def _refused(self, error: LumenError) -> None:
        self._opening = None
        self._pane.clear(f"{error.message} {error.hint}")

    def _drop(self) -> None:
        if self._opening is not None:
            self._opening.drop()
        self._opening = None
