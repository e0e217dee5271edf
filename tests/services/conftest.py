"""Asking a rehearsal site."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from lumen_desktop import app
from lumen_desktop.domain.chat import Answer
from lumen_desktop.engine.fake import FakeChatEngine
from lumen_desktop.engine.protocol import Finished, Sampling, TextDelta, Turn
from lumen_desktop.services.chat import AnswerReady, AskEvent
from lumen_desktop.storage import chat as stored
from lumen_desktop.storage.folder import DataFolder
from tests.conftest import HOLDER, Clock
from tests.rehearsal import CHAT, RehearsalSite

RECALL_QUESTION = "Within how many business days does an effectiveness check confirm the notice of a recall?"
DOSE_QUESTION = "What is the recommended dose of zelboraxib once daily?"

Open = Callable[[], AbstractContextManager[app.Site]]


def ask(site: app.Site, question: str, **options: object) -> tuple[list[AskEvent], Answer]:
    """All events of an answer, and the answer."""
    events = list(site.chat.ask(question, **options))  # type: ignore[arg-type]
    assert isinstance(events[-1], AnswerReady)
    assert [type(event) for event in events].count(AnswerReady) == 1
    return events, events[-1].answer


@pytest.fixture(autouse=True)
def _quick_children(unmeasured_children: None) -> None:
    """Services run in the test's own process."""


@pytest.fixture
def open_again(site_folder: Path, rehearsed: type[RehearsalSite], clock: Clock) -> Open:
    """Opens the copied site anew each time, as a later start of the program would."""

    @contextmanager
    def opened() -> Iterator[app.Site]:
        place = app.SitePlace(DataFolder(site_folder), demonstration=False)
        with app.opened(place, HOLDER, purpose="tests", writable=True) as site:
            yield site

    return opened


def exchange(site: app.Site, answer: Answer) -> stored.ExchangeRow:
    with site.chat._database.reading() as session:
        return session.get_one(stored.ExchangeRow, answer.record_id)


class Scripted(FakeChatEngine):
    """A model that says given words; its process is real and idle."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self._words = words

    def generate(self, turns: Sequence[Turn], sampling: Sampling) -> Iterator[TextDelta | Finished]:  # noqa: ARG002
        yield from (TextDelta(word) for word in re.findall(r"\S+\s*", self._words))
        yield Finished("end", 10, 0, len(self._words.split()), 0.0, 0.0)


def says(site: app.Site, words: str, kind: type[Scripted] = Scripted) -> None:
    engine = kind(words)
    site._closing.callback(engine.close)
    vars(site)["_chat_engine"] = engine, CHAT
