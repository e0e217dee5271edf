"""Examples of labels and leaflets: questions by topic, interactions, tables, refusals, and what is left unanswered."""

import re

import pytest

from lumen_desktop.domain.grounding import ABSTENTION, INSTRUCTION
from lumen_desktop.formats.document import Entity, Ingredient
from tests.trainer.making import asked, built, over_seeds, record, rejected
from trainer.dataset.subject import groups, name_of, spoken
from trainer.records import Record

DOSE = "The recommended starting dose of ZELBOR is 40 mg once daily. Doses above 80 mg were not studied in trials."
STORAGE = "Store Zelbor at 20 to 25 °C in the original container."
INTERACTION = "The dose of Zelbor should be reduced when it is given with warfarin."


def label() -> list[Record]:
    return [
        record(DOSE, "2 DOSAGE AND ADMINISTRATION", "2.1 Adults", number=1, code="34068-7"),
        record(STORAGE, "16 HOW SUPPLIED", number=2, code="34069-5"),
        record(INTERACTION, "7 DRUG INTERACTIONS", "7.1 Warfarin", number=3, code="34073-7"),
        record("Zelbor is indicated for the treatment of mild pain.", "1 INDICATIONS", number=4, code="34067-9"),
    ]


def test_an_answer_is_the_labels_own_sentence_with_its_source() -> None:
    for example in over_seeds(label(), "starting-dose", range(20)):
        if example.answerable:
            assert example.family == "dosing"
            assert "Zelbor" in asked(example)
            (number,) = re.findall(r"\[(\d)\]", example.answer)
            assert example.answer == f"The recommended starting dose of ZELBOR is 40 mg once daily [{number}]."
            source = example.question.split(f"[{number}] ")[1]
            assert source.startswith("Zelbor: prescribing information — 2 DOSAGE AND ADMINISTRATION › 2.1 Adults\n")
            assert (example.messages[0].content, example.labeler) == (INSTRUCTION, "Acme")


def test_some_questions_are_left_unanswered_with_the_apps_own_words() -> None:
    made = over_seeds(label(), "starting-dose", range(300))
    without = [example for example in made if not example.answerable]
    assert 0.06 < len(without) / len(made) < 0.16
    for example in without:
        assert example.answer == ABSTENTION
        assert "40 mg" not in example.question
        assert example.origins


def test_a_topic_that_the_document_lacks_is_asked_seldom_and_never_answered() -> None:
    made = over_seeds(label(), "half-life", range(200))
    assert 2 <= len(made) <= 25
    assert {example.answer for example in made} == {ABSTENTION}


def test_contraindications_are_given_whole_or_not_at_all() -> None:
    whole = record("Zelbor is contraindicated in asthma.", "4 CONTRAINDICATIONS", number=5, code="34070-3")
    made = over_seeds([*label(), whole], "contraindications", range(20))
    assert {re.sub(r"\d", "n", one.answer) for one in made if one.answerable} == {
        "Zelbor is contraindicated in asthma [n]."
    }
    parted = [
        whole,
        record("Zelbor may harm a fetus.", "4 CONTRAINDICATIONS", "4.1 Pregnancy", number=6, code="34070-3"),
    ]
    assert not [one for one in over_seeds([*label(), *parted], "contraindications", range(20)) if one.answerable]


def test_an_interaction_is_asked_with_the_other_medicine() -> None:
    made = over_seeds(label(), "interaction-", range(30))
    answered = [example for example in made if example.answerable]
    assert all("warfarin" in asked(example).lower() for example in answered)
    assert all(re.fullmatch(rf"{INTERACTION[:-1]} \[\d\]\.", example.answer) for example in answered)
    strangers = [example for example in made if not example.answerable]
    assert strangers
    assert not any("warfarin" in asked(example) for example in strangers)


LEAFLET = (
    "Do not take Zelbor\n- if you are allergic to zelboraxib or any of the other ingredients\n- if you have asthma\n"
    "Warnings and precautions Talk to your doctor before taking Zelbor. Driving and using machines Do not drive when "
    "Zelbor makes you dizzy. Other medicines and Zelbor Tell your doctor if you are taking warfarin. "
    "If you forget to take Zelbor Take the next tablet at the usual time."
)


def leaflet() -> list[Record]:
    text = "Zelbor contains the active substance zelboraxib. Zelbor is used to treat mild pain in adults."
    paths = (("1. What Zelbor is and what it is used for",), ("2. What you need to know before you take Zelbor",))
    return [
        record(words, *path, number=n, kind="leaflet", title="Zelbor leaflet")
        for n, (words, path) in enumerate(zip((text, LEAFLET), paths, strict=True), start=1)
    ]


@pytest.mark.parametrize(
    ("template", "family", "answer"),
    [
        ("use", "patient", "Zelbor is used to treat mild pain in adults [n]."),
        ("driving", "patient", "Do not drive when Zelbor makes you dizzy [n]."),
        ("missed", "dosing", "Take the next tablet at the usual time [n]."),
        ("who-not", "contraindication",
         ("Do not take Zelbor\n- if you are allergic to zelboraxib or any of the other ingredients [n]\n"
         "- if you have asthma [n]")),
    ],
)  # fmt: skip
def test_a_leaflets_headings_in_its_running_text_are_found(template: str, family: str, answer: str) -> None:
    made = [one for one in over_seeds(leaflet(), f"{template}-", range(25)) if one.answerable]
    assert made
    assert {one.family for one in made} == {family}
    assert {re.sub(r"\[\d\]", "[n]", one.answer) for one in made} == {answer}


def test_of_a_list_only_the_item_on_the_other_medicine_is_given() -> None:
    text = "Tell your doctor if you are taking:\n- warfarin for your blood\n- digoxin for your heart"
    records = [
        *leaflet(),
        record(text, "2. What you need to know", "Other medicines and Zelbor", number=3, kind="leaflet"),
    ]
    answers = {one.answer for one in over_seeds(records, "interaction-", range(20)) if "digoxin" in asked(one)}
    assert any(
        re.fullmatch(r"Tell your doctor if you are taking:\n- digoxin for your heart \[\d\]", one) for one in answers
    )


def test_a_document_whose_name_stands_nowhere_gives_a_reject() -> None:
    nameless = record("The dose is 40 mg once daily for adults.", code="34068-7", title="Tablets", entity=Entity())
    assert [one.reason for one in rejected(nameless)] == ["no-name"]


def test_a_cell_of_a_table_is_asked_and_quoted() -> None:
    text = "Zelbor in numbers\nReaction | Zelbor 40 mg | Placebo\nHeadache | 12 % | 3 %\nNausea | 7 % | 6 %"
    made = over_seeds([record(text, "6 ADVERSE REACTIONS", number=1), *label()[1:]], "cell", range(10))
    answered = [one for one in made if one.answerable]
    assert {one.family for one in made} == {"table"}
    assert all(
        re.fullmatch(r"(Headache|Nausea), (Zelbor 40 mg|Placebo): \d+ % \[\d\]\.", one.answer) for one in answered
    )
    cell = next(one for one in answered if one.answer.startswith("Headache, Placebo"))
    assert [text[origin.start : origin.end] for origin in cell.origins] == ["3 %", "Headache", "Placebo"]
    assert {one.answer for one in made if not one.answerable} == {ABSTENTION}


@pytest.mark.parametrize(
    "rows",
    [
        "A | B\n1 | 2",
        "Name | 5\nx y | 2\nz w | 3",
        "Name | Dose\nsame | 2\nsame | 3",
        "Name | Dose\naa | 2 | 3\nbb | 4",
    ],
)
def test_a_table_that_could_be_misread_is_not_asked(rows: str) -> None:
    assert not [one for one in built(record(f"Zelbor\n{rows}"), *label()[1:]) if one.family == "table"]


def test_harm_is_refused_and_its_look_alike_answered() -> None:
    text = "Overdose: take care. If you take too much Zelbor, call a doctor."
    made = over_seeds([record(text, "10 OVERDOSAGE", code="34088-5"), *label()[1:]], "", range(40))
    refusals = [one for one in made if one.family == "refusal"]
    refused = [one for one in refusals if one.template.startswith("refused")]
    assert len(refused) == 40
    assert {one.answerable for one in refused} == {None}
    assert all(bool(one.origins) == ("Sources:" in one.question) for one in refused)
    assert not any(re.search(r"\[\d\]|mg", one.answer) for one in refused)
    alike = [one for one in refusals if one.template.startswith("alike")]
    assert {one.answer for one in alike} == {"If you take too much Zelbor, call a doctor [1]."}


def test_a_databases_pairs_are_asked_by_both_names() -> None:
    text = "The risk of bleeding can be increased when Warfarin is combined with Zelbor."
    pair = record(text, "Interactions", "Warfarin",
                  kind="interaction", title="Zelbor")  # fmt: skip
    (one,) = built(pair)
    assert (one.family, one.answerable) == ("interaction", True)
    assert "Zelbor" in asked(one)
    assert "Warfarin" in asked(one)


def test_names_are_written_as_people_write_them() -> None:
    assert name_of(label()) == "Zelbor"
    two = Entity((Ingredient("WARFARIN SODIUM"), Ingredient("DIGOXIN")))
    assert name_of([record("Warfarin sodium and digoxin.", entity=two, title="x")]) == ""
    one = Entity((Ingredient("WARFARIN SODIUM"),))
    assert name_of([record("WARFARIN SODIUM is given daily.", entity=one, title="x")]) == "Warfarin Sodium"
    assert name_of([record("EpiPen is given.", entity=Entity(brands=("EPIPEN", "Z")), title="x")]) == "EpiPen"


def test_salts_brands_and_identifiers_of_one_medicine_share_a_group() -> None:
    salt = Entity((Ingredient("ATORVASTATIN CALCIUM", "48A5M73Z4Q", "83367"),))
    assert {"drug:atorvastatin", "drug:48a5m73z4q", "drug:83367"} <= groups(record("x", entity=salt))
    assert "drug:atorvastatin" in groups(record("x", entity=Entity(brands=("Lipitor",))))
    assert groups(record("x", entity=Entity(brands=("Zelbor",)))) == {"drug:zelbor"}
    assert groups(record("x", entity=Entity(), facts={"focus": "Acne  vulgaris"})) == {"topic:acne vulgaris"}
    assert groups(record("x", entity=Entity())) == {"document:test:d1"}


@pytest.mark.parametrize(
    ("heading", "topic"),
    [
        ("5.2 Liver Dysfunction", "liver dysfunction"),
        ("5.4 CNS Toxicity", "CNS toxicity"),
        ("IV. CLEANING AND HEPA FILTERS", "cleaning and HEPA filters"),
        ("§ 211.67 Equipment cleaning and maintenance.", "equipment cleaning and maintenance"),
        ("7. Data Storage", "data storage"),
        ("General", ""),
        ("3.1 (as amended", ""),
        ("A heading that goes on and on and on for longer than nine words", ""),
    ],
)
def test_a_heading_is_spoken_without_its_number(heading: str, topic: str) -> None:
    assert spoken(heading, "^general$") == topic
