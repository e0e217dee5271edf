"""The common form of what public files say: a document with its origin, its subject and its sections.

Knows no file format; the parsers beside it make it, the app's readers and the trainer's sources take it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Ingredient:
    """An active ingredient.

    Attributes:
        name: as the file writes it.
        unii: FDA's Unique Ingredient Identifier, ten letters and digits; empty where unknown.
        rxcui: RxNorm's concept number; empty where unknown.
    """

    name: str
    unii: str = ""
    rxcui: str = ""


@dataclass(frozen=True, slots=True)
class Entity:
    """What a document is about, where that is a medicine.

    Attributes:
        ingredients: the active ones, in the file's order.
        brands: names it is sold under.
        set_id: the label's identity over all its versions (SPL ``setId``), lower case.
        labeler: who is responsible for the label.
    """

    ingredients: tuple[Ingredient, ...] = ()
    brands: tuple[str, ...] = ()
    set_id: str = ""
    labeler: str = ""


@dataclass(frozen=True, slots=True)
class PublicSection:
    """A stretch of a document under one heading.

    Attributes:
        path: headings from the outermost to the own one; the document's title is not among them.
        code: the format's own code for it (LOINC of a label's section, "211.192" of a regulation), of the nearest
            ancestor that has one where its own says nothing; may be empty.
        text: normalised (`domain.library.normalised`); a table's row is one line "cell | cell", its head first.
    """

    path: tuple[str, ...]
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class PublicDocument:
    """One document of a public file.

    Attributes:
        id: the format's own identity of it (set id, PMID, "21 CFR 211"), the same over its versions.
        kind: label, product, interaction, abstract, article, regulation, leaflet, qa, mcq, letter, guidance or
            feedback.
        title: as a reader would name it.
        sections: in reading order, none without text; nothing stands in two of them.
        version: the format's version of it; empty where it has none.
        as_of: the day it is of, ISO 8601 (YYYY, YYYY-MM or YYYY-MM-DD); empty where the file does not say.
        url: where the publisher shows it; empty where there is no lasting address.
        licence: SPDX identifier or one of `trainer.licences`; empty where neither the file nor its format says.
        language: ISO 639-1.
        facts: what the format states in fields, such as a question, its options and the expert's answer; JSON values.
    """

    id: str
    kind: str
    title: str
    sections: tuple[PublicSection, ...]
    version: str = ""
    as_of: str = ""
    url: str = ""
    licence: str = ""
    language: str = "en"
    entity: Entity = Entity()
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fault:
    """A record of a file that cannot be used; those after it are read.

    Attributes:
        where: its id, else its number in the file ("record 12").
        reason: a short fixed word to count by: no-id, no-text, no-licence, retracted, deleted, wrong-form, …
        words: one sentence.
    """

    where: str
    reason: str
    words: str


LONGEST_TITLE_CHARACTERS = 200
MEDICINES = {"label": "prescribing information", "leaflet": "package leaflet"}


def shown_title(kind: str, title: str, entity: Entity) -> str:
    """The title under which a document is shown and cited; of a medicine's own document its names.

    Such a document's own title may leave the names out or bury them, and every passage must name its medicine.
    """
    generic = ", ".join(dict.fromkeys(one.name.lower() for one in entity.ingredients[:5]))
    brand = entity.brands[0] if entity.brands else ""
    if kind not in MEDICINES or not (brand or generic):
        return title[:LONGEST_TITLE_CHARACTERS]
    named = f"{brand} ({generic})" if brand and generic and brand.lower() != generic else brand or generic
    return f"{named}: {MEDICINES[kind]}"[:LONGEST_TITLE_CHARACTERS]
