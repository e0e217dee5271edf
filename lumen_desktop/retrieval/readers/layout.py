"""What the lines of a paged document are to a reader: headings, notes, page headers, contents, text.

Works on where lines stand and how they are set, and so knows no PDF. Rules are conservative: a missed
heading leaves a longer section, a false one tears a paragraph.
"""

import collections
import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lumen_desktop.retrieval.readers.outline import Block, Numbering, Role, numbering

SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"

_EDGE_SHARE = 0.12  # page headers and footers stand in the outer eighth of a page
_NOTE_SIZE_SHARE = 0.92
_RAISED_SIZE_SHARE = 0.75
_LARGER_SHARE = 1.1
_HEADING_WORDS = 25
_PLAIN_HEADING_WORDS = 10
_GAP_SHARE = 1.2
_FULL_LINE_SHARE = 0.8
_LEADERS_OF_CONTENTS = 3
_TITLE_SIZE_SHARE = 0.75
_TITLE_CHARACTERS = 200

_DIGITS = re.compile(r"\d+")
_LEADER = re.compile(r"(?:[.·_]\s?){5,}\s*(?:\d{1,4}|[ivxlc]{1,7})?\s*$|…{2,}")
_PAGE_NUMBER = re.compile(
    r"(?:page\s*)?[-\u2013\u2014]?\s*(?:\d{1,4}|[ivxlc]{1,7})\s*[-\u2013\u2014]?(?:\s*(?:of|/)\s*\d{1,4})?",
    re.IGNORECASE,
)
_CAPTION = re.compile(r"(?:table|figure|fig\.?|chart)\s+[\dA-Z]", re.IGNORECASE)
_OUTERMOST = frozenset({"appendix", "annex", "attachment", "schedule"})
_CONTENTS = re.compile(r"(?:table of )?contents|index", re.IGNORECASE)
_LETTERS = re.compile(r"[^\W\d_]")
_MARKS = re.compile(f"[{SUPERSCRIPTS}*†‡]+$")
_BULLET = tuple("•\u2013-*▪➢○◦·")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a page.

    Attributes:
        page: page index from 0.
        start: where it begins in the page's text.
        text: its normalised text.
        size: height of its letters' boxes in points, at its middle.
        first_size: the same at its first character; a raised note number is smaller.
        bold: whether it is bold from end to end.
        italic: whether it is italic from end to end.
        left: left edge in points; ``right`` likewise.
        bottom: distance of the baseline's box from the page's lower edge, in points.
        page_height: in points.
        page_width: in points.
        hidden: set in white, below two points, or off the page.
    """

    page: int
    start: int
    text: str
    size: float
    first_size: float
    bold: bool
    italic: bool
    left: float
    right: float
    bottom: float
    page_height: float
    page_width: float
    hidden: bool = False

    @property
    def end(self) -> int:
        """Where it ends in the page's text."""
        return self.start + len(self.text)

    @property
    def at_edge(self) -> bool:
        """Whether it stands where page headers and footers do."""
        return not _EDGE_SHARE < self.bottom / self.page_height < 1 - _EDGE_SHARE

    @property
    def centred(self) -> bool:
        """Whether it stands in the middle of the page and well inside its margins."""
        before, after = self.left, self.page_width - self.right
        return abs(before - after) < 0.06 * self.page_width and before > 0.18 * self.page_width


def blocks(lines: Sequence[Line], title: str) -> list[Block]:
    """Every line as a block with its role; a heading of several lines is one block.

    Args:
        lines: all lines of the document in reading order.
        title: the document's title; repeated inside it, it is no heading.
    """
    if not lines:
        return []
    style = _Style(lines)
    left_out = _furniture(lines) | _contents(lines) | {index for index, line in enumerate(lines) if line.hidden}
    notes = _notes(lines, style.size) - left_out
    plain = [index for index in range(len(lines)) if index not in left_out and index not in notes]
    headings = _headings(lines, plain, style, title)
    levels = _levels([(text, lines[first]) for first, _, text in headings])
    found: dict[int, Block] = {}
    inside: set[int] = set()
    for (first, last, text), level in zip(headings, levels, strict=True):
        line = lines[first]
        found[first] = Block(line.page, line.start, lines[last].end, Role.HEADING, level, text)
        inside.update(range(first + 1, last + 1))
    marked = []
    for index, line in enumerate(lines):
        if index in found:
            marked.append(found[index])
        elif index not in inside:
            role = Role.LEFT_OUT if index in left_out else Role.NOTE if index in notes else Role.TEXT
            marked.append(Block(line.page, line.start, line.end, role))
    return marked


def title_of(lines: Sequence[Line]) -> str:
    """The title as it is set on the first page: its largest lines, else the last bold centred block.

    Returns:
        The title, or an empty string where nothing stands out.
    """
    first = [line for line in lines if line.page == 0 and len(_LETTERS.findall(line.text)) > 1]
    if not first:
        return ""
    body = _Style(lines).size
    largest = max(line.size for line in first)
    if largest > 1.15 * body:
        chosen = [
            line for line in first if line.size >= _TITLE_SIZE_SHARE * largest and line.size > _LARGER_SHARE * body
        ]
    else:
        chosen = _last_bold_block(first)
    title = " ".join(_MARKS.sub("", line.text.strip(" _")) for line in chosen).strip()
    return title if len(title) <= _TITLE_CHARACTERS else ""


def _last_bold_block(first: Sequence[Line]) -> list[Line]:
    """The last group of bold centred lines before the text of the first page begins."""
    block: list[Line] = []
    for line in first:
        if not (line.bold and line.centred):
            if block and not line.centred:
                break
            continue
        if block and block[-1].bottom - line.bottom > 1.5 * line.size:
            block = []
        block.append(line)
    return block


class _Style:
    """How the body of the text is set."""

    def __init__(self, lines: Sequence[Line]) -> None:
        sizes: collections.Counter[float] = collections.Counter()
        bold = 0
        for line in lines:
            sizes[round(line.size, 1)] += len(line.text)
            bold += len(line.text) if line.bold else 0
        self.size = sizes.most_common(1)[0][0] or 1.0
        self.bold = bold > sum(sizes.values()) / 2
        gaps = collections.Counter(
            round(before.bottom - line.bottom)
            for before, line in itertools.pairwise(lines)
            if before.page == line.page and 0 < before.bottom - line.bottom < 3 * self.size
        )
        self.leading = float(gaps.most_common(1)[0][0]) if gaps else self.size
        self.right = max(line.right for line in lines)

    def emphasised(self, line: Line) -> bool:
        """Whether a line stands out from the text by its size or weight."""
        if line.size < _NOTE_SIZE_SHARE * self.size:
            return False
        return line.size > _LARGER_SHARE * self.size or (line.bold and not self.bold)

    def apart(self, before: Line | None, line: Line, after: Line | None) -> bool:
        """Whether space above and below sets a line off from its neighbours."""
        return all(
            other is None or other.page != line.page or abs(other.bottom - line.bottom) > _GAP_SHARE * self.leading
            for other in (before, after)
        )


def _furniture(lines: Sequence[Line]) -> set[int]:
    """Lines at a page's edge that stand on more than half of the pages, and page numbers."""
    pages = max(line.page for line in lines) + 1
    seen: dict[str, set[int]] = collections.defaultdict(set)
    for line in lines:
        if line.at_edge:
            seen[_DIGITS.sub("#", line.text)].add(line.page)
    repeated = {text for text, on in seen.items() if len(on) > max(1, pages / 2)}
    return {
        index
        for index, line in enumerate(lines)
        if line.at_edge and (_DIGITS.sub("#", line.text) in repeated or _PAGE_NUMBER.fullmatch(line.text))
    }


def _contents(lines: Sequence[Line]) -> set[int]:
    """Lines of tables of contents: from the first dotted leader of a page to its last, with their heading."""
    leaders: dict[int, list[int]] = collections.defaultdict(list)
    for index, line in enumerate(lines):
        if _LEADER.search(line.text) and _LETTERS.search(line.text):
            leaders[line.page].append(index)
    left_out: set[int] = set()
    for indices in leaders.values():
        if len(indices) < _LEADERS_OF_CONTENTS:
            continue
        first = indices[0]
        left_out.update(range(first, indices[-1] + 1))
        left_out.update(index for index in range(max(0, first - 3), first) if _CONTENTS.fullmatch(lines[index].text))
    return left_out


def _notes(lines: Sequence[Line], body: float) -> set[int]:
    """Footnotes: the small lines that end a page, from the first that opens with a raised mark."""
    notes: set[int] = set()
    pages: dict[int, list[int]] = collections.defaultdict(list)
    for index, line in enumerate(lines):
        if not (line.at_edge and _PAGE_NUMBER.fullmatch(line.text)):
            pages[line.page].append(index)
    for indices in pages.values():
        run: list[int] = []
        for index in reversed(indices):
            small = lines[index].size < _NOTE_SIZE_SHARE * body
            if not small and not lines[index].at_edge:
                break
            run += [index] if small else []
        marked = [index for index in run if _opens_note(lines[index], body)]
        if marked:
            notes.update(index for index in run if index >= min(marked))
    return notes


def _opens_note(line: Line, body: float) -> bool:
    mark = line.text[0]
    return mark in SUPERSCRIPTS or (mark in "*†‡0123456789" and line.first_size < _RAISED_SIZE_SHARE * body)


def _headings(lines: Sequence[Line], plain: Sequence[int], style: _Style, title: str) -> list[tuple[int, int, str]]:
    """Headings as (first line, last line, text), in reading order."""
    found: list[tuple[int, int, str]] = []
    known = _letters(title)
    cover = _cover_end(lines, known)
    beside = _Beside(lines)
    last_value: dict[int, int] = {}
    position = 0
    while position < len(plain):
        run = _run(lines, plain, position, style)
        text = _MARKS.sub("", " ".join(lines[index].text for index in run)).strip()
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
        if is_heading and run[0] > cover and _letters(text) not in known and not any(map(beside.cell, run)):
            found.append((run[0], run[-1], text))
            if number and number.kind == "arabic":
                last_value[number.depth] = number.value
        position += len(run)
    return found


def _cover_end(lines: Sequence[Line], title: str) -> int:
    """Index of the last line of the title on the first page; what stands before it is no heading."""
    of_title = [
        index
        for index, line in enumerate(lines)
        if line.page == 0 and len(_letters(line.text)) > 2 and _letters(line.text) in title  # noqa: PLR2004 - "of" is in many
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


def _run(lines: Sequence[Line], plain: Sequence[int], position: int, style: _Style) -> list[int]:
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
    if not _LETTERS.search(text) or text.startswith(_BULLET) or text[0].islower() or _CAPTION.match(text):
        return False
    if len(text.split()) > _HEADING_WORDS or line_count > 4:  # noqa: PLR2004 - longer is a paragraph in bold
        return False
    return not text.endswith((".", ";", ",")) or text.startswith("§")


def _is_plain_heading(
    text: str, number: Numbering | None, context: _Context, style: _Style, last_value: dict[int, int]
) -> bool:
    """Whether a line set like the text is a heading: numbered in sequence or in capitals, short, and set off."""
    line, words = context.line, text.split()
    if context.after is None or not _is_short_and_apart(words, context, style):
        return False
    if number is None:
        return len(_LETTERS.findall(text)) > 5 and text.isupper() and len(words) > 1  # noqa: PLR2004 - "NDA 22" is none
    if not words[1:] or not words[1][0].isupper():
        return False
    if number.kind != "arabic":
        return line.italic or text.isupper()
    is_item = number.depth == 1 and numbering(context.after.text) == Numbering("arabic", 1, number.value + 1)
    in_order = line.italic or number.depth > 1 or number.value == last_value.get(number.depth, 0) + 1
    return in_order and not is_item


def _is_short_and_apart(words: Sequence[str], context: _Context, style: _Style) -> bool:
    line = context.line
    if len(words) > _PLAIN_HEADING_WORDS or words[-1].endswith((".", ";", ",", ":", "?", "!", "-")):
        return False
    if line.size < _NOTE_SIZE_SHARE * style.size or line.right > _FULL_LINE_SHARE * style.right:
        return False
    return style.apart(context.before, line, context.after)


def _levels(headings: Iterable[tuple[str, Line]]) -> list[int]:
    """Levels from 1: headings of one kind share one, and a kind first seen lies under what is open.

    A kind is the form of the number, or without a number the way it is set.
    """
    levels: list[int] = []
    stack: list[tuple[tuple[object, ...], float]] = []
    last_letter, numbered = 0, False
    for text, line in headings:
        number = numbering(text)
        if number and number.kind == "roman" and number.depth == 1 and _continues_letters(text, last_letter, stack):
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


def _continues_letters(text: str, last_letter: int, stack: Sequence[tuple[tuple[object, ...], float]]) -> bool:
    """Whether "I." comes after "H." and so is a letter."""
    lettered = any(key[0] == "letter" for key, _ in stack)
    return lettered and ord(text[0]) - 64 == last_letter + 1 and not text[1].isalpha()


def _key(text: str, number: Numbering | None, line: Line) -> tuple[object, ...]:
    if number is None:
        return ("plain", round(line.size), line.bold, text.isupper())
    if number.kind == "part":
        return ("part", text.split(maxsplit=1)[0].lower())
    return (number.kind, number.depth)


def _parents(
    stack: list[tuple[tuple[object, ...], float]], key: tuple[object, ...], number: Numbering | None, line: Line
) -> list[tuple[tuple[object, ...], float]]:
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


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
