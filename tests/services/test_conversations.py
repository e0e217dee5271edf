"""Conversations: found, named, pinned, deleted with a way back, erased at last, each write in the trail."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from lumen_desktop import app
from lumen_desktop.domain.chat import Status
from lumen_desktop.engine.fake import Behaviour
from lumen_desktop.errors import EngineError, InputError
from lumen_desktop.services.chat import EvidenceFound
from lumen_desktop.services.conversations import Conversations
from tests.conftest import Clock
from tests.rehearsal import RehearsalSite
from tests.services.conftest import DOSE_QUESTION, RECALL_QUESTION, Open, ask


def titles(site: app.Site, words: str = "", *, deleted: bool = False) -> list[str]:
    return [conversation.title for conversation in site.conversations.list(words, deleted=deleted)]


def reasons(site: app.Site) -> list[str]:
    return [event["reason"] for event in site.audit.newest(1000) if event["entity"] == "conversation"]


def conversation(site: app.Site, question: str = RECALL_QUESTION) -> int:
    return ask(site, question)[1].conversation_id


# --- finding and showing ---


def test_a_question_begins_a_conversation_and_the_next_one_moves_it_up(site: app.Site, clock: Clock) -> None:
    recall = conversation(site)
    clock.tick()
    dose = conversation(site, DOSE_QUESTION)
    assert titles(site) == [DOSE_QUESTION, RECALL_QUESTION]
    clock.tick()
    ask(site, "How cold is it stored?", conversation_id=recall)
    assert [(c.id, c.exchanges) for c in site.conversations.list()] == [(recall, 2), (dose, 1)]
    assert site.conversations.conversation(recall).last_utc == clock()
    assert [c.id for c in site.conversations.list(most=1)] == [recall]


def test_words_are_found_in_titles_questions_and_answers_in_any_case(site: app.Site) -> None:
    conversation(site)
    dose = conversation(site, DOSE_QUESTION)
    site.conversations.rename(dose, "Größe & Dosis: 100 %")
    assert titles(site, "GRÖSSE") == titles(site, "größe 100 %") == ["Größe & Dosis: 100 %"]
    assert titles(site, "ZELBORAXIB") == ["Größe & Dosis: 100 %"]
    assert titles(site, "40 mg") == ["Größe & Dosis: 100 %"]
    assert titles(site, "consignee") == [RECALL_QUESTION]


@pytest.mark.parametrize(
    "words", ["_ecall", "rec%", "' OR 1=1 --", "\0", "\udce9\udce9", "nowhere " * 2000, "(" * 5000]
)
def test_what_is_no_word_of_them_finds_nothing(site: app.Site, words: str) -> None:
    conversation(site)
    assert titles(site, words) == []


def test_exchanges_are_what_was_shown_however_they_ended(site: app.Site, rehearsed: type[RehearsalSite]) -> None:
    _, grounded = ask(site, RECALL_QUESTION)
    here = grounded.conversation_id
    _, missing = ask(site, "What is chocolate?", conversation_id=here)
    left = site.chat.ask(RECALL_QUESTION, conversation_id=here)
    next(iter(left))
    left.close()  # type: ignore[attr-defined]
    rehearsed.chat_behaviour = Behaviour(crash_after=75)
    with pytest.raises(EngineError):
        ask(site, RECALL_QUESTION, conversation_id=here, prose=True)
    found = site.conversations.exchanges(here)
    assert [exchange.answer.status for exchange in found] == [
        Status.GROUNDED, Status.NO_EVIDENCE, Status.STOPPED, Status.FAILED,
    ]  # fmt: skip
    assert [exchange.question for exchange in found[:2]] == [RECALL_QUESTION, "What is chocolate?"]
    assert [exchange.answer for exchange in found[:2]] == [grounded, missing]


def test_an_answer_on_its_way_is_shown_as_open_with_its_quotes(site: app.Site) -> None:
    events = site.chat.ask(RECALL_QUESTION)
    evidence = next(iter(events))
    assert isinstance(evidence, EvidenceFound)
    (listed,) = site.conversations.list()
    (exchange,) = site.conversations.exchanges(listed.id)
    assert (exchange.answer.status, exchange.answer.citations) == (Status.OPEN, evidence.citations)
    events.close()  # type: ignore[attr-defined]


def test_the_same_question_again_leaves_both_answers(site: app.Site) -> None:
    _, one = ask(site, RECALL_QUESTION)
    _, two = ask(site, RECALL_QUESTION, conversation_id=one.conversation_id)
    assert one.record_id != two.record_id
    assert [exchange.answer for exchange in site.conversations.exchanges(one.conversation_id)] == [one, two]


# --- changing ---


def test_pinned_ones_stand_above(site: app.Site) -> None:
    recall, _ = conversation(site), conversation(site, DOSE_QUESTION)
    site.conversations.pin(recall, pinned=True)
    assert titles(site) == [RECALL_QUESTION, DOSE_QUESTION]
    site.conversations.pin(recall, pinned=False)
    assert titles(site) == [DOSE_QUESTION, RECALL_QUESTION]
    assert reasons(site)[-2:] == ["pin a conversation", "unpin a conversation"]


def test_a_new_title_is_one_line_and_in_the_trail_as_a_digest(site: app.Site) -> None:
    here = conversation(site)
    site.conversations.rename(here, "  Recall\nof Meier\0's\tlot \udce9 ")
    assert titles(site) == ["Recall of Meier 's lot ?"]
    assert "Meier" not in str(site.audit.newest(1000))
    site.conversations.rename(here, "x" * 200)
    assert titles(site) == ["x" * 200]
    site.conversations.rename(here, "Lot \u202e7B\u2069\u200b\x1b[31m")
    assert titles(site) == ["Lot 7B [31m"]
    assert site.audit.verify().first_bad is None


@pytest.mark.parametrize(
    ("title", "code"), [("", "CHT-002"), (" \n\0", "CHT-002"), ("\u202e\u200b", "CHT-002"), ("x" * 201, "CHT-003")]
)
def test_a_title_that_cannot_be_is_refused(site: app.Site, title: str, code: str) -> None:
    here = conversation(site)
    with pytest.raises(InputError) as caught:
        site.conversations.rename(here, title)
    assert caught.value.code == code
    assert titles(site) == [RECALL_QUESTION]


def test_nothing_is_written_where_nothing_changes(site: app.Site) -> None:
    here = conversation(site)
    before = len(site.audit.newest(1000))
    site.conversations.pin(here, pinned=False)
    site.conversations.rename(here, RECALL_QUESTION)
    site.conversations.restore(here)
    assert len(site.audit.newest(1000)) == before


# --- deleting ---


def test_a_deleted_conversation_is_taken_back_whole(site: app.Site, clock: Clock) -> None:
    here = conversation(site)
    clock.tick()
    site.conversations.delete(here)
    assert titles(site) == []
    (gone,) = site.conversations.list(deleted=True)
    assert (gone.id, gone.deleted_utc) == (here, clock())
    clock.tick()
    site.conversations.delete(here)
    assert site.conversations.conversation(here) == gone
    site.conversations.restore(here)
    assert titles(site) == [RECALL_QUESTION]
    assert len(site.conversations.exchanges(here)) == 1
    assert reasons(site)[-2:] == ["delete a conversation", "restore a conversation"]


def test_the_last_one_deleted_stands_first(site: app.Site, clock: Clock) -> None:
    recall, dose = conversation(site), conversation(site, DOSE_QUESTION)
    site.conversations.pin(recall, pinned=True)
    for here in (recall, dose):
        clock.tick()
        site.conversations.delete(here)
    assert titles(site, deleted=True) == [DOSE_QUESTION, RECALL_QUESTION]
    assert titles(site, "consignee", deleted=True) == [RECALL_QUESTION]


def test_nobody_asks_in_a_deleted_conversation(site: app.Site) -> None:
    here = conversation(site)
    site.conversations.delete(here)
    with pytest.raises(InputError) as caught:
        ask(site, DOSE_QUESTION, conversation_id=here)
    assert caught.value.code == "ASK-004"
    assert len(site.conversations.exchanges(here)) == 1
    site.conversations.restore(here)
    assert ask(site, DOSE_QUESTION, conversation_id=here)[1].conversation_id == here


def test_an_answer_whose_conversation_is_deleted_meanwhile_is_stored(site: app.Site) -> None:
    events = site.chat.ask(RECALL_QUESTION)
    next(iter(events))
    (listed,) = site.conversations.list()
    site.conversations.delete(listed.id)
    assert len(list(events)) == 1
    assert site.conversations.exchanges(listed.id)[0].answer.status is Status.GROUNDED


ACTS: list[Callable[[Conversations, int], object]] = [
    lambda conversations, number: conversations.conversation(number),
    lambda conversations, number: conversations.exchanges(number),
    lambda conversations, number: conversations.rename(number, "x"),
    lambda conversations, number: conversations.pin(number, pinned=True),
    lambda conversations, number: conversations.delete(number),
    lambda conversations, number: conversations.restore(number),
]


@pytest.mark.parametrize("number", [99, 0, -1, 2**63, -(2**70)])
@pytest.mark.parametrize("act", ACTS)
def test_a_number_that_there_is_not_is_refused(
    site: app.Site, act: Callable[[Conversations, int], object], number: int
) -> None:
    with pytest.raises(InputError) as caught:
        act(site.conversations, number)
    assert caught.value.code == "CHT-001"


@pytest.mark.parametrize("number", [99, 0, 2**63])
def test_nobody_asks_in_a_conversation_that_there_is_not(site: app.Site, number: int) -> None:
    with pytest.raises(InputError) as caught:
        ask(site, RECALL_QUESTION, conversation_id=number)
    assert caught.value.code == "CHT-001"
    assert titles(site) == []


def test_what_was_deleted_30_days_ago_is_erased_when_the_site_is_used_again(open_again: Open, clock: Clock) -> None:
    with open_again() as site:
        old, kept = conversation(site), conversation(site, DOSE_QUESTION)
        site.conversations.delete(old)
        clock.tick(timedelta(days=20).total_seconds())
        site.person.unlock()
        newer = conversation(site, "What is chocolate?")
        site.conversations.delete(newer)
        clock.tick(timedelta(days=10).total_seconds())
        site.person.unlock()
    with open_again() as site:
        assert site.chat.recover() == 0
        assert {c.id for c in site.conversations.list(deleted=True)} == {old, newer}  # 30 days to the second
    clock.tick()
    with open_again() as site:
        site.chat.stop()
        assert [c.id for c in site.conversations.list(deleted=True)] == [newer]
        assert [c.id for c in site.conversations.list()] == [kept]
        with pytest.raises(InputError):
            site.chat.record(1)
        assert reasons(site)[-1] == "erase conversations deleted long ago"
        assert site.audit.verify().first_bad is None
        assert site.conversations.erase_deleted(timedelta(0)) == 1
        assert site.conversations.erase_deleted(timedelta(0)) == 0


def test_a_reader_erases_nothing(site: app.Site, open_again: Open, clock: Clock) -> None:
    site.conversations.delete(conversation(site))
    clock.tick(timedelta(days=31).total_seconds())
    site.person.unlock()
    reader = app.Site(
        site.place, site._database, person=site.person, people=site.people, watch=site._watch, writable=False
    )
    vars(reader).update(searcher=None, embedder=None, embedding=site.embedding)
    assert reader.chat.record(1).status is Status.GROUNDED
    assert len(reader.conversations.list(deleted=True)) == 1
