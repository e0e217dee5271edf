"""What was deleted and can still be restored: its list, and what stands in the question's place while one is read.

Asks `services.conversations` for the list; `conversations` shows it and restores, `screen` shows what is chosen.
"""

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QMenu, QWidget

from lumen_desktop.domain.chat import Conversation
from lumen_desktop.services.conversations import KEPT_AFTER_DELETION, Conversations
from lumen_desktop.ui import formatting, theme
from lumen_desktop.ui.chat.rows import ConversationRows
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import Card, button, column, label

TITLE = "Recently deleted"
_KEPT = (
    f"Each is kept for {KEPT_AFTER_DELETION.days} days after it was deleted, then erased. Nothing can be erased sooner."
)


class DeletedList(QWidget):
    """Deleted conversations, the last one deleted first."""

    chosen = Signal(object)
    restored = Signal(object)  # is to be restored
    left = Signal()

    def __init__(self, conversations: Conversations) -> None:
        super().__init__()
        self.view = ConversationRows(
            lambda words, most: conversations.list(words, most=most, deleted=True),
            name="Deleted conversations",
            none="There is no deleted conversation.",
        )
        self.back_button = button(
            "Conversations", self.left.emit, role="quiet", icon="chevron-left", tip="Back to the conversations (Esc)"
        )
        self.restore_button = button("Restore", self.restore, icon="undo-2", tip="Restore (Enter)")
        self.operated: tuple[QWidget, ...] = (self.back_button, self.view.search, self.view, self.restore_button)
        self._build()

    def _build(self) -> None:
        self.view.chosen.connect(lambda _: self.chosen.emit(self.view.current))
        self.view.marked.connect(self._tell_current)
        self.view.offer("Restore", ("Return", "Enter"), self.restore)
        self.view.customContextMenuRequested.connect(self._show_menu)
        self.view.setAccessibleDescription("Enter restores the chosen one, Escape leads back.")
        layout = column(margin=SPACE + SPACE // 2, spacing=SPACE)
        layout.addWidget(self.back_button, alignment=Qt.AlignmentFlag.AlignLeft)
        for part in (label(TITLE, "strong"), label(_KEPT, "small"), self.view.search, self.view.nothing):
            layout.addWidget(part)
        layout.addWidget(self.view, 1)
        layout.addWidget(self.restore_button)
        self.setLayout(layout)
        self.setAccessibleName(TITLE)
        self._tell_current()

    def open(self) -> None:
        """Reads the list; nothing in it is chosen yet."""
        self.view.choose(None)
        self.view.refresh()
        self.view.setFocus()

    def restore(self) -> None:
        """Asks for the current one to be restored."""
        current = self.view.current
        if current is not None:
            self.restored.emit(current)

    def _tell_current(self) -> None:
        self.restore_button.setEnabled(self.view.current is not None)

    def _show_menu(self, place: QPoint) -> None:
        if self.view.current is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(theme.icon("undo-2"), "Restore", self.restore)
        menu.popup(self.view.viewport().mapToGlobal(place))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's
        """Escape leads back, once whatever else it closes is closed."""
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)


class DeletedNotice(Card):
    """Says that the conversation shown is deleted, and offers to restore it."""

    restored = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.words = label("", selectable=True)
        self.restore_button = button("Restore", self.restored.emit, role="primary", icon="undo-2")
        self.body.addWidget(self.words)
        self.body.addWidget(self.restore_button, alignment=Qt.AlignmentFlag.AlignLeft)
        self.hide()

    def tell(self, conversation: Conversation) -> None:
        """Shows it for a deleted conversation."""
        assert conversation.deleted_utc is not None
        when = formatting.moment(conversation.deleted_utc)
        self.words.setText(f"Deleted on {when}. It can be read; restore it to ask in it.")
        self.setAccessibleName(self.words.text())
        self.show()
