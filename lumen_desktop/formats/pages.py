"""PDFs of public bodies: their text by section, as prose that flows and not as lines of a page.

Reads with `office.pdf`, as the app's library does, and like it knows no publisher; `guidance` and `letters` call it.
"""

import re
from collections.abc import Callable, Iterator
from typing import BinaryIO

from lumen_desktop.domain.library import Extract, normalised
from lumen_desktop.errors import InputError
from lumen_desktop.formats.office import pdf

LARGEST_BYTES = 128 * 1024**2  # a PDF is read whole

_FULL_LINE_SHARE = 0.72
_ENDS = re.compile(r"[.:;!?][\"'”’)\]]*$")
_OPENS = re.compile(
    r"(?!\(b\)\s?\(\d)(?:[•▪●◦➢○·*–-]\s|\(?(?:[a-z]|[ivx]{1,4}|\d{1,2})[.)]\s)"  # "(b) (4)" is a redaction, no item
)
_CUT = re.compile(r"\w-$")
_REST = re.compile(r"(?!(?:and|or|to)\b)[a-z0-9]")  # "pre- and post-"
_MARKS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_MONTHS = "january february march april may june july august september october november december".split()
_DATES = re.compile(
    rf"\b(?:(?P<month>{'|'.join(_MONTHS)})\s+(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+)?"
    rf"|(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?\s+(?P<month2>{'|'.join(_MONTHS)}),?\s+)(?P<year>(?:19|20)\d\d)\b",
    re.IGNORECASE,
)


def extract(stream: BinaryIO, name: str) -> Extract:
    """The pages and sections of a PDF.

    Raises:
        InputError: as `office.pdf.reading` says (no text at all is LIB-006), too large (FMT-005).
    """
    content = stream.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise InputError(
            "The PDF is larger than 128 MB.", code="FMT-005", hint="Split it, or leave its images out and add that."
        )
    file = name.rpartition("!")[2].rpartition("/")[2]
    reading = pdf.reading(file, content)
    while True:
        try:
            next(reading)
        except StopIteration as done:
            whole: Extract = done.value
            return whole


def sections(
    read: Extract, without: Callable[[str], str] = lambda lines: lines
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Headings and flowing text of each section that holds text, in reading order.

    Args:
        read: the PDF.
        without: takes out of a section's lines what is none of its text.
    """
    for section in read.sections:
        texts = [read.pages[page][start:end] for page, start, end in section.spans]
        text = flowing(without("\n".join(texts)))
        if text:
            yield section.path, text


def flowing(text: str) -> str:
    """Text whose lines were broken by a page's width, as paragraphs: breaks before items and after short lines stay.

    Only line breaks change, and numbers of footnotes go that stand alone or open a line; a word cut at its hyphen is
    put together again, hyphen and all.
    """
    lines = [bare for line in normalised(text).split("\n") if (bare := line.lstrip(_MARKS).strip())]
    width = max(map(len, lines), default=0)
    whole: list[str] = []
    before = ""
    for line in lines:
        if before and _goes_on(before, line, width):
            whole[-1] += line if _CUT.search(before) and _REST.match(line) else " " + line
        else:
            whole.append(line)
        before = line
    return "\n".join(whole)


def _goes_on(before: str, line: str, width: int) -> bool:
    if _OPENS.match(line):
        return False
    full = len(before) >= _FULL_LINE_SHARE * width
    return full or (line[:1].islower() and not _ENDS.search(before))


def dates(text: str) -> list[str]:
    """The dates that a text writes with a month's name, in its order: 2011-06-30, or 2020-01 where no day is named."""
    return [_iso(match) for match in _DATES.finditer(text)]


def _iso(match: "re.Match[str]") -> str:
    month = _MONTHS.index((match["month"] or match["month2"]).lower()) + 1
    day = match["day"] or match["day2"]
    return f"{match['year']}-{month:02}" + (f"-{int(day):02}" if day else "")
