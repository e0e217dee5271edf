"""Searching a site with the index in its real child: who answers when, and what the result says of the question."""

import math
import os
import shutil
import signal
import time
from collections.abc import Callable

import numpy as np
import pytest

from lumen_desktop import app
from lumen_desktop.errors import InputError
from lumen_desktop.retrieval.nearest import VectorIndex
from lumen_desktop.services.search import Searcher
from lumen_desktop.storage import library as stored
from tests.conftest import Clock, added, write_documents
from tests.rehearsal import RehearsalSite
from tests.services.conftest import DOSE_QUESTION, RECALL_QUESTION, Open

DEADLINE_S = 60.0


@pytest.fixture
def indexed(rehearsed: type[RehearsalSite], open_again: Open) -> Open:
    """Opens the site with the index, brought level and open."""
    rehearsed.indexed = True
    return open_again


def level(site: app.Site) -> VectorIndex:
    """Fills the index as a job that writes does, and returns it."""
    for _ in site.library.reindex():
        pass
    assert site.index is not None
    assert site.searcher.index_agrees()
    return site.index


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def order(site: app.Site, question: str) -> tuple[str, list[int]]:
    found = site.searcher.find(question, collection=None, most=20)
    return found.vector_leg, [candidate.passage.id for candidate in found.candidates]


def test_the_index_answers_where_it_is_open_and_as_the_exact_search_does(indexed: Open) -> None:
    with indexed() as site:
        level(site)
        without = Searcher(
            site._database, embedder=site.embedder, embedder_sha256=site.embedding.build.sha256, index=None
        )
        for question in (RECALL_QUESTION, DOSE_QUESTION):
            found = without.find(question, collection=None, most=20)
            assert found.vector_leg == "exact"
            assert order(site, question) == ("index", [c.passage.id for c in found.candidates])


def test_nothing_waits_for_an_index_that_is_still_opening(indexed: Open) -> None:
    with indexed() as site:
        level(site)
    with indexed() as site:
        assert site.index is not None
        site.index._opening.unlink(missing_ok=True)
        site.index._child._end()  # as it is before its child was started
        assert order(site, RECALL_QUESTION)[0] == "exact"
        site.index.start()
        until(site.index.is_ready)
        assert order(site, RECALL_QUESTION)[0] == "index"


def test_a_killed_index_costs_no_answer(indexed: Open) -> None:
    with indexed() as site:
        index = level(site)
        _, right = order(site, RECALL_QUESTION)
        assert index.pid is not None
        os.kill(index.pid, signal.SIGKILL)
        legs = [order(site, RECALL_QUESTION) for _ in range(3)]
        assert [ids for _, ids in legs] == [right] * 3
        assert "exact" in {leg for leg, _ in legs}


def test_an_index_that_lost_its_files_is_not_believed(indexed: Open) -> None:
    with indexed() as site:
        level(site)
        _, right = order(site, RECALL_QUESTION)
        folder = site.place.folder.index
    shutil.rmtree(folder)
    with indexed() as site:
        assert site.index is not None
        until(site.index.is_ready)
        assert order(site, RECALL_QUESTION) == ("exact", right)
        assert order(site, RECALL_QUESTION) == ("exact", right)


def test_an_index_of_an_older_revision_is_not_believed(indexed: Open, clock: Clock) -> None:
    with indexed() as site:
        index = level(site)
        with site._database.reading() as session:
            places = stored.collections(session)
        for place in places:
            held = site.searcher.hold(place)
            index.rebuild(place.id or 0, place.index_revision - 1, held.ids, held.vectors)
        assert order(site, RECALL_QUESTION)[0] == "exact"


def test_what_was_added_is_found_at_once(indexed: Open, tmp_path_factory: pytest.TempPathFactory) -> None:
    with indexed() as site:
        level(site)
        assert order(site, "purple elephants")[0] == "index"
        _, _, file = write_documents(tmp_path_factory.mktemp("more"))
        file.write_text("Purple elephants are kept in the annex of the warehouse.", encoding="utf-8")
        added(site.library, file)
        found = site.searcher.find("purple elephants", collection=None, most=1)
        assert "Purple elephants" in found.candidates[0].passage.text


def test_the_questions_words_are_weighed_by_how_many_passages_hold_them(site: app.Site) -> None:
    found = site.searcher.find("Which zelboraxib dose and which unheard unicorns?", collection=None, most=5)
    with site._database.reading() as session:
        having = stored.passages_with(session, ["zelboraxib", "unicorns"])
    assert having["zelboraxib"] >= 1
    assert having["unicorns"] == 0
    assert found.weights["zelboraxib"] == pytest.approx(math.log(1 + found.passages / having["zelboraxib"]))
    assert found.weights["unicorn"] == pytest.approx(math.log(1 + found.passages))
    assert found.weights["unicorn"] >= found.weights["zelboraxib"]


def test_forms_of_a_word_weigh_as_their_commonest(site: app.Site) -> None:
    weights = site.searcher.find("firms firm unicorns", collection=None, most=5).weights
    assert set(weights) == {"firm", "unicorn"}
    assert weights["firm"] < weights["unicorn"]


def test_words_that_are_search_syntax_are_words(site: app.Site) -> None:
    found = site.searcher.find('NEAR( "zelboraxib* AND header:x -', collection=None, most=5)
    assert "zelboraxib" in found.candidates[0].passage.text


def test_how_much_was_searched_is_told(site: app.Site) -> None:
    everywhere = site.searcher.find(RECALL_QUESTION, collection=None, most=5)
    rules = site.searcher.find(RECALL_QUESTION, collection="Rules", most=5)
    assert (everywhere.documents, rules.documents) == (3, 1)
    assert everywhere.passages > rules.passages == len(rules.ranked)
    assert np.linalg.norm(everywhere.question) == pytest.approx(1.0, abs=1e-4)


def test_an_unknown_collection_is_refused(site: app.Site) -> None:
    with pytest.raises(InputError) as refused:
        site.searcher.find("anything", collection="nowhere", most=5)
    assert refused.value.code == "LIB-020"


def test_a_collection_of_another_model_is_refused(site: app.Site) -> None:
    other = Searcher(site._database, embedder=site.embedder, embedder_sha256="0" * 64, index=None)
    with pytest.raises(InputError) as refused:
        other.find("anything", collection=None, most=5)
    assert refused.value.code == "LIB-021"
