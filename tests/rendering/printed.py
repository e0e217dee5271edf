"""Records and extracts that the tests print, and what a reader finds in the file."""

import ctypes
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from lumen_desktop.rendering.pages import (
    AnchorShown,
    AuditExtract,
    ChangeShown,
    Envelope,
    EventShown,
    Mark,
    Moment,
    Person,
    Record,
    Section,
    SignatureShown,
)

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
OFFICER = Person("Olga Officer", "officer", "QA officer")
APPROVER = Person("Ana María Łukaszewska", "ana", "QA approver")


def digest(of: str) -> str:
    return hashlib.sha256(of.encode()).hexdigest()


def envelope(title: str = "Cleaning of the granulator", marks: tuple[Mark, ...] = (), **more: Any) -> Envelope:
    return Envelope(
        site="Weser Pharma, Bremen",
        site_id="site-7f3a",
        kind="Release record",
        title=title,
        number=more.pop("number", "REL-0031"),
        status="In force",
        printed=Moment(NOON, 60),
        printed_by=OFFICER,
        content_digest=digest("content"),
        chain_head=digest("head"),
        chain_events=12_345,
        marks=marks,
        **more,
    )


def signature(by: Person = APPROVER, of: str = "content") -> SignatureShown:
    return SignatureShown(
        signer=by,
        meaning="I approve this document",
        at=Moment(NOON - timedelta(hours=2), -300),
        content_digest=digest(of),
        chain_head=digest("head at signing"),
        signature_id="sig-000041",
    )


def record(*sections: Section, **more: Any) -> Record:
    signatures = more.pop("signatures", ())
    return Record(envelope(**more), sections, signatures)


def event(seq: int, *changes: ChangeShown, reason: str = "Periodic review") -> EventShown:
    return EventShown(
        seq=seq,
        at=Moment(NOON + timedelta(seconds=seq), 60),
        who=OFFICER,
        act="document.release",
        object=f"document {seq}",
        reason=reason,
        changes=changes,
    )


def extract(*events: EventShown, selection: str = "", anchored: bool = True) -> AuditExtract:
    anchor = AnchorShown(12_300, digest("anchor"), Moment(NOON), "anchors file")
    return AuditExtract(envelope(), "GMP", selection, events, 12_345, anchor if anchored else None)


@dataclass(frozen=True)
class Found:
    """What PDFium reads in a file.

    Attributes:
        texts: of each page.
        fonts: names with whether they are embedded, where they were asked for.
        outline: level and title of each entry.
    """

    texts: list[str]
    fonts: dict[str, bool]
    outline: list[tuple[int, str]]
    metadata: dict[str, str]

    @property
    def text(self) -> str:
        """All pages in one line, spaces and breaks of any length as one space."""
        return " ".join(" ".join(self.texts).split())


def read(data: bytes, *, with_fonts: bool = False) -> Found:
    document = pypdfium2.PdfDocument(data)
    try:
        texts, fonts = [], {}
        for page in document:
            text = page.get_textpage()
            texts.append(text.get_text_range().replace("\r\n", "\n"))
            text.close()
            if with_fonts:
                fonts.update(_fonts(page))
            page.close()
        outline = [(entry.level, entry.get_title()) for entry in document.get_toc()]
        return Found(texts, fonts, outline, document.get_metadata_dict())
    finally:
        document.close()


def declared_fonts(data: bytes) -> set[str]:
    """Every font that the file names, drawn with or not, without the tag of its subset."""
    return {re.sub(r"^[A-Z]{6}\+", "", name.decode()) for name in re.findall(rb"/BaseFont /([^\s/]+)", data)}


def _fonts(page: Any) -> dict[str, bool]:
    found = {}
    for thing in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_TEXT]):
        font = pdfium.FPDFTextObj_GetFont(thing.raw)
        length = pdfium.FPDFFont_GetBaseFontName(font, None, 0)
        name = ctypes.create_string_buffer(length)
        pdfium.FPDFFont_GetBaseFontName(font, name, length)
        found[name.value.decode()] = bool(pdfium.FPDFFont_GetIsEmbedded(font))
    return found
