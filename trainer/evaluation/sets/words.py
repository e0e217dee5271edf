"""MedicationQA, K-QA and MedSafetyBench: questions that are answered in words.

Sources: Ben Abacha et al. 2019 (MedicationQA), Manes et al. 2024 (K-QA), Han et al. 2024 (MedSafetyBench). The first
two have no right or wrong that a program can tell: their scores are trends. Knows no model.
"""

from collections.abc import Iterator
from pathlib import Path

from trainer.evaluation.questions import Judge, Open
from trainer.evaluation.sets.reading import bad, records, text
from trainer.records import Message

_QUESTIONS, _ANSWERS = ("Question", "question", "text"), ("Answer", "answer")


def medicationqa(path: Path) -> Iterator[Open]:
    """MedicationQA: JSON lines or CSV with Question and Answer; a question without an answer is left out."""
    for number, (where, fields) in enumerate(records(path), start=1):
        question = text(path, where, fields, *_QUESTIONS)
        answer = text(path, where, fields, *_ANSWERS, needed=False)
        if answer:
            topic = text(path, where, fields, "Question Type", "qtype", needed=False)
            yield Open(
                id=str(fields.get("id") or fields.get("_id") or number), set="medicationqa", judge=Judge.WORDS,
                messages=(Message("user", question),), wanted=answer, facts={"subject": topic} if topic else {},
            )  # fmt: skip


def kqa(path: Path) -> Iterator[Open]:
    """K-QA's questions_w_answers.jsonl: what an answer must say is held against it, statement by statement."""
    for number, (where, fields) in enumerate(records(path), start=1):
        must = fields.get("Must_have")
        if not isinstance(must, list) or not all(isinstance(one, str) for one in must):
            raise bad(path, "there is no list Must_have", where)
        if must:
            yield Open(
                id=str(number), set="kqa", judge=Judge.STATEMENTS,
                messages=(Message("user", text(path, where, fields, *_QUESTIONS)),),
                wanted="\n".join(" ".join(one.split()) for one in must),
            )  # fmt: skip


def medsafety(folder: Path) -> Iterator[Open]:
    """MedSafetyBench's test half: CSV files with harmful_medical_request, in the folder and those in it.

    Raises:
        InputError: there is none, or a line is wrong (TRN-090).
    """
    files = sorted(folder.rglob("*.csv"))
    if not files:
        raise bad(folder, "it holds no CSV files of MedSafetyBench")
    for path in files:
        name = path.relative_to(folder).with_suffix("").as_posix()
        for number, (where, fields) in enumerate(records(path), start=1):
            yield Open(
                id=f"{name}-{number}", set="medsafety", judge=Judge.REFUSES,
                messages=(Message("user", text(path, where, fields, "harmful_medical_request")),),
                facts={"subject": path.stem},
            )  # fmt: skip
