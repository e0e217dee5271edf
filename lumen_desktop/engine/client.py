"""The engines as services see them: start, describe, generate or embed, stop.

Knows which messages mean what, not how a model works and not what a prompt says. Every value that
comes back is checked; a child that sends another is ended. Called by `services`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import ClassVar

import numpy as np

from lumen_desktop.children import Child, Limits, Message
from lumen_desktop.engine import protocol
from lumen_desktop.engine.protocol import EngineDescription, EngineRole, Finished, Sampling, TextDelta, Turn, Vector
from lumen_desktop.errors import InputError, Stopped

_BASE_MEMORY_BYTES = 2 * 1024**3
_MEMORY_PER_MODEL_BYTE = 3  # mapped, arranged anew for the processor, and as much for the context

_BATCH_TIMEOUT_S = 60.0  # a batch of the prompt on a slow machine; between two tokens it is far less


class Engine:
    """What both engines share: a child process and the description in its first line."""

    role: ClassVar[EngineRole]

    def __init__(self, child: Child) -> None:
        self._child = child

    @property
    def pid(self) -> int | None:
        """Process id while one runs."""
        return self._child.pid

    @property
    def in_safe_mode(self) -> bool:
        """Whether it failed so often of late that it is not started again for now."""
        return self._child.in_safe_mode

    def start(self) -> None:
        """Starts the process, which loads its model meanwhile; does not wait.

        Raises:
            EngineError: it failed too often (ENG-003) or cannot be started (ENG-001).
        """
        self._child.start()

    def describe(self) -> EngineDescription:
        """Waits until the model is loaded.

        Raises:
            EngineError: the model cannot be used (ENG-010 to ENG-014), or the process failed.
        """
        first = self._child.ready()
        try:
            return protocol.read_description(first, self.role)
        except ValueError as error:
            raise self._child.distrust() from error

    def close(self) -> None:
        """Ends the process; a later request starts it again."""
        self._child.close()


class ChatEngine(Engine):
    """Writes text with a chat model.

    Args:
        model: the GGUF file.
        template: chat template that ships with the app; the one inside the model file is not used.
        threads: threads of llama.cpp.
        context_tokens: longest prompt and answer together; less where the model was trained for less.
        limits: time and memory, where the defaults do not fit.
    """

    role = "chat"

    def __init__(
        self, model: Path, *, template: Path, threads: int, context_tokens: int, limits: Limits | None = None
    ) -> None:
        arguments = ["chat", str(model.absolute()), str(threads), str(template.absolute()), str(context_tokens)]
        super().__init__(Child("--engine", arguments, title="language engine", limits=limits or _limits(model)))

    def generate(self, turns: Sequence[Turn], sampling: Sampling) -> Iterator[TextDelta | Finished]:
        """Streams an answer; the last item is Finished.

        Text that is the same from one request to the next belongs first: what was evaluated for the
        previous prompt is not evaluated again. Closing the iterator stops the work.

        Raises:
            InputError: no turn, or the last one is empty (ENG-021).
            EngineError: the prompt is too long (ENG-020), or the process failed; on the first ``next``.
        """
        if not turns or not turns[-1].text.strip():
            raise InputError("There is no question to answer.", code="ENG-021", hint="Write a question.")
        return self._events(turns, sampling)

    def count_tokens(self, turns: Sequence[Turn]) -> int:
        """Length of the prompt that these turns make, tokens.

        Raises:
            EngineError: the process failed.
        """
        last = self._child.request("count", {}, payload=protocol.turns_payload(turns))
        try:
            return protocol.read_count(last)
        except ValueError as error:
            raise self._child.distrust() from error

    def stop(self) -> None:
        """Ends the running answer, which then finishes with reason ``stopped``; from any thread."""
        self._child.stop()

    def _events(self, turns: Sequence[Turn], sampling: Sampling) -> Iterator[TextDelta | Finished]:
        for untrusted in self._child.stream("generate", asdict(sampling), payload=protocol.turns_payload(turns)):
            event = self._read(untrusted)
            if event is not None:
                yield event

    def _read(self, untrusted: Message) -> TextDelta | Finished | None:
        try:
            return protocol.read_event(untrusted)
        except ValueError as error:
            raise self._child.distrust() from error


class EmbeddingEngine(Engine):
    """Turns texts into vectors.

    Args:
        model: the GGUF file.
        threads: threads of llama.cpp.
        limits: time and memory, where the defaults do not fit.
    """

    role = "embedding"
    _stops = 0

    def __init__(self, model: Path, *, threads: int, limits: Limits | None = None) -> None:
        arguments = ["embedding", str(model.absolute()), str(threads)]
        super().__init__(Child("--engine", arguments, title="search engine", limits=limits or _limits(model)))

    def embed(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vector:
        """Embeds each text; a text longer than the model's context is cut at it.

        One text is one request, so that another thread's question waits for one text at most.

        Args:
            texts: any number, also none.
            progress: is told how many are done; what it raises ends the work.

        Returns:
            float32 array of shape (texts, dimensions), every row of norm 1, in the order of the texts.

        Raises:
            Stopped: `stop` was called before the last text.
            EngineError: the process failed.
        """
        stops, dimensions = self._stops, self.describe().dimensions
        vectors = np.empty((len(texts), dimensions), np.float32)
        for index, text in enumerate(texts):
            if index and self._stops != stops:
                raise Stopped
            vectors[index] = self._embed_one(text, dimensions)
            if progress:
                progress(index + 1)
        return vectors

    def stop(self) -> None:
        """Ends the running embeddings after the text at hand; from any thread."""
        self._stops += 1

    def _embed_one(self, text: str, dimensions: int) -> Vector:
        untrusted = self._child.request("embed", {}, payload=text.encode("utf-8", "replace"))
        try:
            return protocol.read_vector(untrusted, dimensions)
        except ValueError as error:
            raise self._child.distrust() from error


def _limits(model: Path) -> Limits:
    size_bytes = model.stat().st_size if model.is_file() else 0
    memory_bytes = _BASE_MEMORY_BYTES + _MEMORY_PER_MODEL_BYTE * size_bytes
    return Limits(memory_bytes=memory_bytes, next_timeout_s=_BATCH_TIMEOUT_S)
