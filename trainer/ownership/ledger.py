"""The licence ledger: what a build is made from, under which terms, and how much of it.

Covers the base model and its ancestors, the collected sources and the tools. What follows for a sale says
`trainer.ownership.verdict`; knows no file but those of the work folder and its own tables.
"""

import functools
import importlib.metadata
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lumen_desktop.errors import InputError
from trainer.licences import LICENCES
from trainer.ownership.work import SPLITS, Work, no_dataset
from trainer.records import Example

DEFAULT_BASE = "BioMistral/BioMistral-7B"
OWN_WORDING = "lumen"  # source of examples that the trainer words itself
UNSTATED = ""
UNRECORDED_FAMILIES = frozenset({"replay"})  # read from a file whose licence its user states, not collected
_HERE = Path(__file__).parent
_LONGEST_DECLARED = 80


@dataclass(frozen=True, slots=True)
class Base:
    """A model that training starts from, or one of its ancestors.

    Attributes:
        id: as Hugging Face names it.
        licence: SPDX identifier of its weights.
        commercial: whether the licence lets what is made from it be sold.
        parents: what it was made from.
        holder: who is named as its author.
        url: its page.
        trained_on: what its authors say it learnt from.
        note: what an owner should know.
    """

    id: str
    licence: str
    commercial: bool
    parents: tuple[str, ...]
    holder: str
    url: str
    trained_on: str
    note: str


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that takes part; ``version`` is empty where it is not installed here.

    Attributes:
        name: of its Python package.
        stage: where it is used.
        version: installed here.
        licence: as its project states it.
        declared: as the installed package states it; empty where it says nothing.
    """

    name: str
    stage: str
    version: str
    licence: str
    declared: str


@dataclass(frozen=True, slots=True)
class Material:
    """What one source gives under one licence.

    Attributes:
        source: name of its reader; `OWN_WORDING` for the trainer's own sentences.
        licence: identifier in `trainer.licences`; `UNSTATED` where none is known.
        commercial: whether a model trained on it may be sold.
        documents: collected.
        records: sections of them.
        record_words: words in those.
        used_documents: that examples rest on.
        examples: by split; one that rests on two sources counts in both.
        example_words: words of those examples' turns.
    """

    source: str
    licence: str
    commercial: bool
    documents: int
    records: int
    record_words: int
    used_documents: int
    examples: Mapping[str, int]
    example_words: int


@dataclass(frozen=True, slots=True)
class Document:
    """What is known of a document that an example rests on."""

    source: str
    licence: str
    commercial: bool
    title: str
    authors: str
    url: str
    version: str
    as_of: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """All of it.

    Attributes:
        base: the named model, then its ancestors.
        materials: by source and licence.
        tools: by name.
        documents: that examples rest on and that were collected, by identity.
        synthetic: examples of which a model wrote part.
    """

    base: tuple[Base, ...]
    materials: tuple[Material, ...]
    tools: tuple[Tool, ...]
    documents: Mapping[str, Document]
    synthetic: int

    @property
    def used(self) -> tuple[Material, ...]:
        """Materials that reached the dataset."""
        return tuple(one for one in self.materials if any(one.examples.values()))

    def fields(self) -> dict[str, Any]:
        """As JSON values; the documents are those of the records and left out."""
        return {
            "base": [asdict(one) for one in self.base],
            "materials": [asdict(one) for one in self.materials],
            "tools": [asdict(one) for one in self.tools],
            "synthetic_examples": self.synthetic,
        }


@dataclass(slots=True)
class _Sum:
    documents: int = 0
    records: int = 0
    record_words: int = 0
    used: set[str] = field(default_factory=set)
    examples: Counter[str] = field(default_factory=Counter)
    example_words: int = 0
    commercial: bool = True


def ledger(work: Work, *, base: str = DEFAULT_BASE) -> Ledger:
    """Counts what the dataset in a work folder is made from.

    Holds in memory what is known of the documents that examples rest on, not their texts and not the others.

    Raises:
        InputError: no dataset (TRN-040), or a base model that is not known (TRN-043).
        InputError: a damaged line (TRN-008, TRN-009).
    """
    chain = ancestry(base)
    work.require_dataset()
    wanted = {doc for _, example in work.examples() for doc in example.doc_ids}
    sums: dict[tuple[str, str], _Sum] = {}
    documents = _collected(work, wanted, sums)
    synthetic = 0
    for split, example in work.examples():
        _count(split, example, documents, sums)
        synthetic += example.synthetic
    if not any(one.examples for one in sums.values()):
        raise no_dataset()
    materials = tuple(_material(source, licence, one) for (source, licence), one in sorted(sums.items()))
    return Ledger(chain, materials, tools(), documents, synthetic)


def ancestry(base: str) -> tuple[Base, ...]:
    """A base model and what it was made from, nearest first.

    Raises:
        InputError: not in the table (TRN-043).
    """
    known = {one.id: one for one in _bases()}
    if base not in known:
        raise InputError(
            "The ledger does not know this base model.",
            code="TRN-043",
            hint=f"Choose one of {', '.join(known)}.",
        )
    found: dict[str, Base] = {}
    waiting = [base]
    while waiting:
        one = known[waiting.pop(0)]
        found.setdefault(one.id, one)
        waiting += [parent for parent in one.parents if parent not in found]
    return tuple(found.values())


def tools() -> tuple[Tool, ...]:
    """The programs that take part, with what their installed packages say of themselves."""
    return tuple(
        Tool(licence=one["licence"], name=one["name"], stage=one["stage"], **_installed(one["name"]))
        for one in sorted(table("tools")["tool"], key=lambda one: str(one["name"]))
    )


def sources_of(example: Example, documents: Mapping[str, Document]) -> list[tuple[str, str]]:
    """Source and licence of each document an example rests on; its own wording where it rests on none."""
    if not example.doc_ids:
        return [(OWN_WORDING, licence) for licence in sorted(set(example.licences)) or (UNSTATED,)]
    pairs = {
        (documents[doc].source, documents[doc].licence) if doc in documents else (doc.partition(":")[0], licence)
        for doc in example.doc_ids
        for licence in (stated(example) or (UNSTATED,))
    }
    return sorted(pairs)


def stated(example: Example) -> tuple[str, ...]:
    """Licences that count for documents of an example that were never collected."""
    return example.licences if example.family in UNRECORDED_FAMILIES else ()


def named(source: str, licence: str) -> str:
    """A source and its licence as one name to count by."""
    return f"{source} ({licence or 'no licence'})"


def licence_words(one: Material) -> str:
    """A material's licence as tables show it."""
    return one.licence or ("own wording" if one.source == OWN_WORDING else "none")


def _collected(work: Work, wanted: set[str], sums: dict[tuple[str, str], _Sum]) -> dict[str, Document]:
    documents: dict[str, Document] = {}
    before = ""
    for record in work.records():
        one = sums.setdefault((record.source, record.licence), _Sum())
        one.documents += record.doc_id != before  # a document's sections stand together
        before = record.doc_id
        one.records += 1
        one.record_words += len(record.text.split())
        one.commercial &= record.commercial
        if record.doc_id in wanted and record.doc_id not in documents:
            documents[record.doc_id] = Document(
                record.source, record.licence, record.commercial, record.title, _authors(record.facts),
                record.url, record.version, record.as_of,
            )  # fmt: skip
    return documents


def _authors(facts: Mapping[str, Any]) -> str:
    found = facts.get("authors", "")
    return "; ".join(map(str, found)) if isinstance(found, list) else str(found)


def _count(split: str, example: Example, documents: Mapping[str, Document], sums: dict[tuple[str, str], _Sum]) -> None:
    words = sum(len(message.content.split()) for message in example.messages)
    for pair in sources_of(example, documents):
        one = sums.setdefault(pair, _Sum())
        one.examples[split] += 1
        one.example_words += words
    for doc in example.doc_ids:
        if doc in documents:
            sums[(documents[doc].source, documents[doc].licence)].used.add(doc)


def _material(source: str, licence: str, one: _Sum) -> Material:
    own = source == OWN_WORDING and licence == UNSTATED
    known = own or (licence in LICENCES and LICENCES[licence].commercial)
    return Material(
        source, licence, known and one.commercial, one.documents, one.records, one.record_words, len(one.used),
        {split: one.examples[split] for split in SPLITS}, one.example_words,
    )  # fmt: skip


def _bases() -> list[Base]:
    return [Base(**{**one, "parents": tuple(one["parents"])}) for one in table("base")["base"]]


def _installed(name: str) -> dict[str, str]:
    try:
        about = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        return {"version": "", "declared": ""}
    classified = [line.rpartition(" :: ")[2] for line in _said(about, "Classifier") if line.startswith("License ::")]
    said = (*_said(about, "License-Expression"), ", ".join(classified), *_said(about, "License"))
    declared = next((words for words in said if words), "")
    return {"version": about["Version"], "declared": declared.partition("\n")[0][:_LONGEST_DECLARED]}


def _said(about: importlib.metadata.PackageMetadata, field_name: str) -> list[str]:
    return about.get_all(field_name) or []


@functools.cache
def table(name: str) -> dict[str, Any]:
    """One of the tables beside this module."""
    return tomllib.loads((_HERE / f"{name}.toml").read_text(encoding="utf-8"))
