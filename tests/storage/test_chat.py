"""Answers are read back as they were stored, whatever became of their documents."""

from datetime import timedelta

import pytest
from sqlalchemy import event
from sqlmodel import select

from lumen_desktop.domain.chat import Answer, Citation, Conversation, Exchange, Provenance, Status, Timing
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
        row = session.get_one(stored.ExchangeRow, exchange.id)
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


# --- conversations ---


def titles(database: Database, *words: str, deleted: bool = False, most: int = 200) -> list[str]:
    with database.reading() as session:
        return [c.title for c in stored.conversations(session, words, deleted=deleted, most=most)]


def change(database: Database, conversation_id: int, **values: object) -> None:
    with database.transaction(TESTER, "test") as transaction:
        transaction.change(transaction.session.get_one(stored.ConversationRow, conversation_id), **values)


def test_a_conversation_reads_back_with_its_count_and_last_use(database: Database) -> None:
    first = asked(database, "one\n two")
    with database.transaction(TESTER, "ask") as transaction:
        later = Clock()() + timedelta(hours=1)
        stored.start(transaction, "again", conversation_id=first.conversation_id, now=later)
    with database.reading() as session:
        (found,) = stored.conversations(session)
    assert found == Conversation(
        first.conversation_id, "one two", pinned=False, created_utc=Clock()(), last_utc=later, exchanges=2
    )


@pytest.mark.parametrize(
    ("question", "title"),
    [("Is \u202eexe.fdp\u202c\u200b a\x1b PDF?", "Is exe.fdp a PDF?"), ("\u2066\u200f\u061c", stored.UNTITLED)],
)
def test_a_first_question_becomes_a_title_of_what_can_be_seen(database: Database, question: str, title: str) -> None:
    asked(database, question)
    assert titles(database) == [title]
    with database.reading() as session:
        assert [row.question for row in session.exec(select(stored.ExchangeRow)).all()] == [question]


def test_a_conversation_without_a_question_was_last_used_when_it_began(database: Database) -> None:
    with database.transaction(TESTER, "test") as transaction:
        transaction.add(stored.ConversationRow(title="empty", created_utc=Clock()()))
    with database.reading() as session:
        (found,) = stored.conversations(session)
    assert (found.last_utc, found.exchanges) == (Clock()(), 0)


def test_pinned_ones_come_first_then_the_last_begun_and_deleted_ones_apart(database: Database) -> None:
    one, _, three, _ = (asked(database, title).conversation_id for title in ("one", "two", "three", "four"))
    change(database, one, pinned=True)
    change(database, three, deleted_utc=Clock()())
    assert titles(database) == ["one", "four", "two"]
    assert titles(database, most=2) == ["one", "four"]
    assert titles(database, deleted=True) == ["three"]
    change(database, one, deleted_utc=Clock()() - timedelta(days=1))
    assert titles(database, deleted=True) == ["three", "one"]
    with database.reading() as session:
        assert [c.title for c in stored.conversations(session, only=three)] == ["three"]
        assert stored.conversations(session, only=99) == []


def test_every_word_must_be_somewhere_in_the_conversation(database: Database) -> None:
    exchange = asked(database, "Größe der Charge, 100 % geprüft")
    finished(database, exchange)
    asked(database, "Batch_size")
    for words in (["charge"], ["grösse"], ["100", "text"], ["its", "geprüft"], ["%"]):
        assert titles(database, *words) == ["Größe der Charge, 100 % geprüft"], words
    assert titles(database, "_") == ["Batch_size"]
    assert titles(database, "charge", "nowhere") == []
    assert len(titles(database)) == 2


def test_a_list_reads_no_answer_and_a_start_finds_open_ones_by_an_index(database: Database) -> None:
    with database.reading() as session:
        connection = session.connection()
        seen: list[str] = []
        event.listen(connection, "before_cursor_execute", lambda *given: seen.append(given[2]))
        stored.conversations(session)
        stored.interrupted(session)
        listing, left = seen
        plans = [
            " ".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", given).all())
            for query, given in ((listing, (200, 0)), (left, ("open",)))
        ]
    assert "USING COVERING INDEX exchange_by_conversation" in plans[0]
    assert "USING INDEX exchange_by_status" in plans[1]


def test_exchanges_carry_their_own_citations_and_open_ones_are_shown(database: Database) -> None:
    first = asked(database, "one")
    answer = finished(database, first)
    other = asked(database, "other")
    finished(database, other)
    asked(database, "two", first.conversation_id)
    with database.reading() as session:
        one, two = stored.exchanges(session, first.conversation_id)
    assert one == Exchange("one", answer)
    assert (two.question, two.answer.status, two.answer.citations) == ("two", Status.OPEN, ())


def test_a_removed_conversation_takes_its_answers_along(database: Database) -> None:
    kept, gone = asked(database, "kept"), asked(database, "gone")
    finished(database, gone)
    change(database, gone.conversation_id, deleted_utc=Clock()())
    with database.reading() as session:
        assert stored.deleted_before(session, Clock()()) == []
        (row,) = stored.deleted_before(session, Clock()() + timedelta(seconds=1))
    with database.transaction(TESTER, "erase") as transaction:
        transaction.remove(row)
    with database.reading() as session:
        assert stored.conversation(session, gone.conversation_id) is None
        assert stored.answer(session, gone.id or 0) is None
        assert session.exec(select(stored.CitationRow)).all() == []
        assert stored.answer(session, kept.id or 0) is not None
        assert audit.verify(session, SITE).first_bad is None
