"""Golden prompts: what the shipped file answers, token by token, so that the app can see whether it does so there too.

Drawn from the dataset's test part by their ids, refusals and questions that nothing answers among them, and answered as
the app's engine would: the same template, the same cutting, always the likeliest token.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from trainer.lines import read_examples
from trainer.llama import GgufModel
from trainer.records import Example
from trainer.turns import Turns

ANSWER_TOKENS = 48
_LONGEST_TOKENS = 1_024  # of a prompt, so that a laptop is through in minutes
_KINDS: tuple[Callable[[Example], bool], ...] = (
    lambda one: one.family == "refusal",
    lambda one: one.answerable is False,
    lambda one: one.family != "refusal" and one.answerable is not False,
)  # taken by turns


def golden(
    file: Path, split: Path, turns: Turns, *, count: int, threads: int, told: Callable[[int, int], None]
) -> bytes:
    """Lines of JSON: a conversation, the digest of its prompt's token ids, the expected answer's ids and their digest.

    Args:
        file: the GGUF that is shipped.
        split: the test part.
        turns: of the base.
        count: how many prompts, as far as there are.
        threads: of the processor.
        told: prompts done, and how many there are.

    Raises:
        EngineError: the file cannot be opened (TRN-060).
        InputError: a damaged line (TRN-008, TRN-009, TRN-017).
    """
    prompts = list(_prompts(split, turns, count))
    room = max((len(ids) for _, ids in prompts), default=0) + ANSWER_TOKENS + 1
    lines = []
    with GgufModel(file, context_tokens=room, threads=threads) as model:
        for done, (example, ids) in enumerate(prompts):
            told(done, len(prompts))
            answer = list(model.greedy(ids, most=ANSWER_TOKENS))
            lines.append(_line(example, ids, answer, model.text(answer)))
    return "".join(line + "\n" for line in lines).encode()


def _prompts(split: Path, turns: Turns, count: int) -> Iterator[tuple[Example, list[int]]]:
    taken = 0
    for example in _by_turns(read_examples(split)):
        ids = turns.prompt(example.messages[:-1])
        if len(ids) <= _LONGEST_TOKENS:
            yield example, ids
            taken += 1
        if taken == count:
            return


def _by_turns(examples: Iterator[Example]) -> Iterator[Example]:
    """A refusal, a question that nothing answers, one that is answered, and so on; each kind by its ids."""
    kinds: list[list[Example]] = [[] for _ in _KINDS]
    for example in examples:
        kinds[next(number for number, fits in enumerate(_KINDS) if fits(example))].append(example)
    for kind in kinds:
        kind.sort(key=lambda one: one.id)
    for place in range(max(map(len, kinds))):
        yield from (kind[place] for kind in kinds if place < len(kind))


def _line(example: Example, prompt: Sequence[int], answer: Sequence[int], text: str) -> str:
    fields = {
        "id": example.id, "family": example.family,
        "messages": [{"role": one.role, "content": one.content} for one in example.messages[:-1]],
        "prompt_sha256": digest(prompt), "most": ANSWER_TOKENS, "expected": list(answer),
        "expected_sha256": digest(answer), "text": text,
    }  # fmt: skip
    return json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest(ids: Sequence[int]) -> str:
    """Of token ids: each as four bytes, the lowest first."""
    return hashlib.sha256(b"".join(one.to_bytes(4, "little") for one in ids)).hexdigest()
