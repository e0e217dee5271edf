"""Numbers with units, and clauses: what a sentence states that must never be wrong.

Two texts state the same quantity when value and unit are equal after the spellings of a unit are
brought together (mcg and µg, ml and mL). Digits glued to letters or hyphens (CYP3A4, PDE-5) are names, unless a
unit follows (250 mg/5 mL). How often (daily, weekly, twice) counts as a quantity too.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

_UNITS = (
    "mg/kg/day|mcg/kg/min|mg/kg|mcg/kg|µg/kg|g/kg|mg/m2|mg/m²|mg/day|mcg/day|g/day|mg/mL|mcg/mL|µg/mL|ng/mL|mg/dL|"
    "g/dL|g/L|mg/L|mmol/L|mEq/L|mL/min|mL/h|mL/hr|mL/kg|IU/mL|units/mL|units/kg|CFU/mL|CFU/m3|CFU/m³|mcg|µg|μg|ug|mg|"
    "kg|ng|g|mL|ml|dL|L|mmol|mEq|IU|units?|CFU|ppm|ppb|kPa|mbar|bar|Pa|°C|°F|℃|mm|cm|µm|μm|nm|m|"
    "percent|per cent|%|milligrams?|micrograms?|grams?|kilograms?|millilit(?:er|re)s?|lit(?:er|re)s?|"
    "business days?|working days?|calendar days?|days?|hours?|hrs?|hr|h|minutes?|mins?|min|seconds?|weeks?|months?|"
    "years?|times|tablets?|capsules?|doses?|batch(?:es)?|lots?|pages?"
)
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+"
_QUANTITY = re.compile(
    rf"(?<![\w.])({_NUMBER})(?:\s?(?:to|[-–]|and|or)\s?([-–\u2212]?(?:{_NUMBER})))?"
    rf"(?:[\s-]?({_UNITS})(?!\w)|(?!\w|[-/][a-z]|\.\d))",
    re.IGNORECASE,
)
_MINUS = re.compile(r"(?:^|[\s(])[-–\u2212]$")
_GLUED = frozenset("-–\u2212/§")
_ONES = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
    "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_SMALL = rf"(?:(?:{'|'.join(_TENS)})(?:[\s-](?:{'|'.join(list(_ONES)[:9])}))?|{'|'.join(reversed(_ONES))})"
_HUNDREDS = rf"(?:(?:{_SMALL}\s|an?\s)?hundred(?:\s(?:and\s)?{_SMALL})?)"
_THOUSANDS = rf"(?:(?:{_HUNDREDS}\s|{_SMALL}\s|an?\s)?thousand(?:\s(?:and\s)?(?:{_HUNDREDS}|{_SMALL}))?)"
_SPELLED = rf"(?:(?:{_THOUSANDS}|{_HUNDREDS}|{_SMALL})(?:\sand\sa\shalf)?|half)"
_OFTEN = re.compile(
    r"\b(?:(?:per|an?|each|every)\s(hour|day|week|month|year)|(hour|dai|week|month|year)ly|(annually)|(twice)|(thrice))\b",
    re.IGNORECASE,
)
_SPELLED_QUANTITY = re.compile(
    rf"\b(?:({_SPELLED})\s(?:to|or|[-–])\s)?({_SPELLED})[\s-](?:an?\s)?({_UNITS})\b", re.IGNORECASE
)
_CLAUSE = re.compile(
    r"(?:\b(?:21\s+)?CFR\s+(?:part\s+)?)?\b\d{1,4}\.\d+(?:\([a-z0-9]{1,4}\))+"
    r"|\b(?:21|45)\s+CFR\s+(?:parts?\s+)?\d{1,4}(?:\.\d+)?(?:\([a-z0-9]{1,4}\))*"
    r"|(?:§+\s*|\b(?:part|annex|chapter|article|section|clause|subpart)\s+)(?:\d[\w.]*|[A-Z]\b)(?:\([a-z0-9]{1,4}\))*"
    r"|\bICH\s+[QESM]\d+[A-Z]?(?:\(R\d\))?"
    rf"|\b2\d\d\.\d{{1,3}}\b(?![\s-]?(?:{_UNITS})(?!\w))",
    re.IGNORECASE,
)
_SAME_UNIT = {
    "µg": "mcg", "μg": "mcg", "ug": "mcg", "microgram": "mcg", "milligram": "mg", "gram": "g", "kilogram": "kg",
    "milliliter": "ml", "millilitre": "ml", "liter": "l", "litre": "l", "percent": "%", "per cent": "%", "hr": "h",
    "hrs": "h", "hour": "h", "minute": "min", "℃": "°c", "business day": "working day", "μm": "µm", "m²": "m2",
    "m³": "m3", "batche": "batch",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number and its unit, lower case and singular; the unit is empty for a bare number."""

    value: Decimal
    unit: str


def quantities(text: str) -> frozenset[Quantity]:
    """Every quantity that a text states; both ends of a range carry the range's unit."""
    plain = _CLAUSE.sub(" ", text)
    found: set[Quantity] = set()
    for match in _QUANTITY.finditer(plain):
        unit, before = _unit(match.group(3) or ""), plain[max(0, match.start() - 2) : match.start()]
        minus = _MINUS.search(before) is not None
        if not minus and not unit and before[-1:] in _GLUED:
            continue
        first, last = match.group(1, 2)
        found.add(Quantity(_value(f"-{first}" if minus else first), unit))
        found.update(Quantity(_value(number), unit) for number in [last] if number)
    for match in _SPELLED_QUANTITY.finditer(plain):
        found.update(Quantity(_spelled(words), _unit(match.group(3))) for words in match.group(1, 2) if words)
    return frozenset(found | set(_often(plain)))


def _often(text: str) -> Iterator[Quantity]:
    """How often something is done: ``every day`` and ``daily`` are the same."""
    for match in _OFTEN.finditer(text):
        every, ending, annually, twice, _ = match.groups()
        if every or ending or annually:
            yield Quantity(Decimal(1), f"per {(every or ending or 'year').lower().replace('dai', 'day')}")
        else:
            yield Quantity(Decimal(2 if twice else 3), "time")


def clauses(text: str) -> frozenset[str]:
    """Every clause that a text names, spaces and the title's number left out: ``211.192(a)``, ``annex11``."""
    return frozenset(_clause(match.group()) for match in _CLAUSE.finditer(text))


def _clause(words: str) -> str:
    return re.sub(r"^(?:(?:21|45)?cfr)?(?:parts?|§+|sections?|clause)?", "", re.sub(r"\s+", "", words.lower())).rstrip(
        "."
    )


def _value(number: str) -> Decimal:
    return Decimal(number.replace(",", "").replace("–", "-").replace("\u2212", "-")).normalize()


def _spelled(words: str) -> Decimal:
    """The value of a number in words: ``two hundred and fifty`` is 250."""
    whole, part = 0, 0
    for word in re.split(r"[\s-]+", words.lower()):
        if word == "thousand":
            whole, part = max(1, part) * 1000, 0
        elif word == "hundred":
            part = max(1, part) * 100
        else:
            part += _ONES.get(word, _TENS.get(word, 0))
    return (Decimal(whole + part) + (Decimal("0.5") if words.lower().endswith("half") else 0)).normalize()


def _unit(written: str) -> str:
    return "/".join(_singular(part) for part in re.sub(r"\s+", " ", written).lower().split("/"))


def _singular(unit: str) -> str:
    singular = unit[:-1] if len(unit) > 3 and unit.endswith("s") else unit  # noqa: PLR2004
    return _SAME_UNIT.get(singular, singular)
