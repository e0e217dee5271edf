"""A record as a reader of the file finds it: its words, its signatures, its frame, its fonts."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from lumen_desktop.rendering import blocks, pdf
from lumen_desktop.rendering.pages import Bullets, Column, Facts, Mark, Paragraph, Section, Table
from tests.rendering.printed import APPROVER, OFFICER, declared_fonts, digest, envelope, read, record, signature

CONTENT = (
    Section(
        "Purpose",
        (
            Paragraph("This record releases a document.\nIts limit is ≥ 0.3 % ± ½ µg → Ω, Проверка, Nguyễn."),
            Bullets(("First reason", "Second reason")),
        ),
    ),
    Section("Details", (Facts((("Edition", "4"), ("Owner", "Quality unit"))),), 2),
    Section("Results", (Table((Column("Test"), Column("Limit (%)")), (("Water", "≤ 2.0"), ("Ash", "≤ 0.1"))),)),
)


def test_all_that_was_put_in_stands_there_in_its_order() -> None:
    found = read(pdf.render(record(*CONTENT, signatures=(signature(),))))
    at = 0
    for words in [
        "Release record", "Cleaning of the granulator", "Number REL-0031", "Status In force",
        "Site Weser Pharma, Bremen (site-7f3a)", "Printed by Olga Officer (officer), QA officer",
        "Printed at 2026-11-22 12:00:00 UTC · local 2026-11-22 13:00:00 +01:00",
        "Purpose", "This record releases a document.", "Its limit is ≥ 0.3 % ± ½ µg → Ω, Проверка, Nguyễn.",
        "• First reason", "• Second reason", "Details", "Edition 4", "Owner Quality unit", "Results",
        "Test Limit (%)", "Water ≤ 2.0", "Ash ≤ 0.1", "Electronic signatures", "Ana María Łukaszewska",
        "ana · QA approver",
        "I approve this document", "2026-11-22 10:00:00 UTC", "local 2026-11-22 05:00:00 -05:00", "sig-000041",
        digest("content"), digest("head at signing"), "Verification", digest("content"), "event 12,345",
        digest("head"),
    ]:  # fmt: skip
        place = found.text.find(words, at)
        assert place >= 0, words
        at = place + len(words)


def test_a_signature_shows_name_time_and_meaning() -> None:
    """21 CFR 11.50(a): printed name of the signer, date and time, meaning."""
    text = read(pdf.render(record(signatures=(signature(OFFICER), signature(APPROVER))))).text
    for words in ("Olga Officer", "Ana María Łukaszewska"):
        assert words in text
    assert text.count("I approve this document") == 2
    assert text.count("2026-11-22 10:00:00 UTC") == 2


def test_a_signature_of_other_content_is_marked() -> None:
    alarm = "This signature was given on other content than is printed here."
    assert alarm in read(pdf.render(record(signatures=(signature(of="else"),)))).text
    assert alarm not in read(pdf.render(record(signatures=(signature(),)))).text


def test_nobody_signed_is_said_in_words() -> None:
    assert "Nobody has signed this record." in read(pdf.render(record(*CONTENT))).text


def test_empty_parts_say_so_in_words() -> None:
    parts = Section("Empty", (Facts(()), Bullets(()), Table((Column("A"),), ())))
    text = read(pdf.render(record(parts, Section("Bare")))).text
    assert text.count("The table has no entries.") == 2
    assert "The list has no entries." in text
    assert "Nothing is recorded here." in text
    assert "The record has no content." in read(pdf.render(record())).text


@pytest.fixture(scope="module")
def long_record() -> bytes:
    many = Section("Steps", tuple(Paragraph(f"Step {step}. " + "Rinse and dry. " * 40) for step in range(60)))
    return pdf.render(record(many, uncontrolled=True, marks=(Mark.DRAFT, Mark.DEMONSTRATION)))


def test_each_page_says_whose_it_is_and_which_of_how_many(long_record: bytes) -> None:
    found = read(long_record)
    assert len(found.texts) > 5
    for number, text in enumerate(found.texts, start=1):
        flat = " ".join(text.split())
        for words in (
            "Weser Pharma, Bremen", "Release record", "Cleaning of the granulator", "REL-0031 · In force",
            f"Page {number} of {len(found.texts)}", "Printed 2026-11-22 12:00:00 UTC (+01:00) by officer",
            f"SHA-256 {digest('content')[:16]}…", "Uncontrolled when printed", "DEMONSTRATION: not a record",
        ):  # fmt: skip
            assert words in flat


def test_the_marks_lie_across_each_page(long_record: bytes) -> None:
    for text in read(long_record).texts:
        assert "DRAFT" in text.split()
        assert text.count("DEMONSTRATION") == 2  # across and at the foot


def test_without_a_mark_nothing_lies_across() -> None:
    text = read(pdf.render(record(*CONTENT))).text
    assert "Uncontrolled" not in text
    assert not any(mark in text for mark in Mark)


def test_a_file_says_what_it_is_and_has_an_outline(long_record: bytes) -> None:
    found = read(long_record)
    assert found.metadata["Title"] == "Cleaning of the granulator"
    assert found.metadata["Author"] == "Weser Pharma, Bremen"
    assert found.metadata["Subject"] == "Release record REL-0031"
    assert digest("content") in found.metadata["Keywords"]
    assert b"/Lang (en-GB)" in long_record
    assert found.outline == [
        (0, "Cleaning of the granulator"), (1, "Steps"), (1, "Electronic signatures"), (1, "Verification"),
    ]  # fmt: skip


def test_an_outline_never_leaves_out_a_level() -> None:
    sections = (Section("Deep", (), 3), Section("Deeper", (), 3), Section("Flat", (), 1))
    levels = [level for level, _ in read(pdf.render(record(*sections))).outline]
    assert levels == [0, 1, 2, 1, 1, 1]


@pytest.mark.parametrize("printed", [record(*CONTENT, signatures=(signature(),), marks=(Mark.SUPERSEDED,)), record()])
def test_every_font_is_embedded_and_none_is_of_the_reader(printed: object) -> None:
    data = pdf.render(printed)  # type: ignore[arg-type]
    found = read(data, with_fonts=True)
    assert found.fonts
    assert all(found.fonts.values())
    assert declared_fonts(data) <= {"NotoSans-Regular", "NotoSans-Bold", "NotoSans-Italic", "DejaVuSansMono"}


def test_the_same_values_give_the_same_bytes_whatever_was_printed_between() -> None:
    printed = record(*CONTENT, signatures=(signature(),), marks=(Mark.DRAFT,))
    first = pdf.render(printed)
    other = pdf.render(record(Section("Другое", (Paragraph("Ещё ≥ αβγ"),))))
    assert hashlib.sha256(pdf.render(printed)).digest() == hashlib.sha256(first).digest()
    assert other != first


def test_threads_that_print_at_once_do_not_mix() -> None:
    several = [
        record(Section(word, (Paragraph(word * 200),)), title=word) for word in ("alpha ", "Бета ", "γάμμα ", "→≥ ")
    ]
    one_by_one = [pdf.render(printed) for printed in several]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(pdf.render, several * 5)) == one_by_one * 5


def test_nothing_in_a_file_acts_or_leads_outside(long_record: bytes) -> None:
    for act in (b"/JavaScript", b"/JS", b"/URI", b"/Launch", b"/EmbeddedFile", b"/OpenAction", b"/AcroForm"):
        assert act not in long_record


@pytest.mark.no_cover
def test_a_heading_never_stands_alone_at_the_foot_of_a_page() -> None:
    for lines in range(30, 60):
        filler = Section("First", (Paragraph("\n".join(f"line {number}" for number in range(lines))),))
        found = read(pdf.render(record(filler, Section("Second", (Paragraph("its words"),)))))
        (page,) = [text for text in found.texts if "Second" in text]
        assert "its words" in page


def test_the_code_says_the_digest_and_the_head() -> None:
    text = blocks.code_text(envelope())
    assert digest("content") in text
    assert digest("head") in text
    rows = pdf.qr_modules(text)
    finder = [True] * 7
    assert len(rows) == len(rows[0])
    assert rows[0][:7] == rows[0][-7:] == rows[-1][:7] == finder
