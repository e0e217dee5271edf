"""The form in which the library keeps a document that was taken out of a file of many: JSON, one document a file.

`of_document` makes it, `documents` reads it back like any other format.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, BinaryIO

from lumen_desktop.errors import InputError
from lumen_desktop.formats.document import Entity, Fault, Ingredient, PublicDocument, PublicSection

VERSION = 1


def of_document(document: PublicDocument) -> str:
    """The document as JSON, its fields in a fixed order: the same document has the same digest."""
    fields = {"lumen_public_document": VERSION, **asdict(document)}
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def documents(stream: BinaryIO, name: str) -> Iterator[PublicDocument | Fault]:
    """The one document of such a file.

    Raises:
        InputError: not such a file, or not of this version (FMT-003).
    """
    del name
    try:
        yield _document(json.loads(stream.read()))
    except (ValueError, TypeError, KeyError, AttributeError):
        raise InputError(
            "The file is not a document as this version of Lumen keeps them.",
            code="FMT-003",
            hint="Add the publisher's file again.",
        ) from None


def _document(fields: dict[str, Any]) -> PublicDocument:
    if fields.pop("lumen_public_document") != VERSION:
        raise ValueError
    entity, sections = fields.pop("entity"), fields.pop("sections")
    ingredients = tuple(Ingredient(**one) for one in entity.pop("ingredients"))
    return PublicDocument(
        **fields,
        entity=Entity(ingredients, **{**entity, "brands": tuple(entity["brands"])}),
        sections=tuple(PublicSection(tuple(one["path"]), one["code"], one["text"]) for one in sections),
    )
