"""FDA's letters to companies: complete response and warning letters, as PDF or as openFDA's list of them (JSON).

Redactions such as "(b) (4)" stay as they are. The letters name people and addresses: nobody is taken out here, whoever
trains on them does that (`kind` letter tells).

Source: openFDA, "Complete Response Letters" (other/approved_CRLs, transparency/crl): an object whose ``results`` are
letters with text, application_number, letter_date (MM/DD/YYYY), letter_type, approver_center, file_name.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import ijson

from lumen_desktop.domain.library import normalised
from lumen_desktop.errors import InputError
from lumen_desktop.formats import pages
from lumen_desktop.formats.document import Fault, PublicDocument, PublicSection
from lumen_desktop.formats.guidance import NO_TEXT

LICENCE = "LicenseRef-US-PD"

_FDA = re.compile(r"Food\s+and\s+Drug\s+Administration|CENTER\s+FOR\s+(?:DRUG|BIOLOGICS)\s+EVALUATION", re.IGNORECASE)
_APPLICATION = re.compile(r"\b(NDA|BLA|ANDA)\s*#?\s*(\d{2,3}-?\d{3})\b")
_TYPES = {
    "warning letter": re.compile(r"\bwarning letter\b", re.IGNORECASE),
    "complete response": re.compile(r"\bcomplete response\b|cannot (?:tentatively )?approve", re.IGNORECASE),
    "approvable": re.compile(r"\bapprovable\b", re.IGNORECASE),
}
_FURNITURE = re.compile(
    r"^(?:Reference ID: *\d+|(?:NDA|BLA|ANDA) *[\d-]+(?: */ *S-\d+)?\n?Page \d+(?: of \d+)?|Page \d+(?: of \d+)?"
    r"|U\.S\. Food and Drug Administration\n(?:Silver Spring|Rockville), MD \d{5}\nwww\.fda\.gov"
    r"|Signature Page \d+ of \d+"
    r"|\{See appended electronic signature page\})$\n?",
    re.MULTILINE,
)
_MANIFEST = re.compile(
    r"(?:^-{5,}\s*)?This is a representation of an electronic record.*?"
    r"(?:^\d{1,2}/\d{1,2}/\d{4}[^\n]*|\Z)",
    re.DOTALL | re.MULTILINE,
)
_US_DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_SIGNED = re.compile(r"^\d{1,2}/\d{1,2}/\d{4}\b", re.MULTILINE)
_COVER = re.compile(
    r"\ACENTER FOR DRUG EVALUATION AND\s+RESEARCH\s+APPLICATION NUMBER:\s+\S+\s+OTHER ACTION LETTERS\s*\(?\s*"
)
_CAPITALS = re.compile(r"[A-Z][A-Z0-9 ,&/()’'-]*(?: and [A-Z ,&/]+)*:?")
_NO_HEADING = re.compile(r"(?:NDA|BLA|ANDA)\b|\(b\)|.*\d{4}|CENTER FOR|APPLICATION NUMBER|OTHER ACTION LETTERS")
_LONGEST_HEADING_WORDS = 10
_SHORTEST_HEADING = 5
_SHORTEST_LETTER = 80  # what stands before the first heading and is less is the rest of a cover
_FIRST_PAGES = 3


def documents(stream: BinaryIO, name: str) -> Iterator[PublicDocument | Fault]:
    """The letters of one file: one document for a PDF, one for each letter of openFDA's list.

    Facts: letter_type, application, and of openFDA's list its centre. ``licence`` is empty where a PDF does not show
    that the FDA wrote it.

    Raises:
        InputError: a PDF that cannot be read; JSON that is not well-formed (FMT-001), cut off (FMT-002) or holds no
            ``results`` (FMT-003).
    """
    if name.lower().endswith(".pdf"):
        yield _of_pdf(stream, name)
    else:
        yield from _of_list(stream)


def _of_pdf(stream: BinaryIO, name: str) -> PublicDocument | Fault:
    file = name.rpartition("!")[2].rpartition("/")[2]
    try:
        read = pages.extract(stream, name)
    except InputError as refusal:
        if refusal.code != NO_TEXT:
            raise
        return Fault(file, "no-text", "The letter holds no text: its pages are images.")
    sections = tuple(
        PublicSection(path or ("Letter",), "", text)
        for path, text in pages.sections(read, _without_furniture)
        if path[-1:] != ("Footnotes",) and (path or len(text) >= _SHORTEST_LETTER)
    )
    if not sections:
        return Fault(file, "no-text", "The letter holds no text but its cover.")
    text = "\n".join(read.pages)
    written_by_fda = _FDA.search("\n".join(read.pages[:_FIRST_PAGES]))
    return _document(
        file.rsplit(".", 1)[0], sections, letter_type=_type(text), application=_application(text),
        as_of=max(map(_day, _SIGNED.findall(text)), default=""), licence=LICENCE if written_by_fda else "",
    )  # fmt: skip


def _of_list(stream: BinaryIO) -> Iterator[PublicDocument | Fault]:
    count = 0
    try:
        for count, letter in enumerate(ijson.items(stream, "results.item", use_float=True), start=1):
            yield _letter(letter, f"record {count}")
    except (ijson.JSONError, UnicodeDecodeError) as error:
        raise _refusal(str(error).lower()) from None
    if not count:
        raise InputError(
            "The file is not openFDA's list of letters: it holds no results.",
            code="FMT-003",
            hint="Name it under the source it comes from.",
        )


def _refusal(words: str) -> InputError:
    """The parser has one error for what ends too early and what is wrong before; only its words tell them apart."""
    if "premature" in words or "incomplete" in words:
        return InputError("The file ends too early.", code="FMT-002", hint="Copy or download it again.")
    return InputError("The file is not well-formed JSON.", code="FMT-001", hint="Copy or download it again.")


def _letter(letter: Any, where: str) -> PublicDocument | Fault:
    if not isinstance(letter, Mapping):
        return Fault(where, "wrong-form", "The entry is not a letter with fields.")
    text, application = _field(letter, "text"), _field(letter, "application_number")
    day = _day(_field(letter, "letter_date"))
    identity = _field(letter, "file_name").rsplit(".", 1)[0] or " ".join(filter(None, (application, day)))
    if not identity:
        return Fault(where, "no-id", "The letter names neither its file nor an application.")
    sections = tuple(_headed(_without_furniture(normalised(text))))
    if not sections:
        return Fault(identity, "no-text", "The letter holds no text.")
    kind = _field(letter, "letter_type").lower() or _type(text)
    return _document(
        identity, sections, letter_type=kind, application=application or _application(text), as_of=day, licence=LICENCE,
        centre=_field(letter, "approver_center"), company=_field(letter, "company_name"),
    )  # fmt: skip


def _document(
    identity: str, sections: tuple[PublicSection, ...], *, letter_type: str, as_of: str, licence: str, **facts: str
) -> PublicDocument:
    name = f"{letter_type} letter".replace("letter letter", "letter").strip().capitalize()
    application = facts["application"]
    return PublicDocument(
        id=identity, kind="letter", title=f"{name}, {application}" if application else name, sections=sections,
        version=as_of, as_of=as_of, licence=licence,
        facts={key: value for key, value in {"letter_type": letter_type, **facts}.items() if value},
    )  # fmt: skip


def _field(letter: Mapping[str, Any], name: str) -> str:
    """A field as one text; openFDA gives some as lists."""
    value = letter.get(name, "")
    values = value if isinstance(value, list) else [value]
    return ", ".join(normalised(one) for one in values if isinstance(one, str) and one.strip())


def _headed(text: str) -> Iterator[PublicSection]:
    """The sections of a letter that is only text: a short line in capitals is a heading."""
    path, lines = ("Letter",), list[str]()
    for one in [*text.split("\n"), None]:
        if one is not None and not _is_heading(one):
            lines.append(one)
            continue
        body = pages.flowing("\n".join(lines))
        if body:
            yield PublicSection(path, "", body)
        path, lines = ((one or "").strip(" :"),), []


def _is_heading(line: str) -> bool:
    words = line.split()
    plain = _CAPITALS.fullmatch(line) and not _NO_HEADING.match(line)
    return bool(plain) and len(words) <= _LONGEST_HEADING_WORDS and len(line.strip(" :")) >= _SHORTEST_HEADING


def _without_furniture(text: str) -> str:
    """A letter's lines without page headers, reference numbers and the page that stands for the signature."""
    return _FURNITURE.sub("", _MANIFEST.sub("", _COVER.sub("", text)))


def _type(text: str) -> str:
    return next((name for name, pattern in _TYPES.items() if pattern.search(text)), "")


def _application(text: str) -> str:
    match = _APPLICATION.search(text)
    return f"{match.group(1)} {match.group(2).replace('-', ''):0>6}" if match else ""


def _day(written: str) -> str:
    """ISO 8601 day of 03/20/2020; empty where it is none."""
    match = _US_DAY.match(written.strip())
    return f"{match.group(3)}-{int(match.group(1)):02}-{int(match.group(2)):02}" if match else ""
