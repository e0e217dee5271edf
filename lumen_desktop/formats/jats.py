"""Full text of articles in JATS, as PMC's open access subset holds it, with the licence that each article states.

Knows no other file. What a licence allows, `trainer.licences` knows; here it only gets its name. Where an article's
words can be read as two licences, the narrower one is named.

Source: ANSI/NISO Z39.96 (JATS 1.3) and the NLM journal archiving DTD 2.3; PMC tagging guidelines, permissions.
"""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from lumen_desktop.formats.document import Fault, PublicDocument, PublicSection
from lumen_desktop.formats.prose import FORMULA, Prose, line
from lumen_desktop.formats.xml import Element, elements, words

NON_COMMERCIAL = "LicenseRef-CC-NonCommercial"  # any variant that forbids commerce or changed versions
UNNUMBERED = "LicenseRef-CC-BY"  # Creative Commons Attribution, the version not said

_XLINK = "{http://www.w3.org/1999/xlink}href"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_PROSE = Prose(
    blocks=frozenset(
        "p title label list list-item def-list def-item disp-quote boxed-text statement table-wrap table-wrap-foot"
        " caption disp-formula disp-formula-group verse-group verse-line speech sec abstract preformat".split()
    ),
    left_out=frozenset(
        "fig fig-group graphic inline-graphic media supplementary-material inline-supplementary-material ref-list"
        " fn fn-group table-wrap-foot object-id alt-text long-desc permissions attrib index-term".split()
    ),
    formulae=frozenset({"inline-formula", "disp-formula", "math", "tex-math", "chem-struct-wrap"}),
)
_NUMBERS_ONLY = re.compile(r"[\d\s,;–\u2212\-\[\]()]*")
_EMPTY_BRACKETS = re.compile(r"\s?(?:\[[\s,;–\u2212-]*\]|\((?:[\s,;–\u2212-]*)\))")
_LOOSE = re.compile(r"\s+([.,;:])(?=\s|$)")
_OTHER_ABSTRACTS = frozenset("graphical teaser toc key-points video".split())
_NO_SCIENCE = frozenset(
    "references|competing interests|conflict of interest|conflicts of interest|declaration of competing interest"
    "|authors' contributions|authors’ contributions|author contributions|acknowledgements|acknowledgments"
    "|supplementary material|supporting information|pre-publication history|abbreviations|funding"
    "|data availability statement|publisher's note|publisher’s note".split("|")
)
_NOTICES = frozenset({"retraction", "partial-retraction", "expression-of-concern"})
_RETRACTED_BY = frozenset({"retraction-forward", "partial-retraction-forward", "retraction"})
_CC = re.compile(r"creativecommons\.org/(licenses/(by[a-z-]*)|publicdomain/zero)/?(\d\.\d)?", re.IGNORECASE)
_NARROW = re.compile(r"non-?\s?commercial|no-?\s?deriv|\bby-(?:nc|nd)\b|\bcc[- ]by[- ]n[cd]\b", re.IGNORECASE)
_ALIKE = re.compile(r"share-?\s?alike|\bcc[- ]by[- ]sa\b", re.IGNORECASE)
_NAMED = re.compile(
    r"(?:creative commons attribution|\bcc[- ]by)\s*(?:\(cc[- ]by\)\s*)?(?:licen[cs]e\s*)?(?:version\s*)?(\d\.\d)?",
    re.IGNORECASE,
)
_ZERO = re.compile(r"\bcc-?0\b|creative commons (?:zero|public domain)|cc zero", re.IGNORECASE)
_FEDERAL = re.compile(
    r"works? of the (?:u\.?s\.?|united states) government|(?:u\.?s\.?|united states) government work|17 u\.?s\.?c",
    re.IGNORECASE,
)


def documents(stream: BinaryIO, name: str) -> Iterator[PublicDocument | Fault]:
    """The articles of one file: one ``article``, or a set of them as PMC's services answer.

    Faults: no-id, no-text, retracted (the article, or a notice of it). An article that states no licence is a document
    whose ``licence`` is empty.

    Args:
        stream: the XML, unpacked.
        name: the file's name, for nothing: articles carry their own identity.

    Raises:
        InputError: as `formats.xml` says, or no JATS article (FMT-003).
    """
    del name
    roots = ("article", "pmc-articleset", "OAI-PMH")
    for count, article in enumerate(elements(stream, "{*}article", roots=roots), start=1):
        yield _article(article, f"record {count}")


def _article(article: Element, where: str) -> PublicDocument | Fault:
    front = _first(article, "article-meta")
    ids = _ids(front) if front is not None else {}
    identity = f"PMC{ids['pmc']}" if "pmc" in ids else ids.get("pmid") or ids.get("doi", "")
    if front is None or not identity:
        return Fault(where, "no-id", "The article has no PMC number, PMID or DOI.")
    if _retracted(article, front):
        return Fault(identity, "retracted", "The article was retracted, or is the notice of it.")
    sections = tuple(_sections(article, front))
    if not sections:
        return Fault(identity, "no-text", "The article has neither an abstract nor a body.")
    title = _first(front, "article-title")
    return PublicDocument(
        id=identity, kind="article", title=_PROSE.text(title) if title is not None else "Untitled article",
        sections=sections, version=ids.get("version", ""), as_of=_published(front), licence=licence(front),
        url=f"https://pmc.ncbi.nlm.nih.gov/articles/{identity}/" if "pmc" in ids else _doi(ids),
        language=(article.get(_LANG) or "en")[:2].lower(), facts=_facts(article, front, ids),
    )  # fmt: skip


def licence(front: Element) -> str:
    """Identifier of the licence in an article's ``permissions``; empty where none is recognised.

    The address and the words of all its licences count: a waiver for the data beside CC BY for the article gives
    CC BY, any hint at a non-commercial variant gives that.

    Source: SPDX licence list; Creative Commons' addresses.
    """
    said = " ".join(_said(front))
    found = [(match.group(2) or "").lower() for match in _CC.finditer(said)]
    if _NARROW.search(said) or any("nc" in variant or "nd" in variant for variant in found):
        return NON_COMMERCIAL
    if _ALIKE.search(said) or any("sa" in variant for variant in found):
        return f"CC-BY-SA-{_version(said) or '4.0'}"
    if "by" in found or _NAMED.search(said):
        version = _version(said)
        return f"CC-BY-{version}" if version else UNNUMBERED
    if found or _ZERO.search(said):
        return "CC0-1.0"
    return "LicenseRef-US-PD" if _FEDERAL.search(said) else ""


def _said(front: Element) -> Iterator[str]:
    """Addresses and words of the licences, a licence's own address first."""
    for permissions in _all(front, "permissions"):
        for part in _all(permissions, "license", "license_ref"):
            yield from (one.get(_XLINK, "") for one in part.iter())
            yield words(part)
        yield from (words(one) for one in _all(permissions, "copyright-statement"))


def _version(said: str) -> str:
    """The version of the attribution licence, from its address, else from its name."""
    for match in _CC.finditer(said):
        if match.group(2) and match.group(3):
            return match.group(3)
    return next((match.group(1) for match in _NAMED.finditer(said) if match.group(1)), "")


def _sections(article: Element, front: Element) -> Iterator[PublicSection]:
    for abstract in _all(front, "abstract"):
        if abstract.get("abstract-type", "") not in _OTHER_ABSTRACTS:
            yield from _parts(abstract, ("Abstract",), "abstract")
    for body in (child for child in article if _name(child) == "body"):
        yield from _parts(body, (), "")


def _parts(element: Element, path: tuple[str, ...], code: str) -> Iterator[PublicSection]:
    """What stands directly in an element as one section, then the sections in it; the code is that of ``sec-type``."""
    own: list[str] = []
    inner: list[PublicSection] = []
    for child in element:
        name = _name(child)
        if name == "sec":
            inner += _sec(child, path, code)
        elif name and name not in {"title", "label", "sec-meta"} | _PROSE.left_out:
            own += _lines(child)
    text = "\n".join(own)
    if text.replace(FORMULA, "").strip():
        yield PublicSection(path or ("Text",), code, text)
    yield from inner


def _sec(sec: Element, path: tuple[str, ...], code: str) -> Iterator[PublicSection]:
    found = next((child for child in sec if _name(child) == "title"), None)
    title = _PROSE.text(found).replace("\n", " ").strip(" :.") if found is not None else ""
    if title.lower() not in _NO_SCIENCE and sec.get("sec-type") != "supplementary-material":
        yield from _parts(sec, (*path, title) if title else path, sec.get("sec-type") or code)


def _lines(block: Element) -> list[str]:
    """Lines of a block, marks of references gone; a label that stands alone goes before its caption."""
    for mark in _all(block, "xref"):
        if mark.get("ref-type") in {"bibr", "fn", "table-fn"} and _NUMBERS_ONLY.fullmatch("".join(mark.itertext())):
            mark.text = ""
            for inner in list(mark):
                mark.remove(inner)
    written = [FORMULA] if _name(block) in _PROSE.formulae else _PROSE.lines(block)
    return [text for one in written if (text := line(_LOOSE.sub(r"\1", _EMPTY_BRACKETS.sub("", one))))]


def _retracted(article: Element, front: Element) -> bool:
    kind = article.get("article-type", "")
    links = {one.get("related-article-type", "") for one in _all(front, "related-article")}
    return kind in _NOTICES | {"retracted-article"} or bool(links & _RETRACTED_BY)


def _ids(front: Element) -> dict[str, str]:
    """The article's identities by kind: pmc (digits), pmid, doi; and PMC's version of it."""
    found = {}
    for one in (child for child in front if _name(child) == "article-id"):
        kind, value = one.get("pub-id-type", ""), line(one.text or "")
        if kind in {"pmc", "pmcid"}:
            found["pmc"] = value.upper().removeprefix("PMC").partition(".")[0]
        elif kind == "pmcid-ver":
            found["version"] = value.rpartition(".")[2]
        elif kind in {"pmid", "doi"}:
            found[kind] = value
    return {kind: value for kind, value in found.items() if value}


def _doi(ids: dict[str, str]) -> str:
    return f"https://doi.org/{ids['doi']}" if "doi" in ids else f"https://pubmed.ncbi.nlm.nih.gov/{ids['pmid']}/"


def _published(front: Element) -> str:
    """The first day it was published, as exactly as any of its dates says."""
    dates = sorted(filter(None, map(_day, _all(front, "pub-date"))))
    whole = [date for date in dates if len(date) == len("2011-08-02")]
    return (whole or dates or [""])[0]


def _day(date: Element) -> str:
    parts = {_name(part): line(part.text or "") for part in date}
    year, month, day = (parts.get(name, "") for name in ("year", "month", "day"))
    if not year.isdecimal():
        return ""
    written = [year, *([month.zfill(2)] if month.isdecimal() else [])]
    return "-".join([*written, day.zfill(2)] if day.isdecimal() and len(written) > 1 else written)


def _facts(article: Element, front: Element, ids: dict[str, str]) -> dict[str, Any]:
    """What the front states in fields; none where it says nothing."""
    journal, holder = _first(article, "journal-title"), _first(front, "copyright-statement")
    author = _first(front, "contrib")
    surname = _first(author, "surname") if author is not None else None
    found: dict[str, Any] = {
        **{kind: ids[kind] for kind in ("pmid", "doi") if kind in ids},
        "journal": _PROSE.text(journal) if journal is not None else "",
        "article_type": article.get("article-type", ""),
        "first_author": line(surname.text or "") if surname is not None else "",
        "copyright": line(words(holder)) if holder is not None else "",
        "keywords": [line(words(one)) for one in _all(front, "kwd")],
    }
    return {key: value for key, value in found.items() if value}


def _name(element: Element) -> str:
    """Local name; empty for what is no element."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _all(element: Element, *names: str) -> list[Element]:
    return list(element.iter(*(f"{{*}}{name}" for name in names)))


def _first(element: Element, name: str) -> Element | None:
    return next(element.iter(f"{{*}}{name}"), None)
