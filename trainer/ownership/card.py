"""The dataset card: Markdown with the head that Hugging Face reads, from the ledger, the report and the manifest.

Every number comes from one of these; none is written by hand. Source of the head: Hugging Face, "Dataset cards".
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from trainer.inspect.figures import Figures
from trainer.ownership import notices
from trainer.ownership.ledger import Ledger, licence_words
from trainer.ownership.manifest import NAME as MANIFEST
from trainer.ownership.verdict import Verdict
from trainer.ownership.work import SPLITS

NAME = "card.md"
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_LARGEST = "1M<n<10M"
_HUB_IDS = {"CC0-1.0": "cc0-1.0", "CC-BY-4.0": "cc-by-4.0", "MIT": "mit", "Apache-2.0": "apache-2.0"}
_FEW = 100  # examples of a family below which a card warns: too few to learn or to measure it by

_UNCHECKED = {
    "not_checkable_8": "items too short for groups of eight words, so that only the very same words find them",
    "unchecked": "answers too short to be looked for at all",
}


@dataclass(frozen=True, slots=True)
class Told:
    """What a card tells of.

    Attributes:
        name: of the dataset.
        ledger: of it.
        verdict: on it.
        figures: counts of its examples.
        report: what curation did, as JSON values: ``steps`` of {name, taken (in), left (over), reasons}, ``checked``,
            ``personal_data`` by kind, ``decontamination`` by evaluation set, ``splits`` by part, ``mix`` by part and
            family; what is missing is left out of the card.
        manifest: how the same build was made (`manifest.origin`).
    """

    name: str
    ledger: Ledger
    verdict: Verdict
    figures: Figures
    report: Mapping[str, Any]
    manifest: Mapping[str, Any]


def card(told: Told) -> str:
    """The whole card."""
    parts = [
        f"---\n{_head(told)}---", f"# {_plain(told.name)}", _stamp(told), _what(told), _sources(told), _families(told),
        _filters(told), _splits(told), _decontamination(told), _personal(told), _gaps(told), _ownership(told),
        _again(told),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(told: Told) -> str:
    licences = {one.licence for one in told.ledger.used if one.licence}
    only = next(iter(licences)) if len(licences) == 1 else ""
    hub = _HUB_IDS.get(only, "other")
    size = next((words for limit, words in _SIZES if told.figures.examples < limit), _LARGEST)
    head: dict[str, Any] = {"pretty_name": " ".join(told.name.split()), "license": hub}
    if hub == "other":
        head |= {"license_name": "see-notice" if told.verdict.commercial else "non-commercial",
                 "license_link": notices.NOTICE}  # fmt: skip
    head |= {
        "language": sorted(told.figures.languages),
        "task_categories": ["question-answering", "text-generation"],
        "size_categories": [size],
        "tags": ["medical", "pharmacy", "regulatory", *([] if told.verdict.commercial else ["non-commercial"])],
        "configs": [{
            "config_name": "default",
            "data_files": [{"split": s, "path": f"{s}.jsonl"} for s in SPLITS if told.figures.splits.get(s)],
        }],
    }  # fmt: skip
    written: str = yaml.safe_dump(head, sort_keys=False, allow_unicode=True)
    return written


def _stamp(told: Told) -> str:
    return f"> **{told.verdict.stamp}**" if told.verdict.stamp else ""


def _what(told: Told) -> str:
    figures = told.figures
    synthetic = f"{told.ledger.synthetic:,} of them were" if told.ledger.synthetic else "None of them was"
    return (
        f"{figures.examples:,} conversations for training a language model to answer from given sources, or to say "
        f"that they do not answer: {figures.families_count} families, {figures.words:,} words, built by lumen-trainer "
        f"{told.manifest['trainer']} from {sum(one.used_documents for one in told.ledger.materials):,} documents. "
        f"{synthetic} partly written by a model (`synthetic`)."
    )


def _sources(told: Told) -> str:
    rows = [
        (one.source, licence_words(one), "yes" if one.commercial else "**no**", one.documents, one.records,
         one.used_documents, sum(one.examples.values()), one.example_words)
        for one in told.ledger.materials
    ]  # fmt: skip
    head = ("source", "licence", "may be sold", "documents", "sections", "documents used", "examples", "words in them")
    return (
        "## Sources and licences\n\n"
        + table(head, rows)
        + (
            "\n\nAn example that rests on two sources counts in both. "
            f"`{notices.NOTICE}` holds what the licences ask for; `licences.json` is the whole ledger."
        )
    )


def _families(told: Told) -> str:
    rows = [
        (family, *(splits.get(s, 0) for s in SPLITS), sum(splits.values()))
        for family, splits in sorted(told.figures.families.items())
    ]
    yes, no = (told.figures.answerable[key] for key in ("yes", "no"))
    asked = f"\n\nOf {yes + no:,} examples that show sources, {no:,} show such that do not answer." if yes + no else ""
    return "## Families\n\n" + table(("family", *SPLITS, "all"), rows) + asked


def _filters(told: Told) -> str:
    steps: Sequence[Mapping[str, Any]] = told.report.get("steps", [])
    rows = [
        (step["name"], step["taken"], step["taken"] - step["left"], step["left"], _reasons(step.get("reasons", {})))
        for step in steps
    ]
    checked = told.report.get("checked", {})
    words = f"\n\nAnswers held against their sources: {_reasons(checked)}." if checked else ""
    head = ("step", "came in", "left out", "went on", "reasons")
    return _part("Filters", table(head, rows) + words) if rows else ""


def _splits(told: Told) -> str:
    described: Mapping[str, Mapping[str, Any]] = told.report.get("splits", {})
    parts = [
        _rows("part", {part: {k: n for k, n in one.items() if k != "families"} for part, one in described.items()})
    ]
    for part, families in told.report.get("mix", {}).items():
        if any(found.get("missing") for found in families.values()):
            parts.append(f"What was wanted in {_plain(part)}, and what there was:\n\n{_rows('family', families)}")
    words = "\n\n".join(filter(None, parts))
    return _part("Splits", words) if words else ""


def _decontamination(told: Told) -> str:
    rows = _rows("evaluation set", told.report.get("decontamination", {}))
    return _part("Decontamination", rows or "No evaluation set was named, so nothing was checked against any.")


def _personal(told: Told) -> str:
    replaced = told.report.get("personal_data", {})
    words = f"Replaced by words in brackets: {_reasons(replaced)}." if replaced else "None was found and replaced."
    return _part("Personal details", words)


def _gaps(told: Told) -> str:
    gaps = list(gaps_of(told))
    return _part("Known gaps", "\n".join(f"- {gap}" for gap in gaps)) if gaps else ""


def gaps_of(told: Told) -> Iterator[str]:
    """What the dataset lacks, as far as its figures show."""
    yield from _thin_families(told.figures)
    for material in told.ledger.materials:
        if material.records and not any(material.examples.values()):
            yield f"source {_plain(material.source)}: collected, and no example of it was kept"
    for name, found in sorted(told.report.get("decontamination", {}).items()):
        yield from (f"evaluation set {_plain(name)}: {n:,} {_UNCHECKED[field]}" for field in _UNCHECKED
                    if (n := found.get(field, 0)))  # fmt: skip
    if told.figures.languages.keys() <= {"en"}:
        yield "English only"
    if told.figures.undated:
        yield f"{told.figures.undated:,} examples rest on documents whose date is not known"
    yield from (f"{base.id}: {base.note}" for base in told.ledger.base if base.note)


def _thin_families(figures: Figures) -> Iterator[str]:
    for family, splits in sorted(figures.families.items()):
        if splits.total() < _FEW:
            yield f"family {_plain(family)}: {splits.total()} examples only"
        missing = [split for split in SPLITS if not splits[split]]
        if missing:
            yield f"family {_plain(family)}: none in {' and '.join(missing)}"


def _ownership(told: Told) -> str:
    verdict = told.verdict
    if verdict.commercial:
        words = (
            "By the terms recorded, a model trained on it may be sold. This is a record of facts, no legal advice. "
            "To be kept or decided:"
        )
        return _part("Ownership", words + "\n\n" + "\n".join(
            f"- {licence}: {note}" for licence, note in notices.conditions(told.ledger)
        ))  # fmt: skip
    rows = [(family, cost.examples, cost.removed, cost.left) for family, cost in verdict.families.items()]
    words = f"{verdict.stamp} {verdict.removed:,} of {verdict.examples:,} examples stand in the way."
    return _part("Ownership", words + "\n\n" + table(("family", "examples", "in the way", "left without them"), rows))


def _again(told: Told) -> str:
    seeds = ", ".join(f"{name} {seed}" for name, seed in sorted(told.manifest["seeds"].items()))
    inputs: Sequence[Mapping[str, Any]] = told.manifest["inputs"]
    return _part(
        "To build it again",
        f"The same inputs (files: {len(inputs):,}, bytes: {sum(one['size_bytes'] for one in inputs):,}), the "
        f"configuration with SHA-256 `{told.manifest['config_sha256']}`, the seeds ({seeds}) and the same programs "
        "give the same bytes:\n\n"
        "```\nlumen-trainer collect --config lumen-trainer.yaml\nlumen-trainer dataset --config lumen-trainer.yaml\n"
        "```\n\n"
        f"`{MANIFEST}` lists the digest of every file and the versions of the programs.",
    )


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; numbers stand right and grouped."""
    rows = [list(row) for row in rows]
    numbers = [bool(rows) and all(isinstance(row[i], int | float) for row in rows) for i in range(len(head))]
    lines = ["| " + " | ".join(map(_plain, head)) + " |", "|" + "|".join("---:" if n else "---" for n in numbers) + "|"]
    return "\n".join(lines + ["| " + " | ".join(map(_cell, row)) + " |" for row in rows])


def _rows(kind: str, named: Mapping[str, Mapping[str, Any]]) -> str:
    """A table of one row a name, with a column for each field that any of them has."""
    if not named:
        return ""
    fields = list(dict.fromkeys(field for found in named.values() for field in found))
    rows = [[name, *(found.get(field, "") for field in fields)] for name, found in named.items()]
    return table((kind, *(field.replace("_", " ") for field in fields)), rows)


def _part(title: str, words: str) -> str:
    return f"## {title}\n\n{words}"


def _reasons(reasons: Mapping[str, Any]) -> str:
    return ", ".join(f"{_plain(str(name))} {_cell(n)}" for name, n in sorted(reasons.items()))


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.3g}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return _reasons(value)
    return _plain(str(value))


def _plain(words: str) -> str:
    """Words that neither end a cell nor begin markup."""
    return " ".join(words.split()).replace("|", "\\|").replace("<", "&lt;")
