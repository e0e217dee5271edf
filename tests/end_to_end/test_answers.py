"""What the issue promises to show: rules quoted from summaries, PDFs quoted at their page, no dose from nowhere."""

import json
import re
import unicodedata
from pathlib import Path

import pypdfium2
import pytest

from lumen_desktop import app
from lumen_desktop.domain.chat import Status
from lumen_desktop.services.chat import UNVERIFIED
from tests.conftest import Lumen
from tests.end_to_end.conftest import BATCHES, GUIDANCE, asked

pytestmark = pytest.mark.model

QUESTIONS = [
    "What is the purpose of an audit trail in a computerised system?",
    "What should be checked regularly in backups of computerised systems?",
    "What should the supplier agreement with third parties contain?",
    "How should printouts of electronically stored data be obtained?",
    "What are the two primary principles of quality risk management?",
    "What is the definition of risk?",
    "What does risk communication mean in quality risk management?",
    "What is software validation?",
    "Why is software testing alone not sufficient to show that software is fully validated?",
    "What is the least burdensome approach?",
    "What is a high process risk in computer software assurance?",
    "What is unscripted testing?",
    "How does FDA intend to exercise enforcement discretion for part 11 audit trails?",
    "What are predicate rules in part 11?",
    "What does FDA say about legacy systems under part 11?",
    "Which drug products may an outsourcing facility compound from bulk drug substances?",
]
DOSE_QUESTIONS = [
    "What is the maximum daily dose of metformin?",
    "What is the maximum daily dose of metfromin?",
    "What is the usual dose of Glucophage?",
    "How much warfarin may be given?",
    "How much warfrin may be given?",
    "What is the starting dose of Lipitor?",
    "How many milligrams of amoxicillin does a child get?",
    "Is methotrexate given daily or weekly, and how much?",
    "What is the dose of Eliquis in renal impairment?",
    "Compare the doses of lisinopril and losartan.",
]


_LINE_NUMBER = re.compile(r"^\d{1,4}(?=\s)", re.MULTILINE)  # in the margin of drafts; no part of the wording
MANY_LINES = 10


def even(text: str) -> str:
    """Text with even white space, raised digits as digits, and no hyphens.

    pypdfium2 hides whether a hyphen at a line's end is part of the word, and does not tell a raised digit.
    """
    return " ".join(re.sub("[-\u00ad\ufffe\u0002\u200b]", "", unicodedata.normalize("NFKC", text)).split())


def page_text(document: str, page: int) -> str:
    """Text of one page, read by pypdfium2 and none of our code."""
    pdf = pypdfium2.PdfDocument(GUIDANCE / document)
    try:
        textpage = pdf[page - 1].get_textpage()
        try:
            raw = textpage.get_text_range()
        finally:
            textpage.close()
    finally:
        pdf.close()
    numbered = len(_LINE_NUMBER.findall(raw)) > MANY_LINES
    return even(_LINE_NUMBER.sub("", raw) if numbered else raw)


def test_a_rule_is_quoted_from_a_summary(demonstration: Path, lumen: Lumen) -> None:
    result = lumen("ask", BATCHES, "--json", data=demonstration)
    assert result.returncode == 0
    answer = json.loads(result.stdout)
    assert answer["status"] == "grounded"
    first = answer["citations"][0]
    assert first["kind"] == "summary"
    assert "other batches of the same" in first["quote"]
    assert first["attribution"].startswith("Lumen's summary of 21 CFR 211.192, not its wording")
    assert first["quote"] in answer["answer"]
    assert "211.192" in first["document"]
    assert answer["timing"]["first_token_s"] is None
    assert re.fullmatch(r"[0-9a-f]{64}", answer["build"]["sha256"])
    assert "DEMONSTRATION" in answer["demonstration"]


def test_questions_answered_from_pdfs_are_quoted_from_the_page_named(guided: app.Site) -> None:
    names = {document.title: document.name for document in guided.library.documents()}
    answered, documents = 0, set()
    for question in QUESTIONS:
        answer = asked(guided, question, collection="Guidance")
        answered += answer.status is Status.GROUNDED
        for citation in answer.citations:
            assert citation.page is not None, question
            documents.add(names[citation.document])
            assert even(citation.quote) in page_text(names[citation.document], citation.page), (question, citation)
    assert answered >= 12
    assert len(documents) >= 5


def test_no_dose_is_stated_where_no_label_was_imported(guided: app.Site) -> None:
    for question in DOSE_QUESTIONS:
        answer = asked(guided, question, prose=True)
        assert answer.status is Status.NO_EVIDENCE, question
        assert answer.citations == ()
        assert answer.commentary == ""
        assert not re.search(r"\d\s*(?:mg|mcg|µg|g|ml|units?|tablets?)\b", answer.text, re.IGNORECASE), answer.text
    assert "_chat_engine" not in vars(guided)


@pytest.mark.parametrize("name", ["metformin", "metfromin"])
def test_the_command_line_abstains_likewise(demonstration: Path, lumen: Lumen, name: str) -> None:
    result = lumen("ask", f"What is the maximum daily dose of {name}?", "--json", data=demonstration)
    answer = json.loads(result.stdout)
    assert (result.returncode, answer["status"], answer["citations"]) == (0, "no_evidence", [])
    assert name in answer["answer"]
    assert not re.search(r"\d\s*(?:mg|g)\b", answer["answer"])
    assert "metformin" in answer["answer"]


def test_prose_streams_below_the_quotes_and_is_labelled(demonstration: Path, lumen: Lumen) -> None:
    result = lumen("ask", BATCHES, "--prose", data=demonstration)
    assert result.returncode == 0
    assert result.stdout.index("[1]") < result.stdout.index(UNVERIFIED)
    assert "smollm2-135m-instruct" in result.stdout
    number = int(result.stdout.rsplit("Answer ", 1)[1].split()[0])
    stored = json.loads(lumen("answer", number, "--json", data=demonstration).stdout)
    assert stored["commentary"]
    assert stored["timing"]["answer_tokens"] > 0
    assert stored["timing"]["first_evidence_s"] < stored["timing"]["first_token_s"] < stored["timing"]["total_s"]


def test_every_part_of_the_demonstration_works(demonstration: Path, lumen: Lumen) -> None:
    result = lumen("doctor", "--json", data=demonstration)
    report = json.loads(result.stdout)
    assert report["good"], report
    assert result.returncode == 0
