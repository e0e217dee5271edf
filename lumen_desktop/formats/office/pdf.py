"""PDF files, by pdfium: native code, so this module is loaded in the reader's process only.

What becomes the text of a page stands in `page_text`, what its lines are to a reader in `layout`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pypdfium2

from lumen_desktop.domain.library import Extract, normalised
from lumen_desktop.errors import InputError
from lumen_desktop.formats.office import Reading, layout, outline
from lumen_desktop.formats.office.lines import Line
from lumen_desktop.formats.office.page_text import PageText

MOST_PAGES = 20_000
MOST_CHARACTERS = 100 * 1024 * 1024

_native = pypdfium2.raw
_TITLE_WORDS = 4
_TITLE_CHARACTERS = 250


def reading(name: str, content: bytes) -> Reading:
    """Reads a PDF page by page; yields (pages done, pages in all), returns the extract.

    Raises:
        InputError: encrypted (LIB-007), damaged (LIB-008), too many pages or too much text (LIB-009,
            LIB-010), no text at all (LIB-006).
    """
    document = opened(content)
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


def opened(content: bytes) -> pypdfium2.PdfDocument:
    """The document of a PDF's bytes.

    Raises:
        InputError: encrypted (LIB-007) or damaged (LIB-008).
    """
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
            taken = PageText(page, self.margin)
        except pypdfium2.PdfiumError:
            self.broken.append(index + 1)
        else:
            text = self._take(taken, index)
            taken.close()
            page.close()
        self.texts.append(text)
        self.characters += len(text)

    def _take(self, page: PageText, index: int) -> str:
        if page.margin is not None:
            self.margin = page.margin
            self.with_numbers += 1
        self.lines += page.lines(index)
        return page.text

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
