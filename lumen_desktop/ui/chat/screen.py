"""The Ask screen: conversations on the left, the thread and the question's field, and beside them an opened source.

Asks `services.chat` through `ui.tasks`, one question at a time; while one runs, other conversations can be read.
`main_window` shows it, tells it when it is shown, and stops it at the end.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from lumen_desktop.app import Site
from lumen_desktop.domain.chat import Answer, Citation, Conversation, Exchange, Status
from lumen_desktop.domain.library import Collection
from lumen_desktop.errors import InputError, LumenError
from lumen_desktop.services.chat import AskEvent, Commentary, EvidenceFound
from lumen_desktop.ui import errors, tasks, theme
from lumen_desktop.ui.chat import references, welcome
from lumen_desktop.ui.chat.asking import Asking
from lumen_desktop.ui.chat.composer import Composer
from lumen_desktop.ui.chat.conversations import ConversationList
from lumen_desktop.ui.chat.deleted import DeletedNotice
from lumen_desktop.ui.chat.exchange import ExchangeView
from lumen_desktop.ui.chat.room import Room
from lumen_desktop.ui.chat.stack import MEASURE
from lumen_desktop.ui.chat.thread import Thread
from lumen_desktop.ui.library.source import SourceView
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import Banner, announce, column, row, sized

SHORTCUTS: tuple[tuple[str, str], ...] = (
    ("Enter", "Ask; Shift+Enter begins a new line"),
    ("Esc", "Stop the answer"),
    ("Ctrl+L", "Go to the question’s field"),
    ("Ctrl+N", "New conversation"),
    ("Ctrl+K", "Search conversations"),
    ("F2", "Rename the chosen conversation"),
    ("Del", "Delete the chosen conversation, with Undo"),
    ("Ctrl+Z", "Take back a deletion, the latest first"),
    ("Alt+1 … Alt+9", "Open the source of a quote"),
    ("Ctrl+R", "Ask the same question again"),
    ("Ctrl+Shift+C", "Copy the answer with its references"),
)
_QUOTES = range(1, 10)
_LOOK_MS = 100  # how often a new conversation's number is looked for until it is stored
_COPIED_S = 3.0


class AskScreen(QWidget):
    """Asking and reading.

    Args:
        site: the open site.
    """

    library_wanted = Signal()
    answering = Signal(bool)

    def __init__(self, site: Site) -> None:
        super().__init__()
        self._site = site
        self.source: SourceView | None = None
        self._shown: int | None = None  # the conversation on the screen; None is a new one
        self._deleted: Conversation | None = None  # the same, where it is a deleted one
        self._before: int | None = None  # what was shown before a deleted one
        self._drafts: dict[int | None, str] = {}
        self._asking: Asking | None = None
        self._under_way: list[Asking] = []  # the same, for when the screen is gone
        self._live: ExchangeView | None = None  # where the running answer is shown, if it is
        self._loading: tasks.Task | None = None
        self._empty = False
        self.banner = Banner()
        self.conversations = ConversationList(site.conversations, banner=self.banner, may_delete=self._may_delete)
        self.thread_view = Thread()
        self.composer = Composer(prose=site.settings.prose)
        self.notice = DeletedNotice()
        self._below = row()
        self._look = QTimer(self, interval=_LOOK_MS)
        self._look.timeout.connect(self._look_for_conversation)
        self._build()
        self._connect()
        self.destroyed.connect(partial(_stop, self._under_way))
        self.begin()

    def _build(self) -> None:
        theme.mark(self, "page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        asked = QWidget()
        sized(asked, most=MEASURE)
        within = column(spacing=SPACE)
        within.addWidget(self.banner)
        within.addWidget(self.composer)
        within.addWidget(self.notice)
        asked.setLayout(within)
        below = self._below
        below.addStretch(1)
        below.addWidget(asked, 1000)
        below.addStretch(1)
        self._line_up(0, 0)
        middle = QWidget()
        inside = column(spacing=SPACE)
        inside.addWidget(self.thread_view, 1)
        inside.addLayout(below)
        middle.setLayout(inside)
        self._room = Room(self.conversations, middle, self.begin)
        layout = column()
        layout.addWidget(self._room)
        self.setLayout(layout)
        self.setAccessibleName("Ask")
        self._order_tabs()

    def _line_up(self, _least: int, most: int) -> None:
        """Keeps the field under the text, whether or not a scroll bar takes room beside that."""
        bar = self.thread_view.verticalScrollBar().sizeHint().width() if most else 0
        self._below.setContentsMargins(2 * SPACE, 0, 2 * SPACE + bar, 2 * SPACE)

    def _order_tabs(self) -> None:
        composer = self.composer
        chain = [*self.conversations.operated, composer.field, composer.collections, composer.commentary]
        chain += [composer.send, composer.stop, self.notice.restore_button]
        for before, after in pairwise(chain):
            QWidget.setTabOrder(before, after)
        self.thread_view.put_before(composer.field)

    def _connect(self) -> None:
        self.conversations.chosen.connect(self.open)
        self.conversations.new.connect(self.begin)
        for left in (self.conversations.new, self.conversations.view.clicked, self.conversations.view.activated):
            left.connect(self._room.fold_side)
        self.conversations.deleted.connect(self._was_deleted)
        self.conversations.deleted_chosen.connect(self._read_deleted)
        self.conversations.deleted_left.connect(self._leave_deleted)
        self.notice.restored.connect(self._restore)
        self.composer.asked.connect(lambda: self.ask(self.composer.text))
        self.composer.stopped.connect(self.stop)
        self.thread_view.again.connect(self.ask_again)
        self.thread_view.copied.connect(self.copy)
        self.thread_view.verticalScrollBar().rangeChanged.connect(self._line_up)
        self.thread_view.opened.connect(self._open_source)
        self.thread_view.earlier_wanted.connect(self._read_earlier)
        self._shortcut("Ctrl+L", self.composer.field.setFocus)
        self._shortcut("Ctrl+N", self.begin)
        self._shortcut("Ctrl+K", self._search)
        self._shortcut("Ctrl+Z", self.conversations.undo)
        self._shortcut("Ctrl+R", self._again_current)
        self._shortcut("Ctrl+Shift+C", self._copy_current)
        self._escape = self._shortcut("Esc", self._stop_or_close)
        self._escape.setEnabled(False)
        for number in _QUOTES:
            self._shortcut(f"Alt+{number}", lambda number=number: self._open_quote(number))

    def _shortcut(self, keys: str, act: Callable[..., object]) -> QShortcut:
        made = QShortcut(QKeySequence(keys), self)
        made.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        made.activated.connect(act)
        return made

    # --- shown and ended

    def activated(self) -> None:
        """Reads again what may have changed elsewhere; the field gets the focus."""
        self.conversations.refresh()
        tasks.run(self, self._read_collections, self._offer)
        self.composer.field.setFocus()

    @property
    def busy(self) -> bool:
        """Whether an answer is under way."""
        return self._asking is not None

    def stop(self) -> None:
        """Ends the answer under way; what was shown is kept."""
        if self._asking is not None:
            self._asking.stop()

    def _read_collections(self) -> list[Collection]:
        return self._site.library.collections()  # the library is built here, off the interface's thread

    def _offer(self, collections: Sequence[Collection]) -> None:
        self.composer.offer([each.name for each in collections if each.documents])
        empty = not any(each.documents for each in collections)
        if empty != self._empty:
            self._empty = empty
            if not self.thread_view.views:
                self._invite()

    def _invite(self) -> None:
        if self._empty:
            self.thread_view.show_instead(welcome.empty_library(self.library_wanted.emit))
        else:
            self.thread_view.show_instead(welcome.begin(self.ask))

    # --- conversations

    def begin(self) -> None:
        """Begins a new conversation; it is stored with its first question."""
        self._show_new()
        self.composer.field.setFocus()

    def _show_new(self) -> None:
        self._leave(None)
        self.conversations.choose(None)
        self._invite()

    def open(self, conversation_id: int) -> None:
        """Shows a conversation."""
        self._leave(conversation_id)
        self.conversations.choose(conversation_id)
        self._load()

    def _leave(self, following: int | None) -> None:
        """Keeps the draft of the conversation that is left, and brings back that of the one that follows."""
        self._drafts[self._shown] = self.composer.text
        if self._loading is not None:
            self._loading.drop()
        self._shown, self._live = following, None
        self._show_deleted(None)
        self.composer.write(self._drafts.pop(following, ""))
        self.composer.meter.tell(0, 0)
        self._close_source()
        self.thread_view.clear()

    def _load(self) -> None:
        shown, asking = self._shown, self._asking
        assert shown is not None
        self._loading = tasks.run(
            self, lambda: self._site.conversations.exchanges(shown), lambda found: self._show(found, asking)
        )

    def _show(self, exchanges: Sequence[Exchange], then: Asking | None) -> None:
        """Shows a conversation as it was read while ``then`` was under way."""
        self._loading = None
        here = then is not None and then.conversation_id == self._shown
        if here and self._asking is not then:
            self._load()  # its answer was stored while this was read
            return
        self.thread_view.show_all([each for each in exchanges if not (here and each.answer.status is Status.OPEN)])
        if then is not None and here and then.answer is None:
            self._show_live(then)
        if exchanges:
            self._measure(exchanges[-1].answer)

    def _read_earlier(self) -> None:
        shown = self._shown
        if shown is not None:
            work = partial(self._site.conversations.exchanges, shown)
            self._loading = tasks.run(self, work, self.thread_view.bring_back)

    def _may_delete(self, conversation_id: int) -> bool:
        if self._asking is None or self._asking.conversation_id != conversation_id:
            return True
        self.banner.tell("An answer is being written in this conversation. Stop it first.", kind="warning", seconds=6)
        return False

    def _was_deleted(self, conversation_id: int) -> None:
        self._drafts.pop(conversation_id, None)
        if self._shown == conversation_id:
            self._shown = None
            self._show_new()
            if not self.conversations.view.hasFocus():
                self.composer.field.setFocus()

    def _read_deleted(self, conversation: Conversation) -> None:
        if self._deleted is None:
            self._before = self._shown
        self._leave(conversation.id)
        self._show_deleted(conversation)
        self._load()

    def _leave_deleted(self) -> None:
        """Brings back what was shown before a deleted conversation was read."""
        if self._deleted is None:
            return
        if self._before is None:
            self._show_new()
        else:
            self.open(self._before)

    def _show_deleted(self, conversation: Conversation | None) -> None:
        """Lets a notice stand in the question's place while a deleted conversation is read."""
        had_focus = self.notice.restore_button.hasFocus()
        self._deleted = conversation
        self.composer.setVisible(conversation is None)
        if conversation is not None:
            self.notice.tell(conversation)
        else:
            self.notice.hide()
            if had_focus:
                self.composer.field.setFocus()

    def _restore(self) -> None:
        if self._deleted is not None:
            self.conversations.restore(self._deleted)

    def _search(self) -> None:
        self._room.show_side()
        self.conversations.begin_search()

    # --- asking

    def ask(self, question: str) -> None:
        """Asks in the conversation that is shown, where the field says."""
        self._ask(question, self.composer.collection)

    def ask_again(self, exchange: Exchange) -> None:
        """Asks the same question once more, where it was asked before; both answers stay."""
        self._ask(exchange.question, exchange.collection)

    def _ask(self, question: str, collection: str | None) -> None:
        if self._deleted is not None:
            words = "This conversation is deleted. Restore it to ask in it."
            self.banner.tell(words, action="Restore", act=self._restore, seconds=6)
            return
        if self._asking is not None:
            self.banner.tell("One question at a time: wait for the answer, or stop it.", seconds=4)
            return
        errors.clear(self)
        self._close_source()  # it belongs to the answer before
        composer = self.composer
        self._asking = asking = Asking(
            self._site,
            question,
            collection=collection,
            prose=composer.commentary.isChecked(),
            conversation_id=self._shown,
        )
        self._under_way[:] = [asking]
        if composer.text == question:
            composer.write("")
        self._show_live(asking)
        self._escape.setEnabled(True)
        composer.answering(now=True)
        self._look.start()
        self.answering.emit(True)  # noqa: FBT003 - Qt's signal
        announce(self, "Searching.")
        running = tasks.stream(self, asking.events, self._hear, lambda error: self._refused(asking, error))
        running.finished.connect(lambda: self._ended(asking))

    def _show_live(self, asking: Asking) -> None:
        view = ExchangeView(asking.exchange, under_way=True, prose=asking.prose)
        self._live = self.thread_view.add(view)

    def _hear(self, event: AskEvent) -> None:
        asking, live = self._asking, self._live
        assert asking is not None
        asking.hear(event)
        self._look_for_conversation()
        if live is None:
            return
        if isinstance(event, EvidenceFound):
            live.show_quotes(event.citations)
        elif isinstance(event, Commentary):
            live.add_commentary(event.text)
        else:
            live.finish(asking.exchange)
            self._measure(event.answer)

    def _look_for_conversation(self) -> None:
        """Puts a new conversation into the list as soon as it is stored, long before its answer is whole."""
        asking = self._asking
        if asking is None or asking.conversation_id is None or not self._look.isActive():
            return
        self._look.stop()
        if self._live is not None:
            self._shown = asking.conversation_id
            self.conversations.choose(self._shown)
        self.conversations.refresh()

    def _refused(self, asking: Asking, error: LumenError) -> None:
        """Shows why there is no answer, or no whole one; a question that was not taken goes back into its field."""
        errors.show(self, error)
        if isinstance(error, InputError) and not self.composer.text:
            self.composer.write(asking.question)
        announce(self, error.message)

    def _ended(self, asking: Asking) -> None:
        self._look_for_conversation()
        self._look.stop()
        self._asking = None
        self._under_way.clear()
        live, self._live = self._live, None
        self._escape.setEnabled(self.source is not None and self.source.isVisible())
        self.composer.answering(now=False)
        self.answering.emit(False)  # noqa: FBT003 - Qt's signal
        self.conversations.refresh()
        if asking.answer is None and live is not None:
            self._without_answer(asking, live)

    def _without_answer(self, asking: Asking, live: ExchangeView) -> None:
        """The stored conversation says what became of a question without an answer; one not stored goes."""
        if asking.conversation_id is not None:
            self._load()
            return
        self.thread_view.remove(live)
        if not self.composer.text:
            self.composer.write(asking.question)
        if not self.thread_view.views:
            self._invite()

    def _measure(self, answer: Answer) -> None:
        """Tells how full the context window was, where a model wrote."""
        self.composer.meter.tell(0, 0)
        if answer.timing.tokens:
            tasks.run(self, lambda: self._site.chat.context_use(answer), lambda use: self.composer.meter.tell(*use))

    # --- what is done with an answer

    def copy(self, exchange: Exchange) -> None:
        """Copies an answer with its references."""
        text = references.copied(exchange, demonstration=self._site.place.demonstration)
        QGuiApplication.clipboard().setText(text)
        self.banner.tell("Copied with its references.", kind="success", seconds=_COPIED_S)
        announce(self, "Copied with its references.")

    def _copy_current(self) -> None:
        view = self.thread_view.current
        if view is not None and view.exchange.answer.status is not Status.OPEN:
            self.copy(view.exchange)

    def _again_current(self) -> None:
        view = self.thread_view.current
        if view is not None and self._asking is None:
            self.ask_again(view.exchange)

    def _open_quote(self, number: int) -> None:
        view = self.thread_view.current
        if view is not None:
            view.open_quote(number)

    def _open_source(self, view: ExchangeView, citations: Sequence[Citation], chosen: int) -> None:
        if self.source is None:
            self.source = SourceView(self._site)
            self.source.closed.connect(self._close_source)
            self.source.hide()
        self._room.open_source(self.source)
        self._escape.setEnabled(True)
        self.thread_view.mark_open(view, chosen)
        self.source.show_quotes(citations, chosen)

    def _stop_or_close(self) -> None:
        if self.busy:
            self.stop()
        else:
            self._close_source()
            self._escape.setEnabled(False)

    def _close_source(self) -> None:
        if self._room.close_source():
            self.composer.field.setFocus()
        self.thread_view.mark_open(None, None)


def _stop(under_way: list[Asking]) -> None:
    """Ends what is under way; knows no screen, which may be gone."""
    for asking in under_way:
        asking.stop()
