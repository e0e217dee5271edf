"""The words of a narrative block as lines: SPL's own vocabulary and the XHTML of FHIR, which name the same things.

A paragraph is a line, a list's item is one after a dash or its number, a table's row is "cell | cell". Knows no
document; `spl`, `openfda` and `ema` give it the elements that hold text. Numbers stay what they are: a raised 6 after
10 is written 10⁶, never 106.
Source: HL7 Structured Product Labeling, narrative block; FHIR R5, Narrative (a part of XHTML 1.0).
"""

import html
import re
from collections.abc import Callable, Iterator

from lumen_desktop.domain.library import normalised
from lumen_desktop.formats.xml import Element

_NAMESPACES = ("{urn:hl7-org:v3}", "{http://www.w3.org/1999/xhtml}", "")
_MARKS = "*†‡§¶#"  # what FDA's stylesheet writes for the first footnotes, then the same twice
_MOST_TIMES = 4  # beyond, a mark is a number
_MOST_COLUMNS = 64  # a span beyond is a mistake or malice
_REPEATED_CHARACTERS = 200  # a longer cell over several columns stands once, or a table could swell to gigabytes
_HIGH = str.maketrans("0123456789+-\u2212\u2013", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻")
_FIGURES = re.compile(r"[+\-\u2212\u2013]?\d{1,3}(?:[,\-\u2013]\s?\d{1,3})*")
_LINE = "\n"
_CONTROLS = re.compile("[\x0b-\x1f]")
_ORDINAL = re.compile(r"st|nd|rd|th", re.IGNORECASE)
_WITH_UNIT = re.compile(r"\d[\s-]?[A-Za-zµμ%/]+$")
_POWERS = re.compile(r"(?:(?<![\d.,])10|(?<![A-Za-zµμ])[cdkmµμ]?m)$")
_SEPARATED = re.compile(r"[\s:;,.]$")


def text(block: Element) -> str:
    """All words of a block, normalised, its footnotes after the table or at the end; empty where it has none."""
    writer = _Writer()
    writer.flow(block)
    writer.footnotes()
    return tidy("".join(writer.out))


def tidy(words: str) -> str:
    """What `normalised` makes of text from XML, several times as fast where it holds nothing unseen, as most does."""
    lines = [" ".join(one.split()) for one in words.split("\n")]
    joined = "\n".join([one for one in lines if one])
    return joined if joined.replace("\n", "").isprintable() else normalised(joined)


def plain(words: str) -> str:
    """The same for text that does not come from XML and so may hold characters that XML forbids."""
    return normalised(words) if _CONTROLS.search(words) else tidy(words)


def line(element: Element) -> str:
    """The words of a heading on one line."""
    words = _Writer().apart(element)
    return tidy(words.replace("\n", " "))


class _Writer:
    """Collects the pieces of a text; ``notes`` are the footnotes of which the words are still to come."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.notes: list[tuple[str, str]] = []
        self.marks: dict[str, str] = {}
        self.counted = 0

    def flow(self, element: Element) -> None:
        """The text in an element, children by what they are."""
        out = self.out
        if words := element.text:
            out.append(words.replace("\n", " "))
        for child in element:
            _WRITERS.get(child.tag, _Writer.inline)(self, child)
            if words := child.tail:
                out.append(words.replace("\n", " "))

    def inline(self, element: Element) -> None:
        """What only looks otherwise, and a name such as &nbsp; of a document type that is not loaded."""
        if isinstance(element.tag, str):
            self.flow(element)
        else:
            self.out.append(html.unescape(element.text))

    def apart(self, element: Element) -> str:
        """The text in an element as a string of its own."""
        if not len(element):
            return (element.text or "").replace("\n", " ")
        before, self.out = self.out, []
        self.flow(element)
        words, self.out = "".join(self.out), before
        return words

    def block(self, element: Element) -> None:
        if len(element):
            self.out.append("\n")
            self.flow(element)
            self.out.append("\n")
        elif words := element.text:
            self.out.append(f"\n{words.replace(_LINE, ' ')}\n")

    def line_break(self, _element: Element) -> None:
        self.out.append("\n")

    def nothing(self, element: Element) -> None:
        """A picture, or what this release does not know how to read aloud."""

    def raised(self, element: Element) -> None:
        """A power keeps its height; a mark after a unit is set off, so that the unit can still be read."""
        words = self.apart(element).strip()
        before = next((piece for piece in reversed(self.out) if piece), "")[-24:]
        if not _FIGURES.fullmatch(words):
            letters = words[:1].isalpha() and words[:1].isascii() and before[-1:].isalnum()
            self.out.append(f"^{words}" if letters and not _ORDINAL.fullmatch(words) else words)
        elif not _POWERS.search(before) and (_WITH_UNIT.search(before) or before[-1:].isdigit()):
            self.out.append(f"^{words}")
        else:
            self.out.append(words.translate(_HIGH))

    def lowered(self, element: Element) -> None:
        words = self.apart(element).strip()
        figures = self.out and self.out[-1][-1:].isdigit() and words[:1].isdigit()
        self.out.append(f"_{words}" if figures else words)

    def items(self, element: Element) -> None:
        """A list; the number that a reader sees before an item is written, whether the file or the sheet has it."""
        number = 0
        for child in element:
            if _name(child) == "caption":
                self.block(child)
                continue
            number += 1
            lead, words = _lead(element, child, number), self.apart(child).strip()
            self.out.append(f"\n{lead}{words}" if lead else "\n" + words.replace("\n", " ", 1))
        self.out.append("\n")

    def footnote(self, element: Element) -> None:
        mark = self._next_mark()
        if identity := element.get("ID"):
            self.marks[identity] = mark
        self.out.append(mark)
        self.notes.append((mark, self.apart(element).replace("\n", " ").strip()))

    def footnote_reference(self, element: Element) -> None:
        if mark := self.marks.get(element.get("IDREF", "")):
            self.out.append(mark)

    def footnotes(self) -> None:
        """Writes the notes gathered so far, each on a line after its mark."""
        for mark, words in self.notes:
            self.out.append(f"\n{mark} {words}\n")
        self.notes = []

    def table(self, element: Element) -> None:
        self.out.append("\n")
        for caption in element:
            if _name(caption) == "caption":
                self.block(caption)
        for row in _grid(self._rows(element)):
            self.out.append("\n" + row)
        self.out.append("\n")
        self.footnotes()

    def _rows(self, table: Element) -> "Iterator[list[tuple[str, int, int]]]":
        """Rows of (text, columns, rows), those of the head first and of the foot last."""
        parts: dict[str, list[Element]] = {"thead": [], "tbody": [], "tfoot": []}
        for child in table:
            name = _name(child)
            if name == "tr":
                parts["tbody"].append(child)
            elif name in parts:
                parts[name].extend(row for row in child if _name(row) == "tr")
        for row in (*parts["thead"], *parts["tbody"], *parts["tfoot"]):
            yield [
                (_cell(self.apart(cell)), _span(cell.get("colspan")), _span(cell.get("rowspan")))
                for cell in row
                if cell.tag in _CELLS
            ]

    def _next_mark(self) -> str:
        self.counted += 1
        times, which = divmod(self.counted - 1, len(_MARKS))
        return _MARKS[which] * (times + 1) if times < _MOST_TIMES else f"#{self.counted}"


def _name(element: Element) -> str:
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _lead(element: Element, item: Element, number: int) -> str:
    """What stands before an item: nothing of ours where the file writes it itself."""
    if len(item) and _name(item[0]) == "caption":
        return ""
    ordered = element.get("listType") == "ordered" or _name(element) == "ol"
    if not ordered:
        return "- "
    style = (element.get("styleCode") or element.get("type") or "").lower()
    if "alpha" in style or style == "a":
        return f"{chr(ord('a') + (number - 1) % 26)}. "
    return f"{number}. "


def _cell(words: str) -> str:
    """A cell on one line; blocks in it are parted as a reader would."""
    if "\n" not in words:
        return " ".join(words.split())
    joined = ""
    for one in tidy(words).split("\n"):
        bare = one.removeprefix("- ")
        joined += bare if not joined else (" " if _SEPARATED.search(joined) else "; " if bare != one else " ") + bare
    return joined


def _span(written: str | None) -> int:
    if written is None or not re.fullmatch(r"\d{1,5}", written, re.ASCII):
        return 1
    return min(max(int(written), 1), _MOST_COLUMNS)


def _grid(rows: "Iterator[list[tuple[str, int, int]]]") -> Iterator[str]:
    """Rows as lines, a cell over several rows or columns in each of them, so that a line can be read by itself.

    A cell over the whole width is a heading between rows and stands once.
    """
    above: dict[int, tuple[str, int]] = {}
    for row in rows:
        cells: list[str] = []
        below: dict[int, tuple[str, int]] = {}
        for words, columns, deep in row:
            if not above and columns == deep == 1:
                cells.append(words)
                continue
            _fill(cells, above, below)
            again = words if len(words) <= _REPEATED_CHARACTERS else ""
            for n in range(min(columns, _MOST_COLUMNS - len(cells))):
                if deep > 1:
                    below[len(cells)] = (again, deep - 1)
                cells.append(again if n else words)
        _fill(cells, above, below)
        above = below
        line = cells[0] if len(row) == 1 and set(cells) <= {cells[0], ""} else " | ".join(cells).rstrip(" |")
        if line.strip(" |"):
            yield line


def _fill(cells: list[str], above: dict[int, tuple[str, int]], below: dict[int, tuple[str, int]]) -> None:
    """Sets the cells that reach down from rows above, as far as they follow each other."""
    while len(cells) in above:
        words, left = above.pop(len(cells))
        if left > 1:
            below[len(cells)] = (words, left - 1)
        cells.append(words)


_CELLS = frozenset(space + name for space in _NAMESPACES for name in ("td", "th"))


def _named(**writers: "Callable[[_Writer, Element], None]") -> "dict[str, Callable[[_Writer, Element], None]]":
    return {f"{space}{name}": write for name, write in writers.items() for space in _NAMESPACES}


_WRITERS = _named(
    paragraph=_Writer.block, caption=_Writer.block, br=_Writer.line_break, table=_Writer.table, list=_Writer.items,
    item=_Writer.block, sup=_Writer.raised, sub=_Writer.lowered, footnote=_Writer.footnote,
    footnoteRef=_Writer.footnote_reference, renderMultiMedia=_Writer.nothing, renderMultimedia=_Writer.nothing,
    col=_Writer.nothing, colgroup=_Writer.nothing, img=_Writer.nothing,
    p=_Writer.block, div=_Writer.block, ul=_Writer.items, ol=_Writer.items, li=_Writer.block, blockquote=_Writer.block,
    h1=_Writer.block, h2=_Writer.block, h3=_Writer.block, h4=_Writer.block, h5=_Writer.block, h6=_Writer.block,
    pre=_Writer.block, dt=_Writer.block, dd=_Writer.block, hr=_Writer.line_break, script=_Writer.nothing,
    style=_Writer.nothing,
)  # fmt: skip
