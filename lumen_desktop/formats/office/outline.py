"""From marked stretches of text to sections; the same rules for every format.

A reader says which stretch is text, heading, note or to be left out; here they become
`domain.library.Section`. Knows no file format.
"""

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from lumen_desktop.domain.library import Section

FOOTNOTES = "Footnotes"
LONGEST_HEADING_CHARACTERS = 250


class Role(enum.Enum):
    """What a stretch of text is to its reader."""

    TEXT = enum.auto()
    HEADING = enum.auto()
    NOTE = enum.auto()  # foot and end notes: gathered in a section of their own at the end
    LEFT_OUT = enum.auto()  # page headers, page numbers, tables of contents


@dataclass(frozen=True, slots=True)
class Block:
    """Characters ``start`` to ``end`` of page ``page`` (from 0); a heading has a level from 1 and its text."""

    page: int
    start: int
    end: int
    role: Role = Role.TEXT
    level: int = 0
    text: str = ""


@dataclass(slots=True)
class _Outline:
    """The sections so far, and the headings over the next text."""

    done: list[Section] = field(default_factory=list)
    notes: list[tuple[int, int, int]] = field(default_factory=list)
    spans: list[tuple[int, int, int]] = field(default_factory=list)
    headings: list[tuple[int, str]] = field(default_factory=list)

    def open(self, level: int, text: str) -> None:
        """Begins the section that a heading announces."""
        self.close()
        self.headings = [held for held in self.headings if held[0] < level] + [(level, text)]

    def close(self) -> None:
        """Ends the section that is open, if it has text."""
        if self.spans:
            path = tuple(text for _, text in self.headings)
            self.done.append(Section(path, tuple(self.spans)))
        self.spans = []


def sections(blocks: Sequence[Block]) -> tuple[Section, ...]:
    """Sections of a document whose blocks stand in reading order.

    A heading under which nothing stands, neither text nor a deeper heading, is text itself: a title
    page or a row of bold words would otherwise vanish from what can be quoted.
    """
    outline = _Outline()
    kept = [block for block in blocks if block.role is not Role.LEFT_OUT]
    body = [block for block in kept if block.role is not Role.NOTE]
    for block, following in zip(body, [*body[1:], None], strict=False):  # no body at all: no pair
        if block.role is Role.HEADING and _heads_something(block, following):
            outline.open(block.level, block.text[:LONGEST_HEADING_CHARACTERS])
        else:
            _extend(outline.spans, block)
    outline.close()
    for block in kept:
        if block.role is Role.NOTE:
            _extend(outline.notes, block)
    if outline.notes:
        outline.done.append(Section((FOOTNOTES,), tuple(outline.notes)))
    return tuple(outline.done)


def _heads_something(block: Block, following: Block | None) -> bool:
    return following is not None and (following.role is Role.TEXT or following.level > block.level)


def _extend(spans: list[tuple[int, int, int]], block: Block) -> None:
    """Adds a block, as part of the last span where only a line break lies between."""
    if spans and spans[-1][0] == block.page and block.start - spans[-1][2] == 1:
        spans[-1] = (block.page, spans[-1][1], block.end)
    else:
        spans.append((block.page, block.start, block.end))


@dataclass(frozen=True, slots=True)
class Numbering:
    """How a heading is numbered: ``kind`` and ``depth`` tell headings of one level, ``value`` their order."""

    kind: str
    depth: int
    value: int


_NUMBERED = re.compile(
    r"(?P<part>(?i:section|part|subpart|chapter|appendix|annex|article|schedule|attachment)\s+(?:[IVXLC]+|\d+|[A-Z])\b)"
    r"|(?P<clause>§+\s*\d+[.\d]*)"
    r"|(?P<dotted>\d{1,3}(?:\.\d{1,3})+)\.?\s+\S"
    r"|(?P<arabic>\d{1,3})\.?\s+\S"
    r"|(?P<roman>[IVXL]+)\.(?:(?P<under>\d{1,2})\.?)?\s+\S"
    r"|(?P<letter>[A-Z])[.)]\s+\S"
)
_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50}


def numbering(text: str) -> Numbering | None:
    """The number that a heading begins with; None where it begins with none.

    A single "I", "V", "X" or "L" is read as a Roman number; the caller knows what came before it.
    """
    match = _NUMBERED.match(text)
    if match is None:
        return None
    if match["under"]:
        return Numbering("roman", 2, int(match["under"]))
    dotted = match["dotted"] or match["arabic"]
    if dotted:
        parts = dotted.split(".")
        return Numbering("arabic", len(parts), int(parts[-1]))
    if match["roman"]:
        return Numbering("roman", 1, roman_value(match["roman"]))
    if match["letter"]:
        return Numbering("letter", 1, ord(match["letter"]) - 64)
    return Numbering("part" if match["part"] else "clause", 1, 0)


def roman_value(text: str) -> int:
    """The number that Roman digits up to L stand for."""
    digits = [_ROMAN[digit] for digit in text]
    following = [*digits[1:], 0]
    return sum(-digit if digit < after else digit for digit, after in zip(digits, following, strict=True))
