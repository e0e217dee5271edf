"""Pictures made of lines, areas, dots and words, once for the page and for the print: the same shapes in both.

Knows no figure. Points, y downwards; colours are roles, which the page and the print each give their own ink.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias
from xml.sax.saxutils import escape, quoteattr


class Ink(StrEnum):
    """Roles of colours; the values are the page's variables."""

    TEXT = "ink"
    SOFT = "soft"
    LINE = "line"
    ALLOWED = "allowed"
    BUILD = "series-1"
    BASE = "series-2"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class Line:
    """From one point to another; dashed where it is a limit."""

    x1: float
    y1: float
    x2: float
    y2: float
    ink: Ink
    width: float = 1.0
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Area:
    """A filled rectangle; x and y are its upper left corner."""

    x: float
    y: float
    width: float
    height: float
    ink: Ink


@dataclass(frozen=True, slots=True)
class Dot:
    """A filled circle, or a hollow one."""

    x: float
    y: float
    radius: float
    ink: Ink
    hollow: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """A line of text; y is its foot."""

    x: float
    y: float
    text: str
    ink: Ink = Ink.TEXT
    anchor: Literal["start", "middle", "end"] = "start"
    size: float = 9.0
    bold: bool = False


Shape: TypeAlias = Line | Area | Dot | Words


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture; the title says what it shows to who cannot see it."""

    width: float
    height: float
    title: str
    shapes: tuple[Shape, ...]


def svg(drawing: Drawing, name: str) -> str:
    """The picture as an element for a page that has the variables of `Ink`.

    Args:
        drawing: the picture.
        name: in its identifier, which may stand once in a page.
    """
    body = "".join(map(_element, drawing.shapes))
    return (
        f'<svg viewBox="0 0 {_n(drawing.width)} {_n(drawing.height)}" role="img" aria-labelledby="{name}-title">'
        f'<title id="{name}-title">{escape(drawing.title)}</title>{body}</svg>'
    )


def _element(shape: Shape) -> str:
    match shape:
        case Line(x1, y1, x2, y2, ink, width, dashed):
            dash = ' stroke-dasharray="3 2"' if dashed else ""
            ends = f'x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}"'
            return f'<line {ends} stroke="var(--{ink})" stroke-width="{_n(width)}"{dash}/>'
        case Area(x, y, width, height, ink):
            box = f'x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"'
            return f'<rect {box} fill="var(--{ink})"/>'
        case Dot(x, y, radius, ink, hollow):
            fill, stroke = ("paper", ink.value) if hollow else (ink.value, ink.value)
            place = f'cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}"'
            return f'<circle {place} fill="var(--{fill})" stroke="var(--{stroke})" stroke-width="1.4"/>'
        case Words(x, y, text, ink, anchor, size, bold):
            weight = ' font-weight="600"' if bold else ""
            place = f'x="{_n(x)}" y="{_n(y)}" font-size="{_n(size)}" text-anchor={quoteattr(anchor)}'
            return f'<text {place} fill="var(--{ink})"{weight}>{escape(text)}</text>'


def _n(value: float) -> str:
    """A number as short as it can be without being seen."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
