"""Drug names: which drugs a text names, and which words of a question look like a misspelt drug.

It knows names, their ingredients and ordinary words; it knows no document, no dose and no database, and it never
replaces a word by another: a near miss is a question back to the user. Look-alike names (hydroxyzine, hydralazine)
are both names and are found as they were written.

``services.chat`` calls it: a question that names a drug which stands in no retrieved header or passage is refused
before the model is asked.
"""

import gzip
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

COMBINED = " + "  # between the ingredients of one product
_MAX_WORDS = 5
_SUGGESTIONS = 3
_QUALIFIES = 10  # names; a word that stands in so many is a salt or a qualifier
_SHORTEST_NEAR_MISS = 5  # letters; shorter words are one letter away from too much
_SHORTEST_TWO_EDITS = 8
_SHORTEST_STEM_WORD = 7
_SHORTEST_SINGULAR = 5
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_PUNCTUATED = re.compile(r"[^a-z0-9 ]").search
_GAP = re.compile(r"\s+|\s?[-\u2010-\u2013/+]\s?|\.")
# Endings that the World Health Organization keeps for groups of drugs.
# Source: WHO, The use of stems in the selection of International Nonproprietary Names (INN).
_STEMS = re.compile(
    r"(?:^(?:cef|gado|sulfa)[a-z]{4,}|(?:afil|azepam|azolam|azoline|bactam|barbital|bendazole|bicin|buvir|caine|cidin"
    r"|ciclib|ciclovir|cillin|citabine|conazole|cycline|dipine|dralazine|dronate|fibrate|flozin|floxacin|formin|fungin"
    r"|gatran|gepant|gliptin|glitazone|glutide|grelor|grel|iptan|kinra|limus|lukast|mab|mycin|navir|nidazole|olol"
    r"|oxacin|oxetine|parib|parin|penem|platin|prazole|prazan|pril|prilat|profen|rafenib|rubicin|sartan|semide|setron"
    r"|statin|stigmine|taxel|tegravir|terol|thiazide|tidine|tinib|tirelin|trexate|triptyline|tromab|vaptan|vudine"
    r"|xaban|xetil|zepam|zodone|zolamide|zomib))$"
)
_ENDINGS = ("'s", "s", "es", "d", "ed", "r", "er", "ing", "ly", "al", "able", "ability", "ness", "less", "ise", "ize")
_BEGINNINGS = ("non", "un", "re", "pre", "post", "sub", "over", "under", "mis", "inter", "multi", "micro", "bio", "co")


@dataclass(frozen=True, slots=True)
class DrugMention:
    """A drug that a text names: the words as written, the canonical ingredient, the character span."""

    name: str
    ingredient: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A word that is no known word and looks like a drug: as written, names it may mean (best first), the span.

    Without suggestions the word ends as drug names end, but no known name is near.
    """

    written: str
    suggestions: tuple[str, ...]
    start: int
    end: int


class _Token(NamedTuple):
    word: str  # folded
    start: int
    end: int
    joined: bool  # only a space, hyphen or slash lies between it and the word before


class DrugNames:
    """The names of drugs, with an index for misspellings that is built at the first question."""

    __slots__ = ("_index", "_ingredients", "_ordinary", "_own", "_own_index", "_spelling", "_stopped")

    def __init__(self, names: Mapping[str, str], stop_words: Iterable[str], ordinary: frozenset[str]) -> None:
        """Take the names with their ingredients, the names that are ordinary in this field, and ordinary words.

        Args:
            names: each name's ingredient, lower case; several ingredients are joined by ``" + "``.
            stop_words: names that are not taken for drugs (water, oxygen, lactose).
            ordinary: words that are no drug, lower case, without accents.
        """
        self._stopped = frozenset(_key(name) for name in stop_words)
        self._ordinary = ordinary
        self._own: dict[str, str] = {}
        self._own_index = _Index(self._own)
        self._index: list[_Index] = []  # shared with every extension, filled at the first question
        self._ingredients = dict(names)
        self._spelling: dict[str, str] = {}
        for name in [name for name in names if _PUNCTUATED(name)]:
            key = _key(name)
            self._ingredients[key] = self._ingredients.pop(name)
            self._spelling[key] = name

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the bundled dictionary.

        Args:
            folder: holds ``names.tsv.gz`` (name, tab, ingredient), ``stop_words.txt`` and ``ordinary_words.txt.gz``.

        Raises:
            OSError: a file is missing or damaged.
        """
        fields = _unzipped(folder / "names.tsv.gz").replace("\n", "\t").split("\t")
        names = dict(zip(fields[0::2], fields[1::2], strict=False))  # a closing newline leaves one empty field
        ordinary = frozenset(_unzipped(folder / "ordinary_words.txt.gz").split())
        return cls(names, (folder / "stop_words.txt").read_text(encoding="utf-8").splitlines(), ordinary)

    def extended(self, names: Iterable[str]) -> Self:
        """Return these names and more, such as imported documents carry; the dictionary itself is shared.

        A name whose every word is an ordinary word is not taken: "Process Validation" must not become a drug.
        """
        other = object.__new__(type(self))
        other._stopped, other._ordinary, other._spelling = self._stopped, self._ordinary, dict(self._spelling)
        other._ingredients, other._index, other._own = self._ingredients, self._index, dict(self._own)
        for name in names:
            key = _key(name)
            if self._lookup(key) or not self._is_unusual(key):
                continue
            other._own[key] = other._spelling[key] = _fold(name.strip())
        other._own_index = _Index(other._own)
        return other

    def _is_unusual(self, key: str) -> bool:
        words = [word for word in key.split() if len(word) > 1 and not word.isdigit()]
        return 0 < len(words) <= _MAX_WORDS and any(not self._is_known_word(word, frozenset()) for word in words)

    def find(self, text: str) -> tuple[DrugMention, ...]:
        """Return the drugs that a text names, in its order; the longest name wins ("insulin glargine")."""
        return tuple(self._mentions(text, _tokens(text)))

    def _mentions(self, text: str, tokens: list[_Token]) -> Iterator[DrugMention]:
        at = 0
        while at < len(tokens):
            width, key = self._longest(tokens, at)
            if key and key not in self._stopped:
                start, end = tokens[at].start, tokens[at + width - 1].end
                yield DrugMention(text[start:end], self._own.get(key) or self._ingredients[key], start, end)
            at += width

    def _longest(self, tokens: list[_Token], at: int) -> tuple[int, str | None]:
        width = 1
        while width < _MAX_WORDS and at + width < len(tokens) and tokens[at + width].joined:
            width += 1
        for used in range(width, 0, -1):
            found = self._lookup(" ".join(token.word for token in tokens[at : at + used]))
            if found:
                return used, found
        return 1, None

    def _lookup(self, key: str) -> str | None:
        """Return the known name that a phrase is: itself, or its singular or owner."""
        if key in self._ingredients or key in self._own or key in self._stopped:
            return key
        for ending in ("'s", "s"):
            bare = key.removesuffix(ending)
            if bare != key and len(bare) >= _SHORTEST_SINGULAR and key not in self._ordinary:
                return bare if bare in self._ingredients or bare in self._own or bare in self._stopped else None
        return None

    def ingredients(self, text: str) -> frozenset[str]:
        """Return the single ingredients of all drugs that a text names."""
        return frozenset(part for found in self.find(text) for part in found.ingredient.split(COMBINED))

    def near_misses(self, question: str, known_words: frozenset[str] = frozenset()) -> tuple[NearMiss, ...]:
        """Return the words of a question that are no known word but look like a drug name.

        A word of five letters or more is looked at; one letter wrong, missing, too many or two swapped is near, from
        eight letters on also two such slips behind the right first letter. A word known only as part of a longer
        name is a near miss as well ("glargine", "clofibric cid"). The cost is some milliseconds for each unknown word.

        Args:
            question: what the user wrote.
            known_words: further words that are no drug, lower case, such as those of the site's own passages.
        """
        tokens = _tokens(question)
        seen = [(found.start, found.end) for found in self._mentions(question, tokens)]
        misses: list[NearMiss] = []
        for at, token in enumerate(tokens):
            if any(start <= token.start and token.end <= end for start, end in seen):
                continue
            miss = self._near(question, tokens, at, known_words)
            if miss:
                misses.append(miss)
                seen.append((miss.start, miss.end))
        return tuple(misses)

    def _near(self, question: str, tokens: list[_Token], at: int, known_words: frozenset[str]) -> NearMiss | None:
        token = tokens[at]
        word = token.word.removesuffix("'s")
        if len(word) < _SHORTEST_NEAR_MISS or not word.isalpha() or self._is_known_word(word, known_words):
            return None
        part_of = [name for index in self._indexes() for name in index.names_with(word)]
        if len(part_of) >= _QUALIFIES:
            return None  # "besylate", "disoproxil": they stand behind many drugs and name none
        if part_of:
            return NearMiss(question[token.start : token.end], self._spelt(part_of), token.start, token.end)
        phrases, words = self._suggestions(tokens, at)
        if phrases:
            first, last, _ = phrases[0]
            start, end = tokens[first].start, tokens[last].end
            names = [name for begin, finish, name in phrases if (begin, finish) == (first, last)]
            return NearMiss(question[start:end], self._spelt(names), start, end)
        if words or (len(word) >= _SHORTEST_STEM_WORD and _STEMS.search(word)):
            return NearMiss(question[token.start : token.end], self._spelt(words), token.start, token.end)
        return None

    def _spelt(self, keys: list[str]) -> tuple[str, ...]:
        return tuple(self._spelling.get(key, key) for key in keys[:_SUGGESTIONS])

    def _suggestions(self, tokens: list[_Token], at: int) -> tuple[list[tuple[int, int, str]], list[str]]:
        """Return names of several words that the word's neighbours complete, and names that are one word."""
        phrases: list[tuple[int, int, str]] = []
        words: list[str] = []
        for candidate in self._candidates(tokens[at].word.removesuffix("'s")):
            phrases += self._phrases(tokens, at, candidate)
            if candidate in self._stopped or candidate in self._ordinary:
                continue
            words.append(candidate)
        phrases.sort(key=lambda found: found[0] - found[1])
        return phrases, words

    def _phrases(self, tokens: list[_Token], at: int, candidate: str) -> Iterator[tuple[int, int, str]]:
        for width in range(_MAX_WORDS, 1, -1):
            for first in range(max(0, at - width + 1), min(at, len(tokens) - width) + 1):
                window = tokens[first : first + width]
                if not all(token.joined for token in window[1:]):
                    continue
                key = " ".join(candidate if first + i == at else token.word for i, token in enumerate(window))
                if (key in self._ingredients or key in self._own) and key not in self._stopped:
                    yield first, first + width - 1, key

    def _candidates(self, word: str) -> list[str]:
        """Return known words near a word, best first: fewest slips, then ingredients' own names, then the shortest."""
        slips: dict[str, int] = {}
        for index in self._indexes():
            slips |= dict.fromkeys(index.one_slip(word), 1)
        if len(word) >= _SHORTEST_TWO_EDITS and not slips:
            for index in self._indexes():
                slips |= dict.fromkeys(index.two_slips(word), 2)
        return sorted(slips, key=lambda name: (slips[name], self._ingredients.get(name) != name, len(name), name))

    def _indexes(self) -> tuple["_Index", ...]:
        if not self._index:
            self._index.append(_Index(self._ingredients))
        return self._index[0], self._own_index

    def _is_known_word(self, word: str, known_words: frozenset[str]) -> bool:
        """Whether a word is an ordinary word or a name, or an ordinary word's inflection."""
        forms = [word]
        for ending in _ENDINGS:
            stem = word.removesuffix(ending)
            if len(word) > len(stem) > 2:  # noqa: PLR2004  "ring" is no form of "r"
                forms += [stem, stem + "e"] + [stem[:-1]] * (stem[-1] == stem[-2])
        forms += [word.removeprefix(beginning) for beginning in _BEGINNINGS]
        listed = any(form in self._ordinary or form in known_words for form in forms)
        return listed or self._lookup(word) is not None


class _Index:
    """Finds the words of drug names that lie one or two slips from a word."""

    __slots__ = ("_by_first", "_names", "words")

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self.words = frozenset(" ".join(names).split())
        self._by_first: dict[str, list[str]] = {}

    def names_with(self, word: str) -> list[str]:
        """Return the names of several words of which a word is one, shortest first."""
        if word not in self.words:
            return []
        return sorted(
            (name for name in self._names if word in name and word in name.split()), key=lambda n: (len(n), n)
        )

    def one_slip(self, word: str) -> Iterator[str]:
        """Yield the words one slip away: a letter wrong, missing or too many, or two neighbours swapped."""
        splits = [(word[:i], word[i:]) for i in range(len(word) + 1)]
        edited = {a + b[1:] for a, b in splits if b}
        edited |= {a + b[1] + b[0] + b[2:] for a, b in splits if len(b) > 1}
        edited |= {a + c + b[1:] for a, b in splits if b for c in _LETTERS}
        edited |= {a + c + b for a, b in splits for c in _LETTERS}
        yield from (other for other in edited & self.words if len(other) >= _SHORTEST_NEAR_MISS - 1)

    def two_slips(self, word: str) -> Iterator[str]:
        """Yield the words with the same first letter that are at most two slips away."""
        letters, first = set(word), word[0]
        if first not in self._by_first:
            self._by_first[first] = [other for other in self.words if other[0] == first]
        for other in self._by_first[first]:
            near = abs(len(other) - len(word)) <= 2 and len(letters.symmetric_difference(other)) <= 4  # noqa: PLR2004
            if near and _distance(word, other) <= 2:  # noqa: PLR2004
                yield other


def _unzipped(path: Path) -> str:
    return gzip.decompress(path.read_bytes()).decode("utf-8")


def _distance(a: str, b: str) -> int:
    """Return the slips between two words.

    Source: Damerau 1964, doi:10.1145/363958.363994, as optimal string alignment.
    """
    before: list[int] = []
    previous = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        row = [i]
        for j, other in enumerate(b, 1):
            best = min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        before, previous = previous, row
    return previous[-1]


def _fold(text: str) -> str:
    """Return lower case without accents; only for comparing, never for positions."""
    lower = text.lower().replace("\u2019", "'")
    if lower.isascii():
        return lower
    return "".join(c for c in unicodedata.normalize("NFKD", lower) if not unicodedata.combining(c))


def _key(name: str) -> str:
    return " ".join(match[0] for match in _WORD.finditer(_fold(name)))


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    end = -1
    for match in _WORD.finditer(text):
        joined = bool(tokens) and _GAP.fullmatch(text, end, match.start()) is not None
        tokens.append(_Token(_fold(match[0]), match.start(), match.end(), joined))
        end = match.end()
    return tokens


# --- names that a document carries in its title and metadata --------------------------------------------------------

_METADATA_KEYS = ("drug", "product", "ingredient", "generic_name", "brand_name")
_STRENGTH = re.compile(r"\b\d[\d.,/ ]*\s?(?:mg|mcg|micrograms?|µg|g|ml|iu|units?|mmol|%)(?![a-z])", re.IGNORECASE)
_FORM = re.compile(
    r"\b(?:tablets?|capsules?|caplets?|injection|infusion|solution|suspension|syrup|elixir|cream|ointment|gel|lotion"
    r"|patch(?:es)?|inhaler|nebuliser|spray|drops|suppositor(?:y|ies)|pessar(?:y|ies)|granules|lozenges?|implant|pre-?filled)\b",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"summary of product characteristics|smpc|package leaflet|patient information leaflet|prescribing information"
    r"|medication guide|product monograph|product information|highlights of prescribing information|drug label",
    re.IGNORECASE,
)
_APART = re.compile(r"\s*(?:[:;|()\[\],\u2013\u2014]|\s-\s)\s*")
_BRAND_AND_GENERIC = re.compile(r"([\w-]+)[®™]?\s*\(([\w -]+)\)")
_NOT_IN_NAMES = frozenset(
    "a an and annex aseptic based batch bp bulk chapter chewable coated coating concentrate concentration content "
    "controlled delayed delivery disintegration dispersible dissolution dosage draft drug drugs ear effervescent "
    "enteric ep eur extended extract eye film finished for form from gastro guidance guide guideline hard health "
    "hpra immediate in information inspection jp leaflet lyophilised manual manufacture manufacturing medicinal "
    "method mhra modified monograph nasal nf note of on ophthalmic oral orodispersible patient ph policy powder "
    "procedure process product products professional prolonged protocol quality release report resistant section "
    "soft sop specification stability standard sterile sterilised sublingual technical test testing the to "
    "topical transdermal uncoated use user users usp vaginal validation visual water with ".split()
)


def names_in_title(title: str, metadata: Mapping[str, str]) -> tuple[str, ...]:
    """Return the product and ingredient names that a document's title and metadata carry, lower case.

    A title counts only where it has the shape of a drug's own document: a strength, a dosage form or the name of a
    label ("summary of product characteristics") stands beside the name.

    Args:
        title: the document's title.
        metadata: its properties; drug, product, ingredient, generic_name and brand_name are read.
    """
    stated = [part for key in _METADATA_KEYS for part in re.split(r"[;|,/+]", metadata.get(key, ""))]
    found = [_bare_name(part) for part in stated] + [_bare_name(part) for part in _title_parts(title)]
    return tuple(dict.fromkeys(name for name in found if name))


def _title_parts(title: str) -> Iterator[str]:
    """Yield the stretches of a title that stand where a drug's name stands."""
    about_drug = _LABEL.search(title) is not None
    title = _LABEL.sub(":", title)
    for part in _APART.split(title):
        stated = _STRENGTH.search(part) or _FORM.search(part)
        if stated or about_drug:
            yield part[: stated.start()] if stated else part
    if about_drug or _STRENGTH.search(title) or _FORM.search(title):
        for match in _BRAND_AND_GENERIC.finditer(title):
            yield from match.groups()


def _bare_name(text: str) -> str | None:
    """Return a name without strength and form, or None where what is left is no name."""
    cut = min((match.start() for match in (_STRENGTH.search(text), _FORM.search(text)) if match), default=len(text))
    words = re.split(r"[\s®™]+", _fold(text[:cut]).strip(" .-®™"))
    while words and (set(re.split("-", words[-1])) & _NOT_IN_NAMES):
        words.pop()
    while words and words[0] in {"for", "of", "the"}:
        words.pop(0)
    named = 0 < len(words) <= 3 and not any(set(word.split("-")) & _NOT_IN_NAMES for word in words)  # noqa: PLR2004
    letters = named and all(re.fullmatch(r"[a-z][a-z0-9'.-]*|\d+", word) for word in words)
    return " ".join(words) if letters and len(words[0]) > 2 else None  # noqa: PLR2004
