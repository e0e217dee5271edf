"""Articles of PMC: their licence, their sections, and what is left out."""

import io
import re
from pathlib import Path

import pytest

from lumen_desktop.domain.library import normalised
from lumen_desktop.errors import InputError
from lumen_desktop.formats import jats
from lumen_desktop.formats.document import Fault, PublicDocument

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "pmc_jats"
real = pytest.mark.skipif(not DATA.is_dir(), reason="shared/data/pmc_jats is not there")

IDS = '<article-id pub-id-type="pmc">3166277</article-id><article-id pub-id-type="pmid">21810267</article-id>'
TITLE = "<title-group><article-title>Lysis of <italic>E. coli</italic></article-title></title-group>"
CC_BY = '<license xlink:href="http://creativecommons.org/licenses/by/4.0/"><license-p>Open.</license-p></license>'
BODY = "<body><sec><title>Results</title><p>It lysed after 65.1 min.</p></sec></body>"


def article(*, ids: str = IDS, front: str = "", terms: str = CC_BY, body: str = BODY, attributes: str = "") -> str:
    return (
        f'<article xmlns:xlink="http://www.w3.org/1999/xlink" {attributes}><front><journal-meta><journal-title-group>'
        "<journal-title>BMC Microbiology</journal-title></journal-title-group></journal-meta>"
        f"<article-meta>{ids}{TITLE}{front}<permissions>{terms}</permissions></article-meta></front>{body}"
        "<back><ack><p>We thank nobody.</p></ack><ref-list><ref><p>Reference 1.</p></ref></ref-list></back></article>"
    )


def read(source: str) -> list[PublicDocument | Fault]:
    return list(jats.documents(io.BytesIO(source.encode()), "PMC3166277.nxml"))


def one(source: str) -> PublicDocument:
    (document,) = read(source)
    assert isinstance(document, PublicDocument)
    return document


def fault(source: str) -> Fault:
    (found,) = read(source)
    assert isinstance(found, Fault)
    return found


def lines(body: str) -> list[str]:
    (section,) = one(article(body=f"<body><sec><title>T</title>{body}</sec></body>")).sections
    return section.text.split("\n")


def test_an_article_is_a_document() -> None:
    front = (
        "<contrib-group><contrib><name><surname>Dennehy</surname></name></contrib></contrib-group>"
        "<pub-date pub-type='collection'><year>2011</year></pub-date>"
        "<pub-date pub-type='epub'><day>2</day><month>8</month><year>2011</year></pub-date>"
        "<abstract><p>In short.</p></abstract><kwd-group><kwd>phage</kwd></kwd-group>"
    )
    attributes = 'article-type="research-article" xml:lang="EN"'
    document = one(
        article(front=front, attributes=attributes, terms="<copyright-statement>(c) D</copyright-statement>")
    )
    assert (document.id, document.kind, document.title) == ("PMC3166277", "article", "Lysis of E. coli")
    assert (document.as_of, document.language, document.version) == ("2011-08-02", "en", "")
    assert document.url == "https://pmc.ncbi.nlm.nih.gov/articles/PMC3166277/"
    assert [(s.path, s.text) for s in document.sections] == [
        (("Abstract",), "In short."), (("Results",), "It lysed after 65.1 min."),
    ]  # fmt: skip
    assert document.facts == {
        "pmid": "21810267", "journal": "BMC Microbiology", "article_type": "research-article", "copyright": "(c) D",
        "first_author": "Dennehy", "keywords": ["phage"],
    }  # fmt: skip


DATA_WAIVER = (
    '<license xlink:href="http://creativecommons.org/licenses/by/4.0/"><license-p>The waiver '
    "http://creativecommons.org/publicdomain/zero/1.0/ applies to the data.</license-p></license>"
)
NISO = (
    '<license><a:license_ref xmlns:a="http://www.niso.org/schemas/ali/1.0/">'
    "https://creativecommons.org/licenses/by/4.0/</a:license_ref></license>"
)
LICENCES = [
    ('<license xlink:href="http://creativecommons.org/licenses/by/2.0"><p>CC.</p></license>', "CC-BY-2.0"),
    ('<license><license-p><ext-link xlink:href="https://creativecommons.org/licenses/by/3.0/us/"/></license-p></license>',
     "CC-BY-3.0"),
    ('<license xlink:href="http://creativecommons.org/licenses/by-nc/4.0/"/>', jats.NON_COMMERCIAL),
    ('<license xlink:href="http://creativecommons.org/licenses/by-nd/4.0/"/>', jats.NON_COMMERCIAL),
    ('<license xlink:href="https://creativecommons.org/licenses/by-nc-nd/4.0/"/>', jats.NON_COMMERCIAL),
    ("<license><license-p>Creative Commons Attribution Non-Commercial License</license-p></license>",
     jats.NON_COMMERCIAL),
    ('<license xlink:href="http://creativecommons.org/licenses/by/4.0/"><p>for noncommercial use</p></license>',
     jats.NON_COMMERCIAL),
    ('<license xlink:href="http://creativecommons.org/licenses/by-sa/4.0/"/>', "CC-BY-SA-4.0"),
    ('<license xlink:href="http://creativecommons.org/publicdomain/zero/1.0/"/>', "CC0-1.0"),
    ("<license><license-p>Released under CC0.</license-p></license>", "CC0-1.0"),
    (DATA_WAIVER, "CC-BY-4.0"),
    ("<license><license-p>Creative Commons Attribution 4.0 International License</license-p></license>", "CC-BY-4.0"),
    ("<license><license-p>under the Creative Commons Attribution License</license-p></license>", jats.UNNUMBERED),
    ("<license><license-p>(CC BY 4.0)</license-p></license>", "CC-BY-4.0"),
    (NISO, "CC-BY-4.0"),
    ("<copyright-statement>This is a work of the U.S. Government.</copyright-statement>", "LicenseRef-US-PD"),
    ("<license><license-p>Made available by the publisher for COVID-19 research.</license-p></license>", ""),
    ("<copyright-statement>Copyright Elsevier. All rights reserved.</copyright-statement>", ""),
    ("", ""),
]  # fmt: skip


@pytest.mark.parametrize(("terms", "licence"), LICENCES)
def test_the_licence_that_an_article_states(terms: str, licence: str) -> None:
    assert one(article(terms=terms)).licence == licence


def test_without_permissions_there_is_no_licence() -> None:
    source = re.sub(r"<permissions>.*</permissions>", "", article())
    assert one(source).licence == ""


def test_marks_of_references_go_and_names_stay() -> None:
    marks = '<xref ref-type="bibr" rid="b1">1</xref>,<xref ref-type="bibr" rid="b2">2</xref>'
    assert lines(f"<p>Seen before [{marks}]. By (<xref ref-type='bibr'>3</xref>) too.</p>") == ["Seen before. By too."]
    assert lines("<p>As <xref ref-type='bibr'>Amir 2010</xref> says.</p>") == ["As Amir 2010 says."]
    assert lines("<p>Twice<sup><xref ref-type='bibr'><b>4</b></xref></sup> daily.</p>") == ["Twice daily."]
    assert lines("<p>Table <xref ref-type='table'>2</xref> and [95% CI 1.0, 2.0]</p>") == [
        "Table 2 and [95% CI 1.0, 2.0]"
    ]


def test_tables_lists_and_formulae() -> None:
    table = (
        "<table-wrap><label>Table 1</label><caption><p>Doses</p></caption><table><tr><th>Drug</th><th>mg</th></tr><tr>"
        "<td>A</td><td>10<sup>6</sup></td></tr></table><table-wrap-foot><p>note</p></table-wrap-foot></table-wrap>"
    )
    assert lines(table) == ["Table 1", "Doses", "Drug | mg", "A | 10⁶"]
    assert lines("<list><list-item><p>one</p></list-item><list-item><p>two</p></list-item></list>") == ["one", "two"]
    assert lines("<p>where <inline-formula><x>1</x></inline-formula> holds</p><disp-formula>2</disp-formula>") == [
        "where [formula] holds", "[formula]",
    ]  # fmt: skip
    assert lines("<p>kept</p><fig><caption><p>gone</p></caption></fig>") == ["kept"]


def test_paths_and_codes_come_from_the_sections_above() -> None:
    body = (
        '<body><p>Before.</p><sec sec-type="methods"><title>Methods.</title><p>All.</p><sec><title>Cells</title>'
        "<p>Grown.</p></sec><sec><p>Untitled.</p></sec></sec><sec><title>Competing interests</title><p>None.</p></sec>"
        '<sec sec-type="supplementary-material"><title>More</title><p>File.</p></sec></body>'
    )
    assert [(s.path, s.code, s.text) for s in one(article(body=body)).sections] == [
        (("Text",), "", "Before."), (("Methods",), "methods", "All."), (("Methods", "Cells"), "methods", "Grown."),
        (("Methods",), "methods", "Untitled."),
    ]  # fmt: skip


def test_only_the_abstract_itself_is_taken() -> None:
    front = (
        "<abstract><sec><title>Aim</title><p>A.</p></sec></abstract><abstract abstract-type='toc'><p>B.</p></abstract>"
    )
    assert [(s.path, s.code) for s in one(article(front=front, body="")).sections] == [
        (("Abstract", "Aim"), "abstract")
    ]


def test_the_identity_is_the_first_that_lasts() -> None:
    assert one(article(ids='<article-id pub-id-type="pmcid">PMC77.2</article-id>')).id == "PMC77"
    versioned = (
        '<article-id pub-id-type="pmcid">PMC7</article-id><article-id pub-id-type="pmcid-ver">PMC7.2</article-id>'
    )
    assert (one(article(ids=versioned)).id, one(article(ids=versioned)).version) == ("PMC7", "2")
    by_pmid = one(article(ids='<article-id pub-id-type="pmid">5</article-id>'))
    assert (by_pmid.id, by_pmid.url) == ("5", "https://pubmed.ncbi.nlm.nih.gov/5/")
    by_doi = one(article(ids='<article-id pub-id-type="doi">10.1/x</article-id>'))
    assert (by_doi.id, by_doi.url) == ("10.1/x", "https://doi.org/10.1/x")


def test_what_cannot_be_used() -> None:
    assert fault(article(ids="")) == Fault("record 1", "no-id", "The article has no PMC number, PMID or DOI.")
    assert fault("<article><front/></article>").reason == "no-id"
    assert fault(article(body="<body><sec><disp-formula>1</disp-formula></sec></body>")).reason == "no-text"
    assert fault(article(attributes='article-type="retraction"')).reason == "retracted"
    forward = '<related-article related-article-type="retraction-forward"/>'
    assert fault(article(front=forward)) == Fault(
        "PMC3166277", "retracted", "The article was retracted, or is the notice of it."
    )


@pytest.mark.parametrize(
    ("dates", "day"),
    [
        ("<pub-date><year>2011</year><month>8</month></pub-date>", "2011-08"),
        ("<pub-date><year>2011</year><day>3</day></pub-date>", "2011"),
        ("<pub-date><string-date>soon</string-date></pub-date>", ""),
        ("", ""),
    ],
)
def test_the_day_is_as_exact_as_the_file(dates: str, day: str) -> None:
    assert one(article(front=dates)).as_of == day


def test_a_set_of_articles_and_a_namespace() -> None:
    source = f"<pmc-articleset>{article()}{article(ids='')}{article()}</pmc-articleset>"
    assert [type(each) for each in read(source)] == [PublicDocument, Fault, PublicDocument]
    spaced = article(attributes='xmlns="https://jats.nlm.nih.gov/ns/archiving/1.3/"')
    assert one(f"<OAI-PMH><record>{spaced}</record></OAI-PMH>").id == "PMC3166277"


@pytest.mark.parametrize(
    ("content", "code"), [(b"<book/>", "FMT-003"), (b"<article><front>", "FMT-002"), (b"<article></front>", "FMT-001")]
)
def test_a_file_that_cannot_be_read(content: bytes, code: str) -> None:
    with pytest.raises(InputError) as refusal:
        list(jats.documents(io.BytesIO(content), "x.nxml"))
    assert refusal.value.code == code


@real
def test_real_articles() -> None:
    found = [each for path in sorted(DATA.glob("*.nxml")) for each in read(path.read_text(encoding="utf-8"))]
    phage, teeth = (each for each in found if isinstance(each, PublicDocument))
    assert (phage.id, phage.licence, phage.as_of) == ("PMC3166277", "CC-BY-2.0", "2011-08-02")
    assert (teeth.id, teeth.licence, teeth.as_of) == ("PMC2329613", "CC-BY-2.0", "2008-04-11")
    table = next(s.text for s in phage.sections if s.path == ("Results",))
    assert "IN61 | 274 | 45.7 | 2.92" in table.split("\n")
    for document in (phage, teeth):
        assert all(section.text == normalised(section.text) and section.text for section in document.sections)
        assert not any("[,]" in section.text or "[]" in section.text for section in document.sections)
