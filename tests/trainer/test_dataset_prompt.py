"""What is learnt is what the app asks: the same passages give the same bytes."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from lumen_desktop import app
from lumen_desktop.domain.library import Passage
from lumen_desktop.storage import chat as stored_chat
from lumen_desktop.storage import library as stored
from tests.conftest import added
from tests.trainer.making import record
from trainer.dataset.shown import Part, prompt

QUESTION = "What is the recommended dose of zelboraxib for adults?"
LABEL = """# Zelboraxib tablets

## Dosage

The recommended dose of zelboraxib for adults is 40 mg once daily, with
or without food. It is taken at the same hour every day, in the evening, and the tablets are swallowed
whole with a glass of water, not crushed and not chewed.

## Storage

Zelboraxib tablets are stored below 25 °C in the original bottle, away from children. The bottle is
kept tightly closed, so that no moisture reaches the tablets, and is used within sixty days after opening.
"""


@pytest.fixture(autouse=True)
def _quick_children(unmeasured_children: None) -> None:
    """Services run in the test's own process."""


def test_the_apps_prompt_and_the_training_text_are_the_same_bytes(site: app.Site, tmp_path: Path) -> None:
    file = tmp_path / "zelboraxib.md"
    file.write_text(LABEL, encoding="utf-8")
    added(site.library, file, collection="Labels")
    *_, ready = site.chat.ask(QUESTION, collection="Labels", prose=True)
    with site.chat._database.reading() as session:
        exchange = session.get_one(stored_chat.ExchangeRow, ready.answer.record_id)  # type: ignore[union-attr]
        ids = json.loads(exchange.passage_ids)
        found = stored.passages(session, ids)
    learnt = prompt(QUESTION, [as_part(found[id_]) for id_ in ids])
    digest = hashlib.sha256(json.dumps([[turn.role, turn.content] for turn in learnt]).encode()).hexdigest()
    assert len(ids) >= 2
    assert "Zelboraxib tablets — Dosage\n(Zelboraxib tablets)\nThe recommended dose" in learnt[1].content
    assert digest == exchange.prompt_sha256


def as_part(held: Passage) -> Part:
    """The passage as a record that a collector made of the same section."""
    one = record(held.text, *held.section.split(" › "), kind="guidance", title=held.document)
    bare = replace(one, version="", as_of="")
    return Part(bare, 0, len(bare.text))
