"""What a text states, in slices of it: a sentence, or a list with the words that announce it.

Only statements that answer by themselves are given: no "see section 4", no "However, it …", no heading, no list whose
end is missing. Knows no question.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from lumen_desktop.domain.sentences import Sentence, sentences

_FEWEST_WORDS, _MOST_WORDS, _MOST_LIST_WORDS, _MOST_ITEMS = 5, 70, 160, 20
_MOST_OPENING_ITEM_WORDS = 45
_BULLET = re.compile(r"(?:^|\n)[ \t]*(?:[-•*–▪●◦]|\(?(?:[a-z]|\d{1,2}|[ivx]{1,4})[.)])[ \t\n]*$")
_MARK = re.compile(r"\(?(?:[a-z]|\d{1,2}|[ivx]{1,4})[.)]\s+(?=\S)")
# A reference to another place of the document: left out with its brackets, which changes nothing that is said.
_ASIDE = re.compile(
    r"\s*[\[(](?:\s*(?:please )?(?:see|refer to|listed in|described in|as described|ref\b|cf\.?)[^\])(]*"
    r"(?:\([^)]*\)[^\])(]*)*)[\])]",
    re.IGNORECASE,
)
_FOOTNOTE = re.compile(
    r"(?<=[a-z]{3})[⁰¹²³⁴-⁹]{1,3}(?![^\s.,;:)])|(?<!\S)[⁰¹²³⁴-⁹]{1,3}\s+(?=[A-Z])|(?<=[.,;)])[⁰¹²³⁴-⁹]{1,3}(?!\S)"
)
_ELSEWHERE = re.compile(
    r"\b(?:see|refer to|described (?:in|under)|listed (?:in|under|at)|shown in|given in|in|under|at)\s+"
    r"(?:also\s+)?(?:the\s+)?(?:section|table|figure|chapter|appendix|full prescribing|paragraph \d|end of)\b"
    r"|\b(?:table|figure|appendix|section)\s+[\dIVX]|\bsee\b.{0,60}[\"“”]|\b(?:above|below|following|previous)\b"
    r"(?!\s*(?:\d|normal|the (?:age|upper|lower)|which|average|zero|room))|\bas follows\b|\bsee\s+[A-Z]"
    r"|\b(?:hereafter|herein|elsewhere)\b|https?:|www\.|@|\(b\)\s?\(4\)",
    re.IGNORECASE,
)
_LEANS = re.compile(
    r"(?:it|its|they|their|them|he|she|his|her|those|these|this|such|thus|hence|however|therefore|in addition"
    r"|additionally|furthermore|moreover|also|consequently|accordingly|similarly|likewise|otherwise|then|instead"
    r"|nevertheless|nonetheless|both|neither|the (?:latter|former|same|other)|in (?:this|these|that|those|such|both)"
    r"|for (?:this|these|that|those|example)|of (?:these|those)|at this|by this|because of this|as a result|and|or|but"
    r"|so|alternatively|conversely|by contrast|in contrast|for instance|besides|yet|nor|another|others?"
    r"|in particular|(?:one|some|most) of (?:these|those)|with this|on this"
    r"|after this|during this|under these|i|again|finally|first|second|third|if so|if not|if this|if these"
    r"|if they|if it|when this|when it|when they|unlike|specifically|as such|to do (?:so|this)|that)\b(?!-)",
    re.IGNORECASE,
)
_THIS_MEDICINE = re.compile(
    r"(?:this|these) (?:medicines?|drugs?|products?|tablets?|capsules?|vaccines?|leaflet|condition|disorder|disease"
    r"|guidance|annex|guideline)\b",
    re.IGNORECASE,
)
_HANGS = re.compile(
    r"\b(?:these|those) (?:signs|symptoms|(?:side )?effects|events|tests|measures|problems|reactions|cases|findings)\b"
    r"|\bif (?:this|it) (?:happens|occurs|applies)\b|\b(?:listed|mentioned|described|noted) (?:here|there)\b",
    re.IGNORECASE,
)
# A sentence that runs on into the next one, or a list whose marks were lost.
_OPENINGS = (
    "These|This|If|It|Your|The|You|Stop|Ask|Take|Keep|Store|Tell|Always|Patients?|In|When|There|People|Many|Most|Some|"
    "Although"
)
_GLUED = re.compile(
    rf"[a-z0-9)] (?:{_OPENINGS})\b (?=[a-z])|^[\w ]{{3,40}} [–—-] [A-Z][a-z]"
    r"|[A-Za-z0-9)] (?:Do not|If you|Tell your|Talk to|You (?:should|must|may|can)|Take the|Like all|Your doctor)\b"
    r"|\b[A-Z]{3,} (?:If|Do|Ask|When|Keep|Use) (?=[a-z])|\bNDC\b|\bCFR \d+\.$"
)
_TWICE = re.compile(r"(\S+ \S+ \S+).{0,30} \1 ", re.IGNORECASE)  # a heading before a sentence that repeats it
_NUMBERED = re.compile(r"\d{1,2}(?:\.\d{1,2})+\.?\s+(?=[A-Z])")
_ENDS = re.compile(r"[.!?][\"'”’)\]]*$")
_CELL = " | "


@dataclass(frozen=True, slots=True)
class Statement:
    """What is said, as slices of a text.

    Attributes:
        lines: the sentence's slices; for a list those of the words that announce it, then of each item.
        start: where it begins; ``end`` where it ends, all slices included.
        text: the words on one line, without what was left out.
    """

    lines: tuple[tuple[tuple[int, int], ...], ...]
    start: int
    end: int
    text: str

    @property
    def slices(self) -> tuple[tuple[int, int], ...]:
        """All slices, in reading order."""
        return tuple(piece for line in self.lines for piece in line)

    def quoted(self, text: str, n: int) -> str:
        """The words as an answer gives them, each line with its source's number.

        Args:
            text: the text that the slices count in.
            n: the source's number in the prompt.
        """
        lead, *items = (_joined(text, line) for line in self.lines)
        if not items:
            return _cited(lead, n)
        return "\n".join([lead] * bool(lead) + [*(f"- {_cited(item.rstrip(',;.'), n, stop='')}" for item in items)])


@lru_cache(maxsize=256)  # several builders read one document after the other
def statements(text: str, start: int = 0, end: int | None = None) -> tuple[Statement, ...]:
    """The statements of a stretch of a text, in order; tables' rows are none.

    Args:
        text: a record's text.
        start: where the stretch begins.
        end: where it ends; None is the text's end.
    """
    return tuple(_statements(text, list(_sentences(text, start, len(text) if end is None else end))))


def _statements(text: str, found: list[Sentence]) -> Iterator[Statement]:
    at = len(bare := _items(text, found, 0))
    if made := _list(text, None, bare) if bare else None:  # announced by the section's heading
        yield made
    while at < len(found):
        items = _items(text, found, at + 1) if _announces(found[at]) else []
        made = _list(text, found[at], items) if items else _sentence(text, found[at])
        if made:
            yield made
        at += 1 + len(items)


def on_one_line(text: str) -> str:
    """Words without the line ends of the page, as the app's quotes have them (`domain.grounding.cite`)."""
    return " ".join(re.sub(r"(?<=\w-)\n(?=\w)", "", text).split())


def _sentences(text: str, start: int, end: int) -> Iterator[Sentence]:
    for sentence in sentences(text[start:end]):
        if _CELL not in sentence.text:
            yield Sentence(sentence.text, start + sentence.start, start + sentence.end)


def _announces(sentence: Sentence) -> bool:
    """Whether a list may follow; whether one does, its items say."""
    return not _ENDS.search(sentence.text)


def _items(text: str, found: list[Sentence], first: int) -> list[Sentence]:
    """The sentences that stand behind bullets, one after the other."""
    items: list[Sentence] = []
    for sentence in found[first:]:
        marked = _BULLET.search(text, max(0, sentence.start - 12), sentence.start) or _MARK.match(sentence.text)
        if not marked:
            break
        items.append(sentence)
    return items


def _sentence(text: str, sentence: Sentence) -> Statement | None:
    if number := _NUMBERED.match(sentence.text):
        sentence = Sentence(sentence.text[number.end() :], sentence.start + number.end(), sentence.end)
    pieces = _without_asides(text, sentence)
    words = _joined(text, pieces)
    plain = _ENDS.search(words) and not words.endswith("?")
    opens = words[:1].isupper() or words[:1].isdigit()
    if not (plain and opens) or not _FEWEST_WORDS <= len(words.split()) <= _MOST_WORDS:
        return None
    if (
        _refers(words)
        or _leans(words)
        or _unbalanced(words)
        or _HANGS.search(words)
        or _GLUED.search(words)
        or _TWICE.match(words)
    ):
        return None
    return Statement((pieces,), sentence.start, sentence.end, words)


def _list(text: str, lead: Sentence | None, items: list[Sentence]) -> Statement | None:
    """A list with all its items, or nothing: a part of one would pass for the whole."""
    lines = [_without_asides(text, lead) if lead else (), *(_without_asides(text, _unmarked(item)) for item in items)]
    announced, *spoken = (_joined(text, line) for line in lines)
    whole = " ".join([announced, *spoken]).strip()
    if not 2 <= len(items) <= _MOST_ITEMS or len(whole.split()) > _MOST_LIST_WORDS:  # noqa: PLR2004
        return None
    if lead and (len(announced.split()) < 2 or not announced[:1].isupper() or _leans(announced)):  # noqa: PLR2004
        return None
    plain = re.sub(r"\bthe following\b", "", whole, flags=re.IGNORECASE)
    if any(_nests(item) for item in spoken) or _refers(plain) or _unbalanced(whole):
        return None
    return Statement(tuple(lines), (lead or items[0]).start, items[-1].end, whole)


def _nests(item: str) -> bool:
    """Whether an item announces a list of its own, is a fragment or runs on into the next paragraph."""
    runs_on = re.search(r"[a-z)] [A-Z][a-z]+ (?:the|your|to|if|is|are|may|will|any|a|has|have)\b", item)
    return (
        not item
        or item.endswith(":")
        or bool(runs_on or _GLUED.search(item))
        or len(item.split()) > _MOST_OPENING_ITEM_WORDS
    )


def _unmarked(item: Sentence) -> Sentence:
    mark = _MARK.match(item.text)
    cut = mark.end() if mark else 0
    return Sentence(item.text[cut:], item.start + cut, item.end)


def _without_asides(text: str, sentence: Sentence) -> tuple[tuple[int, int], ...]:
    pieces, at = [], sentence.start
    found = [
        *_ASIDE.finditer(text, sentence.start, sentence.end),
        *_FOOTNOTE.finditer(text, sentence.start, sentence.end),
    ]
    for aside in sorted(found, key=lambda one: one.start()):
        pieces.append((at, aside.start()))
        at = aside.end()
    pieces.append((at, sentence.end))
    return tuple((start, end) for start, end in pieces if text[start:end].strip())


def _joined(text: str, pieces: tuple[tuple[int, int], ...]) -> str:
    joined = " ".join(on_one_line(text[start:end]) for start, end in pieces)
    return re.sub(r" (?=[.,;:](?:\s|$))", "", joined)


def _cited(words: str, n: int, *, stop: str = ".") -> str:
    """The words with their source's number before the full stop, as the app's instruction asks."""
    bare = words.removesuffix(".")
    return f"{bare} [{n}]{stop}"


def _refers(words: str) -> bool:
    return _ELSEWHERE.search(words) is not None


def _leans(words: str) -> bool:
    return _LEANS.match(words) is not None and _THIS_MEDICINE.match(words) is None


def _unbalanced(words: str) -> bool:
    return any(words.count(opening) != words.count(closing) for opening, closing in ("()", "[]", "“”"))
