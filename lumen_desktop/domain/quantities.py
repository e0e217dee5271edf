"""Numbers with units, and clauses: what a sentence states that must never be wrong.

Two texts state the same quantity when value and unit are equal after the spellings of a unit are
brought together (mcg and µg, ml and mL). Digits glued to letters or hyphens (CYP3A4, PDE-5) are names, unless a
unit follows (250 mg/5 mL). How often (daily, weekly, twice) counts as a quantity too.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

_BASES = (
    "mcg|µg|μg|ug|mgs?|kg|ng|pg|gms?|g|µL|μL|uL|mls?|dL|L|cc|mmol|µmol|μmol|umol|nmol|pmol|mEq|mOsm|M?IU|U|units?|CFU|"
    "ppm|ppb|mmHg|kPa|mbar|bar|Pa|kcal|°C|°F|℃|mm|cm|µm|μm|nm|m|"
    "percent|per cent|%|milligrams?|micrograms?|grams?|kilograms?|millilit(?:er|re)s?|lit(?:er|re)s?|"
    "business days?|working days?|calendar days?|days?|hours?|hrs?|hr|h|minutes?|mins?|min|seconds?|weeks?|months?|"
    "years?|times|tablets?|capsules?|doses?|drops?|puffs?|sprays?|inhalations?|vials?|ampoules?|sachets?|patch(?:es)?|"
    "teaspoons?|tablespoons?|batch(?:es)?|lots?|pages?"
)
_SHARES = (
    "kilograms?|kg|grams?|g|mg|milliliters?|millilitres?|mL|dL|liters?|litres?|L|µL|μL|uL|m2|m²|m3|m³|mmol|"
    "days?|hours?|hrs?|h|minutes?|mins?|min|seconds?|s|weeks?|months?|doses?"
)
_SPACES = "kilograms?|kg|grams?|g|milliliters?|millilitres?|mL|dL|liters?|litres?|L|m2|m²|m3|m³"
_UNITS = (
    rf"(?:(?:{_BASES})(?:\s?/\s?(?:{_SHARES})(?!\w)|\sper\s(?:{_SPACES})(?!\w))*"
    rf"|(?:/(?:{_SHARES})(?!\w))+)"
)
_SCALES = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9}
_BIG = "thousand|million|billion"
_SCALE = rf"(?:hundred|{_BIG})"
# 10 000, 1,000, 0,125 and 2,5 are read as whole numbers: a part of one would be another dose.
_FIGURE = (
    r"(?:\d{1,3}(?:\s\d{3})*\s000(?!\d)|0,\d+|\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!,?\d)|"
    r"(?<!\d,)\d+,\d{1,2}(?!,?\d)|\d+(?:\.\d+)?(?:e[+\-\u2212]?\d{1,2}(?!\d))?|\.\d+)"
)
_POWER = r"10\s?\^\s?\(?[+\-\u2212]?\d{1,2}(?!\d)\)?"
# Only before a unit: a phase 1/2 is no half.
_PARTED = rf"(?:\d+\s)?(?:1/[2348]|2/3|3/[48]|[57]/8)(?=\s?(?:to|or|[-–])\s?\d|[\s-]?(?:an?\s)?{_UNITS}(?!\w))"
_NUMBER = rf"(?>{_PARTED}|{_POWER}|{_FIGURE}(?:[\s-]?{_SCALE}\b|\s?[x\u00d7·*]\s?{_POWER})?)"
_TO = r"-?\s?(?:to|[-–—]|and|or|±|\+/-)\s?"
_QUANTITY = re.compile(
    rf"(?<![\w.^])({_NUMBER})(?:({_TO})([-–\u2212]?{_NUMBER})|((?:/{_NUMBER}){{1,3}}))?"
    rf"(?:[\s-]?({_UNITS})(?!\w)|(?!\w|[-/][a-z]|\.\d))",
    re.IGNORECASE,
)
_MINUS = re.compile(r"(?:^|[\s(])[-–\u2212]$")
_SPREAD = re.compile(r"(?:±|\+/-)\s?$")
_TIMES_TEN = re.compile(rf"\s?[x\u00d7·*]\s?({_POWER})")
_RAISED = re.compile(r"\b10([⁺⁻⁰¹²³⁴-⁹]+)")
_LOWERED = str.maketrans("⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "+-0123456789")
_FRACTIONS = {
    "¼": "1/4", "½": "1/2", "¾": "3/4", "⅓": "1/3", "⅔": "2/3", "⅛": "1/8", "⅜": "3/8", "⅝": "5/8", "⅞": "7/8",
}  # fmt: skip
_FRACTION = re.compile(rf"(\d?)\s?([{''.join(_FRACTIONS)}])")
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
# "hundred mg" alone is 100 mg, but not in "2 hundred mg" or "a few hundred mg".
_ALONE = r"(?<!\d[\s-])(?<!half\s)(?<!few\s)(?<!several\s)(?<!many\s)"
_SMALLER = rf"(?:(?:{_SMALL}[\s-]|an?\s|{_ALONE})hundred(?:\s(?:and\s)?{_SMALL})?|{_SMALL})"
_BIGGER = rf"(?:(?:{_SMALLER}|an?)[\s-]|{_ALONE})(?:{_BIG})\b(?:\s(?:and\s)?{_SMALLER})?"
_QUARTERS = r"(?:one|a)[\s-](?:half|quarter)|(?:one|two)[\s-]thirds?|three[\s-]quarters|quarter"
_HALVES = rf"(?:half(?:\s(?:a\s)?{_SCALE})?|{_QUARTERS})"
_SPELLED = rf"(?:{_HALVES}|(?:{_BIGGER}(?:\s{_BIGGER})?|{_SMALLER})(?:\sand\sa\shalf(?:\s{_SCALE})?)?)"
_PARTS = {
    word: Decimal(1) / n for word, n in (("half", 2), ("third", 3), ("thirds", 3), ("quarter", 4), ("quarters", 4))
}
_TIMES = {"": "1", "once": "1", "twice": "2", "thrice": "3"}
_PERIODS = r"(?:(?:per|an?|each|every)\s(hour|day|week|month|year)|(hour|dai|week|month|year)ly|(annually))\b"
_OFTEN = re.compile(
    rf"\b(?:(?:(once|twice|thrice)|(?:({_NUMBER}|{_SMALL})(?:{_TO}))?({_NUMBER}|{_SMALL})\s?(?:times|x|\u00d7))\s)?{_PERIODS}",
    re.IGNORECASE,
)
_OTHER = re.compile(r"\b(?:every\s(?:other|second)|alternate)\s(day|week|month)s?\b", re.IGNORECASE)
_TWICE = re.compile(r"\b(twice|thrice)\b", re.IGNORECASE)
_LATIN = re.compile(r"\b(?:(b\.?i\.?d|bd)|(t\.?i\.?d|tds)|(q\.?i\.?d|qds)|(q\.?d|o\.d))\b", re.IGNORECASE)
_EVERY = re.compile(r"\bq\.?(\d+)(?:-(\d+))?\s?h(?:r|rs|ours?)?\b", re.IGNORECASE)
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
    "m³": "m3", "batche": "batch", "patche": "patch", "mgs": "mg", "mls": "ml", "gm": "g", "gms": "g", "cc": "ml",
    "u": "unit", "s": "second", "μl": "µl", "ul": "µl", "μmol": "µmol", "umol": "µmol",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number and its unit, lower case and singular; the unit is empty for a bare number."""

    value: Decimal
    unit: str


def quantities(text: str) -> frozenset[Quantity]:
    """Every quantity that a text states; both ends of a range carry the range's unit and its hundred or million.

    Where words can be read in two ways, that reading is taken which lets fewer wrong doses pass for stated: "one or two
    hundred mg" states no 1 mg, "1/2 tablet" no 2 tablets, "twice daily" no daily dose.
    """
    plain = _CLAUSE.sub(" ", _figures(text))
    return frozenset({*_measured(plain), *_worded(plain), *_often(plain)})


def _figures(text: str) -> str:
    """A text with its raised powers of ten and its fraction characters written out: 10⁶ is 10^6, 1½ is 1 1/2."""
    raised = _RAISED.sub(lambda match: "10^" + match.group(1).translate(_LOWERED), text)
    return _FRACTION.sub(lambda match: match.group(1) + " " * bool(match.group(1)) + _FRACTIONS[match.group(2)], raised)


def _measured(text: str) -> Iterator[Quantity]:
    """Quantities in figures."""
    for match in _QUANTITY.finditer(text):
        first, to, last, others, written = match.groups()
        unit, before = _unit(written or ""), text[max(0, match.start() - 4) : match.start()]
        minus = _MINUS.search(before[-2:]) is not None
        if not minus and not unit and before[-1:] in _GLUED:
            continue
        value = _shared(first, last) if last else _value(first)
        yield Quantity(-value if minus else value, _spread(before) + unit)
        for number in [last] if last else (others or "").split("/")[1:]:
            yield Quantity(_value(number), _spread(to or "") + unit)


def _spread(before: str) -> str:
    """What marks the unit of a deviation: 5 mg is no dose of ``50 ± 5 mg``."""
    return "±" if _SPREAD.search(before) else ""


@cache
def _in_words() -> re.Pattern[str]:
    """Numbers in words; compiled when first needed, because that takes 80 ms that no start should wait for."""
    return re.compile(
        rf"\b(?:(?:between\s({_SPELLED})\sand\s|((?>{_SPELLED}|{_NUMBER}))(?:-?\s(?:to|or)\s|\s?[-–—]\s?))?({_SPELLED})"
        rf"|((?>{_SPELLED}))(?:-?\s(?:to|or)\s|\s?[-–—]\s?)({_NUMBER}))[\s-](?:of\s)?(?:an?\s)?({_UNITS})(?!\w)",
        re.IGNORECASE,
    )


def _worded(text: str) -> Iterator[Quantity]:
    """Quantities in words; a number in words without a unit is none."""
    for match in _in_words().finditer(text):
        *numbers, unit = match.groups()
        written = [number for number in numbers if number]
        values = [_shared(*written), _value(written[1])] if len(written) > 1 else [_value(written[0])]
        yield from (Quantity(value, _unit(unit)) for value in values)


def _often(text: str) -> Iterator[Quantity]:
    """How often something is done: ``every day`` and ``daily`` are the same, ``twice daily`` is another."""
    for match in _OFTEN.finditer(text):
        word, first, last, every, ending, _ = match.groups()
        period = f"per {(every or ending or 'year').lower().replace('dai', 'day')}"
        numbers = [number for number in (first, last) if number]
        yield from (Quantity(_value(number), period) for number in numbers or [_TIMES.get((word or "").lower(), "1")])
    for match in _TWICE.finditer(text):
        yield Quantity(_value(_TIMES[match.group().lower()]), "time")
    for match in _OTHER.finditer(text):
        yield Quantity(Decimal(2), match.group(1).lower())
    for match in _LATIN.finditer(text):
        times = Decimal(next(n for n, it in zip((2, 3, 4, 1), match.groups(), strict=True) if it))
        yield from [Quantity(times, "per day")] + [Quantity(times, "time")] * (times > 1)
    for match in _EVERY.finditer(text):
        yield from (Quantity(Decimal(number).normalize(), "h") for number in match.groups() if number)


def clauses(text: str) -> frozenset[str]:
    """Every clause that a text names, spaces and the title's number left out: ``211.192(a)``, ``annex11``."""
    return frozenset(_clause(match.group()) for match in _CLAUSE.finditer(text))


def _clause(words: str) -> str:
    return re.sub(r"^(?:(?:21|45)?cfr)?(?:parts?|§+|sections?|clause)?", "", re.sub(r"\s+", "", words.lower())).rstrip(
        "."
    )


def _shared(first: str, last: str) -> Decimal:
    """The value of a range's first number: ``two`` of ``two or three hundred`` is 200, of ``2–3 million`` 2,000,000.

    It takes as many of the last number's multipliers as let it stay the smaller one: ``fifty to two hundred`` is 50.
    """
    value, (lead, multipliers) = _value(first), _lead(last)
    for place, multiplier in enumerate(multipliers):
        if value < lead:
            return (value * math.prod(multipliers[place:])).normalize()
        lead *= multiplier
    return value


def _lead(written: str) -> tuple[Decimal, list[Decimal]]:
    """A number without its multipliers, and these from the smallest on: 2 and 100, 1000 of ``two hundred thousand``."""
    words = written.lower()
    if power := _TIMES_TEN.search(words):
        return _value(words[: power.start()]), [_value(power.group(1))]
    scales: list[Decimal] = []
    for name in re.findall(_SCALE, words):
        scales += [Decimal(_SCALES[name])] * (not scales or _SCALES[name] > scales[-1])
    before = re.split(_SCALE, words, maxsplit=1)[0].strip(" -")
    return (Decimal(1) if before in {"", "a", "an"} else _value(before)), scales


def _value(written: str) -> Decimal:
    """The value of a number in figures or words."""
    words = re.sub(r"[–\u2212]", "-", written.lower().strip())
    if re.match(r"[a-z]", words):
        return _spelled(words)
    if power := _TIMES_TEN.search(words):
        return (_value(words[: power.start()]) * _value(power.group(1))).normalize()
    if power := re.match(r"10\s?\^\s?\(?([+-]?\d+)", words):
        return Decimal(10).scaleb(int(power.group(1)) - 1).normalize()
    if scale := re.search(rf"[\s-]?({_SCALE})$", words):
        return (_plain(words[: scale.start()]) * _SCALES[scale.group(1)]).normalize()
    return _plain(words)


def _plain(figures: str) -> Decimal:
    """The value of figures without a multiplier: 1 1/2, 0,125, 1,000, 10 000, 2.5."""
    if "/" in figures:
        *whole, part = figures.split()
        over, under = part.split("/")
        return (sum(map(Decimal, whole), Decimal(0)) + Decimal(over) / Decimal(under)).normalize()
    if re.fullmatch(r"-?(?:0,\d+|\d+,\d{1,2})", figures):
        return Decimal(figures.replace(",", ".")).normalize()
    return Decimal(re.sub(r"[,\s]", "", figures)).normalize()


def _spelled(words: str) -> Decimal:
    """The value of a number in words: ``two hundred and fifty`` is 250."""
    whole, part = Decimal(0), Decimal(0)
    for word in re.split(r"[\s-]+", words.replace(" and a half", " added")):
        if word == "added":
            part += _PARTS["half"]
        elif word in _PARTS:
            part = (part or Decimal(1)) * _PARTS[word]
        elif word in _SCALES:
            part = (part or Decimal(1)) * _SCALES[word]
            if word != "hundred":
                whole, part = whole + part, Decimal(0)
        else:
            part += _ONES.get(word) or _TENS.get(word) or 0
    return (whole + part).normalize()


def _unit(written: str) -> str:
    joined = re.sub(r"\s?/\s?|\sper\s", "/", re.sub(r"\s+", " ", written).lower())
    return "/".join(_singular(part) for part in joined.split("/"))


def _singular(unit: str) -> str:
    singular = unit[:-1] if len(unit) > 3 and unit.endswith("s") else unit  # noqa: PLR2004
    return _SAME_UNIT.get(singular, singular)
