"""What counts as a statement that answers by itself, and how it is quoted."""

import pytest

from trainer.dataset.chance import Chance
from trainer.dataset.statements import on_one_line, statements


def said(text: str) -> list[str]:
    return [one.text for one in statements(text)]


@pytest.mark.parametrize(
    "text",
    [
        "The recommended dose of Zelbor is 40 mg once daily.",
        "Zelbor is kept at 2.5 mg/m² for adults with no other disease.",
        "This medicine must not be given to small children.",
        "Do not store above 30 °C or in direct sunlight.",
    ],
)
def test_a_sentence_that_stands_by_itself_is_a_statement(text: str) -> None:
    assert said(text) == [text]


@pytest.mark.parametrize(
    "text",
    [
        "However, the dose of Zelbor may be raised.",
        "They should be told about this before treatment.",
        "For more on dosing see section 4 of this leaflet.",
        "Doses are given in Table 3 for all patients.",
        "The following should be observed when it is given.",
        "What is Zelbor and what is it used for?",
        "Possible side effects",
        "and should not be given to children under 2 years.",
        "Ask your doctor if you have (or have had a liver disease.",
        "Tell your doctor if you get any of these symptoms at night.",
        "Take it at night Do not take it with milk or tea.",
        "Too short.",
        "tablet | 5 mg | once daily in the morning",
        "Redactions such as (b)(4) hide what was meant here.",
    ],
)
def test_what_needs_other_words_is_none(text: str) -> None:
    assert said(text) == []


def test_a_reference_in_brackets_is_left_out_and_the_rest_are_slices_of_the_text() -> None:
    text = "Do not give Zelbor to patients with asthma [see Warnings (5.1)] or with heart failure (see section 4)."
    (one,) = statements(text)
    assert one.text == "Do not give Zelbor to patients with asthma or with heart failure."
    assert [text[start:end] for start, end in one.slices] == [
        "Do not give Zelbor to patients with asthma", " or with heart failure", ".",
    ]  # fmt: skip
    assert one.quoted(text, 2) == "Do not give Zelbor to patients with asthma or with heart failure [2]."


def test_footnote_signs_and_paragraph_numbers_are_left_out_but_units_are_not() -> None:
    assert said("Records should be kept for the whole lifecycle³.") == [
        "Records should be kept for the whole lifecycle."
    ]
    assert said("8.1 Clear printed copies should be possible at any time.") == [
        "Clear printed copies should be possible at any time."
    ]
    assert said("The dose of Zelbor is 40 mg/m² once daily.") == ["The dose of Zelbor is 40 mg/m² once daily."]


def test_a_list_is_taken_whole_with_what_announces_it() -> None:
    text = "Do not take Zelbor\n- if allergic to it (see section 6);\n- if you have asthma.\nTake it at night at home."
    listed, after = statements(text)
    assert listed.quoted(text, 1) == "Do not take Zelbor\n- if allergic to it [1]\n- if you have asthma [1]"
    assert after.text == "Take it at night at home."


def test_a_list_that_its_heading_announces_has_only_items() -> None:
    text = "- in a child under 4 years\n- with heart disease"
    (one,) = statements(text)
    assert one.quoted(text, 3) == "- in a child under 4 years [3]\n- with heart disease [3]"


@pytest.mark.parametrize(
    "text",
    [
        "Do not take Zelbor\n- if you take any of these:\n- warfarin",  # a list in a list
        "Do not take Zelbor\n- " + "\n- ".join(f"if you have illness {n}" for n in range(30)),  # too long
        "They are:\n- red\n- green",
        "Do not take Zelbor\n- if you have asthma Your doctor will check it\n- if you smoke",  # runs on
        "Zelbor is used as listed in section 3:\n- for pain\n- for fever",
    ],
)
def test_a_part_of_a_list_never_passes_for_the_whole(text: str) -> None:
    assert said(text) == []


def test_slices_count_in_the_whole_text() -> None:
    text = "Heading words only\nZelbor is kept in its original package."
    (one,) = statements(text, 19)
    assert text[one.start : one.end] == "Zelbor is kept in its original package."


def test_words_parted_at_the_end_of_a_line_are_joined() -> None:
    assert on_one_line("co-\nadministration of\nZelbor") == "co-administration of Zelbor"


def test_chance_depends_on_seed_and_key_alone() -> None:
    one, two = Chance(1, "a"), Chance(2, "a")
    assert one.order("x", range(20)) == Chance(1, "a").order("x", range(20)) != two.order("x", range(20))
    assert sorted(one.order("x", range(20))) == list(range(20))
    assert 0.25 < sum(Chance(n, "a").happens("y", 0.3) for n in range(2000)) / 2000 < 0.35
    assert {one.one(str(n), "abc") for n in range(50)} == set("abc")
