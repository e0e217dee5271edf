"""Which lines of a paged document are headings, and of which level.

Rules are conservative: a missed heading leaves a longer section, a false one tears a paragraph.
`layout` calls it.
"""

import collections
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lumen_desktop.formats.office.lines import LETTER, MARKS, SMALL_SHARE, Line, Style, letters
from lumen_desktop.formats.office.outline import Numbering, numbering

_HEADING_WORDS = 25
_PLAIN_HEADING_WORDS = 10
_FULL_LINE_SHARE = 0.8
_OPENING_PAGES = 5  # where documents repeat their title before the text begins

_CAPTION = re.compile(r"(?:table|figure|fig\.?|chart)\s+[\dA-Z]", re.IGNORECASE)
_OUTERMOST = frozenset({"appendix", "annex", "attachment", "schedule"})
_BULLET = tuple("•\u2013-*▪➢○◦·")

_Key = tuple[object, ...]


def find(lines: Sequence[Line], plain: Sequence[int], style: Style, title: str) -> list[tuple[int, int, str]]:
    """Headings as (first line, last line, text), in reading order."""
    found: list[tuple[int, int, str]] = []
    known = letters(title)
    cover = _cover_end(lines, known)
    beside = _Beside(lines)
    last_value: dict[int, int] = {}
    position = 0
    while position < len(plain):
        run = _run(lines, plain, position, style)
        text = MARKS.sub("", " ".join(lines[index].text for index in run)).strip()
        after = plain[position + len(run)] if position + len(run) < len(plain) else None
        before = plain[position - 1] if position else None
        context = _Context(
            lines[before] if before is not None else None, lines[run[0]], lines[after] if after is not None else None
        )
        number = numbering(text)
        is_heading = (
            _is_set_heading(text, len(run)) if style.emphasised(lines[run[0]]) else
            _is_plain_heading(text, number, context, style, last_value)
        )  # fmt: skip
        repeats_title = lines[run[0]].page < _OPENING_PAGES and " " in text and letters(text) in known
        if is_heading and run[0] > cover and not repeats_title and not any(map(beside.cell, run)):
            found.append((run[0], run[-1], text))
            if number and number.kind == "arabic":
                last_value[number.depth] = number.value
        position += len(run)
    return found


def levels(headings: Iterable[tuple[str, Line]]) -> list[int]:
    """Levels from 1: headings of one kind share one, and a kind first seen lies under what is open.

    A kind is the form of the number, or without a number the way it is set.
    """
    levels: list[int] = []
    stack: list[tuple[_Key, float]] = []
    last_letter, numbered = 0, False
    for text, line in headings:
        number = numbering(text)
        if number and number.kind == "roman" and number.depth == 1 and _continuesletters(text, last_letter, stack):
            number = Numbering("letter", 1, ord(text[0]) - 64)
        if number and number.kind == "letter":
            last_letter = number.value
        if number and line.bold and not numbered:
            stack = []  # what stands before the first number belongs to the title page
        numbered = numbered or number is not None
        key = _key(text, number, line)
        stack = _parents(stack, key, number, line)
        stack.append((key, line.size))
        levels.append(len(stack))
    return levels


def _cover_end(lines: Sequence[Line], title: str) -> int:
    """Index of the last line of the title on the first page; what stands before it is no heading."""
    of_title = [
        index
        for index, line in enumerate(lines)
        if line.page == 0 and len(letters(line.text)) > 2 and letters(line.text) in title  # noqa: PLR2004 - "of" is in many
    ]
    return max(of_title, default=-1)


class _Beside:
    """Which lines have others beside them, as the cells of a table have."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._lines = lines
        self._rows: dict[tuple[int, int], list[int]] = collections.defaultdict(list)
        for index, line in enumerate(lines):
            self._rows[line.page, round(line.bottom)].append(index)

    def cell(self, index: int) -> bool:
        """Whether another line stands at the same height."""
        line = self._lines[index]
        height = round(line.bottom)
        others = [other for row in range(height - 2, height + 3) for other in self._rows.get((line.page, row), ())]
        return any(
            self._lines[other].left > line.right or self._lines[other].right < line.left
            for other in others
            if other != index
        )


@dataclass(frozen=True, slots=True)
class _Context:
    before: Line | None
    line: Line
    after: Line | None


def _run(lines: Sequence[Line], plain: Sequence[int], position: int, style: Style) -> list[int]:
    """The line at ``position`` and those that go on with it in the same emphasis."""
    first = lines[plain[position]]
    run = [plain[position]]
    if not style.emphasised(first):
        return run
    for index in plain[position + 1 :]:
        line, before = lines[index], lines[run[-1]]
        same = line.bold == first.bold and abs(line.size - first.size) < 0.05 * first.size
        near = line.page == first.page and index == run[-1] + 1 and 0 <= before.bottom - line.bottom < 1.3 * line.size
        if not (same and near and style.emphasised(line)) or numbering(line.text):
            break
        run.append(index)
    return run


def _is_set_heading(text: str, line_count: int) -> bool:
    """Whether a run of emphasised lines reads like a heading."""
    if not LETTER.search(text) or text.startswith(_BULLET) or text[0].islower() or _CAPTION.match(text):
        return False
    if len(text.split()) > _HEADING_WORDS or line_count > 4:  # noqa: PLR2004 - longer is a paragraph in bold
        return False
    return not text.endswith((".", ";", ",")) or text.startswith("§")


def _is_plain_heading(
    text: str, number: Numbering | None, context: _Context, style: Style, last_value: dict[int, int]
) -> bool:
    """Whether a line set like the text is a heading: numbered in sequence or in capitals, short, and set off."""
    line, words = context.line, text.split()
    if not words or context.after is None or not _is_short_and_apart(words, context, style):
        return False
    if number is None:
        return len(LETTER.findall(text)) > 5 and text.isupper() and len(words) > 1  # noqa: PLR2004 - "NDA 22" is none
    if not words[1:] or not words[1][0].isupper():
        return False
    if number.kind != "arabic":
        return line.italic or text.isupper()
    is_item = number.depth == 1 and numbering(context.after.text) == Numbering("arabic", 1, number.value + 1)
    in_order = line.italic or number.depth > 1 or number.value == last_value.get(number.depth, 0) + 1
    return in_order and not is_item


def _is_short_and_apart(words: Sequence[str], context: _Context, style: Style) -> bool:
    line = context.line
    if len(words) > _PLAIN_HEADING_WORDS or words[-1].endswith((".", ";", ",", ":", "?", "!", "-")):
        return False
    if line.size < SMALL_SHARE * style.size or line.right > _FULL_LINE_SHARE * style.right:
        return False
    return style.apart(context.before, line, context.after)


def _continuesletters(text: str, last_letter: int, stack: Sequence[tuple[_Key, float]]) -> bool:
    """Whether "I." comes after "H." and so is a letter."""
    lettered = any(key[0] == "letter" for key, _ in stack)
    return lettered and ord(text[0]) - 64 == last_letter + 1 and not text[1].isalpha()


def _key(text: str, number: Numbering | None, line: Line) -> _Key:
    if number is None:
        return ("plain", round(line.size), line.bold, text.isupper())
    if number.kind == "part":
        return ("part", text.split(maxsplit=1)[0].lower())
    return (number.kind, number.depth)


def _parents(
    stack: list[tuple[_Key, float]], key: _Key, number: Numbering | None, line: Line
) -> list[tuple[_Key, float]]:
    """The open headings that a new one lies under."""
    keys = [held for held, _ in stack]
    if key in keys:
        return stack[: keys.index(key)]
    if key[0] == "part":
        return [] if key[1] in _OUTERMOST else [held for held in stack if held[0][0] == "part"]
    if number and number.depth > 1:
        over = [place for place, held in enumerate(keys) if held[0] == number.kind and held[-1] < number.depth]  # type: ignore[operator]
        if over:
            return stack[: over[-1] + 1]
    kept = list(stack)
    while kept and kept[-1][1] < 0.97 * line.size:
        kept.pop()
    return kept
