"""`progress.html`: one page that stands alone, with the run's curves as SVG; no script and no address.

Knows the lines of `progress.jsonl`. While the run lasts the page asks the browser to read it again; drawn by hand
because a chart library would take longer than a step.
"""

from collections.abc import Mapping, Sequence
from html import escape
from string import Template
from typing import Any

_WIDTH, _HEIGHT = 720, 220
_LEFT, _BOTTOM, _TOP, _RIGHT = 64, 26, 10, 12
_MOST_POINTS = 600
_Points = Sequence[tuple[float, float]]

_PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
$refresh<meta name="color-scheme" content="light dark">
<title>$title</title>
<style>
:root { --paper: #ffffff; --raised: #f5f7f9; --ink: #1d2730; --soft: #55636f; --line: #d5dce2;
  --one: #1f7a8c; --two: #b26f00; }
@media (prefers-color-scheme: dark) { :root { --paper: #12181d; --raised: #1b232a; --ink: #e4eaee; --soft: #9fadb8;
  --line: #37434d; --one: #4fb3c5; --two: #f0b541; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 Inter, system-ui, "Segoe UI", sans-serif; }
main { max-width: 52rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.05rem; margin: 2rem 0 .4rem; }
.soft { color: var(--soft); margin: .25rem 0 .75rem; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 1.25rem 0; }
dl div { background: var(--raised); border-radius: .5rem; padding: .7rem 1rem; }
dt { color: var(--soft); font-size: .875rem; }
dd { margin: 0; font-size: 1.25rem; font-weight: 600; font-variant-numeric: tabular-nums; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--soft); font-size: 12px; font-family: inherit; }
.grid { stroke: var(--line); } .one { stroke: var(--one); fill: none; stroke-width: 1.8; }
.two { stroke: var(--two); fill: none; stroke-width: 1.8; } .dot { fill: var(--two); }
.key { display: inline-block; width: 1.2em; height: 3px; vertical-align: middle; margin: 0 .35em 0 1em; }
.key.a { background: var(--one); margin-left: 0; } .key.b { background: var(--two); }
</style>
</head>
<body>
<main>
<h1>$title</h1>
<p class="soft" role="status">$status</p>
<dl>
$tiles
</dl>
$charts
</main>
</body>
</html>
""")


def page(lines: Sequence[Mapping[str, Any]], *, title: str, steps: int, ended: str) -> str:
    """The whole page.

    Args:
        lines: of the run so far.
        title: what is trained.
        steps: that the run has.
        ended: a sentence once it is over; empty while it runs.
    """
    trained = [one for one in lines if "loss" in one]
    looked = [one for one in lines if "validation_loss" in one]
    last = trained[-1] if trained else {}
    return _PAGE.substitute(
        title=escape(title), status=escape(ended or f"Step {last.get('step', 0):,} of {steps:,}."),
        refresh="" if ended else '<meta http-equiv="refresh" content="20">\n',
        tiles="\n".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in
                        _tiles(last, looked, steps, over=bool(ended))),
        charts=_charts(trained, looked),
    )  # fmt: skip


def _tiles(
    last: Mapping[str, Any], looked: Sequence[Mapping[str, Any]], steps: int, *, over: bool
) -> list[tuple[str, str]]:
    best = min(looked, key=lambda one: float(one["validation_loss"]), default=None)
    found = [("Steps", f"{last.get('step', 0):,} of {steps:,}"), ("Tokens", f"{last.get('tokens', 0):,}")]
    if last:
        found += [("Loss", f"{last['loss']:.4f}"), ("Tokens a second", f"{last['tokens_per_s']:,.0f}")]
        found += [("Memory", f"{last.get('memory_gb', 0.0):.1f} GB")]
    if best:
        found += [("Best validation", f"{best['validation_loss']:.4f} (step {best['step']:,})")]
    if last and not over:
        found += [("Time left", f"{last['seconds_left'] / 60:,.0f} min")]
    return found


def _charts(trained: Sequence[Mapping[str, Any]], looked: Sequence[Mapping[str, Any]]) -> str:
    curves = {name: [(one["step"], one[name]) for one in trained if name in one]
              for name in ("loss", "tokens_per_s", "grad_norm", "learning_rate", "memory_gb")}  # fmt: skip
    validation = [(one["step"], one["validation_loss"]) for one in looked]
    keys = '<span class="key a"></span>training<span class="key b"></span>validation'
    return "\n".join([
        f"<h2>Loss a token</h2><p class='soft'>{keys}</p>{chart(curves['loss'], validation, name='Loss by step')}",
        f"<h2>Tokens a second, without padding</h2>{chart(curves['tokens_per_s'], name='Tokens a second by step')}",
        f"<h2>Norm of the gradient</h2>{chart(curves['grad_norm'], name='Norm of the gradient by step')}",
        f"<h2>Learning rate</h2>{chart(curves['learning_rate'], name='Learning rate by step')}",
        f"<h2>Memory, GB</h2>{chart(curves['memory_gb'], name='Memory by step')}",
    ])  # fmt: skip


def chart(points: _Points, dots: _Points = (), *, name: str) -> str:
    """A curve over steps, and a second one with its points marked.

    Args:
        points: (step, value) in order.
        dots: of the second curve.
        name: for who cannot see it.
    """
    points = points[:: max(1, len(points) // _MOST_POINTS)]
    every = [*points, *dots]
    if not every:
        return '<p class="soft">Nothing yet.</p>'
    (left, right), (low, high) = ((min(axis), max(axis)) for axis in zip(*every, strict=True))
    low, high = (low, high) if high > low else (low - abs(low) * 0.05 - 1e-9, high + abs(high) * 0.05 + 1e-9)

    def place(x: float, y: float) -> tuple[float, float]:
        wide, tall = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
        return _LEFT + wide * (x - left) / max(right - left, 1), _TOP + tall * (high - y) / (high - low)

    drawn = [_ticks(place, (left, right), (low, high)), _path(points, place, "one"), _path(dots, place, "two")]
    drawn += [f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in (place(*one) for one in dots)]
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(name)}">{"".join(drawn)}</svg>'


def _path(points: _Points, place: Any, kind: str) -> str:
    if not points:
        return ""
    return f'<polyline class="{kind}" points="{" ".join("{:.1f},{:.1f}".format(*place(*one)) for one in points)}"/>'


def _ticks(place: Any, across: tuple[float, float], up: tuple[float, float]) -> str:
    found = []
    for part in (0.0, 0.5, 1.0):
        value = up[0] + part * (up[1] - up[0])
        y = place(across[0], value)[1]
        found.append(
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_short(value)}</text>'
        )
    for step, anchor in ((across[0], "start"), (across[1], "end")):
        x = place(step, up[0])[0]
        found.append(f'<text x="{x:.1f}" y="{_HEIGHT - 8}" text-anchor="{anchor}">{step:,.0f}</text>')
    return "".join(found)


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004
