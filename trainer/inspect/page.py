"""The dataset as one page of HTML: charts with their tables, what was left out, samples; no script and no address.

Every text is a stranger's: the template escapes all of it, and only the charts, which we draw, are markup.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jinja2
from markupsafe import Markup

from lumen_desktop.domain.names import shown_lines
from trainer.inspect import charts
from trainer.inspect.figures import Figures
from trainer.ownership.work import SPLITS
from trainer.records import Example

_TITLES = {"train": "training", "validation": "validation", "test": "test"}


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture with the table of what it shows."""

    name: str
    heading: str
    words: str
    svg: Markup
    head: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]


def page(
    figures: Figures,
    rejected: Mapping[tuple[str, str], int],
    samples: Mapping[str, Sequence[tuple[str, Example]]],
    *,
    name: str,
    seed: int,
) -> str:
    """The whole page.

    Args:
        figures: of the dataset.
        rejected: how many were left out, by step and reason.
        samples: a few examples with their splits, by family.
        name: of the dataset.
        seed: of the samples.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("trainer.inspect", "."), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    written = environment.get_template("report.html.jinja").render(
        name=name, seed=seed, figures=figures, tiles=_tiles(figures, rejected), charts=_charts(figures, rejected),
        samples=samples, number=_number,
    )  # fmt: skip
    return shown_lines(written)


def _tiles(figures: Figures, rejected: Mapping[tuple[str, str], int]) -> list[tuple[str, str]]:
    return [
        ("Examples", _number(figures.examples)),
        *((_TITLES[split].capitalize(), _number(figures.splits[split])) for split in SPLITS),
        ("Words", _number(figures.words)),
        ("Sources", _number(len(figures.sources.keys() - {"none"}))),
        ("Left out", _number(sum(rejected.values()))),
    ]


def _charts(figures: Figures, rejected: Mapping[tuple[str, str], int]) -> list[Chart]:
    fields = figures.fields()
    found = [_families(figures), _lengths(figures)]
    for name, kind, heading, words, counts in (
        ("sources", "source", "Sources", "An example that rests on two counts in both.", fields["sources"]),
        ("licences", "licence", "Licences", "As the examples state them; lumen-trainer licence judges.",
         fields["licences"]),
        ("answerable", "answered", "Answered by the sources shown", "“None” are examples that show no source.",
         fields["answerable"]),
        ("years", "year", "Year of the source", "Of the latest document that an example rests on.", fields["years"]),
        ("groups", "group", "Most frequent groups", "What must not lie on both sides of a split; the twenty largest.",
         fields["groups"]),
        ("templates", "wording", "Most frequent wordings", "None should be learnt by heart; the twenty most frequent.",
         fields["templates"]),
        ("rejects", "step: reason", "Left out", "Over collecting and curating.",
         {f"{step}: {reason}": n for (step, reason), n in rejected.items()}),
    ):  # fmt: skip
        if counts:
            whole = sum(rejected.values()) if name == "rejects" else figures.examples
            found.append(_counted(name, kind, heading, words, counts=counts, whole=whole))
    return found


def _families(figures: Figures) -> Chart:
    families = sorted(figures.families, key=lambda family: (-figures.families[family].total(), family))
    series = {_TITLES[s]: {family: figures.families[family][s] for family in families} for s in SPLITS}
    heading = "Families"
    return Chart(
        "families", heading, "What the examples teach, by split.",
        Markup(charts.bars(series, title="Bars: examples by family and split", name="chart-families")),  # noqa: S704
        ("family", *_TITLES.values(), "all"),
        tuple((f, *(figures.families[f][s] for s in SPLITS), figures.families[f].total()) for f in families),
    )  # fmt: skip


def _lengths(figures: Figures) -> Chart:
    series = {kind: one.doubling() for kind, one in figures.lengths().items()}
    classes = list(dict.fromkeys(label for found in max(series.values(), key=len, default=[]) for label in found[:1]))
    counts = {kind: dict(found) for kind, found in series.items()}
    quantiles = "; ".join(
        f"{kind}: median {one.quantile(0.5):,}, 95 % up to {one.quantile(0.95):,}, longest {one.quantile(1):,}"
        for kind, one in figures.lengths().items()
    )
    return Chart(
        "lengths", "Lengths", f"In words. {quantiles[:1].upper()}{quantiles[1:]}.",
        Markup(charts.histogram(series, title="Histogram: texts by number of words", name="chart-lengths",  # noqa: S704
                                unit="words")),
        ("words", *series),
        tuple((label, *(counts[kind].get(label, 0) for kind in series)) for label in classes),
    )  # fmt: skip


def _counted(name: str, kind: str, heading: str, words: str, *, counts: Mapping[str, int], whole: int) -> Chart:
    picture = charts.bars({"": counts}, title=f"Bars: {heading.lower()}", name=f"chart-{name}")
    rows = tuple((label, n, f"{n / whole:.1%}") for label, n in counts.items())
    return Chart(name, heading, words, Markup(picture), (kind, "number", "share"), rows)  # noqa: S704


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
