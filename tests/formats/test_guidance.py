"""Guidance from PDFs: whose it is, in which state, and its sections as flowing text."""

import io
from collections.abc import Sequence
from pathlib import Path

import pytest

from lumen_desktop.domain.library import normalised
from lumen_desktop.errors import InputError
from lumen_desktop.formats import guidance, pages
from lumen_desktop.formats.document import Fault, PublicDocument
from tests.retrieval import documents

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "guidance_pdf"
real = pytest.mark.skipif(not DATA.is_dir(), reason="shared/data/guidance_pdf is not there")

HHS = ["U.S. Department of Health and Human Services", "Food and Drug Administration"]
TEXT = ["Records should be attributable, legible and contemporaneous, and they should be", "kept for 5 years."]


def pdf(*leaves: Sequence[str], title: str = "Data Integrity and Compliance With CGMP") -> bytes:
    """A PDF of plain lines; a line that begins with # is a heading in bold."""
    made: list[list[documents.Line]] = []
    for leaf in leaves:
        rows: list[documents.Line] = []
        for number, words in enumerate(leaf):
            bold = words.startswith("#")
            rows.append((words.lstrip("# "), "F2" if bold else "F1", 13 if bold else 11, 72, 700 - 30 * number))
        made.append(rows)
    return documents.pdf(made, title=title)


def one(content: bytes, name: str = "guide.pdf") -> PublicDocument:
    (document,) = guidance.documents(io.BytesIO(content), name)
    assert isinstance(document, PublicDocument)
    return document


def first_page(*words: str) -> bytes:
    return pdf([*words, "Data Integrity and Compliance With CGMP"], ["# 4.2 Records", *TEXT])


@pytest.mark.parametrize(
    ("imprint", "short", "licence"),
    [
        (HHS, "fda", "LicenseRef-US-PD"),
        (["DEPARTMENT OF HEALTH & HUMAN SERVICES", "Food and Drug Administration"], "fda", "LicenseRef-US-PD"),
        (["EUROPEAN COMMISSION", "Brussels"], "ec", "LicenseRef-EC-Reuse"),
        (["EudraLex", "Volume 4"], "ec", "LicenseRef-EC-Reuse"),
        (["European Medicines Agency", "EMA/123/2020"], "ema", "LicenseRef-EMA-Reuse"),
        (["Medicines & Healthcare products Regulatory Agency", "© Crown copyright 2018"], "mhra", "OGL-UK-3.0"),
        (["ICH HARMONISED GUIDELINE", "Q9(R1)"], "ich", "LicenseRef-ICH"),
        (["ICH HARMONISED TRIPARTITE GUIDELINE", *HHS], "ich", "LicenseRef-ICH"),
        (["World Health Organization", "© World Health Organization 2020"], "who", "LicenseRef-CC-NonCommercial"),
        (["PHARMACEUTICAL INSPECTION CONVENTION", "PI 041-1"], "pics", ""),
    ],
)
def test_the_publisher_is_taken_from_the_imprint(imprint: list[str], short: str, licence: str) -> None:
    document = one(first_page(*imprint))
    assert document.id == f"{short}:data-integrity-and-compliance-with-cgmp"
    assert document.licence == licence
    assert document.facts["publisher"]


@pytest.mark.parametrize(
    "page",
    [
        ["What the Food and Drug Administration expects", "A white paper by a vendor"],
        ["Acme Consulting", "explains guidance of the MHRA and of the European Commission"],
        ["European Commission guidance in plain words", "MHRA inspections explained", "EudraLex for beginners"],
        ["International Council for Harmonisation: a short history", "World Health Organization rules at a glance"],
        [*HHS, "© 2021 ISPE. All rights reserved."],
        [*HHS, "Copyright 2019 by Acme Ltd."],
        ["SUMMARY OF PRODUCT CHARACTERISTICS", "European Medicines Agency"],
        ["Nobody"],
    ],
)
def test_a_mention_is_no_imprint(page: list[str]) -> None:
    document = one(first_page(*page))
    assert (document.licence, document.id.partition(":")[0]) == ("", "unknown")
    assert "publisher" not in document.facts


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ("Issued for use", "in_force"),
        ("DRAFT GUIDANCE", "draft"),
        ("This draft is being distributed for comment purposes only.", "draft"),
        ("Draft - Not for Implementation", "draft"),
        ("This guidance has been superseded by another of 2022.", "superseded"),
        ("WITHDRAWN", "superseded"),
        ("This document supersedes the draft document of 1997.", "in_force"),
    ],
)
def test_the_state_that_it_says_it_is_in(words: str, state: str) -> None:
    assert one(first_page(*HHS, words)).facts["state"] == state


@pytest.mark.parametrize(
    ("words", "as_of", "version"),
    [
        (["January 2020"], "2020-01", "2020-01"),
        (["See the draft of 5 May 2001, and more.", "January 2020", "Revision 2"], "2020-01", "2020-01 revision 2"),
        (["Document issued on: January 11, 2002", "June 1999"], "2002-01-11", "2002-01-11"),
        (["dated 9 November 2005"], "2005-11-09", "2005-11-09"),
        (["It replaces what was said on June 3rd, 1998 at length."], "1998-06-03", "1998-06-03"),
        (["Undated"], "", ""),
    ],
)
def test_the_day_and_the_version(words: list[str], as_of: str, version: str) -> None:
    document = one(first_page(*HHS, *words))
    assert (document.as_of, document.version) == (as_of, version)


def test_a_law_is_a_regulation() -> None:
    assert one(first_page("EUROPEAN COMMISSION", "DIRECTIVE (EU) 2017/1572")).kind == "regulation"
    assert one(first_page(*HHS)).kind == "guidance"


def test_sections_have_numbers_and_flow_and_leave_the_rest_out() -> None:
    leaves = [[*HHS, "January 2020"], ["# 4.2 Records", *TEXT, "# References", "A book of 1999."]]
    document = one(pdf(*leaves))
    (section,) = document.sections
    assert (section.path, section.code) == (("4.2 Records",), "4.2")
    assert section.text == " ".join(TEXT)
    assert document.facts["pages"] == 2


def test_a_pdf_without_headings_is_one_section() -> None:
    document = one(pdf([*HHS, *TEXT], title=""), "in/some_guide.pdf")
    assert [section.path for section in document.sections] == [("Text",)]


def test_a_pdf_that_is_only_its_cover_has_no_text() -> None:
    (fault,) = guidance.documents(io.BytesIO(pdf([*HHS], ["# References", "A book."])), "x.pdf")
    assert isinstance(fault, Fault)
    assert fault.reason == "no-text"


def test_pages_that_are_images_are_a_fault_and_a_damaged_file_is_refused() -> None:
    (fault,) = guidance.documents(io.BytesIO(documents.pdf([[]])), "scan.pdf")
    assert isinstance(fault, Fault)
    assert fault.reason == "no-text"
    with pytest.raises(InputError) as refusal:
        list(guidance.documents(io.BytesIO(b"%PDF-1.7 nothing"), "broken.pdf"))
    assert refusal.value.code == "LIB-008"


def test_a_pdf_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "LARGEST_BYTES", 100)
    with pytest.raises(InputError) as refusal:
        list(guidance.documents(io.BytesIO(first_page(*HHS)), "big.pdf"))
    assert refusal.value.code == "FMT-005"


@pytest.mark.parametrize(
    ("lines", "flowing"),
    [
        (["Records should be kept for as long as the", "batch is on the market."],
         "Records should be kept for as long as the batch is on the market."),
        (["Consider the following points in each case:", "• one", "• two that goes on for quite a long line here",
          "and ends."], None),
        (["A line that is cut at a hyphen of FDA-", "approved items or pre-", "and post-market, call 301-796-",
          "1161."],
         "A line that is cut at a hyphen of FDA-approved items or pre- and post-market, call 301-796-1161."),
        (["³⁵", "¹ A note."], "A note."),
        ([], ""),
    ],
)  # fmt: skip
def test_flowing(lines: list[str], flowing: str | None) -> None:
    found = pages.flowing("\n".join(lines))
    if flowing is None:
        assert found.split("\n")[1:] == ["• one", "• two that goes on for quite a long line here and ends."]
    else:
        assert found == flowing
    assert found == normalised(found)


@real
def test_real_guidance() -> None:
    found = {path.name: one(path.read_bytes(), path.name) for path in sorted(DATA.glob("*.pdf"))}
    assert {(d.id.partition(":")[0], d.as_of, d.facts["state"]) for d in found.values()} == {
        ("fda", "2020-01", "draft"), ("fda", "2002-01-11", "in_force"), ("fda", "2003-08", "in_force"),
        ("fda", "2025-09-24", "in_force"), ("ich", "2005-11-09", "in_force"), ("ec", "2011-06-30", "in_force"),
    }  # fmt: skip
    assert all(d.licence for d in found.values())
    assert [name for name, d in found.items() if "superseded_in_part" in d.facts] == [
        "General-Principles-of-Software-Validation---Final-Guidance-for-Industry-and-FDA-Staff_0.pdf"
    ]
    annex = found["annex11_01-2011_en_0.pdf"]
    trail = next(section for section in annex.sections if section.code == "9")
    assert trail.path == ("Operational Phase", "9. Audit Trails")
    assert "system generated" in trail.text
    assert sum(len(d.sections) for d in found.values()) > 180
