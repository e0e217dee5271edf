"""Documents stored whole, found by their words, and gone without a trace in the index when removed."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text
from sqlmodel import Session, col, select

from lumen_desktop.domain.library import Currency, Kind, PassageDraft, Span
from lumen_desktop.errors import StorageError
from lumen_desktop.storage import audit
from lumen_desktop.storage import library as stored
from lumen_desktop.storage.database import Database
from tests.conftest import Clock
from tests.storage.conftest import SITE, TESTER

NUMBERS = itertools.count()
NASTY = [
    '"', "''", '""', '"x', "a AND b", "NOT", "OR", "NEAR(a b)", "*", "x*", "^x", "a:b", "header:x", "{header}", "(",
    ")", "-x", "+x", "a+b", "\\", ";", "--", "%", "_", "µg", "№", "💊", "'; DROP TABLE passage; --", "x" * 10_000, "",
]  # fmt: skip


def collection(database: Database, name: str) -> stored.CollectionRow:
    with database.transaction(TESTER, "test") as transaction:
        return transaction.add(stored.CollectionRow(name=name, created_utc=Clock()(), embedder_sha256="e" * 64))


def document(place: stored.CollectionRow, *, sha256: str = "", **values: Any) -> stored.DocumentRow:
    fields: dict[str, Any] = {
        "collection_id": place.id, "sha256": sha256 or f"{next(NUMBERS):064}", "name": "a.md", "title": "Cleaning",
        "kind": "source", "subject": "", "edition": "2", "as_of": "", "currency": "in_force", "paged": True,
        "pages": 2, "size_bytes": 3, "notices": '["One page holds no text."]', "drug_names": "[]",
        "added_utc": Clock()(), **values,
    }  # fmt: skip
    return stored.DocumentRow(**fields)


def unit(seed: int) -> stored.Vectors:
    vector = np.random.default_rng(seed).normal(size=384).astype(np.float32)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def parts(texts: Sequence[str], header: str = "Cleaning — Equipment") -> stored.DocumentParts:
    drafts = [PassageDraft(header, "Equipment", t, (Span(1, 0, len(t)),)) for t in texts]
    return stored.DocumentParts(
        b"abc", ["page one", "page two"], drafts, np.stack([unit(n) for n in range(len(texts))])
    )


def add(
    database: Database, place: stored.CollectionRow, *texts: str, header: str = "Cleaning — Equipment", **values: Any
) -> tuple[stored.DocumentRow, list[int]]:
    row = document(place, **values)
    with database.transaction(TESTER, "add") as transaction:
        return row, stored.add_document(transaction, place, row, parts(texts, header))


def found(database: Database, words: Sequence[str], *places: stored.CollectionRow, most: int = 10) -> list[int]:
    with database.reading() as session:
        hits = stored.search_text(session, words, [p.id for p in places if p.id is not None], most=most)
    assert [score for _, score in hits] == sorted((score for _, score in hits), reverse=True)
    return [identity for identity, _ in hits]


def counts(session: Session) -> dict[str, int]:
    tables = ("source_document", "document_file", "document_page", "passage", "passage_vector", "passage_text")
    return {table: session.execute(text("SELECT count(*) FROM " + table)).scalar_one() for table in tables}


@pytest.mark.parametrize("words", [["cleaned"], ["cleaning"], ["cleans"], ["CLEAN"], ["clean", "unknownword"]])
def test_words_are_found_in_all_their_forms(database: Database, words: list[str]) -> None:
    place = collection(database, "A")
    _, (hit, _) = add(database, place, "Equipment was cleaned at once.", "Nothing of that kind.", header="SOP")
    assert found(database, words, place) == [hit]


def test_accents_do_not_matter_and_more_words_rank_first(database: Database) -> None:
    place = collection(database, "A")
    _, ids = add(database, place, "A naïve operator waited.", "The naive operator signed the record.", header="SOP")
    assert found(database, ["naive", "record"], place) == [ids[1], ids[0]]


def test_the_header_is_searched_and_weighs_more(database: Database) -> None:
    place = collection(database, "A")
    _, (in_text,) = add(database, place, "Autoclave and other words of a text here.", header="Other matter")
    _, (in_header,) = add(database, place, "Matter and other words of a text here.", header="Autoclave")
    assert found(database, ["autoclave"], place) == [in_header, in_text]


@pytest.mark.parametrize("nasty", NASTY, ids=lambda value: repr(value)[:20])
def test_no_word_is_read_as_search_syntax(database: Database, nasty: str) -> None:
    place = collection(database, "A")
    _, (hit,) = add(database, place, "The plain word stands here.")
    assert hit in found(database, [nasty, "plain"], place)
    found(database, [nasty], place)


def test_nothing_asked_finds_nothing(database: Database) -> None:
    place = collection(database, "A")
    add(database, place, "Words.")
    assert found(database, [], place) == []
    assert found(database, ["words"]) == []


def test_a_search_stays_in_its_collections(database: Database) -> None:
    one, other = collection(database, "A"), collection(database, "B")
    _, (first,) = add(database, one, "Shared words.")
    _, (second,) = add(database, other, "Shared words.")
    assert found(database, ["shared"], one) == [first]
    assert found(database, ["shared"], other) == [second]
    assert sorted(found(database, ["shared"], one, other)) == [first, second]
    with database.reading() as session:
        assert stored.size_of(session, [one.id or 0]) == (1, 1)
        assert stored.size_of(session, [one.id or 0, other.id or 0]) == (2, 2)
        assert [c.name for c in stored.collections(session)] == ["A", "B"]
        assert [c.name for c in stored.collections(session, ["B", "C"])] == ["B"]


def test_at_most_so_many_come_back(database: Database) -> None:
    place = collection(database, "A")
    add(database, place, *[f"Shared words number {n}." for n in range(12)])
    assert len(found(database, ["shared"], place, most=5)) == 5


def test_a_document_is_stored_with_everything_and_four_summary_events(database: Database) -> None:
    place = collection(database, "A")
    row, ids = add(database, place, "One passage.", "Another passage.")
    with database.reading() as session:
        assert counts(session) == {
            "source_document": 1, "document_file": 1, "document_page": 2, "passage": 2, "passage_vector": 2,
            "passage_text": 2,
        }  # fmt: skip
        assert session.exec(select(stored.FileRow.content)).one() == b"abc"
        pages = session.exec(select(stored.PageRow).order_by(col(stored.PageRow.number))).all()
        assert [(page.number, page.text) for page in pages] == [(1, "page one"), (2, "page two")]
        acts = [(e["act"], e["entity"], e["entity_id"]) for e in audit.events(session)]
        assert audit.verify(session, SITE).first_bad is None
        (listed,) = stored.documents(session, [place.id or 0])
    kinds = ("collection", "source_document", "document_file", "document_page", "passage", "passage_vector")
    assert acts == [("added", kind, str(place.id if kind == "collection" else row.id)) for kind in kinds]
    assert (listed.title, listed.passages, listed.collection) == ("Cleaning", 2, "A")
    assert listed.notices == ("One page holds no text.",)
    assert listed.added_utc == Clock()()
    assert stored.as_json(listed)["added_utc"] == "2026-11-22T09:30:00+00:00"
    assert ids == sorted(ids)


def test_vectors_come_back_bit_for_bit_in_id_order(database: Database) -> None:
    place = collection(database, "A")
    _, ids = add(database, place, "One.", "Two.", "Three.")
    with database.reading() as session:
        read_ids, vectors = stored.vectors(session, place.id or 0)
        empty_ids, empty = stored.vectors(session, 999)
    assert read_ids.tolist() == ids
    assert np.array_equal(vectors, np.stack([unit(n) for n in range(3)]))
    assert (empty_ids.shape, empty.shape) == ((0,), (0, 384))


def test_a_passage_carries_what_a_citation_says(database: Database) -> None:
    place = collection(database, "A")
    _, (one,) = add(database, place, "Words.", kind="summary", subject="21 CFR 211.67", currency="superseded")
    with database.reading() as session:
        passage = stored.passages(session, [one, 999])[one]
        assert stored.passages(session, []) == {}
    assert (passage.kind, passage.currency, passage.spans) == (Kind.SUMMARY, Currency.SUPERSEDED, (Span(1, 0, 6),))
    assert passage.attribution == "Lumen's summary of 21 CFR 211.67, not its wording (2) [superseded]"


def test_names_that_were_stored_before_they_were_cleaned_are_shown_clean(database: Database) -> None:
    place = collection(database, "A")
    _, (one,) = add(database, place, "Words.", title="Recall\u202e\x1b[2J\n of lots", name="dose\u202efdp.exe")
    with database.reading() as session:
        (listed,) = stored.documents(session, [place.id or 0])
        assert stored.passages(session, [one])[one].document == listed.title == "Recall [2J of lots"
    assert listed.name == "dosefdp.exe"


def test_the_same_bytes_are_in_a_collection_once(database: Database) -> None:
    one, other = collection(database, "A"), collection(database, "B")
    add(database, one, "Words.", sha256="a" * 64)
    with database.reading() as session:
        assert stored.has_document(session, one.id or 0, "a" * 64)
        assert not stored.has_document(session, other.id or 0, "a" * 64)
        before = counts(session)
    with pytest.raises(StorageError):
        add(database, one, "Words.", sha256="a" * 64)
    with database.reading() as session:
        assert counts(session) == before
    add(database, other, "Words.", sha256="a" * 64)


def test_a_document_that_cannot_be_stored_whole_is_not_stored_at_all(database: Database) -> None:
    place = collection(database, "A")
    with pytest.raises(StorageError):
        add(database, place, "Fine.", "")
    with database.reading() as session:
        assert set(counts(session).values()) == {0}
        assert stored.collections(session)[0].index_revision == 0


def test_removal_takes_every_part_and_cleans_the_index(database: Database) -> None:
    place = collection(database, "A")
    row, ids = add(database, place, "Quarantined lots.", "Rejected lots.")
    _, (kept,) = add(database, place, "Released lots.")
    with database.transaction(TESTER, "remove") as transaction:
        assert stored.remove_document(transaction, place, row) == ids
    with database.reading() as session:
        assert set(counts(session).values()) == {1, 2}  # one document of two pages
        session.execute(text("SELECT 1"))
    assert found(database, ["lots"], place) == [kept]
    assert found(database, ["quarantined"], place) == []
    with database.transaction(TESTER, "test") as transaction:
        transaction.session.execute(text("INSERT INTO passage_text (passage_text) VALUES ('integrity-check')"))


def test_numbers_of_removed_documents_and_passages_are_never_given_again(database: Database) -> None:
    place = collection(database, "A")
    row, ids = add(database, place, "Words.")
    removed = row.id
    with database.transaction(TESTER, "remove") as transaction:
        stored.remove_document(transaction, place, row)
    again, new_ids = add(database, place, "Words.")
    assert again.id != removed
    assert not set(ids) & set(new_ids)


def test_every_change_of_vectors_counts_a_revision(database: Database) -> None:
    place = collection(database, "A")
    row, _ = add(database, place, "Words.")
    add(database, place, "More words.")
    with database.transaction(TESTER, "remove") as transaction:
        stored.remove_document(transaction, place, row)
    with database.reading() as session:
        assert stored.collections(session)[0].index_revision == 3


def test_names_that_documents_carry_are_gathered(database: Database) -> None:
    place = collection(database, "A")
    add(database, place, "Words.", drug_names='["zelboramax", "zelboraxib"]')
    add(database, place, "Words.", drug_names='["zelboraxib"]')
    with database.reading() as session:
        assert stored.carried_names(session) == {"zelboramax", "zelboraxib"}
