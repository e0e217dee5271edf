"""`lumen-trainer licence`: whether a model of the built dataset may be sold, and what stands in the way."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from trainer.cli import output
from trainer.inspect.terminal import columns
from trainer.lines import LinesFile
from trainer.ownership import manifest, notices
from trainer.ownership.ledger import DEFAULT_BASE, Ledger, ledger, licence_words
from trainer.ownership.verdict import WHY, Cause, Cost, Verdict, verdict
from trainer.ownership.work import Work

CAUSES = "not-for-sale.jsonl"


def command(
    work: Annotated[Path, typer.Option("--work", help="Work folder of the build.", metavar="DIR")],
    base: Annotated[str, typer.Option("--base", help="Model that training starts from.")] = DEFAULT_BASE,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Say whether a model of this build may be sold; name the examples in the way and what leaving them out costs.

    Exit status 0: it may; 1: it may not; 2: it cannot be said.
    """
    place = Work(work)
    accounts = ledger(place, base=base)
    judged = _judged(place, accounts)
    changed = _changed(place)
    if as_json:
        output.result(_fields(place, accounts, judged, changed))
    else:
        output.text("\n".join(_lines(place, accounts, judged, changed)))
    if not judged.commercial:
        raise typer.Exit(1)


def _judged(work: Work, accounts: Ledger) -> Verdict:
    """Judges, and leaves the identities of the examples in the way in a file; no file where there are none."""
    path = work.folder / CAUSES
    with LinesFile(path) as file:

        def write(cause: Cause) -> None:
            fields = {"id": cause.id, "split": cause.split, "family": cause.family, "why": cause.why}
            file.write(json.dumps(fields, ensure_ascii=False, sort_keys=True))

        judged = verdict(work, accounts, cause=write)
    if not judged.removed:
        path.unlink()
    return judged


def _changed(work: Work) -> tuple[manifest.Difference, ...] | None:
    """What differs from the manifest; None where the dataset has none yet."""
    if not (work.dataset / manifest.NAME).exists():
        return None
    return manifest.verify(work.dataset)


def _fields(
    work: Work, accounts: Ledger, judged: Verdict, changed: tuple[manifest.Difference, ...] | None
) -> dict[str, Any]:
    return {
        **judged.fields(),
        "causes_file": str(work.folder / CAUSES) if judged.removed else "",
        "conditions": [{"of": of, "note": note} for of, note in notices.conditions(accounts)],
        "changed_since_manifest": None if changed is None else [{"name": d.name, "how": d.how} for d in changed],
        **accounts.fields(),
    }


def _lines(
    work: Work, accounts: Ledger, judged: Verdict, changed: tuple[manifest.Difference, ...] | None
) -> Iterator[str]:
    if judged.commercial:
        yield f"A model of this build may be sold, by the terms recorded ({judged.examples:,} examples)."
    else:
        yield judged.stamp
        yield from _in_the_way(work, judged)
    yield ""
    yield from columns(
        ("source", "licence", "may be sold", "examples", "documents used"),
        [(one.source, licence_words(one), "yes" if one.commercial else "NO", sum(one.examples.values()),
          one.used_documents) for one in accounts.used],
    )  # fmt: skip
    yield ""
    yield "Base model: " + ", made from ".join(f"{one.id} ({one.licence})" for one in accounts.base)
    yield "To keep or to decide; no legal advice:"
    yield from (f"- {of}: {note}" for of, note in notices.conditions(accounts))
    yield from (f"Changed since the manifest was written: {one.name} ({one.how})." for one in changed or ())


def _in_the_way(work: Work, judged: Verdict) -> Iterator[str]:
    yield from (f"The licence of the base model {one} forbids it." for one in judged.bases)
    if not judged.removed:
        return
    share = _share(judged.removed, judged.examples)
    yield f"{judged.removed:,} of {judged.examples:,} examples ({share}) stand in the way:"
    for why, blamed in judged.why.items():
        yield from (f"- {n:,} {WHY[why]}: {name}" for name, n in blamed.items())
    yield f"Their identities: {work.folder / CAUSES}"
    yield ""
    yield "Leaving them out costs:"
    yield from columns(("family", "examples", "less", "left", "share lost"), _costs(judged.families))
    yield from (f"Nothing would be left of the family {family}." for family in judged.vanish)


def _costs(families: Any) -> list[tuple[object, ...]]:
    named: list[tuple[str, Cost]] = list(families.items())
    return [(name, one.examples, one.removed, one.left, _share(one.removed, one.examples)) for name, one in named]


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "0.0%"
