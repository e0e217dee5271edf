"""The reader as the rest of the program sees it: bytes in, a checked `Extract` out.

The bytes come from strangers and the process that parsed them may be theirs by now: nothing it says
is used before it was checked against the limits here. A file that crashes or hangs it costs that file
only; the next one gets a fresh process. `services.library` reads with it; `services.sources` draws pages
with one of its own.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lumen_desktop.children import Child, Limits, Message
from lumen_desktop.domain.library import Extract, Section
from lumen_desktop.domain.names import shown
from lumen_desktop.errors import EngineError, InputError, Stopped
from lumen_desktop.formats.office import Reading
from lumen_desktop.retrieval.readers.drawn import DrawnPage, PageAnswer
from lumen_desktop.retrieval.readers.page_rules import LARGEST_WIDTH_PX, MOST_RANGES, text_digest
from lumen_desktop.retrieval.readers.parts import Part, PartsAnswer
from lumen_desktop.retrieval.readers.untrusted import BrokenRuleError, integer, items, text

LARGEST_FILE_BYTES = 200 * 1024 * 1024
MEMORY_BYTES = 2 * 1024**3
MOST_PAGES = 20_000
MOST_CHARACTERS = 101 * 1024 * 1024
MOST_SPANS = 2_000_000
LONGEST_PATH = 12
LONGEST_TITLE_CHARACTERS = 2_000
MOST_METADATA = 64
MOST_NOTICES = 16

_LIMITS = Limits(
    memory_bytes=MEMORY_BYTES, start_timeout_s=30.0, first_timeout_s=150.0, next_timeout_s=60.0, stop_timeout_s=2.0
)
PAGE_LIMITS = Limits(  # somebody waits for the page
    memory_bytes=MEMORY_BYTES, start_timeout_s=30.0, first_timeout_s=40.0, next_timeout_s=10.0, stop_timeout_s=2.0
)
_MEMORY = "RUN-002"
_STOPPED = "RUN-001"
_NOT_STARTED = "ENG-001"
_LATE = "ENG-005"


class ReaderProcess:
    """The process that reads documents, started with the first one and anew after each failure."""

    def __init__(self, limits: Limits = _LIMITS) -> None:
        self._limits = limits
        self._closed = False
        self._child = self._fresh()

    def _fresh(self) -> Child:
        return Child("--reader", title="document reader", limits=self._limits)

    @property
    def pid(self) -> int | None:
        """Process id, if it runs."""
        return self._child.pid

    def read(self, name: str, content: bytes) -> Extract:
        """Reads one file to its end; else as `reading`."""
        steps = self.reading(name, content)
        while True:
            try:
                next(steps)
            except StopIteration as finished:
                extract: Extract = finished.value
                return extract

    def reading(self, name: str, content: bytes) -> Reading:
        """Reads one file and yields (pages done, pages in all) on the way; returns what was read.

        Args:
            name: its name, for a title and to tell Markdown from plain text; no path.
            content: all of its bytes.

        Raises:
            InputError: the file cannot be used, with one sentence (codes in the package's docstring).
            EngineError: the process cannot be started; no fault of the file.
            Stopped: `stop` was called.
        """
        if len(content) > LARGEST_FILE_BYTES:
            raise InputError("The file is larger than 200 MB.", code="LIB-002", hint="Split it into several files.")
        answer = _Answer()
        events = self._child.stream("read", {"name": name}, payload=content)
        try:
            with contextlib.closing(events):  # type: ignore[type-var]
                for untrusted_event in events:
                    pages = answer.take(untrusted_event)
                    if pages is not None:
                        yield pages
            return answer.extract()
        except EngineError as error:
            raise self._translated(error, _READING) from None
        except BrokenRuleError as error:
            self._renew()
            raise InputError(
                f"The file could not be read: what was found in it breaks the reader's rules ({error}).",
                code="LIB-016",
                hint="Print the document to a new PDF and add that.",
            ) from None

    def parts(self, name: str, content: bytes) -> Iterator[Part]:
        """The documents of a file that holds many (`readers.may_hold_many`), each to be read like a file.

        Yields nothing where the file is one document, or none that is read: `reading` then takes it, or says why not.

        Raises:
            InputError: the file cannot be read on (codes in the package's docstring); the parts before it are good.
            EngineError: the process cannot be started; no fault of the file.
            Stopped: `stop` was called.
        """
        answer = PartsAnswer()
        events = self._child.stream("parts", {"name": name}, payload=content)
        try:
            with contextlib.closing(events):  # type: ignore[type-var]
                for untrusted_event in events:
                    part = answer.take(untrusted_event)
                    if part is not None:
                        yield part
        except EngineError as error:
            raise self._translated(error, _READING) from None
        except BrokenRuleError as error:
            self._renew()
            raise InputError(
                f"The file could not be read: what was found in it breaks the reader's rules ({error}).",
                code="LIB-016",
                hint="Download it from its publisher again.",
            ) from None

    def page(
        self,
        sha256: str,
        number: int,
        *,
        width_px: int,
        text: str,
        ranges: Sequence[tuple[int, int]],
        content: Callable[[], bytes],
    ) -> DrawnPage:
        """Draws one page of a PDF.

        Args:
            sha256: digest of the file; the process keeps the last one.
            number: the page, from 1.
            width_px: how wide, 1 to 5,000; a page of too many pixels comes narrower.
            text: the page's text as it was read.
            ranges: (start, end) in it whose boxes are wanted, at most 200; none are found where the file now
                yields another text.
            content: gives the file's bytes; called only where the process does not hold them.

        Raises:
            InputError: the file or the page cannot be drawn (codes in the package's docstring).
            EngineError: the process cannot be started; no fault of the file.
            Stopped: `stop` was called.
        """
        ranges = list(ranges)[:MOST_RANGES]
        width_px = min(max(1, width_px), LARGEST_WIDTH_PX)
        fields = {
            "sha256": sha256, "page": number - 1, "width_px": width_px, "text_sha256": text_digest(text),
            "ranges": [list(pair) for pair in ranges],
        }  # fmt: skip
        characters = sum(len("".join(text[start:end].split())) for start, end in ranges)
        try:
            drawn = self._drawn(fields, PageAnswer(width_px, characters), b"")
            drawn = drawn or self._drawn(fields, PageAnswer(width_px, characters), content())
            if drawn is None:
                raise BrokenRuleError("held")  # noqa: TRY301 - the same fault as any other of its answer
        except EngineError as error:
            raise self._translated(error, _DRAWING) from None
        except BrokenRuleError as error:
            self._renew()
            raise InputError(
                f"The page could not be drawn: what came of it breaks the reader's rules ({error}).",
                code="LIB-042",
                hint=_DRAWING.hint,
            ) from None
        return drawn

    def _drawn(self, fields: Mapping[str, Any], answer: PageAnswer, payload: bytes) -> DrawnPage | None:
        events = self._child.stream("page", fields, payload=payload)
        with contextlib.closing(events):  # type: ignore[type-var]
            for untrusted_event in events:
                answer.take(untrusted_event)
        return answer.page()

    def stop(self) -> None:
        """Ends the reading that runs; safe from any thread."""
        self._child.stop()

    def close(self) -> None:
        """Ends the process for good."""
        self._closed = True
        self._child.close()

    def _renew(self) -> None:
        """A child of its own for the next file: safe mode is for faults of ours, and this was the file's."""
        self._child.close()
        if not self._closed:
            self._child = self._fresh()

    def _translated(self, error: EngineError, work: "_Work") -> Exception:
        if error.code == _STOPPED:
            return Stopped()
        if error.code.startswith(("LIB-", "FMT-")):
            return InputError(error.message, code=error.code, hint=error.hint)
        if error.code == _NOT_STARTED:
            return error
        self._renew()
        if error.code == _LATE:
            return InputError(f"{work.late} took too long and was ended.", code=work.late_code, hint=work.hint)
        why = "it needs more memory than it may have" if error.code == _MEMORY else "the reader failed on it"
        return InputError(f"{work.failed}: {why}.", code=work.failed_code, hint=work.hint)


@dataclass(frozen=True, slots=True)
class _Work:
    """What is said where the process fails at it."""

    late: str
    late_code: str
    failed: str
    failed_code: str
    hint: str


_READING = _Work(
    "Reading the file", "LIB-015", "The file could not be read", "LIB-014",
    "Print the document to a new PDF and add that.",
)  # fmt: skip
_DRAWING = _Work(
    "Drawing the page", "LIB-041", "The page could not be drawn", "LIB-040", "Its text can be shown instead."
)


@dataclass(slots=True)
class _Answer:
    """Gathers and checks what the child says of one file."""

    pages: list[list[str]] = field(default_factory=list)
    characters: int = 0
    spans: int = 0
    untrusted_sections: list[Any] = field(default_factory=list)
    untrusted_outline: Message | None = None

    def take(self, untrusted_event: Message) -> tuple[int, int] | None:
        """One event of the child's answer; returns (pages done, pages in all) where it tells them."""
        kind = untrusted_event.get("event")
        if kind == "progress":
            done = integer(untrusted_event.get("done"), 0, MOST_PAGES)
            return done, integer(untrusted_event.get("pages"), done, MOST_PAGES)
        if kind == "text":
            self._add_text(untrusted_event)
        elif kind == "outline":
            self.untrusted_outline = untrusted_event
        elif kind == "sections":
            self._add_sections(untrusted_event.get("sections"))
        elif kind != "done":
            raise BrokenRuleError("event")
        return None

    def _add_text(self, untrusted_event: Message) -> None:
        page = integer(untrusted_event.get("page"), max(0, len(self.pages) - 1), min(len(self.pages), MOST_PAGES - 1))
        piece = text(untrusted_event.get("text"), MOST_CHARACTERS)
        self.characters += len(piece)
        if self.characters > MOST_CHARACTERS:
            raise BrokenRuleError("characters")
        if page == len(self.pages):
            self.pages.append([])
        self.pages[page].append(piece)

    def _add_sections(self, untrusted_sections: Any) -> None:
        if not isinstance(untrusted_sections, list):
            raise BrokenRuleError("sections")
        self.untrusted_sections += untrusted_sections
        if len(self.untrusted_sections) > MOST_SPANS:
            raise BrokenRuleError("sections")

    def extract(self) -> Extract:
        """The checked answer.

        Raises:
            BrokenRuleError: a value out of its bounds.
        """
        pages = tuple("".join(pieces) for pieces in self.pages)
        untrusted = self.untrusted_outline or {}
        paged = untrusted.get("paged")
        if not isinstance(paged, bool) or not any(pages):
            raise BrokenRuleError("outline")
        sections = tuple(self._section(untrusted_section, pages) for untrusted_section in self.untrusted_sections)
        _check_disjoint(sections)
        return Extract(
            title=shown(text(untrusted.get("title"), LONGEST_TITLE_CHARACTERS)),
            pages=pages,
            paged=paged,
            sections=sections,
            metadata=_metadata(untrusted.get("metadata")),
            notices=_texts(untrusted.get("notices"), MOST_NOTICES),
        )

    def _section(self, untrusted_section: Any, pages: tuple[str, ...]) -> Section:
        if not isinstance(untrusted_section, list) or len(untrusted_section) != 2:  # noqa: PLR2004 - path and spans
            raise BrokenRuleError("section")
        untrusted_path, untrusted_spans = untrusted_section
        if not isinstance(untrusted_spans, list) or not untrusted_spans:
            raise BrokenRuleError("spans")
        self.spans += len(untrusted_spans)
        if self.spans > MOST_SPANS:
            raise BrokenRuleError("spans")
        spans = tuple(_span(untrusted_span, pages) for untrusted_span in untrusted_spans)
        if list(spans) != sorted(spans):
            raise BrokenRuleError("order")
        return Section(_texts(untrusted_path, LONGEST_PATH), spans)


def _span(untrusted_span: Any, pages: tuple[str, ...]) -> tuple[int, int, int]:
    if not isinstance(untrusted_span, list) or len(untrusted_span) != 3:  # noqa: PLR2004 - page, start, end
        raise BrokenRuleError("span")
    page = integer(untrusted_span[0], 0, len(pages) - 1)
    start = integer(untrusted_span[1], 0, len(pages[page]) - 1)
    return page, start, integer(untrusted_span[2], start + 1, len(pages[page]))


def _check_disjoint(sections: tuple[Section, ...]) -> None:
    """No character may belong to two sections."""
    spans = sorted(span for section in sections for span in section.spans)
    for before, after in itertools.pairwise(spans):
        if before[0] == after[0] and before[2] > after[1]:
            raise BrokenRuleError("overlap")


def _texts(untrusted: Any, most: int) -> tuple[str, ...]:
    return tuple(shown(text(item, LONGEST_TITLE_CHARACTERS)) for item in items(untrusted, most))


def _metadata(untrusted: Any) -> Mapping[str, str]:
    if not isinstance(untrusted, dict) or len(untrusted) > MOST_METADATA:
        raise BrokenRuleError("metadata")
    return {text(key, 64): shown(text(value, LONGEST_TITLE_CHARACTERS)) for key, value in untrusted.items()}
