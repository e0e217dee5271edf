"""The same-drug guard: an answer to a question that names a drug comes only from text about that drug.

Look-alike names are what a wrong dose is made of, so nothing is replaced in silence: a name that no passage
found holds ends in a refusal, with what may have been meant. Knows no index; `services.chat` asks it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lumen_desktop.domain.drugs import COMBINED, DrugNames
from lumen_desktop.domain.library import Passage
from lumen_desktop.domain.sentences import words


@dataclass(frozen=True, slots=True)
class DrugGuard:
    """What a question names, held against the passages found for it.

    Attributes:
        drugs: recognises names.
        ingredients: drugs of the question that are in the dictionary or carried by a document.
        site_words: words of the question that look like a drug, are in no list, and stand in a passage found.
        refusals: why the question cannot be answered, one sentence each; empty if it may be.
    """

    drugs: DrugNames
    ingredients: frozenset[str]
    site_words: frozenset[str]
    refusals: tuple[str, ...]

    @classmethod
    def of(cls, question: str, passages: Sequence[Passage], drugs: DrugNames) -> "DrugGuard":
        """Reads a question beside the passages found for it."""
        texts = [f"{passage.header}\n{passage.text}" for passage in passages]
        there = frozenset[str]().union(*(drugs.ingredients(text) for text in texts))
        vocabulary = frozenset(word for text in texts for word in words(text))
        asked = {drug: m.name for m in drugs.find(question) for drug in m.ingredient.split(COMBINED)}
        nowhere = dict.fromkeys(name for drug, name in asked.items() if drug not in there)
        refusals = [f"No passage found names {name}." for name in nowhere]
        near = drugs.near_misses(question)
        for miss in near:
            if not vocabulary.issuperset(words(miss.written)):
                likely = f" Did you mean {' or '.join(miss.suggestions)}?" if miss.suggestions else ""
                refusals.append(f"“{miss.written}” is in no list of drug names and in no passage found.{likely}")
        site_words = frozenset(word for miss in near for word in words(miss.written) if word in vocabulary)
        return cls(drugs, frozenset(asked), site_words, tuple(refusals))

    @property
    def watches(self) -> bool:
        """Whether the question names a drug at all."""
        return bool(self.ingredients or self.site_words)

    def admits(self, passage: Passage) -> bool:
        """Whether a passage is about a drug asked for: its header or text names one."""
        return not self.watches or self._names(f"{passage.header}\n{passage.text}")

    def may_quote(self, passage: Passage, sentence: str) -> bool:
        """Whether a sentence of an admitted passage is about a drug asked for, as far as names can tell.

        The header or the sentence names one, or the passage names no other drug.
        """
        if not self.watches or self._names(passage.header) or self._names(sentence):
            return True
        return self.drugs.ingredients(passage.text) <= self.ingredients

    def _names(self, text: str) -> bool:
        return bool(self.drugs.ingredients(text) & self.ingredients) or not self.site_words.isdisjoint(words(text))
