"""Rows of conversations, read a few hundred at a time: what the list of them and the list of deleted ones are made of.

A view over a model, so that a thousand conversations cost no more than the dozen on the screen; more are read when
the list is scrolled to its end. Knows no service: `conversations` and `deleted` say how to read.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QAction, QFocusEvent, QFontMetrics, QKeySequence, QPainter, QPalette
from PySide6.QtWidgets import QLineEdit, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from lumen_desktop.domain.chat import Conversation
from lumen_desktop.ui import formatting, tasks, theme
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import label

READ_AT_ONCE = 200  # conversations
_AFTER_WRITING_MS = 500
_SEARCH_AFTER_MS = 150
_PIN = 14  # pixels
Index = QModelIndex | QPersistentModelIndex


class ConversationModel(QAbstractListModel):
    """Conversations as rows."""

    renamed = Signal(int, str)
    more_wanted = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: Sequence[Conversation] = ()
        self._asked_for = READ_AT_ONCE

    def fill(self, rows: Sequence[Conversation], asked_for: int) -> None:
        """Takes new rows, ``asked_for`` of them at most: where so many came there may be more."""
        self.beginResetModel()
        self.rows, self._asked_for = rows, asked_for
        self.endResetModel()

    def row_of(self, conversation_id: int | None) -> int:
        """The row of a conversation; -1 where it is not among them."""
        return next((row for row, each in enumerate(self.rows) if each.id == conversation_id), -1)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: N802, B008 - Qt's
        """How many there are."""
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Title, what a screen reader says, and under ``UserRole`` the conversation."""
        conversation = self.rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.EditRole | Qt.ItemDataRole.ToolTipRole:
                return conversation.title
            case Qt.ItemDataRole.AccessibleTextRole:
                pinned = "pinned, " if _stands_above(conversation) else ""
                return f"{conversation.title}, {pinned}{told(conversation)}"
            case Qt.ItemDataRole.UserRole:
                return conversation
        return None

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:  # noqa: N802
        """Asks for another title; the row changes when it is stored."""
        if role != Qt.ItemDataRole.EditRole or str(value).strip() == self.rows[index.row()].title:
            return False
        self.renamed.emit(self.rows[index.row()].id, str(value))
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Titles can be written."""
        return super().flags(index) | Qt.ItemFlag.ItemIsEditable

    def canFetchMore(self, parent: Index) -> bool:  # noqa: N802 - Qt's
        """Whether as many came as were asked for."""
        return not parent.isValid() and len(self.rows) == self._asked_for

    def fetchMore(self, parent: Index) -> None:  # noqa: ARG002, N802 - Qt's
        """Asks for more; they come later."""
        self.more_wanted.emit()


def told(conversation: Conversation) -> str:
    """When it was last used or deleted, and how long it is."""
    when = formatting.day(conversation.deleted_utc or conversation.last_utc, datetime.now(UTC))
    if conversation.deleted_utc is not None:
        when = f"Deleted {when[0].lower()}{when[1:]}"
    return f"{when} · {formatting.counted(conversation.exchanges, 'question')}"


def _stands_above(conversation: Conversation) -> bool:
    return conversation.pinned and conversation.deleted_utc is None


class _Delegate(QStyledItemDelegate):
    """Two lines: the title, and when."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: ARG002, N802 - Qt's
        return QSize(0, 2 * option.fontMetrics.height() + 2 * SPACE + SPACE // 2)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        conversation: Conversation = index.data(Qt.ItemDataRole.UserRole)
        self.initStyleOption(option, index)
        option.text = ""
        style = option.widget.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget)
        inside = option.rect.adjusted(SPACE + 2, SPACE, -SPACE, -SPACE)
        pinned = _stands_above(conversation)
        if pinned:
            corner = QPoint(inside.right() - _PIN, inside.top() + 1)
            painter.drawPixmap(corner, theme.icon("pin", "accent").pixmap(QSize(_PIN, _PIN)))
        room = inside.width() - (_PIN + SPACE if pinned else 0)
        line = option.fontMetrics.height()
        painter.save()
        painter.setFont(option.font)
        painter.setPen(option.palette.color(QPalette.ColorRole.Text))
        words = option.fontMetrics.elidedText(conversation.title, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRect(inside.left(), inside.top(), room, line), 0, words)
        small = option.font
        small.setPointSizeF(small.pointSizeF() * 0.88)
        painter.setFont(small)
        painter.setPen(theme.current().colour("muted"))
        below = QRect(inside.left(), inside.top() + line + SPACE // 2, inside.width(), line)
        painter.drawText(
            below, 0, QFontMetrics(small).elidedText(told(conversation), Qt.TextElideMode.ElideRight, room)
        )
        painter.restore()

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:  # noqa: N802
        editor = super().createEditor(parent, option, index)
        editor.setAccessibleName("New title of the conversation")
        return editor


class ConversationRows(QListView):
    """Conversations to choose from.

    Args:
        read: given words and how many at most, reads them; called off the interface's thread.
        name: what a screen reader calls the list.
        none: what is said where there is none at all.
    """

    chosen = Signal(int)
    marked = Signal()  # another one, or none, is the current one

    def __init__(self, read: Callable[[str, int], Sequence[Conversation]], *, name: str, none: str) -> None:
        super().__init__()
        self.rows = ConversationModel(self)
        self.search = QLineEdit()
        self.nothing = label("", "small")
        self._read, self._none = read, none
        self._current: int | None = None
        self._most = READ_AT_ONCE
        self._marking = False
        self._reading: tasks.Task | None = None
        self._typing = QTimer(self, singleShot=True, interval=_SEARCH_AFTER_MS)
        self._typing.timeout.connect(self.refresh)
        self._build(name)

    def _build(self, name: str) -> None:
        self.search.setPlaceholderText(f"Search {name.lower()}")
        self.search.setAccessibleName(f"Search {name.lower()}")
        self.search.setClearButtonEnabled(True)
        self.search.setToolTip("Search titles, questions and answers (Ctrl+K)")
        self.search.textChanged.connect(self._typed)
        self.nothing.hide()
        self.setModel(self.rows)
        self.rows.more_wanted.connect(self._read_more)
        self.setItemDelegate(_Delegate(self))
        self.setUniformItemSizes(True)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAccessibleName(name)
        theme.mark(self, "plain")
        self.selectionModel().currentChanged.connect(self._moved)

    def offer(self, words: str, keys: Sequence[str], act: Callable[[], object]) -> None:
        """Offers an act on the current one, by keys that work while the list has the focus."""
        action = QAction(words, self)
        action.setShortcuts([QKeySequence(each) for each in keys])
        action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        action.triggered.connect(act)
        self.addAction(action)

    @property
    def current(self) -> Conversation | None:
        """The one shown, where the list holds it."""
        place = self.rows.row_of(self._current)
        return self.rows.rows[place] if place >= 0 else None

    def choose(self, conversation_id: int | None) -> None:
        """Marks the one that is shown; None marks none."""
        self._current = conversation_id
        self._mark()

    def write_title(self) -> None:
        """Lets the title of the current one be written."""
        place = self.rows.row_of(self._current)
        if place >= 0:
            self.setFocus()
            self.edit(self.rows.index(place))

    def refresh(self) -> None:
        """Reads the list again; what was asked for before is dropped."""
        if self._reading is not None:
            self._reading.drop()
        words, most = self.search.text(), self._most
        self._reading = tasks.run(self, lambda: self._read(words, most), lambda rows: self._fill(rows, most))
        self._reading.finished.connect(lambda task=self._reading: self._was_read(task))

    def _was_read(self, task: tasks.Task) -> None:
        if self._reading is task:
            self._reading = None

    def _fill(self, rows: Sequence[Conversation], most: int) -> None:
        if self.state() == QListView.State.EditingState:  # a title that is being written would be lost
            QTimer.singleShot(_AFTER_WRITING_MS, self, self.refresh)
            return
        top = self.verticalScrollBar().value()
        self.rows.fill(rows, most)
        self._mark()
        self.verticalScrollBar().setValue(top)
        searched = bool(self.search.text().strip())
        self.nothing.setText("No conversation holds these words." if searched else self._none)
        self.nothing.setVisible(not rows)

    def _mark(self) -> None:
        """Shows what is chosen, without choosing it once more."""
        index = self.rows.index(self.rows.row_of(self._current))
        selection = self.selectionModel()
        self._marking = True
        if index.isValid():
            selection.setCurrentIndex(index, selection.SelectionFlag.ClearAndSelect)
        else:
            selection.clear()
        self._marking = False
        self.marked.emit()

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802 - Qt's
        """Chooses nothing: Qt would make the first row the current one, and so open it."""
        self._marking = True
        super().focusInEvent(event)
        self._mark()

    def _typed(self) -> None:
        self._most = READ_AT_ONCE
        self._typing.start()

    def _read_more(self) -> None:
        if self._reading is None:
            self._most = len(self.rows.rows) + READ_AT_ONCE
            self.refresh()

    def _moved(self, index: QModelIndex, _before: QModelIndex) -> None:
        if index.isValid() and not self._marking:
            self._current = self.rows.rows[index.row()].id
            self.marked.emit()
            self.chosen.emit(self._current)
