"""Opening sources: the quote is marked where it stands, and what is gone or wrong is said."""

import os
import signal
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from lumen_desktop import app
from lumen_desktop.domain.library import Passage, StoredDocument
from lumen_desktop.errors import InputError
from lumen_desktop.services.sources import PageView, png
from lumen_desktop.storage import library as stored
from tests.conftest import added
from tests.retrieval import documents

FIRST = [
    "The unit that is respon-", "sible for quality reviews every record of a batch before it is released,",
    "and it keeps each of these records for at least one year after the batch",
]  # fmt: skip
SECOND = ["has expired, together with the samples that were drawn from it.", "Nothing else is kept."]
ACROSS = "it keeps each of these records for at least one year after the batch has expired, together with the samples"


@pytest.fixture
def paged(site: app.Site, tmp_path: Path) -> StoredDocument:
    """A PDF of two pages whose sentence runs from one to the other."""
    path = tmp_path / "records.pdf"
    pages = [documents.paragraph(FIRST, top=600), documents.paragraph(SECOND, top=600)]
    path.write_bytes(documents.pdf(pages, title="Records of a batch and samples"))
    assert added(site.library, path).added == 1
    return next(document for document in site.library.documents() if document.name == "records.pdf")


@pytest.fixture
def passage(site: app.Site, paged: StoredDocument) -> Passage:
    (only,) = site.sources.passages_on(paged.id, 1)
    return only


def marked(view: PageView) -> list[str]:
    return [view.text[start:end] for start, end in view.quote_spans]


def code(call: object) -> str:
    with pytest.raises(InputError) as caught:
        call()  # type: ignore[operator]
    assert caught.value.message.endswith(".")
    assert caught.value.hint.endswith(".")
    return caught.value.code


class TestOpening:
    def test_a_citation_opens_its_document_where_the_quote_begins(self, site: app.Site, passage: Passage) -> None:
        source = site.sources.open(passage.id, ACROSS)
        assert (source.document_id, source.name, source.paged, source.pages) == (passage.document_id, "records.pdf", True, 2)  # fmt: skip  # noqa: E501
        assert (source.page, source.drawable, source.located) == (1, True, 1.0)
        assert source.attribution == passage.attribution
        assert site.sources.open(passage.id, "Nothing else is kept.").page == 2
        assert site.sources.open(passage.id).page == 1

    def test_a_text_has_one_page_and_no_image(self, site: app.Site) -> None:
        (hit, *_), _ = site.library.search("residue limit of a swab", collection="Documents", most=1)
        source = site.sources.open(hit.passage.id, hit.passage.text)
        assert (source.paged, source.drawable, source.page, source.pages) == (False, False, 1, 1)

    def test_a_removed_document_is_said_in_a_sentence(self, site: app.Site, passage: Passage) -> None:
        site.library.remove(passage.document_id)
        assert code(lambda: site.sources.open(passage.id, ACROSS)) == "LIB-047"
        assert code(lambda: site.sources.page(passage.document_id, 1, width_px=50, passage_id=passage.id)) == "LIB-047"
        assert code(lambda: site.sources.page(passage.document_id, 1, width_px=50)) == "LIB-045"
        assert code(lambda: site.sources.texts(passage.document_id)) == "LIB-045"
        assert code(lambda: site.sources.passages_on(passage.document_id, 1)) == "LIB-045"

    def test_what_was_extracted_is_shown_page_by_page(self, site: app.Site, paged: StoredDocument) -> None:
        assert site.sources.texts(paged.id) == ["\n".join(FIRST), "\n".join(SECOND)]
        assert site.sources.passages_on(paged.id, 3) == []


class TestPages:
    def test_a_quote_over_two_pages_is_marked_on_both(self, site: app.Site, passage: Passage) -> None:
        views = [
            site.sources.page(passage.document_id, number, width_px=300, passage_id=passage.id, quote=ACROSS)
            for number in (1, 2)
        ]
        assert [marked(view) for view in views] == [
            ["it keeps each of these records for at least one year after the batch"],
            ["has expired, together with the samples"],
        ]
        for number, view in enumerate(views, start=1):
            assert (view.number, view.pages, view.width_px, view.located) == (number, 2, 300, 1.0)
            assert view.rgb
            assert len(view.rgb) == 3 * view.width_px * view.height_px
            (box,) = view.boxes
            assert 0 < box.left < box.right < 1
            assert 0 < box.top < box.bottom < 0.4

    def test_a_quote_joined_at_a_hyphen_is_found(self, site: app.Site, passage: Passage) -> None:
        quote = "The unit that is respon-sible for quality reviews every record"
        view = site.sources.page(passage.document_id, 1, width_px=300, passage_id=passage.id, quote=quote)
        assert marked(view) == ["The unit that is respon-\nsible for quality reviews every record"]
        assert (len(view.boxes), view.located) == (2, 1.0)

    def test_without_a_quote_the_whole_passage_is_marked(self, site: app.Site, passage: Passage) -> None:
        view = site.sources.page(passage.document_id, 1, width_px=300, passage_id=passage.id)
        assert len(view.boxes) == 3
        assert "".join("".join(marked(view)).split()) == "".join("".join(FIRST).split())

    def test_without_a_passage_the_quote_is_looked_for_on_the_page(self, site: app.Site, passage: Passage) -> None:
        view = site.sources.page(passage.document_id, 2, width_px=300, quote="Nothing else")
        assert (marked(view), len(view.boxes)) == (["Nothing else"], 1)
        plain = site.sources.page(passage.document_id, 2, width_px=300)
        assert (plain.quote_spans, plain.boxes, plain.located) == ((), (), 1.0)

    def test_below_a_half_nothing_is_marked(self, site: app.Site, passage: Passage) -> None:
        quote = "the samples that nobody ever thought of were sent to a laboratory on another continent"
        view = site.sources.page(passage.document_id, 2, width_px=300, passage_id=passage.id, quote=quote)
        assert (view.boxes, view.quote_spans) == ((), ())
        assert view.located < 0.5
        assert view.rgb

    def test_where_the_file_yields_another_text_than_was_stored_no_box_is_painted(
        self, site: app.Site, passage: Passage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = ["\n".join(FIRST).replace("unit", "body")]
        monkeypatch.setattr(stored, "page_texts", lambda *_: other)
        view = site.sources.page(passage.document_id, 1, width_px=300, passage_id=passage.id, quote=ACROSS)
        assert (view.boxes, view.located) == ((), 0.0)
        assert view.quote_spans
        assert view.rgb

    def test_a_text_is_shown_with_its_quote_and_no_image(self, site: app.Site) -> None:
        (hit, *_), _ = site.library.search("residue limit of a swab", collection="Documents", most=1)
        quote = "The residue limit of the site is 10 ppm."
        view = site.sources.page(hit.passage.document_id, 1, width_px=300, passage_id=hit.passage.id, quote=quote)
        assert (view.rgb, view.width_px, view.boxes) == (None, 0, ())
        assert " ".join(marked(view)[0].split()) == quote

    def test_only_the_text_needs_no_process(self, site: app.Site, passage: Passage) -> None:
        view = site.sources.page(passage.document_id, 1, width_px=None, passage_id=passage.id, quote=ACROSS)
        assert view.rgb is None
        assert marked(view)
        assert site.sources._reader.pid is None

    def test_a_page_beyond_the_last_is_refused(self, site: app.Site, passage: Passage) -> None:
        for number in (0, 3, -1, 10**12):
            assert code(lambda number=number: site.sources.page(passage.document_id, number, width_px=50)) == "LIB-046"

    def test_a_process_killed_between_pages_is_replaced(self, site: app.Site, passage: Passage) -> None:
        before = site.sources.page(passage.document_id, 1, width_px=300)
        pid = site.sources._reader.pid
        assert pid
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert site.sources.page(passage.document_id, 1, width_px=300) == before

    def test_a_document_removed_while_its_page_is_asked_for_is_said(
        self, site: app.Site, passage: Passage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(stored, "content", lambda *_: None)
        assert code(lambda: site.sources.page(passage.document_id, 1, width_px=300)) == "LIB-047"

    def test_pages_are_drawn_beside_an_import(self, site: app.Site, passage: Passage) -> None:
        assert site.sources._reader is not site.reader
        site.sources.page(passage.document_id, 1, width_px=50)
        assert site.sources._reader.pid != site.reader.pid


class TestFiles:
    def test_a_png_holds_the_pixels(self, site: app.Site, passage: Passage) -> None:
        view = site.sources.image(passage.document_id, 1, width_px=60, quote="reviews every")
        file = png(view)
        chunks = dict(_chunks(file))
        assert file.startswith(b"\x89PNG\r\n\x1a\n")
        assert struct.unpack(">IIBBBBB", chunks[b"IHDR"]) == (60, view.height_px, 8, 2, 0, 0, 0)
        rows = zlib.decompress(chunks[b"IDAT"])
        stride = 3 * 60 + 1
        assert b"".join(rows[at + 1 : at + stride] for at in range(0, len(rows), stride)) == view.rgb

    def test_a_text_has_no_image(self, site: app.Site) -> None:
        number = next(document.id for document in site.library.documents() if document.name == "cleaning.txt")
        assert code(lambda: site.sources.image(number, 1, width_px=60)) == "LIB-048"


def _chunks(file: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at < len(file):
        size_bytes, kind = struct.unpack(">I4s", file[at : at + 8])
        body = file[at + 8 : at + 8 + size_bytes]
        assert struct.unpack(">I", file[at + 8 + size_bytes : at + 12 + size_bytes]) == (zlib.crc32(kind + body),)
        yield kind, body
        at += 12 + size_bytes


def test_what_the_program_printed_is_looked_at_like_any_document(site: app.Site) -> None:
    printed = documents.pdf(
        [documents.paragraph([f"Sheet {n} of a record that somebody signs."], top=600) for n in (1, 2)]
    )
    sheets = site.sources.sheets(printed)
    assert sheets.pages == 2
    words = sheets.page(0, 2, width_px=None)
    assert words.rgb is None
    assert words.text == "Sheet 2 of a record that somebody signs."
    drawn = sheets.page(0, 1, width_px=300, quote="a record")
    assert drawn.rgb is not None
    assert (len(drawn.rgb), drawn.pages) == (3 * 300 * drawn.height_px, 2)
    assert drawn.boxes
    with pytest.raises(InputError):
        site.sources.sheets(b"%PDF-1.7\nnothing that can be read")
