"""Whether GGUF files are still the trained model: the same tokens, nearly the same distributions, the same loss.

Token ids have to be equal on the whole validation part; divergence and task loss decide over each file; perplexity,
which can fall by luck, and greedy answers, which ties part, are told only. The trained model is the merge that was
kept, in fp32. `trainer.export` calls this; the gate judges the figures.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np

from trainer.conversations import Conversation
from trainer.distance import Distance, Expected, distance
from trainer.evaluation.letters import GgufScorer, Letters, Scorer, TorchScorer
from trainer.evaluation.prompts import Choice
from trainer.lines import read_examples
from trainer.llama import GgufModel
from trainer.records import Example
from trainer.trained import Trained
from trainer.turns import Turns

_NAMED = 20  # conversations whose tokens differ are listed up to so many
_GREEDY, _ANSWER_TOKENS = 8, 24
_CONTEXT_STEP = 256

Heard = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Tokens:
    """How a file's tokenizer reads the rendered conversations of a split.

    Attributes:
        texts: how many were compared.
        equal: on how many all ids are those that were trained.
        unequal: ids of the first examples that differ.
        passed_over: whose words hold a control token, which stays text in training and here cannot.
    """

    texts: int
    equal: int
    unequal: tuple[str, ...]
    passed_over: int

    @property
    def share(self) -> float:
        """Of equal ones; nought where none was compared."""
        return self.equal / self.texts if self.texts else 0.0


@dataclass(frozen=True, slots=True)
class Parity:
    """One file against the trained model.

    Attributes:
        tokens: of its tokenizer.
        distance: of its answers.
        greedy_equal: share of answers that are the trained model's to the last token.
        greedy_prefix: share of an answer's tokens before the first that differs, mean.
        letters_agree: share of questions on which both take the same letter; None where none were asked.
        letters: how many questions that were.
        template_equal: whether it holds the base's template, byte for byte.
    """

    tokens: Tokens
    distance: Distance
    greedy_equal: float
    greedy_prefix: float
    letters_agree: float | None
    letters: int
    template_equal: bool

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Of the values of its fields, as JSON keeps them."""
        tokens = Tokens(**{**values["tokens"], "unequal": tuple(values["tokens"]["unequal"])})
        return cls(**{**values, "tokens": tokens, "distance": Distance(**values["distance"])})


@dataclass(frozen=True, slots=True)
class Questions:
    """What the files and the trained model are asked.

    Attributes:
        conversations: of validation, on which distributions and losses are compared.
        choices: questions with options; none is allowed.
        split: the whole validation part, for the tokens.
        turns: of the base.
        tokenizer: of the base.
        context_tokens: the longest question with options.
    """

    conversations: Sequence[Conversation]
    choices: Sequence[Choice]
    split: Path
    turns: Turns
    tokenizer: Any
    context_tokens: int

    @property
    def prompts(self) -> list[list[int]]:
        """Some conversations up to where the answer begins."""
        return [self.turns.prompt(one.messages[:-1]) for one in self.conversations[:_GREEDY]]


def measured(
    files: Mapping[str, Path], model: Path, asked: Questions, *, threads: int,
    heard: Heard = lambda _stage, _done, _all: None,
) -> Iterator[tuple[str, Parity]]:  # fmt: skip
    """Each file with what was measured, as it comes.

    Args:
        files: by quantisation.
        model: folder of the trained model.
        asked: what they are asked.
        threads: of the processor.
        heard: stage, done and all; may raise to stop.

    Raises:
        EngineError: a file cannot be opened (TRN-060).
        InputError: the memory is too small for the trained model (TRN-087).
    """
    answers = {kind: _answered(path, asked, threads, partial(heard, f"answers {kind}")) for kind, path in files.items()}
    begin = next(iter(answers.values())).begin
    with Trained(model, threads=threads) as trained:
        shares = {kind: _prefixes(trained, asked.prompts, one.greedy) for kind, one in answers.items()}
        scorer = TorchScorer(trained.model, asked.tokenizer, begin=begin)
        letters = _letters(scorer, asked, partial(heard, "letters, trained model"))
        kept = model.with_name("said.part")
        expected = Expected(asked.conversations, trained.logits, kept, heard=partial(heard, "trained model"))
    try:
        for kind, path in files.items():
            tokens, apart, template = _compared(path, asked, expected, threads, partial(heard, f"parity {kind}"))
            whole = sum(share == 1 for share in shares[kind]) / len(shares[kind])
            yield kind, Parity(
                tokens=tokens, distance=apart, greedy_equal=whole,
                greedy_prefix=float(np.mean(shares[kind])), letters_agree=_agreement(letters, answers[kind].letters),
                letters=len(letters), template_equal=template == asked.turns.prepared.template,
            )  # fmt: skip
    finally:
        expected.close()


def token_ids(
    split: Path, turns: Turns, file: GgufModel, *, heard: Callable[[int, int], None] = lambda _done, _all: None
) -> Tokens:
    """Compares ids on every conversation of a split, each rendered as the app renders it.

    Args:
        split: a file of examples.
        turns: with the tokenizer that trained.
        file: with the tokenizer that will answer.
        heard: conversations done, and 0; may raise to stop.
    """
    equal, texts, passed_over = 0, 0, 0
    unequal: list[str] = []
    for example in read_examples(split):
        heard(texts, 0)
        if turns.ids(example.messages) == file.tokens(turns.text(example.messages)):
            equal += 1
        elif _holds_control(example, file):
            passed_over += 1
            continue
        else:
            unequal.append(example.id)
        texts += 1
    return Tokens(texts, equal, tuple(unequal[:_NAMED]), passed_over)


def _holds_control(example: Example, file: GgufModel) -> bool:
    words = [one.content for one in example.messages]
    return any(file.tokens(one, control=True) != file.tokens(one, control=False) for one in words)


@dataclass(frozen=True, slots=True)
class _Answers:
    """What a file says by itself: greedy answers, letters, and the tokens it begins every text with."""

    greedy: list[list[int]]
    letters: list[str]
    begin: tuple[int, ...]


def _answered(path: Path, asked: Questions, threads: int, heard: Callable[[int, int], None]) -> _Answers:
    prompts = asked.prompts
    context = max(asked.context_tokens, max(map(len, prompts)) + _ANSWER_TOKENS + 1)
    with GgufModel(path, context_tokens=context, threads=threads) as file:
        greedy = []
        for number, prompt in enumerate(prompts):
            heard(number, len(prompts))
            greedy.append(list(file.greedy(prompt, most=_ANSWER_TOKENS)))
        scorer = GgufScorer(file)
        return _Answers(greedy, _letters(scorer, asked, heard), tuple(scorer.begin))


def _letters(scorer: Scorer, asked: Questions, heard: Callable[[int, int], None]) -> list[str]:
    letters, found = Letters(scorer, context_tokens=asked.context_tokens), []
    for number, one in enumerate(asked.choices):
        heard(number, len(asked.choices))
        found.append(letters.answer(one).said)
    return found


def _agreement(ours: Sequence[str], theirs: Sequence[str]) -> float | None:
    return sum(a == b for a, b in zip(ours, theirs, strict=True)) / len(ours) if ours else None


def _compared(
    path: Path, asked: Questions, expected: Expected, threads: int, heard: Callable[[int, int], None]
) -> tuple[Tokens, Distance, str]:
    """Tokens, distributions and template of a file."""
    longest = max(len(one.ids) for one in asked.conversations)
    context = -(-longest // _CONTEXT_STEP) * _CONTEXT_STEP
    with GgufModel(path, context_tokens=context, threads=threads, every_logit=True) as file:
        tokens = token_ids(asked.split, asked.turns, file, heard=heard)
        apart = distance(expected, file.logits, heard=heard)
        return tokens, apart, file.metadata.get("tokenizer.chat_template", "")


def _prefixes(trained: Trained, prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]]) -> list[float]:
    """How far the trained model's own greedy answer is the same.

    One pass suffices: as long as all tokens before were its own choice, its choice after them is its greedy answer.
    """
    shares = []
    for prompt, answer in zip(prompts, answers, strict=True):
        if not answer:
            continue
        choices = trained.logits([*prompt, *answer], last=len(answer) + 1)[:-1].argmax(axis=1)
        differs = np.flatnonzero(choices != np.array(answer))
        shares.append(float(differs[0]) / len(answer) if len(differs) else 1.0)
    return shares or [1.0]
