"""JSON of any size is read value by value, and what would exhaust its reader is refused."""

import io
import json
import tracemalloc
from typing import Any

import pytest

from lumen_desktop.errors import InputError
from lumen_desktop.formats.document import Fault
from lumen_desktop.formats.objects import DEEPEST, LONGEST_LINE_BYTES, beginning, entries, lines, words


def read(text: bytes, depth: int = 1) -> list[tuple[tuple[str, ...], Any]]:
    return list(entries(io.BytesIO(text), depth=depth))


def refused(text: bytes, depth: int = 1) -> str:
    with pytest.raises(InputError) as caught:
        read(text, depth)
    return caught.value.code


def test_values_come_with_the_names_that_lead_to_them() -> None:
    text = json.dumps({"a": {"x": [1, {"y": None}], "z": "t"}, "b": 2.5, "c": {}, "d": [True]}).encode()
    assert read(text) == [(("a",), {"x": [1, {"y": None}], "z": "t"}), (("b",), 2.5), (("c",), {}), (("d",), [True])]
    assert read(text, 2) == [(("a", "x"), [1, {"y": None}]), (("a", "z"), "t"), (("d", "z"), True)]
    assert read(b'[{"a": 1}, 2]') == [(("",), {"a": 1}), (("",), 2)]
    assert read(b"\xef\xbb\xbf[1]") == [(("",), 1)]
    assert read(b"3") == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b'{"a": {"x": 1', "FMT-002"),
        (b"", "FMT-002"),
        (b'{"a": {x: 1}}', "FMT-001"),
        (b'{"a": 1} more', "FMT-001"),
        (b'{"a": "\xff\xfe"}', "FMT-001"),
        (b"[" * 100_000, "FMT-003"),
        (b'{"a":' * 100_000, "FMT-003"),
        (b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1), "FMT-003"),
    ],
)
def test_what_is_broken_is_refused(text: bytes, code: str) -> None:
    assert refused(text) == code


def test_a_long_file_takes_no_more_memory_than_a_short_one() -> None:
    def peak(items: int) -> int:
        stream = io.BytesIO(b"[" + b",".join([b'{"question": "' + b"word " * 200 + b'"}'] * items) + b"]")
        tracemalloc.start()
        assert sum(1 for _ in entries(stream, depth=1)) == items
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(4_000) < peak(400) + 200_000  # the files are 4 MB and 400 KB


def test_lines_name_themselves_and_broken_ones_are_faults() -> None:
    found = list(
        lines(io.BytesIO(b'\xef\xbb\xbf{"a": 1}\n\n nonsense\n[2]\n' + b"[" * 5_000 + b'\n{"b": "\xff"}\n{"c": 3}'))
    )
    assert found[0] == ("line 1", {"a": 1})
    assert [(one.where, one.reason) for one in found if isinstance(one, Fault)] == [
        (f"line {number}", "wrong-form") for number in (3, 4, 5, 6)
    ]
    assert found[-1] == ("line 7", {"c": 3})
    assert list(lines(io.BytesIO(b""))) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"name,dose\n", "FMT-003"),
        (b'{"a": 1}\n{"a": "cut', "FMT-002"),
        (b'{"a": "' + b"x" * LONGEST_LINE_BYTES + b'"}\n', "FMT-003"),
    ],
)
def test_files_of_lines_that_are_not_read(text: bytes, code: str) -> None:
    with pytest.raises(InputError) as caught:
        list(lines(io.BytesIO(text)))
    assert caught.value.code == code


def test_words_can_be_stored_whatever_the_file_held() -> None:
    text = words(json.loads('"a\\ud800  b\\u200b 0.5\\u00a0mg"'))
    assert text == "a? b 0.5 mg"
    assert text.encode()
    assert words(None) == words(5) == words(["x"]) == ""


def test_the_beginning_is_seen_and_kept() -> None:
    head, stream = beginning(io.BytesIO(b"abc"))
    assert head == b"abc"
    assert stream.read() == b"abc"
