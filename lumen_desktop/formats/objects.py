"""Streams the objects of a JSON or JSON Lines file, whatever its size, and refuses what would exhaust a reader.

The only module that knows ijson for the question sets. `ijson.items` and `kvitems` are not used: they build the path to
each value, which for a hundred kilobytes of "[" takes more memory than a machine has.
"""

import json
from collections.abc import Iterator
from io import BufferedReader, RawIOBase
from typing import Any, BinaryIO, NoReturn, cast

import ijson
from ijson.common import ObjectBuilder

from lumen_desktop.domain.library import normalised, storable
from lumen_desktop.errors import InputError
from lumen_desktop.formats.document import Fault

LONGEST_LINE_BYTES = 8 * 1024**2
DEEPEST = 32
_OPENS, _CLOSES = frozenset({"start_map", "start_array"}), frozenset({"end_map", "end_array"})
_MARK = b"\xef\xbb\xbf"  # some editors put it before UTF-8
_AGAIN = "Copy or download it again."


def words(value: object) -> str:
    """A text of a file, normalised; empty where it is no text."""
    return normalised(storable(value)) if isinstance(value, str) else ""


def beginning(stream: BinaryIO) -> tuple[bytes, BinaryIO]:
    """The first bytes of a file, as many as are read at once, and the file as it was."""
    buffered = stream if isinstance(stream, BufferedReader) else BufferedReader(cast("RawIOBase", stream), 65_536)
    return buffered.peek(1), cast("BinaryIO", buffered)


def lines(stream: BinaryIO) -> Iterator[tuple[str, dict[str, Any]] | Fault]:
    """Each object of a JSON Lines file with the line it stands in ("line 12"); one that is none is a fault.

    Raises:
        InputError: the first line holds no object (FMT-003), a line is longer than any of these files has (FMT-003),
            or the last one is cut off (FMT-002).
    """
    number = found = 0
    while line := stream.readline(LONGEST_LINE_BYTES + 1):
        number += 1
        if len(line) > LONGEST_LINE_BYTES:
            raise _not_read("A line of the file is too long.")
        bare = line.removeprefix(_MARK).strip()
        if not bare:
            continue
        item = _object(bare)
        if item is not None:
            found += 1
            yield f"line {number}", item
        elif not found:
            raise _not_read("The file does not begin with a line of JSON.")
        elif not line.endswith(b"\n"):
            raise InputError("The file ends too early.", code="FMT-002", hint=_AGAIN)
        else:
            yield Fault(f"line {number}", "wrong-form", "The line holds no JSON object.")


def entries(stream: BinaryIO, *, depth: int) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each value that lies ``depth`` containers deep, with the names that lead to it ("" in a list), one at a time.

    Raises:
        InputError: not well-formed (FMT-001), cut off (FMT-002), nested deeper than `DEEPEST` (FMT-003).
    """
    names = [""] * depth
    level, value = 0, None
    for event, content in _events(stream):
        level -= event in _CLOSES
        if value is None and level == depth and event not in _CLOSES and event != "map_key":
            value = ObjectBuilder()
        if value is not None:
            value.event(event, content)
            if level == depth and event not in _OPENS:
                yield tuple(names), value.value
                value = None
        elif event == "map_key":
            names[level - 1] = storable(content)
        level += event in _OPENS
        if level > DEEPEST:
            raise _not_read("The file is nested deeper than any of its kind.")


def _events(stream: BinaryIO) -> Iterator[tuple[str, Any]]:
    head, stream = beginning(stream)
    if head.startswith(_MARK):
        stream.read(len(_MARK))
    try:
        yield from ijson.basic_parse(stream, use_float=True)
    except ijson.JSONError as error:
        _refuse(error)


def _refuse(error: Exception) -> NoReturn:
    if "EOF" in str(error) or "ncomplete" in str(error):
        raise InputError("The file ends too early.", code="FMT-002", hint=_AGAIN) from None
    raise InputError("The file is not well-formed JSON.", code="FMT-001", hint=_AGAIN) from None


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        item = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return item if isinstance(item, dict) else None


def _not_read(sentence: str) -> InputError:
    return InputError(sentence, code="FMT-003", hint="Choose the file as its publisher gives it out.")
