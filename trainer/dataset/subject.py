"""What a document is about: the name that a question uses, and the groups that a split must keep together."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from lumen_desktop.domain.drugs import DrugNames
from lumen_desktop.formats.document import shown_title
from trainer.records import Record

_DRUGS = Path(__file__).resolve().parents[2] / "resources" / "drugs"
_SALT = re.compile(
    r"\b(?:anhydrous|hydrochloride|hydrobromide|sodium|potassium|calcium|magnesium|maleate|mesylate|besylate|tartrate|"
    r"succinate|fumarate|acetate|phosphate|sulfate|sulphate|citrate|trihydrate|dihydrate|monohydrate|hemihydrate)\b",
    re.IGNORECASE,
)
_FEWEST_LETTERS = 3


def name_of(document: Sequence[Record]) -> str:
    """The medicine's name as the document writes it; empty where it writes none of its names.

    A brand comes before an ingredient, for it names the product that the label is of; the ingredient only names a
    product that has no other.
    """
    entity = document[0].entity
    single = [one.name for one in entity.ingredients] if len(entity.ingredients) == 1 else []
    text = "\n".join(record.text for record in document)
    title = shown_title(document[0].kind, document[0].title, entity)
    for name in [*entity.brands, *single]:
        if len(name) < _FEWEST_LETTERS:
            continue
        whole = re.compile(rf"\b{re.escape(name)}\b", re.IGNORECASE)
        if found := whole.findall(text) or whole.findall(title):
            return _cased(max(sorted(set(found)), key=found.count))
    return ""


def _cased(name: str) -> str:
    """LIPITOR and lipitor as people write it; inner capitals (EpiPen) stay."""
    if name.isupper() and len(name) > 4:  # noqa: PLR2004 - up to four letters it is an abbreviation
        return name.title()
    return name[:1].upper() + name[1:]


def groups(record: Record) -> frozenset[str]:
    """What must not lie on both sides of a split.

    A medicine's ingredients by identifier, by name and by the drug dictionary's name for them, so that salts, brands
    and sources without identifiers meet; else the disease that is asked about, else the document.
    """
    found: set[str] = set()
    for ingredient in record.entity.ingredients:
        found |= {f"drug:{key.lower()}" for key in (ingredient.unii, ingredient.rxcui) if key}
        found |= _named(ingredient.name)
    for brand in record.entity.brands:
        found |= _named(brand)
    if not found and record.facts.get("focus"):
        found.add(f"topic:{' '.join(str(record.facts['focus']).lower().split())}")
    return frozenset(found or {f"document:{record.doc_id}"})


def _named(name: str) -> set[str]:
    known = drugs().ingredients(name)
    bare = " ".join(_SALT.sub("", name).lower().split()) or name.lower()
    return {f"drug:{ingredient}" for ingredient in known} or {f"drug:{bare}"}


@cache
def drugs() -> DrugNames:
    """The app's dictionary of drug names."""
    return DrugNames.load(_DRUGS)


_LARGEST_TOPIC_WORDS = 9
_SHOUTING = 0.6  # share of capitals in a heading that is written in capitals
_NUMBER = re.compile(
    r"^(?:§+\s*)?(?:(?:section|part|annex|appendix|chapter)\s+)?(?:[IVX]+\b|[A-Z](?=[.)])|\d+)?(?:\.\d+[a-z]?)*[.)]?\s+",
    re.IGNORECASE,
)
_CAPITALS = frozenset(
    "FDA GMP CGMP HEPA FMEA FMECA FTA HACCP HAZOP PHA SOP QA QC IT EU US USP ICH CNS CYP HIV TIA EPS NMS".split()
)


def spoken(heading: str, no_topic: str) -> str:
    """A heading without its number as it stands within a question; empty where it names no subject.

    Args:
        heading: as the document has it.
        no_topic: pattern of headings that name none.
    """
    bare = _NUMBER.sub("", heading, count=1).strip(" .:")
    if (
        not 1 <= len(bare.split()) <= _LARGEST_TOPIC_WORDS
        or not bare[:1].isalpha()
        or bare.count("(") != bare.count(")")
    ):
        return ""
    if re.search(no_topic, bare, re.IGNORECASE):
        return ""
    letters = [letter for letter in bare if letter.isalpha()]
    shouts = sum(letter.isupper() for letter in letters) > _SHOUTING * len(letters)
    return " ".join(_in_a_sentence(word, shouts=shouts) for word in bare.split())


def _in_a_sentence(word: str, *, shouts: bool) -> str:
    """Capitals stay in abbreviations and in names with inner capitals."""
    if word.strip("(),/") in _CAPITALS or (
        not shouts and any(letter.isupper() or letter.isdigit() for letter in word[1:])
    ):
        return word
    return word.lower()
