"""How counts and examples look in a terminal: plain lines, no control character of a text among them."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from trainer.inspect.figures import Figures
from trainer.ownership.work import SPLITS
from trainer.records import Example

_WIDTH = 100
_BAR = 30


def columns(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Rows under their heads; numbers and shares stand right."""
    cells = [list(head), *([f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    right = [bool(rows) and all(row[i][:1].isdigit() for row in cells[1:]) for i in range(len(head))]
    return [
        "  ".join(c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True)).rstrip()
        for row in cells
    ]


def conversation(split: str, example: Example) -> Iterator[str]:
    """One example to be read: what it is, then its turns, wrapped and indented."""
    yield f"── {example.family} · {example.template} · {split} · {example.id}"
    marks = [
        *(["answered by its sources"] if example.answerable else []),
        *(["not answered by its sources"] if example.answerable is False else []),
        *(["synthetic"] if example.synthetic else []),
        *([] if example.commercial else ["NON-COMMERCIAL"]),
    ]
    about = [*example.licences, *([example.as_of] if example.as_of else []), *marks]
    yield f"   {' · '.join([', '.join(example.doc_ids) or 'no document', *about])}"
    for message in example.messages:
        yield f"   {message.role.upper()}"
        for line in message.content.split("\n"):
            yield textwrap.fill(line, _WIDTH, initial_indent="     ", subsequent_indent="     ")
    yield ""


def summary(figures: Figures) -> Iterator[str]:
    """The distributions as tables."""
    yield f"{figures.examples:,} examples, {figures.words:,} words; {figures.synthetic:,} partly written by a model"
    yield ""
    rows = [(name, *(n[s] for s in SPLITS), n.total()) for name, n in sorted(figures.families.items())]
    yield from columns(("family", *SPLITS, "all"), rows)
    for title, counts in tables(figures).items():
        yield ""
        yield from columns((title, "examples", ""), [(name, n, bar(n, counts)) for name, n in counts.items()])
    yield ""
    lengths = [
        (name, one.quantile(0.5), one.quantile(0.95), one.quantile(1)) for name, one in figures.lengths().items()
    ]
    yield from columns(("words of", "median", "95 % up to", "longest"), lengths)


def tables(figures: Figures) -> dict[str, Mapping[str, int]]:
    """Counts by title, as far as there is something to count."""
    fields = figures.fields()
    named = {
        "source": "sources", "licence": "licences", "language": "languages", "year of source": "years",
        "most frequent groups": "groups", "most frequent wordings": "templates",
    }  # fmt: skip
    return {title: fields[name] for title, name in named.items() if fields[name]}


def bar(n: int, counts: Mapping[str, int]) -> str:
    """A bar as long as a count is large beside the largest."""
    return "█" * max(1, round(_BAR * n / max(counts.values())))
