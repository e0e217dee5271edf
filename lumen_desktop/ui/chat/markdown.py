"""Markdown of a model as blocks and runs of text: no HTML, no links, no images, by construction.

A model's text is untrusted. What is read here is a subset: headings, paragraphs, lists, tables, code, quotes,
rules, and within a line strong, emphasised, struck and code. Anything else stays the characters that it is; a
link or an image becomes its words with its address beside them. Time is linear in the text, whatever it holds.
Knows no Qt; `commentary` draws the blocks.
"""

import enum
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace

TABLE_STRETCH = 24  # rows; a longer table goes on in another block, so that what is still open stays small
_LARGEST_TABLE = 12  # columns
_DEEPEST = 3  # levels of a list
_INDENT = 2  # columns of a list's level
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*)")
_RULE = re.compile(r" {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$")
_ITEM = re.compile(r"([ \t]*)([-*+•]|\d{1,9}[.)])[ \t]+(.*)")
_QUOTE = re.compile(r" {0,3}> ?(.*)")
_DELIMITERS = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_MARK = re.compile(r"\\[!-/:-@\[-`{-~]|`+|\*\*|__|~~|\*|_|!?\[[^\[\]\n]{0,300}\]\([^()\s]{0,1000}\)")
_LINK = re.compile(r"!?\[([^\[\]\n]{0,300})\]\(([^()\s]{0,1000})\)")


_Stepped = Generator["Block", None, int]  # yields blocks, returns the line after them


class Kind(enum.Enum):
    """What a block is."""

    PARAGRAPH = enum.auto()
    HEADING = enum.auto()
    ITEM = enum.auto()
    TABLE = enum.auto()
    CODE = enum.auto()
    QUOTE = enum.auto()
    RULE = enum.auto()


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a text.

    Attributes:
        kind: what it is.
        start: where it begins, in characters of the whole text.
        text: its words, with marks inside; lines of code as they are.
        level: of a heading from 1, of a list's item from 0.
        marker: what stands before a list's item.
        rows: a table's cells; every row has `columns` of them.
        columns: how many columns a table has; 0 for anything else.
        goes_on: whether this table goes on with the one before, and so has no head.
    """

    kind: Kind
    start: int
    text: str = ""
    level: int = 0
    marker: str = ""
    rows: tuple[tuple[str, ...], ...] = ()
    columns: int = 0
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text in one style."""

    text: str
    strong: bool = False
    emphasised: bool = False
    struck: bool = False
    code: bool = False


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    start: int
    whole: bool  # whether it is known where it ends


def blocks(text: str, start: int = 0, *, columns: int = 0, ended: bool = True) -> Iterator[Block]:
    """The blocks of a text from a place on.

    All but the last are final: more text changes only the last one, which is read again from its ``start``.

    Args:
        text: the whole text so far.
        start: where a block begins.
        columns: those of the table that goes on there; 0 where none does.
        ended: whether no more text follows; a last line without an end is otherwise not taken for a rule.
    """
    lines = list(_lines(text, start, ended=ended))
    at = 0
    if columns:
        at = yield from _rows(lines, 0, columns=columns)
    while at < len(lines):
        if lines[at].text.strip():
            at = yield from _block(lines, at)
        else:
            at += 1


def _lines(text: str, start: int, *, ended: bool) -> Iterator[_Line]:
    *whole, last = text[start:].split("\n")
    for line in whole:
        yield _Line(line.rstrip("\r"), start, whole=True)
        start += len(line) + 1
    if last:
        yield _Line(last, start, whole=ended)


def _block(lines: list[_Line], at: int) -> _Stepped:
    """Yields the block that begins at a line and returns the line after it."""
    line = lines[at]
    if match := _FENCE.match(line.text):
        step = _code(lines, at, match.group(1))
    elif match := _HEADING.match(line.text):
        words, level = match.group(2).rstrip("# \t"), len(match.group(1))
        step = _single(Block(Kind.HEADING, line.start, words, level=level), at)
    elif line.whole and _RULE.match(line.text):
        step = _single(Block(Kind.RULE, line.start), at)
    elif _heads_table(lines, at):
        step = _rows(lines, at, columns=0)
    elif match := _ITEM.match(line.text):
        level = min(len(match.group(1).expandtabs(4)) // _INDENT, _DEEPEST)
        step = _flowing(lines, at, Block(Kind.ITEM, line.start, match.group(3), level=level, marker=match.group(2)))
    elif match := _QUOTE.match(line.text):
        step = _flowing(lines, at, Block(Kind.QUOTE, line.start, match.group(1)))
    else:
        step = _flowing(lines, at, Block(Kind.PARAGRAPH, line.start, line.text.strip()))
    return (yield from step)


def _single(block: Block, at: int) -> _Stepped:
    yield block
    return at + 1


def _flowing(lines: list[_Line], at: int, block: Block) -> _Stepped:
    """A block with the lines that go on with it; two spaces at a line's end keep its break."""
    words, before = [block.text.strip()], lines[at].text
    at += 1
    while at < len(lines) and not _begins(lines, at, block.kind):
        text = lines[at].text
        quoted = _QUOTE.match(text) if block.kind is Kind.QUOTE else None
        words += ["\n" if before.endswith("  ") else " ", (quoted.group(1) if quoted else text).strip()]
        before, at = text, at + 1
    yield replace(block, text="".join(words))
    return at


def _begins(lines: list[_Line], at: int, within: Kind) -> bool:
    """Whether something new begins at a line, seen from a block that flows."""
    line = lines[at]
    text = line.text
    if not text.strip() or _FENCE.match(text) or _HEADING.match(text) or _ITEM.match(text):
        return True
    if _QUOTE.match(text):
        return within is not Kind.QUOTE
    return bool(line.whole and _RULE.match(text)) or _heads_table(lines, at)


def _code(lines: list[_Line], at: int, fence: str) -> _Stepped:
    start, at, inside = lines[at].start, at + 1, []
    while at < len(lines) and not lines[at].text.strip().startswith(fence):
        inside.append(lines[at].text)
        at += 1
    yield Block(Kind.CODE, start, "\n".join(inside))
    return at + 1


def _heads_table(lines: list[_Line], at: int) -> bool:
    if at + 1 >= len(lines) or "|" not in lines[at].text or not lines[at + 1].whole:
        return False
    below = lines[at + 1].text
    return bool(_DELIMITERS.match(below)) and 1 < len(_cells(lines[at].text)) == len(_cells(below)) <= _LARGEST_TABLE


def _rows(lines: list[_Line], at: int, *, columns: int) -> _Stepped:
    """A table in stretches of at most `TABLE_STRETCH` rows, each a block."""
    start, goes_on, rows = lines[at].start if lines else 0, bool(columns), []
    if not columns:
        head = _cells(lines[at].text)
        columns, rows, at = len(head), [tuple(head)], at + 2
    while at < len(lines) and _goes_on(lines[at]):
        if len(rows) == TABLE_STRETCH:
            yield Block(Kind.TABLE, start, rows=tuple(rows), columns=columns, goes_on=goes_on)
            start, goes_on, rows = lines[at].start, True, []
        cells = _cells(lines[at].text)[:columns]
        rows.append((*cells, *[""] * (columns - len(cells))))
        at += 1
    if rows:
        yield Block(Kind.TABLE, start, rows=tuple(rows), columns=columns, goes_on=goes_on)
    return at


def _goes_on(line: _Line) -> bool:
    """Whether a line is a table's row; one that is still coming may yet become one."""
    return "|" in line.text or (not line.whole and bool(line.text.strip()))


def _cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|")
    if inner.endswith("|") and not inner.endswith("\\|"):
        inner = inner[:-1]
    return [cell.replace("\\|", "|").strip() for cell in re.split(r"(?<!\\)\|", inner)]


def runs(text: str) -> list[Run]:
    """A block's words in their styles; a mark without its partner stays the character that it is."""
    tokens = _tokens(text)
    paired = _paired(tokens)
    style, made, at = Run(""), [], 0
    while at < len(tokens):
        token = tokens[at]
        if at in paired and token.startswith("`"):
            made.append(replace(style, text="".join(tokens[at + 1 : paired[at]]).strip(), code=True))
            at = paired[at]
        elif at in paired:
            style = _toggled(style, token)
        else:
            made.append(replace(style, text=_literal(token)))
        at += 1
    return [run for run in made if run.text]


def _tokens(text: str) -> list[str]:
    made, at = [], 0
    for match in _MARK.finditer(text):
        made += [text[at : match.start()], match.group()]
        at = match.end()
    return [*made, text[at:]]


def _paired(tokens: list[str]) -> dict[int, int]:
    """Which tokens are marks with a partner; a code span's opening one leads to its closing one."""
    pairs: dict[int, int] = {}
    opened: dict[str, int] = {}
    ticks: dict[str, list[int]] = {}
    for at in range(len(tokens) - 1, -1, -1):
        if tokens[at].startswith("`"):
            ticks.setdefault(tokens[at], []).append(at)  # the next one is last
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.startswith("`"):
            later = ticks[token]
            while later and later[-1] <= at:
                later.pop()
            if later:
                pairs[at] = at = later[-1]
        elif token in {"**", "__", "*", "_", "~~"}:
            _pair(tokens, at, opened, pairs)
        at += 1
    return pairs


def _pair(tokens: list[str], at: int, opened: dict[str, int], pairs: dict[int, int]) -> None:
    before, token, after = _beside(tokens, at, -1), tokens[at], _beside(tokens, at, 1)
    inside_a_word = "_" in token and before.isalnum() and after.isalnum()
    if token in opened and before.strip() and not inside_a_word:
        start = opened.pop(token)
        pairs[start], pairs[at] = at, start
    elif after.strip() and not inside_a_word:
        opened.setdefault(token, at)


def _beside(tokens: list[str], at: int, step: int) -> str:
    """The character beside a token; empty at an end."""
    at += step
    while 0 <= at < len(tokens):
        if tokens[at]:
            return tokens[at][0 if step > 0 else -1]
        at += step
    return ""


def _toggled(style: Run, mark: str) -> Run:
    if mark == "~~":
        return replace(style, struck=not style.struck)
    if len(mark) == len("**"):
        return replace(style, strong=not style.strong)
    return replace(style, emphasised=not style.emphasised)


def _literal(token: str) -> str:
    if len(token) == len("\\*") and token[0] == "\\":
        return token[1]
    link = _LINK.fullmatch(token)
    return f"{link.group(1)} ({link.group(2)})" if link else token
