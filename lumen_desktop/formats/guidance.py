"""Guidance of authorities as they publish it, in PDF: who published it, its state where it says so, its sections.

The publisher is taken from the imprint on the first pages, never from a mention: a vendor's paper names the FDA too. A
PDF whose publisher is not recognised is a document without a licence, which only the user's configuration can give.
Knows no list of editions, so that one superseded since is only recognised where its own words say so.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from lumen_desktop.domain.library import Currency, Extract
from lumen_desktop.errors import InputError
from lumen_desktop.formats import pages
from lumen_desktop.formats.document import Fault, PublicDocument, PublicSection

NO_TEXT = "LIB-006"

_FIRST_PAGES = 3
_SLUG_CHARACTERS = 120


@dataclass(frozen=True, slots=True)
class _Publisher:
    """Who publishes, how its imprint reads, and whose notice of copyright may stand beside it."""

    short: str
    name: str
    licence: str
    imprint: re.Pattern[str]
    owner: re.Pattern[str]


def _publisher(short: str, name: str, licence: str, imprint: str, owner: str) -> _Publisher:
    return _Publisher(
        short, name, licence, re.compile(imprint, re.IGNORECASE | re.MULTILINE), re.compile(owner, re.IGNORECASE)
    )


_PUBLISHERS = (  # on one page the first of these counts: the FDA and the EMA print the ICH's guidelines too
    _publisher(
        "ich", "International Council for Harmonisation (ICH)", "LicenseRef-ICH",
        r"^ICH HARMONISED (?:TRIPARTITE )?GUIDELINE"
        r"|^(?-i:INTERNATIONAL (?:COUNCIL|CONFERENCE) (?:FOR|ON) HARMONISATION)",
        r"ICH|International Council for Harmonisation",
    ),
    _publisher(
        "pics", "Pharmaceutical Inspection Co-operation Scheme (PIC/S)", "",
        r"^(?-i:PHARMACEUTICAL INSPECTION (?:CO-?OPERATION SCHEME|CONVENTION))", r"PIC/S",
    ),
    _publisher(
        "who", "World Health Organization", "LicenseRef-CC-NonCommercial",
        r"^World Health Organization *$|^© *World Health Organization\b|^WHO Technical Report Series",
        r"World Health Organization|WHO",
    ),
    _publisher(
        "ec", "European Commission", "LicenseRef-EC-Reuse", r"^(?:EUROPEAN COMMISSION|EudraLex) *$",
        r"European (?:Union|Communit|Commission)",
    ),
    _publisher(
        "mhra", "Medicines and Healthcare products Regulatory Agency", "OGL-UK-3.0",
        r"^(?:MHRA|Medicines (?:and|&) Healthcare products Regulatory Agency(?: \(MHRA\))?)(?: *$| .?GXP.? Data)"
        r"|^©? ?Crown copyright",
        r"Crown|MHRA",
    ),
    _publisher(
        "ema", "European Medicines Agency", "LicenseRef-EMA-Reuse", r"^European Medicines Agency *$|^EMA/[A-Z0-9]+/",
        r"European Medicines Agency|EMA",
    ),
    _publisher(
        "fda", "US Food and Drug Administration", "LicenseRef-US-PD",
        r"Department of Health (?:and|&) Human Services[\s,]+(?:Public Health Service\s+)?Food and Drug Administration",
        r"(?!)",  # works of the US government carry none
    ),
)  # fmt: skip
_NOTICE = re.compile(r"(?:©|\(c\)|copyright)[^\n]{0,120}", re.IGNORECASE)
_PRODUCT = re.compile(
    r"^(?:summary of product characteristics|package leaflet: information|annex i\s+summary of product)",
    re.IGNORECASE | re.MULTILINE,
)
_LAW = re.compile(
    r"^(?:COMMISSION (?:DELEGATED |IMPLEMENTING )?)?(?:DIRECTIVE|REGULATION) (?:\(EU\)|\d{4}/)", re.MULTILINE
)
_DRAFT = re.compile(
    r"^\s*DRAFT (?:GUIDANCE|GUIDELINE)|distributed for comment purposes only|draft\s*[-–\u2014]\s*not for implem"
    r"|^draft (?:agreed|adopted) by|released? for (?:public )?consultation$|draft ICH consensus guideline"
    r"|^consultation draft",
    re.IGNORECASE | re.MULTILINE,
)
_OVER = re.compile(
    r"\bthis (?:guidance|guideline|document|annex|version|edition)\s+(?:has been|was|is|is now)\s+(?:now\s+)?"
    r"(?:superseded|withdrawn|replaced|rescinded|obsolete)|^(?:superseded|withdrawn|obsolete)\b",
    re.IGNORECASE | re.MULTILINE,
)
_OVER_IN_PART = re.compile(r"\bsupersedes section [^.\n]{1,200} of this guid", re.IGNORECASE)
_ISSUED = re.compile(
    r"(?:document issued on|issued on|dated|revision \d+:?|coming into (?:operation|effect)|adopted on|published)"
    r":?\s{0,3}(?P<rest>[^\n]{0,40})",
    re.IGNORECASE,
)
_REVISION = re.compile(
    r"^(?:status of the document: *)?rev(?:ision|\.) (\d{1,2}(?:\.\d{1,2})?)\b|\bQ\d{1,2}[A-Z]?\((R\d)\)",
    re.IGNORECASE | re.MULTILINE,
)
_NUMBER = re.compile(r"(?:section\s+)?((?:\d{1,3}\.)*\d{1,3})[.:]?\s", re.IGNORECASE)
_NO_RULE = re.compile(
    r"(?:(?:\d+|[ivx]+)[.)]\s*)?(?:footnotes|additional copies|public comment|(?:table of )?contents"
    r"|(?:\w+ )?document history|references)[ :.]*",
    re.IGNORECASE,
)


def documents(stream: BinaryIO, name: str) -> Iterator[PublicDocument | Fault]:
    """The guidance in one PDF; ``licence`` is empty where its publisher is not recognised.

    Facts: publisher, state (a `domain.library.Currency`), superseded_in_part, pages.

    Raises:
        InputError: a PDF that cannot be read, as `office.pdf` says; too large (FMT-005).
    """
    try:
        read = pages.extract(stream, name)
    except InputError as refusal:
        if refusal.code != NO_TEXT:
            raise
        yield Fault("record 1", "no-text", "The PDF holds no text: its pages are images.")
        return
    yield _document(read)


def _document(read: Extract) -> PublicDocument | Fault:
    first = "\n".join(read.pages[:_FIRST_PAGES])
    publisher = _published_by(read)
    title = " ".join(read.title.replace("_", " ").split())
    found = tuple(_sections(read))
    if not found:
        return Fault(title, "no-text", "The PDF holds no text but its cover.")
    revision = _REVISION.search(first)
    as_of = _as_of(read)
    return PublicDocument(
        id=f"{publisher.short if publisher else 'unknown'}:{_slug(title)}",
        kind="regulation" if _LAW.search(first) else "guidance",
        title=title, sections=found, as_of=as_of,
        version=" ".join(filter(None, (as_of, revision and f"revision {next(filter(None, revision.groups()))}"))),
        licence=publisher.licence if publisher else "",
        facts=_facts(read, first, publisher),
    )  # fmt: skip


def _published_by(read: Extract) -> _Publisher | None:
    """The publisher whose imprint stands on the earliest page, unless somebody else claims the copyright there."""
    for page in read.pages[:_FIRST_PAGES]:
        if _PRODUCT.search(page):  # belongs to the holder of the authorisation
            return None
        for publisher in _PUBLISHERS:
            if publisher.imprint.search(page):
                return None if _claimed_by_others(read, publisher) else publisher
    return None


def _claimed_by_others(read: Extract, publisher: _Publisher) -> bool:
    notices = [match.group() for page in read.pages[:_FIRST_PAGES] for match in _NOTICE.finditer(page)]
    dated = [notice for notice in notices if "©" in notice or re.search(r"\b(?:19|20)\d\d\b", notice)]
    return any(not publisher.owner.search(notice) for notice in dated)


def _sections(read: Extract) -> Iterator[PublicSection]:
    """Sections without the cover and what is no rule; a PDF without headings is one section."""
    found = list(pages.sections(read))
    headed = any(path for path, _ in found)
    for path, text in found:
        if headed and (not path or any(map(_NO_RULE.fullmatch, path))):
            continue
        number = _NUMBER.match(path[-1] + " ") if path else None
        yield PublicSection(path or ("Text",), number.group(1) if number else "", text)


def _as_of(read: Extract) -> str:
    """The day it was issued, else the first date of its first pages that stands alone, else the first at all."""
    first = read.pages[:_FIRST_PAGES]
    issued = [date for page in first for match in _ISSUED.finditer(page) for date in pages.dates(match["rest"])[:1]]
    lines = [line for page in first for line in page.split("\n")]
    alone = [date for line in lines if len(line.split()) <= 3 for date in pages.dates(line)]  # noqa: PLR2004 - day, month, year
    anyhow = [date for page in first for date in pages.dates(page)]
    return next(iter(issued or alone or anyhow), "")


def _facts(read: Extract, first: str, publisher: _Publisher | None) -> dict[str, Any]:
    state = (
        Currency.SUPERSEDED if _OVER.search(first) else Currency.DRAFT if _DRAFT.search(first) else Currency.IN_FORCE
    )
    found: dict[str, Any] = {
        "publisher": publisher.name if publisher else "",
        "state": state.value,
        "superseded_in_part": bool(_OVER_IN_PART.search(" ".join(first.split()))),
        "pages": len(read.pages),
    }
    return {key: value for key, value in found.items() if value}


def _slug(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:_SLUG_CHARACTERS].strip("-") or "untitled"
