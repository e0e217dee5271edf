"""Sources of the tests' own: a file of JSON lines, each a document, a fault or an order to fail."""

import json
import os
import time
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from lumen_desktop.errors import InputError
from lumen_desktop.formats.document import Entity, Fault, Ingredient, PublicDocument, PublicSection
from trainer.sources import Reader, Source


def documents(stream: BinaryIO, name: str) -> Iterator[PublicDocument | Fault]:
    """One line, one event."""
    for line in stream:
        fields = json.loads(line)
        if "fault" in fields:
            yield Fault(fields["id"], fields["fault"], "The test says so.")
        elif "refuse" in fields:
            raise InputError("The file ends too early.", code=fields["refuse"], hint="Copy or download it again.")
        elif "exit" in fields:
            os._exit(fields["exit"])
        elif "sleep_s" in fields:
            time.sleep(fields["sleep_s"])
        else:
            yield _document(fields, name)


def _document(fields: dict[str, Any], name: str) -> PublicDocument:
    sections = tuple(PublicSection(("Uses", str(n)), f"c{n}", text) for n, text in enumerate(fields["texts"], 1))
    return PublicDocument(
        id=fields["id"], kind="label", title=f"Label in {name}", sections=sections,
        version=fields.get("version", ""), as_of=fields.get("as_of", ""), licence=fields.get("licence", ""),
        entity=Entity((Ingredient("zelboraxib", "ABCDE12345"),), ("Zelboramax",)), facts=fields.get("facts", {}),
    )  # fmt: skip


def _without(places: Mapping[str, Path]) -> Reader:
    withdrawn = set(places["withdrawals"].read_text(encoding="utf-8").split())

    def read(stream: BinaryIO, name: str) -> Iterator[PublicDocument | Fault]:
        for event in documents(stream, name):
            taken = isinstance(event, PublicDocument) and event.id in withdrawn
            yield Fault(event.id, "withdrawn", "The list says so.") if taken else event  # type: ignore[union-attr]

    return read


def names_in_zip(stream: BinaryIO, name: str) -> Iterator[PublicDocument | Fault]:
    """A reader that opens its zip itself."""
    with zipfile.ZipFile(stream) as archive:
        yield _document({"id": "zip", "texts": archive.namelist()}, name)


def source(name: str, licence: str = "CC0-1.0", **more: Any) -> Source:
    """A source of this form."""
    fields = {"endings": (".jsonl",), "read": documents, **more}
    return Source(
        name, f"The {name} set", "Tests", licence, how="Written by the test.", url="https://example.org/", size="small",
        **fields,
    )  # fmt: skip


ALL = (
    source("tiny"),
    source("unstated", ""),
    source("strange", "LicenseRef-Nobody"),
    source("closed", "LicenseRef-DrugBank", on=False, terms="Only with an agreement of your own."),
    source("beside", companions={"withdrawals": "One id a line."}, reader=_without),
    source("tables", endings=(".zip",), read=names_in_zip),
)
