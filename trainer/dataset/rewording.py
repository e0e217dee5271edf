"""A share of the questions in other words, by a GGUF of the user's own, through the checks of `paraphrase`.

Where the model's words fail a check the question stays as it was. The same model file, share and seed give the same
words on the same machine: it answers greedily, on one thread.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from lumen_desktop.errors import InputError
from trainer.dataset.chance import Chance
from trainer.dataset.paraphrase import Rewriter, paraphrased
from trainer.llama import GgufModel
from trainer.records import Example, Reject

UNTOUCHED = frozenset({"replay", "feedback", "mcq", "refusal"})  # people's own words, options, and what must stay exact
_ASKED = (
    "Ask the following question in other words. Keep its meaning, and keep every name, number and unit exactly. "
    "Write only the question.\n\n"
)
_LONGEST_TOKENS = 80
_CONTEXT_TOKENS = 512


@dataclass(slots=True)
class Rewording:
    """Puts a share of questions into other words, and counts what became of them.

    Attributes:
        rewrite: a question in, other words out.
        share: of the questions, 0 to 1.
        seed: decides which.
        counts: by what happened: reworded, or why the question stayed as it was.
    """

    rewrite: Rewriter
    share: float
    seed: int
    counts: Counter[str] = field(default_factory=Counter)

    def __call__(self, made: Iterable[Example | Reject]) -> Iterator[Example | Reject]:
        """The same examples and rejects, some with another question."""
        for one in made:
            yield self._reworded(one) if isinstance(one, Example) and self._chosen(one) else one

    def _chosen(self, example: Example) -> bool:
        return example.family not in UNTOUCHED and Chance(self.seed, example.id).happens("reworded", self.share)

    def _reworded(self, example: Example) -> Example:
        other = paraphrased(example, self.rewrite)
        if isinstance(other, Reject):
            self.counts[other.reason] += 1
            return example
        self.counts["reworded"] += 1
        return other


@lru_cache(maxsize=1)  # a process makes examples of many files
def rewriter(model: Path) -> Rewriter:
    """A function that asks the model for other words.

    Raises:
        InputError: there is no such file (TRN-027).
        EngineError: it cannot be opened (TRN-060) or asked (TRN-062).
    """
    if not model.is_file():
        raise InputError(
            f"The model {model.name} that is to reword questions is not there.", code="TRN-027",
            hint="Name a GGUF file under dataset.paraphrase.model, or leave it out.",
        )  # fmt: skip
    opened = GgufModel(model, context_tokens=_CONTEXT_TOKENS, threads=1)
    return lambda question: opened.answer(_ASKED + question, most=_LONGEST_TOKENS).strip().strip('"')
