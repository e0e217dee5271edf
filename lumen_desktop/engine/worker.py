"""An engine's process: turns requests from the pipe into work of one model, and its results into events.

Knows messages and pace, not llama.cpp: the model behind it may be `llama`'s or `fake`'s. Started by
`python -m lumen_desktop --engine`.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from lumen_desktop.children import Events, Handler, Request, confine, serve
from lumen_desktop.engine import protocol
from lumen_desktop.engine.protocol import EngineDescription, Finished, Sampling, Turn, Vector
from lumen_desktop.errors import InputError

T = TypeVar("T")

_BETWEEN_DELTAS_S: Final = 0.03  # faster than an eye; slower than tokens of a small model
_BETWEEN_SIGNS_S: Final = 1.0


class Chat(Protocol):
    """What the process needs of a chat model."""

    description: EngineDescription

    def count(self, turns: Sequence[Turn]) -> int:
        """Length of the prompt, tokens."""
        ...

    def generate(
        self, turns: Sequence[Turn], sampling: Sampling, stopped: Callable[[], bool]
    ) -> Iterator[str | Finished]:
        """Text piece by piece, empty pieces as signs of life, Finished at the end."""
        ...


class Embedding(Protocol):
    """What the process needs of an embedding model."""

    description: EngineDescription

    def embed(self, text: str) -> Vector:
        """The text's vector, norm 1."""
        ...


def run(memory_bytes: int, role: str, model: str, threads: str, *chat: str) -> int:
    """Runs the process until its standard input closes.

    Args:
        memory_bytes: address space it may take; 0 is no limit.
        role: ``chat`` or ``embedding``.
        model: GGUF file.
        threads: threads of llama.cpp.
        *chat: for a chat model, the template's file and the context in tokens.

    Returns:
        The exit status.
    """
    confine(memory_bytes)

    def load() -> tuple[Mapping[str, Any], Handler]:
        from lumen_desktop.engine import llama  # noqa: PLC0415 - heavy, and must not print into the protocol

        if role == "embedding":
            return embedding_process(llama.EmbeddingModel(Path(model), threads=int(threads)))
        template, context_tokens = chat
        return chat_process(
            llama.ChatModel(
                Path(model), template=Path(template), threads=int(threads), context_tokens=int(context_tokens)
            )
        )

    return serve(load)


def chat_process(model: Chat) -> tuple[Mapping[str, Any], Handler]:
    """The ready line and the handler of a chat model."""

    def handle(request: Request) -> Events:
        turns = _checked(lambda: protocol.read_turns(request.payload))
        if request.operation == "count":
            yield {"event": "done", "tokens": model.count(turns)}
            return
        sampling = _checked(lambda: Sampling(**request.untrusted_fields))
        yield from _paced(model.generate(turns, sampling, request.stopped.is_set))

    return asdict(model.description), handle


def embedding_process(model: Embedding) -> tuple[Mapping[str, Any], Handler]:
    """The ready line and the handler of an embedding model."""

    def handle(request: Request) -> Events:
        text = request.payload.decode("utf-8", "replace")
        yield {"event": "done", "vector": protocol.write_vector(model.embed(text))}

    return asdict(model.description), handle


def _checked(read: Callable[[], T]) -> T:
    try:
        return read()
    except (ValueError, TypeError) as error:
        raise InputError("The request is not in the protocol.", code="ENG-023", hint="Report this code.") from error


def _paced(pieces: Iterator[str | Finished]) -> Events:
    """Joins pieces so that the pipe carries some thirty lines a second, and says that it lives."""
    text, sent = "", 0.0
    for piece in pieces:
        if isinstance(piece, Finished):
            if text:
                yield {"event": "delta", "text": text}
            yield {"event": "done", **asdict(piece)}
            return
        text += piece
        now = time.monotonic()
        if text and now - sent >= _BETWEEN_DELTAS_S:
            yield {"event": "delta", "text": text}
            text, sent = "", now
        elif now - sent >= _BETWEEN_SIGNS_S:
            yield {"event": "alive"}
            sent = now
