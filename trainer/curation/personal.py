"""Personal data in letters and feedback, replaced by its kind in brackets: names, phones, mails, addresses, numbers.

No model and no list of names: a name is known by what stands around it (Dear, contact, a signature, a degree) and by
its shape, and by not being an ordinary word, an office, a product or an active substance. What has been found as a
name once is taken out wherever else it stands in the example. Doses, clauses and the dates of documents stay.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import regex

from trainer.curation import lexicon
from trainer.curation.numbers import Found, numbers
from trainer.records import Example, Message

_PIECE = r"(?:\p{Lu}\.(?:\p{Lu}\.)*|(?:\p{L}['’])?\p{Lu}[\p{L}\p{M}]*(?:['’\-]\p{L}[\p{L}\p{M}]*)*)"
_LINK = (
    r"(?:van|von|de|del|della|der|den|het|'t|di|da|do|dos|das|du|la|le|ten|ter|bin|bint|al|el|y|e|und|zu|af|av|abu|ibn)"
)
_RUN = regex.compile(
    rf"(?<![\p{{L}}\d@/_'’\-])(?:{_LINK} )?{_PIECE}(?:\.? (?:{_LINK} ){{0,2}}{_PIECE})*(?![\p{{L}}\d@_])"
)
_OTHER_SCRIPT = regex.compile(
    r"(?:[\p{Han}\p{Hiragana}\p{Katakana}\p{Cyrillic}\p{Arabic}\p{Hebrew}\p{Devanagari}\p{Hangul}\p{Thai}\p{Georgian}"
    r"\p{Armenian}\p{Bengali}\p{Tamil}\p{Telugu}][\p{M}ー]*){2,}"
    r"(?:[ ・.\-]*(?:[\p{Han}\p{Hiragana}\p{Katakana}\p{Cyrillic}\p{Arabic}\p{Hebrew}\p{Devanagari}\p{Hangul}\p{Thai}"
    r"\p{Georgian}\p{Armenian}\p{Bengali}\p{Tamil}\p{Telugu}][\p{M}ー]*)+)*|\p{Greek}{3,}(?:[ .\-]+\p{Greek}+)*"
)
_WORD = regex.compile(r"[^\s]+")
# Before a name, whatever its words.
_SURE_BEFORE = regex.compile(
    r"(?:\b(?i:dear|attn|attention|name|named|signed|signature|signatory|sincerely|regards|yours|faithfully|"
    r"(?:prepared|reviewed|approved|written|reported|submitted|verified|authored|performed|checked|released) by|"
    r"my name is|mr|mrs|ms|miss|mx|dr|prof|professor|herr|frau|mme|signed off by|(?:patient|his|her|their|your) name)"
    r"(?: is| was)?|/s/)[\s.,:;\-_]*$"
)
# Before a name that is no ordinary word.
_LIKELY_BEFORE = regex.compile(
    r"\b(?i:patient|contact|called?|ask(?:ed)?|tell|told|e-?mail|write to|wrote to|reach|cc|bcc|colleague|nurse|"
    r"pharmacist|physician|doctor|inspector|investigator|auditor|reviewer|manager|director|operator|technician|"
    r"analyst|supervisor|officer|daughter|son|wife|husband|mother|father|sister|brother|friend|met|thank|thanks|hello|"
    r"hi|informed|notified|spoke (?:to|with)|i am|from:|to:)[\s,:(\-]*$"
)
# Before a name of two words or more, one of which is no ordinary word.
_LOOSE_BEFORE = regex.compile(
    r"\b(?i:by|from|to|with|for|and|is|was|that|of|saw|see|gave|subject|mentioned|between|at|site|caller|client)[\s,:(\-]*$"
)
_AFTER = regex.compile(
    r"\A(?:['’]s)?,?\s*(?:(?:M\.?D|Ph\.?\s?D|Pharm\.?\s?D|R\.?\s?Ph|M\.?P\.?H|M\.?S|B\.?S|M\.?B\.?A|J\.?D|D\.?O|R\.?N|"
    r"B\.?Sc|M\.?Sc|D\.?V\.?M|QP|Jr|Sr|Esq|II|III)\b"
    r"|(?i:(?:has |had |also )?(?:said|says|reported|reports|wrote|writes|called|asked|told|noted|stated|confirmed|"
    r"signed|reviewed|approved|explained|took|takes|received|complained|mentioned|noticed|performed|observed|"
    r"recorded|entered|discarded|forgot|phoned|replied|agreed|informed)\b)"
    r"|[<(\[]?[\p{L}\d._+\-]+@|\(?\+\d|\(aged?\b|\(?(?:born|DOB|MRN|aged)\b|\n[-_=]*\s*\d{1,2}/\d{1,2}/\d{4}"
    r"|,\s(?:\p{Lu}[\p{L}.]+ ){0,4}(?:Director|Manager|Officer|Coordinator|Inspector|Specialist|Reviewer|Pharmacist)\b)"
)
_LISTED = (
    ("title", lexicon.TITLES), ("office", lexicon.OFFICES), ("product", lexicon.PRODUCTS), ("role", lexicon.ROLES),
    ("role", lexicon.PLACES),
)  # fmt: skip
_LARGEST = 6
_ACRONYM = 6


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    start: int
    end: int
    kind: str  # title, role, office, product, known, initial, acronym, link or unknown


def concerns(example: Example, sources: Sequence[str]) -> bool:
    """Whether an example comes from sources that hold personal data; ``sources`` are words in their names."""
    names = [doc_id.partition(":")[0] for doc_id in example.doc_ids]
    return any(word in name for name in names for word in sources)


class Detector:
    """Finds and replaces personal data."""

    def __init__(self) -> None:
        self._ordinary = lexicon.ordinary()

    def without(self, example: Example) -> tuple[Example, Counter[str]]:
        """The example without personal data, and how many pieces of each kind were taken out.

        The ingredients that the example is about are no names, whatever they look like.
        """
        drugs = frozenset(
            word for g in example.groups for word in regex.findall(r"\p{L}+", g.partition(":")[2].lower())
        )
        turns = [message.content for message in example.messages]
        cleaned, counts = self.cleaned(turns, drugs=drugs, language=example.language)
        messages = tuple(Message(m.role, text) for m, text in zip(example.messages, cleaned, strict=True))
        return replace(example, messages=messages), counts

    def cleaned(
        self, texts: Sequence[str], *, drugs: frozenset[str] = frozenset(), language: str = "en"
    ) -> tuple[list[str], Counter[str]]:
        """Texts that belong together without personal data, and the number of pieces by kind.

        Args:
            texts: turns of one conversation, or one letter.
            drugs: words in lower case that are never names.
            language: of the text; in English, other scripts hold names.
        """
        found = [self._found(text, drugs, language) for text in texts]
        known = self._family_names(f.text for one in found for f in one if f.kind == "name")
        counts: Counter[str] = Counter()
        cleaned = []
        for text, one in zip(texts, found, strict=True):
            spans = _apart([*one, *_repeated(text, known)])
            counts.update(span.kind for span in spans)
            cleaned.append(_replaced(text, spans))
        return cleaned, counts

    def _found(self, text: str, drugs: frozenset[str], language: str) -> list[Found]:
        """Numbers and addresses first: what lies in them is no name."""
        return _apart([*numbers(text), *self.names(text, drugs=drugs, language=language)])

    def names(self, text: str, *, drugs: frozenset[str] = frozenset(), language: str = "en") -> Iterator[Found]:
        """Where persons are named."""
        if language == "en":
            for match in _OTHER_SCRIPT.finditer(text):
                yield Found(match.start(), match.end(), "name", match.group())
        for match in _RUN.finditer(text):
            tokens = list(self._tokens(match, drugs))
            if span := self._person(text, tokens):
                yield Found(*span, "name", text[slice(*span)])

    def _tokens(self, match: "regex.Match[str]", drugs: frozenset[str]) -> Iterator[_Token]:
        words = list(_WORD.finditer(match.group()))
        shouting = sum(word.group().isupper() and len(word.group()) > 1 for word in words) > 1
        for word in words:
            text = regex.sub(r"['’]s$", "", word.group())
            start = match.start() + word.start()
            yield _Token(text, start, start + len(text), self._kind(text, drugs, shouting=shouting))

    def _kind(self, text: str, drugs: frozenset[str], *, shouting: bool) -> str:
        word = text.lower().rstrip(".")
        listed = next((kind for kind, some in _LISTED if word in some), "")
        if listed or word in drugs or lexicon.substance(word):
            return listed or "product"
        if len(word) == 1 or regex.fullmatch(r"(?:\p{Lu}\.)+", text):
            return "initial"
        if text.islower():
            return "link"
        if all(part in self._ordinary for part in regex.split(r"['’\-]", word) if part):
            return "known"
        return "acronym" if text.isupper() and not shouting and len(text) <= _ACRONYM else "unknown"

    def _person(self, text: str, tokens: list[_Token]) -> tuple[int, int] | None:
        """Where in a run of capitalised words a person is named; None where none is."""
        tokens, titled = _core(tokens)
        if not tokens or any(token.kind in {"office", "product"} for token in tokens):
            return None
        start, end = tokens[0].start, tokens[-1].end
        before = text[max(0, start - 40) : start]
        named = _named(
            tokens,
            sure=titled or _SURE_BEFORE.search(before) is not None,
            likely=_LIKELY_BEFORE.search(before) is not None,
            loose=_alone(text, start, end) or _LOOSE_BEFORE.search(before) is not None,
            after=_AFTER.search(text[end : end + 60]) is not None,
        )
        return (start, end) if named else None

    def _family_names(self, names: Iterable[str]) -> frozenset[str]:
        """Words of names that are nothing else, to be taken out wherever they stand."""
        words = {word for name in names for word in regex.findall(r"[\p{L}\p{M}'’\-]{3,}", name)}
        return frozenset(word for word in words if word.lower() not in self._ordinary and word[0].isupper())


def _core(tokens: list[_Token]) -> tuple[list[_Token], bool]:
    """A run without the words around a name in it, and whether one of them was a title."""
    titled = False
    while tokens and tokens[0].kind in {"title", "role", "known", "link"} and _leads(tokens, titled=titled):
        titled = titled or tokens[0].kind == "title"
        tokens = tokens[1:]
    while tokens and tokens[-1].kind in {"role", "title", "link"}:
        tokens = tokens[:-1]
    return tokens[:_LARGEST], titled


def _leads(tokens: Sequence[_Token], *, titled: bool) -> bool:
    """Whether the first word belongs to the sentence and not to a name that follows it."""
    first, rest = tokens[0], tokens[1:]
    if first.kind in {"title", "role"}:
        return True
    if titled or first.kind == "link":
        return False
    return sum(token.kind == "unknown" for token in rest) > 1 or first.text.lower() in _OPENERS


_OPENERS = frozenset(
    "the a an this that these those on in at by for from to with when while after before if as and or but please "
    "yesterday today tomorrow contact call ask tell email write reach thank thanks hello hi our your my his her their "
    "its then so is was are were has have had will can may should also since although because both see per".split()
)


def _named(tokens: Sequence[_Token], *, sure: bool, likely: bool, loose: bool, after: bool) -> bool:
    """Whether a run of words is a person's name, by its words and by what stands around it."""
    kinds = Counter(token.kind for token in tokens)
    unknown, words = kinds["unknown"], kinds["unknown"] + kinds["known"]
    if sure or after:
        return words > 0 and (unknown > 0 or words > 1 or sure)
    if likely or loose:
        return unknown > 0 and (likely or len(tokens) > 1)
    return unknown > 1 or (unknown == 1 and kinds["initial"] > 0)


def _alone(text: str, start: int, end: int) -> bool:
    """Whether nothing else stands on the line."""
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", end)
    return not text[line_start:start].strip() and not text[end : line_end if line_end >= 0 else None].strip(" ,.")


def _repeated(text: str, words: frozenset[str]) -> Iterator[Found]:
    if words:
        either = "|".join(sorted(map(regex.escape, words), key=lambda word: (-len(word), word)))
        for match in regex.finditer(rf"(?<![\p{{L}}\d@.])(?:{either})(?![\p{{L}}\d@])", text):
            yield Found(match.start(), match.end(), "name", match.group())


def _apart(found: Sequence[Found]) -> list[Found]:
    """Places that do not overlap, in order; of two that do, the one named first stays."""
    kept: list[Found] = []
    for one in found:
        if not any(one.start < other.end and other.start < one.end for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda one: one.start)


def _replaced(text: str, spans: Sequence[Found]) -> str:
    pieces, place = [], 0
    for span in spans:
        pieces += [text[place : span.start], f"[{span.kind}]"]
        place = span.end
    return "".join([*pieces, text[place:]])
