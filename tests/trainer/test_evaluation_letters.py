"""Letters by the last logits: a real model's, the published rules of token and place, and parity of GGUF and torch."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ROOT
from trainer.evaluation.letters import GgufScorer, Letters, TorchScorer, beginning
from trainer.evaluation.prompts import Choice
from trainer.llama import GgufModel

MODELS = Path(os.environ.get("LUMEN_MODELS", ROOT / "resources" / "models"))
STARTER = MODELS / "smollm2-135m-instruct-q8_0.gguf"
CONVERTER = Path(os.environ.get("LUMEN_CONVERTER", Path(sys.prefix) / "converter"))


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


@pytest.mark.skipif(not (CONVERTER / "convert_hf_to_gguf.py").is_file(), reason="needs the converter")
def test_the_same_letters_from_torch_and_from_its_gguf(tmp_path: Path) -> None:
    """Over 97 % equal on an f16 file of the tiny model: parity by construction."""
    import yaml  # noqa: PLC0415

    from trainer.base import load, prepare, tokenizer  # noqa: PLC0415 - torch
    from trainer.config import load as configuration  # noqa: PLC0415

    file = tmp_path / "c.yaml"
    base = {"model": "tiny-mistral", "revision": "", "name": "tiny-mistral"}
    file.write_text(yaml.safe_dump({"version": 1, "work": "work", "base": base}))
    prepared = prepare(configuration(file))
    gguf = tmp_path / "tiny.gguf"
    subprocess.run(
        [sys.executable, "-m", "convert_hf_to_gguf", str(prepared.folder), "--outfile", str(gguf), "--outtype", "f16"],
        check=True, capture_output=True, env={**os.environ, "PYTHONPATH": str(CONVERTER)},
    )  # fmt: skip
    asked = [choice(f"Which of {n} is taken {'twice ' * (n % 3)}a day?", f"{n} mg", "none", "both", "water") for n in
             range(60)]  # fmt: skip
    trained = load(prepared, precision="fp32", compute="fp32").eval()
    with GgufModel(gguf, context_tokens=512, threads=1) as model:
        scorer = GgufScorer(model)
        torch = TorchScorer(trained, tokenizer(prepared), begin=scorer.begin)
        assert [scorer.ids(one.prompt()) for one in asked] == [torch.ids(one.prompt()) for one in asked]
        ours, theirs = Letters(scorer, context_tokens=512), Letters(torch, context_tokens=512)
        pairs = [(ours.answer(one), theirs.answer(one)) for one in asked]
    assert sum(a.said == b.said for a, b in pairs) / len(pairs) >= 0.97
    assert max(abs(x - y) for a, b in pairs for x, y in zip(a.logits, b.logits, strict=True)) < 0.05
