"""The field for a question: what to ask, where to search, whether the model comments; Send, or Stop while it answers.

Knows no service; `screen` asks.
"""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QMimeData, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QComboBox, QFrame, QPlainTextEdit, QProgressBar, QPushButton, QWidget

from lumen_desktop.services.chat import LONGEST_QUESTION
from lumen_desktop.ui import formatting, theme
from lumen_desktop.ui.flow import Flow
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import button, column, fitted, label, row, sized

EVERYWHERE = "All collections"
_MOST_LINES = 6
_NEAR = 400  # characters before the limit from which on they are counted
_LONGEST_PASTE = LONGEST_QUESTION + 1000  # a field with megabytes on one line would hold up the window
_METER_WIDTH = 72  # pixels; it holds no words
_COLLECTION, _SEND = 220, 96  # pixels: a collection's name has no more, a button no less


class _Field(QPlainTextEdit):
    """Grows with its text; Enter sends, Shift+Enter begins a line."""

    sent = Signal()
    focused = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        theme.mark(self, "bare")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setPlaceholderText("Ask your library …")
        self.setAccessibleName("Question")
        self.setAccessibleDescription("Enter sends it, Shift and Enter begin a new line.")
        self.document().setDocumentMargin(0)
        self.document().documentLayout().documentSizeChanged.connect(self.fit)
        fitted(self, self.fit)

    def fit(self, *_: object) -> None:
        """Makes it as high as its text, up to six lines."""
        lines = min(max(int(self.document().size().height()), 1), _MOST_LINES)
        self.setFixedHeight(lines * self.fontMetrics().lineSpacing() + SPACE // 2)

    def event(self, event: QEvent) -> bool:
        """Leaves Undo to the screen where nothing was written that could be taken back."""
        if event.type() == QEvent.Type.ShortcutOverride and not self.document().isUndoAvailable():
            assert isinstance(event, QKeyEvent)
            if event.matches(QKeySequence.StandardKey.Undo):
                event.ignore()
                return False
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's
        enter = event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}
        if enter and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.sent.emit()
        else:
            super().keyPressEvent(event)

    def insertFromMimeData(self, source: QMimeData) -> None:  # noqa: N802 - Qt's
        """Takes plain text only, and of a very long one only as much as shows that it is too long."""
        room = max(0, _LONGEST_PASTE - len(self.toPlainText()))
        self.insertPlainText(source.text()[:room])

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802 - Qt's
        super().focusInEvent(event)
        self.focused.emit(True)  # noqa: FBT003 - Qt's signal

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802 - Qt's
        super().focusOutEvent(event)
        self.focused.emit(False)  # noqa: FBT003


class Composer(QFrame):
    """A question's field and what goes with it."""

    asked = Signal()
    stopped = Signal()

    def __init__(self, *, prose: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = _Field()
        self.collections = QComboBox()
        self.commentary = QPushButton()
        self.count = label("", "small")
        self.meter = _Meter()
        self.send = button("Ask", self.asked.emit, role="primary", icon="send-horizontal", tip="Ask (Enter)")
        self.stop = button("Stop", self.stopped.emit, role="danger", icon="circle-stop", tip="Stop the answer (Esc)")
        self._build()
        self.commentary.setChecked(prose)
        self._tell_commentary(on=prose)

    def _build(self) -> None:
        theme.mark(self, "composer")
        self.field.sent.connect(self._sent)
        self.field.focused.connect(lambda has: theme.mark(self, "composer-focus" if has else "composer"))
        self.field.textChanged.connect(self._count)
        self.collections.addItem(EVERYWHERE, None)
        self.collections.setAccessibleName("Where to search")
        self.collections.setToolTip("Where to search")
        self.collections.currentTextChanged.connect(
            lambda name: self.collections.setToolTip(f"Where to search: {name}")  # its name may be cut
        )
        self.collections.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.collections.setMinimumContentsLength(1)
        sized(self.collections, most=_COLLECTION)
        self.commentary.setCheckable(True)
        theme.mark(self.commentary, "quiet")
        self.commentary.setAccessibleName("Commentary by the model")
        self.commentary.toggled.connect(lambda on: self._tell_commentary(on=on))
        self.commentary.setToolTip("Let the model comment below the quotes; its words are not verified")
        self.count.setWordWrap(False)
        self.count.hide()
        for shown in (self.send, self.stop):
            shown.setMinimumWidth(_SEND)
        self.stop.hide()
        below = Flow()
        below.add(self.collections)
        below.add(self.commentary)
        below.stretch()
        below.add(self.send)
        below.add(self.stop)
        told = Flow()
        told.add(self.count)
        told.stretch()
        told.add(self.meter)
        layout = column(margin=SPACE + SPACE // 2, spacing=SPACE)
        layout.addWidget(self.field)
        layout.addLayout(below)
        layout.addLayout(told)
        self.setLayout(layout)

    @property
    def text(self) -> str:
        """What stands in the field."""
        return self.field.toPlainText()

    def write(self, text: str) -> None:
        """Puts a text into the field, its end under the cursor."""
        self.field.setPlainText(text)
        self.field.moveCursor(self.field.textCursor().MoveOperation.End)

    @property
    def collection(self) -> str | None:
        """Where to search; None is everywhere."""
        chosen = self.collections.currentData()
        return None if chosen is None else str(chosen)

    def offer(self, names: Sequence[str]) -> None:
        """Offers collections; the one chosen stays so where it is still there."""
        chosen = self.collection
        self.collections.clear()
        self.collections.addItem(EVERYWHERE, None)
        for name in names:
            self.collections.addItem(name, name)
        self.collections.setCurrentIndex(max(0, self.collections.findData(chosen) if chosen else 0))

    def answering(self, *, now: bool) -> None:
        """Lets Stop take the place of Send, or back; the focus goes with it where it was on either."""
        gone, shown = (self.send, self.stop) if now else (self.stop, self.send)
        had_focus = gone.hasFocus()
        shown.show()
        if had_focus:
            shown.setFocus()
        gone.hide()

    def _tell_commentary(self, *, on: bool) -> None:
        self.commentary.setText(f"Commentary {'on' if on else 'off'}")

    def _sent(self) -> None:
        if self.stop.isHidden():
            self.asked.emit()

    def _count(self) -> None:
        length = len(self.text.strip())
        self.count.setVisible(length > LONGEST_QUESTION - _NEAR)
        theme.mark(self.count, "danger" if length > LONGEST_QUESTION else "small")
        self.count.setText(f"{formatting.number(length)} of {formatting.number(LONGEST_QUESTION)} characters")


class _Meter(QWidget):
    """How much of the model's context window the last answer took; hidden where no model wrote."""

    def __init__(self) -> None:
        super().__init__()
        self._words = label("", "small")
        self._words.setWordWrap(False)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(_METER_WIDTH)
        layout = row(spacing=SPACE)
        layout.addWidget(self._words)
        layout.addWidget(self._bar, alignment=Qt.AlignmentFlag.AlignVCenter)
        self.setLayout(layout)
        self.hide()

    def tell(self, used: int, window: int) -> None:
        """Shows tokens used out of a window; nothing where none were."""
        self.setVisible(used > 0)
        self._words.setText(f"Context {formatting.number(used)} of {formatting.number(window)}")
        self._bar.setRange(0, max(window, 1))
        self._bar.setValue(min(used, window))
        words = f"The last answer took {used} of {window} tokens of the model’s context window"
        self.setToolTip(words)
        self.setAccessibleName(words)
        self._bar.setAccessibleName(words)
