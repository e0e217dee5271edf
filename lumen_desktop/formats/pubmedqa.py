"""PubMedQA: yes, no or maybe to the question of a paper, with its abstract and its conclusion.

Reads all three parts, which have one form: PQA-L (experts decided), PQA-A (made from titles), PQA-U (undecided). Knows
nothing of which items are kept for evaluation; `trainer.sources.pubmedqa` does. Source: Jin et al. 2019, arXiv
1909.06146; github.com/pubmedqa/pubmedqa.
"""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from lumen_desktop.errors import InputError
from lumen_desktop.formats import objects
from lumen_desktop.formats.document import Fault, PublicDocument, PublicSection

LICENCE = "MIT"
CONCLUSION = "CONCLUSION"  # code of the section with the long answer, which the question's own passages lack
DECISIONS = ("yes", "no", "maybe")
_PMID = re.compile(r"\d{1,9}")
_YEAR = re.compile(r"\d{4}")


def documents(stream: BinaryIO, name: str) -> Iterator[PublicDocument | Fault]:
    """Each item as a document of kind "qa" with its PMID as id.

    Sections: the abstract's parts as the set cuts them (code: their label), then the conclusion (code `CONCLUSION`).
    ``facts``: question, final_decision (yes, no, maybe; absent where nobody decided), mesh (headings).

    Args:
        stream: the file's bytes, one object whose keys are PMIDs.
        name: unused: all parts have one form.

    Raises:
        InputError: broken (FMT-001), cut off (FMT-002) or another format (FMT-003).
    """
    del name
    found = False
    for (key,), item in objects.entries(stream, depth=1):
        if not found and not (_PMID.fullmatch(key) and isinstance(item, dict) and "QUESTION" in item):
            raise _another()
        found = True
        yield _document(key, item) if isinstance(item, dict) else Fault(key, "wrong-form", "The item is no object.")
    if not found:
        raise _another()


def _document(pmid: str, item: dict[str, Any]) -> PublicDocument | Fault:
    question, decision = objects.words(item.get("QUESTION")), objects.words(item.get("final_decision"))
    if not _PMID.fullmatch(pmid) or not question or decision not in ("", *DECISIONS):
        return Fault(pmid, "wrong-form", "The item lacks a PMID or a question, or its decision is none of the three.")
    sections = tuple(_sections(item))
    if not any(section.code != CONCLUSION for section in sections):
        return Fault(pmid, "no-text", "The item has no abstract.")
    year = objects.words(item.get("YEAR"))
    facts: dict[str, Any] = {"question": question, "mesh": _texts(item.get("MESHES"))}
    facts |= {"final_decision": decision} if decision else {}
    return PublicDocument(
        id=pmid,
        kind="qa",
        title=question,
        sections=sections,
        as_of=year if _YEAR.fullmatch(year) else "",
        url=f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/",
        licence=LICENCE,
        facts=facts,
    )


def _sections(item: dict[str, Any]) -> Iterator[PublicSection]:
    contexts, labels = _texts(item.get("CONTEXTS")), _texts(item.get("LABELS"))
    labels = labels if len(labels) == len(contexts) else [""] * len(contexts)
    for label, text in zip(labels, contexts, strict=True):
        if text:
            yield PublicSection((label.capitalize(),) if label else (), label, text)
    if conclusion := objects.words(item.get("LONG_ANSWER")):
        yield PublicSection(("Conclusion",), CONCLUSION, conclusion)


def _texts(value: object) -> list[str]:
    return [objects.words(one) for one in value] if isinstance(value, list) else []


def _another() -> InputError:
    return InputError(
        "The file is not PubMedQA's.", code="FMT-003", hint="Choose ori_pqal.json, ori_pqaa.json or ori_pqau.json."
    )
