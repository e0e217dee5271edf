"""The gate: holds a build's measurements against the configured lines, and says whether it may go out.

Recipe read from top to bottom; the checks stand in `trainer.gating.checks`. Called by `trainer.cli.gate`.
"""

from datetime import date

from trainer.config import Config
from trainer.gating.result import GateResult
from trainer.ownership.work import Work


def gate(config: Config, *, today: date) -> GateResult:
    """Judges the exported file that is to be shipped; writes ``gated/gate.json`` and the report beside it.

    Args:
        config: where everything lies, and the lines that must not be crossed.
        today: the day that the report bears.

    Raises:
        InputError: nothing was exported or evaluated (TRN-100).
        StorageError: TRN-010.
    """
    raise NotImplementedError


def waive(config: Config, number: int, *, by: str, reason: str, key: object, today: date) -> GateResult:
    """Signs for a failed check of the last gate, and judges again.

    Args:
        config: as for `gate`.
        number: of the check; 0 and 2 cannot be waived.
        by: name of the approver, as ``gate.approvers`` names the key.
        reason: one or two sentences.
        key: of `trainer.keys`, opened.
        today: the day that it bears.

    Raises:
        InputError: not allowed (TRN-101), or no gate yet (TRN-100).
    """
    raise NotImplementedError


def last(config: Config) -> GateResult | None:
    """What the gate said last, where it ran."""
    try:
        return GateResult.read(Work(config.work_folder).gated)
    except (OSError, ValueError, KeyError, TypeError):
        return None
