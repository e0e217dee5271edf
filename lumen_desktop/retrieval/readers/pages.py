"""Drawing one page of a PDF, and finding the rectangles of stretches of its text on it.

Native code: loaded in the reader's process only, which keeps the document that was asked for last, so
that turning a page of a large file sends nothing again. `client` asks and checks.

Request ``page`` with ``sha256`` (of the file), ``page`` (from 0), ``width_px``, ``text_sha256`` (of the page's
stored text) and ``ranges`` ([start, end] in it), and the file's bytes or none. Where the file is not held and no
bytes came, ``done`` says ``held`` false. Else events ``pixels`` (``data``: a piece of the deflated RGB rows,
base64), and ``done`` with ``width_px``, ``height_px``, ``boxes`` ([left, top, right, bottom] in shares of the
page) and ``placed``, how many characters of the ranges have a place. Pixels and no image file: whoever shows them
needs no decoder that a hostile child could feed.
"""

import base64
import ctypes
import itertools
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pypdfium2

from lumen_desktop.children import Events, Request
from lumen_desktop.domain.library import Box
from lumen_desktop.errors import InputError
from lumen_desktop.formats.office import pdf
from lumen_desktop.formats.office.page_text import PageText
from lumen_desktop.retrieval.readers.page_rules import (
    BYTES_A_PIXEL,
    LARGEST_WIDTH_PX,
    MOST_BOXES,
    MOST_PIXELS,
    MOST_RANGES,
    text_digest,
)

PAGES_BACK = 50  # how far the margin of line numbers is looked for

_native = pypdfium2.raw
_PIECE_BYTES = 3 * 1024 * 1024  # 4 MiB as base64, below the longest line of the pipe
_FAST = 1  # deflate: a page shrinks to a twentieth in the time that three pipes' worth of base64 would take
_GRID = 1_000_000


class Pages:
    """Answers requests for pages, and keeps the last document between them."""

    def __init__(self) -> None:
        self._sha256 = ""
        self._document: pypdfium2.PdfDocument | None = None

    def answer(self, request: Request) -> Events:
        """The events of one request.

        Raises:
            InputError: not a PDF, encrypted or damaged (LIB-007, LIB-008), no such page (LIB-043), or this page is
                damaged (LIB-044).
        """
        wanted = _Wanted.of(request.untrusted_fields)
        document = self._held(str(request.untrusted_fields.get("sha256", "")), request.payload)
        if document is None:
            yield {"event": "done", "held": False}
            return
        if not 0 <= wanted.index < len(document):
            raise InputError(
                "The file has no page of that number.", code="LIB-043", hint="Choose one of the pages that it has."
            )
        yield from _drawn(document, wanted)

    def _held(self, sha256: str, payload: bytes) -> pypdfium2.PdfDocument | None:
        if payload:
            if self._document is not None:
                self._document.close()
                self._document = None
            self._document, self._sha256 = pdf.opened(payload), sha256
        return self._document if sha256 == self._sha256 else None


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What was asked for, within the limits."""

    index: int
    width_px: int
    text_sha256: str
    ranges: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, untrusted_fields: Mapping[str, Any]) -> "_Wanted":
        ranges = [(int(start), int(end)) for start, end in untrusted_fields["ranges"]][:MOST_RANGES]
        width_px = min(max(1, int(untrusted_fields["width_px"])), LARGEST_WIDTH_PX)
        return cls(int(untrusted_fields["page"]), width_px, str(untrusted_fields["text_sha256"]), tuple(ranges))


def _drawn(document: pypdfium2.PdfDocument, wanted: _Wanted) -> Events:
    try:
        page = document[wanted.index]
        bitmap = page.render(scale=_scale(page.get_size(), wanted.width_px), rev_byteorder=True)
    except (pypdfium2.PdfiumError, ValueError):
        raise InputError(
            "This page is damaged and cannot be drawn.", code="LIB-044", hint="Its text can be shown instead."
        ) from None
    yield from _pixels(bitmap)
    rows = list(_rows(document, page, wanted)) if wanted.ranges else []
    boxes = [box for row in rows for box in _merged(row)][:MOST_BOXES]
    fields = {"width_px": bitmap.width, "height_px": bitmap.height, "placed": sum(len(row) for row in rows)}
    bitmap.close()
    page.close()
    shares = [[_share(value) for value in (box.left, box.top, box.right, box.bottom)] for box in boxes]
    yield {"event": "done", "held": True, "boxes": shares, **fields}


def _scale(size: tuple[float, float], width_px: int) -> float:
    """Pixels a point: the width that was asked for, or less where the page would have too many pixels."""
    width, height = (max(points, 0.01) for points in size)
    fitting = (width_px - 0.01) / width  # the drawing rounds up
    return float(min(fitting, (0.9 * MOST_PIXELS / (width * height)) ** 0.5, 0.9 * MOST_PIXELS / height))


def _pixels(bitmap: pypdfium2.PdfBitmap) -> Iterator[Mapping[str, Any]]:
    """The rows of a bitmap, three bytes a pixel, deflated, in pieces."""
    assert bitmap.stride == BYTES_A_PIXEL * bitmap.width
    packed = zlib.compress(bitmap.buffer, _FAST)
    for start in range(0, len(packed), _PIECE_BYTES):
        yield {"event": "pixels", "data": base64.b64encode(packed[start : start + _PIECE_BYTES]).decode()}


def _rows(document: pypdfium2.PdfDocument, page: pypdfium2.PdfPage, wanted: _Wanted) -> Iterator[list[Box]]:
    """Boxes of the wanted characters as the page is shown, line by line; none where its text is not the stored one."""
    text = _same_text(document, page, wanted)
    if text is None:
        return
    view = _View(page)
    for start, end in wanted.ranges:
        for row in text.boxes(start, end):
            places = [view.of(box.left, box.bottom, box.right, box.top) for box in row]
            yield [box for box in places if _seen(box)]
    text.close()


def _same_text(document: pypdfium2.PdfDocument, page: pypdfium2.PdfPage, wanted: _Wanted) -> PageText | None:
    """The page's text as it was read: the margin of its line numbers may be known from a page before only."""
    tried = set()
    for margin in itertools.chain([None], _margins(document, wanted.index)):
        if margin in tried:
            continue
        tried.add(margin)
        try:
            text = PageText(page, margin)
        except pypdfium2.PdfiumError:
            return None
        if text_digest(text.text) == wanted.text_sha256:
            return text
        text.close()
    return None


def _margins(document: pypdfium2.PdfDocument, index: int) -> Iterator[float]:
    """Margins of the pages before that count enough lines to show one by themselves, nearest first."""
    for before in range(index - 1, max(-1, index - 1 - PAGES_BACK), -1):
        try:
            page = document[before]
            text = PageText(page)
        except pypdfium2.PdfiumError:
            continue
        margin = text.margin
        text.close()
        page.close()
        if margin is not None:
            yield margin


class _View:
    """From the page's own coordinates to shares of the page as shown: cropped, turned, from the upper left corner."""

    def __init__(self, page: pypdfium2.PdfPage) -> None:
        left, bottom, right, top = page.get_bbox()
        width, height = max(right - left, 0.01), max(top - bottom, 0.01)
        corner, across, up = (_shown(page, x, y) for x, y in ((left, bottom), (right, bottom), (left, top)))
        self._left, self._bottom, self._corner = left, bottom, corner
        self._across = ((across[0] - corner[0]) / width, (across[1] - corner[1]) / width)
        self._up = ((up[0] - corner[0]) / height, (up[1] - corner[1]) / height)

    def of(self, left: float, bottom: float, right: float, top: float) -> Box:
        """A rectangle as it is shown."""
        (x0, y0), (x1, y1) = self._point(left, bottom), self._point(right, top)
        return Box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))

    def _point(self, x: float, y: float) -> tuple[float, float]:
        x, y = x - self._left, y - self._bottom
        return (
            self._corner[0] + x * self._across[0] + y * self._up[0],
            self._corner[1] + x * self._across[1] + y * self._up[1],
        )


def _shown(page: pypdfium2.PdfPage, x: float, y: float) -> tuple[float, float]:
    """Where pdfium draws a point, in shares of the page."""
    across, down = ctypes.c_int(), ctypes.c_int()
    _native.FPDF_PageToDevice(page.raw, 0, 0, _GRID, _GRID, 0, x, y, across, down)
    return across.value / _GRID, down.value / _GRID


def _merged(row: Sequence[Box]) -> Iterator[Box]:
    """One box for the characters of a line; more where they do not stand beside each other."""
    held: Box | None = None
    for box in row:
        if held is not None and _beside(held, box):
            held = Box(
                min(held.left, box.left), min(held.top, box.top), max(held.right, box.right),
                max(held.bottom, box.bottom),
            )  # fmt: skip
            continue
        if held is not None:
            yield held
        held = box
    if held is not None:
        yield held


def _beside(held: Box, box: Box) -> bool:
    """Whether a character goes on with a line, which may run across the page or, where it was turned, along it."""
    level = min(held.bottom, box.bottom) - max(held.top, box.top)
    if level >= 0.5 * min(held.bottom - held.top, box.bottom - box.top):
        return True
    broad = max(held.right - held.left, box.right - box.left)
    return min(held.right, box.right) - max(held.left, box.left) >= 0.8 * broad and level > -broad


def _seen(box: Box) -> bool:
    """Whether a box has a size and any of it is on the page as shown."""
    return max(box.left, 0.0) < min(box.right, 1.0) and max(box.top, 0.0) < min(box.bottom, 1.0)


def _share(value: float) -> float:
    return round(min(max(value, 0.0), 1.0), 6)
