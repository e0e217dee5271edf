"""The Code of Federal Regulations as XML, in both forms it is given out: one document for each part.

The versioner's API sends ``ECFR`` or the division asked for (``DIV1`` … ``DIV5``), with numbers such as "211.192";
govinfo's bulk file wraps the same divisions in ``DLPSTEXTCLASS`` and writes "§ 211.192". Neither states a schema.
Knows nothing of what a rule means; paragraphs such as (a)(1) stay lines of their own.

Source: GPO, "Electronic Code of Federal Regulations XML" user guide; eCFR API versioner v1.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from lumen_desktop.formats.document import Fault, PublicDocument, PublicSection
from lumen_desktop.formats.prose import Prose, line
from lumen_desktop.formats.xml import Element, elements, words

LICENCE = "LicenseRef-US-PD"

_ROOTS = ("ECFR", "DLPSTEXTCLASS", *(f"DIV{level}" for level in range(1, 6)))
_NOT_THE_RULE = frozenset(
    {"AUTH", "SOURCE", "CITA", "SECAUTH", "APPRO", "EDNOTE", "EFFDNOT", "CROSSREF", "XREF", "PRTPAGE"}
)
_PROSE = Prose(
    blocks=frozenset(
        "P FP HD1 HD2 HD3 HD4 HED PSPACE EXTRACT NOTE EXAMPLE DIV LI UL OL FTNT LDRWK LDRFIG BCAP".split()
        + "FP-1 FP-2 FP1-2 FP-DASH FRP P-1 P-2 P-3 HED1 TCAP TDESC".split()
    ),
    left_out=_NOT_THE_RULE | {"HEAD", "img", "IMG", "FTREF", "GID", "STARS"},
    formulae=frozenset({"MATH"}),
    raised=frozenset({"SU", "SUP", "sup", "E51"}),
    lowered=frozenset({"SUB", "sub", "E52"}),
    fractions=frozenset({"FR"}),
    tables=frozenset({"TABLE", "table", "GPOTABLE"}),
    rows=frozenset({"TR", "tr", "ROW", "BOXHD"}),
    cells=frozenset({"TD", "td", "TH", "th", "ENT", "CHED"}),
    told_by={"E": "T"},
)
_RESERVED = re.compile(r"\[\s*(?:reserved|removed)[^\]]*\]", re.IGNORECASE)
_DASHES = re.compile(r"\s*(?:\u2014|--)\s*")
_ISO = re.compile(r"(?:19|20)\d\d-[01]\d-[0-3]\d")
_AMENDED = re.compile(r"([A-Z][a-z]{2,8})\.?\s+(\d{1,2}),\s+(\d{4})")
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_TITLE_IN_NAME = re.compile(r"title[-_ ]?(\d{1,2})(?!\d)", re.IGNORECASE)
_TITLE_IN_CITATION = re.compile(r"(\d{1,2}) CFR ")


@dataclass(slots=True)
class _Volume:
    """What a file says of all its parts: read as it passes, since the elements are let go one by one.

    Attributes:
        title: number of the title, such as "21"; empty while unknown.
        as_of: ISO 8601 day; empty while unknown.
        headings: heading of each division above the parts, by level.
    """

    title: str
    as_of: str
    headings: dict[str, str] = field(default_factory=dict)


def documents(stream: BinaryIO, name: str) -> Iterator[PublicDocument | Fault]:
    """The parts of one file, in its order.

    Faults: no-id (part or title without a number), reserved (a part without a rule in it), no-text.

    Args:
        stream: the XML, unpacked.
        name: the file's name, such as ``ECFR-title21.xml`` or ``title-21-2024-03-22.xml``; asked for title and day
            where the XML does not say.

    Raises:
        InputError: as `formats.xml` says, or neither of the two forms (FMT-003).
    """
    file = name.rpartition("!")[2].rpartition("/")[2]
    numbered, dated = _TITLE_IN_NAME.search(file), _ISO.search(file)
    volume = _Volume(numbered.group(1) if numbered else "", dated.group() if dated else "")
    for count, element in enumerate(elements(stream, "AMDDATE", "DIV5", roots=_ROOTS), start=1):
        if element.tag == "AMDDATE":
            volume.as_of = next(iter(_days(words(element))), volume.as_of)
        else:
            yield _part(element, volume, f"record {count}")


def _part(part: Element, volume: _Volume, where: str) -> PublicDocument | Fault:
    _see_above(part, volume)
    _see_paths(part, volume)
    number = _number(part)
    if not number or not volume.title:
        return Fault(where, "no-id", "The part, or the title it is in, has no number.")
    identity = f"{volume.title} CFR {number}"
    heading = _heading(part)
    sections = tuple(_sections(part, (), identity))
    if not sections:
        reserved = _RESERVED.search(heading)
        words_ = "The part is reserved." if reserved else "The part holds no section with text."
        return Fault(identity, "reserved" if reserved else "no-text", words_)
    return PublicDocument(
        id=identity, kind="regulation", title=f"{identity} \u2014 {_named(heading)}", sections=sections,
        version=volume.as_of, as_of=volume.as_of, licence=LICENCE,
        url=f"https://www.ecfr.gov/current/title-{volume.title}/part-{number}",
        facts=_facts(part, volume),
    )  # fmt: skip


def _see_above(part: Element, volume: _Volume) -> None:
    """Remembers the headings over a part, which the file shows only before the first part under each."""
    above = [one for one in part.iterancestors() if isinstance(one.tag, str) and re.fullmatch(r"DIV[1-4]", one.tag)]
    for one in reversed(above):
        heading = _heading(one)
        if heading and volume.headings.get(one.tag) != heading:
            volume.headings = {tag: text for tag, text in volume.headings.items() if tag < one.tag}
            volume.headings[one.tag] = heading
        if one.get("TYPE") == "TITLE":
            node = one.get("NODE", "").partition(":")[0]  # govinfo numbers volumes in N, titles in NODE
            volume.title = node or line(one.get("N", "")) or volume.title
    here = {one.tag for one in above}
    volume.headings = {tag: text for tag, text in volume.headings.items() if tag in here}


def _see_paths(part: Element, volume: _Volume) -> None:
    """Title and day of the API's own path to a section, such as "/on/2024-03-22/title-21/section-211.1"."""
    for one in part.iter("DIV5", "DIV8"):
        said = one.get("hierarchy_metadata", "")
        if not said:
            continue
        day, title = _ISO.search(said), _TITLE_IN_CITATION.search(said) or _TITLE_IN_NAME.search(said)
        volume.as_of = day.group() if day else volume.as_of
        volume.title = volume.title or (title.group(1) if title else "")
        return
    node = part.get("NODE", "").partition(":")[0]
    volume.title = volume.title or (node if node.isdecimal() else "")


def _sections(division: Element, path: tuple[str, ...], part: str) -> Iterator[PublicSection]:
    """Sections and appendices of a part in order; subparts and subject groups give their headings to the path."""
    for child in division:
        if child.tag in {"DIV6", "DIV7"}:
            heading = _DASHES.sub(" \u2014 ", _heading(child))
            yield from _sections(child, (*path, heading) if heading else path, part)
        elif child.tag in {"DIV8", "DIV9"}:
            yield from _section(child, path, part)


def _section(section: Element, path: tuple[str, ...], part: str) -> Iterator[PublicSection]:
    heading = _heading(section)
    text = _PROSE.text(section)
    if text and not _RESERVED.search(heading) and not _RESERVED.fullmatch(text):
        yield PublicSection((*path, heading or f"{part} {_number(section)}"), _number(section), text)


def _heading(division: Element) -> str:
    head = division.find("HEAD")
    return _PROSE.text(head).replace("\n", " ") if head is not None else ""


def _named(heading: str) -> str:
    """A part's heading without "PART 211—"."""
    return re.sub(r"^PART\s+[\w.]+\s*(?:\u2014|--|-)?\s*", "", heading, flags=re.IGNORECASE) or heading


def _number(division: Element) -> str:
    """Number of a part or section without its sign: "211", "211.192", "Appendix A to Part 11"."""
    return line(division.get("N", "")).lstrip("§ ").removeprefix("Part ").strip()


def _facts(part: Element, volume: _Volume) -> dict[str, Any]:
    """Authority, source and the last amendment, which are about the rule and none of its text."""
    found: dict[str, Any] = {
        "title": volume.title,
        "above": [volume.headings[tag] for tag in sorted(volume.headings)],
        "authority": _after(part, "AUTH"),
        "source": _after(part, "SOURCE"),
        "amended": max((day for one in part.iter("CITA") for day in _days(words(one))), default=""),
    }
    return {key: value for key, value in found.items() if value}


def _after(division: Element, name: str) -> str:
    """The words of a division's own note of one kind, without its "Authority:" or "Source:"."""
    note = division.find(name)
    return re.sub(r"^(?:Authority|Source)\s*:\s*", "", line(words(note))) if note is not None else ""


def _days(written: str) -> list[str]:
    """ISO 8601 days of what writes them as "Mar. 22, 2024"."""
    return [
        f"{year}-{_MONTHS.index(month[:3].lower()) + 1:02}-{int(day):02}"
        for month, day, year in _AMENDED.findall(written)
        if month[:3].lower() in _MONTHS
    ]
