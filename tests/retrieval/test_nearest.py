"""The vector index in its real child: what it must find, and how each way of being wrong is found out."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lumen_desktop.errors import EngineError
from lumen_desktop.retrieval.nearest import Ids, VectorIndex, Vectors, exact

PLACE = 7


def unit_vectors(count: int, *, seed: int = 1) -> Vectors:
    drawn = np.random.default_rng(seed).normal(size=(count, 384)).astype(np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), dtype=np.float32)


IDS: Ids = np.arange(100, 400, dtype=np.int64)
VECTORS = unit_vectors(len(IDS))


@pytest.fixture
def index(tmp_path: Path) -> Iterator[VectorIndex]:
    made = VectorIndex(tmp_path / "index")
    yield made
    made.close()


@pytest.fixture
def filled(index: VectorIndex) -> VectorIndex:
    index.put(PLACE, 3, IDS, VECTORS)
    return index


# --- exact ---


def test_exact_search_is_the_sorted_product() -> None:
    question = VECTORS[5]
    found = exact(IDS, VECTORS, question, most=10)
    order = np.argsort(-(VECTORS @ question), kind="stable")[:10]
    assert [identity for identity, _ in found] == IDS[order].tolist()
    assert found[0][0] == 105
    assert found[0][1] == pytest.approx(1.0, abs=1e-5)


def test_exact_search_takes_what_is_there() -> None:
    assert exact(IDS[:0], VECTORS[:0], VECTORS[0], most=10) == []
    assert len(exact(IDS[:3], VECTORS[:3], VECTORS[0], most=10)) == 3


def test_equal_vectors_come_in_the_order_of_their_numbers() -> None:
    twice = np.stack([VECTORS[0], VECTORS[0], VECTORS[1]])
    found = exact(np.array([9, 4, 5]), twice, VECTORS[0], most=2)
    assert [identity for identity, _ in found] == [4, 9]


# --- the child ---


def test_the_index_finds_what_the_exact_search_finds(filled: VectorIndex) -> None:
    shares = []
    for question in unit_vectors(20, seed=2):
        true = {identity for identity, _ in exact(IDS, VECTORS, question, most=20)}
        found = filled.query(PLACE, question, most=20)
        assert found == sorted(found, key=lambda hit: -hit[1])
        shares.append(len(true & {identity for identity, _ in found}) / 20)
    assert np.mean(shares) >= 0.99
    assert filled.agrees(PLACE, 3, IDS, VECTORS)


def test_an_empty_collection_answers_with_nothing_and_agrees(index: VectorIndex) -> None:
    assert index.query(PLACE, VECTORS[0], most=5) == []
    index.put(PLACE, 0, IDS[:0], VECTORS[:0])
    index.rebuild(PLACE, 0, IDS[:0], VECTORS[:0])


def test_removed_vectors_are_found_no_more(filled: VectorIndex) -> None:
    filled.remove(PLACE, 4, IDS[:10])
    found = filled.query(PLACE, VECTORS[0], most=300)
    assert not {identity for identity, _ in found} & set(IDS[:10].tolist())
    assert filled.agrees(PLACE, 4, IDS[10:], VECTORS[10:])
    assert not filled.agrees(PLACE, 5, IDS, VECTORS)


def test_collections_do_not_see_each_other(filled: VectorIndex) -> None:
    filled.put(PLACE + 1, 1, IDS[:2], VECTORS[:2])
    assert len(filled.query(PLACE + 1, VECTORS[100], most=20)) == 2
    assert filled.agrees(PLACE, 3, IDS, VECTORS)


def test_vectors_outlive_the_child(filled: VectorIndex, tmp_path: Path) -> None:
    filled.close()
    again = VectorIndex(tmp_path / "index")
    try:
        assert again.agrees(PLACE, 3, IDS, VECTORS)
    finally:
        again.close()


def test_progress_is_told_part_by_part(index: VectorIndex) -> None:
    told: list[int] = []
    index.put(PLACE, 1, np.arange(2300), unit_vectors(2300), progress=told.append)
    assert told == [2000, 2300]


# --- found out ---


def test_another_revision_does_not_agree(filled: VectorIndex) -> None:
    assert not filled.agrees(PLACE, 4, IDS, VECTORS)


def test_another_count_does_not_agree(filled: VectorIndex) -> None:
    assert not filled.agrees(PLACE, 3, IDS[:-1], VECTORS[:-1])


def test_vectors_lost_in_silence_are_found_out(filled: VectorIndex) -> None:
    """The count is what the database has, but others stand where some of its vectors should."""
    filled.remove(PLACE, 3, IDS[::2])
    filled.put(PLACE, 3, IDS[::2], unit_vectors(150, seed=9))
    assert not filled.agrees(PLACE, 3, IDS, VECTORS)


def test_a_write_that_was_cut_off_leaves_an_older_revision(index: VectorIndex) -> None:
    """A put of two parts marks its revision only with the last."""

    class Cut(Exception):  # noqa: N818 - it stands for a kill
        pass

    def cut(done: int) -> None:
        raise Cut

    ids, vectors = np.arange(2300), unit_vectors(2300)
    with pytest.raises(Cut):
        index.put(PLACE, 1, ids, vectors, progress=cut)
    assert not index.agrees(PLACE, 1, ids[:2000], vectors[:2000])
    index.rebuild(PLACE, 1, ids, vectors)
    assert index.agrees(PLACE, 1, ids, vectors)


def test_a_killed_child_is_one_error_and_the_next_request_starts_another(filled: VectorIndex) -> None:
    assert filled.agrees(PLACE, 3, IDS, VECTORS)
    first = filled.pid
    assert first is not None
    killer = threading.Timer(0.3, os.kill, (first, signal.SIGKILL))
    killer.start()
    with pytest.raises(EngineError):
        _ask_on(filled)
    killer.join()
    assert filled.query(PLACE, VECTORS[0], most=1)[0][0] == 100
    assert filled.pid != first
    assert filled.agrees(PLACE, 3, IDS, VECTORS)


def _ask_on(index: VectorIndex) -> None:
    for _ in range(10_000):
        index.query(PLACE, VECTORS[0], most=100)


def test_a_new_child_has_to_show_again_what_it_holds(filled: VectorIndex, tmp_path: Path) -> None:
    assert filled.agrees(PLACE, 3, IDS, VECTORS)
    assert filled.pid is not None
    os.kill(filled.pid, signal.SIGKILL)
    while filled.pid is not None:
        time.sleep(0.01)
    for file in (tmp_path / "index").rglob("*"):
        if file.is_file():
            file.unlink()
    assert not _agrees(filled)


def test_a_discarded_index_is_empty_and_can_be_filled_again(filled: VectorIndex, tmp_path: Path) -> None:
    filled.discard()
    assert not (tmp_path / "index").exists()
    assert not filled.agrees(PLACE, 3, IDS, VECTORS)
    filled.rebuild(PLACE, 3, IDS, VECTORS)
    assert filled.agrees(PLACE, 3, IDS, VECTORS)


@pytest.mark.parametrize("damage", [b"", b"garbage" * 5000])
def test_a_damaged_index_is_an_error_or_disagrees_and_is_made_anew(
    filled: VectorIndex, tmp_path: Path, damage: bytes
) -> None:
    filled.close()
    for file in (tmp_path / "index").rglob("*"):
        if file.is_file():
            file.write_bytes(damage)
    again = VectorIndex(tmp_path / "index")
    try:
        assert not _agrees(again)
        again.discard()
        again.rebuild(PLACE, 3, IDS, VECTORS)
        assert again.agrees(PLACE, 3, IDS, VECTORS)
    finally:
        again.close()


def _agrees(index: VectorIndex) -> bool:
    try:
        return index.agrees(PLACE, 3, IDS, VECTORS)
    except EngineError:
        return False


def test_an_index_that_killed_its_last_child_while_it_opened_is_dropped(filled: VectorIndex, tmp_path: Path) -> None:
    assert filled.pid is not None
    filled.close()
    (tmp_path / "index.opening").touch()
    again = VectorIndex(tmp_path / "index")
    try:
        assert again.query(PLACE, VECTORS[0], most=1) == []
    finally:
        again.close()


def test_it_says_at_once_whether_it_could_answer(index: VectorIndex) -> None:
    assert not index.is_ready()
    index.start()
    deadline = time.monotonic() + 60
    while not index.is_ready() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert index.is_ready()
    index.close()
    assert not index.is_ready()


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_the_index_is_the_owners_only_whoever_wrote_it_before(tmp_path: Path) -> None:
    place = tmp_path / "index"
    for _ in range(2):
        index = VectorIndex(place)
        index.put(PLACE, 3, IDS, VECTORS)
        index.close()
        for path in place.rglob("*"):
            assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path
            path.chmod(path.stat().st_mode | 0o055)  # as former versions left them
