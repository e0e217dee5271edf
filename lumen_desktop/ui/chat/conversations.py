"""The list of conversations: search, rename, pin, delete with a way back.

A view over a model, so that a thousand conversations cost no more than the dozen on the screen; more are read when
the list is scrolled to its end. Asks `services.conversations`; `screen` shows what is chosen.
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
from PySide6.QtGui import QAction, QFontMetrics, QKeySequence, QPainter, QPalette
from PySide6.QtWidgets import (
    QFrame,
    QLineEdit,
    QListView,
    QMenu,
    QPushButton,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from lumen_desktop.domain.chat import Conversation
from lumen_desktop.services.conversations import Conversations
from lumen_desktop.ui import errors, formatting, tasks, theme
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import Banner, button, column, icon_button, label, row

READ_AT_ONCE = 200  # conversations
UNDO_S = 10.0
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
                pinned = "pinned, " if conversation.pinned else ""
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
    """When it was last used, and how long it is."""
    when = formatting.day(conversation.last_utc, datetime.now(UTC))
    return f"{when} · {formatting.counted(conversation.exchanges, 'question')}"


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
        if conversation.pinned:
            corner = QPoint(inside.right() - _PIN, inside.top() + 1)
            painter.drawPixmap(corner, theme.icon("pin", "accent").pixmap(QSize(_PIN, _PIN)))
        room = inside.width() - (_PIN + SPACE if conversation.pinned else 0)
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


class ConversationList(QFrame):
    """The conversations beside the answers.

    Args:
        conversations: the service.
        banner: where a deletion is told, with its way back.
        may_delete: whether a conversation can be deleted now.
    """

    chosen = Signal(int)
    new = Signal()
    deleted = Signal(int)

    def __init__(self, conversations: Conversations, *, banner: Banner, may_delete: Callable[[int], bool]) -> None:
        super().__init__()
        self.banner = banner
        self._conversations = conversations
        self._may_delete = may_delete
        self._current: int | None = None
        self._most = READ_AT_ONCE
        self._marking = False
        self._reading: tasks.Task | None = None
        self.model = ConversationModel(self)
        self.model.renamed.connect(self._rename)
        self.model.more_wanted.connect(self._read_more)
        self.search = QLineEdit()
        self.view = QListView()
        self.nothing = label("", "small")
        self._typing = QTimer(self, singleShot=True, interval=_SEARCH_AFTER_MS)
        self._typing.timeout.connect(self.refresh)
        self._build()

    def _build(self) -> None:
        theme.mark(self, "side")
        self.new_button = button("New question", self.new.emit, icon="plus", tip="New conversation (Ctrl+N)")
        self.search.setPlaceholderText("Search conversations")
        self.search.setAccessibleName("Search conversations")
        self.search.setClearButtonEnabled(True)
        self.search.setToolTip("Search titles, questions and answers (Ctrl+K)")
        self.search.textChanged.connect(self._typed)
        self._build_view()
        self.pin_button = icon_button("pin", "Pin", self.pin)
        self.rename_button = icon_button("pencil", "Rename (F2)", self.rename)
        self.delete_button = icon_button("trash-2", "Delete (Del)", self.delete)
        acts = row(spacing=SPACE // 2)
        for act in (self.pin_button, self.rename_button, self.delete_button):
            acts.addWidget(act)
        acts.addStretch(1)
        layout = column(margin=SPACE + SPACE // 2, spacing=SPACE)
        for part in (self.new_button, self.search, self.nothing):
            layout.addWidget(part)
        layout.addWidget(self.view, 1)
        layout.addLayout(acts)
        self.setLayout(layout)
        self._tell_current()

    def _build_view(self) -> None:
        view = self.view
        view.setModel(self.model)
        view.setItemDelegate(_Delegate(view))
        view.setUniformItemSizes(True)
        view.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        view.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setAccessibleName("Conversations")
        theme.mark(view, "plain")
        view.selectionModel().currentChanged.connect(self._moved)
        for words, key, act in (("Rename", "F2", self.rename), ("Delete", "Del", self.delete), ("Pin", "", self.pin)):
            action = QAction(words, view)
            if key:
                action.setShortcut(QKeySequence(key))
                action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            action.triggered.connect(act)
            view.addAction(action)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.customContextMenuRequested.connect(self._show_menu)

    @property
    def current(self) -> Conversation | None:
        """The one shown, where the list holds it."""
        place = self.model.row_of(self._current)
        return self.model.rows[place] if place >= 0 else None

    def choose(self, conversation_id: int | None) -> None:
        """Marks the one that is shown; None where a new one begins."""
        self._current = conversation_id
        self._mark()

    def refresh(self) -> None:
        """Reads the list again; what was asked for before is dropped."""
        if self._reading is not None:
            self._reading.drop()
        words, most = self.search.text(), self._most
        self._reading = tasks.run(
            self, lambda: self._conversations.list(words, most=most), lambda rows: self._fill(rows, most)
        )
        self._reading.finished.connect(lambda task=self._reading: self._read(task))

    def _read(self, task: tasks.Task) -> None:
        if self._reading is task:
            self._reading = None

    def _fill(self, rows: Sequence[Conversation], most: int) -> None:
        if self.view.state() == QListView.State.EditingState:  # a title that is being written would be lost
            QTimer.singleShot(_AFTER_WRITING_MS, self, self.refresh)
            return
        top = self.view.verticalScrollBar().value()
        self.model.fill(rows, most)
        self._mark()
        self.view.verticalScrollBar().setValue(top)
        searched = bool(self.search.text().strip())
        self.nothing.setText("No conversation holds these words." if searched else "No conversation yet.")
        self.nothing.setVisible(not rows)

    def _mark(self) -> None:
        """Lets the view show what is chosen, without choosing it once more."""
        index = self.model.index(self.model.row_of(self._current))
        selection = self.view.selectionModel()
        self._marking = True
        if index.isValid():
            selection.setCurrentIndex(index, selection.SelectionFlag.ClearAndSelect)
        else:
            selection.clear()
        self._marking = False
        self._tell_current()

    def _tell_current(self) -> None:
        current = self.current
        for act in (self.pin_button, self.rename_button, self.delete_button):
            act.setEnabled(current is not None)
        self._say_pin(self.pin_button, pinned=current is not None and current.pinned)

    @staticmethod
    def _say_pin(shown: QPushButton, *, pinned: bool) -> None:
        words = "Unpin" if pinned else "Pin"
        shown.setProperty("icon_name", ["pin-off" if pinned else "pin", "muted"])
        shown.setIcon(theme.icon("pin-off" if pinned else "pin", "muted"))
        shown.setAccessibleName(words)
        shown.setToolTip(words)

    def _typed(self) -> None:
        self._most = READ_AT_ONCE
        self._typing.start()

    def _read_more(self) -> None:
        if self._reading is None:
            self._most = len(self.model.rows) + READ_AT_ONCE
            self.refresh()

    def _moved(self, index: QModelIndex, _before: QModelIndex) -> None:
        if index.isValid() and not self._marking:
            self._current = self.model.rows[index.row()].id
            self._tell_current()
            self.chosen.emit(self._current)

    def _show_menu(self, place: QPoint) -> None:
        current = self.current
        if current is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(theme.icon("pencil"), "Rename", self.rename)
        menu.addAction(theme.icon("pin"), "Unpin" if current.pinned else "Pin", self.pin)
        menu.addAction(theme.icon("trash-2"), "Delete", self.delete)
        menu.popup(self.view.viewport().mapToGlobal(place))

    def rename(self) -> None:
        """Lets the title of the current one be written."""
        place = self.model.row_of(self._current)
        if place >= 0:
            self.view.setFocus()
            self.view.edit(self.model.index(place))

    def _rename(self, conversation_id: int, title: str) -> None:
        self._change(lambda: self._conversations.rename(conversation_id, title))

    def pin(self) -> None:
        """Pins the current one, or no longer."""
        current = self.current
        if current is not None:
            self._change(lambda: self._conversations.pin(current.id, not current.pinned))

    def delete(self) -> None:
        """Deletes the current one, with a way back for ten seconds."""
        current = self.current
        if current is not None and self._may_delete(current.id):
            self._change(lambda: self._conversations.delete(current.id), lambda: self._tell_deleted(current))

    def _tell_deleted(self, conversation: Conversation) -> None:
        self._current = None
        self.banner.tell(
            f"Deleted “{conversation.title[:60]}”.",
            action="Undo",
            act=lambda: self._restore(conversation.id),
            seconds=UNDO_S,
        )
        self.deleted.emit(conversation.id)

    def _restore(self, conversation_id: int) -> None:
        def back() -> None:
            self._current = conversation_id
            self.chosen.emit(conversation_id)

        self._change(lambda: self._conversations.restore(conversation_id), back)

    def _change(self, work: Callable[[], None], then: Callable[[], None] | None = None) -> None:
        def done(_: None) -> None:
            errors.clear(self)
            if then is not None:
                then()
            self.refresh()

        tasks.run(self, work, done)
