"""What a report is made of: sections with words, a picture and a table. The page and the print read it alike."""

from collections.abc import Sequence
from dataclasses import dataclass

from trainer.dossier.drawing import Drawing

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under heads.

    Attributes:
        head: a word or two a column.
        rows: cells as they are read; the first is the row's name.
        shares: how wide the columns are beside each other in print.
        words: columns that hold words and stand left, by place; the others hold figures and stand right.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    shares: tuple[float, ...]
    words: frozenset[int] = frozenset({0})


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands below it, in this order."""

    name: str
    heading: str
    words: tuple[str, ...] = ()
    drawing: Drawing | None = None
    table: Table | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The whole.

    Attributes:
        title: what the report is on.
        result: PASS, FAIL or WAIVED.
        sentence: the result in one sentence.
        stamp: what must stand on every page; empty where nothing must.
        identity: of the build in a few words, on every page.
        day: that the report bears.
        digest: of the file that was judged.
        tiles: what is read first: a word and a figure each.
        sections: in order.
    """

    title: str
    result: str
    sentence: str
    stamp: str
    identity: str
    day: str
    digest: str
    tiles: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]


def table(
    head: Sequence[str], rows: Sequence[Sequence[Cell]], *, shares: Sequence[float], words: frozenset[int] | None = None
) -> Table:
    """A table whose cells are written out; what was not measured is a dash."""
    written = tuple(tuple("–" if cell is None else str(cell) for cell in row) for row in rows)
    return Table(tuple(head), written, tuple(shares), frozenset({0}) if words is None else words)
