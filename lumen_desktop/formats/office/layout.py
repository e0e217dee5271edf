"""What the lines of a paged document are to a reader: headings, notes, page headers, contents, text.

Works on where lines stand and how they are set, and so knows no PDF; `pdf` calls it.
"""

import collections
import re
from collections.abc import Sequence

from lumen_desktop.formats.office import headings
from lumen_desktop.formats.office.lines import LARGER_SHARE, LETTER, MARKS, SMALL_SHARE, SUPERSCRIPTS, Line, Style
from lumen_desktop.formats.office.outline import Block, Role

_RAISED_SIZE_SHARE = 0.75
_LEADERS_OF_CONTENTS = 3
_TITLE_SIZE_SHARE = 0.75
_TITLE_CHARACTERS = 200

_DIGITS = re.compile(r"\d+")
_ITEM = re.compile(r"\d+[.)]\s")
_LEADER = re.compile(r"(?:[.·_]\s?){5,}\s*(?:\d{1,4}|[ivxlc]{1,7})?\s*$|…{2,}")
_PAGE_NUMBER = re.compile(
    r"(?:page\s*)?[-\u2013\u2014]?\s*(?:\d{1,4}|[ivxlc]{1,7})\s*[-\u2013\u2014]?(?:\s*(?:of|/)\s*\d{1,4})?",
    re.IGNORECASE,
)
_CONTENTS = re.compile(r"(?:table of )?contents|index", re.IGNORECASE)


def blocks(lines: Sequence[Line], title: str) -> list[Block]:
    """Every line as a block with its role; a heading of several lines is one block.

    Args:
        lines: all lines of the document in reading order.
        title: the document's title; repeated inside it, it is no heading.
    """
    if not lines:
        return []
    style = Style(lines)
    left_out = _furniture(lines) | _contents(lines) | {index for index, line in enumerate(lines) if line.hidden}
    notes = _notes(lines, style.size) - left_out
    plain = [index for index in range(len(lines)) if index not in left_out and index not in notes]
    announced = headings.find(lines, plain, style, title)
    levels = headings.levels([(text, lines[first]) for first, _, text in announced])
    found: dict[int, Block] = {}
    inside: set[int] = set()
    for (first, last, text), level in zip(announced, levels, strict=True):
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
    first = [line for line in lines if line.page == 0 and len(LETTER.findall(line.text)) > 1]
    if not first:
        return ""
    body = Style(lines).size
    largest = max(line.size for line in first)
    if largest > 1.15 * body:
        chosen = [
            line for line in first if line.size >= _TITLE_SIZE_SHARE * largest and line.size > LARGER_SHARE * body
        ]
    else:
        chosen = _last_bold_block(first)
    title = " ".join(MARKS.sub("", line.text.strip(" _")) for line in chosen).strip()
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


def _furniture(lines: Sequence[Line]) -> set[int]:
    """Lines at a page's edge on more than half of the pages, or twice at one height, and page numbers."""
    pages = max(line.page for line in lines) + 1
    seen: dict[object, set[int]] = collections.defaultdict(set)
    for line in lines:
        if line.at_edge:
            for key in _furniture_keys(line):
                seen[key].add(line.page)
    repeated = {key for key, on in seen.items() if len(on) > (1 if isinstance(key, tuple) else max(1, pages / 2))}
    return {
        index
        for index, line in enumerate(lines)
        if line.at_edge and (not repeated.isdisjoint(_furniture_keys(line)) or _PAGE_NUMBER.fullmatch(line.text))
    }


def _furniture_keys(line: Line) -> tuple[object, object]:
    """What makes two lines the same: their words without digits, or all of them and their height on the page.

    Digits that number a heading count: "1. Purpose" and "2. Purpose" are two headings.
    """
    anyhow = line.text if _ITEM.match(line.text) else _DIGITS.sub("#", line.text)
    return anyhow, (line.text, round(line.bottom / 2))


def _contents(lines: Sequence[Line]) -> set[int]:
    """Lines of tables of contents: from the first dotted leader of a page to its last, with their heading."""
    leaders: dict[int, list[int]] = collections.defaultdict(list)
    for index, line in enumerate(lines):
        if _LEADER.search(line.text) and LETTER.search(line.text):
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
            small = lines[index].size < SMALL_SHARE * body
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
