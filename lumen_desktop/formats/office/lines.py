"""Lines of a page: where they stand and how they are set.

What `headings` and `layout` reason about; a reader of a paged format makes them. Knows no format.
"""

import collections
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
SMALL_SHARE = 0.92  # of the text's size: below it a line is a note or a label in a figure
LARGER_SHARE = 1.1

LETTER = re.compile(r"[^\W\d_]")
MARKS = re.compile(f"[{SUPERSCRIPTS}*†‡]+$")
_EDGE_SHARE = 0.1  # page headers and footers stand in the outer tenth of a page
_GAP_SHARE = 1.2


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


class Style:
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
        if line.size < SMALL_SHARE * self.size:
            return False
        return line.size > LARGER_SHARE * self.size or (line.bold and not self.bold)

    def apart(self, before: Line | None, line: Line, after: Line | None) -> bool:
        """Whether space above and below sets a line off from its neighbours."""
        return all(
            other is None or other.page != line.page or abs(other.bottom - line.bottom) > _GAP_SHARE * self.leading
            for other in (before, after)
        )


def letters(text: str) -> str:
    """A text reduced to its letters and digits, to tell whether two lines say the same."""
    return "".join(character for character in text.casefold() if character.isalnum())
