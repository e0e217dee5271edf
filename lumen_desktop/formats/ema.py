"""Reads EU package leaflets: a JSON line each, or the FHIR bundle of an electronic product information (ePI).

Knows no archive and translates nothing; a leaflet's language is the one that its file states.
Source: EMA, QRD template (the headings and "The active substance is …" of section 6); EU ePI common standard, FHIR R5
Bundle with a Composition.
"""

import html
import json
import re
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any, BinaryIO

from lumen_desktop.errors import InputError
from lumen_desktop.formats import narrative, xml
from lumen_desktop.formats.document import Entity, Fault, Ingredient, PublicDocument, PublicSection

_HEAD_BYTES = 4096
LARGEST_BYTES = 64 * 1024**2  # of one line, and of a bundle written over several
_NUMBER = re.compile(r"EU/\d/\d{2}/\d{1,4}(?:/\d{3})?")
_SECTION = re.compile(r"(\d{1,2})\.?\s")
_NAMED = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)([A-Za-z]\w{1,31});")
_ACTIVE = re.compile(
    r"\bactive (?:substance|ingredient)s?(?: (?:in|of) [^.:\n]{1,60}?)? (?:is|are)\b:? ?(?:called )?([^\n]{3,200})",
    re.IGNORECASE,
)
_SUBSTANCE_ENDS = re.compile(
    r"\.(?:\s|$)|[*:;(]|\s(?=\d)|\s(?:equivalent|each|one|this|and (?:is|has))\b", re.IGNORECASE
)
_CONTENTS = "6"  # the section on the contents of the pack
_MOST_WORDS = 5
_SMPC = re.compile(r"summary of product characteristics|\bSmPC\b", re.IGNORECASE)
_DEEPEST = 64


def documents(stream: BinaryIO, name: str) -> Iterator[PublicDocument | Fault]:
    """The leaflets of a file.

    Args:
        stream: JSON lines, each a leaflet or a bundle, or one bundle over several lines.
        name: the file's; it is not read.

    Raises:
        InputError: neither of them (FMT-003), cut off (FMT-002) or larger than a leaflet can be (FMT-005).
    """
    del name
    first = _line(stream)
    begun = _read(first)
    if begun is None:
        begun = _whole(first, stream)
    if not isinstance(begun, dict) or not ("sections" in begun or _is_bundle(begun)):
        raise _other_format()
    yield from _documents(begun, 1)
    number = 1
    while line := _line(stream):
        number += 1
        if line.strip():
            yield from _of_line(line, number)


def _of_line(line: bytes, number: int) -> Iterator[PublicDocument | Fault]:
    value = _read(line)
    if isinstance(value, dict):
        yield from _documents(value, number)
    elif not line.endswith(b"\n"):
        raise InputError("The file ends too early.", code="FMT-002", hint="Copy or download it again.")
    else:
        yield Fault(f"record {number}", "wrong-form", "The line is no leaflet.")


def _line(stream: BinaryIO) -> bytes:
    line = stream.readline(LARGEST_BYTES + 1)
    if len(line) > LARGEST_BYTES:
        raise InputError("A line is larger than a leaflet can be.", code="FMT-005", hint="Take EMA's own files.")
    return line


def _read(text: bytes) -> Any:
    """The value of a JSON text; None where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _whole(first: bytes, stream: BinaryIO) -> Any:
    """A bundle written over several lines."""
    rest = stream.read(LARGEST_BYTES + 1)
    if len(rest) > LARGEST_BYTES:
        raise InputError("The file is larger than a leaflet can be.", code="FMT-005", hint="Take EMA's own files.")
    whole = first + rest
    value = _read(whole)
    ours = b'"resourceType"' in whole[:_HEAD_BYTES] or b'"sections"' in whole[:_HEAD_BYTES]
    if value is None and ours and not whole.rstrip().endswith(b"}"):
        raise InputError("The file ends too early.", code="FMT-002", hint="Copy or download it again.")
    return value


def _is_bundle(value: Mapping[str, Any]) -> bool:
    return value.get("resourceType") == "Bundle"


def _documents(value: Mapping[str, Any], number: int) -> Iterator[PublicDocument | Fault]:
    if _is_bundle(value):
        yield from _bundle(value, number)
    else:
        yield _leaflet(value, number)


def _leaflet(value: Mapping[str, Any], number: int) -> PublicDocument | Fault:
    """A leaflet whose sections are plain text: {product, ema_id, lang, sections: [{title, text}]}."""
    written, language = _word(value.get("ema_id")), _word(value.get("lang")).lower()
    product = _word(value.get("product"))
    identity = _identity(written, language)
    if not identity:
        return Fault(f"record {number}", "no-id", "The leaflet has no number of its authorisation.")
    sections = []
    for one in _list(value, "sections"):
        title, text = _word(one.get("title")), _text(one.get("text"))
        if text:
            sections.append(PublicSection((title,) if title else (), _code(title), text))
    substances = _substances(sections)
    return _document(
        identity, f"{product or written} package leaflet", sections, language=language,
        entity=Entity(substances, _brands((product,), substances)), facts={"authorisation": written},
    )  # fmt: skip


def _bundle(bundle: Mapping[str, Any], number: int) -> Iterator[PublicDocument | Fault]:
    """Each composition of a bundle; its product and substances stand in resources beside it."""
    resources = [entry.get("resource") for entry in _list(bundle, "entry")]
    known = [one for one in resources if isinstance(one, dict)]
    compositions = [one for one in known if one.get("resourceType") == "Composition"]
    if not compositions:
        yield Fault(f"record {number}", "wrong-form", "The bundle holds no composition.")
    products = [one for one in known if one.get("resourceType") == "MedicinalProductDefinition"]
    names = [_word(name.get("productName")) for one in products for name in _list(one, "name")]
    written = [_word(one.get("value")) for one in (*_identifiers(bundle), *_identifiers(*products))]
    stated = tuple(Ingredient(name) for one in known if (name := _active(one)))
    for one in compositions:
        language = (_word(one.get("language")) or _word(bundle.get("language"))).split("-")[0].lower()
        own = [*(_word(each.get("value")) for each in _identifiers(one)), *written, _word(one.get("id"))]
        identity = next((_identity(each, language) for each in own if _NUMBER.search(each)), "")
        identity = identity or next((f"{each}:{language}" for each in own if each), "")
        if not identity:
            yield Fault(f"record {number}", "no-id", "The composition has no identifier.")
            continue
        sections = list(_sections(one, (), 0))
        sort = _concept(one.get("type"))  # a product has a leaflet and a summary under one number
        substances = stated or _substances(sections)
        brands = _brands(tuple(name for name in names if name), substances)
        yield _document(
            f"{identity}:{sort}".rstrip(":"), f"{next(iter(names), '')} {sort or _word(one.get('title'))}", sections,
            language=language, entity=Entity(substances, brands), as_of=_word(one.get("date"))[:10],
            version=_word(one.get("version")) or _word(_dict(bundle, "meta").get("versionId")),
        )  # fmt: skip


def _document(
    identity: str,
    title: str,
    sections: list[PublicSection],
    *,
    language: str,
    entity: Entity,
    as_of: str = "",
    version: str = "",
    facts: Mapping[str, Any] | None = None,
) -> PublicDocument | Fault:
    if not sections:
        return Fault(identity, "no-text", "The leaflet's sections hold no text.")
    return PublicDocument(
        id=identity,
        kind="label" if _SMPC.search(title) else "leaflet",
        title=title.strip(),
        sections=tuple(sections),
        version=version,
        as_of=as_of,
        licence="LicenseRef-EMA-Reuse",
        language=language,
        entity=entity,
        facts=facts or {},
    )


def _sections(holder: Mapping[str, Any], above: tuple[str, ...], deep: int) -> Iterator[PublicSection]:
    """A composition's sections, the text of each without its subsections'."""
    for one in _list(holder, "section"):
        heading = _word(one.get("title"))
        path = (*above, heading) if heading else above
        codes = [_word(code.get("code")) for code in _list(_dict(one, "code"), "coding")]
        if text := _narrative(_dict(one, "text").get("div")):
            yield PublicSection(path, _code(heading) or next(iter(codes), ""), text)
        if deep < _DEEPEST:
            yield from _sections(one, path, deep + 1)


def _narrative(div: Any) -> str:
    """The words of a narrative's XHTML; empty where it is not well-formed."""
    if not isinstance(div, str):
        return ""
    readable = _NAMED.sub(lambda match: html.unescape(match.group()), div)
    try:
        wrapped = BytesIO(f"<narrative>{readable}</narrative>".encode("utf-8", "replace"))
        return next((narrative.text(one) for one in xml.elements(wrapped, "narrative")), "")
    except InputError:
        return ""


def _active(resource: Mapping[str, Any]) -> str:
    """The name of an active ingredient's substance; empty for other resources."""
    role = _concept(resource.get("role")).lower()
    if resource.get("resourceType") != "Ingredient" or "active" not in role or "inactive" in role:
        return ""
    return _concept(_dict(_dict(_dict(resource, "substance"), "code"), "concept"))


def _concept(value: Any) -> str:
    """What a coded concept says in words."""
    if not isinstance(value, dict):
        return ""
    return _word(value.get("text")) or next((_word(one.get("display")) for one in _list(value, "coding")), "")


def _substances(sections: list[PublicSection]) -> tuple[Ingredient, ...]:
    """The active substances as the template has a leaflet name them; none where it puts them otherwise."""
    for section in sections:
        last = bool(section.path) and _code(section.path[0]) == _CONTENTS
        if last and (match := _ACTIVE.search(section.text)):
            named = _SUBSTANCE_ENDS.split(match.group(1), maxsplit=1)[0]
            names = [name.strip() for name in re.split(r",\s*(?:and\s)?|\sand\s", named)]
            if all(_is_name(name) for name in names):
                return tuple(Ingredient(name) for name in dict.fromkeys(names))
    return ()


def _is_name(words: str) -> bool:
    parts = words.split()
    return 0 < len(parts) <= _MOST_WORDS and parts[0].lower() not in {"a", "an", "the"} and not words[0].isdigit()


def _brands(names: tuple[str, ...], substances: tuple[Ingredient, ...]) -> tuple[str, ...]:
    """Names that are not the substance's own."""
    generic = {one.name.lower() for one in substances}
    return tuple(dict.fromkeys(name for name in names if name and name.lower() not in generic))


def _identity(written: str, language: str) -> str:
    """The authorisation's number without what is written around it, and the language: each has its own text."""
    match = _NUMBER.search(written)
    number = match.group() if match else written
    return f"{number}:{language}" if number else ""


def _identifiers(*resources: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for resource in resources:
        value = resource.get("identifier")
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                yield one


def _code(title: str) -> str:
    """The template's number of a section: "2. What you need to know …" is 2."""
    match = _SECTION.match(title)
    return match.group(1) if match else ""


def _list(value: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = value.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _dict(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _word(value: Any) -> str:
    return narrative.plain(str(value).replace("\n", " ")) if isinstance(value, str | int) else ""


def _text(value: Any) -> str:
    return narrative.plain(value) if isinstance(value, str) else ""


def _other_format() -> InputError:
    return InputError(
        "The file holds neither leaflets by line nor an ePI bundle.", code="FMT-003", hint="Take EMA's own files."
    )
