"""The CFR in both its forms: parts as documents, sections with their numbers, nothing that is no rule."""

import io

import pytest

from lumen_desktop.errors import InputError
from lumen_desktop.formats import ecfr
from lumen_desktop.formats.document import Fault, PublicDocument

API = """<?xml version="1.0" encoding="UTF-8"?>
<ECFR>
<DIV1 N="21" TYPE="TITLE"><HEAD>Title 21—Food and Drugs</HEAD>
<DIV3 N="I" TYPE="CHAPTER"><HEAD>CHAPTER I—FOOD AND DRUG ADMINISTRATION</HEAD>
<DIV4 N="A" TYPE="SUBCHAP"><HEAD>SUBCHAPTER A—GENERAL</HEAD>
<DIV5 N="11" TYPE="PART" VOLUME="1"><HEAD>PART 11—ELECTRONIC RECORDS; ELECTRONIC SIGNATURES</HEAD>
<AUTH><HED>Authority:</HED><PSPACE>21 U.S.C. 321-393; 42 U.S.C. 262.</PSPACE></AUTH>
<SOURCE><HED>Source:</HED><PSPACE>62 FR 13464, Mar. 20, 1997.</PSPACE></SOURCE>
<DIV6 N="A" TYPE="SUBPART"><HEAD>Subpart A—General Provisions</HEAD>
<DIV8 N="11.1" TYPE="SECTION" hierarchy_metadata='
{"path":"/on/2024-03-22/title-21/section-11.1","citation":"21 CFR 11.1"}'>
<HEAD>§ 11.1   Scope.</HEAD>
<P>(a) The regulations in this part set forth the criteria.</P>
<P>(b) This part applies to records kept for 2<FR>1/2</FR> years, 10<SU>6</SU> of them, under the <I>Act.</I></P>
<CITA TYPE="N">[62 FR 13464, Mar. 20, 1997, as amended at 69 FR 71655, Dec. 9, 2004]
</CITA>
</DIV8>
<DIV8 N="11.2" TYPE="SECTION"><HEAD>§ 11.2 [Reserved]</HEAD></DIV8>
</DIV6>
</DIV5>
<DIV5 N="12" TYPE="PART"><HEAD>PART 12 [RESERVED]</HEAD></DIV5>
</DIV4>
<DIV4 N="C" TYPE="SUBCHAP"><HEAD>SUBCHAPTER C—DRUGS: GENERAL</HEAD>
<DIV5 N="211" TYPE="PART"><HEAD>PART 211—CURRENT GOOD MANUFACTURING PRACTICE</HEAD>
<DIV6 N="J" TYPE="SUBPART"><HEAD>Subpart J—Records and Reports</HEAD>
<DIV7 N="0" TYPE="SUBJGRP"><HEAD>Production</HEAD>
<DIV8 N="211.192" TYPE="SECTION"><HEAD>§ 211.192 Production record review.</HEAD>
<P>All drug product production records shall be reviewed.</P>
<DIV width="100%"><DIV class="gpotbl_div">
<TABLE><TR><TH>Kind</TH><TH>Days</TH></TR><TR><TD>A</TD><TD>30</TD></TR></TABLE>
</DIV></DIV>
<EXTRACT><HD1>Form</HD1><P>Sign here.</P></EXTRACT>
<img src="/x.gif"/><MATH>1</MATH>
</DIV8>
</DIV7>
</DIV6>
<DIV9 N="Appendix A to Part 211" TYPE="APPENDIX"><HEAD>Appendix A to Part 211—Limits</HEAD><P>Limit: 5 ppm.</P></DIV9>
</DIV5>
</DIV4>
<DIV5 N="1270" TYPE="PART"><HEAD>PART 1270—HUMAN TISSUE</HEAD>
<DIV8 N="1270.1" TYPE="SECTION"><HEAD>§ 1270.1 Scope.</HEAD><P>Tissue.</P></DIV8></DIV5>
</DIV3></DIV1></ECFR>"""

GOVINFO = """<?xml version="1.0" encoding="UTF-8" ?>
<DLPSTEXTCLASS><HEADER><FILEDESC><TITLESTMT><TITLE>Title 21: Food and Drugs</TITLE></TITLESTMT></FILEDESC></HEADER>
<TEXT><BODY><ECFRBRWS><AMDDATE>Mar. 22, 2024
</AMDDATE>
<DIV1 N="4" NODE="21:4" TYPE="TITLE"><HEAD>Title 21—Food and Drugs--Volume 4</HEAD>
<DIV3 N="I" NODE="21:4.0.1" TYPE="CHAPTER"><HEAD>CHAPTER I</HEAD>
<DIV5 N="211" NODE="21:4.0.1.1.11" TYPE="PART"><HEAD>PART 211—CURRENT GOOD MANUFACTURING PRACTICE</HEAD>
<DIV6 N="J" NODE="21:4.0.1.1.11.10" TYPE="SUBPART"><HEAD>Subpart J—Records and Reports</HEAD>
<DIV8 N="§ 211.192" NODE="21:4.0.1.1.11.10.1.1" TYPE="SECTION"><HEAD>§ 211.192   Production record review.</HEAD>
<P>All drug product production records shall be reviewed.</P><CITA TYPE="N">[43 FR 45077]</CITA></DIV8>
<DIV8 N="§§ 211.200-211.202" NODE="x" TYPE="SECTION"><HEAD>§§ 211.200-211.202   [Reserved]</HEAD></DIV8>
</DIV6></DIV5></DIV3></DIV1></ECFRBRWS>
<ECFRBRWS><AMDDATE>Apr. 1, 2024</AMDDATE><DIV1 N="5" NODE="21:5" TYPE="TITLE"><DIV5 N="300" NODE="21:5.0" TYPE="PART">
<HEAD>PART 300—GENERAL</HEAD><DIV8 N="§ 300.50" TYPE="SECTION"><HEAD>§ 300.50   Combinations.</HEAD>
<P>Two drugs.</P></DIV8>
</DIV5></DIV1></ECFRBRWS></BODY></TEXT></DLPSTEXTCLASS>"""


def read(source: str, name: str = "file.xml") -> list[PublicDocument | Fault]:
    return list(ecfr.documents(io.BytesIO(source.encode()), name))


def parts(source: str, name: str = "file.xml") -> dict[str, PublicDocument]:
    return {each.id: each for each in read(source, name) if isinstance(each, PublicDocument)}


def test_the_form_of_the_api() -> None:
    found = parts(API)
    assert list(found) == ["21 CFR 11", "21 CFR 211", "21 CFR 1270"]
    part = found["21 CFR 11"]
    assert part.title == "21 CFR 11 — ELECTRONIC RECORDS; ELECTRONIC SIGNATURES"
    assert (part.kind, part.as_of, part.version, part.licence) == (
        "regulation", "2024-03-22", "2024-03-22", "LicenseRef-US-PD",
    )  # fmt: skip
    assert part.url == "https://www.ecfr.gov/current/title-21/part-11"
    (section,) = part.sections
    assert section.path == ("Subpart A — General Provisions", "§ 11.1 Scope.")
    assert section.code == "11.1"
    assert section.text.split("\n") == [
        "(a) The regulations in this part set forth the criteria.",
        "(b) This part applies to records kept for 2 1/2 years, 10⁶ of them, under the Act.",
    ]


def test_notes_are_facts_and_no_text() -> None:
    part = parts(API)["21 CFR 11"]
    assert part.facts["authority"] == "21 U.S.C. 321-393; 42 U.S.C. 262."
    assert part.facts["source"] == "62 FR 13464, Mar. 20, 1997."
    assert part.facts["amended"] == "2004-12-09"
    assert "FR 13464" not in part.sections[0].text


def test_headings_above_are_those_of_each_part() -> None:
    found = parts(API)
    chapter = ["Title 21—Food and Drugs", "CHAPTER I—FOOD AND DRUG ADMINISTRATION"]
    assert found["21 CFR 11"].facts["above"] == [*chapter, "SUBCHAPTER A—GENERAL"]
    assert found["21 CFR 211"].facts["above"] == [*chapter, "SUBCHAPTER C—DRUGS: GENERAL"]
    assert found["21 CFR 1270"].facts["above"] == chapter


def test_groups_tables_extracts_and_appendices() -> None:
    review, appendix = parts(API)["21 CFR 211"].sections
    assert review.path == ("Subpart J — Records and Reports", "Production", "§ 211.192 Production record review.")
    assert review.text.split("\n") == [
        "All drug product production records shall be reviewed.", "Kind | Days", "A | 30", "Form", "Sign here.",
        "[formula]",
    ]  # fmt: skip
    assert (appendix.code, appendix.text) == ("Appendix A to Part 211", "Limit: 5 ppm.")


def test_reserved_parts_are_counted() -> None:
    faults = [each for each in read(API) if isinstance(each, Fault)]
    assert faults == [Fault("21 CFR 12", "reserved", "The part is reserved.")]


def test_the_form_of_govinfo_says_the_same() -> None:
    found = parts(GOVINFO, "ECFR-title21.xml")
    assert list(found) == ["21 CFR 211", "21 CFR 300"]
    (section,) = found["21 CFR 211"].sections
    api = parts(API)["21 CFR 211"].sections[0]
    assert (section.code, section.path[-1]) == (api.code, api.path[-1])
    assert [each.as_of for each in found.values()] == ["2024-03-22", "2024-04-01"]


def test_a_part_alone_takes_title_and_day_from_its_path_or_the_name() -> None:
    part = API[API.index("<DIV5 N=") : API.index("</DIV5>") + len("</DIV5>")]
    (document,) = parts(part).values()
    assert (document.id, document.as_of) == ("21 CFR 11", "2024-03-22")
    bare = '<DIV5 N="11" TYPE="PART"><HEAD>PART 11</HEAD><DIV8 N="11.1"><P>Text.</P></DIV8></DIV5>'
    (named,) = parts(bare, "in/title-21-2023-01-02.xml").values()
    assert (named.id, named.as_of, named.title) == ("21 CFR 11", "2023-01-02", "21 CFR 11 — PART 11")
    assert named.sections[0].path == ("21 CFR 11 11.1",)
    (node,) = parts(bare.replace("TYPE=", 'NODE="45:1" TYPE=', 1)).values()
    assert (node.id, node.as_of) == ("45 CFR 11", "")


def test_what_cannot_be_used() -> None:
    (nameless,) = read("<ECFR><DIV5 N='11'><DIV8 N='11.1'><P>Text.</P></DIV8></DIV5></ECFR>")
    assert nameless == Fault("record 1", "no-id", "The part, or the title it is in, has no number.")
    (empty,) = read(
        "<ECFR><DIV5 N='11'><HEAD>PART 11—X</HEAD><DIV8 N='11.1'><HEAD>§ 11.1 X</HEAD></DIV8></DIV5></ECFR>",
        "title21.xml",
    )
    assert isinstance(empty, Fault)
    assert (empty.where, empty.reason) == ("21 CFR 11", "no-text")


def test_a_day_that_is_none_is_left_out() -> None:
    assert {each.as_of for each in parts(GOVINFO.replace("Mar. 22, 2024", "Foo 22, 2024")).values()} == {
        "", "2024-04-01",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("source", "code"), [("<html/>", "FMT-003"), ("<ECFR><DIV1>", "FMT-002"), ("<ECFR></DIV1></ECFR>", "FMT-001")]
)
def test_a_file_that_cannot_be_read(source: str, code: str) -> None:
    with pytest.raises(InputError) as refusal:
        read(source)
    assert refusal.value.code == code
