"""What is taken out of letters and feedback, and what must stay."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from trainer.curation.lexicon import substance
from trainer.curation.personal import Detector, concerns
from trainer.records import Example, Message

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector()


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Dear Dr. Kowalczyk,", "Dear Dr. [name],"),
        ("Please contact Thandiwe Mphephethwa at (301) 796-\n1161.", "Please contact [name] at [phone]."),
        ("Write to ann.o'neil+x@site.example.org today.", "Write to [email] today."),
        ("Write to ann (at) site (dot) org.", "Write to [email]."),
        ("Sincerely,\nRobert Temple, M.D.\nDirector", "Sincerely,\n[name], M.D.\nDirector"),
        ("/s/\n--------\nJEFFREY S MURRAY\n03/13/2018", "/s/\n--------\n[name]\n03/13/2018"),
        (
            "The patient Břetislav Ježek fell. Ježek's dose was 5 mg.",
            "The patient [name] fell. [name]'s dose was 5 mg.",
        ),
        ("木村 陽一 called.", "[name] called."),
        (
            "She lives at 12 Rose Lane, Leeds and her mail is a@b.org.",
            "She lives at [address] and her mail is [email].",
        ),
        ("Silver Spring, MD 20993", "[address]"),
        ("P.O. Box 4158", "[address]"),
        ("MRN 123-4567, born 12 May 1960", "MRN [record number], born [date of birth]"),
        ("Patient ID: KL20931 and SSN 123-45-6789", "Patient ID: [record number] and SSN [record number]"),
        ("Call +48 503 170 669 or 813.259.7094x434", "Call [phone] or [phone]"),
        ("Ring Ann Nowak, Project Manager, on 484 1 506.", "Ring [name], Project Manager, on [phone]."),
        ("Ward 4\n32 074 39 15\nThanks", "Ward 4\n[phone]\nThanks"),
    ],
)
def test_personal_data_is_replaced_by_its_kind(detector: Detector, text: str, clean: str) -> None:
    assert detector.cleaned([text])[0] == [clean]


@pytest.mark.parametrize(
    "text",
    [
        "Dear Sir or Madam, Dear Applicant,",
        "NDA 22-075, NDC 0071-0155-23, BLA 761275, Lot 4411223, EudraCT 2004-001234-12.",
        "21 CFR 314.50(d)(1), section 211.192, ICH Q9(R1), Annex 11, USP <61>.",
        "On 2021-03-04, on 03/13/2018 05:15:46 PM and on March 3, 2021 the dose was 10 mg.",
        "Give 1,000 mL over 10 20 30 40 50 minutes; 0.5 mg/kg; 1000000 units.",
        "Patient was 65 years old; patient 12 of 40; case 3.",
        "Take Atorvastatin with Metformin or Adalimumab, not with Warfarin Sodium Tablets.",
        "Center for Drug Evaluation and Research, Food and Drug Administration",
        "Stevens-Johnson syndrome and the Kaplan-Meier method were mentioned.",
        "Contact Customer Service. Ask the Poison Control Center.",
    ],
)
def test_what_is_no_personal_data_stays(detector: Detector, text: str) -> None:
    assert detector.cleaned([text])[0] == [text]


def test_the_drugs_of_an_example_are_no_names(detector: Detector) -> None:
    text = "I asked my colleague about it. The nurse gave Zorvolan Quimbex to the patient Ada Quimby."
    messages = (Message("user", text), Message("assistant", "Zorvolan Quimbex it was."))
    example = Example(
        "label", "t", messages, (), ("feedback:7",), ("drug:zorvolan quimbex",), ("CC0-1.0",), commercial=True
    )
    clean, counts = detector.without(example)
    assert "Zorvolan Quimbex to the patient [name]." in clean.question
    assert clean.answer == example.answer
    assert counts == {"name": 1}
    plain = detector.without(replace(example, groups=()))[0]
    assert "Quimbex" not in plain.answer, "what was a name in the question is one in the answer"


def test_only_the_sources_named_are_searched() -> None:
    example = Example("label", "t", (), (), ("fda_letters:1", "dailymed:2"), (), (), commercial=True)
    assert concerns(example, ("letter", "feedback"))
    assert not concerns(replace(example, doc_ids=("dailymed:2",)), ("letter", "feedback"))


def test_other_scripts_are_names_only_in_english_text(detector: Detector) -> None:
    assert detector.cleaned(["Пациент принял 5 мг"], language="ru")[0] == ["Пациент принял 5 мг"]
    assert detector.cleaned(["The β-blockers, 5 µg"])[0] == ["The β-blockers, 5 µg"]


def test_substances_are_known_by_their_stems() -> None:
    assert all(map(substance, ("adalimumab", "rosuvastatin", "empagliflozin")))
    assert not any(map(substance, ("kowalczyk", "mphephethwa", "mab")))


def test_people_of_many_countries_are_found() -> None:
    pytest.importorskip("faker", reason="Faker is not installed")
    from tests.bench.curation import personal  # noqa: PLC0415 - needs Faker

    recall, missed, wrong = personal(300, seed=21)
    assert recall["mail"] >= 0.98
    assert recall["phone"] >= 0.98, missed["phone"]
    assert recall["name"] >= 0.90, missed["name"]
    assert recall["record"] >= 0.95
    assert recall["address"] >= 0.90
    assert wrong <= 10


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not here")
def test_the_real_letters_keep_their_numbers_and_lose_their_people(detector: Detector) -> None:
    import pypdfium2  # noqa: PLC0415

    letter = pypdfium2.PdfDocument(DATA / "fda_letters_pdf" / "213895_2022_Orig1s000OtherActionLtrs.pdf")
    text = "\n".join(letter[page].get_textpage().get_text_range() for page in range(len(letter))).replace("\r\n", "\n")
    clean = detector.cleaned([text])[0][0]
    assert not re.search(r"Nambiar|NAMBIAR|Sumathi|Christopher|796-4851", clean)
    for stays in ("NDA 213895", "Division of Anti-Infectives", "Reference ID: 4578192", "03/20/2020"):
        assert stays in clean
    letter.close()
