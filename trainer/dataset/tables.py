"""Questions on a cell of a table: what stands in this row under that heading."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trainer.dataset.chance import Chance
from trainer.dataset.shown import Asked, Part, abstaining, example, parts, within
from trainer.dataset.subject import name_of
from trainer.dataset.wordings import wording
from trainer.records import Example, Origin, Record

_CELL = " | "
_MOST_OF_ONE_TABLE = 5
_FEWEST_ROWS, _MOST_ROWS = 3, 60
_MOST_HEAD_WORDS, _MOST_CELL_WORDS = 12, 30
_ABSENT = 0.3  # of tables


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell and its place in the record's text."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of equally many cells, the head first."""

    head: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]


def examples(document: Sequence[Record], seed: int) -> Iterator[Example]:
    """Questions on the tables of one document."""
    name = name_of(document) or document[0].title
    offered = [part for record in document for part in parts(record)]
    for record in document:
        for number, table in enumerate(tables(record.text)):
            yield from _asked(record, table, name, offered, Chance(seed, f"{record.id} table {number}"))


def tables(text: str) -> Iterator[Table]:
    """Tables in a text: runs of lines with cells whose rows are all as long as the head and begin differently."""
    run: list[tuple[Cell, ...]] = []
    at = 0
    for line in [*text.split("\n"), ""]:
        if _CELL in line:
            run.append(tuple(_cells(line, at)))
        else:
            if table := _table(run):
                yield table
            run = []
        at += len(line) + 1


def _cells(line: str, at: int) -> Iterator[Cell]:
    for piece in line.split(_CELL):
        start = at + len(piece) - len(piece.lstrip())
        yield Cell(piece.strip(), start, start + len(piece.strip()))
        at += len(piece) + len(_CELL)


def _table(run: Sequence[tuple[Cell, ...]]) -> Table | None:
    if not _FEWEST_ROWS <= len(run) <= _MOST_ROWS or len(run[0]) < 2:  # noqa: PLR2004 - a label and a value
        return None
    head, *rows = run
    named = [cell.text for cell in head[1:]]
    titled = all(re.search(r"[A-Za-z]{2}", name) and len(name.split()) <= _MOST_HEAD_WORDS for name in named)
    labels = [row[0].text for row in rows]
    regular = all(len(row) == len(head) for row in rows) and len(set(labels)) == len(labels)
    if titled and regular and len(set(named)) == len(named):
        return Table(head, tuple(rows))
    return None


def _asked(record: Record, table: Table, name: str, offered: Sequence[Part], chance: Chance) -> Iterator[Example]:
    cells = [(row, column) for row in table.rows for column in range(1, len(table.head)) if _tells(row, column)]
    for row, column in chance.order("cells", cells)[:_MOST_OF_ONE_TABLE]:
        taken = (row[0], table.head[column], row[column])
        part = _holding(offered, record, table.head[0].start, row[-1].end)
        if part:
            label, head, value = (cell.text for cell in taken)
            own = Chance(chance.seed, f"{chance.key} {row[column].start}")
            near = [one for one in offered if one is not part and one.record is record] or list(offered[:1])
            others = own.order("beside", [one for one in near if one is not part])
            shown = own.order("place", within([part, *others], most=1 + own.number("how many", 3)))
            n = shown.index(part) + 1
            answer = f"{label}, {head}: {value} [{n}]."
            origins = [Origin(record.id, cell.start, cell.end) for cell in (taken[2], taken[0], taken[1])]
            yield example(_question("cell", own, name=name, label=label, head=head), shown, answer, origins)
    if cells and chance.happens("absent", _ABSENT):
        yield from _absent(table, name, offered, chance)


def _tells(row: Sequence[Cell], column: int) -> bool:
    label, value = row[0].text, row[column].text
    named = re.search(r"[A-Za-z]{2}", label) is not None and len(label.split()) <= _MOST_HEAD_WORDS
    return named and bool(re.search(r"\w", value)) and len(value.split()) <= _MOST_CELL_WORDS and label != value


def _holding(offered: Sequence[Part], record: Record, start: int, end: int) -> Part | None:
    """The passage that shows both the head and the row."""
    return next((part for part in offered if part.record is record and part.holds(start, end)), None)


def _absent(table: Table, name: str, offered: Sequence[Part], chance: Chance) -> Iterator[Example]:
    """A row that the passages shown do not have."""
    row = chance.one("absent row", table.rows)
    head = chance.one("absent head", table.head[1:])
    silent = [part for part in offered if row[0].text.lower() not in part.text.lower()]
    if silent and re.search(r"[A-Za-z]{3}", row[0].text) and len(row[0].text.split()) <= _MOST_HEAD_WORDS:
        asked = _question("cell", chance, name=name, label=row[0].text, head=head.text)
        yield abstaining(asked, within(chance.order("silent", silent), most=2))


def _question(kind: str, chance: Chance, **words: str) -> Asked:
    ask = wording("tables")[kind]
    n = chance.number("wording", len(ask))
    return Asked("table", f"{kind}-{n + 1}", ask[n].format(**words))
