"""Asking a rehearsal site."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from lumen_desktop import app
from lumen_desktop.domain.chat import Answer
from lumen_desktop.services.chat import AnswerReady, AskEvent
from lumen_desktop.storage.folder import DataFolder
from tests.conftest import PASSPHRASE, Clock
from tests.rehearsal import RehearsalSite

RECALL_QUESTION = "Within how many business days does an effectiveness check confirm the notice of a recall?"
DOSE_QUESTION = "What is the recommended dose of zelboraxib once daily?"

Open = Callable[[], AbstractContextManager[app.Site]]


def ask(site: app.Site, question: str, **options: object) -> tuple[list[AskEvent], Answer]:
    """All events of an answer, and the answer."""
    events = list(site.chat.ask(question, **options))  # type: ignore[arg-type]
    assert isinstance(events[-1], AnswerReady)
    assert [type(event) for event in events].count(AnswerReady) == 1
    return events, events[-1].answer


@pytest.fixture
def open_again(site_folder: Path, rehearsed: type[RehearsalSite], clock: Clock) -> Open:
    """Opens the copied site anew each time, as a later start of the program would."""

    @contextmanager
    def opened() -> Iterator[app.Site]:
        place = app.SitePlace(DataFolder(site_folder), demonstration=False)
        with app.opened(place, PASSPHRASE, purpose="tests", writable=True) as site:
            yield site

    return opened
