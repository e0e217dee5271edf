"""An extract of the audit trail as a reader of the file finds it, up to ten thousand events."""

import re

import pytest

from lumen_desktop.rendering import pdf
from lumen_desktop.rendering.pages import ChangeShown
from tests.rendering.printed import digest, event, extract, read


def test_the_title_block_says_what_was_asked_and_how_much_there_is() -> None:
    text = read(pdf.render(extract(event(1), event(2), selection="Acts of kind release"))).text
    for words in (
        "Site Weser Pharma, Bremen (site-7f3a)", "Profile GMP", "Selection Acts of kind release",
        "Events printed 2 of 12,345 in the audit trail", "Exported by Olga Officer (officer), QA officer",
        "Exported at 2026-11-22 12:00:00 UTC · local 2026-11-22 13:00:00 +01:00", digest("head"),
        "Last anchor, event 12,300 2026-11-22 12:00:00 UTC · anchors file", digest("anchor"),
    ):  # fmt: skip
        assert words in text


def test_no_filter_and_no_anchor_are_said_in_words() -> None:
    text = read(pdf.render(extract(event(1), anchored=False))).text
    assert "Selection All events" in text
    assert "No head of the chain has been kept outside the database." in text


def test_an_event_says_who_what_when_why_with_the_values_before_and_after() -> None:
    """21 CFR 11.10(e); EU GMP Annex 11 clause 9."""
    changes = (
        ChangeShown("limit", "≤ 0.5 %", "≤ 0.3 %"),
        ChangeShown("edition", None, "4"),
        ChangeShown("comment", "old words", ""),
        ChangeShown("blank", "  ", None),
    )
    text = read(pdf.render(extract(event(7, *changes)))).text
    for words in (
        "7 2026-11-22 12:00:07 UTC", "local 2026-11-22 13:00:07 +01:00", "Olga Officer", "officer · QA officer",
        "document.release", "document 7", "Periodic review", "limit ≤ 0.5 % ≤ 0.3 %", "edition no value 4",
        "comment old words empty", "blank only spaces no value",
    ):  # fmt: skip
        assert words in text


def test_no_event_and_no_reason_are_said_in_words() -> None:
    assert "No event of the audit trail matches this selection." in read(pdf.render(extract())).text
    assert "none given" in read(pdf.render(extract(event(1, reason="")))).text


def test_an_event_that_goes_on_overleaf_says_so() -> None:
    changes = [ChangeShown(f"field {number}", "a", "b") for number in range(80)]
    found = read(pdf.render(extract(event(3, *changes), event(4))))
    assert "Event 3, continued" not in found.texts[0]
    assert "Event 3, continued" in found.texts[1]
    assert [int(number) for number in re.findall(r"field (\d+)", found.text)] == list(range(80))
    assert "Event 4, continued" not in found.text
    assert found.text.count("End of the extract: 2 of 12,345 events.") == 1


def test_a_value_that_goes_on_overleaf_names_its_field() -> None:
    changes = (ChangeShown("limit", "words " * 2000, None), ChangeShown("edition", "3", "4"))
    found = read(pdf.render(extract(event(3, *changes))))
    assert "Event 3, continued: limit" in found.texts[1]
    assert "Event 3, continued: limit" in found.texts[-2]


def test_the_head_of_the_table_stands_on_each_page_of_it() -> None:
    found = read(pdf.render(extract(*(event(number) for number in range(1, 61)))))
    assert len(found.texts) > 3
    for text in found.texts[:-1]:
        assert "No. Time Who, role Act Object Reason" in " ".join(text.split())
    assert (2, "From event 1") in found.outline


@pytest.mark.parametrize("changes", range(6))
def test_a_short_event_stays_on_one_page(changes: int) -> None:
    shown = [ChangeShown(f"field {number}", "x", "y") for number in range(changes)]
    found = read(pdf.render(extract(*(event(number, *shown) for number in range(1, 41)))))
    assert "continued" not in found.text
    for text in found.texts:
        assert len(re.findall(r"field \d", text)) == changes * text.count("document.release")


@pytest.mark.no_cover
def test_each_of_ten_thousand_events_is_printed_in_order() -> None:
    changes = (ChangeShown("status", "draft", "in force"),)
    printed = extract(*(event(number, *(changes if number % 2 else ())) for number in range(1, 10_001)))
    data = pdf.render(printed)
    found = read(data)
    assert [int(number) for number in re.findall(r"\bdocument (\d+)", found.text)] == list(range(1, 10_001))
    for number in (1, len(found.texts) // 2, len(found.texts)):
        assert f"Page {number} of {len(found.texts)}" in " ".join(found.texts[number - 1].split())
    assert len(data) < 5_000_000
