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
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from lumen_desktop.formats.document import Entity, Fault, Ingredient, PublicDocument, PublicSection
from lumen_desktop.formats.prose import Prose, line
from lumen_desktop.formats.xml import Element, elements, path

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

_ISSUE = "Article/Journal/JournalIssue/PubDate"
_PMID = path("normalize-space(PMID)")
_VERSION = path("string(PMID/@Version)")
_ARTICLE = path("Article")
_PARTS = path("Article/Abstract/AbstractText")
_TITLES = path("Article/ArticleTitle | Article/VernacularTitle")
_MEDLINE_DATE = path(f"string({_ISSUE}/MedlineDate)")
_PUBLISHED = tuple(path(f"normalize-space({_ISSUE}/{part})") for part in ("Year", "Month", "Day"))
_CHANGED = tuple(
    path(f"normalize-space((DateRevised | DateCompleted)[last()]/{part})") for part in ("Year", "Month", "Day")
)
_TYPES = path("Article/PublicationTypeList/PublicationType/text()")
_TYPE_IDS = path("Article/PublicationTypeList/PublicationType/@UI")
_LINKS = path("CommentsCorrectionsList/CommentsCorrections/@RefType[. != 'Cites']")
_MESH = path("MeshHeadingList/MeshHeading/DescriptorName/text()")
_MAJOR = path("MeshHeadingList/MeshHeading[*/@MajorTopicYN = 'Y']/DescriptorName/@UI")
_JOURNAL = path("string(Article/Journal/Title)")
_LANGUAGE = path("normalize-space(Article/Language)")
_COPYRIGHT = path("string(Article/Abstract/CopyrightInformation)")
_WHOLE = "ChemicalList/Chemical[RegistryNumber/text() and NameOfSubstance/text() and NameOfSubstance/@UI]"
_SUBSTANCES = tuple(
    path(f"{_WHOLE}/{part}") for part in ("NameOfSubstance/text()", "NameOfSubstance/@UI", "RegistryNumber/text()")
)


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
    identity = _PMID(citation) if citation is not None else ""
    if citation is None or not identity.isdecimal() or not _ARTICLE(citation):
        return Fault(where, "no-id", "The record has no PMID or no article.")
    types, links = _TYPES(citation), frozenset(_LINKS(citation))
    if words := _retraction(frozenset(types).union(_TYPE_IDS(citation)), links):
        return Fault(identity, RETRACTED, words)
    sections = tuple(_sections(citation))
    if not sections:
        return Fault(identity, "no-text", "The record has no abstract.")
    title, chemicals = _title(citation), list(_chemicals(citation))
    return PublicDocument(
        id=identity, kind="abstract", title=title, sections=sections, as_of=_published(citation),
        version=f"{_VERSION(citation) or '1'} {_day(citation, _CHANGED)}".strip(),
        url=f"https://pubmed.ncbi.nlm.nih.gov/{identity}/",
        entity=Entity(tuple(_ingredients(chemicals, citation, title))),
        facts=_facts(citation, chemicals, types, sorted(links & _WORTH_KNOWING)),
    )  # fmt: skip


def _retraction(named: frozenset[str], links: frozenset[str]) -> str:
    if named & _RETRACTED_TYPES or links & _RETRACTED_BY:
        return "The article was retracted."
    return "A notice of retraction, not an article." if named & _NOTICE_TYPES or links & _NOTICE_OF else ""


def _sections(citation: Element) -> Iterator[PublicSection]:
    """Each labelled part, or the whole; the code is NLM's category of the label, such as RESULTS."""
    for part in _PARTS(citation):
        text = _PROSE.text(part)
        if text:
            label = line(part.get("Label", "")).strip(" :")
            headings = ("Abstract", label) if label and label != "UNLABELLED" else ("Abstract",)
            yield PublicSection(headings, part.get("NlmCategory", ""), text)


def _title(citation: Element) -> str:
    titles = (_PROSE.text(one) for one in _TITLES(citation))
    return next((title for title in titles if title not in _NO_TITLE), "Untitled article")


def _published(citation: Element) -> str:
    """When the issue is of, as exactly as it says: 2016-10-21, 2016-10 or 2016."""
    written = _MEDLINE_DATE(citation)  # "1998 Dec-1999 Jan", "2000 Spring"
    if written:
        year, first = _YEAR.search(written), re.search(r"[A-Z][a-z]{2}", written)
        return _joined(year.group() if year else "", first.group() if first else "", "")
    return _day(citation, _PUBLISHED)


def _day(citation: Element, parts: tuple[Callable[[Element], Any], ...]) -> str:
    return _joined(*(part(citation) for part in parts))


def _joined(year: str, month: str, day: str) -> str:
    number = month.zfill(2) if month.isdecimal() else _MONTHS.get(month[:3].lower(), "")
    parts = [year, number, day.zfill(2) if day.isdecimal() else ""]
    return "-".join(parts[: parts.index("")] if "" in parts else parts)


def _chemicals(citation: Element) -> Iterator[tuple[str, str, str]]:
    """Name, MeSH identifier and UNII of the substances; the register's number is a UNII, a CAS or an EC number."""
    names, identities, numbers = (each(citation) for each in _SUBSTANCES)
    if len(names) == len(identities) == len(numbers):
        for name, identity, number in zip(names, identities, numbers, strict=True):
            yield line(name), identity, number if _UNII.fullmatch(number) else ""


def _ingredients(chemicals: list[tuple[str, str, str]], citation: Element, title: str) -> Iterator[Ingredient]:
    """Substances that the article is about: a UNII, and a major topic or a word of the title.

    Water, glucose or iron are in the lists of articles on anything; taken as their subject, they would tie all of them
    into one group.
    """
    registered = [one for one in chemicals if one[2]]
    if not registered:
        return
    major, shown = frozenset(_MAJOR(citation)), f" {re.sub(r'[^a-z0-9]+', ' ', title.lower())} "
    for name, identity, unii in registered:
        if identity in major or f" {re.sub(r'[^a-z0-9]+', ' ', name.lower()).strip()} " in shown:
            yield Ingredient(name, unii)


def _facts(
    citation: Element, chemicals: list[tuple[str, str, str]], types: list[str], notices: list[str]
) -> dict[str, Any]:
    """What the record states in fields; none where it says nothing."""
    found: dict[str, Any] = {
        "journal": line(_JOURNAL(citation)),
        "publication_types": types,
        "mesh": [line(heading) for heading in _MESH(citation)],
        "chemicals": [{"name": name, "unii": unii} for name, _, unii in chemicals],
        "article_language": _LANGUAGE(citation),
        "copyright": line(_COPYRIGHT(citation)),
        "notices": notices,
    }
    return {key: value for key, value in found.items() if value}
