"""A question in other words, by a model of the user's own: marked as synthetic, and checked before it is taken.

Knows no model: whoever has one gives a function from text to text. Answers are never put into other words; they stay
the source's own.
"""

from collections.abc import Callable
from dataclasses import replace

from lumen_desktop.domain.quantities import clauses, quantities
from lumen_desktop.domain.sentences import content_words
from trainer.dataset.subject import drugs
from trainer.records import Example, Message, Reject

Rewriter = Callable[[str], str]
_ASKS = "\n\nQuestion: "
_LONGEST = 2.0  # times the question's own length
_SHORTEST = 0.4
_FEWEST_SHARED = 0.5  # of the words that carry meaning


def paraphrased(example: Example, rewrite: Rewriter) -> Example | Reject:
    """The example with its question in other words.

    Args:
        example: one whose last question is one line.
        rewrite: the question in, other words out.

    Returns:
        The example marked synthetic, or a reject with what the new words got wrong.
    """
    *before, last, answer = example.messages
    sources, asks, question = last.content.rpartition(_ASKS)
    if "\n" in question:
        return _reject(example, "not-one-line", "Its question is longer than a line and is not put into other words.")
    said = " ".join(rewrite(question).split())
    if wrong := _wrong(question, said):
        return _reject(example, *wrong)
    turn = Message(last.role, f"{sources}{asks}{said}")
    return replace(example, messages=(*before, turn, answer), template=f"{example.template}-synthetic", synthetic=True)


def _wrong(question: str, said: str) -> tuple[str, str] | None:
    if not said or said.lower() == question.lower():
        return "same-words", "The model gave no other words."
    if not _SHORTEST * len(question) <= len(said) <= _LONGEST * len(question):
        return "length", "The new question is much longer or shorter than the old one."
    if quantities(said) != quantities(question) or clauses(said) != clauses(question):
        return "numbers", "The new question has other numbers, units or clauses."
    if drugs().ingredients(said) != drugs().ingredients(question):
        return "medicines", "The new question names other medicines."
    words, others = frozenset(content_words(question)), frozenset(content_words(said))
    if len(words & others) < _FEWEST_SHARED * len(words):
        return "another-question", "The new question shares too few words with the old one."
    return None


def _reject(example: Example, reason: str, words: str) -> Reject:
    return Reject("paraphrase", example.id, reason, words)
