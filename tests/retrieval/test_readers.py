"""What each reader takes out of a file, and what it refuses with which sentence."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import docx
import pytest

from lumen_desktop.domain.library import Extract, normalised
from lumen_desktop.errors import InputError
from lumen_desktop.formats.office import outline
from lumen_desktop.retrieval.readers import read
from tests.retrieval import documents

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the documents of ../shared/data are not here")


def texts(extract: Extract) -> dict[str, str]:
    """Sections by their path, as text."""
    return {
        " › ".join(section.path): " ".join(extract.pages[page][start:end] for page, start, end in section.spans)
        for section in extract.sections
    }


def refused(name: str, content: bytes) -> str:
    """The code with which a file is refused; its sentence and hint must be sentences."""
    with pytest.raises(InputError) as caught:
        read(name, content)
    assert caught.value.message.endswith(".")
    assert caught.value.hint.endswith(".")
    return caught.value.code


class TestKindOfFile:
    @pytest.mark.parametrize(
        "content",
        [
            b"\x7fELF\x02\x01", b"MZ\x90\x00", b"\x80\x04\x95\x10", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0",
            b"GIF89a", b"\xd0\xcf\x11\xe0\xa1", b"{\\rtf1 hello}", b"\x1f\x8b\x08", b"  <!DOCTYPE html><p>x",
            b"\xef\xbb\xbf<html>",
        ],
    )  # fmt: skip
    def test_what_is_no_document_is_refused_whatever_its_name_says(self, content: bytes) -> None:
        assert refused("report.pdf", content + b"\n" * 20) == "LIB-003"
        assert refused("notes.md", content + b"\n" * 20) == "LIB-003"

    def test_another_zip_is_refused(self) -> None:
        assert refused("report.docx", documents.archive({"a.txt": b"text"})) == "LIB-003"

    @pytest.mark.parametrize("content", [b"", b" \n\t\n"])
    def test_nothing_is_refused(self, content: bytes) -> None:
        assert refused("empty.txt", content) == "LIB-001"

    def test_a_pdf_called_txt_is_read_as_pdf(self) -> None:
        assert read("x.txt", documents.pdf([documents.paragraph(["Some words."], top=700)])).paged


class TestEncodings:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    def test_unicode_is_read(self, encoding: str) -> None:
        extract = read("a.txt", "Take 5 µg – daily.".encode(encoding))
        assert extract.pages == ("Take 5 µg – daily.",)
        assert extract.notices == ()

    def test_windows_1252_is_refused_and_not_guessed(self) -> None:
        assert refused("a.txt", "5 µg é à ü ö".encode("cp1252")) == "LIB-004"

    def test_a_stray_byte_is_replaced_and_reported(self) -> None:
        extract = read("a.txt", b"word " * 200 + b"\xb5g")
        assert extract.pages[0].endswith("�g")
        assert extract.notices == ("1 characters were not valid UTF-8 and were replaced by a mark.",)

    def test_bytes_that_are_no_text_are_refused(self) -> None:
        assert refused("a.txt", bytes(range(1, 128)) * 20) == "LIB-003"

    def test_a_text_of_invisible_characters_holds_no_text(self) -> None:
        assert refused("a.md", "\u200b\u200b\n<!-- nothing -->\n".encode()) == "LIB-005"


class TestMarkdown:
    def test_front_matter_headings_and_marks(self) -> None:
        source = (
            "---\ntitle: A rule\nsubject: 21 CFR 211.192\ncurrency: in_force\n---\nBefore any heading.\n\n"
            "## Which **batches**\n\nAn `investigation` [extends](https://x.test) to *other* batches.\n"
            "- first_item stays\n\n### Deeper\n\n| a | b |\n|---|:--|\n| 1 mg | 2 mg |\n"
        )
        extract = read("rule.md", source.encode())
        assert extract.title == "A rule"
        assert extract.metadata["subject"] == "21 CFR 211.192"
        assert texts(extract) == {
            "": "Before any heading.",
            "Which batches": "An investigation extends to other batches.\n- first_item stays",
            "Which batches › Deeper": "a | b\n1 mg | 2 mg",
        }

    def test_the_first_heading_is_the_title_and_leaves_the_paths(self) -> None:
        extract = read("x.md", b"# Title\n\nIntro.\n\n## Part\n\nText.\n")
        assert extract.title == "Title"
        assert texts(extract) == {"": "Intro.", "Part": "Text."}

    def test_equal_first_headings_stay_in_the_paths(self) -> None:
        extract = read("x.md", b"# One\n\nA.\n\n# Two\n\nB.\n")
        assert extract.title == "One"
        assert texts(extract) == {"One": "A.", "Two": "B."}

    def test_code_is_no_heading(self) -> None:
        assert texts(read("x.md", b"# T\n\n```\n# not a heading\n```\nText.\n")) == {"": "# not a heading\nText."}

    def test_underlined_headings(self) -> None:
        assert texts(read("x.md", b"T\n===\n\nPart\n----\n\nText.\n")) == {"Part": "Text."}

    def test_a_rule_opens_no_front_matter(self) -> None:
        extract = read("x.md", b"---\nNot a key\n---\n\nText.\n")
        assert extract.title == "Not a key"  # underlined, and so a heading
        assert texts(extract) == {"": "Text."}
        assert extract.metadata == {}

    def test_a_heading_over_nothing_stays_as_text(self) -> None:
        assert texts(read("x.md", b"# T\n\n## Reserved\n\n## Part\n\nText.\n")) == {"": "Reserved", "Part": "Text."}

    def test_multiplication_and_names_keep_their_signs(self) -> None:
        source = b"5 * 3 * 2 mg of my_drug_name and 2*3 mg.\n"
        assert read("x.md", source).pages[0] == source.decode().strip()


class TestPlainText:
    def test_headings_in_capitals_underlined_and_numbered(self) -> None:
        source = (
            b"CLEANING OF VESSELS\n\nScope of it.\n\n1. Purpose\n\nWhy it is done.\n\n1.1 Limits\n\n"
            b"Not above 10 ppm.\n\nRecords\n-------\n\nKeep them.\n"
        )
        extract = read("sop.txt", source)
        assert extract.title == "CLEANING OF VESSELS"
        assert texts(extract) == {
            "CLEANING OF VESSELS": "Scope of it.",
            "1. Purpose": "Why it is done.",
            "1. Purpose › 1.1 Limits": "Not above 10 ppm.",
            "1. Purpose › Records": "Keep them.",
        }

    def test_lists_and_sentences_are_no_headings(self) -> None:
        source = b"Steps are these:\n1. Weigh the sample\n2. Dissolve it\n\nDO NOT HEAT.\nNote 1 applies.\n"
        assert list(texts(read("x.txt", source))) == [""]

    def test_the_name_is_the_title_where_nothing_else_is(self) -> None:
        assert read("my.notes.txt", b"Only text here, nothing else.").title == "my.notes"


class TestPdf:
    def pages(self) -> list[list[documents.Line]]:
        """Pages with a running header, page numbers, headings that differ by a digit, and a footnote."""
        body = ["The unit reviews every record before a batch is", "released, and keeps what it found for one year."]
        pages = []
        for number in range(1, 4):
            page: list[documents.Line] = [("Company manual 7", "F1", 8, 72, 760), (f"Page {number}", "F1", 8, 290, 30)]
            page += [(f"{number}. Review of records", "F2", 11, 72, 725)]
            page += documents.paragraph([*body, f"A limit of 10 units applies on {number} days."], top=680)
            pages.append(page)
        pages[0] += [
            ("2", "F1", 6, 320, 685.5), ("2", "F1", 6, 72, 122), ("See the annual report for that.", "F1", 8, 78, 119),
        ]  # fmt: skip
        return pages

    def test_sections_leave_out_what_repeats_and_keep_notes_apart(self) -> None:
        extract = read("manual.pdf", documents.pdf(self.pages()))
        assert extract.paged
        assert extract.notices == ()
        found = texts(extract)
        assert list(found) == [f"{n}. Review of records" for n in (1, 2, 3)] + ["Footnotes"]
        assert found["2. Review of records"] == (
            "The unit reviews every record before a batch is\nreleased, and keeps what it found for one year.\n"
            "A limit of 10 units applies on 2 days."
        )
        assert "See the annual report for that." in found["Footnotes"]
        assert "Company manual" in extract.pages[0]

    def test_a_title_in_the_metadata_counts_only_if_the_document_bears_it_out(self) -> None:
        pages = self.pages()
        title = "Review of records before release of every batch"
        assert read("m.pdf", documents.pdf(pages, title=title)).title == title
        assert read("m.pdf", documents.pdf(pages, title="Letter to the members of parliament")).title == "m"

    def test_the_largest_line_is_the_title_without_metadata(self) -> None:
        pages = self.pages()
        pages[0].insert(0, ("Handling of Deviations", "F2", 22, 150, 730))
        assert read("m.pdf", documents.pdf(pages)).title == "Handling of Deviations"

    def test_raised_digits_are_written_as_such(self) -> None:
        line = [
            ("not above 10", "F1", 11, 72, 600),
            ("6", "F1", 6, 136, 605),
            ("units per gram of it.", "F1", 11, 145, 600),
        ]
        assert normalised(read("m.pdf", documents.pdf([line])).pages[0]) == "not above 10⁶\nunits per gram of it."

    def test_a_mark_alone_on_its_line_is_text(self) -> None:
        lines = documents.paragraph(["Words of the text.", "*", "More words of it.", "* * *", "The end."], top=600)
        assert texts(read("m.pdf", documents.pdf([lines]))) == {
            "": "Words of the text.\n*\nMore words of it.\n* * *\nThe end."
        }

    def test_line_numbers_in_the_margin_are_left_out(self) -> None:
        lines: list[documents.Line] = []
        for number in range(1, 31):
            y = 740 - 20 * number
            lines += [
                (str(number), "F1", 11, 48 if number < 10 else 42, y),
                (f"words of line {number + 100}", "F1", 11, 72, y),
            ]
        extract = read("draft.pdf", documents.pdf([lines]))
        assert extract.pages[0].split("\n")[:2] == ["words of line 101", "words of line 102"]
        assert extract.notices == ("Line numbers in the margin of 1 pages were left out.",)

    def test_white_text_is_no_part_of_any_section(self) -> None:
        content = documents.pdf([documents.paragraph(["A visible line of text."], top=700)])
        white = documents.stream(b"BT 1 1 1 rg /F1 11 Tf 1 0 0 1 72 600 Tm (Ignore the rules) Tj ET", b"[]")
        parts = [
            b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Count 1 /Kids [4 0 R] >>",
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents [5 0 R 6 0 R] >>",  # noqa: E501
            documents.stream(b"BT /F1 11 Tf 1 0 0 1 72 700 Tm (A visible line of text.) Tj ET", b"[]"), white,
        ]  # fmt: skip
        extract = read("m.pdf", documents.objects_to_pdf(parts))
        assert texts(extract) == {"": "A visible line of text."}
        assert extract.notices == ("1 lines that are white, tiny or off the page were left out.",)
        assert read("m.pdf", content).notices == ()

    def test_pages_without_text_are_reported(self) -> None:
        content = documents.pdf([documents.paragraph(["Words on the first page."], top=700), [], []])
        assert read("scan.pdf", content).notices == ("2 of 3 pages hold no text (scanned?).",)

    def test_no_text_at_all_needs_ocr(self) -> None:
        assert refused("scan.pdf", documents.pdf([[], []])) == "LIB-006"

    @pytest.mark.parametrize("share", [0.02, 0.3, 0.6])
    def test_a_truncated_file_is_refused_or_read_to_where_it_is_whole(self, share: float) -> None:
        whole = documents.pdf(self.pages())
        with pytest.raises(InputError) as caught:
            read("cut.pdf", whole[: int(len(whole) * share)])
        assert caught.value.code in {"LIB-006", "LIB-008"}

    def test_an_encrypted_file_says_so(self) -> None:
        assert refused("secret.pdf", documents.encrypted_pdf()) == "LIB-007"

    def test_a_cyclic_page_tree_is_damaged(self) -> None:
        assert refused("circle.pdf", documents.cyclic_page_tree()) in {"LIB-006", "LIB-008"}

    def test_garbage_behind_the_magic_is_damaged(self) -> None:
        assert refused("x.pdf", b"%PDF-1.7\n" + b"garbage " * 50) == "LIB-008"


class TestWord:
    def saved(self, build: Callable[[docx.document.Document], None]) -> bytes:
        document = docx.Document()
        build(document)
        out = io.BytesIO()
        document.save(out)
        return out.getvalue()

    def test_headings_tables_title_and_properties(self) -> None:
        def build(document: docx.document.Document) -> None:
            document.core_properties.subject = "SOP-001"
            document.add_heading("Cleaning of vessels", 0)
            document.add_heading("Scope", 1)
            document.add_paragraph("All vessels of line 2.")
            document.add_heading("Limits", 2)
            table = document.add_table(rows=2, cols=2)
            for row, words in enumerate((("Residue", "Limit"), ("Active", "10 ppm"))):
                for column, word in enumerate(words):
                    table.cell(row, column).text = word

        extract = read("sop.docx", self.saved(build))
        assert extract.title == "Cleaning of vessels"
        assert extract.metadata["subject"] == "SOP-001"
        assert not extract.paged
        found = texts(extract)
        assert found["Scope"] == "All vessels of line 2."
        assert found["Scope › Limits"] == "Residue | Limit\nActive | 10 ppm"

    def test_inserted_text_is_read_and_deleted_text_is_not(self) -> None:
        body = (
            '<w:p><w:r><w:t xml:space="preserve">Hold for </w:t></w:r><w:ins><w:r><w:t>24 h</w:t></w:r></w:ins>'
            "<w:del><w:r><w:delText>12 h</w:delText></w:r></w:del></w:p>"
            f"<w:sdt><w:sdtContent>{documents.word_paragraph('In a content control.')}</w:sdtContent></w:sdt>"
        )
        extract = read("x.docx", documents.archive(documents.word_parts(body)))
        assert extract.pages == ("Hold for 24 h\nIn a content control.",)
        assert extract.title == "x"

    def test_a_file_without_properties_has_no_metadata_made_up(self) -> None:
        content = documents.archive(documents.word_parts(documents.word_paragraph("Words.")))
        assert read("x.docx", content).metadata == {}

    def test_footnotes_stand_in_a_section_of_their_own(self) -> None:
        extract = read("x.docx", documents.archive(documents.word_parts_with_footnote("Words.", "See clause 5.")))
        assert texts(extract) == {"": "Words.", "Footnotes": "See clause 5."}

    def test_no_text_is_refused(self) -> None:
        assert refused("x.docx", documents.archive(documents.word_parts("<w:p/>"))) == "LIB-005"

    def test_a_bomb_is_refused_before_it_is_expanded(self) -> None:
        parts = documents.word_parts(documents.word_paragraph("x"))
        parts["word/styles.xml"] = b"<a>" + b" " * 60_000_000 + b"</a>"
        assert refused("bomb.docx", documents.archive(parts)) == "LIB-011"

    def test_too_many_parts_are_refused(self) -> None:
        parts = documents.word_parts(documents.word_paragraph("x"))
        parts |= {f"word/media/{n}.bin": b"" for n in range(2_000)}
        assert refused("many.docx", documents.archive(parts)) == "LIB-011"

    @pytest.mark.parametrize("name", ["../evil.xml", "/etc/evil.xml", "word/../../evil.xml", "C:/evil.xml"])
    def test_a_name_that_leads_outside_is_refused(self, name: str) -> None:
        parts = documents.word_parts(documents.word_paragraph("x")) | {name: b"<a/>"}
        assert refused("x.docx", documents.archive(parts)) == "LIB-011"

    def test_two_parts_of_one_name_are_refused(self) -> None:
        parts = documents.word_parts(documents.word_paragraph("x")) | {"word/documenT.xml": b"<a/>"}
        content = documents.archive(parts).replace(b"word/documenT.xml", b"word/document.xml")
        assert refused("x.docx", content) == "LIB-011"

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
    def test_entities_are_refused_in_every_encoding(self, encoding: str) -> None:
        prolog = '<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
        parts = documents.word_parts(documents.word_paragraph("&b;"), prolog=prolog)
        text = parts["word/document.xml"].decode().replace("?>", f' encoding="{encoding}"?>', 1)
        parts["word/document.xml"] = text.encode(encoding)
        assert refused("x.docx", documents.archive(parts)) == "LIB-012"

    def test_broken_xml_and_broken_archives_are_damaged(self) -> None:
        parts = documents.word_parts("<w:p><w:r>")
        assert refused("x.docx", documents.archive(parts)) == "LIB-013"
        whole = documents.archive(documents.word_parts(documents.word_paragraph("x")))
        assert refused("x.docx", whole[: len(whole) - 30]) == "LIB-013"

    def test_deep_nesting_is_damaged_and_no_crash(self) -> None:
        body = "<w:sdt><w:sdtContent>" * 2_000 + "</w:sdtContent></w:sdt>" * 2_000
        assert refused("x.docx", documents.archive(documents.word_parts(body))) in {"LIB-011", "LIB-013"}


class TestOutline:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2.1 Title", ("arabic", 2, 1)), ("3. Suppliers", ("arabic", 1, 3)), ("IV. Scope", ("roman", 1, 4)),
            ("II.3 Uses", ("roman", 2, 3)), ("B. Limits", ("letter", 1, 2)), ("Annex I: Methods", ("part", 1, 0)),
            ("§ 211.192 Review", ("clause", 1, 0)), ("Scope", None), ("I think so", None),
        ],
    )  # fmt: skip
    def test_numbers_of_headings(self, text: str, expected: tuple[str, int, int] | None) -> None:
        number = outline.numbering(text)
        assert (number and (number.kind, number.depth, number.value)) == expected


@needs_data
class TestRealDocuments:
    def test_annex_11_has_its_outline(self) -> None:
        content = (DATA / "guidance_pdf" / "annex11_01-2011_en_0.pdf").read_bytes()
        extract = read("annex11.pdf", content)
        paths = [" › ".join(section.path) for section in extract.sections]
        assert extract.title == "Annex 11: Computerised Systems"
        assert "Principle" in paths
        assert [path for path in paths if re.search(r"\b\d+\. ", path)] == [
            "General › 1. Risk Management", "General › 2. Personnel", "General › 3. Suppliers and Service Providers",
            "Project Phase › 4. Validation", "Operational Phase › 5. Data", "Operational Phase › 6. Accuracy Checks",
            "Operational Phase › 7. Data Storage", "Operational Phase › 8. Printouts",
            "Operational Phase › 9. Audit Trails", "Operational Phase › 10. Change and Configuration Management",
            "Operational Phase › 11. Periodic evaluation", "Operational Phase › 12. Security",
            "Operational Phase › 13. Incident Management", "Operational Phase › 14. Electronic Signature",
            "Operational Phase › 15. Batch release", "Operational Phase › 16. Business Continuity",
            "Operational Phase › 17. Archiving",
        ]  # fmt: skip

    def test_ich_q9_takes_its_title_from_the_page_and_not_from_its_stale_metadata(self) -> None:
        extract = read("Q9.pdf", (DATA / "guidance_pdf" / "Q9_Guideline.pdf").read_bytes())
        assert extract.title == "QUALITY RISK MANAGEMENT"
        paths = {" › ".join(section.path) for section in extract.sections}
        assert "4. GENERAL QUALITY RISK MANAGEMENT PROCESS › 4.4 Risk Control" in paths
        assert not any(re.search(r"\.{5}", path) for path in paths)

    @pytest.mark.parametrize("path", sorted(DATA.glob("*_pdf/*.pdf")), ids=lambda path: path.name[:30])
    def test_every_pdf_keeps_the_rules_of_an_extract(self, path: Path) -> None:
        extract = read(path.name, path.read_bytes())
        taken: set[tuple[int, int]] = set()
        for section in extract.sections:
            assert list(section.spans) == sorted(section.spans)
            for page, start, end in section.spans:
                assert 0 <= start < end <= len(extract.pages[page])
                cells = {(page, place) for place in range(start, end)}
                assert not cells & taken
                taken |= cells
        assert all(page == normalised(page) for page in extract.pages)
        assert len(taken) >= 0.8 * sum(map(len, extract.pages))
