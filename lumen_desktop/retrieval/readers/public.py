"""Labels, regulations, articles and leaflets in their publishers' formats, as extracts that passages are cut from.

The title of a medicine's document names the medicine, so that every passage of it does.
"""

from collections.abc import Iterator

from lumen_desktop.domain.library import Extract, Section, normalised
from lumen_desktop.errors import InputError
from lumen_desktop.formats import kept, recognised
from lumen_desktop.formats.document import MEDICINES, Entity, Fault, PublicDocument, shown_title
from lumen_desktop.retrieval.readers import holds_public
from lumen_desktop.retrieval.readers.parts import Part


def read(name: str, content: bytes) -> Extract:
    """Reads a file that holds one document.

    Raises:
        InputError: none in it that can be used (LIB-005), several (LIB-017), or as its parser says (FMT-…).
    """
    found = [one for one in recognised.documents(content, name) if isinstance(one, PublicDocument)]
    if not found:
        raise InputError("The file holds no document that can be used.", code="LIB-005", hint="Add another file.")
    if len(found) > 1:
        raise InputError(
            "The file holds several documents.", code="LIB-017", hint="Add the file itself, and each is added."
        )
    return extract(found[0])


def parts(name: str, content: bytes) -> Iterator[Part]:
    """The documents of a file, one after the other; none where it is in no public format.

    Raises:
        InputError: as its parser says (FMT-…); the parts before it were yielded.
    """
    if not holds_public(content):
        return
    for one in recognised.documents(content, name):
        if isinstance(one, Fault):
            yield Part(one.where, "", one.words)
        else:
            yield Part(one.id, kept.of_document(one))


def extract(document: PublicDocument) -> Extract:
    """One page with all sections, each under its headings."""
    pieces: list[str] = []
    sections: list[Section] = []
    position = 0
    for section in document.sections:
        text = normalised(section.text)
        if text:
            sections.append(Section(section.path, ((0, position, position + len(text)),)))
            pieces.append(text)
            position += len(text) + 1
    title = shown_title(document.kind, document.title, document.entity)
    return Extract(title, ("\n".join(pieces),), paged=False, sections=tuple(sections), metadata=said(document))


def said(document: PublicDocument) -> dict[str, str]:
    """What a list and a citation say of it, and by which names its medicine is known."""
    entity = (
        document.entity if document.kind in MEDICINES else Entity()
    )  # an article names drugs and is about none alone
    return dict(
        pair
        for pair in (
            ("subject", _subject(document, entity)),
            ("edition", ", ".join(_edition(document))),
            ("as_of", document.as_of),
            ("ingredient", ";".join(one.name for one in entity.ingredients)),
            ("brand_name", ";".join(entity.brands)),
            ("currency", str(document.facts.get("state", ""))),
        )
        if pair[1]
    )


def _subject(document: PublicDocument, entity: Entity) -> str:
    """What it is about and the publisher's number for it; beside a quote it would be in the way."""
    names = ", ".join(one.name for one in entity.ingredients)
    number = f"set id {entity.set_id}" if entity.set_id else document.id
    return f"{names} · {number}" if names else number


def _edition(document: PublicDocument) -> Iterator[str]:
    if document.version:
        yield f"version {document.version}"
    if document.as_of:
        yield document.as_of
