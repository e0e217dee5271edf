"""Letters by the last logits: a real model's, and the rules of token and place."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ROOT
from trainer.evaluation.letters import GgufScorer, Letters, beginning
from trainer.evaluation.prompts import Choice
from trainer.llama import GgufModel

MODELS = Path(os.environ.get("LUMEN_MODELS", ROOT / "resources" / "models"))
STARTER = MODELS / "smollm2-135m-instruct-q8_0.gguf"


def choice(question: str, *options: str, wanted: str = "A") -> Choice:
    return Choice(id=question, set="medqa", form="medqa", question=question, options=options, wanted=wanted)


class Fixed:
    """A scorer whose tokens are characters and whose logits follow a rule that the test sets."""

    begin: Sequence[int] = (1,)

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.likely = dict.fromkeys(map(ord, "ABCD"), 0.0)

    def ids(self, text: str) -> list[int]:
        """A space and the letter after it are one token, as in most vocabularies."""
        ids: list[int] = []
        for letter in text:
            if ids and ids[-1] == ord(" ") and letter.isalpha():
                ids[-1] = 1_000 + ord(letter)
            else:
                ids.append(ord(letter))
        return ids

    def last_logits(self, ids: Sequence[int]) -> np.ndarray:
        self.asked.append(list(ids))
        logits = np.full(2_000, -9.0, dtype=np.float32)
        for token, logit in self.likely.items():
            logits[token] = logit
        return logits


def test_a_letter_is_the_likelier_of_its_tokens() -> None:
    scorer = Fixed()
    scorer.likely = {ord("B"): 1.0, 1_000 + ord("A"): 2.0, ord("A"): -5.0, 1_000 + ord("C"): 1.5}
    item = Letters(scorer, context_tokens=500).answer(choice("Which?", "x", "y", "z"))
    assert (item.said, item.right, item.logits) == ("A", True, (2.0, 1.0, 1.5))
    assert item.confidence == item.score == pytest.approx(np.exp(2.0) / np.exp([2.0, 1.0, 1.5]).sum(), abs=1e-6)


def test_the_beginning_stands_once_and_a_long_question_loses_its_own() -> None:
    scorer = Fixed()
    Letters(scorer, context_tokens=40).answer(choice("Which of all of these many things?", "x", "y"))
    assert scorer.asked[0][0] == 1
    assert len(scorer.asked[0]) == 40 - 8
    assert scorer.asked[0][-7:] == scorer.ids("Answer:")


def test_a_model_that_always_takes_the_first_letter_is_shown_up() -> None:
    scorer = Fixed()
    scorer.likely = {ord("A"): 2.0, ord("B"): 0.0, ord("C"): 0.0}
    item = Letters(scorer, context_tokens=500).answer(choice("Which?", "x", "y", "z"), turned=True)
    assert item.facts["turned"] == ["B", "C"]


@pytest.mark.parametrize(
    ("metadata", "begin"),
    [
        ({"tokenizer.ggml.model": "llama"}, (1,)),
        ({"tokenizer.ggml.model": "llama", "tokenizer.ggml.add_bos_token": "false"}, ()),
        ({"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.bos_token_id": "1"}, ()),
        ({"tokenizer.ggml.add_bos_token": "true", "tokenizer.ggml.bos_token_id": "5"}, (5,)),
    ],
)
def test_what_stands_before_every_text(metadata: dict[str, str], begin: tuple[int, ...]) -> None:
    assert beginning(metadata) == begin


@pytest.mark.model
def test_the_starter_model_knows_an_easy_word() -> None:
    """SmolLM2 is no physician, but the logits after a plain sentence are a language model's."""
    with GgufModel(STARTER, context_tokens=512, threads=1) as model:
        letters = Letters(GgufScorer(model), context_tokens=512)
        prompt = "The capital of France is Paris. Question: is Paris the capital of France, yes or no?\nAnswer:"
        yes, banana = letters.logits(prompt, ["yes", "banana"])
        assert yes > banana + 3
        item = letters.answer(choice("Which is a colour?", "blue", "seven", wanted="A"))
        assert item == letters.answer(choice("Which is a colour?", "blue", "seven", wanted="A"))


@pytest.mark.model
def test_a_warm_model_says_what_a_cold_one_says_bit_for_bit() -> None:
    """What is kept of the prompt before are whole batches, cut in the same places."""
    with GgufModel(STARTER, context_tokens=1_024, threads=1) as model:
        ids = model.tokens("One tablet is taken in the morning, and another one in the evening. " * 20)
        assert len(ids) > 256
        other = [*ids[:200], *ids[100:200]]
        cold = model.last_logits(ids).tobytes()
        answer = list(model.greedy(ids, most=5))
        model.last_logits(other)
        assert model.last_logits(ids).tobytes() == cold
        assert list(model.greedy(ids, most=5)) == answer
        warm = model.last_logits(other).tobytes()
    with GgufModel(STARTER, context_tokens=1_024, threads=1) as model:
        assert model.last_logits(other).tobytes() == warm
