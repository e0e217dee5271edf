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
from lumen_desktop.ui.chat.stack import Stack
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import button

SHOWN_AT_ONCE = 20  # exchanges
_MOST_KEPT = 2 * SHOWN_AT_ONCE
_AT_A_TIME = 4  # exchanges made before the window may do something else


class Thread(QScrollArea):
    """A column of exchanges, or one widget where there are none."""

    opened = Signal(object, object, int)  # the view, its citations, which of them
    again = Signal(object)
    copied = Signal(object)
    earlier_wanted = Signal()  # those that were put away are to be read again: `bring_back`

    def __init__(self) -> None:
        super().__init__()
        self.views: list[ExchangeView] = []
        self._before: Sequence[Exchange] = ()  # not shown yet
        self._away = 0  # how many before those were shown and put away
        self._held: ExchangeView | None = None  # stays at the top until the reader scrolls
        self._wanted = 0  # how many of those before are still to be shown
        self._building = QTimer(self, singleShot=True, interval=0)
        self._building.timeout.connect(self._show_some)
        self._instead: QWidget | None = None
        self._stack = Stack()
        self._build()

    def _build(self) -> None:
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._earlier = button("Show earlier", self.show_earlier, role="quiet", icon="arrow-up")
        self._stack.insert(0, self._earlier)
        self._earlier.hide()
        self.setWidget(self._stack)
        self.setAccessibleName("Questions and answers")
        bar = self.verticalScrollBar()
        bar.rangeChanged.connect(self._hold)
        bar.actionTriggered.connect(self._leave)  # by wheel, key or mouse: the reader decides from now on

    def put_before(self, following: QWidget) -> None:
        """Says which widget the Tab key reaches after the answers."""
        self._stack.put_before(following)

    def clear(self) -> None:
        """Takes everything away."""
        for view in [*self.views, self._instead]:
            if view is not None:
                self._stack.take(view)
        self._building.stop()
        self.views, self._instead, self._held = [], None, None
        self._before, self._away = (), 0
        self._earlier.hide()

    def show_instead(self, widget: QWidget) -> None:
        """Shows one widget and no exchange."""
        self.clear()
        self._instead = widget
        self._stack.insert(1, widget, filling=True)

    def show_all(self, exchanges: Sequence[Exchange]) -> None:
        """Shows a conversation, its end first; what stands above comes a few at a time, so that nothing waits."""
        self.clear()
        self._before = exchanges
        self.show_earlier()
        self._held = self.views[-1] if self.views else None

    def add(self, view: ExchangeView) -> ExchangeView:
        """Adds the exchange that is under way, and follows it."""
        if self._instead is not None:
            self.clear()
        if len(self.views) >= _MOST_KEPT:
            self._put_away(len(self.views) - SHOWN_AT_ONCE)
        self._put(view, len(self.views))
        self._held = view
        QTimer.singleShot(0, self, self._hold)
        return view

    def _put_away(self, count: int) -> None:
        """Takes the first exchanges off the screen, so that a day of questions takes no more memory than a few."""
        away, self.views = self.views[:count], self.views[count:]
        self._before, self._away = (), self._away + len(self._before) + count
        for view in away:
            self._stack.take(view)
        self._tell_earlier()

    def remove(self, view: ExchangeView) -> None:
        """Takes one exchange away."""
        self.views.remove(view)
        self._stack.take(view)
        self._stack.arrange()

    def show_earlier(self) -> None:
        """Shows some more exchanges above; what is read stays where it is."""
        if self._away:
            self.earlier_wanted.emit()
            return
        self._wanted = SHOWN_AT_ONCE
        self._held = self.views[0] if self.views else None
        self._show_some()

    def bring_back(self, exchanges: Sequence[Exchange]) -> None:
        """Takes the conversation as it was read again, and shows some more of what stands above."""
        first = self.views[0].exchange.answer.record_id
        self._before, self._away = [each for each in exchanges if each.answer.record_id < first], 0
        self.show_earlier()

    def _show_some(self) -> None:
        some = min(_AT_A_TIME, self._wanted)
        for exchange in reversed(self._before[-some:]):
            self._put(ExchangeView(exchange), 0)
        self._before = self._before[:-some]
        self._wanted -= some
        self._tell_earlier()
        if self._wanted and self._before:
            self._building.start()

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
        self._stack.insert(1 + place, view)

    def _opened(self, view: ExchangeView, citations: tuple[Citation, ...], chosen: int) -> None:
        self.opened.emit(view, citations, chosen)

    def _tell_earlier(self) -> None:
        more = len(self._before) + self._away
        self._earlier.setVisible(bool(more) and not self._wanted)
        self._earlier.setText(f"Show earlier ({formatting.number(more)})")
        self._earlier.setAccessibleName(f"Show earlier questions, {more} more")

    def _hold(self, *_: object) -> None:
        """Brings the exchange that is held to the top, as far as there is enough below it."""
        if self._held is not None:
            top = self._held.mapTo(self._stack, QPoint(0, -2 * SPACE)).y()
            bar = self.verticalScrollBar()
            bar.setValue(min(bar.maximum(), top))

    def _leave(self, _action: int) -> None:
        self._held = None
