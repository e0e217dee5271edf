"""The reader's process: reads one file after another for `client`, and may die of any of them.

Limited before any heavy library is loaded: memory for the whole process, processor time for each
file. Knows no path and no database; it gets bytes and gives text.

Request ``read`` with field ``name`` and the file's bytes; events ``progress`` (pages ``done`` of
``pages``), then ``text`` (one page or a piece of one: ``page`` from 0), ``outline``, ``sections``
in portions, and ``done``. Request ``page``: see `pages`.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from lumen_desktop.children import Events, Handler, Request, confine, serve
from lumen_desktop.domain.library import Extract
from lumen_desktop.errors import InputError, Stopped
from lumen_desktop.retrieval import readers
from lumen_desktop.retrieval.readers.parts import Part

CPU_S = 120
PAGE_CPU_S = 30
PAGES_PER_CPU_S = 100  # on top, so that a long honest file is no bomb
BYTES_PER_CPU_S = 1024**2
PIECE_CHARACTERS = 500_000  # below 8 MiB as JSON even where each character is escaped twice
PORTION_SPANS = 20_000


def run(memory_bytes: int) -> int:
    """Serves until standard input closes.

    Args:
        memory_bytes: address space of this process; 0 is no limit.

    Returns:
        The exit status.
    """
    confine(memory_bytes)
    return serve(_load)


def _load() -> tuple[Mapping[str, Any], Handler]:
    return {"role": "reader"}, _Reader().handle


class _Reader:
    """Tells requests apart; keeps the document whose pages were asked for last."""

    def __init__(self) -> None:
        self._shown: Callable[[Request], Events] | None = None

    def handle(self, request: Request) -> Events:
        """The events of one request."""
        if request.operation == "read":
            return _read(request)
        if request.operation == "parts":
            return _parts(request)
        if request.operation == "page":
            _allow_cpu(PAGE_CPU_S)
            if self._shown is None:
                from lumen_desktop.retrieval.readers import pages  # noqa: PLC0415 - native code: loaded when needed

                self._shown = pages.Pages().answer
            return self._shown(request)
        raise InputError(
            "The document reader was asked something it does not know.", code="LIB-016", hint="Start again."
        )


def _read(request: Request) -> Events:
    _allow_cpu(CPU_S)
    steps = readers.reading(str(request.untrusted_fields.get("name", "")), request.payload)
    while True:
        try:
            done, pages = next(steps)
        except StopIteration as finished:
            yield from _events(finished.value)
            return
        if request.stopped.is_set():
            raise Stopped
        if done == 1:
            _allow_cpu(CPU_S + pages // PAGES_PER_CPU_S)
        yield {"event": "progress", "done": done, "pages": pages}


def _parts(request: Request) -> Events:
    """The documents of a file that holds many; none where it is one document, or in no public format."""
    from lumen_desktop.retrieval.readers import public  # noqa: PLC0415 - the parsers: loaded when needed

    _allow_cpu(CPU_S + len(request.payload) // BYTES_PER_CPU_S)
    parts = public.parts(str(request.untrusted_fields.get("name", "")), request.payload)
    held: Part | None = None  # the last one waits for the next: one document alone is the file itself
    many = False
    while True:
        try:
            part = next(parts, None)
        except InputError:
            yield from _part_events(held)
            raise
        if part is None:
            break
        if request.stopped.is_set():
            raise Stopped
        yield from _part_events(held)
        many, held = held is not None, part
    if many or (held and held.fault):
        yield from _part_events(held)
    yield {"event": "done"}


def _part_events(part: Part | None) -> Iterator[Mapping[str, Any]]:
    if part is None:
        return
    for start in range(0, len(part.text), PIECE_CHARACTERS):
        yield {"event": "content", "text": part.text[start : start + PIECE_CHARACTERS]}
    yield {"event": "part", "name": part.name, "fault": part.fault}


def _events(extract: Extract) -> Iterator[Mapping[str, Any]]:
    for number, text in enumerate(extract.pages):
        for start in range(0, max(1, len(text)), PIECE_CHARACTERS):
            yield {"event": "text", "page": number, "text": text[start : start + PIECE_CHARACTERS]}
    yield {
        "event": "outline",
        "title": extract.title,
        "paged": extract.paged,
        "metadata": dict(extract.metadata),
        "notices": list(extract.notices),
    }
    for portion in _portions([(section.path, section.spans) for section in extract.sections]):
        yield {"event": "sections", "sections": portion}
    yield {"event": "done"}


def _portions(sections: Sequence[tuple[Any, Sequence[Any]]]) -> Iterator[list[Any]]:
    """Sections in lists of about as many spans as one line of the pipe may hold."""
    portion: list[Any] = []
    spans = 0
    for section in sections:
        portion.append(section)
        spans += len(section[1]) + 1
        if spans >= PORTION_SPANS:
            yield portion
            portion, spans = [], 0
    yield portion


def _allow_cpu(seconds: int) -> None:
    """Lets this process use so much processor time from now on; past it the system ends it."""
    if sys.platform == "win32":  # pragma: no cover - POSIX only
        return
    import resource  # noqa: PLC0415 - exists on POSIX only

    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + seconds + 1, hard))
