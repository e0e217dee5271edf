"""A small work folder as `lumen-trainer collect` and `dataset` leave it, to look at and to judge."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lumen_desktop.formats.document import Entity, Ingredient
from trainer.ownership.manifest import FileFact, Made
from trainer.ownership.work import SPLITS, Work
from trainer.records import Example, Message, Origin, Record, Reject

MADE = Made(b"dataset:\n  seed: 7\n", {"dataset": 7}, (FileFact("labels.zip", 1234, "ab" * 32),))
REPORT: dict[str, Any] = {
    "seed": 7,
    "steps": [
        {"name": "quality", "taken": 12, "left": 9, "reasons": {"too-short": 2, "not-in-span": 1}},
        {"name": "near duplicates", "taken": 9, "left": 6, "reasons": {"near-duplicate": 3}},
    ],
    "checked": {"held": 6},
    "personal_data": {"name": 3, "phone": 1},
    "decontamination": {"pubmedqa": {"items": 500, "not_checkable_8": 32, "unchecked": 0, "examples": 4}},
    "splits": {"train": {"examples": 4, "groups": 2}, "test": {"examples": 1, "groups": 1}},
    "mix": {"train": {"label": {"wanted": 10, "there": 4, "taken": 4, "missing": 6}}},
}


def record(
    doc_id: str, licence: str, *, number: int = 1, text: str = "Take one tablet of 20 mg.", **more: Any
) -> Record:
    """A section of a document under a licence."""
    fields: dict[str, Any] = {
        "id": f"{doc_id}#{number}", "doc_id": doc_id, "source": doc_id.partition(":")[0], "kind": "label",
        "version": "3", "as_of": "2026-01-31", "url": "https://example.org/" + doc_id.replace(":", "/"),
        "licence": licence, "commercial": True, "file": "labels.zip!one.xml", "title": f"Title of {doc_id}",
        "entity": Entity((Ingredient("atorvastatin", "A0JWA85V8F"),)), "section_code": "34068-7",
        "section_path": ("Dosage",), "language": "en", "text": text,
    }  # fmt: skip
    return Record(**{**fields, **more})


def example(family: str, *records: Record, question: str = "How much?", answer: str = "20 mg.", **more: Any) -> Example:
    """A conversation that rests on records."""
    fields: dict[str, Any] = {
        "family": family, "template": "plain", "messages": (Message("user", question), Message("assistant", answer)),
        "origins": tuple(Origin(one.id, 0, 4) for one in records), "doc_ids": tuple(one.doc_id for one in records),
        "groups": ("drug:atorvastatin",), "licences": tuple(sorted({one.licence for one in records})),
        "commercial": all(one.commercial for one in records), "as_of": "2026-01-31", "answerable": True,
    }  # fmt: skip
    return Example(**{**fields, **more})


def built(
    folder: Path,
    records: Iterable[Record],
    *,
    train: Iterable[Example] = (),
    validation: Iterable[Example] = (),
    test: Iterable[Example] = (),
    rejects: Iterable[Reject] = (),
) -> Work:
    """Writes a work folder."""
    work = Work(folder)
    work.dataset.mkdir(parents=True)
    work.collected.mkdir()
    for one in records:
        path = work.collected / one.source / "part-00000.jsonl"
        path.parent.mkdir(exist_ok=True)
        with path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(one.as_line() + "\n")
    for split, examples in zip(SPLITS, (train, validation, test), strict=True):
        _lines(work.dataset / f"{split}.jsonl", (one.as_line() for one in examples))
    rejects = list(rejects)
    _lines(work.collected / "rejects.jsonl", (one.as_line() for one in rejects if one.step == "collect"))
    _lines(work.dataset / "rejects.jsonl", (one.as_line() for one in rejects if one.step != "collect"))
    return work


def _lines(path: Path, lines: Iterable[str]) -> None:
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8", newline="\n")


LABEL = record("dailymed:a", "LicenseRef-DailyMed")
LEAFLET = record("ema:b", "LicenseRef-EMA-Reuse")
DRUGBANK = record("drugbank:DB1", "LicenseRef-DrugBank", commercial=False)
ARTICLE = record("pmc:PMC1", "CC-BY-4.0", facts={"authors": ["Ada Bell", "Cy Dole"]}, title="A trial of tablets")


def sellable(folder: Path) -> Work:
    """A build without a source that forbids a sale."""
    train = [example("label", LABEL, question=f"How much on day {day}?") for day in range(4)]
    return built(
        folder, [LABEL, record("dailymed:a", "LicenseRef-DailyMed", number=2, text="Store it dry."), LEAFLET],
        train=train, validation=[example("patient", LEAFLET)], test=[example("label", LABEL, question="And then?")],
        rejects=[Reject("collect", "labels.zip!two.xml", "no-text", "The document has no text."),
                 Reject("quality", "0f" * 16, "too-short", "Its answer is too short.")],
    )  # fmt: skip


def mixed(folder: Path) -> Work:
    """A build with two examples that rest on DrugBank: all of one family, half of another."""
    return built(
        folder, [LABEL, DRUGBANK],
        train=[example("interaction", DRUGBANK), example("label", LABEL, DRUGBANK, question="Both?"),
               example("label", LABEL)],
    )  # fmt: skip
