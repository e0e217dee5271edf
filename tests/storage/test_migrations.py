"""A site of an earlier version opens with everything in it."""

from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import text

from lumen_desktop.domain.chat import Status
from lumen_desktop.errors import StorageError
from lumen_desktop.storage import audit, migrations
from lumen_desktop.storage import chat as stored
from lumen_desktop.storage.database import Database
from tests.conftest import Clock
from tests.storage.conftest import KEY, SITE, opened

CONVERSATION = """INSERT INTO conversation (title, salt, created_utc) VALUES ('Recalls', 'ab', '2026-01-02 03:04:05')"""
EXCHANGE = """INSERT INTO exchange (conversation_id, salt, question, status, answer, commentary, notes, build_id,
    build_sha256, embedder_sha256, prompt_sha256, passage_ids, sampling, timing, asked_utc)
    VALUES (1, 'cd', 'What is a recall?', 'stopped', '', '', '[]', 'b', '', '', '', '[]', '{}', '{}',
    '2026-01-02 03:04:06')"""


@pytest.fixture
def first_version(path: Path) -> Path:
    """A database as the first version made it, with a conversation."""
    database = Database(path, KEY, site_id=SITE, clock=Clock())
    with database._engine.begin() as connection:
        command.upgrade(migrations._config(connection), "0001")
        connection.execute(text(CONVERSATION))
        connection.exec_driver_sql(EXCHANGE)
    database.close()
    return path


def test_conversations_of_the_first_version_are_neither_pinned_nor_deleted(first_version: Path) -> None:
    database = opened(first_version)
    with database.reading() as session:
        (found,) = stored.conversations(session)
        (exchange,) = stored.exchanges(session, found.id)
        assert audit.missing_guards(session) == []
    database.close()
    assert (found.title, found.pinned, found.deleted_utc, found.exchanges) == ("Recalls", False, None, 1)
    assert (exchange.question, exchange.answer.status) == ("What is a recall?", Status.STOPPED)
    opened(first_version, writable=False).close()


def test_steps_are_named_by_their_files_and_follow_each_other(path: Path) -> None:
    database = Database(path, KEY, site_id=SITE, clock=Clock())
    with database._engine.begin() as connection:
        script = ScriptDirectory.from_config(migrations._config(connection))
    database.close()
    assert migrations.revisions() == [step.revision for step in script.walk_revisions()][::-1]
    assert migrations.revisions()[-1] == script.get_current_head()


def test_a_reader_leaves_the_first_version_as_it_is(first_version: Path) -> None:
    with pytest.raises(StorageError) as caught:
        opened(first_version, writable=False)
    assert caught.value.code == "STO-009"


def test_both_make_the_same_schema(first_version: Path, tmp_path: Path) -> None:
    schemas = []
    for path in (first_version, tmp_path / "new.db"):
        database = opened(path)
        with database.reading() as session:
            schemas.append(session.execute(text("SELECT name, sql FROM sqlite_master ORDER BY name")).all())
        database.close()
    assert schemas[0] == schemas[1]
