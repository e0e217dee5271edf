"""A question and its answer on the screen: quotes as cards, commentary below, then how it ended and its record.

The same widget shows an answer as it comes and one read from the store. Knows no service; `thread` lines them up.
"""

import time
from collections.abc import Sequence

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from lumen_desktop.domain.chat import Answer, Citation, Exchange, Status
from lumen_desktop.services.chat import UNVERIFIED
from lumen_desktop.ui import formatting, theme
from lumen_desktop.ui.chat import references
from lumen_desktop.ui.chat.commentary import Commentary
from lumen_desktop.ui.chat.quotes import QuoteCard
from lumen_desktop.ui.flow import Flow
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import Card, announce, button, column, label

SEARCHING, WRITING = "Searching your library …", "The model is writing …"
_NOT_FOUND = "Not in your library."
_INTERRUPTED = "The program ended while this answer was written; what had been shown is kept."
_TICK_MS = 1000


class ExchangeView(QWidget):
    """One question with its answer.

    Args:
        exchange: what is known of it; its answer is open while it is being written.
        under_way: whether its answer is coming now.
    """

    opened = Signal(object, int)  # citations, which of them
    again = Signal(object)  # its exchange
    copied = Signal(object)  # the exchange

    def __init__(self, exchange: Exchange, *, under_way: bool = False, prose: bool = False) -> None:
        super().__init__()
        self.exchange = exchange
        self.cards: list[QuoteCard] = []
        self.commentary: Commentary | None = None
        self._prose = prose
        self._began = time.monotonic()
        self._doing = SEARCHING
        self._timer = QTimer(self, interval=_TICK_MS)
        self._timer.timeout.connect(self._tell_progress)
        self._build()
        self._fill(under_way=under_way)

    def _build(self) -> None:
        question = QFrame()
        theme.mark(question, "question")
        inside = column(margin=SPACE + SPACE // 2)
        words = label(self.exchange.question, "body", selectable=True)
        words.setAccessibleName(f"Question: {self.exchange.question}")
        inside.addWidget(words)
        question.setLayout(inside)
        self.progress = label("", "muted")
        self._quotes = column(spacing=SPACE)
        self._said = column(spacing=SPACE)
        self._closing = column(spacing=SPACE)
        layout = column(spacing=SPACE + SPACE // 2)
        layout.addWidget(question)
        layout.addLayout(self._quotes)
        layout.addLayout(self._said)
        layout.addWidget(self.progress)
        layout.addLayout(self._closing)
        self.setLayout(layout)
        self.setAccessibleName(f"Question and answer: {self.exchange.question[:120]}")

    def _fill(self, *, under_way: bool) -> None:
        answer = self.exchange.answer
        if answer.citations:
            self._show_cards(answer.citations)
        if answer.commentary:
            self._commenting().end(answer.commentary)
        if under_way:
            self._doing = WRITING if answer.citations and self._prose else SEARCHING
            self._timer.start()
            self._tell_progress()
        else:
            self._close(answer)

    def show_quotes(self, citations: Sequence[Citation]) -> None:
        """Shows the quotes, at once."""
        self._show_cards(citations)
        self._doing = WRITING if self._prose else ""
        self._began = time.monotonic()
        self._tell_progress()
        announce(self, f"{formatting.counted(len(citations), 'quote')} found.")

    def add_commentary(self, text: str) -> None:
        """Shows some more words of the model."""
        self._commenting().add(text)

    def finish(self, exchange: Exchange) -> None:
        """Shows how it ended."""
        self.exchange = exchange
        answer = exchange.answer
        if answer.citations and not self.cards:
            self._show_cards(answer.citations)
        if answer.commentary:
            self._commenting().end(answer.commentary)
        self._close(answer)
        announce(self, _NOT_FOUND if answer.status is Status.NO_EVIDENCE else "The answer is complete.")

    def open_quote(self, number: int) -> bool:
        """Opens the source of a quote; False where there is none of that number."""
        if not 0 < number <= len(self.cards):
            return False
        self.cards[number - 1].click()
        return True

    def choose(self, chosen: int | None) -> None:
        """Marks the quote whose source is open."""
        for place, card in enumerate(self.cards):
            card.choose(chosen=place == chosen)

    def _show_cards(self, citations: Sequence[Citation]) -> None:
        for place, citation in enumerate(citations):
            card = QuoteCard(citation)
            card.clicked.connect(lambda _checked, place=place: self.opened.emit(self._citations(), place))
            self._quotes.addWidget(card)
            self.cards.append(card)

    def _citations(self) -> tuple[Citation, ...]:
        return tuple(card.citation for card in self.cards)

    def _commenting(self) -> Commentary:
        if self.commentary is None:
            self.commentary = Commentary()
            self._said.addSpacing(SPACE // 2)
            self._said.addWidget(label(UNVERIFIED, "warning"))
            self._said.addWidget(self.commentary)
        return self.commentary

    def _tell_progress(self) -> None:
        seconds = int(time.monotonic() - self._began)
        self.progress.setText(f"{self._doing} {seconds} s" if seconds and self._doing else self._doing)
        self.progress.setVisible(bool(self._doing))

    def _close(self, answer: Answer) -> None:
        self._timer.stop()
        self.progress.hide()
        if answer.status is Status.OPEN:
            self.progress.setText(_INTERRUPTED)
            self.progress.show()
            return
        if answer.status is Status.NO_EVIDENCE:
            self._closing.addWidget(_not_found(answer))
        else:
            for ended in _endings(answer):
                self._closing.addWidget(ended)
        self._closing.addLayout(self._footer(answer))

    def _footer(self, answer: Answer) -> QVBoxLayout:
        seconds = answer.timing.total_s
        parts = [references.record(self.exchange), formatting.duration(seconds) if seconds is not None else ""]
        acts = Flow(spacing=SPACE // 2)
        acts.add(button("Copy", self._copy, role="quiet", icon="copy", tip="Copy the answer with its references"))
        acts.add(
            button("Ask again", self._ask_again, role="quiet", icon="refresh-cw", tip="Ask the same question again")
        )
        footer = column(spacing=0)
        footer.addWidget(label(" · ".join(part for part in parts if part), "small", selectable=True))
        footer.addLayout(acts)
        return footer

    def _copy(self) -> None:
        self.copied.emit(self.exchange)

    def _ask_again(self) -> None:
        self.again.emit(self.exchange)


def _not_found(answer: Answer) -> Card:
    card = Card()
    card.body.addWidget(label("Not in your library", "heading"))
    card.body.addWidget(label(answer.text.removeprefix(_NOT_FOUND).strip(), "body", selectable=True))
    card.setAccessibleName(answer.text)
    return card


def _endings(answer: Answer) -> list[QWidget]:
    """What is said below an answer: notes, and that it is incomplete."""
    made: list[QWidget] = [label(note, "small", selectable=True) for note in answer.notes]
    if answer.status is Status.STOPPED:
        made.append(label(references.STOPPED, "warning"))
    elif answer.status is Status.FAILED:
        made.append(label(references.FAILED, "danger"))
    return made
