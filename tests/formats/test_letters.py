"""FDA's letters from PDFs and from openFDA's list."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from lumen_desktop.domain.library import normalised
from lumen_desktop.errors import InputError
from lumen_desktop.formats import letters
from lumen_desktop.formats.document import Fault, PublicDocument
from tests.formats.test_guidance import pdf
from tests.retrieval import documents

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "fda_letters_pdf"
real = pytest.mark.skipif(not DATA.is_dir(), reason="shared/data/fda_letters_pdf is not there")

TEXT = (
    "NDA 213895\nCOMPLETE RESPONSE\nAcme Inc.\nDear Ms. Example:\nPlease refer to your new drug application for\n"
    "(b) (4) tablets, 5 mg.\nPRODUCT QUALITY\n1. Qualify the leachables above 5 mcg/day, as the\nguideline says.\n"
    "FACILITY INSPECTIONS\nThe (b) (4) site was not ready.\nReference ID: 4578192\n"
    "-------------------------\nThis is a representation of an electronic record that was signed\nelectronically.\n"
    "/s/\n-------------------------\nSOMEBODY SIGNING\n03/20/2020 12:44:39 PM"
)
LETTER: dict[str, Any] = {
    "text": TEXT, "application_number": ["NDA 213895"], "letter_date": "03/20/2020", "letter_type": "COMPLETE RESPONSE",
    "company_name": "Acme Inc.", "approver_center": ["CDER"], "file_name": "CRL_NDA213895.pdf", "letter_year": "2020",
}  # fmt: skip


def listed(*entries: Any, meta: str = "") -> list[PublicDocument | Fault]:
    source = json.dumps({"meta": {"disclaimer": meta}, "results": list(entries)})
    return list(letters.documents(io.BytesIO(source.encode()), "other-approved_CRLs-0001-of-0001.json"))


def test_a_letter_of_the_list() -> None:
    (letter,) = listed(LETTER)
    assert isinstance(letter, PublicDocument)
    assert (letter.id, letter.kind, letter.title) == ("CRL_NDA213895", "letter", "Complete response letter, NDA 213895")
    assert (letter.as_of, letter.licence) == ("2020-03-20", "LicenseRef-US-PD")
    assert letter.facts == {
        "letter_type": "complete response", "application": "NDA 213895", "centre": "CDER", "company": "Acme Inc.",
    }  # fmt: skip
    first = "Please refer to your new drug application for (b) (4) tablets, 5 mg."
    assert [(section.path, section.text) for section in letter.sections] == [
        (("Letter",), "NDA 213895"),
        (("COMPLETE RESPONSE",), f"Acme Inc.\nDear Ms. Example:\n{first}"),
        (("PRODUCT QUALITY",), "1. Qualify the leachables above 5 mcg/day, as the guideline says."),
        (("FACILITY INSPECTIONS",), "The (b) (4) site was not ready."),
    ]  # fmt: skip


def test_what_the_list_leaves_out_is_found_in_the_text() -> None:
    (letter,) = listed({"text": "NDA 22-075\nYour application is approvable.", "letter_date": "no day"})
    assert isinstance(letter, Fault)  # neither file nor application, so nothing to know it by
    assert letter.reason == "no-id"
    (named,) = listed({"text": "NDA 22-075\nYour application is approvable.", "file_name": "a.pdf"})
    assert isinstance(named, PublicDocument)
    assert named.facts == {"letter_type": "approvable", "application": "NDA 022075"}
    (warning,) = listed({"text": "WARNING LETTER\nYou failed.", "application_number": "X 1", "letter_date": "1/2/2021"})
    assert isinstance(warning, PublicDocument)
    assert (warning.id, warning.title) == ("X 1 2021-01-02", "Warning letter, X 1")


def test_entries_that_cannot_be_used_and_those_after_them() -> None:
    found = listed("not a letter", {"file_name": "b.pdf", "text": ""}, {"file_name": "c.pdf", "text": None}, LETTER)
    assert [each.reason for each in found if isinstance(each, Fault)] == ["wrong-form", "no-text", "no-text"]
    assert isinstance(found[-1], PublicDocument)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'{"results": [{"text": "x"', "FMT-002"),
        (b'{"results": [}', "FMT-001"),
        (b'{"meta": {}, "results": []}', "FMT-003"),
        (b"[]", "FMT-003"),
        (b"", "FMT-002"),
    ],
)
def test_a_list_that_cannot_be_read(content: bytes, code: str) -> None:
    with pytest.raises(InputError) as refusal:
        list(letters.documents(io.BytesIO(content), "list.json"))
    assert refusal.value.code == code


COVER = ["CENTER FOR DRUG EVALUATION AND", "RESEARCH", "APPLICATION NUMBER:", "213895Orig1s000", "OTHER ACTION LETTERS"]
BODY = [
    "NDA 213895", "# COMPLETE RESPONSE", "Food and Drug Administration", "We cannot approve this application.",
    "# FACILITIES", "The (b) (4) site was not ready for inspection on the day that was agreed.",
]  # fmt: skip


def of_pdf(*leaves: list[str]) -> PublicDocument | Fault:
    (found,) = letters.documents(io.BytesIO(pdf(*leaves, title="")), "in/213895Orig1s000OtherActionLtrs.PDF")
    return found


def test_a_letter_as_pdf() -> None:
    letter = of_pdf(COVER, BODY, ["/s/", "SOMEBODY SIGNING", "03/20/2020 12:44:39 PM"])
    assert isinstance(letter, PublicDocument)
    assert (letter.id, letter.as_of) == ("213895Orig1s000OtherActionLtrs", "2020-03-20")
    assert letter.licence == "LicenseRef-US-PD"
    assert letter.facts == {"letter_type": "complete response", "application": "NDA 213895"}
    facilities = next(section for section in letter.sections if section.path[-1] == "FACILITIES")
    assert "(b) (4) site" in facilities.text
    assert not any("OTHER ACTION" in section.text for section in letter.sections)


def test_a_letter_of_somebody_else_has_no_licence() -> None:
    letter = of_pdf(["# LETTER TO YOU", "Dear reader, we have read your application and we cannot approve it at all."])
    assert isinstance(letter, PublicDocument)
    assert (letter.licence, letter.as_of) == ("", "")


def test_pages_without_text_are_a_fault_and_a_damaged_pdf_is_refused() -> None:
    (scan,) = letters.documents(io.BytesIO(documents.pdf([[]])), "scan.pdf")
    assert isinstance(scan, Fault)
    assert (scan.where, scan.reason) == ("scan.pdf", "no-text")
    cover = of_pdf(COVER)
    assert isinstance(cover, Fault)
    assert cover.reason == "no-text"
    with pytest.raises(InputError) as refusal:
        list(letters.documents(io.BytesIO(b"%PDF-"), "broken.pdf"))
    assert refusal.value.code == "LIB-008"


@real
def test_real_letters() -> None:
    found = {}
    for path in sorted(DATA.glob("*.pdf")):
        (found[path.name],) = letters.documents(io.BytesIO(path.read_bytes()), path.name)
    read = {name: each for name, each in found.items() if isinstance(each, PublicDocument)}
    assert {each.facts["application"]: each.as_of for each in read.values()} == {
        "NDA 022075": "2008-02-25", "NDA 210649": "2018-09-12", "NDA 213895": "2020-03-20", "NDA 214429": "2020-11-12",
        "NDA 214860": "2022-06-15", "BLA 761275": "2023-05-31",
    }  # fmt: skip
    assert all(each.licence == letters.LICENCE for each in read.values())
    texts = [section.text for each in read.values() for section in each.sections]
    assert any("(b) (4)" in text for text in texts)
    assert not any("representation of an electronic record" in text or "Reference ID" in text for text in texts)
    assert all(text == normalised(text) for text in texts)
