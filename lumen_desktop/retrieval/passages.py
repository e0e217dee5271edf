"""From sections to passages: what search returns and an answer may cite.

Sections stay whole where they can, because cutting them cost more than it gained where it was measured;
every passage carries the document's title and its headings as a header. Knows no file format and no
index; `services.library` calls `cut`, the evaluation of search calls `cut_record`.
"""

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lumen_desktop.domain.library import Extract, PassageDraft, Section, Span, normalised
from lumen_desktop.domain.sentences import sentences
from lumen_desktop.formats.office.outline import FOOTNOTES

WHOLE_WORDS = 280  # a section up to here stays whole
PART_WORDS = 250  # a part of a longer one, give or take half a sentence
UNHEADED_WORDS = 200
TINY_WORDS = 25
LONGEST_HEADER_CHARACTERS = 500

_CELL = " | "
_ROW_WORDS = 300  # a row beyond that is cut like text
_SPARE_WORDS = 20  # cuts fall at sentences, so that some parts are longer than the even share
_COLON_WORDS = 40  # how far a cut moves so as not to part a list from what announces it


@dataclass(frozen=True, slots=True)
class _Stretch:
    """The text of one or more spans of a document, joined with one space, and where each begins in it."""

    text: str
    spans: tuple[tuple[int, int, int], ...]
    starts: tuple[int, ...]

    def part(self, start: int, end: int) -> tuple[Span, ...]:
        """The spans of the characters ``start`` to ``end`` of its text."""
        found = []
        for index in range(bisect.bisect_right(self.starts, start) - 1, len(self.spans)):
            page, from_, to = self.spans[index]
            begin, offset = self.starts[index], from_ - self.starts[index]
            if begin >= end:
                break
            left, right = max(start, begin), min(end, begin + to - from_)
            if left < right:
                found.append(Span(page + 1, left + offset, right + offset))
        return tuple(found)


def cut(extract: Extract) -> Iterator[PassageDraft]:
    """Passages of a document, in reading order, one after the other so that a long one can be stopped in between.

    A section of up to 280 words is one passage. A longer one is cut between sentences, or between rows
    of a table, into parts of about 180 to 250 words. A section below 25 words goes with the next one under the
    same heading. Text of a document that has no headings is cut into parts of up to 200 words, and each
    begins with the last sentence of the one before, so that no two sentences that belong together are parted.
    """
    headed = any(section.path for section in extract.sections if section.path != (FOOTNOTES,))
    for section, stretch in _merged(extract) if headed else _stretched(extract):
        path = " › ".join(section.path)
        header = _header(extract.title, path)
        for start, end in _parts(stretch.text, headed=headed):
            yield PassageDraft(header, path, stretch.text[start:end], stretch.part(start, end))


def cut_record(title: str, text: str) -> tuple[PassageDraft, ...]:
    """Passages of a record of an evaluation set: its title is the header, its text one page.

    A text above 280 words is cut between sentences.
    """
    page = normalised(text)
    header = normalised(title).replace("\n", " ")
    return tuple(
        PassageDraft(header, "", page[start:end], (Span(1, start, end),)) for start, end in _parts(page, headed=True)
    )


def units(text: str, words: int = 180) -> tuple[str, ...]:
    """A long text without headings in parts of up to about ``words`` words, each with the last sentence before it."""
    page = normalised(text)
    return tuple(page[start:end] for start, end in _filled(page, words))


def _header(title: str, path: str) -> str:
    header = f"{title} — {path}" if path else title
    return header if len(header) <= LONGEST_HEADER_CHARACTERS else header[: LONGEST_HEADER_CHARACTERS - 1] + "…"


def _stretched(extract: Extract) -> Iterator[tuple[Section, _Stretch]]:
    """Sections with their text."""
    for section in extract.sections:
        texts = [extract.pages[page][start:end] for page, start, end in section.spans]
        starts, position = [], 0
        for text in texts:
            starts.append(position)
            position += len(text) + 1
        yield section, _Stretch(" ".join(texts), section.spans, tuple(starts))


def _merged(extract: Extract) -> Iterator[tuple[Section, _Stretch]]:
    """Sections with their text; a tiny one has joined the next one beside it, and both headings are named."""
    held: tuple[Section, _Stretch] | None = None
    for section, stretch in _stretched(extract):
        if held and _joins(held, section):
            held = _joined(held, (section, stretch))
            continue
        if held:
            yield held
        held = (section, stretch)
    if held:
        yield held


def _joins(held: tuple[Section, _Stretch], section: Section) -> bool:
    """Whether a section is tiny and the next one stands beside it, after it."""
    before, stretch = held
    if not before.path or not section.path or FOOTNOTES in {before.path[-1], section.path[-1]}:
        return False
    beside = before.path[:-1] == section.path[:-1] and before.spans[-1] < section.spans[0]
    return beside and len(stretch.text.split(maxsplit=TINY_WORDS)) < TINY_WORDS


def _joined(before: tuple[Section, _Stretch], after: tuple[Section, _Stretch]) -> tuple[Section, _Stretch]:
    (first, left), (second, right) = before, after
    path = (*first.path[:-1], f"{first.path[-1]} · {second.path[-1]}")
    section = Section(path, first.spans + second.spans)
    shift = len(left.text) + 1
    starts = left.starts + tuple(start + shift for start in right.starts)
    return section, _Stretch(f"{left.text} {right.text}", section.spans, starts)


def _parts(text: str, *, headed: bool) -> Iterator[tuple[int, int]]:
    """Where the passages of a section begin and end in its text."""
    whole = WHOLE_WORDS if headed else UNHEADED_WORDS
    length = len(text.split(maxsplit=whole))  # no further: to part 50 MB at once would stop every other thread
    if length <= whole:
        yield from [(0, len(text))] if length else []
    elif headed:
        yield from _divided(text, PART_WORDS)
    else:
        yield from _filled(text, UNHEADED_WORDS)


def _filled(text: str, words: int) -> Iterator[tuple[int, int]]:
    """Parts as long as ``words`` words allow, each beginning with the last sentence or row of the one before.

    A single sentence or row that is longer is a part by itself; nothing longer than a part is said twice.
    """
    held: list[tuple[int, int, int]] = []  # start, end and words of the pieces of the part at hand
    for start, end in _pieces(text):
        length = len(text[start:end].split())
        if held and sum(piece[2] for piece in held) + length > words:
            yield held[0][0], held[-1][1]
            held = held[-1:] if len(held) > 1 and held[-1][2] + length <= words else []
        held.append((start, end, length))
    if held:
        yield held[0][0], held[-1][1]


def _divided(text: str, words: int) -> Iterator[tuple[int, int]]:
    """Even parts of about ``words`` words at most, cut between sentences or rows."""
    pieces = list(_pieces(text))
    if not pieces:
        return
    ends: list[int] = []  # words up to the end of each piece
    for start, end in pieces:
        ends.append((ends[-1] if ends else 0) + len(text[start:end].split()))
    count = -(-ends[-1] // (words - _SPARE_WORDS))
    first = 0
    for number in range(1, count + 1):
        last = len(pieces) - 1 if number == count else _cut_near(text, pieces, ends, number * ends[-1] / count)
        if last < first:
            continue
        yield pieces[first][0], pieces[last][1]
        first = last + 1


def _cut_near(text: str, pieces: Sequence[tuple[int, int]], ends: Sequence[int], ideal: float) -> int:
    """Index of the piece after which a cut comes closest to ``ideal`` words and parts no list from its colon."""
    middle = bisect.bisect_left(ends, ideal)
    candidates = range(max(0, middle - 3), min(len(pieces), middle + 4))
    return min(
        candidates,
        key=lambda index: abs(ends[index] - ideal) + (_COLON_WORDS if text[pieces[index][1] - 1] == ":" else 0),
    )


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """What is never cut, as (start, end): the rows of tables and the sentences between them."""
    prose = 0
    for position, end in _lines(text):
        line = text[position:end]
        if _CELL in line and len(line.split()) <= _ROW_WORDS:
            yield from _sentences(text, prose, position)
            yield position, end
            prose = end
    yield from _sentences(text, prose, len(text))


def _lines(text: str) -> Iterator[tuple[int, int]]:
    """Where each line begins and ends, one after the other: a long text is never parted at one stroke."""
    position = 0
    while position <= len(text):
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        yield position, end
        position = end + 1


def _sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Sentences with what stands before them, such as a bullet, so that nothing falls between two pieces."""
    stretch = text[start:end]
    position, until = 0, 0
    for sentence in sentences(stretch):
        if until:
            yield start + _skipped(stretch, position, until), start + until
            position = until
        until = sentence.end
    if stretch.strip():
        until = len(stretch.rstrip())  # no mark after the last sentence is lost either
        yield start + _skipped(stretch, position, until), start + until


def _skipped(text: str, start: int, end: int) -> int:
    """Where the first character that is no white space stands."""
    return end - len(text[start:end].lstrip())
