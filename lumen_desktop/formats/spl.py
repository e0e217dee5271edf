"""Reads structured product labels, the XML form of US drug labels that DailyMed gives out.

A section takes its nearest coded ancestor's LOINC code where its own says "unclassified", as most sections do. The
Highlights, which say parts of the body again, are left out. Knows no archive; the app's readers and the trainer's
`dailymed` hand it one label's bytes, or a file of many under any root.
Source: HL7 Structured Product Labeling, release 8; FDA, SPL implementation guide with validation procedures.
"""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from lumen_desktop.domain.library import normalised
from lumen_desktop.errors import InputError
from lumen_desktop.formats import loinc, narrative, xml
from lumen_desktop.formats.document import Entity, Fault, Ingredient, PublicDocument, PublicSection
from lumen_desktop.formats.heads import head
from lumen_desktop.formats.xml import Element

_SPACE = "urn:hl7-org:v3"
_N = f"{{{_SPACE}}}"
_DOCUMENT, _SECTION, _NAME, _CODE = f"{_N}document", f"{_N}section", f"{_N}name", f"{_N}code"
_TITLE, _TEXT, _COMPONENT = f"{_N}title", f"{_N}text", f"{_N}component"
_INNER = f"{_COMPONENT}/{_SECTION}"
_SUBJECTS = f"{_COMPONENT}/{_N}structuredBody/{_INNER}/{_N}subject"
_LOINC, _UNII = "2.16.840.1.113883.6.1", "2.16.840.1.113883.4.9"
_ADDRESS = "https://dailymed.nlm.nih.gov/dailymed/drugInfo.cfm?setid="
_LONGEST_TITLE, _LONGEST_PREAMBLE = 200, 2000
_HIGHLIGHTS = re.compile(r"^These highlights do not include all.*?prescribing information for .*?\.\s+", re.IGNORECASE)
_APPROVAL = re.compile(r"\s*Initial U\.?\s?S\.? Approval:?\s*\d{4}.*$", re.IGNORECASE)
_DAY = re.compile(r"(\d{4})(\d\d)?(\d\d)?")


def documents(stream: BinaryIO, name: str) -> Iterator[PublicDocument | Fault]:
    """The labels of a file, one as DailyMed has it, or several.

    Args:
        stream: XML.
        name: the file's; it is not read.

    Raises:
        InputError: not a structured product label (FMT-003), or as `xml.elements` says.
    """
    del name
    begun, whole = head(stream)
    if _SPACE.encode() not in begun.replace(b"\0", b""):  # of UTF-16 every other byte is nil
        raise _other_format()
    number = 0
    for document in xml.elements(whole, _DOCUMENT):
        if next(document.iterancestors(_DOCUMENT), None) is None:  # a label may name another document
            number += 1
            yield _document(document, number)
    if not number:
        raise _other_format()


def day(written: str) -> str:
    """HL7's YYYYMMDD… as ISO 8601, as far as it goes; empty where it is none."""
    match = _DAY.match(written)
    return "-".join(part for part in match.groups() if part) if match else ""


def title(written: str, brands: tuple[str, ...], substances: tuple[str, ...]) -> str:
    """A label's title without the Highlights' preamble; its names where it names no product or runs on too long."""
    short = _APPROVAL.sub("", _HIGHLIGHTS.sub("", written[:_LONGEST_PREAMBLE])).strip()
    low = short.lower()
    named = any(one.lower() in low for one in (*brands, *substances)) or not (brands or substances)
    if short and named and len(short) <= _LONGEST_TITLE:
        return short
    brand, among = (brands or substances or (short[:_LONGEST_TITLE],))[0], ", ".join(substances)
    return f"{brand} ({among})"[:_LONGEST_TITLE] if among and among.lower() != brand.lower() else brand


def _document(document: Element, number: int) -> PublicDocument | Fault:
    set_id = _attribute(document, "setId", "root").lower()
    if not set_id:
        return Fault(f"record {number}", "no-id", "The label has no set id.")
    sections = tuple(_sections(document))
    if not sections:
        return Fault(set_id, "no-text", "The label's sections hold no text.")
    entity, facts = _subject(document, set_id)
    written = document.find(_TITLE)
    substances = tuple(facts.get("generics") or (one.name for one in entity.ingredients))
    return PublicDocument(
        id=set_id,
        kind="label",
        title=title("" if written is None else narrative.line(written), entity.brands, substances) or set_id,
        sections=sections,
        version=_attribute(document, "versionNumber", "value"),
        as_of=day(_attribute(document, "effectiveTime", "value") or _attribute(document, "effectiveTime/low", "value")),
        url=_ADDRESS + set_id,
        language=_attribute(document, "languageCode", "code")[:2].lower() or "en",
        entity=entity,
        facts=facts,
    )


def _attribute(element: Element, path: str, name: str) -> str:
    found = element.find("/".join(_N + step for step in path.split("/")))
    return "" if found is None else normalised(found.get(name, ""))


def _sections(document: Element) -> list[PublicSection]:
    pieces: list[_Piece] = []
    for section in document.iterfind(f"{_COMPONENT}/{_N}structuredBody/{_INNER}"):
        _walk(section, (), "", pieces)
    return [PublicSection(path, code, "\n".join(texts)) for path, code, texts in pieces]


_Piece = tuple[tuple[str, ...], str, list[str]]


def _walk(section: Element, above: tuple[str, ...], inherited: str, pieces: list[_Piece]) -> None:
    """Takes a section's own text, then its subsections'; one that runs on under the same heading joins the last."""
    parts = {}
    inner: list[Element] = []
    for child in section:
        if child.tag == _COMPONENT:
            inner += [one for one in child if one.tag == _SECTION]
        else:
            parts[child.tag] = child
    own = _section_code(parts.get(_CODE))
    if own == loinc.BOXED and above and inherited not in loinc.WARNINGS:
        own = loinc.UNCLASSIFIED  # only a frame around a paragraph
    code = own if own and own != loinc.UNCLASSIFIED else inherited or own
    written, block = parts.get(_TITLE), parts.get(_TEXT)
    heading = "" if written is None else narrative.line(written)
    if heading and not inner and (block is None or not (len(block) or block.text)):
        _add(pieces, above, inherited, f"- {heading}" if above else "")  # it says in its heading all it says
        return
    heading = heading or loinc.NAMES.get(own, "")
    path = (*above, heading) if heading else above
    _add(pieces, path, code, "" if block is None else narrative.text(block))
    for one in inner:
        _walk(one, path, code, pieces)


def _add(pieces: list[_Piece], path: tuple[str, ...], code: str, text: str) -> None:
    if not text:
        return
    if pieces and pieces[-1][:2] == (path, code):
        pieces[-1][2].append(text)
    else:
        pieces.append((path, code, [text]))


def _section_code(code: Element | None) -> str:
    if code is None or code.get("codeSystem", _LOINC) != _LOINC:
        return ""
    return normalised(code.get("code", ""))


def _subject(document: Element, set_id: str) -> tuple[Entity, dict[str, Any]]:
    """What the label is about, from its list of products."""
    found = _Products()
    for subject in document.iterfind(_SUBJECTS):
        for element in subject.iter(*_READERS):
            _READERS[element.tag](found, element)
    labeler = document.find(f"{_N}author/{_N}assignedEntity/{_N}representedOrganization/{_NAME}")
    kind = document.find(_CODE)
    facts = {
        "document_type": "" if kind is None else kind.get("code", ""),
        "document_type_name": "" if kind is None else kind.get("displayName", ""),
        "marketing_categories": list(found.categories),
        "applications": list(found.applications),
        "generics": list(found.generics),
        "moieties": [{"name": name, "unii": unii} for name, unii in found.moieties],
        "forms": list(found.forms),
        "routes": list(found.routes),
    }
    entity = Entity(
        tuple(Ingredient(name, unii) for name, unii in found.ingredients),
        tuple(found.brands),
        set_id,
        "" if labeler is None else narrative.line(labeler),
    )
    return entity, {name: value for name, value in facts.items() if value}


class _Products:
    """What products say of themselves, each once, in the file's order (the keys of dictionaries)."""

    def __init__(self) -> None:
        self.ingredients: dict[tuple[str, str], None] = {}
        self.moieties: dict[tuple[str, str], None] = {}
        self.brands: dict[str, None] = {}
        self.generics: dict[str, None] = {}
        self.categories: dict[str, None] = {}
        self.applications: dict[str, None] = {}
        self.forms: dict[str, None] = {}
        self.routes: dict[str, None] = {}

    def product(self, element: Element) -> None:
        name = element.find(_NAME)
        if name is not None:  # a suffix is an element in it, with no space of its own
            _note(self.brands, normalised(" ".join(" ".join(name.itertext()).split())))
        _note(self.forms, _attribute(element, "formCode", "displayName"))

    def generic(self, element: Element) -> None:
        _note(self.generics, _line(element.find(_NAME)))

    def ingredient(self, element: Element) -> None:
        """An active one; its strength may count as base or as salt (ACTIB, ACTIM, ACTIR)."""
        if not (element.get("classCode") or "").startswith("ACTI"):
            return
        for substance in element.iterfind(f"{_N}ingredientSubstance"):
            if named := _substance(substance):
                self.ingredients[named] = None
            for moiety in substance.iterfind(f"{_N}activeMoiety/{_N}activeMoiety"):
                if named := _substance(moiety):
                    self.moieties[named] = None

    def approval(self, element: Element) -> None:
        _note(self.categories, _attribute(element, "code", "displayName"))
        _note(self.applications, _attribute(element, "id", "extension"))

    def route(self, element: Element) -> None:
        _note(self.routes, element.get("displayName", ""))


_READERS = {
    f"{_N}manufacturedProduct": _Products.product,
    f"{_N}manufacturedMedicine": _Products.product,
    f"{_N}partProduct": _Products.product,
    f"{_N}genericMedicine": _Products.generic,
    f"{_N}ingredient": _Products.ingredient,
    f"{_N}approval": _Products.approval,
    f"{_N}routeCode": _Products.route,
}


def _note(known: dict[str, None], words: str) -> None:
    if words:
        known[words] = None


def _line(element: Element | None) -> str:
    return "" if element is None else narrative.line(element)


def _substance(element: Element) -> tuple[str, str] | None:
    name, code = _line(element.find(_NAME)), element.find(_CODE)
    known = code is not None and code.get("codeSystem", _UNII) == _UNII
    unii = normalised(code.get("code", "")).upper() if known else ""
    return (name, unii) if name or unii else None


def _other_format() -> InputError:
    return InputError(
        "The file is no structured product label.", code="FMT-003", hint="Take label XML files as DailyMed has them."
    )
