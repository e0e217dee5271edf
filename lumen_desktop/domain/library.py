"""Collections, source documents and the passages that an answer may cite.

Knows no file format, no database and no index. Readers make `Extract`, `retrieval.passages` cuts it
into `PassageDraft`, storage keeps it and hands back `Passage`.
"""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


class Kind(enum.StrEnum):
    """Whose words a document holds."""

    SUMMARY = "summary"  # Lumen's own words about a rule
    SOURCE = "source"  # the imported wording itself


class Currency(enum.StrEnum):
    """Whether a document's rule holds today."""

    IN_FORCE = "in_force"
    DRAFT = "draft"
    SUPERSEDED = "superseded"


class ReleaseState(enum.StrEnum):
    """Whether this site lets a document be used; what its rule is worth, `Currency` says."""

    IN_USE = "in_use"
    AWAITING = "awaiting"  # brought to a GMP site and not signed by everybody yet: quoted, and marked
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"

    @property
    def words(self) -> str:
        """As it stands beside a title; empty where it is in use."""
        return {"in_use": "", "awaiting": "not released", "rejected": "rejected", "withdrawn": "withdrawn"}[self.value]


USABLE = (ReleaseState.IN_USE, ReleaseState.AWAITING)  # what is searched for answers


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of one or more pages under one heading.

    Attributes:
        path: headings from the outermost to the own one; empty for text before any heading.
        spans: where it stands, as (page index from 0, start, end) in `Extract.pages`, in reading order.
            Headings themselves are not inside the spans.
    """

    path: tuple[str, ...]
    spans: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Extract:
    """What a reader took out of a file.

    Attributes:
        title: the document's own title, or the file's name without its ending.
        pages: text of each page, white space normalised (`normalised`); one "page" where a format has none.
        paged: whether page numbers mean something to a reader of the file.
        sections: in reading order; they cover all text but headings, page headers and page numbers.
        metadata: what the file says of itself (subject, edition, as_of, currency, keywords …), untrusted.
        notices: sentences for the user, such as "3 of 12 pages hold no text".
    """

    title: str
    pages: tuple[str, ...]
    paged: bool
    sections: tuple[Section, ...]
    metadata: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """Characters ``start`` to ``end`` of a page's normalised text; ``page`` counts from 1."""

    page: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page as shown, in shares of its width and height from the upper left corner (0 to 1)."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class PassageDraft:
    """A passage before it is stored.

    Attributes:
        header: "document title — section path", part of both search legs.
        section: the section path alone, headings joined with " › "; may be empty.
        text: what is quoted from; the spans' texts joined with one space.
        spans: where it stands in the document, in reading order.
    """

    header: str
    section: str
    text: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """A stored passage together with what a citation says of its document."""

    id: int
    document_id: int
    document: str
    kind: Kind
    subject: str
    edition: str
    currency: Currency
    paged: bool
    header: str
    section: str
    text: str
    spans: tuple[Span, ...]
    release: ReleaseState = ReleaseState.IN_USE

    def page_of(self, start: int) -> int | None:
        """Page on which the character ``start`` of the passage's text stands; None where pages mean nothing.

        Source: `PassageDraft.text`, the spans' texts joined with one space.
        """
        if not self.paged:
            return None
        offset = 0
        for span in self.spans:
            offset += span.end - span.start
            if start < offset:
                return span.page
            offset += 1
        return self.spans[-1].page

    def places(self, start: int, end: int) -> tuple[Span, ...]:
        """Where the characters ``start`` to ``end`` of the passage's text stand in the document, in reading order.

        Source: `PassageDraft.text`, the spans' texts joined with one space.
        """
        found, offset = [], 0
        for span in self.spans:
            left = max(span.start, span.start + start - offset)
            right = min(span.end, span.start + end - offset)
            if left < right:
                found.append(Span(span.page, left, right))
            offset += span.end - span.start + 1
        return tuple(found)

    @property
    def attribution(self) -> str:
        """What is said beside every quote of it: whose words these are, and in which state."""
        whose = f"Lumen's summary of {self.subject}, not its wording" if self.kind is Kind.SUMMARY else self.document
        edition = f" ({self.edition})" if self.edition else ""
        state = "" if self.currency is Currency.IN_FORCE else f" [{self.currency.value}]"
        release = f" [{self.release.words}]" if self.release.words else ""
        return whose + edition + state + release


@dataclass(frozen=True, slots=True)
class Collection:
    """A named set of documents searched together, with what it holds."""

    name: str
    documents: int
    passages: int


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document as lists show it."""

    id: int
    collection: str
    title: str
    name: str
    kind: Kind
    edition: str
    currency: Currency
    paged: bool
    pages: int
    passages: int
    sha256: str
    added_utc: datetime
    notices: tuple[str, ...]
    release: ReleaseState = ReleaseState.IN_USE


_SPACES = re.compile(r"[^\S\n]+")
_BREAKS = re.compile(r" ?\n[ \n]*")
_UNSEEN = re.compile(
    "[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\u00ad\u061c\u180e\ufff9-\ufffb\U000e0000-\U000e0fff"
    "\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f]"
)


def storable(text: str) -> str:
    """Text with a question mark for each half of a character pair: file names and hostile files may hold such halves.

    The length stays the same; no UTF-8 and so no database can hold them.
    """
    return text.encode("utf-8", "replace").decode()


def normalised(text: str) -> str:
    """Text with one space between words and single line breaks; unseen and control characters removed.

    Bidirectional and zero-width characters could make shown and stored words differ; tags could carry orders to a model
    that no person sees. Breaks stay and joiners go, so it is no rule for names (`names.shown`).
    """
    return _BREAKS.sub("\n", _SPACES.sub(" ", _UNSEEN.sub("", text))).strip()


def kept(text: str) -> list[int]:
    """Where the characters stand that `normalised` keeps, spaces and line breaks aside, in their order."""
    unseen = {place for match in _UNSEEN.finditer(text) for place in range(match.start(), match.end())}
    return [place for place, character in enumerate(text) if not character.isspace() and place not in unseen]
