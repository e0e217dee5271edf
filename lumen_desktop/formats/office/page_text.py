"""The characters of one PDF page: the text made of them, and where each stands.

`pdf` takes the text, `pages` the places of the same characters, so that the offsets of a stored text
cannot drift from what is painted. Native code: loaded in the reader's process only. Knows no document.

The text of a page is what stands on it, with two departures that a reader of the page would make as
well: line numbers in the margin are left out, and a raised digit is written as one ("211.²", not
"211.2"; NFKC folds it back). A hyphen at a line's end stays, followed by the line break.
"""

import ctypes
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pypdfium2

from lumen_desktop.domain.library import kept, normalised
from lumen_desktop.formats.office.lines import Line

_native = pypdfium2.raw
_LINE = re.compile("[^\r\n\ufffe]+\ufffe?")
_LONE_NUMBER = re.compile(r"(?<![^\s\ufffe])\d{1,4}(?![^\s\ufffe])")
_RAISABLE = re.compile(r"(?<=[^\s])[-\u2212]?\d+|(?<!\S)\d{1,3}")
_RAISED = str.maketrans("0123456789-\u2212", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻")
_BULLETS = str.maketrans({"\uf0b7": "•", "\uf0a7": "▪", "\uf0d8": "➢", "\uf0fc": "✓", "\uf02d": "-", "\uf06f": "○"})
_BOLD_WEIGHT = 600
_NUMBERED_LINES = 12
_SMALLEST_SIZE_POINTS = 2.0
_WHITE = 250


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on the page, in points of its own coordinates, which no rotation has turned."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def height(self) -> float:
        """In points."""
        return self.top - self.bottom


@dataclass(frozen=True, slots=True)
class _Row:
    """One line: its text, where that begins in the page's text, and which raw characters it was made of."""

    text: str
    start: int
    first: int
    last: int


class PageText:
    """The characters of one page, by their index in pdfium's text.

    Args:
        page: the page.
        margin: right edge of the line numbers on an earlier page, in points; without it a page must count many
            lines for its numbers to be left out.

    Attributes:
        text: the page's text, normalised: what is stored.
        margin: right edge of the line numbers that were left out; None where there are none.

    Raises:
        PdfiumError: pdfium cannot make text of the page.
    """

    def __init__(self, page: pypdfium2.PdfPage, margin: float | None = None) -> None:
        textpage = page.get_textpage()
        self._page, self._handle = textpage, textpage.raw
        self._raw = textpage.get_text_range()
        self._text = list(self._raw.translate(_BULLETS))
        self._left, self._bottom, right, top = page.get_bbox()
        self._width, self._height = max(right - self._left, 1.0), max(top - self._bottom, 1.0)
        self.margin = self._drop_line_numbers(margin)
        self._write_raised_digits()
        self._rows = list(self._cut())
        self.text = "\n".join(row.text for row in self._rows)

    def close(self) -> None:
        """Frees pdfium's memory."""
        self._page.close()

    def lines(self, index: int) -> Iterator[Line]:
        """The lines of the page that hold anything, in the file's order; ``index`` is the page's."""
        for row in self._rows:
            shown = "".join(self._text[row.first : row.last])
            first = row.first + len(shown) - len(shown.lstrip())
            last = row.first + len(shown.rstrip()) - 1
            middle = next(place for place in range((first + last) // 2, last + 1) if not self._text[place].isspace())
            yield self._measured(index, row, (first, middle, last))

    def boxes(self, start: int, end: int) -> Iterator[list[Box]]:
        """Boxes of the characters ``start`` to ``end`` of `text`, line by line; spaces have none.

        A box is as wide as the character's advance and as high as its font.
        """
        for row in self._rows:
            if row.start >= end or row.start + len(row.text) <= start:
                continue
            sources = kept("".join(self._text[row.first : row.last]))
            placed = (place for place, character in enumerate(row.text, row.start) if not character.isspace())
            wanted = [row.first + source for place, source in zip(placed, sources, strict=True) if start <= place < end]
            yield [self._box(place) for place in wanted]

    def _cut(self) -> Iterator[_Row]:
        start = 0
        for match in _LINE.finditer(self._raw):
            text = normalised("".join(self._text[match.start() : match.end()]).replace("\ufffe", "-"))
            if text:
                yield _Row(text, start, match.start(), match.end())
                start += len(text) + 1

    def _drop_line_numbers(self, margin: float | None) -> float | None:
        """Blanks the numbers of lines in the margin.

        Args:
            margin: right edge of the numbers on an earlier page; without it a page must count many lines.

        Returns:
            The right edge of the numbers that were blanked, None where there are none.
        """
        columns: dict[int, list[tuple[float, int, re.Match[str]]]] = {}
        for match in _LONE_NUMBER.finditer(self._raw):
            box = self._box(match.end() - 1)
            columns.setdefault(round(box.right / 2), []).append((-box.bottom, int(match.group()), match))
        for column, found in columns.items():
            known = margin is not None and abs(column * 2 - margin) < 3  # noqa: PLR2004 - points
            if len(found) < (1 if known else _NUMBERED_LINES):
                continue
            values = [value for _, value, _ in sorted(found, key=lambda item: item[0])]
            steps = sum(after - before == 1 for before, after in itertools.pairwise(values))
            if steps < 0.9 * (len(values) - 1):
                continue
            for _, _, match in found:
                self._text[match.start() : match.end()] = " " * len(match.group())
            return float(column * 2)
        return None

    def _write_raised_digits(self) -> None:
        """Writes raised digits as such: "10⁶" must not read 106, nor a note's mark as part of a clause."""
        for match in _RAISABLE.finditer("".join(self._text)):
            reference = self._reference(match.start())
            if reference is None:
                continue
            for place in range(match.start(), match.end()):
                box = self._box(place)
                small = box.height < 0.8 * reference.height
                if small and reference.bottom + 0.12 * reference.height < box.bottom < reference.top:
                    self._text[place] = self._text[place].translate(_RAISED)

    def _measured(self, index: int, row: _Row, places: Sequence[int]) -> Line:
        fonts = [self._font(place) for place in places]
        boxes = [self._box(place) for place in places]
        left, bottom = boxes[0].left - self._left, boxes[1].bottom - self._bottom
        off_page = not (-1 <= left <= self._width + 1 and -boxes[1].height <= bottom <= self._height + 1)
        return Line(
            page=index,
            start=row.start,
            text=row.text,
            size=boxes[1].height,
            first_size=boxes[0].height,
            bold=all(bold for bold, _ in fonts),
            italic=all(italic for _, italic in fonts),
            left=left,
            right=boxes[2].right - self._left,
            bottom=bottom,
            page_height=self._height,
            page_width=self._width,
            hidden=off_page or 0 < boxes[1].height < _SMALLEST_SIZE_POINTS or self._is_white(places[1]),
        )

    def _reference(self, start: int) -> Box | None:
        """The box that a possibly raised character is measured against: the nearest letter of its line."""
        before = range(start - 1, max(-1, start - 40), -1)
        after = range(start + 1, min(len(self._raw), start + 10))
        place = self._letter(before, breaks=0)
        place = self._letter(after, breaks=0) if place is None else place
        place = self._letter(before, breaks=1) if place is None else place  # a mark may be a line of its own
        return None if place is None else self._box(place)

    def _letter(self, places: range, *, breaks: int) -> int | None:
        for place in places:
            character = self._raw[place]
            if character in "\n\ufffe":
                breaks -= 1
            if breaks < 0:
                return None
            if character.isalpha():
                return place
        return None

    def _place(self, place: int) -> int:
        return int(_native.FPDFText_GetCharIndexFromTextIndex(self._handle, place))

    def _box(self, place: int) -> Box:
        rect = _native.FS_RECTF()
        _native.FPDFText_GetLooseCharBox(self._handle, self._place(place), rect)
        return Box(rect.left, rect.bottom, rect.right, rect.top)

    def _font(self, place: int) -> tuple[bool, bool]:
        """Whether a character is bold, and whether it is italic."""
        index = self._place(place)
        name = ctypes.create_string_buffer(128)
        _native.FPDFText_GetFontInfo(self._handle, index, name, 128, ctypes.c_int())
        face = name.value.lower()
        bold = (
            b"bold" in face or b"black" in face or _native.FPDFText_GetFontWeight(self._handle, index) >= _BOLD_WEIGHT
        )
        return bold, b"italic" in face or b"oblique" in face

    def _is_white(self, place: int) -> bool:
        colours = [ctypes.c_uint() for _ in range(4)]
        if not _native.FPDFText_GetFillColor(self._handle, self._place(place), *colours):
            return False
        return all(colour.value >= _WHITE for colour in colours[:3])
