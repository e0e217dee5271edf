"""The exchanges of a conversation, one below the other; the last ones first, earlier ones on demand.

While an answer comes, the view follows it until its question stands at the top, and leaves the rest to the
reader. Knows no service; `screen` fills it.
"""

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication, QScrollArea, QWidget

from lumen_desktop.domain.chat import Citation, Exchange
from lumen_desktop.ui import formatting
from lumen_desktop.ui.chat.exchange import ExchangeView
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import button, column, row

SHOWN_AT_ONCE = 20  # exchanges
MEASURE = 760  # pixels; longer lines are hard to read
_ALL_SPACE = 1000  # stretch of the text against its margins


class Thread(QScrollArea):
    """A column of exchanges, or one widget where there are none."""

    opened = Signal(object, object, int)  # the view, its citations, which of them
    again = Signal(str)
    copied = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.views: list[ExchangeView] = []
        self._before: Sequence[Exchange] = ()  # not shown yet
        self._followed: ExchangeView | None = None
        self._instead: QWidget | None = None
        self._inside = QWidget()
        self._build()

    def _build(self) -> None:
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._earlier = button("Show earlier", self.show_earlier, role="quiet", icon="arrow-up")
        self._earlier.hide()
        self._column = column(spacing=4 * SPACE)
        self._column.addWidget(self._earlier, alignment=Qt.AlignmentFlag.AlignHCenter)
        self._column.addStretch(1)
        text = QWidget()
        text.setMaximumWidth(MEASURE)
        text.setLayout(self._column)
        inside = self._inside
        layout = row(margin=2 * SPACE)
        layout.addStretch(1)
        layout.addWidget(text, _ALL_SPACE)
        layout.addStretch(1)
        inside.setLayout(layout)
        self.setWidget(inside)
        self.setAccessibleName("Questions and answers")
        bar = self.verticalScrollBar()
        bar.rangeChanged.connect(self._follow)
        bar.actionTriggered.connect(self._leave)  # by wheel, key or mouse: the reader decides from now on

    def clear(self) -> None:
        """Takes everything away."""
        for view in [*self.views, self._instead]:
            if view is not None:
                self._column.removeWidget(view)
                view.hide()
                view.deleteLater()
        self.views, self._instead, self._before, self._followed = [], None, (), None
        self._earlier.hide()

    def show_instead(self, widget: QWidget) -> None:
        """Shows one widget and no exchange."""
        self.clear()
        self._instead = widget
        self._column.insertWidget(1, widget, _ALL_SPACE)

    def show_all(self, exchanges: Sequence[Exchange]) -> None:
        """Shows a conversation, its end first."""
        self.clear()
        self._before = exchanges[:-SHOWN_AT_ONCE]
        for exchange in exchanges[-SHOWN_AT_ONCE:]:
            self._put(ExchangeView(exchange), len(self.views))
        self._tell_earlier()
        QTimer.singleShot(0, self, self._to_end)

    def add(self, view: ExchangeView) -> ExchangeView:
        """Adds the exchange that is under way, and follows it."""
        if self._instead is not None:
            self.clear()
        self._put(view, len(self.views))
        self._followed = view
        QTimer.singleShot(0, self, self._follow)
        return view

    def remove(self, view: ExchangeView) -> None:
        """Takes one exchange away."""
        self.views.remove(view)
        self._column.removeWidget(view)
        view.deleteLater()

    def show_earlier(self) -> None:
        """Shows some more exchanges above; what is read stays where it is."""
        bar = self.verticalScrollBar()
        from_end = bar.maximum() - bar.value()
        self._followed = None
        added = self._before[-SHOWN_AT_ONCE:]
        self._before = self._before[: -SHOWN_AT_ONCE or None]
        for place, exchange in enumerate(added):
            self._put(ExchangeView(exchange), place)
        self._tell_earlier()
        QTimer.singleShot(0, self, lambda: bar.setValue(bar.maximum() - from_end))

    @property
    def current(self) -> ExchangeView | None:
        """The exchange that holds the focus, else the last one."""
        focused = QApplication.focusWidget()
        for view in self.views:
            if focused is not None and view.isAncestorOf(focused):
                return view
        return self.views[-1] if self.views else None

    def mark_open(self, view: ExchangeView | None, chosen: int | None) -> None:
        """Marks the quote whose source stands beside; None marks none."""
        for each in self.views:
            each.choose(chosen if each is view else None)

    def _put(self, view: ExchangeView, place: int) -> None:
        view.opened.connect(lambda citations, chosen: self._opened(view, citations, chosen))
        view.again.connect(self.again)
        view.copied.connect(self.copied)
        self.views.insert(place, view)
        self._column.insertWidget(1 + place, view)

    def _opened(self, view: ExchangeView, citations: tuple[Citation, ...], chosen: int) -> None:
        self.opened.emit(view, citations, chosen)

    def _tell_earlier(self) -> None:
        self._earlier.setVisible(bool(self._before))
        self._earlier.setText(f"Show earlier ({formatting.number(len(self._before))})")
        self._earlier.setAccessibleName(f"Show earlier questions, {len(self._before)} more")

    def _follow(self, *_: object) -> None:
        if self._followed is not None:
            self._bring_up(self._followed)

    def _leave(self, _action: int) -> None:
        self._followed = None

    def _to_end(self) -> None:
        if self.views:
            self._bring_up(self.views[-1])

    def _bring_up(self, view: ExchangeView) -> None:
        bar = self.verticalScrollBar()
        top = view.mapTo(self._inside, QPoint(0, -2 * SPACE)).y()
        bar.setValue(min(bar.maximum(), top))
