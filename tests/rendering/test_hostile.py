"""Texts of strangers: no markup acts, no file is read, nothing is too long, nothing overlaps the frame."""

import unicodedata

import pypdfium2
import pytest

from lumen_desktop.rendering import pdf
from lumen_desktop.rendering.pages import Bullets, ChangeShown, Column, Facts, Paragraph, Person, Section, Table
from tests.rendering.printed import event, extract, read, record, signature

MARKUP = [
    "<img src='/etc/passwd'/>",
    "<font color='white' size='1'>hidden</font>",
    "<b>bold</b> <br/> &lt; &amp; &#65; <para>",
    "<a href='file:///etc/passwd'>here</a>",
    "]]> <!-- ${HOME} %(name)s {0} \\n \\101 (open ( paren",
]
LONG = 100_000


@pytest.mark.parametrize("text", MARKUP)
def test_markup_is_printed_as_it_stands(text: str) -> None:
    for printed in (
        extract(event(1, ChangeShown(text, text, text), reason=text)),
        record(
            Section(text, (Paragraph(text), Facts(((text, text),)))), signatures=(signature(Person(text, "u", "r")),)
        ),
    ):
        data = pdf.render(printed)
        found = read(data)
        compact = "".join(found.text.split())
        assert compact.count("".join(text.split())) >= 4
        assert b"/Subtype /Image" not in data
        assert b"/URI" not in data
        assert "root:" not in found.text


@pytest.mark.no_cover
def test_a_value_of_a_hundred_thousand_characters_is_printed_whole() -> None:
    words = "нет " * (LONG // 4)
    found = read(pdf.render(extract(event(1, ChangeShown("field", "ж" * LONG, words)))))
    assert found.text.count("ж") == LONG
    assert found.text.count("нет") == LONG // 4
    assert "Event 1, continued" in found.texts[1]


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "part",
    [
        Paragraph("ж" * LONG),
        Bullets(("ж" * LONG,)),
        Facts((("name", "ж" * LONG),)),
        Facts((("ж" * LONG, "value"),)),
        Table((Column("A"), Column("B")), (("ж" * LONG, "value"),)),
    ],
)
def test_a_part_of_a_hundred_thousand_characters_is_printed_whole(part: Paragraph | Bullets | Facts | Table) -> None:
    assert read(pdf.render(record(Section("Long", (part,))))).text.count("ж") == LONG


@pytest.mark.no_cover
def test_names_and_titles_of_a_hundred_thousand_characters_are_printed_whole() -> None:
    long = "ж" * LONG
    assert read(pdf.render(record(signatures=(signature(Person(long, "u", "r")),)))).text.count("ж") == LONG
    found = read(pdf.render(record(Section(long), title="я" * LONG)))
    in_headers = sum(text[:400].count("я") for text in found.texts)
    assert found.text.count("ж") == LONG
    assert found.text.count("я") >= LONG
    assert in_headers < LONG
    assert len(found.metadata["Title"]) == 200


def test_a_table_head_taller_than_a_page_ends() -> None:
    table = Table((Column("ж" * 20_000), Column("B")), (("a", "b"), *((f"c{row}", "d") for row in range(100))))
    text = read(pdf.render(record(Section("Tall", (table,))))).text
    assert text.count("ж") == 20_000
    assert "c99 d" in text


@pytest.mark.no_cover
def test_a_field_whose_name_is_longer_than_a_page_is_printed_whole() -> None:
    found = read(pdf.render(extract(event(1, ChangeShown("ж" * LONG, "a" * LONG, "b")))))
    assert found.text.count("ж") >= LONG
    assert found.texts[-2].count("Event 1, continued: ж") == 1


def test_signs_that_hide_or_turn_are_named() -> None:
    found = read(pdf.render(extract(event(1, reason="invoice\u202efdp.exe \u200b\x00中"))))
    assert "invoice[U+202E]fdp.exe" in "".join(found.text.split())
    assert "[U+200B][U+0000][U+4E2D]" in "".join(found.text.split())


def test_titles_of_a_file_and_its_outline_hide_nothing() -> None:
    found = read(pdf.render(record(Section("a\u202eb\nc"), title="x\u202ey\x00z")))
    assert found.metadata["Title"] == "xy z"
    assert (1, "ab c") in found.outline


def test_no_words_leave_the_page() -> None:
    long = "W" * 3000
    table = Table(tuple(Column(long[:50]) for _ in range(12)), (tuple("\U0001f600" * 40 + long for _ in range(12)),))
    data = pdf.render(record(Section(long, (Paragraph(long), table)), title=long, number=long))
    document = pypdfium2.PdfDocument(data)
    try:
        for page in document:
            text = page.get_textpage()
            width, height = page.get_size()
            for place in range(text.count_chars()):
                left, bottom, right, top = text.get_charbox(place)
                assert 0 <= left <= right <= width
                assert 0 <= bottom <= top <= height
            text.close()
            page.close()
    finally:
        document.close()


def test_every_letter_that_is_covered_is_read_again_as_itself() -> None:
    """More letters than one subset of a font holds."""
    letters = [
        chr(code)
        for code in [*range(0x21, 0x250), *range(0x370, 0x530), *range(0x1E00, 0x1F60), *range(0x2190, 0x2300)]
        if unicodedata.normalize("NFC", chr(code)) == chr(code) and unicodedata.category(chr(code))[0] in "LNPS"
    ]
    found = read(pdf.render(record(Section("All", (Paragraph(" ".join(letters)),)))))
    body = found.text[found.text.index("All !") + 4 :].split()
    shown = [(letter, seen) for letter, seen in zip(letters, body, strict=False) if seen != f"[U+{ord(letter):04X}]"]
    assert len(shown) > 1400
    assert [letter for letter, _ in shown] == [seen for _, seen in shown]
