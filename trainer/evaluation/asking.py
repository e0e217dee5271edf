"""Puts questions in words to a GGUF and takes its likeliest answer, token by token, as the app runs it.

Knows no set and no judgement of its own: `judging` has that. `trainer.evaluate` calls it.
"""

from collections.abc import Callable, Sequence

from trainer.evaluation.judging import judged
from trainer.evaluation.questions import Open
from trainer.evaluation.results import Item
from trainer.llama import GgufModel
from trainer.records import Message

Prompt = Callable[[Sequence[Message]], list[int]]


class Asker:
    """Asks one model.

    Args:
        model: the file.
        prompt: token ids of a conversation up to where the answer begins.
        context_tokens: what the model has room for.
        answer_tokens: the longest answer that is waited for.
        shots: how many worked examples it is shown where a question brings some.
    """

    def __init__(
        self, model: GgufModel, prompt: Prompt, *, context_tokens: int, answer_tokens: int, shots: int
    ) -> None:
        self._model, self._prompt = model, prompt
        self._room, self._most, self._shots = context_tokens - answer_tokens, answer_tokens, shots

    def answer(self, one: Open) -> Item:
        """A question with its answer and what that is worth; one that does not fit is wrong and says so."""
        ids, shots = self._fitting(one)
        if len(ids) > self._room:
            return Item(id=one.id, set=one.set, right=False, score=0.0, said="", wanted=one.wanted, formed=False,
                        facts={**one.facts, "too_long": True})  # fmt: skip
        given = list(self._model.greedy(ids, most=self._most))
        said = self._model.text(given).strip()
        verdict = judged(one, said, cut=len(given) == self._most)
        facts = {**one.facts, **verdict.facts, "prompt_tokens": len(ids), "tokens": len(given), "shots": shots}
        return Item(
            id=one.id, set=one.set, right=verdict.right, score=verdict.score, said=said, wanted=one.wanted,
            formed=verdict.formed, facts=facts,
        )  # fmt: skip

    def _fitting(self, one: Open) -> tuple[list[int], int]:
        """The prompt with as many worked examples as fit."""
        for shots in range(min(self._shots, len(one.shots) // 2), 0, -1):
            ids = self._prompt(one.conversation(shots))
            if len(ids) <= self._room:
                return ids, shots
        return self._prompt(one.conversation(0)), 0
