"""The report's pictures: scores with intervals, calibration, behaviour against its limits, what quantising cost.

Numbers in, shapes out; who reads them in a table finds the same numbers there. Called by `trainer.dossier.sections`.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trainer.dossier.drawing import Area, Dot, Drawing, Ink, Line, Shape, Words

WIDTH = 499.0
_LABEL = 150.0
_RIGHT = 88.0
_ROW = 23.0
_TOP = 24.0
_LONGEST = 31  # characters of a label beside its row
_BINS = 15


@dataclass(frozen=True, slots=True)
class Mark:
    """A share with its interval, 0 to 1."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Row:
    """A set: the build's score, the base's where it was asked, and what the commonest answer alone reaches."""

    label: str
    build: Mark
    base: Mark | None = None
    majority: float | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """A share that must stay on one side of a line: ``most`` where it may not lie above."""

    label: str
    build: Mark
    limit: float
    most: bool
    base: Mark | None = None


def scores(rows: Sequence[Row]) -> Drawing:
    """A row a set: dot and whiskers of the build, a hollow one of the base below it, a tick for the majority."""
    height = _TOP + _ROW * len(rows) + 22
    shapes = [*_legend(("build", "base", "majority")), *_grid(_TOP, height - 18)]
    for place, row in enumerate(rows):
        y = _TOP + _ROW * (place + 0.5)
        shapes += [_label(row.label, y), *_marks(row.build, row.base, y)]
        if row.majority is not None:
            shapes.append(Line(_x(row.majority), y - 8, _x(row.majority), y + 8, Ink.WARN, 1.6))
        shapes += _numbers(row.build, row.base, y)
    return Drawing(WIDTH, height, "Scores of each set with their 95 % intervals", tuple(shapes))


def behaviour(rows: Sequence[Limit]) -> Drawing:
    """A row a rule: the side that is allowed is shaded, its edge is the limit."""
    height = _TOP + _ROW * len(rows) + 22
    shapes: list[Shape] = [*_legend(("build", "base", "allowed"))]
    for place, row in enumerate(rows):
        y, edge = _TOP + _ROW * (place + 0.5), _x(row.limit)
        left, right = (_LABEL, edge) if row.most else (edge, WIDTH - _RIGHT)
        shapes.append(Area(left, y - _ROW / 2 + 2, max(right - left, 0), _ROW - 4, Ink.ALLOWED))
    shapes += _grid(_TOP, height - 18)
    for place, row in enumerate(rows):
        y, edge = _TOP + _ROW * (place + 0.5), _x(row.limit)
        shapes += [Line(edge, y - _ROW / 2 + 2, edge, y + _ROW / 2 - 2, Ink.SOFT, 1, dashed=True), _label(row.label, y)]
        shapes += [*_marks(row.build, row.base, y), *_numbers(row.build, row.base, y)]
    return Drawing(WIDTH, height, "How often it did what it must or must not do, with the limits", tuple(shapes))


def calibration(before: Sequence[tuple[float, bool]], after: Sequence[tuple[float, bool]]) -> Drawing:
    """How often answers of a confidence are right; on the diagonal confidence is what it says.

    Args:
        before: confidence and whether it was right, an item each, as the model gives them.
        after: the same with the temperature.
    """
    side, left, top = 220.0, 62.0, 26.0
    shapes: list[Shape] = [
        *_frame(left, top, side),
        Line(left, top + side, left + side, top, Ink.SOFT, 1, dashed=True),
        *_curve(before, left, top, side=side, ink=Ink.BASE),
        *_curve(after, left, top, side=side, ink=Ink.BUILD),
    ]
    right = left + side + 34
    legend = ((Ink.BUILD, False, "with the temperature"), (Ink.BASE, True, "as the model gives it"))
    for place, (ink, hollow, words) in enumerate(legend):
        shapes += [Dot(right, top + 12 + 18 * place, 4, ink, hollow), Words(right + 10, top + 15 + 18 * place, words)]
    shapes += [
        Line(right - 5, top + 48, right + 5, top + 48, Ink.SOFT, 1, dashed=True),
        Words(right + 10, top + 51, "confidence is what it says"),
        Words(right - 5, top + 72, "The larger a dot, the more answers.", Ink.SOFT, size=8),
    ]
    return Drawing(WIDTH, top + side + 38, "Calibration: confidence against the share that was right", tuple(shapes))


def quantisations(rows: Sequence[tuple[str, float, float, float]]) -> Drawing:
    """Bars of the mean divergence from the trained model, a file each; beside them p99 and size.

    Args:
        rows: quantisation, mean KL and its 99th percentile in nats, size in bytes.
    """
    head = _TOP + 4
    height = head + _ROW * len(rows) + 8
    most = max((mean for _, mean, _, _ in rows), default=0) or 1
    room = WIDTH - _LABEL - 170
    shapes: list[Shape] = [
        Words(_LABEL, 14, "mean KL, nats", Ink.SOFT, size=8),
        Words(WIDTH - 66, 14, "p99", Ink.SOFT, "end", size=8),
        Words(WIDTH - 4, 14, "size", Ink.SOFT, "end", size=8),
    ]
    for place, (name, mean, p99, size_bytes) in enumerate(rows):
        y = head + _ROW * (place + 0.5)
        width = max(room * mean / most, 1.0)
        shapes += [
            _label(name, y),
            Area(_LABEL, y - 7, width, 14, Ink.BUILD),
            Words(_LABEL + width + 6, y + 3, f"{mean:.2g}"),
            Words(WIDTH - 66, y + 3, f"{p99:.2g}", anchor="end"),
            Words(WIDTH - 4, y + 3, _megabytes(size_bytes), anchor="end"),
        ]
    return Drawing(WIDTH, height, "What each file lost against the trained model, and its size", tuple(shapes))


def bins(points: Sequence[tuple[float, bool]], count: int = _BINS) -> list[tuple[float, float, int]]:
    """Answers in classes of equal width by confidence: mean confidence, share that was right, how many; none empty."""
    found: dict[int, list[tuple[float, bool]]] = {}
    for confidence, right in points:
        found.setdefault(min(int(confidence * count), count - 1), []).append((confidence, right))
    return [
        (math.fsum(c for c, _ in one) / len(one), sum(r for _, r in one) / len(one), len(one))
        for _, one in sorted(found.items())
    ]


def _curve(points: Sequence[tuple[float, bool]], left: float, top: float, *, side: float, ink: Ink) -> Iterator[Shape]:
    classes = bins(points)
    most = max((n for *_, n in classes), default=1)
    places = [(left + side * c, top + side * (1 - share), n) for c, share, n in classes]
    for (x1, y1, _), (x2, y2, _) in itertools.pairwise(places):
        yield Line(x1, y1, x2, y2, ink, 1)
    for x, y, n in places:
        yield Dot(x, y, 2 + 4 * math.sqrt(n / most), ink, hollow=ink is Ink.BASE)


def _frame(left: float, top: float, side: float) -> Iterator[Shape]:
    for tenth in range(0, 11, 2):
        x, y = left + side * tenth / 10, top + side * (1 - tenth / 10)
        yield Line(x, top, x, top + side, Ink.LINE, 0.5)
        yield Line(left, y, left + side, y, Ink.LINE, 0.5)
        yield Words(x, top + side + 12, f"{tenth * 10} %", Ink.SOFT, "middle", 8)
        yield Words(left - 5, y + 3, f"{tenth * 10} %", Ink.SOFT, "end", 8)
    yield Words(left + side / 2, top + side + 27, "confidence", Ink.SOFT, "middle", 8)
    yield Words(left, top - 9, "right", Ink.SOFT, "start", 8)


def _x(share: float) -> float:
    return _LABEL + (WIDTH - _LABEL - _RIGHT) * min(max(share, 0.0), 1.0)


def _grid(top: float, bottom: float) -> Iterator[Shape]:
    for fifth in range(6):
        x = _x(fifth / 5)
        yield Line(x, top, x, bottom, Ink.LINE, 0.5)
        yield Words(x, bottom + 12, f"{fifth * 20} %", Ink.SOFT, "middle", 8)


def _label(words: str, y: float) -> Words:
    short = words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"
    return Words(_LABEL - 8, y + 3, short, anchor="end")


def _marks(build: Mark, base: Mark | None, y: float) -> Iterator[Shape]:
    if base is not None:
        yield Line(_x(base.low), y + 5, _x(base.high), y + 5, Ink.BASE, 1.4)
        yield Dot(_x(base.value), y + 5, 3.2, Ink.BASE, hollow=True)
    height = y - 4 if base is not None else y
    yield Line(_x(build.low), height, _x(build.high), height, Ink.BUILD, 2)
    yield Dot(_x(build.value), height, 3.6, Ink.BUILD)


def _numbers(build: Mark, base: Mark | None, y: float) -> Iterator[Shape]:
    yield Words(WIDTH - _RIGHT + 46, y + 3, f"{build.value:.1%}", anchor="end", bold=True)
    if base is not None:
        yield Words(WIDTH - 2, y + 3, f"{base.value:.1%}", Ink.SOFT, "end")


def _legend(kinds: Sequence[str]) -> Iterator[Shape]:
    x = _LABEL
    for kind in kinds:
        match kind:
            case "build":
                yield Dot(x + 4, 9, 3.6, Ink.BUILD)
            case "base":
                yield Dot(x + 4, 9, 3.2, Ink.BASE, hollow=True)
            case "majority":
                yield Line(x + 4, 3, x + 4, 15, Ink.WARN, 1.6)
            case _:
                yield Area(x - 4, 3, 14, 12, Ink.ALLOWED)
        words = {"majority": "commonest answer"}.get(kind, kind)
        yield Words(x + 14, 12, words, Ink.SOFT, size=8)
        x += 26 + 5 * len(words)


def _megabytes(size_bytes: float) -> str:
    return f"{size_bytes / 1e9:.2f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.1f} MB"  # noqa: PLR2004 - units
