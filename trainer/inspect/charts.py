"""Charts as SVG that stands in a page: colours are the page's own variables, the same counts give the same bytes.

Knows counts and words only. Called by `trainer.inspect.page`; the one place of the trainer that draws.
"""

import io
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lumen_desktop.domain.names import shown

# Written in these colours, then named: so that the page decides, and can go dark.
_INK, _LINE = "#0000fa", "#0000fb"
_SERIES = ("#0000f1", "#0000f2", "#0000f3")
_VARIABLES = {_INK: "ink", _LINE: "line", **{colour: f"series-{i}" for i, colour in enumerate(_SERIES, start=1)}}
_WIDTH_IN = 6.2
_LONGEST_LABEL = 34
_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "lumen-trainer", "svg.fonttype": "none", "text.parse_math": False, "font.size": 10,
    "text.color": _INK, "axes.labelcolor": _INK, "xtick.color": _INK, "ytick.color": _INK, "axes.edgecolor": _LINE,
    "grid.color": _LINE, "axes.spines.top": False, "axes.spines.right": False, "axes.spines.left": False,
    "axes.axisbelow": True, "legend.frameon": False, "figure.facecolor": "none", "axes.facecolor": "none",
}  # fmt: skip


def bars(series: Mapping[str, Mapping[str, int]], *, title: str, name: str) -> str:
    """Lying bars, one a label, stacked by series.

    Args:
        series: counts by label, by the name of their series; up to three.
        title: of the picture, for who cannot see it.
        name: in its identifiers, which may stand once in a page.
    """
    labels = list(dict.fromkeys(label for counts in series.values() for label in counts))[::-1]
    with mpl.rc_context(_STYLE):
        figure, axes = _axes(0.6 + 0.3 * max(len(labels), 1) + 0.3 * (len(series) > 1))
        left = [0] * len(labels)
        for (kind, counts), colour in zip(series.items(), _SERIES, strict=False):
            widths = [counts.get(label, 0) for label in labels]
            axes.barh(range(len(labels)), widths, left=left, height=0.66, color=colour, label=kind)
            left = [a + b for a, b in zip(left, widths, strict=True)]
        axes.set_yticks(range(len(labels)), [_label(label) for label in labels])
        axes.tick_params(axis="y", length=0)
        for place, total in enumerate(left):
            axes.annotate(f"{total:,}", (total, place), xytext=(4, 0), textcoords="offset points", va="center")
        axes.set_xlim(0, max(left, default=1) * 1.14 or 1)
        axes.xaxis.set_visible(False)
        axes.spines["bottom"].set_visible(False)
        _legend(axes, series)
        return _svg(figure, title, name)


def histogram(series: Mapping[str, Sequence[tuple[str, int]]], *, title: str, name: str, unit: str) -> str:
    """Standing bars beside each other, one group a class.

    Args:
        series: (class, count) in order, by the name of their series; up to three.
        title: of the picture, for who cannot see it.
        name: in its identifiers, which may stand once in a page.
        unit: of the classes.
    """
    longest = max(series.values(), key=len)
    with mpl.rc_context(_STYLE):
        figure, axes = _axes(3.0)
        width = 0.8 / len(series)
        for i, ((kind, classes), colour) in enumerate(zip(series.items(), _SERIES, strict=False)):
            places = [place + i * width for place in range(len(classes))]
            axes.bar(places, [n for _, n in classes], width=width, align="edge", color=colour, label=kind)
        axes.set_xticks([place + 0.4 for place in range(len(longest))], [label for label, _ in longest], ha="right")
        axes.tick_params(axis="x", length=0, labelrotation=35)
        axes.tick_params(axis="y", length=0)
        axes.yaxis.grid(visible=True)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.set_xlabel(unit)
        _legend(axes, series)
        return _svg(figure, title, name)


def _axes(height_in: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_WIDTH_IN, height_in), layout="constrained")
    return figure, figure.add_subplot()


def _legend(axes: Axes, series: Mapping[str, object]) -> None:
    if len(series) > 1:
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=len(series), borderaxespad=0)


def _label(label: str) -> str:
    label = shown(label)
    return label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1] + "…"


def _svg(figure: Figure, title: str, name: str) -> str:
    """The figure's element, its identifiers made its own and its colours the page's."""
    written = io.StringIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a letter that the measuring font lacks; the reader's own font draws it
        figure.savefig(written, format="svg", metadata={"Date": None})
    svg = written.getvalue()
    svg = re.sub(r"<metadata>.*?</metadata>\s*|<style.*?</style>\s*", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r"""(\bid="|url\(#|href="#)""", rf"\g<1>{name}-", svg)
    svg = re.sub(r"#0000f[0-9a-f]", lambda found: f"var(--{_VARIABLES[found.group()]})", svg)
    svg = re.sub(r" font-family: [^;\"]*;", "", svg)
    box = re.search(r'viewBox="[^"]*"', svg)
    assert box is not None
    body = svg[svg.index(">") + 1 :]
    return (
        f'<svg {box.group()} role="img" aria-labelledby="{name}-title"><title id="{name}-title">{title}</title>{body}'
    )
