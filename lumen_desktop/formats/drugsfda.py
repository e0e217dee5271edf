"""Reads the Drugs@FDA data files: which products FDA approved, tab-separated tables in one zip.

The tables belong together, so this reader opens the zip itself; Products.txt alone is read as well and says less.
A document is an application with its products, as facts and as a short table. Knows no label.
Source: FDA, Drugs@FDA data files, and their definitions.
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from lumen_desktop.domain.library import normalised
from lumen_desktop.errors import InputError
from lumen_desktop.formats import archives
from lumen_desktop.formats.document import Entity, Fault, Ingredient, PublicDocument, PublicSection
from lumen_desktop.formats.heads import head

_ADDRESS = "https://www.accessdata.fda.gov/scripts/cder/daf/index.cfm?event=overview.process&ApplNo="
_LONGEST_LINE = 1024**2
_REFERENCE = {"1": "yes", "0": "no", "2": "to be determined"}
_COLUMNS = ("Product", "Active ingredient", "Form; route", "Strength", "Marketing status", "Reference drug")

Row = Mapping[str, str]


def documents(stream: BinaryIO, name: str) -> Iterator[PublicDocument | Fault]:
    """The applications of a download, in the order of its products.

    Args:
        stream: the zip, seekable, or Products.txt.
        name: the file's; it is not read.

    Raises:
        InputError: no table of products (FMT-003), or as `archives.members` says.
    """
    del name
    begun, whole = head(stream, 4)
    if archives.is_zip(begun):
        stream.seek(0)
        tables, products = _tables(stream)
    else:
        tables, products = _Tables(), list(_rows(whole, "Products.txt", "ApplNo", "ActiveIngredient"))
    if not products:
        raise _other_format()
    applications = itertools.groupby(products, key=lambda row: row["ApplNo"])
    for number, (application, rows) in enumerate(applications, start=1):
        yield _document(application, list(rows), tables, number)


@dataclass(slots=True)
class _Tables:
    """What the tables beside the products say, by the application's number (and the product's)."""

    sponsors: dict[str, tuple[str, str]] = field(default_factory=dict)
    statuses: dict[tuple[str, str], str] = field(default_factory=dict)
    meanings: dict[str, str] = field(default_factory=dict)
    approved: dict[str, str] = field(default_factory=dict)
    latest: dict[str, str] = field(default_factory=dict)

    def status(self, row: Row) -> str:
        """A product's marketing status in words; empty where the download has none."""
        number = self.statuses.get((row["ApplNo"], row.get("ProductNo", "")), "")
        return self.meanings.get(number, "")

    def take(self, table: str, stream: BinaryIO) -> None:
        """Keeps what is needed of a table."""
        if table == "applications.txt":
            for row in _rows(stream, table, "ApplNo", "ApplType"):
                self.sponsors[row["ApplNo"]] = (row["ApplType"], row.get("SponsorName", ""))
        elif table == "marketingstatus.txt":
            for row in _rows(stream, table, "MarketingStatusID", "ApplNo"):
                self.statuses[row["ApplNo"], row.get("ProductNo", "")] = row["MarketingStatusID"]
        elif table == "marketingstatus_lookup.txt":
            for row in _rows(stream, table, "MarketingStatusID", "MarketingStatusDescription"):
                self.meanings[row["MarketingStatusID"]] = row["MarketingStatusDescription"]
        elif table == "submissions.txt":
            for row in _rows(stream, table, "ApplNo", "SubmissionStatusDate"):
                self._submission(row)

    def _submission(self, row: Row) -> None:
        day = row["SubmissionStatusDate"][:10]
        if row.get("SubmissionStatus") != "AP" or not re.fullmatch(r"\d{4}-\d\d-\d\d", day):
            return
        application = row["ApplNo"]
        self.latest[application] = max(day, self.latest.get(application, ""))
        if row.get("SubmissionType") == "ORIG":
            self.approved[application] = min(day, self.approved.get(application, day))


def _tables(stream: BinaryIO) -> tuple[_Tables, list[Row]]:
    tables, products = _Tables(), []
    for member in archives.members(stream, endings=(".txt",)):
        table = re.split(r"[\\/]", member.names[-1])[-1].lower()
        if table == "products.txt":
            products = list(_rows(member.stream, table, "ApplNo", "ActiveIngredient"))
        else:
            tables.take(table, member.stream)
    return tables, products


def _rows(stream: BinaryIO, table: str, *needed: str) -> Iterator[Row]:
    """A table's rows by its heads; a row that is too short has empty fields at its end."""
    heads = _line(stream).lstrip("\ufeff").split("\t")
    if not set(needed) <= set(heads):
        raise _other_format(table)
    while line := _line(stream):
        if line.strip():
            yield dict(itertools.zip_longest(heads, map(normalised, line.split("\t")[: len(heads)]), fillvalue=""))


def _line(stream: BinaryIO) -> str:
    line = stream.readline(_LONGEST_LINE)
    try:
        text = line.decode()
    except UnicodeDecodeError:
        text = line.decode("cp1252", "replace")  # FDA's export mixes them
    return text.rstrip("\r\n") or " " * bool(line)


def _document(application: str, rows: list[Row], tables: _Tables, number: int) -> PublicDocument | Fault:
    if not application:
        return Fault(f"record {number}", "no-id", "The product has no application number.")
    kind, sponsor = tables.sponsors.get(application, ("", ""))
    brands = tuple(dict.fromkeys(row["DrugName"] for row in rows if row.get("DrugName")))
    substances = tuple(
        dict.fromkeys(name for row in rows for one in row["ActiveIngredient"].split(";") if (name := one.strip()))
    )
    if not (brands or substances):
        return Fault(kind + application, "no-text", "The application names no product.")
    among = f" ({', '.join(substances)})" if substances and substances != brands else ""
    facts = {
        "application": kind + application,
        "approved": tables.approved.get(application, ""),
        "products": [_product(row, tables) for row in rows],
    }
    return PublicDocument(
        id=kind + application,
        kind="product",
        title=f"{', '.join(brands or substances)}{among if brands else ''}"[:200],
        sections=(PublicSection(("Approved products",), "", _text(kind + application, rows, tables, sponsor)),),
        as_of=tables.latest.get(application, ""),
        url=_ADDRESS + application,
        licence="LicenseRef-US-PD",
        entity=Entity(tuple(Ingredient(name) for name in substances), brands, "", sponsor),
        facts={name: value for name, value in facts.items() if value},
    )


def _product(row: Row, tables: _Tables) -> dict[str, str]:
    values = {
        "number": row.get("ProductNo", ""),
        "name": row.get("DrugName", ""),
        "ingredient": row["ActiveIngredient"],
        "form": row.get("Form", ""),
        "strength": row.get("Strength", ""),
        "status": tables.status(row),
        "reference": _REFERENCE.get(row.get("ReferenceDrug", ""), ""),
    }
    return {name: value for name, value in values.items() if value}


def _text(application: str, rows: list[Row], tables: _Tables, sponsor: str) -> str:
    """What the tables say, in a line and a table; nothing that they do not say."""
    stated = [f"Application: {application}"]
    stated += [f"Sponsor: {sponsor}"] * bool(sponsor)
    first = tables.approved.get(rows[0]["ApplNo"], "")
    stated += [f"First approved: {first}"] * bool(first)
    names = ("name", "ingredient", "form", "strength", "status", "reference")
    products = [_product(row, tables) for row in rows]
    shown = [n for n, name in enumerate(names) if any(name in product for product in products)]
    table = [" | ".join(_COLUMNS[n] for n in shown)]
    table += [" | ".join(product.get(names[n], "") for n in shown) for product in products]
    return normalised("\n".join([". ".join(stated) + ".", *table]))


def _other_format(table: str = "Products.txt") -> InputError:
    return InputError(
        f"The file holds no {table} as Drugs@FDA has it.",
        code="FMT-003",
        hint="Take the zip of the Drugs@FDA data files as it is.",
    )
