"""Answers are read back as they were stored, whatever became of their documents."""

from datetime import timedelta

import pytest

from lumen_desktop.domain.chat import Answer, Citation, Provenance, Status, Timing
from lumen_desktop.domain.library import Kind
from lumen_desktop.errors import StorageError
from lumen_desktop.storage import audit
from lumen_desktop.storage import chat as stored
from lumen_desktop.storage.database import Database
from tests.conftest import Clock
from tests.storage.conftest import SITE, TESTER

CITATIONS = (
    Citation(
        1,
        12,
        "Recalls",
        "Lumen's summary of 21 CFR 7, not its wording",
        Kind.SUMMARY,
        "2026",
        None,
        "Depth",
        "A “quote”.",
    ),
    Citation(2, 13, "Annex 11", "Annex 11 (2011)", Kind.SOURCE, "2011", 4, "", "Ein Satz mit µg und ≤ 5 °C."),
)
PROVENANCE = Provenance("build", "a" * 64, "e" * 64, "p" * 64, (12, 13), {"temperature": 0.0, "seed": 7})
TIMING = Timing(0.1, 0.2, 0.3, 1.25, 800, 42)


def asked(
    database: Database, question: str = "What is a recall?", conversation_id: int | None = None
) -> stored.ExchangeRow:
    with database.transaction(TESTER, "ask") as transaction:
        return stored.start(transaction, question, conversation_id=conversation_id, now=Clock()())


def finished(database: Database, exchange: stored.ExchangeRow, status: Status = Status.GROUNDED) -> Answer:
    answer = Answer(
        status, "text", CITATIONS, "its words", ("a note", "another"), "build", "a" * 64, exchange.id or 0,
        exchange.conversation_id, TIMING, Clock()(),
    )  # fmt: skip
    with database.transaction(TESTER, "store an answer") as transaction:
        stored.keep_citations(transaction, exchange, CITATIONS)
        stored.finish(transaction, exchange, answer, PROVENANCE, Clock()() + timedelta(seconds=2))
    return answer


@pytest.mark.parametrize("status", [s for s in Status if s is not Status.OPEN])
def test_an_answer_reads_back_equal(database: Database, status: Status) -> None:
    exchange = asked(database)
    answer = finished(database, exchange, status)
    with database.reading() as session:
        assert stored.answer(session, exchange.id or 0) == answer
        assert stored.answer(session, 999) is None


def test_everything_to_replay_it_is_kept(database: Database) -> None:
    exchange = asked(database)
    finished(database, exchange)
    with database.reading() as session:
        (row,) = stored.exchanges(session, exchange.conversation_id)
    assert (row.build_id, row.build_sha256, row.embedder_sha256) == ("build", "a" * 64, "e" * 64)
    assert (row.prompt_sha256, row.passage_ids, row.sampling) == (
        "p" * 64,
        "[12, 13]",
        '{"temperature": 0.0, "seed": 7}',
    )
    assert row.answered_utc == Clock()() + timedelta(seconds=2)


def test_questions_of_one_conversation_stay_together_in_order(database: Database) -> None:
    first = asked(database, "one")
    second = asked(database, "two", first.conversation_id)
    other = asked(database, "three")
    with database.reading() as session:
        assert [row.question for row in stored.exchanges(session, first.conversation_id)] == ["one", "two"]
    assert second.conversation_id != other.conversation_id


def test_only_open_ones_are_interrupted(database: Database) -> None:
    left, done = asked(database, "left"), asked(database, "done")
    finished(database, done)
    with database.reading() as session:
        assert [row.id for row in stored.interrupted(session)] == [left.id]


def test_the_trail_holds_no_word_of_question_answer_or_note(database: Database) -> None:
    exchange = asked(database, "Is Mrs Meier pregnant?")
    finished(database, exchange)
    with database.reading() as session:
        trail = str(audit.events(session))
        assert audit.verify(session, SITE).first_bad is None
    assert not any(word in trail for word in ("Meier", "its words", "a note", exchange.salt, "A “quote”"))


def test_the_same_question_has_another_digest_each_time(database: Database) -> None:
    one, two = asked(database), asked(database)
    assert one.audited()["question"] != two.audited()["question"]
    assert one.audited()["question"] == one.audited()["question"]


def test_an_unknown_status_is_refused_by_the_schema(database: Database) -> None:
    exchange = asked(database)
    with pytest.raises(StorageError), database.transaction(TESTER, "test") as transaction:
        transaction.change(exchange, status="verified")
