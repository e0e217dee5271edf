"""MedQuAD: questions that people ask about diseases, with answers from the pages of US health institutes.

Reads the repository's XML (a page a file) and the same items as JSON Lines. Source: Ben Abacha and Demner-Fushman 2019,
arXiv 1901.08079; the repository's readme, which says that the answers of three MedlinePlus collections were taken out:
each of those is a fault "no-text". `trainer.sources.medquad` calls it.
"""

import hashlib
from collections.abc import Iterator
from typing import BinaryIO

from lumen_desktop.errors import InputError
from lumen_desktop.formats import objects, xml
from lumen_desktop.formats.document import Fault, PublicDocument, PublicSection

LICENCE = "CC-BY-4.0"


def documents(stream: BinaryIO, name: str) -> Iterator[PublicDocument | Fault]:
    """Each question with its answer as a document of kind "qa"; its id is "institute/number-digest".

    Several pages of the set bear one number, and so do their questions: a digest of the question tells them apart.
    ``facts``: question, answer, qtype (the set's own type, such as "symptoms"), focus (the disease), cuis (UMLS).
    The section's code is the type; its path says it as a heading.

    Args:
        stream: the file's bytes.
        name: decides the form: ".jsonl" is JSON Lines, all else XML.

    Raises:
        InputError: broken (FMT-001), cut off (FMT-002) or another format (FMT-003).
    """
    if name.lower().endswith((".jsonl", ".json")):
        return _from_lines(stream)
    return _from_xml(stream)


def _from_lines(stream: BinaryIO) -> Iterator[PublicDocument | Fault]:
    for found in objects.lines(stream):
        if isinstance(found, Fault):
            yield found
            continue
        where, item = found
        of = {key: objects.words(value) for key, value in item.items()}
        place = f"{of.get('source', '')}/{of['id']}" if of.get("id") else where
        yield _document(place, of, ())


def _from_xml(stream: BinaryIO) -> Iterator[PublicDocument | Fault]:
    known = False
    for element in xml.elements(stream, "QAPair", "Document"):
        page = element.getroottree().getroot()
        known = known or xml.local(page) == "Document"
        if not known:
            break
        if xml.local(element) == "QAPair":
            yield _pair(element, page)
    if not known:
        raise InputError(
            "The file is not MedQuAD's XML.", code="FMT-003", hint="Choose files from the folders of its repository."
        )


def _pair(element: xml.Element, page: xml.Element) -> PublicDocument | Fault:
    question, answer, focus = element.find("Question"), element.find("Answer"), page.find("Focus")
    number = question.get("qid", "") if question is not None else ""
    number = number or f"{page.get('id', '')}-{element.get('pid', '')}"
    of = {
        "question": "" if question is None else objects.words(xml.words(question)),
        "answer": "" if answer is None else objects.words(xml.words(answer)),
        "qtype": "" if question is None else question.get("qtype", ""),
        "focus": "" if focus is None else objects.words(xml.words(focus)),
        "url": page.get("url", ""),
    }
    cuis = tuple(cui.text.strip() for cui in page.iterfind("FocusAnnotations/UMLS/CUIs/CUI") if cui.text)
    return _document(f"{page.get('source', '')}/{number}", of, cuis)


def _document(place: str, of: dict[str, str], cuis: tuple[str, ...]) -> PublicDocument | Fault:
    question, answer, focus, qtype = (of.get(key, "") for key in ("question", "answer", "focus", "qtype"))
    if not question:
        return Fault(place, "wrong-form", "The item has no question.")
    if not answer:
        return Fault(place, "no-text", "The item has no answer.")
    digest = hashlib.sha256(question.encode()).hexdigest()[:8]
    return PublicDocument(
        id=f"{place}-{digest}",
        kind="qa",
        title=focus or question,
        sections=(PublicSection((qtype[:1].upper() + qtype[1:],) if qtype else (), qtype, answer),),
        url=of.get("url", ""),
        licence=LICENCE,
        facts={"question": question, "answer": answer, "qtype": qtype, "focus": focus, "cuis": list(cuis)},
    )
