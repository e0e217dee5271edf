"""Faults that only a fake can have: bytes outside the protocol, values outside their range, a deaf process."""

import time
from collections.abc import Iterator

import pytest

from lumen_desktop.children import Limits
from lumen_desktop.engine import Finished, Sampling, TextDelta, Turn
from lumen_desktop.engine.fake import Behaviour, FakeChatEngine, FakeEmbeddingEngine
from lumen_desktop.errors import EngineError

TURNS = [Turn("user", "one two three four five six")]
BAD = [Turn("user", "one two bad four five six")]
IMPATIENT = Limits(first_timeout_s=1.0, next_timeout_s=1.0, stop_timeout_s=0.5)

FAULTS = [("crash_after", "ENG-002"), ("garbage_after", "ENG-004"), ("lie_after", "ENG-004"), ("hang_after", "ENG-005")]


@pytest.fixture(params=FAULTS, ids=[name for name, _ in FAULTS])
def faulty(request: pytest.FixtureRequest) -> Iterator[tuple[FakeChatEngine, str]]:
    name, code = request.param
    engine = FakeChatEngine(Behaviour(when="bad", pace_s=0.04, **{name: 2}), limits=IMPATIENT)
    yield engine, code
    engine.close()


def test_each_fault_of_the_process_is_one_typed_error(faulty: tuple[FakeChatEngine, str]) -> None:
    engine, code = faulty
    texts: list[str] = []
    with pytest.raises(EngineError) as caught:
        texts.extend(event.text for event in engine.generate(BAD, Sampling()) if isinstance(event, TextDelta))
    assert caught.value.code == code
    assert engine.pid is None
    assert isinstance(list(engine.generate(TURNS, Sampling()))[-1], Finished)


def test_what_came_before_a_fault_reaches_the_reader() -> None:
    engine = FakeChatEngine(Behaviour(crash_after=4, pace_s=0.04))
    stream = engine.generate(TURNS, Sampling())
    assert next(stream) == TextDelta("Commentary 0:")
    assert next(stream) == TextDelta(" one")
    with pytest.raises(EngineError):
        list(stream)
    engine.close()


def test_a_deaf_process_is_ended_two_seconds_after_a_stop() -> None:
    engine = FakeChatEngine(Behaviour(hang_after=2), limits=Limits(stop_timeout_s=0.5))
    stream = engine.generate(TURNS, Sampling())
    next(stream)
    time.sleep(1.0)  # until it hangs: before, it would hear the stop
    engine.stop()
    began = time.monotonic()
    with pytest.raises(EngineError) as caught:
        list(stream)
    assert caught.value.code == "ENG-005"
    assert time.monotonic() - began < 5
    engine.close()


@pytest.mark.parametrize(("name", "code"), FAULTS)
def test_each_fault_of_an_embedding_is_one_typed_error(name: str, code: str) -> None:
    engine = FakeEmbeddingEngine(Behaviour(when="bad", **{name: 0}), limits=IMPATIENT)
    with pytest.raises(EngineError) as caught:
        engine.embed(["a bad text"])
    assert caught.value.code == code
    assert engine.embed(["a text"]).shape == (1, 384)
    engine.close()


def test_it_repeats_the_last_turn_behind_a_beginning_that_shows_the_seed() -> None:
    engine = FakeChatEngine()
    events = list(engine.generate(TURNS, Sampling(temperature=1.0, seed=5)))
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert text == "Commentary 5: one two three four five six"
    assert events[-1] == Finished("end", 10, 0, 7, events[-1].prompt_s, events[-1].generate_s)  # type: ignore[union-attr]
    engine.close()


def test_deltas_are_joined_so_that_the_pipe_carries_few_lines() -> None:
    engine = FakeChatEngine(Behaviour(pace_s=0.002))
    events = list(engine.generate([Turn("user", "word " * 200)], Sampling()))
    assert 3 < len(events) < 60
    engine.close()


def test_a_request_outside_the_protocol_is_refused_and_the_process_lives() -> None:
    engine = FakeChatEngine()
    engine.describe()
    before = engine.pid
    for fields, payload in (({}, b"no turns"), ({"warmth": 1}, b"[]"), ({"seed": "x"}, b"[]")):
        with pytest.raises(EngineError) as caught:
            engine._child.request("generate", fields, payload=payload)
        assert caught.value.code == "ENG-023"
    assert engine.pid == before
    engine.close()


def test_a_process_of_another_role_is_not_believed() -> None:
    engine, other = FakeChatEngine(), FakeEmbeddingEngine()
    engine._child = other._child
    with pytest.raises(EngineError) as caught:
        engine.describe()
    assert caught.value.code == "ENG-004"
    engine.close()
