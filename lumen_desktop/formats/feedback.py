"""Feedback that a user of the app agreed to give for training: its file, one line of JSON an item, and withdrawals.

An item holds what was asked, answered, cited and corrected, the role and the build; no name, no account, no machine.
Whoever writes one asks for consent first and keeps which consent belongs to whom out of the file. A withdrawal is a
line in a list of its own, so that a person can take back what was given without the file being written anew.

The chat writes items (`line`), the trainer reads both lists (`documents`). `SCHEMA` and `VERSION` stand in every line:
lines can be joined from several sites with `cat`.
"""

import json
from collections.abc import Container, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, BinaryIO

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from lumen_desktop.errors import InputError
from lumen_desktop.formats import objects
from lumen_desktop.formats.document import Fault, PublicDocument, PublicSection

SCHEMA, VERSION = "lumen-feedback", 1
WITHDRAWALS = "lumen-feedback-withdrawals"
LICENCE = "LicenseRef-Consent"
ANSWER, CORRECTION, CITED = "answer", "correction", "passage"  # codes of a document's sections
MOST_PASSAGES = 20

_Id = Annotated[str, Field(pattern=r"^[0-9a-z][0-9a-z-]{0,63}$")]
_Label = Annotated[str, Field(min_length=1, max_length=300)]


class Rating(StrEnum):
    """What the user says of the answer."""

    RIGHT = "right"
    WRONG = "wrong"
    UNCLEAR = "unclear"


class Role(StrEnum):
    """As whom the user asked; never who it was."""

    PHARMACIST = "pharmacist"
    NURSE = "nurse"
    PHYSICIAN = "physician"
    QUALITY = "quality"
    REGULATORY = "regulatory"
    OTHER = "other"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Consent(_Strict):
    """Which consent an item rests on: ``id`` is drawn at random, ``text_version`` says which wording was agreed to."""

    id: _Id
    text_version: Annotated[str, Field(pattern=r"^[0-9A-Za-z.-]{1,32}$")]


class Cited(_Strict):
    """A passage that the answer rested on."""

    document: _Label
    section: Annotated[str, Field(max_length=500)] = ""
    text: Annotated[str, Field(min_length=1, max_length=20_000)]


class Item(_Strict):
    """One answer and what its user says of it.

    Attributes:
        id: of the item, drawn at random.
        created_utc: when it was given, aware.
        consent: without one the item is not used.
        rating: the user's verdict.
        question: as asked.
        answer: as shown, with its references [n] into ``passages``.
        passages: what was cited, in that order.
        correction: how the user would have it; empty where nothing was written.
        role: of the user.
        build: SHA-256 of the model that answered; empty where no model did.
    """

    id: _Id
    created_utc: AwareDatetime
    consent: Consent
    rating: Rating
    question: Annotated[str, Field(min_length=1, max_length=4_000)]
    answer: Annotated[str, Field(min_length=1, max_length=20_000)]
    passages: Annotated[tuple[Cited, ...], Field(max_length=MOST_PASSAGES)] = ()
    correction: Annotated[str, Field(max_length=20_000)] = ""
    role: Role = Role.OTHER
    build: Annotated[str, Field(pattern=r"^(?:[0-9a-f]{64})?$")] = ""

    @field_validator("created_utc")
    @classmethod
    def _in_utc(cls, value: datetime) -> datetime:
        return value.astimezone(UTC)


class Withdrawal(_Strict):
    """A consent that was taken back."""

    consent: _Id
    withdrawn_utc: AwareDatetime


def line(item: Item | Withdrawal) -> str:
    """One line for either file, keys sorted, without its line break."""
    schema = SCHEMA if isinstance(item, Item) else WITHDRAWALS
    fields = {"schema": schema, "version": VERSION, **item.model_dump(mode="json")}
    return json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def withdrawals(stream: BinaryIO) -> frozenset[str]:
    """Consents that were taken back.

    Raises:
        InputError: not a line of JSON (FMT-003), or a line that is no withdrawal (FMT-032): whom it would protect is
            unknown, so nothing may be trained on until the list is mended.
    """
    return frozenset(_withdrawal(found).consent for found in objects.lines(stream))


def documents(
    stream: BinaryIO, name: str, *, withdrawn: Container[str] = frozenset()
) -> Iterator[PublicDocument | Fault]:
    """Each item as a document of kind "feedback" with the id "consent/item".

    Sections: the answer shown (code `ANSWER`), the correction where there is one (`CORRECTION`), each cited passage
    (`CITED`, path (document, section)). ``facts``: question, rating, role, build, consent, consent_text_version.

    A list of withdrawals may be read here too: each is a fault "withdrawn" whose ``where`` is the consent. What was
    collected before must then go: every document whose id begins with that consent and "/".

    Args:
        stream: the file's bytes.
        name: unused: the schema shows in each line.
        withdrawn: consents whose items are faults "withdrawn"; an item without consent is a fault "no-consent".

    Raises:
        InputError: cut off (FMT-002), another format or version (FMT-003), a damaged withdrawal (FMT-032).
    """
    del name
    kind: object = ""
    for found in objects.lines(stream):
        first, kind = not kind, kind if isinstance(found, Fault) else found[1].get("schema")
        if kind == WITHDRAWALS:
            yield Fault(_withdrawal(found).consent, "withdrawn", "The consent was taken back.")
        elif isinstance(found, Fault):
            yield found
        elif (kind, found[1].get("version")) == (SCHEMA, VERSION):
            yield _item(*found, withdrawn)
        elif first:
            raise _another()
        else:
            yield Fault(found[0], "wrong-version", "The line is of another schema or another version of it.")


def _item(where: str, fields: dict[str, object], withdrawn: Container[str]) -> PublicDocument | Fault:
    if not fields.get("consent"):
        return Fault(where, "no-consent", "The item rests on no consent.")
    try:
        item = Item.model_validate({key: value for key, value in fields.items() if key not in ("schema", "version")})
    except ValidationError as error:
        return Fault(where, "wrong-form", f"Not as the schema says: {_named(error)}.")
    if item.consent.id in withdrawn:
        return Fault(f"{item.consent.id}/{item.id}", "withdrawn", "The consent was taken back.")
    document = _document(item)
    if not document.facts["question"] or not all(section.text for section in document.sections):
        return Fault(where, "no-text", "A question, answer or passage of the item shows nothing.")
    return document


def _document(item: Item) -> PublicDocument:
    said = [PublicSection(("Answer",), ANSWER, objects.words(item.answer))]
    if correction := objects.words(item.correction):
        said.append(PublicSection(("Correction",), CORRECTION, correction))
    for one in item.passages:
        path = tuple(filter(None, map(objects.words, (one.document, one.section))))
        said.append(PublicSection(path, CITED, objects.words(one.text)))
    return PublicDocument(
        id=f"{item.consent.id}/{item.id}",
        kind="feedback",
        title="Feedback on an answer",
        sections=tuple(said),
        version=str(VERSION),
        as_of=item.created_utc.date().isoformat(),
        licence=LICENCE,
        facts={
            "question": objects.words(item.question),
            "rating": item.rating.value,
            "role": item.role.value,
            "build": item.build,
            "consent": item.consent.id,
            "consent_text_version": item.consent.text_version,
        },
    )


def _withdrawal(found: tuple[str, dict[str, Any]] | Fault) -> Withdrawal:
    where, fields = (found.where, {}) if isinstance(found, Fault) else (found[0], dict(found[1]))
    known = (fields.pop("schema", None), fields.pop("version", None)) == (WITHDRAWALS, VERSION)
    try:
        if known:
            return Withdrawal.model_validate(fields)
    except ValidationError:
        pass
    raise InputError(
        f"A withdrawal of consent cannot be read ({where}), so nobody can say what must not be trained on.",
        code="FMT-032",
        hint="Export the list again, and use the trainer that belongs to the app.",
    )


def _named(error: ValidationError) -> str:
    """The fields that are wrong; never what stands in them."""
    return ", ".join(sorted({".".join(str(part) for part in one["loc"]) or "item" for one in error.errors()}))


def _another() -> InputError:
    return InputError(
        "The file is no feedback of this version of Lumen.",
        code="FMT-003",
        hint="Export it again, or use the trainer that belongs to the app.",
    )
