"""The gate: holds a build's measurements against the configured lines, and says whether it may go out.

Recipe read from top to bottom; the checks stand in `trainer.gating.checks`. Called by `trainer.cli.gate`. Leaves in
``WORK/gated/`` the result, the report as page and print, and the model card.
"""

from collections.abc import Callable
from datetime import date
from pathlib import Path

from lumen_desktop.bundle import Signer
from trainer import base
from trainer.base import Prepared
from trainer.config import Config
from trainer.dossier import papers
from trainer.gating import contamination, evidence, integrity, review, waivers
from trainer.gating.checks import judge
from trainer.gating.evidence import Evidence
from trainer.gating.finding import Case
from trainer.gating.result import GateResult
from trainer.ownership.work import Work

Told = Callable[[str, int, int], None]


def gate(config: Config, *, today: date, told: Told = lambda _stage, _done, _all: None) -> GateResult:
    """Judges the exported file that is to be shipped; writes ``gated/gate.json`` and the papers beside it.

    Args:
        config: where everything lies, and the lines that must not be crossed.
        today: the day that the report bears.
        told: a stage's name, how much of it is done, and how much there is.

    Raises:
        InputError: nothing was exported or evaluated (TRN-100), or a file of an earlier step is damaged.
        StorageError: TRN-010.
    """
    found, folder = evidence.gathered(config), Work(config.work_folder).gated
    prepared = base.prepare(config, told=told)
    result = judged(config, found, prepared, today=today, told=told)
    told("papers", 0, 1)
    result.write(folder)
    papers.write(folder, papers.written(config, result, found, prepared))
    return result


def judged(
    config: Config, found: Evidence, prepared: Prepared, *, today: date, told: Told = lambda _stage, _done, _all: None
) -> GateResult:
    """The verdict alone; `trainer.release` asks it again, so that no file stands for it.

    Args:
        config: as for `gate`.
        found: what lies in the work folder.
        prepared: the base.
        today: the day that it bears.
        told: as for `gate`.

    Raises:
        InputError: a file of an earlier step is damaged.
    """
    case = Case(
        config, found, integrity.looked(config, found, prepared), contamination.looked(config, told=told),
        review.looked(config, found),
    )  # fmt: skip
    folder, terms = Work(config.work_folder).gated, integrity.terms(config)
    return GateResult(
        build=config.release.name, number=config.release.build, quantisation=found.shipped, day=today.isoformat(),
        file_sha256=found.facts["sha256"], evaluation_sha256=found.build.sha256, evidence_sha256=found.sha256,
        commercial=terms.commercial, stamp=terms.stamp,
        checks=waivers.applied(
            judge(case), folder, evidence_sha256=found.sha256, approvers=config.gate.approvers
        ),
    )  # fmt: skip


def waive(
    config: Config, number: int, *, by: str, reason: str, key: Signer, today: date,
    told: Told = lambda _stage, _done, _all: None,
) -> GateResult:  # fmt: skip
    """Signs for a failed check of the last gate, and judges again.

    Args:
        config: as for `gate`.
        number: of the check; 0 and 2 cannot be waived.
        by: name of the approver, as ``gate.approvers`` names the key.
        reason: one or two sentences.
        key: of `trainer.keys`, opened.
        today: the day that it bears.
        told: as for `gate`.

    Raises:
        InputError: not allowed (TRN-101), the key may not (TRN-102), or no gate yet (TRN-100).
        StorageError: TRN-010.
    """
    before = last(config)
    if before is None:
        raise evidence.missing("There is no gate's result to waive a check of.", "Run `lumen-trainer gate` first.")
    folder, approvers = Work(config.work_folder).gated, config.gate.approvers
    waivers.sign(folder, before, number, by=by, reason=reason, signer=key, today=today, approvers=approvers)
    return gate(config, today=today, told=told)


def draw_review(config: Config) -> Path:
    """Draws the answers that a person judges; see `trainer.gating.review`.

    Raises:
        InputError: nothing to judge (TRN-100), or a sheet is there already (TRN-109).
        StorageError: TRN-010.
    """
    return review.write_sheet(config, evidence.gathered(config))


def sign_review(config: Config, *, by: str, key: Signer, today: date) -> Path:
    """Signs the sheet that a person filled in.

    Raises:
        InputError: it is not filled in, or of other answers (TRN-109), or the key may not (TRN-102).
        StorageError: TRN-010.
    """
    return review.sign(config, evidence.gathered(config), by=by, signer=key, today=today)


def last(config: Config) -> GateResult | None:
    """What the gate said last, where it ran."""
    try:
        return GateResult.read(Work(config.work_folder).gated)
    except (OSError, ValueError, KeyError, TypeError):
        return None
