"""How documents are cut: what must hold for every document, and what real ones look like."""

import itertools
import random
from pathlib import Path

import pytest

from lumen_desktop.domain.library import Extract, PassageDraft, Section, normalised
from lumen_desktop.domain.sentences import sentences
from lumen_desktop.retrieval import passages
from lumen_desktop.retrieval.passages import cut, cut_record, units
from lumen_desktop.retrieval.readers import read

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
WORDS = (
    "batch record limit release sample review quality unit deviation potency 10 mg 2.5 µg e.g. vs. No. stability"
).split()


def sentence(chance: random.Random, words: int) -> str:
    begin = chance.choice(["", "", "\n• ", "\n- ", "\n2. "])
    end = chance.choice([".", "?", "!", ";", ":\n", ""])
    return begin + " ".join(chance.choice(WORDS) for _ in range(words)).capitalize() + end


def random_extract(seed: int) -> Extract:
    """A document of random pages, cut into random sections that leave some of it out."""
    chance = random.Random(seed)
    pages: list[str] = []
    sections: list[Section] = []
    path: tuple[str, ...] = ()
    spans: list[tuple[int, int, int]] = []
    headed = chance.random() < 0.8
    for page in range(chance.randint(1, 6)):
        pieces = []
        for _ in range(chance.randint(0, 12)):
            row = " | ".join(sentence(chance, 3) for _ in range(3))
            pieces.append(normalised(row if chance.random() < 0.2 else sentence(chance, chance.randint(1, 60))))
        pages.append("\n".join(pieces))
        position = 0
        for piece in pieces:
            end = position + len(piece)
            if chance.random() < 0.15 and spans:
                sections.append(Section(path, tuple(spans)))
                spans = []
                depth = chance.randint(0, 3)
                path = (*path[:depth], f"Part {chance.randint(1, 99)}") if headed else ()
            elif chance.random() < 0.9:
                spans.append((page, position, end))
            position = end + 1
    if spans:
        sections.append(Section(path, tuple(spans)))
    return Extract("A title", tuple(pages), paged=True, sections=tuple(sections))


def covered(extract: Extract, drafts: tuple[PassageDraft, ...]) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
    """Characters that are no white space: those of the sections, and those of the passages."""
    of_sections = {
        (page, place)
        for section in extract.sections
        for page, start, end in section.spans
        for place in range(start, end)
        if not extract.pages[page][place].isspace()
    }
    of_passages = {
        (span.page - 1, place)
        for draft in drafts
        for span in draft.spans
        for place in range(span.start, span.end)
        if not extract.pages[span.page - 1][place].isspace()
    }
    return of_sections, of_passages


def check(extract: Extract) -> tuple[PassageDraft, ...]:
    drafts = tuple(cut(extract))
    for draft in drafts:
        assert draft.text == " ".join(extract.pages[span.page - 1][span.start : span.end] for span in draft.spans)
        places = [(span.page, span.start, span.end) for span in draft.spans]
        assert places == sorted(places)
        assert all(start < end for _, start, end in places)
        assert draft.text == draft.text.strip()
        assert draft.header.startswith(extract.title[:400])
    of_sections, of_passages = covered(extract, drafts)
    assert of_sections == of_passages
    return drafts


@pytest.mark.parametrize("seed", range(150))
def test_every_document_is_kept_whole_and_every_passage_stands_where_it_says(seed: int) -> None:
    check(random_extract(seed))


def one_page(*sections: tuple[tuple[str, ...], str]) -> Extract:
    """A document of one page whose sections have the paths and texts given."""
    page, found, position = "\n".join(text for _, text in sections), [], 0
    for path, text in sections:
        found.append(Section(path, ((0, position, position + len(text)),)))
        position += len(text) + 1
    return Extract("T", (page,), paged=False, sections=tuple(found))


def prose(words: int) -> str:
    return " ".join(f"Sentence {n} of the text says what the unit does." for n in range(words // 10))


class TestCut:
    def test_a_section_stays_whole_up_to_its_limit(self) -> None:
        (draft,) = cut(one_page((("A", "B"), prose(280))))
        assert draft.header == "T — A › B"
        assert draft.section == "A › B"
        assert len(draft.text.split()) == 280

    def test_a_long_section_is_cut_between_sentences_into_even_parts(self) -> None:
        drafts = tuple(cut(one_page((("A",), prose(1_200)))))
        lengths = [len(draft.text.split()) for draft in drafts]
        assert sum(lengths) == 1_200
        assert all(180 <= length <= 250 for length in lengths)
        assert all(draft.text.startswith("Sentence") and draft.text.endswith(".") for draft in drafts)

    def test_no_list_is_parted_from_the_line_that_announces_it(self) -> None:
        text = prose(140) + " The record holds:\n" + "\n".join(f"- item {n} of the list" for n in range(40))
        drafts = tuple(cut(one_page((("A",), text))))
        assert len(drafts) == 2
        assert not any(draft.text.endswith(":") for draft in drafts)

    def test_a_table_is_cut_between_rows(self) -> None:
        rows = [f"Test {n} | Method {n}. Of the compendium. | {n} mg or less" for n in range(60)]
        drafts = tuple(cut(one_page((("A",), "\n".join(rows)))))
        assert len(drafts) > 1
        assert "\n".join(draft.text for draft in drafts) == "\n".join(rows)

    def test_tiny_sections_go_with_the_next_beside_them(self) -> None:
        extract = one_page((("D", "Harm"), "Damage to health."), (("D", "Risk"), prose(40)), (("E",), "Short."))
        first, second = cut(extract)
        assert first.section == "D › Harm · Risk"
        assert first.text.startswith("Damage to health. Sentence 0")
        assert second.section == "E"

    def test_tiny_sections_under_another_heading_stay_apart(self) -> None:
        assert len(tuple(cut(one_page((("A", "X"), "Few words."), (("B", "Y"), "Few words."))))) == 2

    def test_text_without_headings_repeats_a_sentence(self) -> None:
        drafts = tuple(cut(one_page(((), prose(1_000)))))
        assert all(130 <= len(draft.text.split()) <= 200 for draft in drafts[:-1])
        assert len(drafts[-1].text.split()) <= 200
        for before, after in itertools.pairwise(drafts):
            assert list(sentences(before.text))[-1].text == next(sentences(after.text)).text

    def test_an_endless_header_is_cut(self) -> None:
        (draft,) = cut(one_page((("A" * 900,), "Words.")))
        assert len(draft.header) == passages.LONGEST_HEADER_CHARACTERS

    def test_nothing_gives_nothing(self) -> None:
        assert tuple(cut(Extract("T", ("",), paged=False, sections=()))) == ()


class TestRecords:
    def test_a_short_record_is_one_passage_under_its_title(self) -> None:
        (draft,) = cut_record("A title", "Some  text.\n\nMore of it.")
        assert (draft.header, draft.text, draft.section) == ("A title", "Some text.\nMore of it.", "")

    def test_a_long_record_is_cut_and_nothing_is_lost(self) -> None:
        text = prose(900)
        drafts = cut_record("T", text)
        assert " ".join(draft.text for draft in drafts) == text
        assert max(len(draft.text.split()) for draft in drafts) <= 280

    def test_an_empty_record_gives_nothing(self) -> None:
        assert cut_record("T", " \n ") == ()

    def test_units_keep_to_their_length(self) -> None:
        assert max(len(unit.split()) for unit in units(prose(3_000), 180)) <= 180


@pytest.mark.skipif(not DATA.is_dir(), reason="the documents of ../shared/data are not here")
@pytest.mark.parametrize("path", sorted(DATA.glob("*_pdf/*.pdf")), ids=lambda path: path.name[:30])
def test_real_documents_are_kept_whole(path: Path) -> None:
    drafts = check(read(path.name, path.read_bytes()))
    assert all(len(draft.text.split()) <= 330 for draft in drafts)
    assert sum(bool(draft.section) for draft in drafts) >= 0.75 * len(drafts)
