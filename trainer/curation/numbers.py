"""Personal data that is known by its figures: mails, phones, postal addresses, records' numbers, dates of birth.

Product codes, application numbers, doses, clauses and other dates look alike and are left; `personal` uses it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import regex


@dataclass(frozen=True, slots=True)
class Found:
    """Characters ``start`` to ``end`` of a text that hold personal data of a kind."""

    start: int
    end: int
    kind: str
    text: str


_MAIL = regex.compile(
    r"[\p{L}\d._%+\-']*[\p{L}\d_]@[\p{L}\d](?:[\p{L}\d\-]*[\p{L}\d])?(?:\.[\p{L}\d](?:[\p{L}\d\-]*[\p{L}\d])?)+"
    r"|[\p{L}\d._+\-]+ ?(?:\(at\)|\[at\]|\{at\}| at ) ?[\p{L}\d\-]+(?: ?(?:\(dot\)|\[dot\]| dot ) ?[\p{L}\d\-]+)+"
    r"|[\p{L}\d._+\-]+ ?(?:\(at\)|\[at\]) ?[\p{L}\d\-]+(?:\.[\p{L}\d\-]+)+"
)
_GAP = r"(?: ?\(0\) ?|\(|\) ?[\-–./]? ?|[ \-–./\u2011]\(?|-\n| - )"
_FIGURES = regex.compile(
    rf"(?<![\w.\-/§+(])(?:\(\+? ?|\+ ?)?\d(?:{_GAP}?\d)*\)?(?!\d)"
    r"(?: ?,? ?(?:x|ext\.?|extension) ?\d{1,6})?(?![\d%°])"
)
_PHONE_CUE = regex.compile(
    r"(?i)(?:\b(?:(?:tele)?phone|tel|fax|call(?:ed|ing)?|mobile|cell|reach(?:ed)?|dial|ring|rang|hotline|whats\s?app|"
    r"pager|number|no\.|phoned|texted|sms|contact|callback|call back|ext|at|under)|☎|📞)"
    r"(?: me| us| him| her| them| back)?(?:[\s:.,)]| is| was| on| at| under| no\.?| number| line|\bthe)*$"
)
_CALL = regex.compile(r"(?i)\b(?:ring|rang|call|phone|reach|contact|dial|text|telephone)")
_THERE = regex.compile(r"(?i)\b(?:on|at|under|via|using)[\s:]*$")
_SHAPE = regex.compile(
    r"\(?\d{3}\)?[ .\-]\s?\d{3}[.\- ]\s?\d{4}|\(0?\d{2,5}\)[ \-]?\d[\d \-]{4,}|0\d[\d\-/]{7,}|"
    r"0\d{1,4}[ /\-]\d[\d \-/]{4,}"
)
_NO_PHONE_CUE = regex.compile(
    r"(?i)(?:\b(?:NDC|NDA|ANDA|BLA|IND|lot|batch|ISBN|ISSN|CFR|version|revision|page|PMID|PMC|doi|EU/|ID|EudraCT|NCT|"
    r"serial|catalog(?:ue)?|item|order|invoice|unii|rxcui|docket|supplement|DMF|FEI|UNS|DUNS|code|standard|iso)"
    r"(?: no\.?| number| id)?)[\s:#.\-/]*$"
)
_DATE = regex.compile(
    r"(?:(?:19|20)\d\d[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])|\d{1,2}[-/.]\d{1,2}[-/.](?:(?:19|20)\d\d|\d\d)"
    r"|(?:19|20)\d\d ?[-–] ?(?:19|20)\d\d)(?: \d{1,2})?(?!\d|[ ./-]\d)"
)
_PRODUCT_CODE = regex.compile(r"\d{4,5}-\d{3,4}-\d{1,2}|\d-\d{5}-\d{3}-\d")
_CODE = r"[A-Z]{0,4}[\-/ ]?\d(?:[\dA-Z]|[\-/. ](?=[\dA-Z]*\d))*"
_WHICH = r"(?: ?(?:id|no\.?|number|nr\.?|file|identifier|security))"
_RECORD = regex.compile(
    rf"(?i:\b(?:(?:MRN|NHS|SSN|social security|passport|national insurance|health card){_WHICH}*|"
    rf"(?:(?:medical|hospital|patient|health|chart|clinic)(?:'s)? )?(?:patient|hospital|chart|record|case|subject|"
    rf"insurance|policy|member|admission|identity card|driv(?:ing|er's) licen[cs]e){_WHICH}+)"
    r"(?:\s*[:#]|\s+is|\s+was)?\s*#?\s*)"
    rf"(?P<value>{_CODE})(?![\w%])"
)
_SSN = regex.compile(r"(?<![\w\-])\d{3}-\d{2}-\d{4}(?![\w\-])")
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\p{L}*\.?"
_BIRTH = regex.compile(
    r"(?i:\b(?:DOB|d\.o\.b\.?|date of birth|birth ?date|born(?: on)?)(?: is| was)?\s*[:\-]?\s*)"
    rf"(?P<value>\d{{1,4}}[-/. ]\d{{1,2}}[-/. ]\d{{2,4}}|\d{{1,2}} {_MONTH},? \d{{4}}|{_MONTH} \d{{1,2}},? \d{{4}})"
)
_WAY = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Boulevard|Blvd|Way|Court|Ct|Place|Square|Terrace|Parkway|"
    r"Highway|Hwy|Circle|Trail|Crescent|Close|Gardens|Alley|Grove|Row|Walk|Hill|Park|Heights|Mews|Quay|"
    r"\p{L}*(?:stra(?:ß|ss)e|str|gasse|weg|platz|allee|straat|laan|plein|gracht|pad|gatan|vägen|vej|gade|veien|katu))"
)
_ENDS = r"(?:stra(?:ß|ss)e|str\.|gasse|weg|platz|allee|straat|laan|gatan|vej|katu)"
_UP = r"(?:\p{Lu}[\p{L}\p{M}'’.\-]*|de|del|du|la|le|of|the|da|do|di)"
_ADDRESSES = (
    regex.compile(
        rf"(?<![\w.])\d{{1,6}}[A-Za-z]?,? (?:{_UP} ){{0,5}}{_WAY}\b\.?"
        r"(?:,? (?:Apt|Apartment|Suite|Unit|Flat|Floor)\.? ?\w+)?"
        r"(?:[,\n] ?\p{Lu}[\p{L} .'’\-]+)?(?:,? [A-Z]{2} \d{5}(?:-\d{4})?)?"
    ),
    regex.compile(
        rf"(?:{_UP} )*\p{{Lu}}[\p{{L}}.\-]*{_ENDS} \d+[a-z]?(?:[/\-]\d+)*(?:[,\n] ?\d{{4,5}} \p{{Lu}}[\p{{L}}\-]+)?"
    ),
    regex.compile(r"(?:\p{Lu}[\p{L}.'’\-]+ ){0,3}\p{Lu}[\p{L}.'’\-]+,? [A-Z]{2},? \d{5}(?:-\d{4})?(?!\d)"),
    regex.compile(r"(?i:\bP\.? ?O\.? ?Box) \d+(?:,? \p{Lu}[\p{L} ]+)?"),
    regex.compile(
        r"\b(?:(?i:rue|avenue|boulevard|via|viale|piazza|calle|avenida|rua)|[Uu]l\.|[Aa]l\.) "
        r"(?:\p{Lu}[\p{L}.'’\-]* ?){1,5},? \d+\w?"
    ),
)
_ADDRESS_CUE = regex.compile(
    r"(?i:\b(?:(?:home |postal |mailing |street |my |his |her |their )?address(?: is| was)?|"
    r"(?:lives?|living|resid(?:es|ing)) (?:at|in)|located at|"
    r"(?:sent|ship|shipped|mail(?:ed)?|deliver(?:ed)?|posted) to)"
    r"\s*:?\s*)"
    r"(?P<value>(?=[^.;\n]{0,80}\d)[^;\n]{6,140}?(?:\n[^;\n]{3,60}?){0,2}?)"
    r"(?=\.(?:\s|$)|;|\n\n|\n(?=\p{Lu}\p{L}+:)|\.?$| and (?:my|his|her|the)\b)"
)
_LEAST, _MOST = 7, 15


def numbers(text: str) -> Iterator[Found]:
    """Where such data stands; the surest kinds first, since of two that overlap the first is taken."""
    for match in _MAIL.finditer(text):
        yield Found(match.start(), match.end(), "email", match.group())
    for kind, pattern in (("date of birth", _BIRTH), ("record number", _RECORD), ("address", _ADDRESS_CUE)):
        for match in pattern.finditer(text):
            if sum(character.isdigit() for character in match["value"]) > 1:
                yield Found(match.start("value"), match.end("value"), kind, match["value"])
    for match in _SSN.finditer(text):
        yield Found(match.start(), match.end(), "record number", match.group())
    for pattern in _ADDRESSES:
        for match in pattern.finditer(text):
            yield Found(match.start(), match.end(), "address", match.group())
    for match in _FIGURES.finditer(text):
        if _phone(text, match.start(), match.group()):
            yield Found(match.start(), match.end(), "phone", match.group())


def _phone(text: str, start: int, written: str) -> bool:
    """Whether a run of figures is a phone number, by its form and by what stands before it."""
    main = regex.split(r"x|ext", written)[0]
    digits = sum(character.isdigit() for character in main)
    before = text[max(0, start - 80) : start]
    if not _LEAST <= digits <= _MOST or _NO_PHONE_CUE.search(before) or _dated(written):
        return False
    if main != written or written.startswith(("+", "(+", "00")):
        return True
    if _PHONE_CUE.search(before) or (_CALL.search(before) and _THERE.search(before)):
        return True
    return not _PRODUCT_CODE.fullmatch(written) and (
        _SHAPE.fullmatch(written) is not None or _alone(text, start, written)
    )


def _dated(written: str) -> bool:
    """Whether the figures begin with a date; a time may follow."""
    return _DATE.match(written) is not None


def _alone(text: str, start: int, written: str) -> bool:
    """Whether nothing else stands on the line."""
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", start + len(written))
    rest = text[start + len(written) : line_end if line_end >= 0 else None]
    return "\n" in text and not text[line_start:start].strip() and not rest.strip()
