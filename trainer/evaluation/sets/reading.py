"""Records of the files that public sets come in, whatever their form, and the refusal of one that cannot be used.

Knows no set; the readers beside it do.
"""

import ast
import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lumen_desktop.errors import InputError
from lumen_desktop.formats import objects
from lumen_desktop.formats.document import Fault

Fields = Mapping[str, Any]


def bad(path: Path, words: str, where: str = "") -> InputError:
    """The refusal of a question file.

    Args:
        path: the file.
        words: what is wrong, a part of a sentence.
        where: the line or record, such as "line 12".
    """
    place = f", {where}" if where else ""
    return InputError(
        f"{path.name}{place}: {words}.", code="TRN-090", hint="Name the file as its publisher gives it out."
    )


def records(path: Path) -> Iterator[tuple[str, Fields]]:
    """Each record of a CSV file with a heading, of JSON lines, or of a JSON list, with the place where it stands.

    Raises:
        InputError: TRN-090.
    """
    if path.suffix == ".csv":
        lines = rows(path)
        _, names = next(lines, ("", []))
        for where, cells in lines:
            if len(cells) != len(names):
                raise bad(path, f"the line has {len(cells)} fields instead of {len(names)}", where)
            yield where, dict(zip(names, cells, strict=True))
        return
    with _opened(path) as stream:
        try:
            yield from _json(path, stream)
        except InputError as error:
            raise _translated(path, error) from None


def rows(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Each row of a CSV file, headings too, with the line it ends in; empty rows are left out.

    Raises:
        InputError: TRN-090.
    """
    reader: Any = None
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            for cells in reader:
                if cells:
                    yield f"line {reader.line_num}", cells
    except OSError as error:
        raise bad(path, f"it cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise bad(path, "it is no UTF-8 text", f"after line {reader.line_num}") from None
    except csv.Error as error:
        raise bad(path, f"it is no proper CSV ({error})", f"line {reader.line_num}") from None


def text(path: Path, where: str, fields: Fields, *names: str, needed: bool = True) -> str:
    """The first of some fields that holds text.

    Raises:
        InputError: none does, and it is needed (TRN-090).
    """
    found = next((fields[name].strip() for name in names if isinstance(fields.get(name), str)), "")
    if needed and not found:
        raise bad(path, f"there is no {' or '.join(names)}", where)
    return found


def _json(path: Path, stream: Any) -> Iterator[tuple[str, Fields]]:
    head, stream = objects.beginning(stream)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
        for number, (_, item) in enumerate(objects.entries(stream, depth=1), start=1):
            if not isinstance(item, dict):
                raise bad(path, "the record is no object", f"record {number}")
            yield f"record {number}", item
        return
    for found in objects.lines(stream):
        if isinstance(found, Fault):
            raise bad(path, "the line holds no JSON object", found.where)
        yield found


def _opened(path: Path) -> Any:
    try:
        return path.open("rb")
    except OSError as error:
        raise bad(path, f"it cannot be read ({error.strerror})") from None


def _translated(path: Path, error: InputError) -> InputError:
    """What a reader of the formats refused, with the file's name."""
    if error.code == "TRN-090":
        return error
    return bad(path, error.message[:1].lower() + error.message[1:].rstrip("."))


def translated(path: Path, found: Any) -> Iterator[Any]:
    """What a reader of `lumen_desktop.formats` yields of a file; its faults and refusals name the file.

    Questions without an answer or with an empty option, which the publishers' own files hold, are left out.

    Args:
        path: the file.
        found: the reader, a function of a binary stream and a name.

    Raises:
        InputError: TRN-090.
    """
    with _opened(path) as stream:
        try:
            for one in found(stream, path.name):
                if not isinstance(one, Fault):
                    yield one
                elif one.reason not in {"no-answer", "no-text"}:
                    raise bad(path, one.words[:1].lower() + one.words[1:].rstrip("."), one.where)
        except InputError as error:
            raise _translated(path, error) from None


def options(path: Path, where: str, written: Any) -> dict[str, str]:
    """Options by their names: an object, or one written as text in JSON or with single quotes (Med-HALT).

    Raises:
        InputError: TRN-090.
    """
    found = written
    if isinstance(written, str):
        try:
            found = json.loads(written)
        except (ValueError, RecursionError):
            try:
                found = ast.literal_eval(written)
            except (ValueError, SyntaxError, MemoryError, RecursionError):
                found = None
    if not isinstance(found, dict) or not found:
        raise bad(path, "its options cannot be read", where)
    return {str(name): str(value).strip() for name, value in found.items()}
