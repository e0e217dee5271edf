"""DrugBank's schema with invented medicines: the real database may not lie here."""

import io
import itertools
from typing import BinaryIO, cast

import psutil
import pytest

from lumen_desktop.errors import InputError
from lumen_desktop.formats.document import Fault, Ingredient, PublicDocument
from lumen_desktop.formats.drugbank import INTERACTION, documents

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<drugbank xmlns="http://www.drugbank.ca" version="5.1"'
    ' exported-on="2026-04-23">\n'
)


def pair(other: str, name: str, text: str) -> str:
    return (
        f"<drug-interaction><drugbank-id>{other}</drugbank-id><name>{name}</name>"
        f"<description>{text}</description></drug-interaction>"
    )


def drug(number: str, name: str, *pairs: str, inside: str = "") -> str:
    return (
        f'<drug type="small molecule" created="2005-06-13" updated="2025-01-02"><drugbank-id primary="true">{number}'
        f"</drugbank-id><drugbank-id>OLD{number}</drugbank-id><name>{name}</name>{inside}"
        f"<drug-interactions>{''.join(pairs)}</drug-interactions></drug>\n"
    )


INSIDE = (
    "<unii>ABC0123456</unii><groups><group>approved</group><group>withdrawn</group></groups>"
    "<indication>For the treatment of inventions, 2.5 mg\n\n daily.</indication>"
    "<pharmacodynamics>Lowers fiction.</pharmacodynamics><half-life/>"
    "<food-interactions><food-interaction>Avoid grapefruit.</food-interaction>"
    "<food-interaction>Take with food.</food-interaction></food-interactions>"
    '<atc-codes><atc-code code="A00AA01"><level code="A00AA">Inventions</level></atc-code></atc-codes>'
    "<international-brands><international-brand><name>Fictira</name><company>None</company></international-brand>"
    "</international-brands>"
    "<pathways><pathway><name>Fiction</name><drugs><drug><drugbank-id>DB90002</drugbank-id><name>Nested</name></drug>"
    "</drugs></pathway></pathways>"
)
FILE = (
    HEAD
    + drug(
        "DB90001", "Fictirol",
        pair("DB90002", "Novastatin", "Fictirol may raise the level of Novastatin."),
        pair("DB90002", "Novastatin", "Said twice."),
        pair("DB90003", "", "Nameless."),
        inside=INSIDE,
    )
    + drug("DB90002", "Novastatin", pair("DB90001", "Fictirol", "The level of Novastatin may rise."))
    + drug("DB90003", "Ultrazine", pair("DB90004", "Zetamab", "Together they do 5% less."))
    + "</drugbank>"
)  # fmt: skip


def read(text: str) -> list[PublicDocument | Fault]:
    return list(documents(io.BytesIO(text.encode()), "full database.xml"))


def test_a_medicine_with_what_is_said_of_it() -> None:
    first = read(FILE)[0]
    assert isinstance(first, PublicDocument)
    assert (first.id, first.kind, first.title) == ("DB90001", "interaction", "Fictirol")
    assert (first.version, first.as_of, first.licence) == ("5.1", "2026-04-23", "LicenseRef-DrugBank")
    assert first.entity.ingredients == (Ingredient("Fictirol", "ABC0123456"),)
    assert first.entity.brands == ("Fictira",)
    assert first.facts == {"type": "small molecule", "groups": ["approved", "withdrawn"], "atc": ["A00AA01"]}
    assert [(s.code, s.path, s.text) for s in first.sections] == [
        ("indication", ("Indication",), "For the treatment of inventions, 2.5 mg\ndaily."),
        ("pharmacodynamics", ("Pharmacodynamics",), "Lowers fiction."),
        ("food-interactions", ("Food interactions",), "Avoid grapefruit.\nTake with food."),
        (INTERACTION, ("Interactions", "Novastatin"), "Fictirol may raise the level of Novastatin."),
    ]


def test_a_pair_stands_once_under_the_smaller_id() -> None:
    found = read(FILE)
    pairs = [
        (one.id, section.path[1])
        for one in found
        if isinstance(one, PublicDocument)
        for section in one.sections
        if section.code == INTERACTION
    ]
    assert pairs == [("DB90001", "Novastatin"), ("DB90003", "Zetamab")]
    assert [(one.where, one.reason) for one in found if isinstance(one, Fault)] == [("DB90002", "no-text")]


def test_a_medicine_without_a_name_is_a_fault() -> None:
    (found,) = read(HEAD + drug("DB90009", "", inside="<indication>Something.</indication>") + "</drugbank>")
    assert isinstance(found, Fault)
    assert (found.where, found.reason) == ("DB90009", "no-id")


class Database(io.RawIOBase):
    """A database of so many medicines that is never there as a whole."""

    def __init__(self, medicines: int) -> None:
        rows = (drug(f"DB{n:05}", "Fictirol", inside=INSIDE).encode() for n in range(medicines))
        self._pieces = itertools.chain((HEAD.encode(),), rows, (b"</drugbank>",))

    def read(self, size: int = -1) -> bytes:
        del size
        return next(self._pieces, b"")


def test_no_more_than_a_medicine_is_held() -> None:
    process = psutil.Process()
    assert sum(1 for _ in documents(cast("BinaryIO", Database(500)), "x.xml")) == 500
    before = process.memory_info().rss
    assert sum(1 for _ in documents(cast("BinaryIO", Database(4_000)), "x.xml")) == 4_000
    assert process.memory_info().rss < before + 6 * 1024**2  # of 6 MB of XML, whose tree would take far more


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (FILE[: len(FILE) // 2], "FMT-002"),
        (FILE.replace("</groups>", "</group>"), "FMT-001"),
        (FILE.replace("http://www.drugbank.ca", "urn:other"), "FMT-003"),
        ('<a xmlns="http://www.drugbank.ca"><drug/></a>', "FMT-003"),
    ],
)
def test_a_file_that_is_not_read(text: str, code: str) -> None:
    with pytest.raises(InputError) as caught:
        read(text)
    assert caught.value.code == code
