"""The list of conversations: search, rename, pin, delete, and two ways back from a deletion.

Undo walks back over the deletions of this run, the latest first; the list of deleted ones restores any. Asks
`services.conversations`; `screen` shows what is chosen.
"""

from collections import deque
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QApplication, QFrame, QMenu, QPushButton, QStackedLayout, QWidget

from lumen_desktop.domain.chat import Conversation
from lumen_desktop.errors import InputError, LumenError
from lumen_desktop.services.conversations import Conversations
from lumen_desktop.ui import errors, tasks, theme
from lumen_desktop.ui.chat import deleted
from lumen_desktop.ui.chat.deleted import DeletedList
from lumen_desktop.ui.chat.rows import ConversationRows
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import Banner, button, column, icon_button, row

UNDO_S = 10.0
_LONGEST_TOLD = 60  # characters of a title


class ConversationList(QFrame):
    """The conversations beside the answers, or in their place those that were deleted.

    Args:
        conversations: the service.
        banner: where a deletion is told, with its way back.
        may_delete: whether a conversation can be deleted now.
    """

    chosen = Signal(int)
    new = Signal()
    deleted = Signal(int)
    deleted_chosen = Signal(object)  # a deleted conversation, to be read
    deleted_left = Signal()

    def __init__(self, conversations: Conversations, *, banner: Banner, may_delete: Callable[[int], bool]) -> None:
        super().__init__()
        self.banner = banner
        self._conversations = conversations
        self._may_delete = may_delete
        self._deletions: list[Conversation] = []  # of this run, not taken back
        self._changing: tasks.Task | None = None
        self._changes: deque[Callable[[], tasks.Task]] = (
            deque()
        )  # one after the other, in the order they were asked for
        self.view = ConversationRows(
            lambda words, most: conversations.list(words, most=most), name="Conversations", none="No conversation yet."
        )
        self.model, self.search, self.nothing = self.view.rows, self.view.search, self.view.nothing
        self.deleted_list = DeletedList(conversations)
        self._pages = QStackedLayout(self)  # without a parent it would show its first page as a window
        self._build()
        self._connect()

    def _build(self) -> None:
        theme.mark(self, "side")
        self.new_button = button("New question", self.new.emit, icon="plus", tip="New conversation (Ctrl+N)")
        self.pin_button = icon_button("pin", "Pin", self.pin)
        self.rename_button = icon_button("pencil", "Rename (F2)", self.rename)
        self.delete_button = icon_button("trash-2", "Delete (Del)", self.delete)
        self.deleted_button = button(
            deleted.TITLE, self.show_deleted, role="quiet", tip="Read or restore what was deleted"
        )
        self.deleted_button.setStyleSheet("text-align: left;")
        acts = row(spacing=SPACE // 2)
        for act in (self.pin_button, self.rename_button, self.delete_button):
            acts.addWidget(act)
        acts.addStretch(1)
        layout = column(margin=SPACE + SPACE // 2, spacing=SPACE)
        for part in (self.new_button, self.search, self.nothing):
            layout.addWidget(part)
        layout.addWidget(self.view, 1)
        layout.addLayout(acts)
        layout.addWidget(self.deleted_button)
        page = QWidget()
        page.setLayout(layout)
        self._pages.addWidget(page)
        self._pages.addWidget(self.deleted_list)
        self._tell_current()

    def _connect(self) -> None:
        view = self.view
        view.chosen.connect(self.chosen)
        view.marked.connect(self._tell_current)
        self.model.renamed.connect(self._rename)
        view.offer("Rename", ("F2",), self.rename)
        view.offer("Delete", ("Del",), self.delete)
        view.offer("Pin", (), self.pin)
        view.customContextMenuRequested.connect(self._show_menu)
        self.deleted_list.chosen.connect(self.deleted_chosen)
        self.deleted_list.restored.connect(self.restore)
        self.deleted_list.left.connect(self.show_kept)

    @property
    def operated(self) -> tuple[QWidget, ...]:
        """What can be operated, in the order of the Tab key."""
        acts = (self.pin_button, self.rename_button, self.delete_button, self.deleted_button)
        return (self.new_button, self.search, self.view, *acts, *self.deleted_list.operated)

    @property
    def current(self) -> Conversation | None:
        """The one shown, where the list holds it."""
        return self.view.current

    @property
    def shows_deleted(self) -> bool:
        """Whether the deleted ones are listed."""
        return self._pages.currentWidget() is self.deleted_list

    def choose(self, conversation_id: int | None) -> None:
        """Marks the one that is shown, none of the deleted ones; None where a new one begins."""
        focused = QApplication.focusWidget()
        inside = focused is not None and self.deleted_list.isAncestorOf(focused)
        self._pages.setCurrentIndex(0)
        self.view.choose(conversation_id)
        if inside:
            self.view.setFocus()

    def refresh(self) -> None:
        """Reads again what is listed."""
        self.view.refresh()
        if self.shows_deleted:
            self.deleted_list.view.refresh()

    def begin_search(self) -> None:
        """Lets words be written that the listed ones are to hold."""
        search = self.deleted_list.view.search if self.shows_deleted else self.search
        search.setFocus()
        search.selectAll()

    def show_deleted(self) -> None:
        """Lists the deleted ones; what is read stays until one is chosen."""
        self._pages.setCurrentWidget(self.deleted_list)
        self.deleted_list.open()

    def show_kept(self) -> None:
        """Lists those again that are not deleted."""
        self._pages.setCurrentIndex(0)
        self.deleted_button.setFocus()
        self.deleted_left.emit()

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
        self.view.write_title()

    def _rename(self, conversation_id: int, title: str) -> None:
        self._change(lambda: self._conversations.rename(conversation_id, title))

    def pin(self) -> None:
        """Pins the current one, or no longer."""
        current = self.current
        if current is not None:
            self._change(lambda: self._conversations.pin(current.id, not current.pinned))

    # --- deleting, and back

    def delete(self) -> None:
        """Deletes the current one; `undo` takes it back."""
        current = self.current
        if current is None or not self._may_delete(current.id):
            return
        self._forget(current.id)
        self._deletions.append(current)  # before it is done: an undo that comes at once means this one

        def refused(error: LumenError) -> None:
            self._forget(current.id)
            errors.show(self, error)

        self._change(lambda: self._conversations.delete(current.id), lambda: self._tell_deleted(current), refused)

    def _tell_deleted(self, conversation: Conversation) -> None:
        self.view.choose(None)
        self.banner.tell(f"Deleted {_quoted(conversation)}.", action="Undo", act=self.undo, seconds=UNDO_S)
        self.deleted.emit(conversation.id)

    def undo(self) -> None:
        """Takes back the last deletion of this run that was not taken back."""
        if self._deletions:
            self.restore(self._deletions[-1])

    def restore(self, conversation: Conversation) -> None:
        """Takes back a deletion, and shows the conversation."""
        self._forget(conversation.id)

        def refused(error: LumenError) -> None:
            if not isinstance(error, InputError):  # else it is there no longer
                self._deletions.append(conversation)
            errors.show(self, error)

        act = partial(self._conversations.restore, conversation.id)
        self._change(act, lambda: self._tell_restored(conversation), refused)

    def _forget(self, conversation_id: int) -> None:
        self._deletions = [each for each in self._deletions if each.id != conversation_id]

    def _tell_restored(self, conversation: Conversation) -> None:
        self.chosen.emit(conversation.id)
        words = f"Restored {_quoted(conversation)}."
        if self._deletions:
            words += f" Deleted before it: {_quoted(self._deletions[-1])}."
        action = "Restore that too" if self._deletions else ""
        self.banner.tell(words, kind="success", action=action, act=self.undo, seconds=UNDO_S)

    def _change(
        self, work: Callable[[], None], then: Callable[[], None] | None = None, failed: tasks.Failed | None = None
    ) -> None:
        def done(_: None) -> None:
            errors.clear(self)
            if then is not None:
                then()

        self._changes.append(lambda: tasks.run(self, work, done, failed))
        if self._changing is None:
            self._change_next()

    def _change_next(self) -> None:
        if self._changes:
            self._changing = self._changes.popleft()()
            self._changing.finished.connect(self._change_next)
        else:
            self._changing = None
            self.refresh()


def _quoted(conversation: Conversation) -> str:
    title = conversation.title
    return f"“{title[:_LONGEST_TOLD]}{'…' if len(title) > _LONGEST_TOLD else ''}”"
