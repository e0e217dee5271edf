"""Which option a model takes, from the logits after a question: one function for a GGUF and for the model in torch.

A letter's logit is the largest of its tokens, with and without a space before it; a word is known by its first token.
Parity of the two kinds holds by construction: only `Scorer` differs. Knows no set; `trainer.evaluate` and
`trainer.parity` call it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from trainer.evaluation.prompts import Choice
from trainer.evaluation.results import Item
from trainer.evaluation.statistics import softmax
from trainer.llama import GgufModel

TURNS = (1, 2)  # how the options are moved where it is measured whether their place decides
_ANSWER_TOKENS = 8  # room that a prompt leaves

Floats = NDArray[np.float32]


class Scorer(Protocol):
    """What answers: text to token ids, and the logits after the last of them."""

    begin: Sequence[int]

    def ids(self, text: str) -> list[int]:
        """Token ids of a text; a control token written in it stays text."""
        ...

    def last_logits(self, ids: Sequence[int]) -> Floats:
        """Logits after the last token, shape (vocabulary,)."""
        ...


class GgufScorer:
    """A GGUF file as llama.cpp runs it."""

    def __init__(self, model: GgufModel) -> None:
        self._model = model
        self.begin: Sequence[int] = beginning(model.metadata)

    def ids(self, text: str) -> list[int]:
        """As `Scorer.ids`."""
        return self._model.tokens(text, control=False)

    def last_logits(self, ids: Sequence[int]) -> Floats:
        """As `Scorer.last_logits`."""
        return self._model.last_logits(ids)


class TorchScorer:
    """A model in torch, such as the one that was trained.

    Args:
        model: of transformers, in evaluation mode.
        tokenizer: of transformers.
        begin: token ids before every text; those of the file that it is compared with.
    """

    def __init__(self, model: Any, tokenizer: Any, *, begin: Sequence[int] = ()) -> None:
        self._model = model
        self.begin: Sequence[int] = begin
        self._plain = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
        self._plain.encode_special_tokens = True
        self._plain.no_padding()
        self._plain.no_truncation()

    def ids(self, text: str) -> list[int]:
        """As `Scorer.ids`."""
        return list(self._plain.encode(text, add_special_tokens=False).ids)

    def last_logits(self, ids: Sequence[int]) -> Floats:
        """As `Scorer.last_logits`."""
        import torch  # noqa: PLC0415 - takes seconds; a GGUF is asked without it

        with torch.inference_mode():
            batch = torch.tensor([list(ids)], device=self._model.device)
            logits = self._model(input_ids=batch, use_cache=False, logits_to_keep=1).logits
        return np.asarray(logits[0, -1].float().cpu().numpy(), dtype=np.float32)


def beginning(metadata: Mapping[str, str]) -> tuple[int, ...]:
    """The token that a GGUF says stands once before every text, if any.

    Source: the GGUF specification; where the file is silent, llama.cpp adds it for sentencepiece only.
    """
    sentencepiece = metadata.get("tokenizer.ggml.model") == "llama"
    added = metadata.get("tokenizer.ggml.add_bos_token", str(sentencepiece)).lower() == "true"
    token = metadata.get("tokenizer.ggml.bos_token_id", "1" if sentencepiece else "")
    return (int(token),) if added and token else ()


class Letters:
    """Asks one model questions with options.

    Args:
        scorer: the model.
        context_tokens: what it has room for; a longer question loses its beginning, as in the harness.
    """

    def __init__(self, scorer: Scorer, *, context_tokens: int) -> None:
        self._scorer = scorer
        self._room = context_tokens - _ANSWER_TOKENS - len(scorer.begin)
        self._known: dict[str, tuple[int, ...]] = {}

    def logits(self, prompt: str, labels: Iterable[str]) -> tuple[float, ...]:
        """The logit of each label after a prompt."""
        ids = self._scorer.ids(prompt)[-self._room :]
        after = self._scorer.last_logits([*self._scorer.begin, *ids])
        return tuple(float(after[list(self._tokens(label))].max()) for label in labels)

    def answer(self, one: Choice, *, turned: bool = False) -> Item:
        """A question with its answer; the likeliest label counts, the first of equal ones.

        Args:
            one: the question.
            turned: also ask with the options in other orders; ``facts["turned"]`` then names the labels that
                would have been taken, in the published order.
        """
        logits = self.logits(one.prompt(), one.labels)
        chances = softmax(logits)
        said = one.labels[int(chances.argmax())]
        facts: dict[str, Any] = {**one.facts, "labels": list(one.labels)}
        if turned and one.turns:
            facts["turned"] = [self._turned(one, turn) for turn in TURNS]
        return Item(
            id=one.id,
            set=one.set,
            right=said == one.wanted,
            score=round(float(chances[one.labels.index(one.wanted)]), 6),
            said=said,
            wanted=one.wanted,
            confidence=round(float(chances.max()), 6),
            logits=tuple(round(logit, 4) for logit in logits),
            facts=facts,
        )

    def _turned(self, one: Choice, turn: int) -> str:
        logits = self.logits(one.prompt(turn), one.labels)
        return one.original(one.labels[int(np.argmax(logits))], turn)

    def _tokens(self, label: str) -> tuple[int, ...]:
        """The first token of a label, after a space and alone at the beginning of a line."""
        if label not in self._known:
            found = {self._first(":", f" {label}"), self._first("\n", label)} - {None}
            self._known[label] = tuple(sorted(token for token in found if token is not None))
        return self._known[label]

    def _first(self, before: str, text: str) -> int | None:
        """The token that begins a text where other text stands before it; None where the two share a token."""
        lead, ids = self._scorer.ids(before), self._scorer.ids(before + text)
        return ids[len(lead)] if ids[: len(lead)] == lead and len(ids) > len(lead) else None
