"""No value of a child is believed: each is checked for its type, its range and its size."""

import base64
import math
from typing import Any

import numpy as np
import pytest

from lumen_desktop.engine import Finished, Sampling, TextDelta, Turn, protocol
from lumen_desktop.errors import InputError

DONE: dict[str, Any] = {
    "event": "done",
    "reason": "end",
    "prompt_tokens": 12,
    "reused_tokens": 0,
    "answer_tokens": 3,
    "prompt_s": 0.5,
    "generate_s": 1,
}
READY: dict[str, Any] = {
    "event": "ready",
    "role": "chat",
    "architecture": "llama",
    "name": "a model",
    "context_tokens": 4096,
    "vocabulary_size": 49152,
    "parameters": 135_000_000,
    "dimensions": 0,
    "size_bytes": 1,
    "rss_bytes": 1,
    "runtime": "llama.cpp",
}
VECTOR = np.full(4, 0.5, np.float32)


def test_good_events_are_read() -> None:
    assert protocol.read_event({"event": "delta", "text": "µ"}) == TextDelta("µ")
    assert protocol.read_event({"event": "alive"}) is None
    assert protocol.read_event(DONE) == Finished("end", 12, 0, 3, 0.5, 1.0)
    assert protocol.read_count({"tokens": 7}) == 7
    assert protocol.read_description(READY, "chat").parameters == 135_000_000


@pytest.mark.parametrize(
    "change",
    [
        {"reason": "bored"},
        {"reason": None},
        {"reason": ["end"]},
        {"prompt_tokens": -1},
        {"prompt_tokens": 1.5},
        {"prompt_tokens": True},
        {"prompt_tokens": "12"},
        {"prompt_tokens": 10**30},
        {"reused_tokens": 13},
        {"prompt_s": math.nan},
        {"prompt_s": math.inf},
        {"generate_s": -0.1},
        {"generate_s": True},
        {"generate_s": "1"},
        {"event": "delta"},
        {"event": "delta", "text": 5},
        {"event": "delta", "text": "x" * 70_000},
        {"event": "surprise"},
    ],
)
def test_an_event_with_an_impossible_value_is_not_read(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        protocol.read_event(DONE | change)


@pytest.mark.parametrize("key", [key for key in READY if key != "event"])
@pytest.mark.parametrize("value", [None, -1, [], "x" * 300])
def test_a_description_with_an_impossible_value_is_not_read(key: str, value: object) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        protocol.read_description(READY | {key: value}, "chat")


def test_a_vector_survives_the_pipe() -> None:
    read = protocol.read_vector({"vector": protocol.write_vector(VECTOR)}, 4)
    assert read.dtype == np.float32
    assert np.array_equal(read, VECTOR)


@pytest.mark.parametrize(
    "untrusted",
    [
        None,
        [0.5, 0.5, 0.5, 0.5],
        "not base64!",
        base64.b64encode(b"123").decode(),
        protocol.write_vector(VECTOR[:3]),
        protocol.write_vector(np.ones(4, np.float32)),
        protocol.write_vector(np.zeros(4, np.float32)),
        protocol.write_vector(np.array([math.nan, 0, 0, 1], np.float32)),
        protocol.write_vector(np.array([math.inf, 0, 0, 1], np.float32)),
        "A" * 10_000,
    ],
)
def test_a_vector_of_another_length_or_norm_is_not_read(untrusted: object) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        protocol.read_vector({"vector": untrusted}, 4)


def test_turns_survive_the_pipe() -> None:
    turns = [Turn("system", "µ\n≤"), Turn("user", '"\\ \x00 \ud800'), Turn("assistant", "")]
    assert protocol.read_turns(protocol.turns_payload(turns)) == turns


@pytest.mark.parametrize(
    "payload", [b"", b"\xff", b"{}]", b'[{"role": "tool", "text": ""}]', b'[{"role": "user", "text": 1}]']
)
def test_bytes_that_are_no_turns_are_not_read(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        protocol.read_turns(payload)


@pytest.mark.parametrize(
    "values",
    [
        {"temperature": -0.1},
        {"temperature": 2.1},
        {"temperature": math.nan},
        {"top_p": 0.0},
        {"top_p": 1.1},
        {"seed": -1},
        {"seed": 2**32 - 1},
        {"answer_tokens": 0},
        {"answer_tokens": 100_000},
        {"repeat_penalty": 0.9},
        {"repeat_penalty": 2.1},
    ],
)
def test_sampling_out_of_range_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        Sampling(**values)
    assert caught.value.code == "ENG-022"


def test_a_prompt_that_just_fits_is_not_refused() -> None:
    protocol.refuse_too_long(90, answer_tokens=10, context_tokens=100)
    with pytest.raises(InputError) as caught:
        protocol.refuse_too_long(91, answer_tokens=10, context_tokens=100)
    assert caught.value.code == "ENG-020"
