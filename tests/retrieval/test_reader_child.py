"""The reader as a process: real children, real bombs; a file costs itself and nothing else."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lumen_desktop.children import Limits
from lumen_desktop.domain.library import Extract
from lumen_desktop.errors import InputError, LumenError, Stopped
from lumen_desktop.retrieval.readers import client, read
from lumen_desktop.retrieval.readers.client import ReaderProcess
from lumen_desktop.retrieval.readers.untrusted import BrokenRuleError
from tests.retrieval import documents

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
MEBIBYTE = 1024 * 1024


@pytest.fixture
def reader() -> Iterator[ReaderProcess]:
    process = ReaderProcess()
    yield process
    process.close()


def small_reader(memory_mebibytes: int, *, next_timeout_s: float = 60.0) -> ReaderProcess:
    """A reader with tighter limits, so that a bomb need not be large."""
    return ReaderProcess(
        Limits(memory_bytes=memory_mebibytes * MEBIBYTE, first_timeout_s=60.0, next_timeout_s=next_timeout_s)
    )


def code_of(reader: ReaderProcess, name: str, content: bytes) -> str:
    with pytest.raises(LumenError) as caught:
        reader.read(name, content)
    assert caught.value.message.endswith(".")
    assert caught.value.hint.endswith(".")
    return caught.value.code


def fine_pdf(pages: int = 3) -> bytes:
    text = ["The unit reviews every record before release.", "It keeps what it found."]
    return documents.pdf([documents.paragraph(text, top=600)] * pages)


class TestReading:
    def test_what_comes_out_is_what_the_reader_read(self, reader: ReaderProcess) -> None:
        steps: list[tuple[int, int]] = []
        content = fine_pdf()
        reading = reader.reading("a.pdf", content)
        with pytest.raises(StopIteration) as finished:
            while True:
                steps.append(next(reading))
        assert finished.value.value == read("a.pdf", content)
        assert steps == [(1, 3), (2, 3), (3, 3)]
        assert reader.read("a.pdf", content) == finished.value.value

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("a.md", b"---\ntitle: T\n---\n# Part\n\nText.\n"),
            ("a.txt", "µ " * 700_000 + "end."),
            ("a.docx", documents.archive(documents.word_parts(documents.word_paragraph("Words.")))),
        ],
    )
    def test_every_format_comes_through_unchanged(self, reader: ReaderProcess, name: str, content: bytes | str) -> None:
        data = content if isinstance(content, bytes) else content.encode()
        assert reader.read(name, data) == read(name, data)

    def test_a_document_of_very_many_sections_comes_through(self, reader: ReaderProcess) -> None:
        content = b"".join(b"## Part %d\n\nText %d.\n\n" % (n, n) for n in range(30_000))
        extract = reader.read("a.md", content)
        assert len(extract.sections) == 29_999 + 1
        assert extract == read("a.md", content)

    def test_a_refusal_keeps_its_code_and_the_process(self, reader: ReaderProcess) -> None:
        assert code_of(reader, "a.txt", b"") == "LIB-001"
        before = reader.pid
        assert code_of(reader, "a.pdf", documents.pdf([[]])) == "LIB-006"
        assert reader.pid == before

    def test_a_file_beyond_the_limit_is_refused_without_a_process(
        self, reader: ReaderProcess, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(client, "LARGEST_FILE_BYTES", 10)
        assert code_of(reader, "a.txt", b"eleven bytes") == "LIB-002"
        assert reader.pid is None

    def test_stop_ends_the_reading_and_the_next_file_is_read(self, reader: ReaderProcess) -> None:
        content = fine_pdf(pages=3_000)

        with pytest.raises(Stopped):
            for done, _pages in reader.reading("a.pdf", content):
                if done == 2:
                    reader.stop()
        assert reader.read("b.pdf", fine_pdf()).paged


class TestBombs:
    def test_a_flate_bomb_ends_in_a_sentence_and_costs_only_itself(self) -> None:
        bomb = documents.flate_bomb(900 * MEBIBYTE)
        assert len(bomb) < 10_000
        with contextlib.closing(small_reader(600)) as reader:
            started = time.monotonic()
            assert code_of(reader, "bomb.pdf", bomb) in {"LIB-006", "LIB-014"}
            assert time.monotonic() - started < 60
            assert reader.read("fine.pdf", fine_pdf()).paged

    def test_a_word_bomb_within_the_ratio_ends_in_a_sentence(self) -> None:
        parts = documents.word_parts(documents.word_paragraph("x y z ") * 3_000_000)
        parts["word/media/noise.bin"] = os.urandom(3 * MEBIBYTE)
        content = documents.archive(parts)
        with contextlib.closing(small_reader(500)) as reader:
            assert code_of(reader, "bomb.docx", content) in {"LIB-013", "LIB-014"}
            assert reader.read("fine.pdf", fine_pdf()).paged

    def test_memory_is_limited_in_the_process(self, reader: ReaderProcess) -> None:
        reader.read("fine.pdf", fine_pdf())
        limits = Path(f"/proc/{reader.pid}/limits")
        if not limits.exists():
            pytest.skip("this system shows no limits of a process")
        lines = {line[:24].strip(): line.split() for line in limits.read_text().splitlines()}
        assert lines["Max address space"][3] == str(client.MEMORY_BYTES)
        assert lines["Max core file size"][4] == "0"
        assert int(lines["Max cpu time"][3]) < 200


class TestFailures:
    def killed_while_reading(self, reader: ReaderProcess, kill: signal.Signals) -> str:
        """The code that a file gets whose reader is struck after its second page."""
        with pytest.raises(LumenError) as caught:
            for done, _pages in reader.reading("a.pdf", fine_pdf(pages=3_000)):
                if done == 2 and reader.pid:
                    os.kill(reader.pid, kill)
        return caught.value.code

    def test_a_crash_costs_the_file_and_more_crashes_than_safe_mode_allows_end_nothing(
        self, reader: ReaderProcess
    ) -> None:
        for _ in range(5):
            assert self.killed_while_reading(reader, signal.SIGKILL) == "LIB-014"
        assert reader.read("fine.pdf", fine_pdf()).paged

    def test_a_hang_is_ended(self) -> None:
        with contextlib.closing(small_reader(2_000, next_timeout_s=1.0)) as reader:
            assert self.killed_while_reading(reader, signal.SIGSTOP) == "LIB-015"
            assert reader.read("fine.pdf", fine_pdf()).paged

    def test_close_leaves_no_process(self) -> None:
        reader = ReaderProcess()
        reader.read("fine.pdf", fine_pdf())
        pid = reader.pid
        assert pid is not None
        reader.close()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("reader")]


GOOD: list[dict[str, Any]] = [
    {"event": "progress", "done": 1, "pages": 2},
    {"event": "text", "page": 0, "text": "First page."},
    {"event": "text", "page": 0, "text": " More."},
    {"event": "text", "page": 1, "text": "Second page."},
    {"event": "outline", "title": "T", "paged": True, "metadata": {"author": "A"}, "notices": ["One."]},
    {"event": "sections", "sections": [[["Part"], [[0, 0, 5], [1, 0, 6]]], [[], [[1, 7, 12]]]]},
    {"event": "done"},
]


def taken(events: list[dict[str, Any]]) -> Extract:
    answer = client._Answer()
    for event in events:
        answer.take(event)
    return answer.extract()


class TestDistrust:
    """What a taken-over child may say; the checks alone, since a real one cannot be made to lie."""

    def test_a_good_answer_passes(self) -> None:
        extract = taken(GOOD)
        assert extract.pages == ("First page. More.", "Second page.")
        assert extract.sections[0].spans == ((0, 0, 5), (1, 0, 6))

    @pytest.mark.parametrize(
        ("place", "change"),
        [
            (0, {"done": 3}), (0, {"pages": 10**9}), (0, {"done": -1}), (0, {"done": True}),
            (1, {"page": 1}), (3, {"page": 5}), (3, {"page": "1"}), (1, {"text": 5}), (1, {"text": None}),
            (4, {"title": "x" * 3_000}), (4, {"title": None}), (4, {"paged": 1}), (4, {"metadata": ["a"]}),
            (4, {"metadata": {"a": 1}}), (4, {"notices": "x"}), (4, {"notices": ["x"] * 100}),
            (5, {"sections": {}}), (5, {"sections": [5]}), (5, {"sections": [[["a"], []]]}),
            (5, {"sections": [[["a"], [[0, 0, 99]]]]}), (5, {"sections": [[["a"], [[0, 5, 5]]]]}),
            (5, {"sections": [[["a"], [[2, 0, 1]]]]}), (5, {"sections": [[["a"], [[0, -1, 1]]]]}),
            (5, {"sections": [[["a"], [[1, 0, 2], [0, 0, 2]]]]}), (5, {"sections": [[["a"], [[0, 0, 5], [0, 3, 6]]]]}),
            (5, {"sections": [[["a"], [[0, 0, 5]]], [["b"], [[0, 4, 6]]]]}), (5, {"sections": [["a", [[0, 0, 5]]]]}),
            (5, {"sections": [[["a"] * 50, [[0, 0, 5]]]]}), (5, {"sections": [[["a"], [[0, 0]]]]}),
            (6, {"event": "gift"}),
        ],
    )  # fmt: skip
    def test_a_value_out_of_its_bounds_is_refused(self, place: int, change: dict[str, Any]) -> None:
        events = [dict(event) for event in GOOD]
        events[place] |= change
        with pytest.raises(BrokenRuleError):
            taken(events)

    def test_an_answer_without_its_outline_is_refused(self) -> None:
        with pytest.raises(BrokenRuleError):
            taken([event for event in GOOD if event["event"] != "outline"])

    def test_endless_text_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(client, "MOST_CHARACTERS", 20)
        with pytest.raises(BrokenRuleError):
            taken(GOOD)


@pytest.mark.alone
@pytest.mark.skipif(not DATA.is_dir(), reason="the documents of ../shared/data are not here")
def test_real_documents_are_read_fast_enough(reader: ReaderProcess) -> None:
    """Twenty pages a second is the goal for text that can be searched; this is the reading in it."""
    paths = sorted(DATA.glob("guidance_pdf/*.pdf"))
    reader.read("warm.txt", b"Words.")
    started = time.monotonic()
    pages = sum(len(reader.read(path.name, path.read_bytes()).pages) for path in paths)
    assert pages == 179
    assert pages / (time.monotonic() - started) > 20


def test_an_input_error_is_what_a_caller_catches(reader: ReaderProcess) -> None:
    with pytest.raises(InputError):
        reader.read("a.bin", b"\x7fELF" + bytes(100))
