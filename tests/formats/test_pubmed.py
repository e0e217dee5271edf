"""PubMed's citations: what is taken, what is refused, and that a file of any size is never held whole."""

import io
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lumen_desktop.domain.library import normalised
from lumen_desktop.errors import InputError
from lumen_desktop.formats import pubmed
from lumen_desktop.formats.document import Fault, Ingredient, PublicDocument

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "pubmed_xml"
real = pytest.mark.skipif(not DATA.is_dir(), reason="shared/data/pubmed_xml is not there")

ABSTRACT = "<Abstract><AbstractText>Metformin lowered HbA1c by 1.1%.</AbstractText></Abstract>"


def citation(
    pmid: str = "1", *, abstract: str = ABSTRACT, article: str = "", after: str = "", version: str = "1"
) -> str:
    return (
        f'<PubmedArticle><MedlineCitation><PMID Version="{version}">{pmid}</PMID>'
        "<DateRevised><Year>2024</Year><Month>3</Month><Day>9</Day></DateRevised>"
        "<Article><Journal><JournalIssue><PubDate><Year>2019</Year><Month>Nov</Month><Day>2</Day></PubDate>"
        "</JournalIssue><Title>The Journal</Title></Journal>"
        f"<ArticleTitle>Metformin in type 2 diabetes.</ArticleTitle>{abstract}<Language>eng</Language>{article}"
        f"</Article>{after}</MedlineCitation></PubmedArticle>"
    )


def read(inside: str, root: str = "PubmedArticleSet") -> list[PublicDocument | Fault]:
    head = '<?xml version="1.0"?>\n<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD" "https://x/pubmed_250101.dtd">\n'
    return list(pubmed.documents(io.BytesIO(f"{head}<{root}>{inside}</{root}>".encode()), "pubmed25n0001.xml"))


def one(inside: str) -> PublicDocument:
    (document,) = read(inside)
    assert isinstance(document, PublicDocument)
    return document


def fault(inside: str) -> Fault:
    (found,) = read(inside)
    assert isinstance(found, Fault)
    return found


def test_a_citation_is_a_document() -> None:
    document = one(citation("123"))
    assert (document.id, document.kind, document.title) == ("123", "abstract", "Metformin in type 2 diabetes.")
    assert document.sections[0].path == ("Abstract",)
    assert document.sections[0].text == "Metformin lowered HbA1c by 1.1%."
    assert (document.as_of, document.version) == ("2019-11-02", "1 2024-03-09")
    assert document.url == "https://pubmed.ncbi.nlm.nih.gov/123/"
    assert (document.licence, document.language) == ("", "en")
    assert document.facts == {"journal": "The Journal", "article_language": "eng"}


def test_labels_are_headings_and_categories_codes() -> None:
    abstract = (
        '<Abstract><AbstractText Label="METHODS" NlmCategory="METHODS">10<sup>6</sup> cells.</AbstractText>'
        '<AbstractText Label="UNLABELLED">Free.</AbstractText><AbstractText Label="RESULTS:"/>'
        "<CopyrightInformation>Copyright 2020 Nobody.</CopyrightInformation></Abstract>"
    )
    document = one(citation(abstract=abstract))
    assert [(s.path, s.code, s.text) for s in document.sections] == [
        (("Abstract", "METHODS"), "METHODS", "10⁶ cells."),
        (("Abstract",), "", "Free."),
    ]
    assert document.facts["copyright"] == "Copyright 2020 Nobody."


RETRACTED = [
    '<PublicationTypeList><PublicationType UI="D016441">Retracted Publication</PublicationType></PublicationTypeList>',
    '<PublicationTypeList><PublicationType UI="">Retraction of Publication</PublicationType></PublicationTypeList>',
    '<PublicationTypeList><PublicationType UI="D016440">Retraction Notice</PublicationType></PublicationTypeList>',
]
LINKS = "<CommentsCorrectionsList><CommentsCorrections RefType='{}'/></CommentsCorrectionsList>"


@pytest.mark.parametrize("types", RETRACTED)
def test_a_retracted_article_and_its_notice_by_type(types: str) -> None:
    found = fault(citation("7", article=types))
    assert (found.where, found.reason) == ("7", pubmed.RETRACTED)


@pytest.mark.parametrize("link", ["RetractionIn", "PartialRetractionIn", "RetractedandRepublishedIn", "RetractionOf"])
def test_a_retracted_article_and_its_notice_by_link(link: str) -> None:
    assert fault(citation("7", after=LINKS.format(link))).reason == pubmed.RETRACTED


def test_an_erratum_is_no_retraction_and_is_noted() -> None:
    document = one(citation(after=LINKS.format("ErratumIn")))
    assert document.facts["notices"] == ["ErratumIn"]


def test_what_an_update_deletes_comes_with_its_number() -> None:
    found = read(citation("5") + "<DeleteCitation><PMID Version='1'>11</PMID><PMID>12</PMID></DeleteCitation>")
    assert isinstance(found[0], PublicDocument)
    assert [(f.where, f.reason) for f in found[1:] if isinstance(f, Fault)] == [("11", "deleted"), ("12", "deleted")]
    assert frozenset({"deleted", "retracted"}) == pubmed.WITHDRAWN


def test_what_cannot_be_used() -> None:
    assert fault(citation("3", abstract="")).reason == "no-text"
    assert fault(citation("3", abstract="<Abstract><AbstractText> </AbstractText></Abstract>")).reason == "no-text"
    assert fault(citation("")) == Fault("record 1", "no-id", "The record has no PMID or no article.")
    assert fault("<PubmedArticle/>").reason == "no-id"
    assert fault("<PubmedArticle><MedlineCitation><PMID>4</PMID></MedlineCitation></PubmedArticle>").reason == "no-id"
    assert fault("<PubmedBookArticle><x/></PubmedBookArticle>").reason == "wrong-form"


def test_records_after_a_bad_one_are_read() -> None:
    found = read(citation("") + citation("2"))
    assert [type(each) for each in found] == [Fault, PublicDocument]


CHEMICALS = (
    "<ChemicalList>"
    '<Chemical><RegistryNumber>9100L32L2N</RegistryNumber><NameOfSubstance UI="D008687">Metformin</NameOfSubstance>'
    '</Chemical><Chemical><RegistryNumber>IY9XDZ35W2</RegistryNumber><NameOfSubstance UI="D005947">Glucose'
    '</NameOfSubstance></Chemical><Chemical><RegistryNumber>0</RegistryNumber><NameOfSubstance UI="D007004">'
    "Hypoglycemic Agents</NameOfSubstance></Chemical><Chemical><RegistryNumber>EC 2.7.7.49</RegistryNumber>"
    '<NameOfSubstance UI="C1">Telomerase</NameOfSubstance></Chemical><Chemical/></ChemicalList>'
    '<MeshHeadingList><MeshHeading><DescriptorName UI="D005947" MajorTopicYN="N">Glucose</DescriptorName>'
    '<QualifierName MajorTopicYN="{}">blood</QualifierName></MeshHeading></MeshHeadingList>'
)


def test_only_what_the_article_is_about_is_its_ingredient() -> None:
    document = one(citation(after=CHEMICALS.format("N")))
    assert document.entity.ingredients == (Ingredient("Metformin", "9100L32L2N"),)
    assert [each["unii"] for each in document.facts["chemicals"]] == ["9100L32L2N", "IY9XDZ35W2", "", ""]
    assert document.facts["mesh"] == ["Glucose"]
    major = one(citation(after=CHEMICALS.format("Y")))
    assert [each.name for each in major.entity.ingredients] == ["Metformin", "Glucose"]


@pytest.mark.parametrize(
    ("date", "day"),
    [
        ("<Year>2016</Year><Month>10</Month><Day>1</Day>", "2016-10-01"),
        ("<Year>2016</Year><Month>Oct</Month>", "2016-10"),
        ("<Year>1990</Year><Season>Spring</Season>", "1990"),
        ("<MedlineDate>1998 Dec-1999 Jan</MedlineDate>", "1998-12"),
        ("<MedlineDate>2000 Spring</MedlineDate>", "2000"),
        ("<MedlineDate>undated</MedlineDate>", ""),
        ("", ""),
    ],
)
def test_the_day_of_the_issue(date: str, day: str) -> None:
    plain = "<Year>2019</Year><Month>Nov</Month><Day>2</Day>"
    assert one(citation().replace(plain, date)).as_of == day


def test_without_an_issue_or_a_revision_nothing_is_made_up() -> None:
    bare = (
        "<PubmedArticle><MedlineCitation><PMID>8</PMID><Article><ArticleTitle>[Not Available].</ArticleTitle>"
        f"{ABSTRACT}<VernacularTitle>Titre</VernacularTitle></Article></MedlineCitation></PubmedArticle>"
    )
    document = one(bare)
    assert (document.as_of, document.version, document.title) == ("", "1", "Titre")
    assert one(bare.replace("<VernacularTitle>Titre</VernacularTitle>", "")).title == "Untitled article"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<PubmedArticleSet><PubmedArticle></PubmedArticleSet>", "FMT-001"),
        (b"<PubmedArticleSet><PubmedArticle><Medl", "FMT-002"),
        (b"", "FMT-002"),
        (b"<?xml version='1.0'?><!-- old --><MedlineCitationSet/>", "FMT-003"),
        (b"\xef\xbb\xbf<!DOCTYPE html>\n<html></html>", "FMT-003"),
        (b"no xml at all", "FMT-001"),
        (
            b"<!DOCTYPE PubmedArticleSet [<!ENTITY a 'aaaa'>]><PubmedArticleSet><PubmedArticle/></PubmedArticleSet>",
            "FMT-006",
        ),
    ],
)
def test_a_file_that_cannot_be_read(content: bytes, code: str) -> None:
    with pytest.raises(InputError) as refusal:
        list(pubmed.documents(io.BytesIO(content), "x.xml"))
    assert refusal.value.code == code


def test_what_was_read_before_a_file_ends_too_early_is_given() -> None:
    whole = f"<PubmedArticleSet>{citation('1') * 40}".encode()
    reading = pubmed.documents(io.BytesIO(whole), "x.xml")
    assert isinstance(next(reading), PublicDocument)
    with pytest.raises(InputError) as refusal:
        list(reading)
    assert refusal.value.code == "FMT-002"


@real
def test_real_citations() -> None:
    found = [
        each
        for path in sorted(DATA.glob("*.xml"))
        for each in pubmed.documents(io.BytesIO(path.read_bytes()), path.name)
    ]
    documents = {each.id: each for each in found if isinstance(each, PublicDocument)}
    assert [each.where for each in found if isinstance(each, Fault)] == ["12091962"]
    assert set(documents) == {"9997", "27797938", "28775130"}
    results = documents["27797938"].sections[2]
    assert results.path == ("Abstract", "RESULTS")
    assert "linkage disequilibrium r²<0.25" in results.text
    assert all(section.text == normalised(section.text) for each in documents.values() for section in each.sections)


def _memory_of(records: int) -> int:
    """Peak memory in KiB of a process of its own that reads so many citations."""
    source = f"""
import resource
from lumen_desktop.formats import pubmed
class Endless:
    left = {records}
    def __init__(self): self.held = b"<PubmedArticleSet>"
    def read(self, size):
        while len(self.held) < size and self.left:
            self.left -= 1
            self.held += {citation()!r}.encode() + (b"" if self.left else b"</PubmedArticleSet>")
        piece, self.held = self.held[:size], self.held[size:]
        return piece
count = sum(1 for _ in pubmed.documents(Endless(), "x"))
assert count == {records}
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True, timeout=60)
    return int(done.stdout)


@pytest.mark.skipif(not hasattr(resource, "RUSAGE_SELF"), reason="no such counter here")
def test_memory_does_not_grow_with_the_file() -> None:
    assert _memory_of(20_000) - _memory_of(1_000) < 4 * 1024


def _documents(found: list[PublicDocument | Fault]) -> Iterator[PublicDocument]:
    return (each for each in found if isinstance(each, PublicDocument))


def test_the_same_bytes_give_the_same_documents() -> None:
    assert list(_documents(read(citation() * 3))) == list(_documents(read(citation() * 3)))
