"""Reads openFDA's drug label partitions: one JSON object with ``results``, a flat record for each label.

A record repeats itself: a section's field holds the words of its subsections, which have fields of their own, and a
table stands in the text flattened and in a field as HTML. Here each stands once, under the innermost field, tables as
rows. What openFDA adds about the product counts only where it names the same label. Knows no archive.
Source: openFDA, drug label, searchable fields (druglabel_schema.json); github.com/FDA/openfda, spl pipeline.
"""

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, BinaryIO

import ijson

from lumen_desktop.domain.library import normalised
from lumen_desktop.errors import InputError
from lumen_desktop.formats import loinc, narrative, spl, xml
from lumen_desktop.formats.document import Entity, Fault, Ingredient, PublicDocument, PublicSection
from lumen_desktop.formats.heads import head

_TABLE = "_table"
_UNCLASSIFIED, _PRODUCT = "spl_unclassified_section", "spl_product_data_elements"
_SHORTEST_REPEAT = 20  # characters; a shorter text may stand in another by chance
_MOST_TEXTS = 1000  # of one label; with more, comparing each with each would take hours
_MOST_NAME_WORDS = 12
_PHRASES = frozenset({"50565-1", "50566-9", "50567-7", "50568-5", "50569-3", "50570-1", "53413-1", "53414-9"})
_NAMED = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)([A-Za-z]\w{1,31});")
_ADDRESS = "https://dailymed.nlm.nih.gov/dailymed/drugInfo.cfm?setid="


def documents(stream: BinaryIO, name: str) -> Iterator[PublicDocument | Fault]:
    """The labels of a partition.

    Args:
        stream: JSON.
        name: the file's; it is not read.

    Raises:
        InputError: not openFDA's labels (FMT-003), cut off (FMT-002) or damaged (FMT-001).
    """
    del name
    begun, whole = head(stream)
    if b'"results"' not in begun and b'"meta"' not in begun:
        raise _other_format()
    number = 0
    try:
        for number, record in enumerate(ijson.items(whole, "results.item"), start=1):
            if not isinstance(record, dict) or (number == 1 and not {"set_id", "openfda"} & record.keys()):
                raise _other_format()
            yield _document(record, number)
        if not number and b'"results"' not in begun:
            raise _other_format()
    except ijson.JSONError as error:
        if re.search("premature|incomplete", str(error), re.IGNORECASE):  # what the parsers of ijson call it
            raise InputError("The file ends too early.", code="FMT-002", hint="Copy or download it again.") from None
        raise InputError("The file is not readable JSON.", code="FMT-001", hint="Copy or download it again.") from None


def _document(record: Mapping[str, Any], number: int) -> PublicDocument | Fault:
    set_id = _word(record.get("set_id")).lower()
    if not set_id:
        return Fault(f"record {number}", "no-id", "The label has no set id.")
    sections = _sections(record)
    if not sections:
        return Fault(set_id, "no-text", "The label's fields hold no text.")
    added = _added(record, set_id)
    entity, substances = _entity(record, added, set_id)
    return PublicDocument(
        id=set_id,
        kind="label",
        title=spl.title("", entity.brands, substances) or set_id,
        sections=sections,
        version=_word(record.get("version")),
        as_of=spl.day(_word(record.get("effective_time"))),
        url=_ADDRESS + set_id,
        licence="CC0-1.0",
        entity=entity,
        facts=_facts(added),
    )


def _added(record: Mapping[str, Any], set_id: str) -> Mapping[str, Any]:
    """What openFDA adds, if it is of this label: in files put together by others it is at times a neighbour's."""
    added = record.get("openfda")
    if not isinstance(added, dict):
        return {}
    of = [one.lower() for one in _words(added, "spl_set_id")]
    return added if not of or set_id in of else {}


def _entity(record: Mapping[str, Any], added: Mapping[str, Any], set_id: str) -> tuple[Entity, tuple[str, ...]]:
    """The product and the names of its substances; openFDA lists names and UNIIs each in an order of its own."""
    names, uniis, rxcuis = _words(added, "substance_name"), _words(added, "unii"), _words(added, "rxcui")
    brands = _words(added, "brand_name")
    if len(names) == len(uniis) == 1:
        ingredients = [Ingredient(names[0], uniis[0].upper(), rxcuis[0] if len(rxcuis) == 1 else "")]
    else:
        ingredients = [Ingredient(one) for one in names]
    labeler = next(iter(_words(added, "manufacturer_name")), "")
    if not brands:
        brands = tuple(one for one in (_written_name(record),) if one)
    substances = _words(added, "generic_name") or names
    return Entity(tuple(ingredients), brands, set_id, labeler), substances


def _written_name(record: Mapping[str, Any]) -> str:
    """The product's name out of the list of products, which goes on with its substances, each named again later on."""
    written = next(iter(_words(record, _PRODUCT)), "").split()
    bare = [re.sub(r"\W", "", word).lower() for word in written]
    for n, word in enumerate(bare[:_MOST_NAME_WORDS]):
        if len(word) > 2 and word in bare[n + 1 :]:  # noqa: PLR2004 - "of" and "5" say nothing
            return " ".join(written[: n or bare.index(word, 1)][:_MOST_NAME_WORDS])
    return ""


def _facts(added: Mapping[str, Any]) -> dict[str, Any]:
    facts = {
        "document_type_name": next(iter(_words(added, "product_type")), ""),
        "generics": list(_words(added, "generic_name")),
        "applications": list(_words(added, "application_number")),
        "routes": list(_words(added, "route")),
        "classes": list(_words(added, "pharm_class_epc")),
        "rxcuis": list(_words(added, "rxcui")),
        "uniis": list(_words(added, "unii")),
    }
    return {name: value for name, value in facts.items() if value}


@dataclass(slots=True)
class _Field:
    """A section's field: its paragraphs, as far as they stand in no other, and the tables that go with it."""

    name: str
    texts: list[str]
    tables: list[str] = field(default_factory=list)


def _sections(record: Mapping[str, Any]) -> tuple[PublicSection, ...]:
    fields = [_Field(name, list(_words(record, name)), list(_words(record, name + _TABLE))) for name in loinc.FIELDS]
    fields = [one for one in fields if one.texts or one.tables]
    _take_out_repeats([one for one in fields if one.texts])
    placed: set[str] = set()
    for one in fields:
        _set_tables(one, placed)
    for one in fields:
        if not one.texts:  # only tables: rows that stand nowhere yet
            one.texts = [rows for table in one.tables if _flat(table) not in placed and (rows := _rows(table))]
    seen: set[str] = set()
    found = []
    for one in fields:
        code = loinc.FIELDS[one.name]
        heading = loinc.NAMES.get(code, "")
        bare = [_without_heading(text, heading, code) for text in one.texts]
        texts = [text for text in bare if text and not _again(text, seen)]
        if texts:
            found.append(PublicSection((heading,) if heading else (), code, "\n".join(texts)))
    return tuple(found)


def _again(text: str, seen: set[str]) -> bool:
    """Whether a text was there before; it is there from now on."""
    before = text in seen
    seen.add(text)
    return before


def _take_out_repeats(fields: list[_Field]) -> None:
    """Cuts out of each text what another field holds as its whole text; what has no code yields to what has one."""
    whole = [(text, one) for one in fields for text in one.texts if len(text) >= _SHORTEST_REPEAT]
    originals = {one.name: frozenset(one.texts) for one in fields}
    if len(whole) > _MOST_TEXTS:
        return
    coded = [pair for pair in whole if pair[1].name != _UNCLASSIFIED]
    for text, one in whole:
        if one.name == _UNCLASSIFIED and any(_stands_in(text, other) for other, _ in coded):
            one.texts.remove(text)
    for text, one in sorted(coded, key=lambda pair: -len(pair[0])):
        for other in fields:
            if other is not one and other.name != _UNCLASSIFIED:
                other.texts = [left for each in other.texts for left in _cut(each, text, own=originals[other.name])]


def _stands_in(text: str, other: str) -> bool:
    return text in other and f" {text} " in f" {other} "


def _cut(text: str, part: str, *, own: frozenset[str]) -> list[str]:
    """What is left of a text without a part of it; of two fields that hold the same, the first keeps it later on."""
    if (text in own and len(part) >= len(text)) or not _stands_in(part, text):
        return [text]
    before, _, after = f" {text} ".partition(f" {part} ")
    return [left for left in (before.strip(), after.strip()) if left]


def _set_tables(one: _Field, placed: set[str]) -> None:
    """Puts rows where a text holds the words of a table in one line."""
    for table in one.tables:
        flat = _flat(table)
        if not flat or flat in placed:
            continue
        for number, text in enumerate(one.texts):
            if (place := _place(text, flat)) and (rows := _rows(table)):
                one.texts[number] = normalised(f"{text[: place[0]]}\n{rows}\n{text[place[1] :]}")
                placed.add(flat)
                break


def _place(text: str, flat: str) -> tuple[int, int] | None:
    """Where the words of a table, here without spaces, stand in a text."""
    at = [place for place, character in enumerate(text) if not character.isspace()]
    start = "".join(text[place] for place in at).find(flat)
    return None if start < 0 else (at[start], at[start + len(flat) - 1] + 1)


def _flat(table: str) -> str:
    """A table's words without any space, as they come in the file."""
    return "".join(html.unescape(re.sub(r"<[^<>]*>", "", table)).split())


def _rows(table: str) -> str:
    """A table as lines; empty where it is not well-formed."""
    readable = _NAMED.sub(lambda match: html.unescape(match.group()), table)
    wrapped = f"<text>{readable}</text>".encode("utf-8", "replace")
    try:
        return next((narrative.text(one) for one in xml.elements(BytesIO(wrapped), "text")), "")
    except InputError:
        return ""


def _without_heading(text: str, heading: str, code: str) -> str:
    """A text without the heading that the flattening glued before it, where it is clearly one: 5 WARNINGS, Warnings:.

    The phrases of an OTC label, such as "Do not use", are heading and first words of the sentence at once and stay.
    """
    words = r"\W+(?:and\W+)?".join(word for word in re.findall(r"\w+", heading) if word != "and")
    match = re.match(rf"(\d+(?:\.\d+)*\s+)?({words})\b\s*(:?)(?:\s+|$)", text, re.IGNORECASE) if words else None
    if not match:
        return text
    number, written, colon = match.groups()
    clear = code not in _PHRASES and (number or colon or written.isupper())
    return text[match.end() :] if clear or match.end() == len(text) else text


def _words(record: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """The texts in a field, one or several, each once."""
    value = record.get(name)
    several = value if isinstance(value, list) else [value]
    return tuple(dict.fromkeys(text for one in several if isinstance(one, str) and (text := narrative.plain(one))))


def _word(value: Any) -> str:
    return normalised(str(value)) if isinstance(value, str | int) else ""


def _other_format() -> InputError:
    return InputError(
        "The file does not hold labels as openFDA gives them out.",
        code="FMT-003",
        hint="Take the partitions drug-label-….json of open.fda.gov.",
    )
