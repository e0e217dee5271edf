"""Structured product labels: identity, product, sections under their nearest code, and what is refused."""

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from lumen_desktop.errors import InputError
from lumen_desktop.formats import archives, spl
from lumen_desktop.formats.document import Fault, Ingredient, PublicDocument
from tests.conftest import SHARED

LABELS = SHARED / "spl_xml"
needs_labels = pytest.mark.skipif(not LABELS.is_dir(), reason="needs ../shared/data/spl_xml")

PREAMBLE = (
    "These highlights do not include all the information needed to use ZYD. "
    "See full prescribing information for ZYD.<br/>"
)
PRODUCT = """<section><code code="48780-1" codeSystem="2.16.840.1.113883.6.1"/><subject><manufacturedProduct>
<manufacturedProduct><name>Zyd<suffix>XR</suffix></name><formCode displayName="TABLET"/>
<asEntityWithGeneric><genericMedicine><name>zydolol</name></genericMedicine></asEntityWithGeneric>
<ingredient classCode="ACTIM"><ingredientSubstance><code code="abc1234567" codeSystem="2.16.840.1.113883.4.9"/>
<name>ZYDOLOL HYDROCHLORIDE</name><activeMoiety><activeMoiety>
<code code="MOI1234567" codeSystem="2.16.840.1.113883.4.9"/><name>ZYDOLOL</name></activeMoiety></activeMoiety>
</ingredientSubstance></ingredient>
<ingredient classCode="IACT"><ingredientSubstance><name>TALC</name></ingredientSubstance></ingredient>
</manufacturedProduct><subjectOf><approval><id extension="NDA000001"/><code displayName="NDA"/></approval></subjectOf>
<consumedIn><substanceAdministration><routeCode displayName="ORAL"/></substanceAdministration></consumedIn>
</manufacturedProduct></subject></section>"""


def section(code: str, title: str, text: str = "", *inner: str) -> str:
    heading = f"<title>{title}</title>" if title else ""
    body = f"<text><paragraph>{text}</paragraph></text>" if text else ""
    below = "".join(f"<component>{one}</component>" for one in inner)
    return f'<section><code code="{code}" codeSystem="2.16.840.1.113883.6.1"/>{heading}{body}{below}</section>'


def label(*sections: str, set_id: str = "ABC-1", title: str = "Zyd XR tablets", head: str = "") -> bytes:
    identity = f'<setId root="{set_id}"/>' if set_id else ""
    body = "".join(f"<component>{one}</component>" for one in sections)
    return f"""<?xml version="1.0" encoding="UTF-8"?><document xmlns="urn:hl7-org:v3">
<code code="34391-3" displayName="HUMAN PRESCRIPTION DRUG LABEL"/><title>{title}</title>
<effectiveTime value="20140113"/>{identity}<versionNumber value="11"/>{head}
<author><assignedEntity><representedOrganization><name>Zyd Inc</name></representedOrganization></assignedEntity>
</author>
<component><structuredBody>{body}</structuredBody></component></document>""".encode()


def read(source: bytes) -> list[PublicDocument | Fault]:
    return list(spl.documents(io.BytesIO(source), "label.xml"))


def only(source: bytes) -> PublicDocument:
    (document,) = read(source)
    assert isinstance(document, PublicDocument)
    return document


def code(source: bytes) -> str:
    with pytest.raises(InputError) as caught:
        read(source)
    return caught.value.code


def shape(document: PublicDocument) -> list[tuple[tuple[str, ...], str, str]]:
    return [(one.path, one.code, one.text) for one in document.sections]


def test_a_label_states_what_it_is_and_what_it_is_about() -> None:
    document = only(label(PRODUCT, section("34067-9", "1 USES", "For pain.")))
    assert (document.id, document.kind, document.version, document.as_of) == ("abc-1", "label", "11", "2014-01-13")
    assert document.title == "Zyd XR tablets"
    assert document.url.endswith("setid=abc-1")
    assert document.language == "en"
    assert document.entity.ingredients == (Ingredient("ZYDOLOL HYDROCHLORIDE", "ABC1234567"),)
    assert document.entity.brands == ("Zyd XR",)
    assert document.entity.labeler == "Zyd Inc"
    assert document.entity.set_id == "abc-1"
    assert document.facts == {
        "document_type": "34391-3", "document_type_name": "HUMAN PRESCRIPTION DRUG LABEL",
        "marketing_categories": ["NDA"], "applications": ["NDA000001"], "generics": ["zydolol"],
        "moieties": [{"name": "ZYDOLOL", "unii": "MOI1234567"}], "forms": ["TABLET"], "routes": ["ORAL"],
    }  # fmt: skip


def test_an_unclassified_section_takes_its_nearest_coded_ancestors_code() -> None:
    deepest = section("42229-5", "Deepest", "c")
    inner = section("42229-5", "1.1 Inner", "b", deepest)
    document = only(label(section("34068-7", "1 Dose", "a", inner, section("34081-0", "1.2 Children", "d"))))
    assert shape(document) == [
        (("1 Dose",), "34068-7", "a"),
        (("1 Dose", "1.1 Inner"), "34068-7", "b"),
        (("1 Dose", "1.1 Inner", "Deepest"), "34068-7", "c"),
        (("1 Dose", "1.2 Children"), "34081-0", "d"),
    ]


def test_an_unclassified_section_of_nothing_stays_so_and_a_strange_code_system_is_none() -> None:
    strange = section("x", "Strange", "b").replace("2.16.840.1.113883.6.1", "1.2.3")
    document = only(label(section("42229-5", "Other", "a"), strange, "<section><text>c</text></section>"))
    assert [one.code for one in document.sections] == ["42229-5", "", ""]


def test_text_under_no_heading_runs_on_under_the_one_above() -> None:
    document = only(
        label(section("43682-4", "PK", "", section("42229-5", "", "Absorption"), section("42229-5", "", "Excretion")))
    )
    assert shape(document) == [(("PK",), "43682-4", "Absorption\nExcretion")]


def test_a_coded_section_without_a_heading_gets_the_codes_name() -> None:
    document = only(label(section("34066-1", "", "Danger"), section("42228-7", "8.1", "", section("34077-8", "", "x"))))
    assert shape(document) == [
        (("Boxed Warning",), "34066-1", "Danger"), (("8.1", "Teratogenic Effects"), "34077-8", "x"),
    ]  # fmt: skip


def test_a_frame_around_a_paragraph_is_no_boxed_warning() -> None:
    """Labels use the boxed warning's code for a frame; a dose must not become a warning by it."""
    document = only(
        label(
            section("34068-7", "Dose", "Adults:", section("34066-1", "", "5 mg daily")),
            section("34071-1", "Warnings", "", section("34066-1", "", "Danger")),
        )
    )
    assert shape(document) == [
        (("Dose",), "34068-7", "Adults:\n5 mg daily"), (("Warnings", "Boxed Warning"), "34066-1", "Danger"),
    ]  # fmt: skip


def test_a_heading_that_is_all_a_section_says_is_kept_as_words() -> None:
    document = only(
        label(section("34070-3", "4 CONTRAINDICATIONS", "", section("42229-5", "4.1 Liver disease"), section("x", "")))
    )
    assert shape(document) == [(("4 CONTRAINDICATIONS",), "34070-3", "- 4.1 Liver disease")]


def test_highlights_and_pictures_are_left_out() -> None:
    excerpt = "<excerpt><highlight><text><paragraph>Twice.</paragraph></text></highlight></excerpt>"
    whole = section("34067-9", "1 USES", "Once.").replace("</section>", excerpt + "</section>")
    figure = "<section><title>Figure</title><text><renderMultiMedia referencedObject='M'/></text></section>"
    assert shape(only(label(whole, figure))) == [(("1 USES",), "34067-9", "Once.")]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (
            PREAMBLE + "ZYD<sup>®</sup> (zydolol) tablets <br/>Initial U.S. Approval: 1996",
            "ZYD® (zydolol) tablets",
        ),
        ("Drug Facts", "Zyd XR (zydolol)"),
        ("", "Zyd XR (zydolol)"),
        ("Zyd " + "x" * 300, "Zyd XR (zydolol)"),
    ],
)
def test_a_title_names_the_product(written: str, expected: str) -> None:
    assert only(label(PRODUCT, section("34067-9", "", "x"), title=written)).title == expected


def test_a_title_without_end_costs_nothing() -> None:
    words = "These highlights do not include all " + "prescribing information for " * 100_000
    assert spl.title(words, ("Zyd",), ()) == "Zyd"


def test_a_label_that_names_no_product_goes_by_its_title_or_set_id() -> None:
    assert only(label(section("34067-9", "", "x"), title="Drug Facts")).title == "Drug Facts"
    assert only(label(section("34067-9", "", "x"), title="")).title == "abc-1"


@pytest.mark.parametrize(
    ("written", "day"),
    [("20140113", "2014-01-13"), ("201401", "2014-01"), ("2014", "2014"), ("20140113080000", "2014-01-13"), ("", "")],
)
def test_days_go_as_far_as_they_are_written(written: str, day: str) -> None:
    assert spl.day(written) == day


def test_a_day_may_be_the_beginning_of_a_time_and_a_language_is_taken_as_stated() -> None:
    source = label(section("34067-9", "", "x"), head='<languageCode code="es-US"/>')
    source = source.replace(b'<effectiveTime value="20140113"/>', b'<effectiveTime><low value="2013"/></effectiveTime>')
    assert (only(source).as_of, only(source).language) == ("2013", "es")


def test_labels_that_cannot_be_used_are_faults_and_the_next_is_read() -> None:
    parts = [label(section("34067-9", "", "x"), set_id=""), label(PRODUCT, set_id="b"), label(section("x", "T", "x"))]
    bare = b"".join(part.partition(b"?>")[2] for part in parts)
    first, second, third = read(b"<labels>" + bare + b"</labels>")
    assert isinstance(first, Fault)
    assert isinstance(second, Fault)
    assert isinstance(third, PublicDocument)
    assert (first.where, first.reason, second.where, second.reason) == ("record 1", "no-id", "b", "no-text")


def test_a_document_that_a_label_names_is_no_label() -> None:
    named = '<subject><subjectOf><document><id root="x"/><title>Letter</title></document></subjectOf></subject>'
    source = label(section("34067-9", "1", "x").replace("</section>", named + "</section>"))
    assert len(read(source)) == 1


def test_an_ingredient_without_a_name_or_code_is_none() -> None:
    nameless = PRODUCT.replace("<name>ZYDOLOL HYDROCHLORIDE</name>", "").replace("abc1234567", "")
    assert only(label(nameless, section("34067-9", "", "x"))).entity.ingredients == ()


def test_another_format_is_refused_at_once() -> None:
    assert code(b"<PubmedArticleSet><PubmedArticle/></PubmedArticleSet>") == "FMT-003"
    assert code(b'<root xmlns="urn:hl7-org:v3"><section/></root>') == "FMT-003"

    class Endless(io.BytesIO):
        """More bytes than anything could hold."""

        def read(self, size: int | None = -1) -> bytes:
            assert size is not None
            assert 0 < size <= 1024**2
            return b" " * size

    with pytest.raises(InputError):
        next(spl.documents(Endless(), "x"))


def test_a_label_in_sixteen_bits_is_read() -> None:
    source = label(section("34067-9", "", "x")).decode().replace("UTF-8", "UTF-16")
    assert only(source.encode("utf-16")).id == "abc-1"


def test_broken_and_cut_labels_are_refused() -> None:
    whole = label(section("34067-9", "", "x" * 500))
    assert code(whole[:-40]) == "FMT-002"
    assert code(whole.replace(b"</text>", b"</txet>")) == "FMT-001"
    laughs = b'<!DOCTYPE d [<!ENTITY a "ha">]>'
    assert code(whole.replace(b"<document", laughs + b"<document")) == "FMT-006"


def test_reading_twice_gives_the_same() -> None:
    source = label(PRODUCT, section("34067-9", "1", "x"))
    assert read(source) == read(source)


@needs_labels
def test_lipitor_is_read_whole() -> None:
    document = only((LABELS / "lipitor-orig.xml").read_bytes())
    assert document.id == "c6e131fe-e7df-4876-83f7-9156fc4e8228"
    assert document.title == "LIPITOR® (atorvastatin calcium) Tablets for oral administration"
    assert document.entity.ingredients == (Ingredient("ATORVASTATIN CALCIUM TRIHYDRATE", "48A5M73Z4Q"),)
    by_path = {one.path[-1]: one for one in document.sections if one.path}
    assert by_path["2.3 Homozygous Familial Hypercholesterolemia"].code == "34068-7"
    assert "10 to 80 mg daily" in by_path["2.3 Homozygous Familial Hypercholesterolemia"].text
    assert "- 4.1 Active liver disease" in by_path["4 CONTRAINDICATIONS"].text
    assert (
        "Nasopharyngitis | 8.3 | 12.9 | 5.3 | 7.0 | 4.2 | 8.2" in by_path["6.1 Clinical Trial Adverse Experiences"].text
    )
    unclassified = [one for one in document.sections if one.code == "42229-5"]
    assert [one.path for one in unclassified] == [()]  # only the line that stands under no heading at all


@needs_labels
def test_nothing_of_a_label_stands_in_two_sections_and_nothing_is_lost() -> None:
    """Every long paragraph of the body is in the sections just once."""
    for name in ("lipitor-orig.xml", "cough.xml", "no-title.xml"):
        source = (LABELS / name).read_bytes()
        read_words = "\n".join(one.text for one in only(source).sections)
        for words in _paragraphs(source):
            assert read_words.count(words) == 1, words[:80]


def _paragraphs(source: bytes) -> Iterable[str]:
    """Long plain paragraphs by another parser."""
    from xml.etree import ElementTree as ET  # noqa: PLC0415 - another parser on a trusted file

    root = ET.fromstring(source)  # noqa: S314 - a file of the tests
    space = "{urn:hl7-org:v3}"
    seen: dict[str, int] = {}
    for one in root.iter(f"{space}section"):
        for block in one.findall(f"{space}text"):
            for paragraph in block.iter(f"{space}paragraph"):
                if len(paragraph) == 0 and len(paragraph.text or "") > 80:
                    words = " ".join((paragraph.text or "").split())
                    seen[words] = seen.get(words, 0) + 1
    assert seen
    return [words for words, times in seen.items() if times == 1]


@pytest.mark.skipif(not (SHARED / "dailymed_zip").is_dir(), reason="needs ../shared/data/dailymed_zip")
def test_a_label_as_dailymed_ships_it_and_a_release_of_such(tmp_path: Path) -> None:
    shipped = SHARED / "dailymed_zip" / "label.zip"
    release = tmp_path / "release.zip"
    with zipfile.ZipFile(release, "w") as archive:
        archive.write(shipped, "prescription/20160312_ab36b844.zip")
    for path in (shipped, release):
        with path.open("rb") as stream:
            found = [
                one for member in archives.members(stream, endings=(".xml",)) for one in read(member.stream.read())
            ]
        (document,) = found
        assert isinstance(document, PublicDocument)
        assert document.entity.ingredients[0].name == "Minoxidil"
        assert document.facts["document_type"] == "34390-5"
        assert ("Warnings", "Do Not Use") in [one.path for one in document.sections]
