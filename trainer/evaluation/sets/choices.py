"""MedQA, MedMCQA, PubMedQA, MMLU and MIRAGE, as their publishers give them out, as questions with options.

Sources: Jin et al. 2021 (MedQA), Pal et al. 2022 (MedMCQA), Jin et al. 2019 (PubMedQA), Hendrycks et al. 2021 (MMLU),
Xiong et al. 2024 (MIRAGE). Knows no model; the package's `letters` calls it.
"""

from collections.abc import Iterator
from pathlib import Path

from lumen_desktop.formats import mcq, pubmedqa
from lumen_desktop.formats.document import PublicDocument
from trainer.evaluation.prompts import Choice, Form
from trainer.evaluation.sets.reading import bad, rows, translated
from trainer.sources.pubmedqa_held_out import TEST_PMIDS

MMLU_SUBJECTS = (
    "anatomy", "clinical_knowledge", "college_biology", "college_medicine", "medical_genetics", "professional_medicine",
)  # fmt: skip
_MMLU_FIELDS = 6
_MIRAGE_FORMS: dict[str, Form] = {"medqa": "medqa", "medmcqa": "medmcqa", "mmlu": "mmlu"}


def medqa(path: Path) -> Iterator[Choice]:
    """MedQA, JSON lines with question, options and answer_idx; refusals as the module `reading` says."""
    return _examination(path, mcq.MEDQA, "medqa")


def medmcqa(path: Path) -> Iterator[Choice]:
    """MedMCQA, JSON lines or a list with opa to opd and cop."""
    return _examination(path, mcq.MEDMCQA, "medmcqa")


def _examination(path: Path, form: str, name: Form) -> Iterator[Choice]:
    for one in translated(path, mcq.documents):
        if one.facts["form"] != form:
            raise bad(path, f"the question is not in {name}'s form", one.id)
        yield _choice(one, name, name)


def mirage(path: Path) -> Iterator[Choice]:
    """MIRAGE's benchmark.json: a set each of its sets, named mirage/medqa and so on."""
    for one in translated(path, mcq.documents):
        if one.facts["form"] != mcq.MIRAGE:
            raise bad(path, "it is not MIRAGE's benchmark.json")
        of = str(one.facts["subject"])
        key = one.id.partition("/")[2]
        yield _choice(one, f"mirage/{of}", _MIRAGE_FORMS.get(of, "medqa"), subject=key.rpartition("-")[0])


def _choice(one: PublicDocument, name: str, form: Form, *, subject: str = "") -> Choice:
    facts = one.facts
    topic = subject or str(facts["subject"])
    return Choice(
        id=one.id, set=name, form=form, question=str(facts["question"]), options=tuple(facts["options"].values()),
        wanted=str(facts["answer"]), subject=topic, facts={"subject": topic} if topic else {},
    )  # fmt: skip


def pubmed(path: Path) -> Iterator[Choice]:
    """PubMedQA with its abstracts; of a file that holds the public test half only that half, as everybody scores it."""
    found = [one for one in translated(path, pubmedqa.documents) if "final_decision" in one.facts]
    tested = [one for one in found if one.id in TEST_PMIDS]
    if not found:
        raise bad(path, "it holds no question that experts decided")
    for one in tested or found:
        context = "\n".join(section.text for section in one.sections if section.code != pubmedqa.CONCLUSION)
        yield Choice(
            id=one.id, set="pubmedqa", form="pubmedqa", question=str(one.facts["question"]),
            options=pubmedqa.DECISIONS, wanted=str(one.facts["final_decision"]), context=context,
        )  # fmt: skip


def mmlu(folder: Path) -> Iterator[Choice]:
    """The six medical subjects of MMLU: SUBJECT_test.csv without a heading, in the folder or in "test" in it.

    Raises:
        InputError: a subject is missing, or a line is wrong (TRN-090).
    """
    for subject in MMLU_SUBJECTS:
        places = [folder / f"{subject}_test.csv", folder / "test" / f"{subject}_test.csv"]
        path = next((place for place in places if place.is_file()), None)
        if path is None:
            raise bad(folder, f"it holds no {subject}_test.csv")
        for number, (where, cells) in enumerate(rows(path)):
            if len(cells) != _MMLU_FIELDS or cells[-1] not in set("ABCD"):
                raise bad(path, "the line is no question, four options and a letter from A to D", where)
            yield Choice(
                id=f"{subject}-{number:03d}", set="mmlu", form="mmlu", question=cells[0], options=tuple(cells[1:-1]),
                wanted=cells[-1], subject=subject, facts={"subject": subject},
            )  # fmt: skip
