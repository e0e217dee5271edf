"""The reader as the rest of the program sees it: bytes in, a checked `Extract` out.

The bytes come from strangers and the process that parsed them may be theirs by now: nothing it says
is used before it was checked against the limits here. A file that crashes or hangs it costs that file
only; the next one gets a fresh process. `services.library` calls it.
"""

import contextlib
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lumen_desktop.children import Child, Limits, Message
from lumen_desktop.domain.library import Extract, Section, storable
from lumen_desktop.errors import EngineError, InputError, Stopped

LARGEST_FILE_BYTES = 200 * 1024 * 1024
MEMORY_BYTES = 2 * 1024**3
MOST_PAGES = 20_000
MOST_CHARACTERS = 101 * 1024 * 1024
MOST_SPANS = 2_000_000
LONGEST_PATH = 12
LONGEST_TITLE_CHARACTERS = 2_000
MOST_METADATA = 64
MOST_NOTICES = 16

Progress = Callable[[int, int], None]

_LIMITS = Limits(
    memory_bytes=MEMORY_BYTES, start_timeout_s=30.0, first_timeout_s=150.0, next_timeout_s=60.0, stop_timeout_s=2.0
)
_MEMORY = "RUN-002"
_STOPPED = "RUN-001"
_NOT_STARTED = "ENG-001"
_LATE = "ENG-005"


class ReaderProcess:
    """The process that reads documents, started with the first one and anew after each failure."""

    def __init__(self, limits: Limits = _LIMITS) -> None:
        self._limits = limits
        self._child = self._fresh()

    def _fresh(self) -> Child:
        return Child("--reader", title="document reader", limits=self._limits)

    @property
    def pid(self) -> int | None:
        """Process id, if it runs."""
        return self._child.pid

    def read(self, name: str, content: bytes, progress: Progress | None = None) -> Extract:
        """Reads one file.

        Args:
            name: its name, for a title and to tell Markdown from plain text; no path.
            content: all of its bytes.
            progress: called with (pages done, pages in all) from the calling thread.

        Raises:
            InputError: the file cannot be used, with one sentence (codes in the package's docstring).
            EngineError: the process cannot be started; no fault of the file.
            Stopped: `stop` was called.
        """
        if len(content) > LARGEST_FILE_BYTES:
            raise InputError("The file is larger than 200 MB.", code="LIB-002", hint="Split it into several files.")
        answer = _Answer(progress)
        events = self._child.stream("read", {"name": name}, payload=content)
        try:
            with contextlib.closing(events):  # type: ignore[type-var]
                for untrusted_event in events:
                    answer.take(untrusted_event)
            return answer.extract()
        except EngineError as error:
            raise self._translated(error) from None
        except _BrokenRuleError as error:
            self._renew()
            raise InputError(
                f"The file could not be read: what was found in it breaks the reader's rules ({error}).",
                code="LIB-016",
                hint="Print the document to a new PDF and add that.",
            ) from None

    def stop(self) -> None:
        """Ends the reading that runs; safe from any thread."""
        self._child.stop()

    def close(self) -> None:
        """Ends the process."""
        self._child.close()

    def _renew(self) -> None:
        """A child of its own for the next file: safe mode is for faults of ours, and this was the file's."""
        self._child.close()
        self._child = self._fresh()

    def _translated(self, error: EngineError) -> Exception:
        if error.code == _STOPPED:
            return Stopped()
        if error.code.startswith("LIB-"):
            return InputError(error.message, code=error.code, hint=error.hint)
        if error.code == _NOT_STARTED:
            return error
        self._renew()
        if error.code == _LATE:
            return InputError(
                "Reading the file took too long and was ended.",
                code="LIB-015",
                hint="Print it to a new PDF and add that.",
            )
        why = "it needs more memory than it may have" if error.code == _MEMORY else "the reader failed on it"
        return InputError(
            f"The file could not be read: {why}.", code="LIB-014", hint="Print the document to a new PDF and add that."
        )


class _BrokenRuleError(Exception):
    """What came from the child is out of its bounds; the text says which bound and no content."""


@dataclass(slots=True)
class _Answer:
    """Gathers and checks what the child says of one file."""

    progress: Progress | None
    pages: list[list[str]] = field(default_factory=list)
    characters: int = 0
    spans: int = 0
    untrusted_sections: list[Any] = field(default_factory=list)
    untrusted_outline: Message | None = None

    def take(self, untrusted_event: Message) -> None:
        """One event of the child's answer."""
        kind = untrusted_event.get("event")
        if kind == "progress":
            self._show(untrusted_event)
        elif kind == "text":
            self._add_text(untrusted_event)
        elif kind == "outline":
            self.untrusted_outline = untrusted_event
        elif kind == "sections":
            self._add_sections(untrusted_event.get("sections"))
        elif kind != "done":
            raise _BrokenRuleError("event")

    def _show(self, untrusted_event: Message) -> None:
        done = _integer(untrusted_event.get("done"), 0, MOST_PAGES)
        pages = _integer(untrusted_event.get("pages"), done, MOST_PAGES)
        if self.progress:
            self.progress(done, pages)

    def _add_text(self, untrusted_event: Message) -> None:
        page = _integer(untrusted_event.get("page"), max(0, len(self.pages) - 1), min(len(self.pages), MOST_PAGES - 1))
        text = _text(untrusted_event.get("text"), MOST_CHARACTERS)
        self.characters += len(text)
        if self.characters > MOST_CHARACTERS:
            raise _BrokenRuleError("characters")
        if page == len(self.pages):
            self.pages.append([])
        self.pages[page].append(text)

    def _add_sections(self, untrusted_sections: Any) -> None:
        if not isinstance(untrusted_sections, list):
            raise _BrokenRuleError("sections")
        self.untrusted_sections += untrusted_sections
        if len(self.untrusted_sections) > MOST_SPANS:
            raise _BrokenRuleError("sections")

    def extract(self) -> Extract:
        """The checked answer.

        Raises:
            _BrokenRuleError: a value out of its bounds.
        """
        pages = tuple("".join(pieces) for pieces in self.pages)
        untrusted = self.untrusted_outline or {}
        paged = untrusted.get("paged")
        if not isinstance(paged, bool) or not any(pages):
            raise _BrokenRuleError("outline")
        sections = tuple(self._section(untrusted_section, pages) for untrusted_section in self.untrusted_sections)
        _check_disjoint(sections)
        return Extract(
            title=_text(untrusted.get("title"), LONGEST_TITLE_CHARACTERS),
            pages=pages,
            paged=paged,
            sections=sections,
            metadata=_metadata(untrusted.get("metadata")),
            notices=_texts(untrusted.get("notices"), MOST_NOTICES),
        )

    def _section(self, untrusted_section: Any, pages: tuple[str, ...]) -> Section:
        if not isinstance(untrusted_section, list) or len(untrusted_section) != 2:  # noqa: PLR2004 - path and spans
            raise _BrokenRuleError("section")
        untrusted_path, untrusted_spans = untrusted_section
        if not isinstance(untrusted_spans, list) or not untrusted_spans:
            raise _BrokenRuleError("spans")
        self.spans += len(untrusted_spans)
        if self.spans > MOST_SPANS:
            raise _BrokenRuleError("spans")
        spans = tuple(_span(untrusted_span, pages) for untrusted_span in untrusted_spans)
        if list(spans) != sorted(spans):
            raise _BrokenRuleError("order")
        return Section(_texts(untrusted_path, LONGEST_PATH), spans)


def _span(untrusted_span: Any, pages: tuple[str, ...]) -> tuple[int, int, int]:
    if not isinstance(untrusted_span, list) or len(untrusted_span) != 3:  # noqa: PLR2004 - page, start, end
        raise _BrokenRuleError("span")
    page = _integer(untrusted_span[0], 0, len(pages) - 1)
    start = _integer(untrusted_span[1], 0, len(pages[page]) - 1)
    return page, start, _integer(untrusted_span[2], start + 1, len(pages[page]))


def _check_disjoint(sections: tuple[Section, ...]) -> None:
    """No character may belong to two sections."""
    spans = sorted(span for section in sections for span in section.spans)
    for before, after in itertools.pairwise(spans):
        if before[0] == after[0] and before[2] > after[1]:
            raise _BrokenRuleError("overlap")


def _integer(untrusted: Any, smallest: int, largest: int) -> int:
    if not isinstance(untrusted, int) or isinstance(untrusted, bool) or not smallest <= untrusted <= largest:
        raise _BrokenRuleError("number")
    return untrusted


def _text(untrusted: Any, longest: int) -> str:
    if not isinstance(untrusted, str) or len(untrusted) > longest:
        raise _BrokenRuleError("text")
    return storable(untrusted)


def _texts(untrusted: Any, most: int) -> tuple[str, ...]:
    if not isinstance(untrusted, list) or len(untrusted) > most:
        raise _BrokenRuleError("list")
    return tuple(_text(item, LONGEST_TITLE_CHARACTERS) for item in untrusted)


def _metadata(untrusted: Any) -> Mapping[str, str]:
    if not isinstance(untrusted, dict) or len(untrusted) > MOST_METADATA:
        raise _BrokenRuleError("metadata")
    return {_text(key, 64): _text(value, LONGEST_TITLE_CHARACTERS) for key, value in untrusted.items()}
