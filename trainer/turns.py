"""Conversations as token ids: what the model reads, where its answer begins, and which tokens it learns.

The base's own template decides the words. For ordinary text the ids are those of llama.cpp for the whole rendered
string; a control token that someone wrote into a message stays text, in training as in the app. Knows no file;
`trainer.rows`, `trainer.parity` and `trainer.evaluation` call it.

The rendered string is cut at the template's own control tokens. What lies between two of them, words of the template
and of messages together, is tokenised as one stretch, because a sentencepiece model puts a space before each stretch
and merges across the seams.
"""

import itertools
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import jinja2
from tokenizers import Tokenizer

from lumen_desktop.errors import InputError
from trainer.base.prepared import Prepared
from trainer.records import Message

_PROBES: Final = (
    (Message("user", "ab"), Message("assistant", "cd")),
    (Message("system", "ab"), Message("user", "cd"), Message("assistant", "ef")),
    tuple(Message(role, word) for role, word in zip(["user", "assistant"] * 2, ("ab", "cd", "ef", "gh"), strict=True)),
)


@dataclass(frozen=True, slots=True)
class Learnt:
    """A conversation to learn from.

    Attributes:
        ids: token ids.
        learn: for each, whether it is learnt: the assistant's words and the token that ends its turn.
    """

    ids: list[int]
    learn: list[bool]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A control token (``control`` 0 or more) or a stretch of text; ``turns`` are the messages that end in it."""

    text: str
    control: int = -1
    turns: tuple[int, ...] = ()


class Turns:
    """Renders and tokenises with one base's template and tokenizer.

    Args:
        prepared: whose template is used.
        tokenizer: of the same base; one that `trainer.base.tokenizer` made.

    Raises:
        InputError: the template leaves a turn out, repeats it, refuses a system's turn (TRN-066), or what it renders
            before an answer is not the beginning of what it renders with it (TRN-067).
    """

    def __init__(self, prepared: Prepared, tokenizer: Any) -> None:
        self.prepared = prepared
        self._render = tokenizer.apply_chat_template
        self._plain = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
        self._plain.encode_special_tokens = True  # control tokens in a text are text
        self._plain.no_padding()
        self._plain.no_truncation()
        added = tokenizer.backend_tokenizer.get_added_tokens_decoder()
        self._control = {token.content: number for number, token in added.items() if token.special}
        longest_first = sorted(self._control, key=len, reverse=True)
        self._cuts = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
        for probe in _PROBES:
            self.learnt(probe)

    def text(self, messages: Sequence[Message], *, answer_next: bool = False) -> str:
        """The rendered conversation.

        Args:
            messages: the turns.
            answer_next: whether it ends where the assistant's next answer begins.
        """
        return "".join(piece.text for piece in self._pieces(messages, answer_next=answer_next))

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """Token ids up to where the assistant's answer to these turns begins."""
        return self._joined(self._pieces(messages, answer_next=True))

    def ids(self, messages: Sequence[Message]) -> list[int]:
        """Token ids of the whole conversation."""
        return self._joined(self._pieces(messages, answer_next=False))

    def learnt(self, messages: Sequence[Message]) -> Learnt:
        """Token ids of a conversation, and which of them are learnt.

        Raises:
            InputError: a prompt's ids are not the beginning of the whole (TRN-067), or no control token ends an
                answer (TRN-066).
        """
        found = self.learnt_all([messages])[0]
        if isinstance(found, InputError):
            raise found
        return found

    def learnt_all(self, conversations: Sequence[Sequence[Message]]) -> list[Learnt | InputError]:
        """As `learnt`, of many at once on all processors; a refusal stands in its conversation's place."""
        plans = [self._plan(messages) for messages in conversations]
        everything = (piece for plan in plans for piece in itertools.chain(plan.whole, *plan.prompts.values()))
        known = self._tokenised(everything)
        return [_assembled(plan, known) for plan in plans]

    def _plan(self, messages: Sequence[Message]) -> "_Plan":
        answers = [number for number, message in enumerate(messages) if message.role == "assistant"]
        prompts = {number: self._pieces(messages[:number], answer_next=True) for number in answers}
        return _Plan(self._pieces(messages, answer_next=False), prompts)

    def _joined(self, pieces: Sequence[_Piece]) -> list[int]:
        known = self._tokenised(pieces)
        return [token for piece in pieces for token in _ids(piece, known)]

    def _tokenised(self, pieces: Iterable[_Piece]) -> dict[str, list[int]]:
        """The ids of each stretch, each tokenised once."""
        texts = list({piece.text: None for piece in pieces if piece.control < 0})
        encoded = self._plain.encode_batch_fast(texts, add_special_tokens=False)
        return {text: one.ids for text, one in zip(texts, encoded, strict=True)}

    def _pieces(self, messages: Sequence[Message], *, answer_next: bool) -> list[_Piece]:
        """Control tokens and the stretches between them, in order."""
        pieces: list[_Piece] = []
        stretch, turns = "", []
        for words, turn in self._worded(messages, answer_next=answer_next):
            if turn is not None:
                stretch += messages[turn].content
                turns.append(turn)
                continue
            at = 0
            for cut in self._cuts.finditer(words):
                stretch += words[at : cut.start()]
                if stretch or turns:
                    pieces.append(_Piece(stretch, turns=tuple(turns)))
                pieces.append(_Piece(cut[0], self._control[cut[0]]))
                stretch, turns, at = "", [], cut.end()
            stretch += words[at:]
        return [*pieces, _Piece(stretch, turns=tuple(turns))] if stretch or turns else pieces

    def _worded(self, messages: Sequence[Message], *, answer_next: bool) -> Iterator[tuple[str, int | None]]:
        """The template's words, and between them the numbers of the messages.

        Raises:
            InputError: the template does not carry each turn once (TRN-066).
        """
        marks = [secrets.token_hex(16) for _ in messages]
        written = [{"role": one.role, "content": mark} for one, mark in zip(messages, marks, strict=True)]
        try:
            rest: str = self._render(written, tokenize=False, add_generation_prompt=answer_next)
        except jinja2.TemplateError as error:
            raise _unusable(f"refuses a conversation ({str(error)[:80]})") from None
        for number, mark in enumerate(marks):
            words, found, rest = rest.partition(mark)
            if not found or mark in rest:
                raise _unusable("does not carry each turn once, in order")
            yield words, None
            yield "", number
        yield rest, None


@dataclass(frozen=True, slots=True)
class _Plan:
    """A conversation's pieces, and by the number of each answer those of the prompt before it."""

    whole: list[_Piece]
    prompts: dict[int, list[_Piece]]


def _assembled(plan: _Plan, known: Mapping[str, list[int]]) -> Learnt | InputError:
    ids: list[int] = []
    ends: dict[int, int] = {}  # answer to the place after the control token behind it
    waiting: list[int] = []
    for piece in plan.whole:
        ids += _ids(piece, known)
        if piece.control >= 0:
            ends |= dict.fromkeys(waiting, len(ids))
            waiting = []
        waiting += piece.turns
    learn = [False] * len(ids)
    for answer, prompt in plan.prompts.items():
        before = [token for piece in prompt for token in _ids(piece, known)]
        if ids[: len(before)] != before:
            return _other_template()
        if answer not in ends:
            return _no_end()
        learn[len(before) : ends[answer]] = [True] * (ends[answer] - len(before))
    return Learnt(ids, learn)


def _ids(piece: _Piece, known: Mapping[str, list[int]]) -> list[int]:
    return known[piece.text] if piece.control < 0 else [piece.control]


def _other_template() -> InputError:
    return InputError(
        "A conversation's prompt is not the beginning of the whole: the dataset is from another template.",
        code="TRN-067",
        hint="Take the template that the base was made with, or leave base.template empty.",
    )


def _unusable(words: str) -> InputError:
    return InputError(
        f"The base's template {words}.",
        code="TRN-066",
        hint="Set base.template to one that carries system, user and assistant turns; mistral suits that family.",
    )


def _no_end() -> InputError:
    return InputError(
        "No control token ends an answer in the base's template, so that the model could not learn to stop.",
        code="TRN-066",
        hint="Set base.template to one that ends each answer with the tokenizer's end token.",
    )
