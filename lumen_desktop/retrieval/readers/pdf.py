"""PDF files, by pdfium: native code, so this module is loaded in the reader's process only.

The text of a page is what stands on it, with two departures that a reader of the page would make as
well: line numbers in the margin are left out, and a raised digit is written as one ("211.²", not
"211.2"; NFKC folds it back). A hyphen at a line's end stays, followed by the line break.
"""

import ctypes
import dataclasses
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pypdfium2

from lumen_desktop.domain.library import Extract, normalised
from lumen_desktop.errors import InputError
from lumen_desktop.retrieval.readers import Reading, layout, outline
from lumen_desktop.retrieval.readers.lines import Line

MOST_PAGES = 20_000
MOST_CHARACTERS = 100 * 1024 * 1024

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
_TITLE_WORDS = 4
_TITLE_CHARACTERS = 250


def reading(name: str, content: bytes) -> Reading:
    """Reads a PDF page by page; yields (pages done, pages in all), returns the extract.

    Raises:
        InputError: encrypted (LIB-007), damaged (LIB-008), too many pages or too much text (LIB-009,
            LIB-010), no text at all (LIB-006).
    """
    document = _opened(content)
    count = len(document)
    if not 0 < count <= MOST_PAGES:
        raise _refused(count)
    pages = _Pages()
    for index in range(count):
        pages.read(document, index)
        if pages.characters > MOST_CHARACTERS:
            raise InputError(
                "The PDF holds more than 100 MB of text.", code="LIB-010", hint="Split it into several files."
            )
        yield index + 1, count
    if not pages.characters:
        raise InputError(
            "The PDF holds no text: its pages are images or empty and need OCR.",
            code="LIB-006",
            hint="Run text recognition (OCR) on it and add the result.",
        )
    untrusted = document.get_metadata_dict()
    title = _title(untrusted.get("Title", ""), pages) or layout.title_of(pages.lines) or name.rsplit(".", 1)[0]
    return Extract(
        title=title,
        pages=tuple(pages.texts),
        paged=True,
        sections=outline.sections(layout.blocks(pages.lines, title)),
        metadata=_metadata(untrusted),
        notices=tuple(pages.notices()),
    )


def _opened(content: bytes) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) in {_native.FPDF_ERR_PASSWORD, _native.FPDF_ERR_SECURITY}:
            raise InputError(
                "The PDF is encrypted.", code="LIB-007", hint="Save it without a password and add that."
            ) from None
        raise _damaged() from None


def _damaged() -> InputError:
    return InputError(
        "The PDF is damaged and cannot be read.", code="LIB-008", hint="Get the file again, or print it to a new PDF."
    )


def _refused(count: int) -> InputError:
    if count <= 0:
        return _damaged()
    return InputError(
        f"The PDF has {count} pages, more than the {MOST_PAGES} that are read.",
        code="LIB-009",
        hint="Split it into several files.",
    )


@dataclass(slots=True)
class _Pages:
    """What was read so far."""

    texts: list[str] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    characters: int = 0
    broken: list[int] = field(default_factory=list)
    margin: float | None = None  # right edge of the line numbers, once seen
    with_numbers: int = 0

    def read(self, document: pypdfium2.PdfDocument, index: int) -> None:
        """Reads one page; one that pdfium refuses is empty and reported, the others stay."""
        text = ""
        try:
            page = document[index]
            textpage = page.get_textpage()
        except pypdfium2.PdfiumError:
            self.broken.append(index + 1)
        else:
            text = self._take(_Page(textpage, page.get_size(), page.get_mediabox()), index)
            textpage.close()
            page.close()
        self.texts.append(text)
        self.characters += len(text)

    def _take(self, page: "_Page", index: int) -> str:
        margin = page.drop_line_numbers(self.margin)
        if margin is not None:
            self.margin = margin
            self.with_numbers += 1
        page.write_raised_digits()
        start, texts = 0, []
        for line in page.lines(index):
            placed = dataclasses.replace(line, start=start)
            self.lines.append(placed)
            texts.append(placed.text)
            start = placed.end + 1
        return "\n".join(texts)

    def notices(self) -> Iterator[str]:
        """Sentences for the user on what could not be taken."""
        count = len(self.texts)
        empty = sum(not text for text in self.texts) - len(self.broken)
        hidden = sum(line.hidden for line in self.lines)
        if self.broken:
            yield f"{len(self.broken)} of {count} pages could not be read: {', '.join(map(str, self.broken[:10]))}."
        if empty:
            yield f"{empty} of {count} pages hold no text (scanned?)."
        if self.with_numbers:
            yield f"Line numbers in the margin of {self.with_numbers} pages were left out."
        if hidden:
            yield f"{hidden} lines that are white, tiny or off the page were left out."


@dataclass(frozen=True, slots=True)
class _Box:
    left: float
    bottom: float
    right: float
    top: float

    @property
    def height(self) -> float:
        return self.top - self.bottom


class _Page:
    """The characters of one page, by their index in pdfium's text."""

    def __init__(self, textpage: pypdfium2.PdfTextPage, size: tuple[float, float], box: tuple[float, ...]) -> None:
        self._handle = textpage.raw
        self._raw = textpage.get_text_range()
        self._text = list(self._raw.translate(_BULLETS))
        self._width, self._height = max(size[0], 1.0), max(size[1], 1.0)
        self._left, self._bottom = box[0], box[1]

    def drop_line_numbers(self, margin: float | None) -> float | None:
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

    def write_raised_digits(self) -> None:
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

    def lines(self, index: int) -> Iterator[Line]:
        """The lines of the page that hold anything, in the file's order; where they start is not known yet."""
        for match in _LINE.finditer(self._raw):
            shown = "".join(self._text[match.start() : match.end()])
            text = normalised(shown.replace("\ufffe", "-"))
            if text:
                first = match.start() + len(shown) - len(shown.lstrip())
                last = match.start() + len(shown.rstrip()) - 1
                middle = next(
                    place for place in range((first + last) // 2, last + 1) if not self._text[place].isspace()
                )
                yield self._measured(index, text, first, middle, last)

    def _measured(self, index: int, text: str, first: int, middle: int, last: int) -> Line:
        fonts = [self._font(place) for place in (first, middle, last)]
        boxes = [self._box(place) for place in (first, middle, last)]
        left, bottom = boxes[0].left - self._left, boxes[1].bottom - self._bottom
        off_page = not (-1 <= left <= self._width + 1 and -boxes[1].height <= bottom <= self._height + 1)
        return Line(
            page=index,
            start=0,
            text=text,
            size=boxes[1].height,
            first_size=boxes[0].height,
            bold=all(bold for bold, _ in fonts),
            italic=all(italic for _, italic in fonts),
            left=left,
            right=boxes[2].right - self._left,
            bottom=bottom,
            page_height=self._height,
            page_width=self._width,
            hidden=off_page or 0 < boxes[1].height < _SMALLEST_SIZE_POINTS or self._is_white(middle),
        )

    def _reference(self, start: int) -> _Box | None:
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

    def _box(self, place: int) -> _Box:
        rect = _native.FS_RECTF()
        _native.FPDFText_GetLooseCharBox(self._handle, self._place(place), rect)
        return _Box(rect.left, rect.bottom, rect.right, rect.top)

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


def _title(untrusted_title: str, pages: _Pages) -> str:
    """The title in the file's metadata, where it looks like one and its words stand on the first pages."""
    title = normalised(untrusted_title).replace("\n", " ").strip(" -\u2013\u2014_")
    words = re.findall(r"\w+", title.casefold())
    if len(words) < _TITLE_WORDS or len(title) > _TITLE_CHARACTERS:
        return ""
    shown = set(re.findall(r"\w+", " ".join(pages.texts[:3]).casefold()))
    return title if sum(word in shown for word in words) >= 0.8 * len(words) else ""


def _metadata(untrusted: dict[str, str]) -> dict[str, str]:
    names: Sequence[tuple[str, str]] = (
        ("Subject", "subject"), ("Keywords", "keywords"), ("Author", "author"), ("CreationDate", "created"),
        ("ModDate", "modified"),
    )  # fmt: skip
    found = {key: normalised(untrusted.get(name, ""))[:500] for name, key in names}
    return {key: value for key, value in found.items() if value}
