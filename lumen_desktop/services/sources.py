"""Opening a source: the page as it looks, where the quote stands on it, and the text that was extracted.

Knows no widget and draws nothing itself: pages come from a reader's process of their own, so that a long
import never blocks one. `Sheets` are pages of what the program printed itself. The window and `lumen library page`
call it. Refusals::

    LIB-045  no such document          LIB-047  the source was removed
    LIB-046  no such page              LIB-048  a kind of file that has no page images
"""

import hashlib
import struct
import zlib
from dataclasses import dataclass

from lumen_desktop.domain.library import Box, Kind, Passage
from lumen_desktop.domain.names import shown
from lumen_desktop.domain.permissions import Act
from lumen_desktop.domain.quotes import ENOUGH, Located, locate
from lumen_desktop.errors import InputError
from lumen_desktop.retrieval.readers.client import ReaderProcess
from lumen_desktop.services.authority import Authority
from lumen_desktop.storage import library as stored
from lumen_desktop.storage.database import Database

Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Source:
    """What a citation opens.

    Attributes:
        document_id: the document.
        title: its title.
        name: the imported file's name.
        attribution: whose words these are, edition and state.
        kind: summary or source.
        section: headings of the passage; may be empty.
        paged: whether page numbers mean something to a reader of the file.
        pages: how many pages its text has; 1 where a format has none.
        page: the page on which the quote begins, from 1.
        drawable: whether `Sources.page` gives images of its pages.
        located: share of the quote's characters found in the passage, 0 to 1.
    """

    document_id: int
    title: str
    name: str
    attribution: str
    kind: Kind
    section: str
    paged: bool
    pages: int
    page: int
    drawable: bool
    located: float


@dataclass(frozen=True, slots=True)
class PageView:
    """One page to look at.

    Attributes:
        number: from 1.
        pages: of the document.
        rgb: the page's pixels, rows from the top, three bytes a pixel without padding; None where there is no image.
        width_px: of the image, 0 without one; `height_px` likewise.
        boxes: where the quote stands on the image, a box a line.
        located: share of the quote's characters that were found, 0 to 1; below a half nothing is marked.
        text: the page's text as it was extracted.
        quote_spans: (start, end) of the quote's parts in that text, in order.
    """

    number: int
    pages: int
    rgb: bytes | None
    width_px: int
    height_px: int
    boxes: tuple[Box, ...]
    located: float
    text: str
    quote_spans: Ranges


class Sources:
    """Opens the sources of one site.

    Args:
        database: the site's.
        authority: who looks, and whether they may.
        reader: draws pages; nothing else may keep it busy.
    """

    def __init__(self, database: Database, authority: Authority, reader: ReaderProcess) -> None:
        self._database = database
        self._authority = authority
        self._reader = reader

    def open(self, passage_id: int, quote: str = "") -> Source:
        """What a citation's passage is part of, and where its quote begins.

        Raises:
            AccessError: not permitted.
            InputError: the document was removed since (LIB-047).
        """
        self._authority.authorize(Act.READ_LIBRARY)
        passage = self._passage(passage_id)
        document = self._document(passage.document_id)
        found = _located(passage, quote)
        places = [place for start, end in found.ranges for place in passage.places(start, end)]
        return Source(
            document_id=passage.document_id, title=passage.document, name=shown(document.name),
            attribution=passage.attribution, kind=passage.kind, section=passage.section, paged=passage.paged,
            pages=document.pages, page=(places or passage.spans)[0].page, drawable=document.paged,
            located=found.share,
        )  # fmt: skip

    def page(
        self, document_id: int, number: int, *, width_px: int | None, passage_id: int | None = None, quote: str = ""
    ) -> PageView:
        """One page, with the quote marked.

        Args:
            document_id: the document.
            number: the page, from 1.
            width_px: width of the image, 1 to 5,000; None where only the text is wanted.
            passage_id: the passage that the quote comes from; without a quote the whole passage is marked.
            quote: its words; without a passage they are looked for on this page.

        Raises:
            AccessError: not permitted.
            InputError: no such document (LIB-045) or page (LIB-046), the passage was removed (LIB-047), or the page
                cannot be drawn (`retrieval.readers`; its text can be had with ``width_px=None``).
            EngineError: the reader's process cannot be started.
        """
        self._authority.authorize(Act.READ_LIBRARY)
        passage = None if passage_id is None else self._passage(passage_id)
        document = self._document(document_id)
        text = self._text(document_id, number)
        spans, located = _on_page(passage, number, quote, text)
        view = PageView(number, document.pages, None, 0, 0, (), located, text, spans)
        if width_px is None or not document.paged:
            return view
        return self._drawn(document, view, width_px)

    def _drawn(self, document: stored.DocumentRow, view: PageView, width_px: int) -> PageView:
        drawn = self._reader.page(
            document.sha256, view.number, width_px=width_px, text=view.text, ranges=view.quote_spans,
            content=lambda: self._content(document),
        )  # fmt: skip
        wanted = sum(len("".join(view.text[start:end].split())) for start, end in view.quote_spans)
        placed = drawn.placed / wanted if wanted else 1.0
        return PageView(
            view.number, view.pages, drawn.rgb, drawn.width_px, drawn.height_px,
            drawn.boxes if placed >= ENOUGH else (), min(view.located, placed), view.text, view.quote_spans,
        )  # fmt: skip

    def _content(self, document: stored.DocumentRow) -> bytes:
        assert document.id is not None
        with self._database.reading() as session:
            content = stored.content(session, document.id)
        if content is None:
            raise _removed()
        return content

    def sheets(self, printed: bytes) -> "Sheets":
        """The pages of a PDF that the program printed itself.

        Raises:
            LumenError: as `Sheets`.
        """
        return Sheets(printed, self._reader)

    def texts(self, document_id: int) -> list[str]:
        """What was extracted from each page, in order.

        Raises:
            AccessError: not permitted.
            InputError: no such document (LIB-045).
        """
        self._authority.authorize(Act.READ_LIBRARY)
        self._document(document_id)
        with self._database.reading() as session:
            return stored.page_texts(session, document_id)

    def passages_on(self, document_id: int, number: int) -> list[Passage]:
        """The passages that stand on a page, in reading order.

        Raises:
            AccessError: not permitted.
            InputError: no such document (LIB-045).
        """
        self._authority.authorize(Act.READ_LIBRARY)
        self._document(document_id)
        with self._database.reading() as session:
            found = stored.passages_of(session, document_id)
        return [passage for passage in found if any(span.page == number for span in passage.spans)]

    def image(self, document_id: int, number: int, *, width_px: int, quote: str = "") -> PageView:
        """One page that must have an image, for a file; else as `page`.

        Raises:
            InputError: as `page`, or the kind of file has no page images (LIB-048).
        """
        view = self.page(document_id, number, width_px=width_px, quote=quote)
        if view.rgb is None:
            raise InputError(
                "Only PDF files have pages that can be drawn.",
                code="LIB-048",
                hint="`lumen library show` prints the text of a passage.",
            )
        return view

    def _passage(self, passage_id: int) -> Passage:
        with self._database.reading() as session:
            found = stored.passages(session, [passage_id])
        if passage_id not in found:
            raise _removed()
        return found[passage_id]

    def _document(self, document_id: int) -> stored.DocumentRow:
        with self._database.reading() as session:
            document = stored.document(session, document_id)
        if document is None:
            raise InputError(
                "There is no document of that number.", code="LIB-045", hint="`lumen library list` shows the numbers."
            )
        return document

    def _text(self, document_id: int, number: int) -> str:
        with self._database.reading() as session:
            texts = stored.page_texts(session, document_id, number)
        if not texts:
            raise InputError("The document has no page of that number.", code="LIB-046", hint="Pages count from 1.")
        return texts[0]


class Sheets:
    """The pages of a PDF that the program printed itself, such as a record to be signed; they lie in no library.

    Args:
        content: the PDF.
        reader: reads and draws it, like any other.

    Raises:
        InputError: it cannot be read (`retrieval.readers`).
        EngineError: the reader's process cannot be started.
    """

    def __init__(self, content: bytes, reader: ReaderProcess) -> None:
        self._content = content
        self._sha256 = hashlib.sha256(content).hexdigest()
        self._reader = reader
        self._texts = reader.read("printed.pdf", content).pages

    @property
    def pages(self) -> int:
        """How many."""
        return len(self._texts)

    def page(
        self,
        document_id: int,  # noqa: ARG002 - as `Sources.page`
        number: int,
        *,
        width_px: int | None,
        passage_id: int | None = None,  # noqa: ARG002 - as `Sources.page`
        quote: str = "",
    ) -> PageView:
        """One page, as `Sources.page`; ``quote`` is looked for on it."""
        text = self._texts[number - 1]
        spans, located = _on_page(None, number, quote, text)
        if width_px is None:
            return PageView(number, self.pages, None, 0, 0, (), located, text, spans)
        drawn = self._reader.page(
            self._sha256, number, width_px=width_px, text=text, ranges=spans, content=lambda: self._content
        )
        return PageView(
            number, self.pages, drawn.rgb, drawn.width_px, drawn.height_px, drawn.boxes, located, text, spans
        )


def png(view: PageView) -> bytes:
    """The image of a page as a PNG file.

    Source: PNG specification (ISO/IEC 15948), clauses 5 and 9: eight bits, RGB, filter 0 in every row.
    """
    assert view.rgb is not None
    row_bytes = 3 * view.width_px
    rows = b"".join(b"\0" + view.rgb[at : at + row_bytes] for at in range(0, len(view.rgb), row_bytes))
    header = struct.pack(">IIBBBBB", view.width_px, view.height_px, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    chunks = [struct.pack(">I", len(d)) + kind + d + struct.pack(">I", zlib.crc32(kind + d)) for kind, d in parts]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _on_page(passage: Passage | None, number: int, quote: str, text: str) -> tuple[Ranges, float]:
    """Where a quote stands in the text of one page, and which share of it was found at all."""
    if passage is None:
        found = locate(quote, text) if quote else Located((), 1.0)
        return found.ranges, found.share
    found = _located(passage, quote)
    places = [place for start, end in found.ranges for place in passage.places(start, end)]
    return tuple((place.start, place.end) for place in places if place.page == number), found.share


def _located(passage: Passage, quote: str) -> Located:
    return locate(quote, passage.text) if quote else Located(((0, len(passage.text)),), 1.0)


def _removed() -> InputError:
    return InputError(
        "The document of this quote was removed from the library; the answer keeps the quote.",
        code="LIB-047",
        hint="Add the document again to look at its pages.",
    )
