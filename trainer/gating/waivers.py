"""Waivers: somebody answers with their name for a check that failed.

A waiver holds for one check, for the figures that it showed, and for the measurements that it was made of; for any
other it says nothing. Integrity, licences and decontamination cannot be waived.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

from lumen_desktop.bundle import Signer
from lumen_desktop.errors import InputError
from trainer.gating import signed
from trainer.gating.checks import UNWAIVABLE
from trainer.gating.result import Check, GateResult, Outcome, Waived

PURPOSE = "LUMEN-WAIVER-v1"
FOLDER = "waivers"
LONGEST_REASON = 1_000
SHORTEST_REASON = 10


@dataclass(frozen=True, slots=True)
class Waiver:
    """What is signed.

    Attributes:
        number: of the check.
        title: of it.
        value: that it showed.
        threshold: that it did not reach.
        evidence_sha256: of everything that the gate had looked at.
        by: name of the approver.
        reason: in their words.
        day: ISO 8601.
    """

    number: int
    title: str
    value: str
    threshold: str
    evidence_sha256: str
    by: str
    reason: str
    day: str

    def is_of(self, check: Check, evidence_sha256: str) -> bool:
        """Whether it is of this very finding."""
        ours = (self.number, self.title, self.value, self.threshold, self.evidence_sha256)
        return ours == (check.number, check.title, check.value, check.threshold, evidence_sha256)


def sign(
    folder: Path, result: GateResult, number: int, *, by: str, reason: str, signer: Signer, today: date,
    approvers: Mapping[str, str],
) -> Path:  # fmt: skip
    """Writes a waiver for a check of a gate.

    Raises:
        InputError: the check cannot be waived or did not fail, or there is no reason (TRN-101), or the key may not
            (TRN-102).
        StorageError: TRN-010.
    """
    check = next((one for one in result.checks if one.number == number), None)
    if check is None:
        raise _refused(f"there is no check {number}")
    if number in UNWAIVABLE:
        raise _refused(f"check {number}, {check.title.lower()}, cannot be waived by anybody")
    if check.outcome not in (Outcome.FAIL, Outcome.WAIVED):
        raise _refused(f"check {number} did not fail")
    if not SHORTEST_REASON <= len(reason.strip()) <= LONGEST_REASON:
        raise _refused(f"the reason has to be of {SHORTEST_REASON} to {LONGEST_REASON:,} characters")
    signed.require_approver(signer, approvers, by=by)
    made = Waiver(number, check.title, check.value, check.threshold, result.evidence_sha256, by,
                  " ".join(reason.split()), today.isoformat())  # fmt: skip
    path = folder / FOLDER / f"{number}.json"
    signed.write(path, asdict(made), purpose=PURPOSE, signer=signer)
    return path


def applied(
    checks: Sequence[Check], folder: Path, *, evidence_sha256: str, approvers: Mapping[str, str]
) -> tuple[Check, ...]:
    """The checks with the waivers that hold; one that does not is said in its check's sentence."""
    return tuple(_applied(check, folder / FOLDER / f"{check.number}.json", evidence_sha256, approvers)
                 for check in checks)  # fmt: skip


def _applied(check: Check, path: Path, evidence_sha256: str, approvers: Mapping[str, str]) -> Check:
    if check.outcome is not Outcome.FAIL or not path.is_file():
        return check
    try:
        if check.number in UNWAIVABLE:
            raise _refused(f"check {check.number} cannot be waived by anybody")
        fields, name, key = signed.read(path, purpose=PURPOSE, approvers=approvers)
        waiver = Waiver(**fields)
    except (InputError, TypeError) as error:
        words = error.message if isinstance(error, InputError) else f"{path.name} is no waiver."
        return replace(check, why=f"{check.why} A waiver does not count: {words}")
    if waiver.by != name or not waiver.is_of(check, evidence_sha256):
        return replace(check, why=f"{check.why} A waiver does not count: it is of other measurements.")
    held = Waived(waiver.by, waiver.reason, waiver.day, key)
    return replace(check, outcome=Outcome.WAIVED, waived=held)


def given(result: GateResult) -> Iterator[tuple[Check, Waived]]:
    """The checks that were waived, with who answers for them."""
    yield from ((check, check.waived) for check in result.checks if check.waived)


def _refused(words: str) -> InputError:
    return InputError(
        f"It was not waived: {words}.", code="TRN-101", hint="`lumen-trainer gate` shows each check and its number."
    )
