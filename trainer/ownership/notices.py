"""The texts that a build owes: NOTICE, the list of works to be named, and the licences' own texts.

Written from the licences that were really used, and nothing else; the wording of each duty stands in duties.toml.
"""

import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lumen_desktop.domain.names import shown
from trainer.licences import LICENCES, Licence
from trainer.ownership.ledger import Base, Document, Ledger, table
from trainer.ownership.verdict import Verdict

NOTICE, ATTRIBUTIONS, APACHE_TEXT = "NOTICE", "ATTRIBUTIONS.txt", "LICENSES/Apache-2.0.txt"
_HERE = Path(__file__).parent
_WIDTH = 100
_APACHE = "Apache-2.0"
_CHANGES = (
    "What was changed: documents were cut into sections and sentences, tables were set as lines, white space was made "
    "uniform, parts were left out, and questions, instructions and connecting words were put around what was kept."
)


def texts(ledger: Ledger, verdict: Verdict, *, replaced: bool = False) -> dict[str, str]:
    """Every text that must go with the dataset, by its name in the dataset's folder.

    Args:
        ledger: of the dataset.
        verdict: on it.
        replaced: whether personal details were replaced when it was curated; said among the changes.
    """
    found = {NOTICE: notice(ledger, verdict, replaced=replaced)}
    named = attributions(ledger, replaced=replaced)
    if named:
        found[ATTRIBUTIONS] = named
    if _APACHE in {*_licences(ledger), *(one.licence for one in ledger.base)}:
        found[APACHE_TEXT] = _text(_APACHE)
    return found


def notice(ledger: Ledger, verdict: Verdict, *, replaced: bool = False) -> str:
    """The NOTICE of a dataset and of a model that is trained on it."""
    parts = ["NOTICE", verdict.stamp, "Made by lumen-trainer from the licences of what this dataset holds.",
             _changes(ledger, replaced=replaced), _heading("The dataset")]  # fmt: skip
    alone = {(one.source, one.licence) for one in ledger.documents.values() if _named_alone(one)}
    for licence, sources in _licences(ledger).items():
        parts += _owed(LICENCES[licence], {source: (source, licence) in alone for source in sources})
    parts += [_heading("A model trained on it"), *(_base(one) for one in ledger.base)]
    parts += [_duty(licence) for licence in sorted({one.licence for one in ledger.base})]
    parts.append(
        "The weights of such a model are changed: they were trained further on this dataset with lumen-trainer. What "
        "is passed on must say so and carry this file."
    )
    return _joined(parts)


def attributions(ledger: Ledger, *, replaced: bool = False) -> str:
    """Each work that must be named by itself, ordered by licence and title; empty where there is none."""
    works = sorted(
        ((one.licence, one.title, doc, one) for doc, one in ledger.documents.items() if _named_alone(one)),
        key=lambda work: work[:3],
    )
    if not works:
        return ""
    title = "Works that this dataset is made from and whose licence asks that they be named"
    return _joined([title, _changes(ledger, replaced=replaced), *(_work(doc, one) for _, _, doc, one in works)])


def conditions(ledger: Ledger) -> list[tuple[str, str]]:
    """What an owner should know of each licence used, as (licence, sentence), for materials and base models."""
    used = {*_licences(ledger), *(one.licence for one in ledger.base if one.licence in LICENCES)}
    notes = [(LICENCES[one].id, LICENCES[one].note) for one in sorted(used) if LICENCES[one].note]
    return notes + [(one.id, one.note) for one in ledger.base if one.note]


def _licences(ledger: Ledger) -> dict[str, list[str]]:
    """Sources by known licence."""
    found: dict[str, list[str]] = {}
    for one in ledger.used:
        if one.licence in LICENCES:
            found.setdefault(one.licence, []).append(one.source)
    return dict(sorted(found.items()))


def _owed(licence: Licence, sources: Mapping[str, bool]) -> Iterator[str]:
    yield f"{licence.title} ({licence.id}){f', {licence.url}' if licence.url else ''}"
    yield _duty(licence.id)
    yield "\n".join(_credit(source, licence, alone=alone) for source, alone in sources.items())
    if licence.id == "MIT":
        yield _text("MIT").strip()


def _duty(licence: str) -> str:
    duty: str = next(one["text"] for one in table("duties")["duty"] if licence in one["ids"])
    return duty


def _credit(source: str, licence: Licence, *, alone: bool) -> str:
    one = _credits().get(source, {"title": source, "creator": "", "url": ""})
    said = one.get("copyright", "")
    if not said and licence.id in ("MIT", _APACHE):
        place = one["url"] or "its origin"
        said = f"Its copyright line is not known to lumen-trainer: copy it from the licence at {place}"
    each = f"Each work is named in {ATTRIBUTIONS}" if alone else ""
    return "- " + ". ".join(part for part in (one["title"], one["creator"], said, one["url"], each) if part)


def _base(one: Base) -> str:
    made = f" Made from {' and '.join(one.parents)}." if one.parents else ""
    return f"{one.id}, by {one.holder}, under {one.licence} ({one.url}).{made} Trained on: {one.trained_on}."


def _named_alone(one: Document) -> bool:
    terms = LICENCES.get(one.licence)
    return terms is not None and terms.attribution and not _credits().get(one.source, {}).get("whole", False)


def _work(doc: str, one: Document) -> str:
    licence = LICENCES[one.licence]
    authors = one.authors or ("authors as named there" if one.url else "")
    edition = ", ".join(part for part in (f"version {one.version}" if one.version else "", one.as_of) if part)
    parts = (f'"{shown(one.title)}"', shown(authors), doc, edition, shown(one.url), f"{licence.title}, {licence.url}")
    return ". ".join(part for part in parts if part) + ". Changed as said above."


def _changes(ledger: Ledger, *, replaced: bool) -> str:
    return _CHANGES + (
        (" Names, addresses and numbers of persons were replaced by words in brackets." if replaced else "")
        + (" A language model reworded some of it; those examples are marked synthetic." if ledger.synthetic else "")
    )


def _heading(words: str) -> str:
    return f"{words}\n{'-' * len(words)}"


def _joined(parts: list[str]) -> str:
    return "\n\n".join(_wrapped(part) for part in parts if part) + "\n"


def _wrapped(part: str) -> str:
    return "\n".join(
        textwrap.fill(
            line, _WIDTH, subsequent_indent="  " if line.startswith("- ") else "",
            break_long_words=False, break_on_hyphens=False,
        )
        for line in part.split("\n")
    )  # fmt: skip


def _credits() -> Mapping[str, Any]:
    return table("credits")


def _text(name: str) -> str:
    return (_HERE / "texts" / f"{name}.txt").read_text(encoding="utf-8")
