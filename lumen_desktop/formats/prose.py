"""Mixed content of an XML element as lines of text: paragraphs, items, the rows of tables; no number changes its value.

A raised figure stays raised, or 10 to the sixth power would read 106. Knows element names only from the `Prose` that
each format makes for itself; `pubmed`, `jats` and `ecfr` call it.
"""

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lumen_desktop.domain.library import normalised
from lumen_desktop.formats.xml import Element

FORMULA = "[formula]"  # in place of what cannot be written in a line: a reader sees that something stood there

_RAISED = str.maketrans("0123456789+-\u2212\u2013=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻⁼⁽⁾ⁿ")
_RAISED_WHOLE = re.compile(r"[0-9+\-\u2212\u2013=()n]+")
_RAISED_LIST = re.compile(r"\d+(?:\s?[,–-]\s?\d+)+")  # of references: ¹,²
_NO_MARK = frozenset({"st", "nd", "rd", "th", "tm", "sm"})  # 1st is one word, "Dose" and a note's a are two
_LARGEST_SPAN = 200
_SET_OFF = frozenset({"raised", "lowered", "fractions"})


@dataclass(frozen=True, slots=True)
class Prose:
    """How one format names things; all names without a namespace.

    Attributes:
        blocks: elements that stand on lines of their own.
        left_out: elements that are no text.
        formulae: elements that only a formula setter can show.
        raised, lowered: superscript and subscript.
        fractions: such as 1/2, kept apart from a whole number before it.
        tables, rows, cells: HTML's own and the format's.
        told_by: attribute that tells what a general element is; its value becomes part of the name ("E51").
    """

    blocks: frozenset[str] = frozenset()
    left_out: frozenset[str] = frozenset()
    formulae: frozenset[str] = frozenset()
    raised: frozenset[str] = frozenset({"sup"})
    lowered: frozenset[str] = frozenset({"sub"})
    fractions: frozenset[str] = frozenset()
    tables: frozenset[str] = frozenset({"table"})
    rows: frozenset[str] = frozenset({"tr"})
    cells: frozenset[str] = frozenset({"td", "th"})
    told_by: Mapping[str, str] = field(default_factory=dict)
    _roles: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for role in ("blocks", "fractions", "lowered", "raised", "tables", "formulae", "left_out"):
            self._roles.update(dict.fromkeys(getattr(self, role), role))

    def text(self, element: Element) -> str:
        """The normalised text of an element, its blocks and rows each a line."""
        return "\n".join(self.lines(element))

    def lines(self, element: Element) -> list[str]:
        """The same as lines, each normalised; none is empty."""
        if not len(element):
            whole = line(element.text or "")
            return [whole] if whole else []
        flow = _Flow()
        self._walk(element, flow)
        flow.end()
        return flow.lines

    def _walk(self, element: Element, flow: "_Flow") -> None:
        flow.add(element.text or "")
        for child in element:
            self._take(child, flow)
            flow.add(child.tail or "")

    def _take(self, child: Element, flow: "_Flow") -> None:
        if not isinstance(child.tag, str):  # a named entity of a document type that is not loaded
            flow.add(html.unescape(child.text or ""))
            return
        name = child.tag.rpartition("}")[2]
        if name in self.told_by:
            name += child.get(self.told_by[name], "")
        role = self._roles.get(name, "")
        if role in _SET_OFF:
            self._set_off(child, role, flow)
        elif role == "formulae":
            flow.add(FORMULA)
        elif role == "tables":
            flow.end()
            flow.lines += self.table(child)
        elif role != "left_out":
            self._enter(child, flow, apart=role == "blocks")

    def _enter(self, element: Element, flow: "_Flow", *, apart: bool) -> None:
        if apart:
            flow.end()
        self._walk(element, flow)
        if apart:
            flow.end()

    def _set_off(self, element: Element, role: str, flow: "_Flow") -> None:
        """A raised, lowered or broken number with the spaces it holds: "A<sub>550 </sub>values" is two words."""
        whole = "".join(element.itertext())
        text = self._inline(element)
        if not text:
            flow.add(whole)
            return
        flow.add(" " if whole[:1].isspace() else "")
        if role == "fractions":
            flow.add(" " + text if flow.last.isdigit() else text)
        else:
            flow.add((raised if role == "raised" else lowered)(text, flow.last))
        flow.add(" " if whole[-1:].isspace() else "")

    def _inline(self, element: Element) -> str:
        return " ".join(self.lines(element))

    def table(self, table: Element) -> list[str]:
        """Rows as "cell | cell"; a cell over several rows or columns stands in each, so that columns stay in line."""
        return list(_rows(self._grid(table)))

    def _grid(self, table: Element) -> Iterator[list[tuple[str, int, int]]]:
        for row in table.iter():
            if isinstance(row.tag, str) and row.tag.rpartition("}")[2] in self.rows:
                cells = [c for c in row if isinstance(c.tag, str) and c.tag.rpartition("}")[2] in self.cells]
                yield [(self._inline(cell), _span(cell, "rowspan"), _span(cell, "colspan")) for cell in cells]


@dataclass(slots=True)
class _Flow:
    """Lines that are done and the one being written."""

    lines: list[str] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        if text:
            self.pieces.append(text)

    def end(self) -> None:
        if self.pieces:
            written = line("".join(self.pieces))
            self.pieces.clear()
            if written:
                self.lines.append(written)

    @property
    def last(self) -> str:
        """The character before what comes next; empty at a line's beginning."""
        return self.pieces[-1][-1] if self.pieces else ""


def line(text: str) -> str:
    """Plain text as one normalised line; `normalised` would change nothing where every character can be seen."""
    joined = " ".join(text.split())
    return joined if joined.isprintable() else normalised(joined)


def raised(text: str, before: str) -> str:
    """A superscript as characters: 6 after 10 becomes ⁶; what no raised character exists for is marked with ^.

    Args:
        text: the superscript.
        before: the character it follows; empty where none does.
    """
    text = " ".join(text.split())
    if _RAISED_WHOLE.fullmatch(text) or _RAISED_LIST.fullmatch(text):
        return text.translate(_RAISED)
    if any(character.isdigit() for character in text):
        return f"^({text})"
    return f"^{text}" if before.isalnum() and text.isalpha() and text.lower() not in _NO_MARK else text


def lowered(text: str, before: str) -> str:
    """A subscript as it is commonly typed: H2O, log10; after a digit it is marked, or the two would be one number."""
    text = " ".join(text.split())
    return f"_{text}" if before.isdigit() and text[:1].isdigit() else text


def _span(cell: Element, name: str) -> int:
    written = str(cell.get(name, "1")).strip()
    return min(int(written), _LARGEST_SPAN) if re.fullmatch(r"[1-9]\d{0,3}", written) else 1


def _rows(grid: Iterator[list[tuple[str, int, int]]]) -> Iterator[str]:
    """The lines of a grid; ``held`` is what cells above still fill, by column."""
    held: dict[int, tuple[str, int]] = {}
    for cells in grid:
        row: list[str] = []
        begun: dict[int, tuple[str, int]] = {}
        for text, down, across in cells:
            _fill(row, held)
            for _ in range(across):
                if down > 1:
                    begun[len(row)] = (text, down)
                row.append(text)
        _fill(row, held)
        held = {column: (text, left - 1) for column, (text, left) in (held | begun).items() if left > 1}
        if any(row):
            yield " | ".join(row)


def _fill(row: list[str], held: dict[int, tuple[str, int]]) -> None:
    while len(row) in held:
        row.append(held[len(row)][0])
