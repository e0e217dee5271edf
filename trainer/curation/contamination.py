"""Whether an example holds a question or an answer that a model will be tested with.

Three signs, as the facts of ``training.md`` (a1, a2) ask for: the same words whatever their number; the share of the
test item's words inside groups of eight that the example holds too; groups of thirteen, which are only reported.
Shares decide, not single hits: labels share whole sentences by law.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trainer.curation.evaluation import Item
from trainer.curation.texts import asked, bare_words
from trainer.records import Example

GROUP, LONG_GROUP = 8, 13
_SHORTEST_PART = 5  # words of a part of a question that say it is the question's
_SHORTEST_WHOLE = 3  # words of a whole question that is looked for inside a longer one
_FEW, _COMMON = 10, 0.01  # a word in more items than either tells none from another
_SHORTEST_ANSWER = 13  # shorter ones are everywhere: "Take with food."


@dataclass(frozen=True, slots=True)
class Hit:
    """A test item found in an example: which set's which item, by exact, coverage or part; with the share found.

    A part is a stretch of fewer than eight words; its share is not counted and said to be 1.
    """

    set: str
    item: str
    sign: str
    share: float


@dataclass(slots=True)
class SetReport:
    """What was found of one evaluation set.

    Attributes:
        items: questions and answers looked for.
        short: those with fewer than eight words, which groups of eight cannot check; only the same words count there.
        shorter_than_13: those that groups of thirteen cannot check.
        unchecked: answers too short to be looked for at all.
        examples: left out because of it.
        long: examples that hold a group of thirteen of it, left out or not.
        signs: examples left out, by sign.
        found: items of it that were in an example.
    """

    items: int = 0
    short: int = 0
    shorter_than_13: int = 0
    unchecked: int = 0
    examples: int = 0
    long: int = 0
    signs: Counter[str] = field(default_factory=Counter)
    found: set[str] = field(default_factory=set)

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "items": self.items, "not_checkable_8": self.short, "not_checkable_13": self.shorter_than_13,
            "unchecked": self.unchecked, "examples": self.examples, "hits_13": self.long,
            "signs": dict(sorted(self.signs.items())), "items_found": len(self.found),
        }  # fmt: skip


class Index:
    """The words of test items, to look examples up in.

    Args:
        found: items, of any number of sets.
        share: of an item's words from which it counts as held.
    """

    def __init__(self, found: Iterable[Item], share: float) -> None:
        self._share = share
        self._items: list[tuple[Item, int]] = []
        self._same: dict[str, int] = {}
        self._parts: dict[str, int] = {}
        self._groups: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        self._long: defaultdict[str, set[str]] = defaultdict(set)
        self._reports: defaultdict[str, SetReport] = defaultdict(SetReport)
        found = list(found)
        self._often = _common(found)
        for item in found:
            self._add(item)

    def _add(self, item: Item) -> None:
        words = bare_words(item.text)
        report = self._reports[item.set]
        report.items += 1
        report.short += len(words) < GROUP
        report.shorter_than_13 += len(words) < LONG_GROUP
        if not words or (item.part == "answer" and len(words) < _SHORTEST_ANSWER):
            report.unchecked += 1
            return
        number = len(self._items)
        self._items.append((item, len(words)))
        self._same.setdefault(" ".join(words), number)
        for place, group in enumerate(_groups(words, GROUP)):
            self._groups[group].append((number, place))
        for group in _groups(words, LONG_GROUP):
            self._long[group].add(item.set)
        if item.part == "question":
            self._add_parts(words, number)

    def _add_parts(self, words: Sequence[str], number: int) -> None:
        """A short question itself, and its stretches of five to seven words that hold half of it.

        Only where they tell: "what are the symptoms of" is half of many questions and says nothing.
        """
        for size in range(_SHORTEST_WHOLE, GROUP):
            if size == len(words) or (size >= _SHORTEST_PART and size >= self._needed(len(words))):
                for place in range(len(words) - size + 1):
                    stretch = words[place : place + size]
                    telling = sum(word not in self._often for word in stretch)
                    if telling >= (1 if size == len(words) else 2):
                        self._parts.setdefault(" ".join(stretch), number)

    def _needed(self, words: int) -> int:
        """How many of an item's words make it held; one less than the share, since half of nine words is four."""
        return max(1, int(self._share * words))

    def look(self, example: Example) -> tuple[list[Hit], set[str]]:
        """Items that an example holds, each once, in order; and the sets of which it holds a group of thirteen."""
        if not self._items:
            return [], set()
        turns = [bare_words(m.content) for m in example.messages if m.role != "system"]
        question = bare_words(asked(example))
        places = self._places(turns)
        found = self._covered(places)
        for text in [question, *turns]:
            if (number := self._same.get(" ".join(text))) is not None:
                found[number] = ("exact", 1.0)
        for number in self._short(question, _SHORTEST_WHOLE):
            found.setdefault(number, ("part", 1.0))
        for number in self._short(turns[-1] if turns else (), _SHORTEST_PART):
            if self._items[number][1] < GROUP:
                found.setdefault(number, ("part", 1.0))
        hits = [Hit(self._items[n][0].set, self._items[n][0].id, *found[n]) for n in sorted(found)]
        return hits, self._long_hits(turns) if places else set()

    def _short(self, words: Sequence[str], least: int) -> Iterator[int]:
        """Items of which a text holds a stretch of fewer than eight words that is enough of them."""
        for size in range(least, GROUP):
            for group in _groups(words, size):
                if (number := self._parts.get(group)) is not None:
                    yield number

    def _places(self, turns: Iterable[Sequence[str]]) -> dict[int, set[int]]:
        """Words of items that lie inside groups that the turns hold."""
        places: defaultdict[int, set[int]] = defaultdict(set)
        for words in turns:
            for group in _groups(words, GROUP):
                for number, place in self._groups.get(group, ()):
                    places[number].update(range(place, place + GROUP))
        return places

    def _covered(self, places: Mapping[int, set[int]]) -> dict[int, tuple[str, float]]:
        """Items of which enough is held."""
        shares = ((number, len(held), self._items[number][1]) for number, held in places.items())
        return {n: ("coverage", held / size) for n, held, size in shares if held >= self._needed(size)}

    def _long_hits(self, turns: Iterable[Sequence[str]]) -> set[str]:
        """Sets of which the turns hold a group of thirteen words; it has groups of eight in it, so these come first."""
        return {name for words in turns for group in _groups(words, LONG_GROUP) for name in self._long.get(group, ())}

    def reports(self) -> dict[str, SetReport]:
        """What each set holds, nothing found yet; by name."""
        return dict(sorted(self._reports.items()))


def _common(found: Sequence[Item]) -> frozenset[str]:
    """Words that stand in so many items that they tell none from another."""
    times = Counter(word for item in found for word in set(bare_words(item.text)))
    most = max(_FEW, _COMMON * len(found))
    return frozenset(word for word, count in times.items() if count > most)


def _groups(words: Sequence[str], size: int) -> Iterable[str]:
    return (" ".join(words[place : place + size]) for place in range(len(words) - size + 1))
