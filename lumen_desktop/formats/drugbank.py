"""DrugBank's full database in XML: what a medicine is, and what it does together with each other one.

Streams one medicine at a time. The database comes under an academic licence that forbids commercial use: the document
says so, and `trainer.sources.drugbank` is off until its terms are accepted. Source: DrugBank's own schema 5.1, as its
public readers describe it (about 20,000 medicines, 1.4 million pairs, 2.4 GB in 2026).
"""

from collections.abc import Iterator
from typing import BinaryIO

from lumen_desktop.errors import InputError
from lumen_desktop.formats import objects, xml
from lumen_desktop.formats.document import Entity, Fault, Ingredient, PublicDocument, PublicSection

LICENCE = "LicenseRef-DrugBank"
INTERACTION = "interaction"  # code of the sections that hold a pair
_SPACE = "{http://www.drugbank.ca}"
_TEXTS = {
    "description": "Description",
    "indication": "Indication",
    "pharmacodynamics": "Pharmacodynamics",
    "mechanism-of-action": "Mechanism of action",
    "toxicity": "Toxicity",
    "metabolism": "Metabolism",
    "absorption": "Absorption",
    "half-life": "Half-life",
    "protein-binding": "Protein binding",
    "route-of-elimination": "Route of elimination",
    "volume-of-distribution": "Volume of distribution",
    "clearance": "Clearance",
}
_FOOD = "food-interactions"
_PAIR = f"{_SPACE}drug-interactions/{_SPACE}drug-interaction"


def documents(stream: BinaryIO, name: str) -> Iterator[PublicDocument | Fault]:
    """Each medicine as a document of kind "interaction" with its DrugBank id.

    Sections: the texts about it (code: the element's name), food (code "food-interactions"), then its pairs (code
    `INTERACTION`, path ("Interactions", the other's name)). A pair stands under both medicines in the file; it is kept
    under the smaller id only. ``facts``: type, groups (approved, withdrawn …), atc (codes).

    Args:
        stream: the file's bytes.
        name: unused.

    Raises:
        InputError: broken (FMT-001), cut off (FMT-002) or another format (FMT-003).
    """
    del name
    known = False
    for element in xml.elements(stream, f"{_SPACE}drug", f"{_SPACE}drugbank"):
        base = element.getroottree().getroot()
        known = known or base.tag == f"{_SPACE}drugbank"
        if not known:
            break
        if element.getparent() is base:  # pathways name medicines in the same way
            yield _medicine(element, base)
    if not known:
        raise InputError(
            "The file is not DrugBank's XML.", code="FMT-003", hint="Choose the full database as DrugBank gives it out."
        )


def _medicine(drug: xml.Element, base: xml.Element) -> PublicDocument | Fault:
    number, name = _number(drug), _text(drug, "name")
    if not number or not name:
        return Fault(number or name or "drug", "no-id", "The medicine has no id or no name.")
    sections = (*_texts(drug), *_pairs(drug, number))
    if not sections:
        return Fault(number, "no-text", "Nothing is said of the medicine that is not said under another one.")
    return PublicDocument(
        id=number,
        kind="interaction",
        title=name,
        sections=sections,
        version=base.get("version", ""),
        as_of=base.get("exported-on", "")[:10] or drug.get("updated", "")[:10],
        url=f"https://go.drugbank.com/drugs/{number}",
        licence=LICENCE,
        entity=Entity((Ingredient(name, _text(drug, "unii")),), _all(drug, "international-brands/*/name")),
        facts={
            "type": drug.get("type", ""),
            "groups": list(_all(drug, "groups/*")),
            "atc": [code.get("code", "") for code in drug.iterfind(_path("atc-codes/atc-code"))],
        },
    )


def _number(drug: xml.Element) -> str:
    """The primary one of its ids; old ones stand beside it."""
    ids = drug.findall(_path("drugbank-id"))
    return next((objects.words(one.text) for one in ids if one.get("primary") == "true"), "")


def _texts(drug: xml.Element) -> Iterator[PublicSection]:
    for code, heading in _TEXTS.items():
        if text := _text(drug, code):
            yield PublicSection((heading,), code, text)
    if food := "\n".join(_all(drug, f"{_FOOD}/*")):
        yield PublicSection(("Food interactions",), _FOOD, food)


def _pairs(drug: xml.Element, number: str) -> Iterator[PublicSection]:
    seen = set()
    for pair in drug.iterfind(_PAIR):
        other = _text(pair, "drugbank-id")
        if other <= number or other in seen:
            continue
        name, text = _text(pair, "name"), _text(pair, "description")
        if name and text:
            seen.add(other)
            yield PublicSection(("Interactions", name), INTERACTION, text)


def _text(element: xml.Element, tag: str) -> str:
    found = element.find(_SPACE + tag)
    return "" if found is None else _words(found)


def _words(element: xml.Element) -> str:
    """What an element holds, which in this schema is text alone."""
    return objects.words(element.text if len(element) == 0 else xml.words(element))


def _all(element: xml.Element, path: str) -> tuple[str, ...]:
    """Texts of all elements there, each once, in the file's order."""
    texts = (_words(one) for one in element.iterfind(_path(path)))
    return tuple(dict.fromkeys(text for text in texts if text))


def _path(path: str) -> str:
    return "/".join(step if step == "*" else f"{_SPACE}{step}" for step in path.split("/"))
