"""What every embedding engine does, the fake one and the real one alike."""

import threading

import numpy as np
import psutil
import pytest

from lumen_desktop.children import Limits
from lumen_desktop.errors import EngineError, Stopped
from tests.engine.conftest import MakeEmbedding

TEXTS = [
    "An investigation extends to other batches of the same product.",
    "The investigation of a batch extends to other batches of that product.",
    "Store the tablets below 25 degrees, protected from light.",
]
DIMENSIONS = 384


def test_it_describes_itself(make_embedding: MakeEmbedding) -> None:
    description = make_embedding().describe()
    assert description.role == "embedding"
    assert description.dimensions == DIMENSIONS


def test_vectors_are_normalised_float32_and_the_same_each_time(make_embedding: MakeEmbedding) -> None:
    engine = make_embedding()
    vectors = engine.embed(TEXTS)
    assert vectors.shape == (3, DIMENSIONS)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)
    assert np.array_equal(engine.embed(TEXTS), vectors)
    assert np.array_equal(make_embedding().embed(TEXTS[::-1]), vectors[::-1])


def test_texts_that_say_the_same_are_near(make_embedding: MakeEmbedding) -> None:
    vectors = make_embedding().embed(TEXTS)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2


@pytest.mark.parametrize("text", ["", " ", "x" * 100_000, "word " * 20_000, "\ud800 \x00 药", "[CLS] [SEP]"])
def test_any_text_has_a_vector(make_embedding: MakeEmbedding, text: str) -> None:
    vectors = make_embedding().embed([text])
    assert vectors.shape == (1, DIMENSIONS)


def test_no_texts_have_no_vectors(make_embedding: MakeEmbedding) -> None:
    assert make_embedding().embed([]).shape == (0, DIMENSIONS)


def test_progress_counts_texts_and_may_end_the_work(make_embedding: MakeEmbedding) -> None:
    engine = make_embedding()
    seen: list[int] = []
    engine.embed(TEXTS, seen.append)
    assert seen == [1, 2, 3]

    def end(_done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.embed(TEXTS, end)
    assert engine.embed(TEXTS).shape == (3, DIMENSIONS)


def test_stop_ends_the_work_between_two_texts(make_embedding: MakeEmbedding) -> None:
    engine = make_embedding()
    seen: list[int] = []

    def stop_at_five(done: int) -> None:
        seen.append(done)
        if done == 5:
            engine.stop()

    with pytest.raises(Stopped):
        engine.embed(TEXTS * 100, stop_at_five)
    assert seen == [1, 2, 3, 4, 5]
    assert engine.embed(TEXTS).shape == (3, DIMENSIONS)


def test_a_question_gets_in_while_documents_are_embedded(make_embedding: MakeEmbedding) -> None:
    engine = make_embedding()
    engine.describe()
    done: list[int] = []
    busy = threading.Event()

    def note(count: int) -> None:
        done.append(count)
        busy.set()

    thread = threading.Thread(target=lambda: engine.embed(TEXTS * 40, note))
    thread.start()
    busy.wait(10)
    before = len(done)
    engine.embed(["Which batches must be investigated?"])
    waited_for = len(done) - before
    thread.join()
    assert len(done) == 120
    assert waited_for < 30


def test_killed_between_two_texts_it_goes_on(make_embedding: MakeEmbedding) -> None:
    engine = make_embedding()

    def kill(done: int) -> None:
        if done == 2:
            process = psutil.Process(engine.pid)
            process.kill()
            process.wait(5)

    assert np.array_equal(engine.embed(TEXTS, kill), engine.embed(TEXTS))


def test_killed_at_a_text_is_one_error_and_the_next_request_works(make_embedding: MakeEmbedding) -> None:
    engine = make_embedding()
    engine.describe()
    process = psutil.Process(engine.pid)
    process.suspend()  # so that the text is surely not done yet
    threading.Timer(0.3, process.kill).start()
    with pytest.raises(EngineError) as caught:
        engine.embed(TEXTS)
    assert caught.value.code == "ENG-002"
    assert engine.embed(TEXTS).shape == (3, DIMENSIONS)


def test_a_hang_is_one_error_and_the_next_request_works(make_embedding: MakeEmbedding) -> None:
    engine = make_embedding(limits=Limits(first_timeout_s=1.0))
    engine.describe()
    psutil.Process(engine.pid).suspend()
    with pytest.raises(EngineError) as caught:
        engine.embed(TEXTS)
    assert caught.value.code == "ENG-005"
    assert engine.embed(TEXTS).shape == (3, DIMENSIONS)
