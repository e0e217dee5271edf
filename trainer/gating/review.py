"""A person's judgement: answers drawn by the evaluation's own digest, judged one by one, signed.

Nobody chooses the answers: which are drawn follows from what was answered. Three steps: `write_sheet` draws, the person
writes accept or reject beside each, `sign` seals; the gate then reads it with `looked`.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from lumen_desktop.bundle import Signer
from lumen_desktop.errors import InputError
from trainer.config import Config
from trainer.evaluation.results import Item
from trainer.gating import signed
from trainer.gating.evidence import Asked, Evidence
from trainer.gating.finding import Looked
from trainer.lines import read_examples, write_json
from trainer.ownership.work import Work

PURPOSE = "LUMEN-REVIEW-v1"
SHEET, NAME = "review-sheet.json", "review.json"
VERDICTS = ("accept", "reject")


def write_sheet(config: Config, evidence: Evidence) -> Path:
    """Draws the answers and writes them for a person to judge; a sheet that is there is not overwritten.

    Raises:
        InputError: a sheet is there already (TRN-109).
        StorageError: TRN-010.
    """
    work = Work(config.work_folder)
    path = work.gated / SHEET
    if path.exists():
        raise _refused(f"there is a {SHEET} already", "Judge that one, or move it away.")
    drawn = draw(evidence.build, config.gate.review_items)
    asked = _questions(work, {item.id for item in drawn})
    items = [
        {"set": item.set, "id": item.id, "question": asked.get(item.id, ""), "said": item.said, "wanted": item.wanted,
         "verdict": "", "note": ""}
        for item in drawn
    ]  # fmt: skip
    write_json(path, {"evaluation_sha256": evidence.build.sha256, "items": items, "verdicts": list(VERDICTS)})
    return path


def sign(config: Config, evidence: Evidence, *, by: str, signer: Signer, today: date) -> Path:
    """Signs the filled sheet.

    Raises:
        InputError: no sheet, or not filled in, or of another evaluation (TRN-109); the key may not (TRN-102).
        StorageError: TRN-010.
    """
    folder = Work(config.work_folder).gated
    signed.require_approver(signer, config.gate.approvers, by=by)
    try:
        sheet = json.loads((folder / SHEET).read_bytes())
        judged = [{name: str(one[name]) for name in ("set", "id", "verdict", "note")} for one in sheet["items"]]
    except (OSError, ValueError, KeyError, TypeError):
        raise _refused(f"{SHEET} is not there or damaged", "`lumen-trainer gate --review` writes it.") from None
    if sheet["evaluation_sha256"] != evidence.build.sha256 or not _is_drawn(judged, evidence, config):
        raise _refused(f"{SHEET} is not of this evaluation's answers", "Move it away, draw again, judge those.")
    blank = sum(one["verdict"] not in VERDICTS for one in judged)
    if blank:
        raise _refused(f"{blank} of {len(judged)} answers have no verdict", "Write accept or reject beside each.")
    fields = {"evaluation_sha256": evidence.build.sha256, "by": by, "day": today.isoformat(), "items": judged}
    signed.write(folder / NAME, fields, purpose=PURPOSE, signer=signer)
    return folder / NAME


def looked(config: Config, evidence: Evidence) -> Looked:
    """What a signed review says; nothing where there is none."""
    path, gate = Work(config.work_folder).gated / NAME, config.gate
    if not path.is_file():
        return Looked(told=("Nobody has judged answers and signed for it.",))
    try:
        fields, name, _ = signed.read(path, purpose=PURPOSE, approvers=gate.approvers)
        items: list[dict[str, str]] = fields["items"]
        whole = fields["evaluation_sha256"] == evidence.build.sha256 and _is_drawn(items, evidence, config)
    except InputError as error:
        return Looked(told=(f"A review does not count: {error.message}",))
    except (KeyError, TypeError):
        whole = False
    if not whole:
        return Looked(told=("A review does not count: it is of other answers.",))
    accepted = sum(one["verdict"] == VERDICTS[0] for one in items)
    share = accepted / len(items) if items else 0.0
    faults = [] if share >= gate.review_accepted else [f"{len(items) - accepted} answers were rejected."]
    faults += [f"Only {len(items)} answers were there to judge."] if len(items) < gate.review_items else []
    seen = f"{accepted} of {len(items)} accepted by {name} on {fields['day']}"
    return Looked(seen, tuple(faults), figures={"accepted": share, "items": len(items)})


def draw(build: Asked, count: int) -> list[Item]:
    """Answers in words, a set after the other, as many of each as there are places; the same for the same answers."""
    seed = build.sha256
    sets = [sorted(_worded(build, score.set), key=lambda item: _place(seed, item)) for score in build.evaluation.scores]
    found: list[Item] = []
    seen: set[str] = set()
    for turn in range(max(map(len, sets), default=0)):
        for items in sets:
            if turn < len(items) and len(found) < count and items[turn].id not in seen:
                seen.add(items[turn].id)
                found.append(items[turn])
    return found


def _worded(build: Asked, name: str) -> Iterator[Item]:
    return (item for item in build.items(name) if not item.logits)


def _place(seed: str, item: Item) -> str:
    return hashlib.sha256(f"{seed}\0{item.set}\0{item.id}".encode()).hexdigest()


def _is_drawn(judged: Sequence[Mapping[str, Any]], evidence: Evidence, config: Config) -> bool:
    drawn = [(item.set, item.id) for item in draw(evidence.build, config.gate.review_items)]
    return [(one["set"], one["id"]) for one in judged] == drawn


def _questions(work: Work, wanted: set[str]) -> dict[str, str]:
    """The questions of own sets, by the example's id; public sets' stand in their files."""
    test = work.dataset / "test.jsonl"
    return {one.id: one.question for one in read_examples(test) if one.id in wanted} if test.is_file() else {}


def _refused(words: str, hint: str) -> InputError:
    return InputError(f"{words[:1].upper()}{words[1:]}.", code="TRN-109", hint=hint)
