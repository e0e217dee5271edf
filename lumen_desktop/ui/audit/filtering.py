"""The fields that choose events: words, who, what, which thing, when, and in which order. Knows no service."""

from datetime import datetime

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget

from lumen_desktop.domain.audit import Choices, Filters, Order
from lumen_desktop.ui import theme
from lumen_desktop.ui.audit import words
from lumen_desktop.ui.flow import Flow
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import announce, button, column, label, sized

ORDERS = (
    ("Newest first", Order.SEQ, True),
    ("Oldest first", Order.SEQ, False),
    ("Latest time first", Order.TIME, True),
    ("Earliest time first", Order.TIME, False),
    ("By person, A to Z", Order.ACTOR, False),
    ("By person, Z to A", Order.ACTOR, True),
)
_AFTER_TYPING_MS = 300
_WORDS, _DATE, _NUMBER = 200, 130, 110  # pixels at the default text size
_ROOM_PX = 560  # of the window, from which on the fields are open at first


class FilterBar(QWidget):
    """Says which events are wanted, each time that changes."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.filters = Filters()
        self._own = self._met = self._clearing = False
        self._typed = QTimer(self, singleShot=True, interval=_AFTER_TYPING_MS)
        self._typed.timeout.connect(self.read)
        self._build()

    def _build(self) -> None:
        self.words = self._field("Words in reasons and values", "Search the trail's reasons and values")
        self.words.textEdited.connect(lambda _: self._typed.start())
        self.who, self.what = self._choice("Who", "Anybody"), self._choice("What was done", "Any act")
        self.kind = self._choice("Kind of thing", "Anything")
        self.number = self._field("", "Number or name of the thing")
        self.since, self.until = (
            self._field("2026-11-22", "From this time, UTC"),
            self._field("2026-11-30", "To this time, UTC"),
        )
        self.order = QComboBox()
        self.order.setAccessibleName("Order of the events")
        self.order.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.order.addItems([name for name, _, _ in ORDERS])
        self.order.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.more = button("Filters", self._fold, icon="list", tip="Shows the fields that choose events, or hides them")
        self.more.setCheckable(True)
        self.clear_button = button("Clear", self.clear, role="quiet", icon="x", tip="Shows all events again")
        first = Flow()
        first.add(self.words, grows=True, least_px=_WORDS)
        first.add(self.order)
        first.add(self.more)
        first.add(self.clear_button)
        self.clear_button.hide()
        self._fields, fields = QWidget(), Flow(spacing=int(1.5 * SPACE))
        for field, least in ((self.number, _NUMBER), (self.since, _DATE), (self.until, _DATE)):
            sized(field, least=least)
        named = (("Who", self.who), ("What", self.what), ("Of", self.kind), ("Its number", self.number),
                 ("From (UTC)", self.since), ("To (UTC)", self.until))  # fmt: skip
        self._named = [_named(title, field) for title, field in named]
        for part in self._named:
            fields.add(part)
        self._fields.setLayout(fields)
        self._fields.hide()
        self.problem = label("", "danger")
        self.problem.hide()
        layout = column()
        layout.addLayout(first)
        layout.addWidget(self._fields)
        layout.addWidget(self.problem)
        self.setLayout(layout)

    def _field(self, hint: str, name: str) -> QLineEdit:
        made = QLineEdit()
        made.setPlaceholderText(hint)
        made.setAccessibleName(name)
        made.setClearButtonEnabled(True)
        made.setAcceptDrops(False)
        made.setMaxLength(400)
        made.editingFinished.connect(self.read)
        made.textChanged.connect(lambda words: None if words else self.read())
        return made

    def _choice(self, name: str, none: str) -> QComboBox:
        made = QComboBox()
        made.setAccessibleName(name)
        made.addItem(none, "")
        made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        made.currentIndexChanged.connect(lambda _: self.read())
        return made

    @property
    def sorted_by(self) -> tuple[Order, bool]:
        """What the events are sorted by, and whether backwards."""
        _, order, descending = ORDERS[self.order.currentIndex()]
        return order, descending

    def sort(self, order: Order, *, descending: bool) -> None:
        """Chooses the order, as a heading of the table does."""
        self.order.setCurrentIndex(next(at for at, each in enumerate(ORDERS) if each[1:] == (order, descending)))

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Opens the fields at first where they leave room for the events."""
        super().showEvent(event)
        if not self._met:
            self._met = True
            self._unfold(on=self.window().height() >= theme.scaled(_ROOM_PX))

    def only_own(self, *, on: bool) -> None:
        """Takes the choice of people away from who sees their own events only."""
        self._own = on
        self._named[0].setVisible(not on)

    def know(self, choices: Choices) -> None:
        """Offers what the trail tells of; what is chosen stays chosen."""
        for box, names in ((self.who, choices.actors), (self.what, choices.acts), (self.kind, choices.entities)):
            if [box.itemData(at) for at in range(1, box.count())] != list(names):
                _offer(box, names)

    def clear(self) -> None:
        """Wants all events."""
        self._clearing = True
        for field in (self.words, self.number, self.since, self.until):
            field.clear()
        for box in (self.who, self.what, self.kind):
            box.setCurrentIndex(0)
        self._clearing = False
        self.read()
        self.words.setFocus(Qt.FocusReason.OtherFocusReason)

    def read(self) -> None:
        """Takes what the fields say; says so where that is another choice of events."""
        self._typed.stop()
        if self._clearing:
            return
        try:
            since, until = self._time(self.since, end=False), self._time(self.until, end=True)
        except (ValueError, OverflowError):
            self.problem.setText(words.NO_TIME)
            self.problem.show()
            announce(self, words.NO_TIME)
            return
        self.problem.hide()
        asked = Filters(
            actor="" if self._own else self.who.currentData(), act=self.what.currentData(),
            entity=self.kind.currentData(), entity_id=self.number.text().strip(), since=since, until=until,
            words=self.words.text().strip(),
        )  # fmt: skip
        if asked != self.filters:
            self.filters = asked
            self._tell_folded()
            self.changed.emit()

    def _time(self, field: QLineEdit, *, end: bool) -> datetime | None:
        return words.asked_time(field.text(), end=end)

    def _tell_folded(self) -> None:
        """Names on the button how many fields choose: they may be hidden."""
        self.clear_button.setVisible(self.filters != Filters())
        asked = self.filters
        chosen = (asked.actor, asked.act, asked.entity, asked.entity_id, asked.since, asked.until)
        number = sum(each not in {"", None} for each in chosen)
        self.more.setText(f"Filters ({number})" if number else "Filters")
        self.more.setAccessibleName(self.more.text())

    def _fold(self) -> None:
        self._unfold(on=self.more.isChecked())

    def _unfold(self, *, on: bool) -> None:
        self.more.setChecked(on)
        self._fields.setVisible(on)


def _named(title: str, field: QWidget) -> QWidget:
    """A field under its name."""
    named = label(title, "small")
    named.setWordWrap(False)
    named.setBuddy(field)
    layout = column(spacing=SPACE // 2)
    layout.addWidget(named)
    layout.addWidget(field)
    made = QWidget()
    made.setLayout(layout)
    return made


def _offer(box: QComboBox, names: tuple[str, ...]) -> None:
    chosen = box.currentData()
    box.blockSignals(True)  # noqa: FBT003 - Qt's own
    while box.count() > 1:
        box.removeItem(1)
    for name in names if not chosen or chosen in names else (*names, chosen):
        box.addItem(words.plain(name), name)
    box.setCurrentIndex(max(0, box.findData(chosen)))
    box.blockSignals(False)  # noqa: FBT003
