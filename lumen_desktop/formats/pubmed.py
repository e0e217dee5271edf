"""PubMed citations: baseline and update files (``PubmedArticleSet``) as documents of kind abstract.

Knows no other file and so not which version of a citation is the last. Whoever reads several files keeps these rules:

* files are read in the order of their names (``pubmed25n0001`` …, baseline before updates, as NLM numbers them);
* of two documents with one id the one from the later file holds, in one file the later one (the version ends with the
  day NLM last revised the citation, so it sorts the same way);
* a `Fault` whose reason is one of `WITHDRAWN` takes out the documents with the id in its ``where`` that stand before
  it: in files with smaller names, or earlier in its own. ``where`` is the PMID, exactly as `PublicDocument.id`.

Source: NLM, PubMed DTD 2025 and "MEDLINE/PubMed XML element descriptions".
"""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from lumen_desktop.formats.document import Entity, Fault, Ingredient, PublicDocument, PublicSection
from lumen_desktop.formats.prose import Prose, line
from lumen_desktop.formats.xml import Element, elements

DELETED = "deleted"
RETRACTED = "retracted"
WITHDRAWN = frozenset({DELETED, RETRACTED})  # what an earlier file said of the citation holds no more

_PROSE = Prose(formulae=frozenset({"math"}))
_UNII = re.compile(r"(?=.*[A-Z])(?=.*\d)[A-Z0-9]{10}")
_YEAR = re.compile(r"(?:1[6-9]|20)\d\d")
_MONTHS = {name: f"{number:02}" for number, name in enumerate(
    "jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1)}  # fmt: skip
_RETRACTED_TYPES = frozenset({"D016441", "Retracted Publication"})
_NOTICE_TYPES = frozenset({"D016440", "Retraction of Publication", "Retraction Notice"})
_RETRACTED_BY = frozenset({"RetractionIn", "PartialRetractionIn", "RetractedandRepublishedIn"})
_NOTICE_OF = frozenset({"RetractionOf", "PartialRetractionOf"})
_WORTH_KNOWING = frozenset({"ErratumIn", "ExpressionOfConcernIn", "CorrectedandRepublishedIn", "UpdateIn"})
_NO_TITLE = frozenset({"", "[Not Available].", "Not Available"})


def documents(stream: BinaryIO, name: str) -> Iterator[PublicDocument | Fault]:
    """The citations of one file, in its order, then what it deletes.

    Faults: no-id, no-text (without an abstract), retracted (the article, or a notice of retraction), deleted,
    wrong-form (a chapter of a book).

    Args:
        stream: the XML, unpacked.
        name: the file's name; citations carry their own identity.

    Raises:
        InputError: as `formats.xml` says, or no ``PubmedArticleSet`` (FMT-003).
    """
    del name
    count = 0
    tags = ("PubmedArticle", "PubmedBookArticle", "DeleteCitation")
    for element in elements(stream, *tags, roots=("PubmedArticleSet",)):
        if element.tag == "DeleteCitation":
            yield from _deleted(element)
            continue
        count += 1
        where = f"record {count}"
        if element.tag == "PubmedBookArticle":
            yield Fault(where, "wrong-form", "A chapter of a book, not an article.")
        else:
            yield _citation(element.find("MedlineCitation"), where)


def _deleted(element: Element) -> Iterator[Fault]:
    for pmid in element.findall("PMID"):
        yield Fault((pmid.text or "").strip(), DELETED, "NLM has deleted the citation.")


def _citation(citation: Element | None, where: str) -> PublicDocument | Fault:
    pmid = citation.find("PMID") if citation is not None else None
    identity = (pmid.text or "").strip() if pmid is not None else ""
    article = citation.find("Article") if citation is not None else None
    if not identity.isdecimal() or citation is None or pmid is None or article is None:
        return Fault(where, "no-id", "The record has no PMID or no article.")
    types = [(one.get("UI", ""), (one.text or "").strip()) for one in article.iterfind("PublicationTypeList/*")]
    links = {one.get("RefType", "") for one in citation.iterfind("CommentsCorrectionsList/CommentsCorrections")}
    if words := _retraction(types, links):
        return Fault(identity, RETRACTED, words)
    sections = tuple(_sections(article.find("Abstract")))
    if not sections:
        return Fault(identity, "no-text", "The record has no abstract.")
    title = _title(article)
    return PublicDocument(
        id=identity, kind="abstract", title=title, sections=sections, as_of=_published(article),
        version=f"{pmid.get('Version', '1')} {_revised(citation)}".strip(),
        url=f"https://pubmed.ncbi.nlm.nih.gov/{identity}/",
        entity=Entity(tuple(_ingredients(citation, title))),
        facts=_facts(citation, article, [name for _, name in types], sorted(links & _WORTH_KNOWING)),
    )  # fmt: skip


def _retraction(types: list[tuple[str, str]], links: set[str]) -> str:
    named = {part for one in types for part in one}
    if named & _RETRACTED_TYPES or links & _RETRACTED_BY:
        return "The article was retracted."
    return "A notice of retraction, not an article." if named & _NOTICE_TYPES or links & _NOTICE_OF else ""


def _sections(abstract: Element | None) -> Iterator[PublicSection]:
    """Each labelled part, or the whole; the code is NLM's category of the label, such as RESULTS."""
    if abstract is None:
        return
    for part in abstract.iterfind("AbstractText"):
        text = _PROSE.text(part)
        if text:
            label = line(part.get("Label", "")).strip(" :")
            path = ("Abstract", label) if label and label != "UNLABELLED" else ("Abstract",)
            yield PublicSection(path, part.get("NlmCategory", ""), text)


def _title(article: Element) -> str:
    for name in ("ArticleTitle", "VernacularTitle"):
        found = article.find(name)
        title = _PROSE.text(found) if found is not None else ""
        if title not in _NO_TITLE:
            return title
    return "Untitled article"


def _published(article: Element) -> str:
    """When the issue is of, as exactly as it says: 2016-10-21, 2016-10 or 2016."""
    issue = article.find("Journal/JournalIssue/PubDate")
    if issue is None:
        return ""
    written = issue.findtext("MedlineDate")  # "1998 Dec-1999 Jan", "2000 Spring"
    if written is not None:
        year, first = _YEAR.search(written), re.search(r"[A-Z][a-z]{2}", written)
        return _joined(year.group() if year else "", first.group() if first else "", "")
    return _day(issue)


def _revised(citation: Element) -> str:
    """The day NLM last changed the record."""
    found = citation.find("DateRevised")
    return _day(found if found is not None else citation.find("DateCompleted"))


def _day(date: Element | None) -> str:
    if date is None:
        return ""
    return _joined(*((date.findtext(part) or "").strip() for part in ("Year", "Month", "Day")))


def _joined(year: str, month: str, day: str) -> str:
    number = month.zfill(2) if month.isdecimal() else _MONTHS.get(month[:3].lower(), "")
    parts = [year, number, day.zfill(2) if day.isdecimal() else ""]
    return "-".join(parts[: parts.index("")] if "" in parts else parts)


def _chemicals(citation: Element) -> Iterator[tuple[str, str, str]]:
    """Name, MeSH identifier and UNII of the substances; the register's number is a UNII, a CAS or an EC number."""
    for chemical in citation.iterfind("ChemicalList/Chemical"):
        substance = chemical.find("NameOfSubstance")
        if substance is not None and substance.text:
            number = (chemical.findtext("RegistryNumber") or "").strip()
            yield line(substance.text), substance.get("UI", ""), number if _UNII.fullmatch(number) else ""


def _ingredients(citation: Element, title: str) -> Iterator[Ingredient]:
    """Substances that the article is about: a UNII, and a major topic or a word of the title.

    Water, glucose or iron are in the lists of articles on anything; taken as their subject, they would tie all of them
    into one group.
    """
    major = {
        heading.find("DescriptorName").get("UI")
        for heading in citation.iterfind("MeshHeadingList/MeshHeading")
        if any(part.get("MajorTopicYN") == "Y" for part in heading) and heading.find("DescriptorName") is not None
    }
    shown = title.casefold()
    for name, identity, unii in _chemicals(citation):
        if unii and (identity in major or re.search(rf"\b{re.escape(name.casefold())}\b", shown)):
            yield Ingredient(name, unii)


def _facts(citation: Element, article: Element, types: list[str], notices: list[str]) -> dict[str, Any]:
    """What the record states in fields; none where it says nothing."""
    found = {
        "journal": line(article.findtext("Journal/Title") or ""),
        "publication_types": types,
        "mesh": [line(one.text or "") for one in citation.iterfind("MeshHeadingList/MeshHeading/DescriptorName")],
        "chemicals": [{"name": name, "unii": unii} for name, _, unii in _chemicals(citation)],
        "article_language": (article.findtext("Language") or "").strip(),
        "copyright": line(article.findtext("Abstract/CopyrightInformation") or ""),
        "notices": notices,
    }
    return {key: value for key, value in found.items() if value}
