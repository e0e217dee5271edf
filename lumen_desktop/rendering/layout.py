"""From lines to pages: where things go, when a page is full, how a row is carried over to the next.

Knows points from the page's lower left corner and no file format. `blocks` and the documents put things on a `Sheet`;
`pdf` paints the marks that it leaves. A row taller than a page flows over as many as it needs, so nothing that is
printed can be too large.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from lumen_desktop.rendering.typesetting import Line, Style, Tone, Typesetter


class Words(NamedTuple):
    """A line of type with its baseline's left end."""

    x: float
    y: float
    size: float
    tone: Tone
    line: Line


class Box(NamedTuple):
    """A filled rectangle from its lower left corner; rules are thin ones."""

    x: float
    y: float
    width: float
    height: float
    tone: Tone


class Code(NamedTuple):
    """A square code that machines read, from its lower left corner."""

    x: float
    y: float
    side: float
    text: str


class Stamp(NamedTuple):
    """Words across the whole page, behind what stands on it."""

    words: str


class Bookmark(NamedTuple):
    """An entry of the outline; level from 0."""

    title: str
    level: int
    y: float


Drawn = Words | Box | Code | Stamp


class Format(NamedTuple):
    """A page's size and the margins of its body, in points."""

    width: float
    height: float
    side: float
    above: float
    below: float


_SHORT, _LONG = 595.276, 841.89  # A4, ISO 216
PORTRAIT = Format(_SHORT, _LONG, side=51.0, above=82.0, below=66.0)
LANDSCAPE = Format(_LONG, _SHORT, side=42.0, above=76.0, below=62.0)
HAIR = 0.6
INSET = 5.0  # of words from the edge of a coloured band


@dataclass(slots=True)
class Page:
    """What is on one page."""

    drawn: list[Drawn] = field(default_factory=list)
    bookmarks: list[Bookmark] = field(default_factory=list)


class Setting(NamedTuple):
    """A line with the style it is set in."""

    style: Style
    line: Line


Cell = Sequence[Setting]


class Columns(NamedTuple):
    """Left edges and widths of a row's cells, in points."""

    lefts: tuple[float, ...]
    widths: tuple[float, ...]


class Sheet:
    """Pages of one format, filled from the top.

    Attributes:
        pages: those begun so far.
        y: height below which the page is free.
        running: drawn at the top of each further page; a table's head while its rows flow. It is lower than a third
            of the body, so that each page takes some of what is to be set.
    """

    def __init__(self, typesetter: Typesetter, form: Format) -> None:
        self.typesetter = typesetter
        self.form = form
        self.pages = [Page()]
        self.y = self.top
        self.running: Callable[[], None] | None = None

    @property
    def top(self) -> float:
        """Upper edge of the body."""
        return self.form.height - self.form.above

    @property
    def left(self) -> float:
        """Left edge of the body."""
        return self.form.side

    @property
    def width(self) -> float:
        """Width of the body."""
        return self.form.width - 2 * self.form.side

    @property
    def room(self) -> float:
        """Height that is free on this page."""
        return self.y - self.form.below

    @property
    def whole(self) -> float:
        """Height of a body; what is less than a third of it is not broken."""
        return self.top - self.form.below

    def turn(self) -> None:
        """Begins the next page."""
        self.pages.append(Page())
        self.y = self.top
        if self.running:
            self.running()

    def demand(self, height: float) -> None:
        """Begins the next page if this one has less room, unless that gains nothing."""
        if self.room < min(height, self.whole / 2) and self.y < self.top:
            self.turn()

    def skip(self, height: float) -> None:
        """Leaves a space, but not at the top of a page."""
        if self.y < self.top:
            self.y -= height

    def draw(self, drawn: Drawn) -> None:
        """Puts something on this page where it says."""
        self.pages[-1].drawn.append(drawn)

    def rule(self, *, tone: Tone = Tone.LINE, weight: float = HAIR) -> None:
        """A rule across the body where the page is free."""
        self.draw(Box(self.left, self.y - weight, self.width, weight, tone))

    def bookmark(self, title: str, level: int) -> None:
        """An entry of the outline that leads to this height."""
        self.pages[-1].bookmarks.append(Bookmark(title, level, self.y))

    def columns(self, *shares: float, indent: float = 0.0, gutter: float = 10.0) -> Columns:
        """The body's width, less an indent at both edges, divided by shares."""
        free = self.width - 2 * indent - gutter * (len(shares) - 1)
        widths = tuple(free * share / sum(shares) for share in shares)
        lefts = tuple(self.left + indent + sum(widths[:place]) + gutter * place for place in range(len(shares)))
        return Columns(lefts, widths)

    def cell(self, text: str, style: Style, width: float) -> list[Setting]:
        """A text as lines of one style."""
        return [Setting(style, line) for line in self.typesetter.lines(text, style, width)]

    def row(self, cells: Sequence[Cell], columns: Columns, *, pad: float = 0.0, fill: Tone | None = None) -> None:
        """Sets cells side by side and carries over what a page does not hold.

        Args:
            cells: lines of each.
            columns: where they stand.
            pad: space above and below.
            fill: colour behind the whole row.
        """
        height = height_of(cells, pad=pad)
        if height > self.room and (height <= self.whole / 3 or self.room < _least(cells) + 2 * pad):
            self.turn()
        while True:
            taken = [_taken(cell, self.room - 2 * pad) for cell in cells]
            self._place([cell[:count] for cell, count in zip(cells, taken, strict=True)], columns, pad, fill)
            cells = [cell[count:] for cell, count in zip(cells, taken, strict=True)]
            if not any(cells):
                return
            self.turn()

    def _place(self, cells: Sequence[Cell], columns: Columns, pad: float, fill: Tone | None) -> None:
        height = height_of(cells, pad=pad)
        if fill:
            left = columns.lefts[0] - INSET
            self.draw(Box(left, self.y - height, self.left + self.width - left, height, fill))
        for cell, left in zip(cells, columns.lefts, strict=True):
            y = self.y - pad
            for style, line in cell:
                baseline = y - style.leading / 2 - 0.36 * style.size  # the x-height's middle in the line's
                self.draw(Words(left, baseline, style.size, style.tone, line))
                y -= style.leading
        self.y -= height


def height_of(cells: Sequence[Cell], *, pad: float = 0.0) -> float:
    """Height of a row in points."""
    return max((sum(style.leading for style, _ in cell) for cell in cells), default=0.0) + 2 * pad


def _least(cells: Sequence[Cell]) -> float:
    """Height of as much of a row as may stand alone at the foot of a page: two lines of each cell."""
    return height_of([cell[:2] for cell in cells])


def _taken(cell: Cell, room: float) -> int:
    """How many lines of a cell go on this page; of the rest at least two go to the next where the cell has three."""
    count, height = 0, 0.0
    for style, _ in cell:
        height += style.leading
        if height > room + 0.01:
            break
        count += 1
    alone = len(cell) - count == 1 and count > 2  # noqa: PLR2004 - two stay here
    return count - 1 if alone else count
