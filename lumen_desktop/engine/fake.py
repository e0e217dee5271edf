"""The engines' process without a model: the same messages, deterministic results, faults on demand.

For tests of everything above the engine, at a pace and with a failure of their choosing. The process
is started by `python -m lumen_desktop --engine-fake`; `FakeChatEngine` and `FakeEmbeddingEngine` are
the clients that start it. They pass the contract suite of the real engines.
"""

import hashlib
import itertools
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import psutil

from lumen_desktop.children import Child, Handler, Limits, confine, serve
from lumen_desktop.engine.client import ChatEngine, EmbeddingEngine, Engine
from lumen_desktop.engine.protocol import (
    EngineDescription,
    EngineRole,
    Finished,
    Sampling,
    Turn,
    Vector,
    refuse_too_long,
)
from lumen_desktop.engine.worker import chat_process, embedding_process

DIMENSIONS: Final = 384
_TOKENS_PER_TURN: Final = 4  # what a template adds
_STEP_S: Final = 0.005
_NEVER: Final = -1


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a fake engine does.

    Attributes:
        pace_s: between two words.
        prompt_s: before the first word.
        context_tokens: longest prompt and answer together; a word is a token.
        crash_after: word at which the process aborts, as a failed assertion in native code does.
        hang_after: word from which on it neither answers nor hears a stop.
        garbage_after: word instead of which bytes outside the protocol come.
        lie_after: word instead of which a well-formed message with an impossible value comes.
        when: text that the last turn, or the text to embed, must hold for a fault to happen.
    """

    pace_s: float = 0.0
    prompt_s: float = 0.0
    context_tokens: int = 4096
    crash_after: int = _NEVER
    hang_after: int = _NEVER
    garbage_after: int = _NEVER
    lie_after: int = _NEVER
    when: str = ""


class FakeChatEngine(ChatEngine):
    """A chat engine that repeats the last turn's words as its commentary.

    Args:
        behaviour: pace and faults.
        limits: time limits, where a test wants short ones.
    """

    def __init__(self, behaviour: Behaviour | None = None, *, limits: Limits | None = None) -> None:
        Engine.__init__(self, _child("chat", behaviour or Behaviour(), limits))


class FakeEmbeddingEngine(EmbeddingEngine):
    """An embedding engine whose vectors are near where texts share words.

    Args:
        behaviour: faults.
        limits: time limits, where a test wants short ones.
    """

    def __init__(self, behaviour: Behaviour | None = None, *, limits: Limits | None = None) -> None:
        Engine.__init__(self, _child("embedding", behaviour or Behaviour(), limits))


def run(memory_bytes: int, role: EngineRole, *switches: str) -> int:
    """Runs the process until its standard input closes.

    Args:
        memory_bytes: address space it may take; 0 is no limit.
        role: ``chat`` or ``embedding``.
        *switches: ``name=value`` for fields of Behaviour.

    Returns:
        The exit status.
    """
    confine(memory_bytes)
    behaviour = _parsed(switches)
    trouble = _Trouble(behaviour, os.dup(1))  # before `serve` takes the pipe for itself

    def load() -> tuple[Mapping[str, Any], Handler]:
        if role == "chat":
            return chat_process(_Chat(behaviour, trouble))
        return embedding_process(_Embedding(trouble))

    return serve(load)


class _Trouble:
    """The faults of one process."""

    def __init__(self, behaviour: Behaviour, pipe: int) -> None:
        self._behaviour = behaviour
        self._pipe = pipe

    def at(self, word: int, text: str) -> None:
        """Does what is due at this word of an answer to this text."""
        if self._behaviour.when not in text:
            return
        if word == self._behaviour.crash_after:
            os.abort()
        if word == self._behaviour.garbage_after:
            os.write(self._pipe, b"\xff\xfe not a message {\n")
        if word == self._behaviour.lie_after:
            os.write(self._pipe, b'{"id": 1, "event": "done", "vector": 7, "text": null, "prompt_tokens": -1}\n')
        while word == self._behaviour.hang_after:
            time.sleep(_STEP_S)


class _Chat:
    """Says the words of the last turn again, behind a beginning that depends on the seed."""

    def __init__(self, behaviour: Behaviour, trouble: _Trouble) -> None:
        self._behaviour = behaviour
        self._trouble = trouble
        self.description = _description("chat", behaviour.context_tokens)

    def count(self, turns: Sequence[Turn]) -> int:
        return sum(len(turn.text.split()) + _TOKENS_PER_TURN for turn in turns)

    def generate(
        self, turns: Sequence[Turn], sampling: Sampling, stopped: Callable[[], bool]
    ) -> Iterator[str | Finished]:
        prompt_tokens = self.count(turns)
        room = self._behaviour.context_tokens
        refuse_too_long(prompt_tokens, answer_tokens=sampling.answer_tokens, context_tokens=room)
        began = time.perf_counter()
        _sleep(self._behaviour.prompt_s, stopped)
        first = time.perf_counter()
        drawn, reason = 0, "end"
        for word in _commentary(turns[-1].text, sampling):
            self._trouble.at(drawn, turns[-1].text)
            if stopped() or drawn == sampling.answer_tokens:
                reason = "stopped" if stopped() else "length"
                break
            drawn += 1
            yield word
            _sleep(self._behaviour.pace_s, stopped)
        yield Finished(reason, prompt_tokens, 0, drawn, first - began, time.perf_counter() - first)  # type: ignore[arg-type]


class _Embedding:
    """Adds up a few hashed positions per word."""

    def __init__(self, trouble: _Trouble) -> None:
        self._trouble = trouble
        self.description = _description("embedding", 512)

    def embed(self, text: str) -> Vector:
        self._trouble.at(0, text)
        vector = np.zeros(DIMENSIONS, np.float32)
        vector[0] = 0.1  # a text without words has a direction too
        for word in re.findall(r"\w+", text.lower()):
            places = np.frombuffer(hashlib.blake2b(word.encode(), digest_size=32).digest(), np.uint16)
            vector[places % DIMENSIONS] += np.where(places & 0x8000, 1, -1)
        return vector / np.float32(np.linalg.norm(vector))


def _commentary(text: str, sampling: Sampling) -> Iterator[str]:
    opening = f"Commentary {sampling.seed if sampling.temperature else 0}:"
    return itertools.chain([opening], (f" {word}" for word in text.split()))


def _sleep(duration_s: float, stopped: Callable[[], bool]) -> None:
    until = time.perf_counter() + duration_s
    while (left_s := until - time.perf_counter()) > 0 and not stopped():
        time.sleep(min(left_s, _STEP_S))


def _child(role: EngineRole, behaviour: Behaviour, limits: Limits | None) -> Child:
    switches = [f"{field.name}={getattr(behaviour, field.name)}" for field in fields(behaviour)]
    return Child("--engine-fake", [role, *switches], title="rehearsal engine", limits=limits)


def _parsed(switches: Sequence[str]) -> Behaviour:
    kinds = {field.name: field.type for field in fields(Behaviour)}
    pairs = (switch.split("=", 1) for switch in switches)
    return Behaviour(**{name: kinds[name](value) for name, value in pairs})  # type: ignore[operator]


def _description(role: EngineRole, context_tokens: int) -> EngineDescription:
    return EngineDescription(
        role=role,
        architecture="fake",
        name="fake",
        context_tokens=context_tokens,
        vocabulary_size=0,
        parameters=0,
        dimensions=DIMENSIONS if role == "embedding" else 0,
        size_bytes=0,
        rss_bytes=psutil.Process().memory_info().rss,
        runtime="none",
    )
