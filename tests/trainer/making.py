"""Small records for tests of the example builders."""

from collections.abc import Mapping, Sequence
from typing import Any

from lumen_desktop.domain.library import normalised
from lumen_desktop.formats.document import Entity
from trainer.dataset.build import examples
from trainer.records import Example, Record, Reject

ZELBOR = Entity(brands=("Zelbor",), labeler="Acme")


def record(
    text: str, *path: str, number: int = 1, kind: str = "label", code: str = "", title: str = "Zelbor tablets",
    entity: Entity = ZELBOR, facts: Mapping[str, Any] | None = None, doc: str = "d1",
) -> Record:  # fmt: skip
    return Record(
        id=f"test:{doc}#{number}", doc_id=f"test:{doc}", source="test", kind=kind, version="3", as_of="2025-04-01",
        url="", licence="CC0-1.0", commercial=True, file="f", title=title, entity=entity, section_code=code,
        section_path=path, language="en", text=normalised(text), facts=facts or {},
    )  # fmt: skip


def built(*records: Record, seed: int = 7, families: frozenset[str] | None = None) -> list[Example]:
    return [one for one in examples([records], seed=seed, families=families) if isinstance(one, Example)]


def rejected(*records: Record) -> list[Reject]:
    return [one for one in examples([records], seed=7) if isinstance(one, Reject)]


def asked(example: Example) -> str:
    """The question without the sources before it."""
    return example.question.rsplit("Question: ", 1)[-1]


def over_seeds(records: Sequence[Record], template: str, seeds: range = range(60)) -> list[Example]:
    """What a template gives over many seeds."""
    return [one for seed in seeds for one in built(*records, seed=seed) if one.template.startswith(template)]
