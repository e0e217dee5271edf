"""Drugs@FDA's tables: joined by application, from the zip or from the products alone."""

import io
import zipfile

import pytest

from lumen_desktop.errors import InputError
from lumen_desktop.formats import drugsfda
from lumen_desktop.formats.document import Fault, Ingredient, PublicDocument

PRODUCTS = (
    "ApplNo\tProductNo\tForm\tStrength\tReferenceDrug\tDrugName\tActiveIngredient\tReferenceStandard\r\n"
    "020702\t001\tTABLET;ORAL\tEQ 10MG BASE\t1\tLIPITOR\tATORVASTATIN CALCIUM\t0\r\n"
    "020702\t002\tTABLET;ORAL\tEQ 20MG BASE\t0\tLIPITOR\tATORVASTATIN CALCIUM\t0\r\n"
    "\r\n"
    "076477\t001\tTABLET;ORAL\t5MG;10MG\t0\t\tAMLODIPINE; ATORVASTATIN\r\n"
)
TABLES = {
    "Applications.txt": "ApplNo\tApplType\tApplPublicNotes\tSponsorName\n020702\tNDA\t\tPFIZER\n076477\tANDA\t\tZYD\n",
    "MarketingStatus.txt": "MarketingStatusID\tApplNo\tProductNo\n1\t020702\t001\n3\t020702\t002\n",
    "MarketingStatus_Lookup.txt": "MarketingStatusID\tMarketingStatusDescription\n1\tPrescription\n3\tDiscontinued\n",
    "Submissions.txt": (
        "ApplNo\tSubmissionClassCodeID\tSubmissionType\tSubmissionNo\tSubmissionStatus\tSubmissionStatusDate\n"
        "020702\t7\tSUPPL\t2\tAP\t2009-06-17 00:00:00\n020702\t7\tORIG\t1\tAP\t1996-12-17 00:00:00\n"
        "020702\t7\tORIG\t9\tTA\t2020-01-01 00:00:00\n020702\t7\tSUPPL\t3\tAP\t\n"
    ),
    "TE.txt": "ApplNo\tProductNo\n",
}


def packed(tables: dict[str, str | bytes]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, content in tables.items():
            archive.writestr(name, content)
    return whole.getvalue()


def read(source: bytes) -> list[PublicDocument | Fault]:
    return list(drugsfda.documents(io.BytesIO(source), "drugsatfda.zip"))


def code(source: bytes) -> str:
    with pytest.raises(InputError) as caught:
        read(source)
    return caught.value.code


def test_an_application_says_what_the_tables_say_of_it_whatever_their_order() -> None:
    before = read(packed({**TABLES, "folder/Products.txt": PRODUCTS}))
    after = read(packed({"products.TXT": PRODUCTS, **TABLES}))
    assert before == after
    lipitor, generic = before
    assert isinstance(lipitor, PublicDocument)
    assert isinstance(generic, PublicDocument)
    assert (lipitor.id, lipitor.kind, lipitor.as_of) == ("NDA020702", "product", "2009-06-17")
    assert lipitor.title == "LIPITOR (ATORVASTATIN CALCIUM)"
    assert lipitor.entity.ingredients == (Ingredient("ATORVASTATIN CALCIUM"),)
    assert (lipitor.entity.brands, lipitor.entity.labeler) == (("LIPITOR",), "PFIZER")
    assert lipitor.facts["approved"] == "1996-12-17"
    assert lipitor.facts["products"][1] == {
        "number": "002", "name": "LIPITOR", "ingredient": "ATORVASTATIN CALCIUM", "form": "TABLET;ORAL",
        "strength": "EQ 20MG BASE", "status": "Discontinued", "reference": "no",
    }  # fmt: skip
    (section,) = lipitor.sections
    assert section.text.split("\n") == [
        "Application: NDA020702. Sponsor: PFIZER. First approved: 1996-12-17.",
        "Product | Active ingredient | Form; route | Strength | Marketing status | Reference drug",
        "LIPITOR | ATORVASTATIN CALCIUM | TABLET;ORAL | EQ 10MG BASE | Prescription | yes",
        "LIPITOR | ATORVASTATIN CALCIUM | TABLET;ORAL | EQ 20MG BASE | Discontinued | no",
    ]
    assert generic.title == "AMLODIPINE, ATORVASTATIN"
    assert [one.name for one in generic.entity.ingredients] == ["AMLODIPINE", "ATORVASTATIN"]


def test_the_products_alone_say_less() -> None:
    first, second = read(PRODUCTS.encode())
    assert isinstance(first, PublicDocument)
    assert isinstance(second, PublicDocument)
    assert (first.id, first.as_of, first.entity.labeler) == ("020702", "", "")
    assert "status" not in first.facts["products"][0]
    assert second.sections[0].text.split("\n")[1] == "Active ingredient | Form; route | Strength | Reference drug"


def test_other_code_pages_and_marks_of_byte_order_are_read() -> None:
    source = "\ufeff" + PRODUCTS.replace("LIPITOR", "LIPITÖR")
    for encoded in (source.encode(), source[1:].encode("cp1252")):
        (first, _) = read(encoded)
        assert isinstance(first, PublicDocument)
        assert first.entity.brands == ("LIPITÖR",)


def test_rows_that_cannot_be_used_are_faults_and_the_next_is_read() -> None:
    head, row, *_ = PRODUCTS.splitlines()
    nameless = "000009\t001\tTABLET"
    found = read(f"{head}\n\t001\tTABLET\n{nameless}\n{row}".encode())
    assert [(one.where, one.reason) for one in found if isinstance(one, Fault)] == [
        ("record 1", "no-id"), ("000009", "no-text"),
    ]  # fmt: skip
    assert isinstance(found[-1], PublicDocument)


def test_another_format_is_refused() -> None:
    assert code(b"") == "FMT-003"
    assert code(b"Name\tDose\n") == "FMT-003"
    assert code(PRODUCTS.splitlines()[0].encode()) == "FMT-003"
    assert code(packed(dict(TABLES))) == "FMT-003"
    assert code(packed({**TABLES, "Applications.txt": "a\tb\n", "Products.txt": PRODUCTS})) == "FMT-003"


def test_a_damaged_zip_is_refused() -> None:
    assert code(packed({"Products.txt": PRODUCTS})[:-30]) == "FMT-001"
