"""The one question under way: what it has brought so far, and how it is stopped.

Lives apart from any widget, so that its answer goes on while another conversation is read. Knows no Qt: `events`
runs in a task's thread, everything else in the interface's.
"""

import threading
from collections.abc import Iterator

from lumen_desktop.app import Site
from lumen_desktop.domain.chat import Answer, Citation, Exchange, Status
from lumen_desktop.services.chat import AnswerReady, AskEvent, Chat, Commentary, EvidenceFound


class Asking:
    """A question on its way to an answer.

    Args:
        site: the open site.
        question: as it was written.
        collection: where to search; None is everywhere.
        prose: whether the model comments.
        conversation_id: where it is asked; None begins a conversation.
    """

    def __init__(
        self, site: Site, question: str, *, collection: str | None, prose: bool, conversation_id: int | None
    ) -> None:
        self.question = question
        self.prose = prose
        self.citations: tuple[Citation, ...] = ()
        self.commentary = ""
        self.answer: Answer | None = None
        self._site = site
        self._collection = collection
        self._begun_in = conversation_id
        self._chat: Chat | None = None
        self._before: int | None = None
        self._stopped = threading.Event()

    @property
    def conversation_id(self) -> int | None:
        """Where it is stored; None until it is."""
        if self._begun_in is not None or self._chat is None:
            return self._begun_in
        return self._chat.asked_in if self._chat.asked_in != self._before else None

    @property
    def stopped(self) -> bool:
        """Whether a stop was asked for."""
        return self._stopped.is_set()

    @property
    def exchange(self) -> Exchange:
        """What can be shown of it by now."""
        return Exchange(self.question, self.answer or self._so_far(), self._collection)

    def _so_far(self) -> Answer:
        return Answer(
            status=Status.OPEN,
            text="",
            citations=self.citations,
            commentary=self.commentary,
            notes=(),
            build_id="",
            build_sha256="",
            record_id=0,
            conversation_id=self.conversation_id or 0,
        )

    def events(self) -> Iterator[AskEvent]:
        """The service's events; a stop that came before the service listened is said again."""
        chat = self._site.chat  # the first use builds it, which may take a while
        self._before = chat.asked_in
        self._chat = chat
        if self.stopped:
            return
        source = chat.ask(self.question, collection=self._collection, prose=self.prose, conversation_id=self._begun_in)
        try:
            for event in source:
                if self.stopped:
                    chat.stop()
                yield event
        finally:
            source.close()  # type: ignore[attr-defined]  # a generator: what it had is stored now, not some day

    def stop(self) -> None:
        """Ends the answer; what was shown is kept."""
        self._stopped.set()
        if self._chat is not None:
            self._chat.stop()

    def hear(self, event: AskEvent) -> None:
        """Takes in what came."""
        if isinstance(event, EvidenceFound):
            self.citations = event.citations
        elif isinstance(event, Commentary):
            self.commentary += event.text
        elif isinstance(event, AnswerReady):
            self.answer = event.answer
