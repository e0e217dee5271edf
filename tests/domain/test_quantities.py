"""Two texts state the same quantity only if value and unit are the same, however they are spelt."""

import itertools
from decimal import Decimal

import pytest

from lumen_desktop.domain.quantities import Quantity, clauses, quantities


def stated(*pairs: tuple[str, str]) -> frozenset[Quantity]:
    return frozenset(Quantity(Decimal(value).normalize(), unit) for value, unit in pairs)


SAME = [
    ["5 mg", "5mg", "5 MG", "5.0 mg", "5.00 mg", "5-mg", "5 milligrams", "5 milligram", "five mg", "Five milligrams"],
    ["5 mcg", "5 µg", "5 \u03bcg", "5 ug", "5 micrograms", "5 MCG", "5 microgram."],
    ["1,000 mg", "1000 mg", "1000.0 mg", "1,000.00 mg"],
    ["0.5 g", ".5 g", "0.50 grams"],
    ["10 mL", "10 ml", "10 ML", "10 millilitres", "10 milliliters"],
    ["2 L", "2 litres", "2 liter"],
    ["5 %", "5%", "5 percent", "5 per cent", "five percent"],
    ["24 h", "24 hours", "24 hrs", "24-hour", "24 hr", "24 Hours"],
    ["3 min", "3 minutes", "3 mins", "3-minute", "three minutes"],
    ["30 business days", "30 working days", "thirty business days"],
    ["5 mcg/mL", "5 µg/ml", "5 \u03bcg/mL"],
    ["1 batch", "one batch"],
    ["2 batches", "two batches"],
    ["200 mg", "two hundred mg", "Two Hundred milligrams"],
    ["25 mcg", "twenty-five micrograms", "twenty five mcg"],
    ["1,250 mL", "one thousand two hundred and fifty mL", "a thousand two hundred fifty ml"],
    ["100 g", "a hundred grams", "one hundred g", "hundred grams"],
    ["0.5 tablet", "half a tablet", "0.5 tablets"],
    ["1.5 tablets", "one and a half tablets", "1 1/2 tablets", "1½ tablets", "1 ½ tablets"],
    ["0.25 tablet", "1/4 tablet", "¼ tablet", "a quarter of a tablet", "one-quarter tablet"],
    [
        "2,000,000 IU",
        "2 million IU",
        "two million IU",
        "2 x 10^6 IU",
        "2\u00d710⁶ IU",
        "2e6 IU",
        "2 000 000 IU",
        "2-million IU",
    ],
    ["5 mg/kg", "5 mg per kg", "5 mg / kg", "five milligrams per kilogram"],
    ["5 µmol/L", "5 \u03bcmol/L", "5 umol/l"],
    ["5 drops", "five drops"],
    ["8 h", "q8h", "every 8 hours", "q 8 h", "Q8 H"],
    ["17 weeks", "seventeen weeks"],
    ["-20 °C", "\u221220 °C", "–20 ℃", "(-20 °C)"],
    ["every day", "daily", "per day", "each day", "a day"],
    ["weekly", "every week", "per week", "once a week"],
    ["yearly", "annually", "per year", "each year"],
    ["hourly", "every hour", "an hour", "per hour"],
    ["twice", "2 times", "two times"],
    ["thrice", "3 times", "three times"],
]


@pytest.mark.parametrize("spellings", SAME, ids=lambda spellings: spellings[0])
def test_spellings_of_one_quantity_are_one(spellings: list[str]) -> None:
    sets = {spelling: quantities(spelling) for spelling in spellings}
    first = sets[spellings[0]]
    assert len(first) == 1
    assert {spelling for spelling, found in sets.items() if found != first} == set()


# What is meant by one text, and no smaller or larger dose that its characters or words hold as well.
HIDDEN = [
    ("two or three hundred mg", stated(("200", "mg"), ("300", "mg"))),
    ("two to three thousand units", stated(("2000", "unit"), ("3000", "unit"))),
    ("two-three hundred mg", stated(("200", "mg"), ("300", "mg"))),
    ("two- to three-hundred mg", stated(("200", "mg"), ("300", "mg"))),
    ("two or three hundred and fifty mg", stated(("200", "mg"), ("350", "mg"))),
    ("one to two hundred thousand IU", stated(("100000", "iu"), ("200000", "iu"))),
    ("one hundred to two hundred thousand IU", stated(("100000", "iu"), ("200000", "iu"))),
    ("fifty to two hundred mg", stated(("50", "mg"), ("200", "mg"))),
    ("two hundred to three hundred mg", stated(("200", "mg"), ("300", "mg"))),
    ("five hundred to one thousand mg", stated(("500", "mg"), ("1000", "mg"))),
    ("between two hundred and fifty and three hundred mg", stated(("250", "mg"), ("300", "mg"))),
    ("between two hundred and three hundred mg", stated(("200", "mg"), ("300", "mg"))),
    ("2 or 3 hundred mg", stated(("200", "mg"), ("300", "mg"))),
    ("2 to three hundred mg", stated(("200", "mg"), ("300", "mg"), ("2", ""))),
    ("two to 4 mg", stated(("2", "mg"), ("4", "mg"))),
    ("2–3 million IU", stated(("2000000", "iu"), ("3000000", "iu"))),
    ("500 to 1 thousand units", stated(("500", "unit"), ("1000", "unit"))),
    ("1 to 2 x 10^6 cells", stated(("1000000", ""), ("2000000", ""))),
    ("1–2 \u00d7 10⁶ CFU/mL", stated(("1000000", "cfu/ml"), ("2000000", "cfu/ml"))),
    ("from 10^3 to 10^6 CFU", stated(("1000", "cfu"), ("1000000", "cfu"))),
    ("5 \u00d7 10^9/L", stated(("5000000000", "/l"))),
    ("2 x 500 mg", stated(("2", ""), ("500", "mg"))),
    ("5/10 mg", stated(("5", "mg"), ("10", "mg"))),
    ("5/10/20 mg", stated(("5", "mg"), ("10", "mg"), ("20", "mg"))),
    ("2-3 mg/kg", stated(("2", "mg/kg"), ("3", "mg/kg"))),
    ("0.5–1 g", stated(("0.5", "g"), ("1", "g"))),
    ("2- to 3-mg", stated(("2", "mg"), ("3", "mg"))),
    ("50 ± 5 mg", stated(("50", "mg"), ("5", "±mg"))),
    ("50 mg +/- 5 mg", stated(("50", "mg"), ("5", "±mg"))),
    ("1/2 tablet", stated(("0.5", "tablet"))),
    ("1/2 to 1 tablet", stated(("0.5", "tablet"), ("1", "tablet"))),
    ("a phase 1/2 trial", stated(("1", ""), ("2", ""))),
    ("a few hundred mg", stated()),
    ("half million units", stated(("500000", "unit"))),
    ("half a million units", stated(("500000", "unit"))),
    ("one and a half million units", stated(("1500000", "unit"))),
    ("0,125 mg", stated(("0.125", "mg"))),
    ("2,5 mg", stated(("2.5", "mg"))),
    ("5 mg/h", stated(("5", "mg/h"))),
    ("15 mg/kg/dose", stated(("15", "mg/kg/dose"))),
    ("every other day", stated(("2", "day"))),
    ("2 to 3 times a day", stated(("2", "time"), ("3", "time"), ("2", "per day"), ("3", "per day"))),
    ("1e999999999 mg and 10^999999 mg", stated(("10", ""))),
]


@pytest.mark.parametrize(("text", "expected"), HIDDEN, ids=[text for text, _ in HIDDEN])
def test_no_other_dose_is_read_out_of_a_number(text: str, expected: frozenset[Quantity]) -> None:
    assert quantities(text) == expected
    assert quantities(text.upper()) == expected


@pytest.mark.parametrize(
    "spellings",
    [
        ["twice daily", "two times a day", "2 times per day", "2x daily", "BID", "b.i.d."],
        ["three times daily", "thrice a day", "TID", "3 \u00d7 daily"],
    ],
    ids=lambda spellings: spellings[0],
)
def test_how_often_is_one_thing_however_it_is_spelt(spellings: list[str]) -> None:
    periods = [{quantity for quantity in quantities(text) if quantity.unit == "per day"} for text in spellings]
    assert all(len(found) == 1 and found == periods[0] for found in periods)


def test_different_quantities_are_different() -> None:
    for one, other in itertools.combinations([spellings[0] for spellings in SAME], 2):
        assert quantities(one) != quantities(other), (one, other)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5 mg", stated(("5", "mg"))),
        ("two to four mg", stated(("2", "mg"), ("4", "mg"))),
        ("one or two hundred mg", stated(("100", "mg"), ("200", "mg"))),
        ("between two and four mg", stated(("2", "mg"), ("4", "mg"))),
        ("someone else took a half", stated()),
        ("from 5 to 10 mg", stated(("5", "mg"), ("10", "mg"))),
        ("5-10 mg", stated(("5", "mg"), ("10", "mg"))),
        ("5 – 10 mg", stated(("5", "mg"), ("10", "mg"))),
        ("5 mg-10 mg", stated(("5", "mg"), ("10", "mg"))),
        ("between 5 and 10 mg", stated(("5", "mg"), ("10", "mg"))),
        ("5 or 10 mg", stated(("5", "mg"), ("10", "mg"))),
        ("10%–20%", stated(("10", "%"), ("20", "%"))),
        ("2 °C to 8 °C", stated(("2", "°c"), ("8", "°c"))),
        ("-25 to -15 °C", stated(("-25", "°c"), ("-15", "°c"))),
        ("up to 80 mg", stated(("80", "mg"))),
        ("250 mg/5 mL", stated(("250", "mg"), ("5", "ml"))),
        ("5 mg/kg/day", stated(("5", "mg/kg/day"))),
        ("5 mg/tablet", stated(("5", "mg"))),
        ("10 mg weekly", stated(("10", "mg"), ("1", "per week"))),
        ("10 mg twice daily", stated(("10", "mg"), ("2", "time"), ("2", "per day"))),
        ("two tablets", stated(("2", "tablet"))),
        ("250.5 mg", stated(("250.5", "mg"))),
        ("1.5 to 2 g", stated(("1.5", "g"), ("2", "g"))),
        ("Grade A and 3,520 particles", stated(("3520", ""))),
        ("ISO 5", stated(("5", ""))),
        ("5 mg.", stated(("5", "mg"))),
        ("(5 mg)", stated(("5", "mg"))),
    ],
)
def test_what_a_text_states(text: str, expected: frozenset[Quantity]) -> None:
    assert quantities(text) == expected


@pytest.mark.parametrize(
    "name",
    ["CYP3A4", "PDE-5", "5-HT", "5-fluorouracil", "COVID-19", "HbA1c", "B12", "ICH Q9(R1)", "21 CFR 211.192", "3.5.1"],
)
def test_digits_in_names_and_clauses_are_no_quantity(name: str) -> None:
    assert quantities(f"About {name} it says nothing.") == frozenset()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5 mg", "5 mcg"), ("5 mg", "5 g"), ("5 mg", "50 mg"), ("0.5 mg", "5 mg"), ("0.5 mg", "0.05 mg"),
        ("5 mg/mL", "5 mg"), ("5 mg/kg", "5 mg"), ("5 mcg/mL", "5 mg/mL"), ("5 hours", "5 days"),
        ("5 working days", "5 days"), ("5 calendar days", "5 working days"), ("daily", "weekly"), ("twice", "thrice"),
        ("-20 °C", "20 °C"), ("250 mg/5 mL", "250 mg/15 mL"), ("5 mg-10 mg", "5 mg-100 mg"), ("5 MG", "5 MCG"),
        ("1,000 mg", "1,000 g"), ("10 mL", "10 L"), ("5 IU", "5 mg"), ("5 ppm", "5 ppb"), ("5 mmol", "5 mEq"),
        ("5 mg/h", "5 mg/min"), ("5 mg per kg", "5 mg"), ("5 drops", "5 mL"),
        ("15 mg/kg/dose", "15 mg/kg/day"), ("once daily", "twice daily"), ("daily", "three times daily"),
        ("BID", "TID"), ("q6h", "q8h"), ("every day", "every other day"), ("5 µmol/L", "5 mmol/L"),
        ("2 million IU", "2 IU"), ("1/2 tablet", "2 tablets"), ("10^6 CFU", "10^3 CFU"),
        ("10 000 units", "5 000 units"),
    ],
)  # fmt: skip
def test_what_must_never_be_taken_for_the_same(one: str, other: str) -> None:
    assert not quantities(one) <= quantities(other)
    assert not quantities(other) <= quantities(one)


UNITS = ["mg", "mcg", "g", "mL", "L", "%", "°C", "days", "hours", "ppm", "IU", "mg/kg", "CFU", "months"]
NUMBERS = ["1", "2.5", "0.125", "10", "1,250", "99.9", "300"]


def test_every_number_with_every_unit_is_read_in_every_place() -> None:
    """A property over the product of numbers, units and sentences."""
    frames = ["{}", "Give {} now.", "At most {}.", "({})", "limit: {};", "not {}, but less", "{} or less", "≤ {}"]
    for number, unit, frame in itertools.product(NUMBERS, UNITS, frames):
        (found,) = quantities(frame.format(f"{number} {unit}"))
        assert found.value == Decimal(number.replace(",", "")).normalize(), (number, unit, frame)
        assert found == next(iter(quantities(f"{number} {unit}")))


def test_a_text_states_what_its_parts_state() -> None:
    parts = [f"Use {number} {unit}." for number, unit in itertools.product(NUMBERS[:3], UNITS[:6])]
    joined = frozenset[Quantity]().union(*(quantities(part) for part in parts))
    assert quantities(" ".join(parts)) == joined


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("21 CFR 211.192", {"211.192"}),
        ("CFR 211.192(a)", {"211.192(a)"}),
        ("211.192", {"211.192"}),
        ("§ 211.192", {"211.192"}),
        ("section 211.192", {"211.192"}),
        ("21 CFR part 11", {"11"}),
        ("21 CFR Parts 210", {"210"}),
        ("45 CFR 164.312(a)(1)", {"164.312(a)(1)"}),
        ("Annex 11", {"annex11"}),
        ("annex 1", {"annex1"}),
        ("Chapter 8.", {"chapter8"}),
        ("Article 46", {"article46"}),
        ("Subpart J", {"subpartj"}),
        ("ICH Q9(R1)", {"ichq9(r1)"}),
        ("ICH Q10", {"ichq10"}),
        ("211.192 and Annex 15", {"211.192", "annex15"}),
        ("No clause here, 5 mg only.", set()),
        ("211.5 mg", set()),
    ],
)
def test_clauses_are_read_in_every_form(text: str, expected: set[str]) -> None:
    assert clauses(text) == expected


def test_a_paragraph_is_not_its_section() -> None:
    assert not clauses("21 CFR 211.192(a)") & clauses("21 CFR 211.192(b)")
    assert clauses("Annex 1") != clauses("Annex 11")
