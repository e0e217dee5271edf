"""The papers of a judged build: the report as page and print, and the model card. The gate and the release ask."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainer.base import Prepared
from trainer.config import Config
from trainer.dossier import model_card
from trainer.dossier.page import page
from trainer.dossier.printed import printed
from trainer.dossier.sections import Told, report
from trainer.gating.evidence import RUN, Evidence
from trainer.gating.result import GateResult
from trainer.lines import refused_if_unwritable
from trainer.ownership import manifest
from trainer.ownership import papers as dataset_papers
from trainer.ownership.work import Work

PAGE, PRINT, CARD = "report.html", "report.pdf", model_card.NAME


def written(config: Config, result: GateResult, evidence: Evidence, prepared: Prepared) -> dict[str, bytes]:
    """All of them, by name; the same build and day give the same bytes.

    Raises:
        StorageError: a font is missing (TRN-100).
    """
    work = Work(config.work_folder)
    base = {name: getattr(prepared, name) for name in ("name", "revision", "licence", "sha256")}
    told = Told(config, result, evidence, _json(work.finetuned / RUN), base, _dataset(work))
    made = report(told)
    return {PAGE: page(made).encode(), PRINT: printed(made), CARD: model_card.card(told).encode()}


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Writes files, each whole or not at all.

    Raises:
        StorageError: TRN-010.
    """
    for name, content in files.items():
        _put(folder / name, content)


def _put(path: Path, content: bytes) -> None:
    part = path.with_name(path.name + ".part")
    with refused_if_unwritable(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        part.replace(path)


def _dataset(work: Work) -> dict[str, Any]:
    ledger, listed = _json(work.dataset / dataset_papers.LEDGER), work.dataset / manifest.NAME
    if not listed.is_file():
        return {}
    sha256 = hashlib.sha256(listed.read_bytes()).hexdigest()
    return {"sha256": sha256, "examples": ledger.get("verdict", {}).get("examples"),
            "materials": ledger.get("materials", [])}  # fmt: skip


def _json(path: Path) -> dict[str, Any]:
    """A file's object; empty where there is none, which the gate says itself."""
    try:
        found: Mapping[str, Any] = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return dict(found)
