"""`lumen-trainer inspect`: a built dataset to be looked at, in the terminal or as a page of HTML."""

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from lumen_desktop.errors import InputError
from trainer.cli import output
from trainer.inspect import terminal
from trainer.inspect.figures import Figures, rejected
from trainer.inspect.samples import Sample
from trainer.lines import refused_if_unwritable
from trainer.ownership.work import Work
from trainer.records import Example, Reject

_IN_PAGE = 3  # examples of each family


class Part(enum.StrEnum):
    """What is shown."""

    FIGURES = "figures"
    REJECTS = "rejects"
    EXAMPLES = "examples"


@dataclass(frozen=True, slots=True)
class _Seen:
    """One walk over a dataset."""

    figures: Figures
    families: Mapping[str, list[tuple[str, Example]]]
    drawn: list[tuple[str, Example]]
    counts: Mapping[tuple[str, str], int]
    rejects: Mapping[tuple[str, str], list[Reject]]


def command(  # noqa: PLR0917 - typer takes options so
    work: Annotated[Path, typer.Option("--work", help="Work folder of the build.", metavar="DIR")],
    show: Annotated[list[Part] | None, typer.Option("--show", help="Only this part; may be given again.")] = None,
    family: Annotated[str, typer.Option("--family", help="Examples of this family only.")] = "",
    n: Annotated[int, typer.Option("--n", min=0, max=10_000, help="Examples, and samples of each reason.")] = 3,
    seed: Annotated[int, typer.Option("--seed", help="Decides which are drawn.")] = 0,
    html: Annotated[Path | None, typer.Option("--html", help="Write one page of HTML there.", metavar="FILE")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Look at a dataset: how much of what, what was left out and why, and examples to read."""
    parts = set(show or Part)
    seen = _seen(Work(work), family=family, n=n, seed=seed)
    if html is not None:
        _write(html, seen, name=work.resolve().name, seed=seed)
    if as_json:
        output.result(_fields(seen, parts))
    elif html is None or show:
        output.text("\n".join(_lines(seen, parts)))
    else:
        output.text(f"Written: {html}")


def _seen(work: Work, *, family: str, n: int, seed: int) -> _Seen:
    work.require_dataset()
    figures = Figures()
    drawn = Sample[tuple[str, Example]](n, seed=seed)
    families: dict[str, Sample[tuple[str, Example]]] = {}
    for split, example in work.examples():
        figures.add(split, example)
        found = (split, example)
        families.setdefault(example.family, Sample(_IN_PAGE, seed=seed)).offer(example.id, found)
        if family in ("", example.family):
            drawn.offer(example.id, found)
    if family and family not in families:
        raise InputError(
            "The dataset has no such family.", code="TRN-044", hint=f"Choose one of {', '.join(sorted(families))}."
        )
    reasons: dict[tuple[str, str], Sample[Reject]] = {}
    counts = rejected(_offered(work.rejects(), reasons, lambda: Sample(n, seed=seed)))
    return _Seen(
        figures, {name: sample.kept() for name, sample in sorted(families.items())}, drawn.kept(), counts,
        {key: sample.kept() for key, sample in reasons.items()},
    )  # fmt: skip


def _offered(
    rejects: Iterable[Reject], reasons: dict[tuple[str, str], Sample[Reject]], sample: Callable[[], Sample[Reject]]
) -> Iterator[Reject]:
    """Passes what was left out on, and lets each reason draw a few."""
    for one in rejects:
        key = (one.step, one.reason)
        if key not in reasons:
            reasons[key] = sample()
        reasons[key].offer(f"{one.where} {one.words}", one)
        yield one


def _write(path: Path, seen: _Seen, *, name: str, seed: int) -> None:
    from trainer.inspect.page import page  # noqa: PLC0415 - drawing takes a second to load, and most do not need it

    whole = page(seen.figures, seen.counts, seen.families, name=name, seed=seed)
    with refused_if_unwritable(path):
        path.write_bytes(whole.encode())


def _fields(seen: _Seen, parts: set[Part]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if Part.FIGURES in parts:
        found["figures"] = seen.figures.fields()
    if Part.REJECTS in parts:
        found["rejects"] = [
            {"step": step, "reason": reason, "count": count,
             "samples": [{"where": one.where, "words": one.words} for one in seen.rejects[step, reason]]}
            for (step, reason), count in seen.counts.items()
        ]  # fmt: skip
    if Part.EXAMPLES in parts:
        found["examples"] = [{"split": split, "id": one.id, **asdict(one)} for split, one in seen.drawn]
    return found


def _lines(seen: _Seen, parts: set[Part]) -> Iterator[str]:
    if Part.FIGURES in parts:
        yield from terminal.summary(seen.figures)
        yield ""
    if Part.REJECTS in parts:
        yield from _rejects(seen)
        yield ""
    if Part.EXAMPLES in parts:
        for split, example in seen.drawn:
            yield from terminal.conversation(split, example)


def _rejects(seen: _Seen) -> Iterator[str]:
    yield f"Left out: {sum(seen.counts.values()):,}"
    for (step, reason), count in seen.counts.items():
        yield f"{count:>9,}  {step}: {reason}"
        yield from (f"             {one.where}: {one.words}" for one in seen.rejects[step, reason])
