"""Drawn pages: the boxes lie on the ink of their words, and a bad file or a lost child costs one page."""

import base64
import contextlib
import hashlib
import os
import signal
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from lumen_desktop.children import Limits
from lumen_desktop.domain.library import Box
from lumen_desktop.errors import InputError, LumenError
from lumen_desktop.retrieval.readers import read
from lumen_desktop.retrieval.readers.client import ReaderProcess
from lumen_desktop.retrieval.readers.drawn import DrawnPage, PageAnswer
from lumen_desktop.retrieval.readers.untrusted import BrokenRuleError
from tests.retrieval import documents

LINES = ["The unit reviews every record", "before release, and it keeps", "what it found for five years."]
WIDTH_PX = 600
PLAIN = b"/MediaBox [0 0 612 792]"


@pytest.fixture(scope="module")
def kept_reader() -> Iterator[ReaderProcess]:
    with contextlib.closing(ReaderProcess()) as process:
        process.read("warm.txt", b"Words.")
        yield process


@pytest.fixture
def reader(kept_reader: ReaderProcess) -> ReaderProcess:
    """One process for all tests that leave it whole."""
    return kept_reader


def draw(
    reader: ReaderProcess,
    content: bytes,
    number: int = 1,
    *,
    words: str = "",
    width_px: int = WIDTH_PX,
    text: str | None = None,
    give: Callable[[], bytes] | None = None,
) -> DrawnPage:
    """Draws a page of a file, with the boxes of some words of its text."""
    text = read("a.pdf", content).pages[number - 1] if text is None else text
    ranges = [(text.index(words), text.index(words) + len(words))] if words else []
    digest = hashlib.sha256(content).hexdigest()
    return reader.page(digest, number, width_px=width_px, text=text, ranges=ranges, content=give or (lambda: content))


def ink(page: DrawnPage) -> npt.NDArray[np.bool_]:
    """Where the page is dark, rows by columns."""
    pixels = np.frombuffer(page.rgb, dtype=np.uint8).reshape(page.height_px, page.width_px, 3)
    return np.asarray(pixels.max(axis=2) < 128)


def inside(page: DrawnPage, boxes: Sequence[Box]) -> npt.NDArray[np.bool_]:
    """The pixels that boxes cover, with one more on every side."""
    mask = np.zeros((page.height_px, page.width_px), dtype=bool)
    for box in boxes:
        rows = slice(max(0, int(box.top * page.height_px) - 1), int(box.bottom * page.height_px) + 2)
        mask[rows, max(0, int(box.left * page.width_px) - 1) : int(box.right * page.width_px) + 2] = True
    return mask


class TestPlaces:
    @pytest.mark.parametrize(
        "entries",
        [
            PLAIN,
            *(PLAIN + b" /Rotate %d" % turn for turn in (90, 180, 270)),
            PLAIN + b" /CropBox [60 300 400 720]",
            PLAIN + b" /CropBox [60 300 400 720] /Rotate 90",
            b"/MediaBox [-100 -50 512 742]",
            b"/MediaBox [20 30 632 822] /CropBox [60 300 420 740] /Rotate 270",
        ],
    )
    def test_the_box_of_a_line_holds_its_ink_and_no_other(self, reader: ReaderProcess, entries: bytes) -> None:
        lines = documents.paragraph(LINES, top=600)
        content = documents.pdf([lines, lines[1:2]], entries=entries)
        page = draw(reader, content, words=LINES[1])
        alone = ink(draw(reader, content, 2))
        covered = inside(page, page.boxes)
        assert len(page.boxes) == 1
        assert page.placed == len(LINES[1].replace(" ", ""))
        assert alone.sum() > 100
        assert (alone & covered).sum() == alone.sum()
        assert not (ink(page) & covered & ~alone).any()

    def test_words_outside_a_crop_have_no_place(self, reader: ReaderProcess) -> None:
        content = documents.pdf([documents.paragraph(LINES, top=600)], entries=PLAIN + b" /CropBox [60 597 400 720]")
        page = draw(reader, content, words="\n".join(LINES))
        assert len(page.boxes) == 1
        assert page.placed == len(LINES[0].replace(" ", ""))

    def test_all_words_are_covered_line_by_line(self, reader: ReaderProcess) -> None:
        content = documents.pdf([documents.paragraph(LINES, top=600)])
        page = draw(reader, content, words="\n".join(LINES))
        assert len(page.boxes) == 3
        assert not (ink(page) & ~inside(page, page.boxes)).any()
        assert [box.top for box in page.boxes] == sorted(box.top for box in page.boxes)

    def test_a_part_of_a_line_is_marked_alone(self, reader: ReaderProcess) -> None:
        content = documents.pdf([documents.paragraph(LINES, top=600)])
        whole, part = (draw(reader, content, words=words).boxes[0] for words in (LINES[0], "reviews"))
        assert whole.left < part.left < part.right < whole.right
        assert part.right - part.left < 0.4 * (whole.right - whole.left)

    def test_a_ligature_is_covered_by_each_of_its_letters(self, reader: ReaderProcess) -> None:
        content = documents.pdf([[("con\x01rmed and \x02at", "F1", 20, 72, 600)]])
        text = read("a.pdf", content).pages[0]
        page = draw(reader, content, words=text)
        assert text == "confirmed and flat"
        assert len(page.boxes) == 1
        assert not (ink(page) & ~inside(page, page.boxes)).any()
        before, ligature, after = (draw(reader, content, words=words).boxes[0] for words in ("con", "fi", "rmed"))
        assert before.right == pytest.approx(ligature.left, abs=0.001)
        assert ligature.right == pytest.approx(after.left, abs=0.001)

    def test_a_raised_digit_belongs_to_the_box_of_its_line(self, reader: ReaderProcess) -> None:
        content = documents.pdf([[("Less than 10", "F1", 12, 72, 600), ("6", "F1", 7, 139, 605), ("cells", "F1", 12, 146, 600)]])  # fmt: skip  # noqa: E501
        text = read("a.pdf", content).pages[0]
        assert "10⁶" in text
        page = draw(reader, content, words=text)
        assert not (ink(page) & ~inside(page, page.boxes)).any()

    def test_characters_that_text_leaves_out_do_not_shift_the_boxes(self, reader: ReaderProcess) -> None:
        """The second page alone does not show that its numbers are those of lines; the one before does."""
        numbered = [
            [(str(number), "F1", 8, 40, 840 - 14 * number) for number in range(first, last)]
            + documents.paragraph([f"Line {number} of the text" for number in range(first, last)], top=840 - 14 * first)
            for first, last in ((10, 29), (29, 33))
        ]
        content = documents.pdf(numbered)
        text = read("a.pdf", content).pages[1]
        assert text.startswith("Line 29")
        page = draw(reader, content, 2, words=text)
        assert page.placed == len("".join(text.split()))
        assert min(box.left for box in page.boxes) * 612 > 60
        assert (ink(page) & ~inside(page, page.boxes)).any()  # the numbers themselves

    def test_turned_text_is_one_box(self, reader: ReaderProcess) -> None:
        operators = b"BT /F1 12 Tf 0 1 -1 0 300 300 Tm (upwards along the page) Tj ET"
        content = documents.pdf([[]]).replace(
            documents.stream(zlib.compress(b"")), documents.stream(zlib.compress(operators))
        )
        page = draw(reader, content, words="upwards along the page")
        assert len(page.boxes) == 1
        assert page.boxes[0].bottom - page.boxes[0].top > page.boxes[0].right - page.boxes[0].left
        assert not (ink(page) & ~inside(page, page.boxes)).any()

    def test_where_the_stored_text_is_another_nothing_is_marked(self, reader: ReaderProcess) -> None:
        content = documents.pdf([documents.paragraph(LINES, top=600)])
        page = draw(reader, content, words="unit", text="Another unit altogether.")
        assert (page.boxes, page.placed) == ((), 0)
        assert ink(page).any()


@pytest.mark.parametrize("entries", [PLAIN + b" /Rotate 90", b"/MediaBox [-100 -50 512 742] /CropBox [-90 0 500 742]"])
def test_lines_of_turned_and_cropped_pages_are_text_and_not_hidden(entries: bytes) -> None:
    """Their height on the page once was held against its width."""
    extract = read("a.pdf", documents.pdf([documents.paragraph(LINES, top=700)], entries=entries))
    assert extract.notices == ()
    assert len(extract.sections) == 1


def test_a_document_of_page_headers_alone_has_no_sections() -> None:
    extract = read("a.pdf", documents.pdf([documents.paragraph(LINES, top=760)] * 2))
    assert extract.sections == ()


class TestHolding:
    def test_a_file_is_sent_once_and_again_after_another(self, reader: ReaderProcess) -> None:
        first, second = (documents.pdf([documents.paragraph([text], top=600)] * 3) for text in LINES[:2])
        sent: list[bytes] = []

        def giving(content: bytes) -> Callable[[], bytes]:
            return lambda: sent.append(content) or content  # type: ignore[func-returns-value]

        for content, number in ((first, 1), (first, 3), (second, 1), (second, 2), (first, 2)):
            draw(reader, content, number, text="", give=giving(content))
        assert sent == [first, second, first]

    def test_the_width_is_the_one_asked_for(self, reader: ReaderProcess) -> None:
        content = documents.pdf([documents.paragraph(LINES, top=600)])
        for width_px in (1, 333, 1200):
            page = draw(reader, content, width_px=width_px)
            assert page.width_px == width_px
            assert page.height_px == pytest.approx(width_px * 792 / 612, abs=1)
            assert len(page.rgb) == 3 * page.width_px * page.height_px

    def test_a_page_of_too_many_pixels_comes_narrower(self, reader: ReaderProcess) -> None:
        content = documents.pdf([[]], entries=b"/MediaBox [0 0 100 14400]")
        page = draw(reader, content, text="", width_px=5000)
        assert 300 < page.width_px < 500
        assert page.width_px * page.height_px <= 24_000_000


def refusal(reader: ReaderProcess, content: bytes, number: int = 1, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        draw(reader, content, number, text="", **options)
    assert caught.value.message.endswith(".")
    assert caught.value.hint.endswith(".")
    return caught.value.code


class TestRefusals:
    def test_every_bad_file_is_refused_by_its_code_and_the_process_lives(self, reader: ReaderProcess) -> None:
        fine = documents.pdf([documents.paragraph(LINES, top=600)])
        reader.read("a.txt", b"Words.")
        before = reader.pid
        assert refusal(reader, b"no PDF at all") == "LIB-008"
        assert refusal(reader, fine[:300]) == "LIB-008"
        assert refusal(reader, documents.encrypted_pdf()) == "LIB-007"
        assert refusal(reader, fine, 2) == "LIB-043"
        assert refusal(reader, fine, 0) == "LIB-043"
        assert refusal(reader, fine.replace(b"/Count 1 /Kids [6 0 R]", b"/Count 2 /Kids [6 0 R 99 0 R]"), 2) in {
            "LIB-043", "LIB-044",
        }  # fmt: skip
        assert reader.pid == before

    def test_a_file_that_is_not_given_is_a_broken_rule(self) -> None:
        with contextlib.closing(ReaderProcess()) as reader:
            assert refusal(reader, documents.pdf([[]]), give=lambda: b"") == "LIB-042"
            assert draw(reader, documents.pdf([[]]), text="").width_px == WIDTH_PX

    def test_a_bomb_costs_one_page(self) -> None:
        limits = Limits(memory_bytes=600 * 1024 * 1024, first_timeout_s=60.0, next_timeout_s=60.0)
        with contextlib.closing(ReaderProcess(limits)) as reader:
            assert refusal(reader, documents.flate_bomb(900 * 1024 * 1024)) in {"LIB-040", "LIB-044"}
            assert draw(reader, documents.pdf([[]]), text="").width_px == WIDTH_PX

    @pytest.mark.parametrize(("strike", "code"), [(signal.SIGKILL, "LIB-040"), (signal.SIGSTOP, "LIB-041")])
    def test_a_lost_process_costs_one_page(self, strike: signal.Signals, code: str) -> None:
        content = documents.pdf([documents.paragraph(LINES, top=600)])
        limits = Limits(memory_bytes=2 * 1024**3, first_timeout_s=1.5, next_timeout_s=1.5)
        with contextlib.closing(ReaderProcess(limits)) as reader:
            reader.read("warm.txt", b"Words.")

            def struck() -> bytes:
                assert reader.pid
                os.kill(reader.pid, strike)
                return content

            for _ in range(2):
                with pytest.raises(LumenError) as caught:
                    draw(reader, content, give=struck)
                assert caught.value.code == code
            assert ink(draw(reader, content)).any()

    def test_a_process_killed_between_two_pages_is_not_noticed(self) -> None:
        content = documents.pdf([documents.paragraph(LINES, top=600)])
        with contextlib.closing(ReaderProcess()) as reader:
            first = draw(reader, content)
            pid = reader.pid
            assert pid
            os.kill(pid, signal.SIGKILL)
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
            assert draw(reader, content) == first


PACKED = base64.b64encode(zlib.compress(bytes(2 * 3 * 3))).decode()
GOOD: list[dict[str, Any]] = [
    {"event": "pixels", "data": PACKED},
    {
        "event": "done", "held": True, "width_px": 2, "height_px": 3, "placed": 4,
        "boxes": [[0, 0.25, 0.5, 1], [0.1, 0.1, 0.1, 0.1]],
    },
]  # fmt: skip


def taken(events: list[dict[str, Any]]) -> DrawnPage | None:
    answer = PageAnswer(width_px=2, characters=5)
    for event in events:
        answer.take(event)
    return answer.page()


class TestDistrust:
    """What a taken-over child may say; the checks alone, since a real one cannot be made to lie."""

    def test_a_good_answer_passes(self) -> None:
        page = taken(GOOD)
        assert page == DrawnPage(bytes(18), 2, 3, (Box(0, 0.25, 0.5, 1), Box(0.1, 0.1, 0.1, 0.1)), 4)

    def test_a_file_that_is_not_held_is_no_fault(self) -> None:
        assert taken([{"event": "done", "held": False}]) is None

    @pytest.mark.parametrize(
        ("place", "change"),
        [
            (0, {"event": "gift"}), (0, {"data": None}), (0, {"data": "?"}), (0, {"data": "é"}), (0, {"data": ""}),
            (0, {"data": base64.b64encode(b"no deflate").decode()}),
            (0, {"data": base64.b64encode(zlib.compress(bytes(17))).decode()}),
            (0, {"data": base64.b64encode(zlib.compress(bytes(19))).decode()}),
            (0, {"data": base64.b64encode(zlib.compress(bytes(10**8), 9)).decode()}),
            (0, {"data": base64.b64encode(zlib.compress(bytes(18)) + b"more").decode()}),
            (0, {"data": base64.b64encode(zlib.compress(bytes(18))[:-2]).decode()}),
            (1, {"held": None}), (1, {"held": 1}), (1, {"width_px": 3}), (1, {"width_px": 0}), (1, {"width_px": True}),
            (1, {"height_px": 10**9}), (1, {"height_px": -3}), (1, {"height_px": "3"}), (1, {"placed": 6}),
            (1, {"placed": -1}), (1, {"boxes": None}), (1, {"boxes": [[0, 0, 1, 1]] * 2_001}), (1, {"boxes": [5]}),
            (1, {"boxes": [[0, 0, 1]]}), (1, {"boxes": [[0, 0, 1, 1, 1]]}), (1, {"boxes": [[0, 0, 1.01, 1]]}),
            (1, {"boxes": [[-0.1, 0, 1, 1]]}), (1, {"boxes": [[0.6, 0, 0.5, 1]]}), (1, {"boxes": [[0, 1, 1, 0.5]]}),
            (1, {"boxes": [[0, 0, float("nan"), 1]]}), (1, {"boxes": [["0", 0, 1, 1]]}), (1, {"boxes": [[True] * 4]}),
        ],
    )  # fmt: skip
    def test_a_value_out_of_its_bounds_is_refused(self, place: int, change: dict[str, Any]) -> None:
        events = [dict(event) for event in GOOD]
        events[place] |= change
        with pytest.raises(BrokenRuleError):
            taken(events)

    def test_an_answer_without_its_end_is_refused(self) -> None:
        with pytest.raises(BrokenRuleError):
            taken(GOOD[:1])

    def test_endless_pixels_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("lumen_desktop.retrieval.readers.drawn._MOST_PACKED_BYTES", 2 * len(PACKED))
        with pytest.raises(BrokenRuleError):
            taken(GOOD[:1] * 4)
