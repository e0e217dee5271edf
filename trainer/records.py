"""What the trainer hands from step to step: a collected section (`Record`), what was refused (`Reject`), an `Example`.

Each is one line of JSON in a file. Knows no source and no format; every step of the trainer takes and makes these.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from lumen_desktop.formats.document import Entity, Ingredient


@dataclass(frozen=True, slots=True)
class Record:
    """One section of one public document, with where it comes from and what may be done with it.

    Attributes:
        id: ``doc_id#number``, the number of the section in its document, from 1.
        doc_id: ``source:`` and the publisher's identity of the document.
        source: the name of the reader, one of `trainer.sources`.
        kind: as `PublicDocument.kind`.
        version: the publisher's version of the document.
        as_of: ISO 8601 day, month or year it is of.
        url: where the publisher shows it.
        licence: identifier in `trainer.licences`.
        commercial: whether a model trained on it may be sold.
        file: name of the file it was read from, as the user named it, with the names inside an archive after "!".
        title: of the document.
        entity: the medicine it is about.
        section_code: the format's code of the section.
        section_path: headings from the outermost.
        language: ISO 639-1.
        text: what examples are made from; spans count in it.
        facts: what the format states in fields; JSON values.
    """

    id: str
    doc_id: str
    source: str
    kind: str
    version: str
    as_of: str
    url: str
    licence: str
    commercial: bool
    file: str
    title: str
    entity: Entity
    section_code: str
    section_path: tuple[str, ...]
    language: str
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """Digest of the text, lower-case hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def as_line(self) -> str:
        """One line of JSON, keys sorted, with the text's digest."""
        return _line({**_fields(self), "sha256": self.sha256})

    @classmethod
    def from_line(cls, line: str | bytes) -> "Record":
        """The record of a line that `as_line` made; one changed on disk is an error of its reader."""
        fields = orjson.loads(line)
        digest = fields.pop("sha256")
        entity = fields.pop("entity")
        ingredients = tuple(Ingredient(**one) for one in entity.pop("ingredients"))
        record = cls(
            **{**fields, "section_path": tuple(fields["section_path"])},
            entity=Entity(ingredients, **{**entity, "brands": tuple(entity["brands"])}),
        )
        if record.sha256 != digest:
            raise ValueError(f"the text of {record.id} is not the one that was collected")
        return record


@dataclass(frozen=True, slots=True)
class Reject:
    """What a step left out, and why: no text of it is kept.

    Attributes:
        step: collect, or the name of the dataset's step.
        where: file, record or example.
        reason: a short fixed word to count by.
        words: one sentence.
    """

    step: str
    where: str
    reason: str
    words: str

    def as_line(self) -> str:
        """One line of JSON, keys sorted."""
        return _line(_fields(self))


@dataclass(frozen=True, slots=True)
class Message:
    """One turn; ``role`` is system, user or assistant."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Characters ``start`` to ``end`` of a record's text, from which an example takes its words."""

    record_id: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Example:
    """One conversation to learn from; the assistant's last turn is the answer.

    Attributes:
        family: what it teaches, one of `trainer.dataset`: label, dosing, regulation …
        template: which wording of the family made it; capped, so that no phrase is learnt by heart.
        messages: in order; rendered by the base model's own template only when it trains.
        origins: where its words come from; the first is the one that answers. Empty only for refusals and replay.
        doc_ids: documents it rests on.
        groups: what must not lie on both sides of a split: ingredients ("drug:…"), regulations, articles.
        licences: identifiers of all its sources.
        commercial: whether all of them allow a model that is sold.
        as_of: the latest day of its sources; the split over time goes by it.
        answerable: whether the sources shown to it answer; None where none are shown.
        synthetic: whether a model wrote part of it.
        labeler: of the label it is made from; capped.
        language: ISO 639-1.
    """

    family: str
    template: str
    messages: tuple[Message, ...]
    origins: tuple[Origin, ...]
    doc_ids: tuple[str, ...]
    groups: tuple[str, ...]
    licences: tuple[str, ...]
    commercial: bool
    as_of: str = ""
    answerable: bool | None = None
    synthetic: bool = False
    labeler: str = ""
    language: str = "en"

    @property
    def id(self) -> str:
        """Digest of what is learnt, 32 hexadecimal digits: the same conversation is the same example."""
        turns = json.dumps([[m.role, m.content] for m in self.messages], ensure_ascii=False)
        return hashlib.sha256(turns.encode()).hexdigest()[:32]

    @property
    def question(self) -> str:
        """The user's last turn."""
        return next((m.content for m in reversed(self.messages) if m.role == "user"), "")

    @property
    def answer(self) -> str:
        """The assistant's last turn."""
        return self.messages[-1].content

    def as_line(self) -> str:
        """One line of JSON, keys sorted, with its id."""
        return _line({**_fields(self), "id": self.id})

    @classmethod
    def from_line(cls, line: str | bytes) -> "Example":
        """The example of a line that `as_line` made."""
        fields = orjson.loads(line)
        fields.pop("id")
        tuples = ("doc_ids", "groups", "licences")
        return cls(
            **{
                **fields,
                **{name: tuple(fields[name]) for name in tuples},
                "messages": tuple(Message(**one) for one in fields["messages"]),
                "origins": tuple(Origin(**one) for one in fields["origins"]),
            }
        )


def _fields(value: Any) -> dict[str, Any]:
    """A slotted dataclass as a mapping; not `asdict`, whose deep copies take as long as all the reading of XML."""
    return {name: getattr(value, name) for name in value.__slots__}


def _line(value: Any) -> str:
    try:
        return orjson.dumps(value, default=_fields, option=_SORTED).decode()
    except orjson.JSONEncodeError:  # half of a surrogate pair, or a number beyond 64 bits: Python's own can say which
        return _ANY.encode(value)


_SORTED = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS
_ANY = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_fields)
