"""Writes the papers of a finished build beside its examples: ledger, notices, card and manifest.

Called once the examples lie in the dataset's folder; the manifest is written last, for it lists all the others.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainer.inspect.figures import figures_of
from trainer.lines import refused_if_unwritable
from trainer.ownership import card, manifest, notices
from trainer.ownership.ledger import DEFAULT_BASE, ledger
from trainer.ownership.verdict import Verdict, verdict
from trainer.ownership.work import Work

LEDGER = "licences.json"


def write(
    work: Work, made: manifest.Made, *, report: Mapping[str, Any], name: str, base: str = DEFAULT_BASE
) -> Verdict:
    """Writes licences.json, NOTICE, the works to be named, the licences' texts, card.md and manifest.json.

    Args:
        work: the work folder, with its examples in dataset/.
        made: how the build was made.
        report: what curation did, as `card.Told.report`.
        name: of the dataset, for the card.
        base: the model that training is meant to start from.

    Raises:
        InputError: no dataset (TRN-040), or a base model that is not known (TRN-043).
        InputError: a damaged line (TRN-008, TRN-009).
        StorageError: a file cannot be written (TRN-010).
    """
    accounts = ledger(work, base=base)
    judged = verdict(work, accounts)
    begun = manifest.origin(made, accounts, judged)
    replaced = bool(report.get("personal_data"))
    told = card.Told(name, accounts, judged, figures_of(work), report, begun)
    texts = notices.texts(accounts, judged, replaced=replaced) | {card.NAME: card.card(told)}
    for file in {notices.ATTRIBUTIONS, notices.APACHE_TEXT} - texts.keys():  # an earlier build may have owed them
        (work.dataset / file).unlink(missing_ok=True)
    for file, text in texts.items():
        _write(work.dataset / file, text.encode())
    _write(work.dataset / LEDGER, manifest.canonical({**accounts.fields(), "verdict": judged.fields()}))
    _write(work.dataset / manifest.NAME, manifest.canonical(manifest.finished(work, begun)))
    return judged


def _write(path: Path, content: bytes) -> None:
    """Under its name only when it is whole."""
    part = path.with_name(path.name + ".part")
    with refused_if_unwritable(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        part.replace(path)
