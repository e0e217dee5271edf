"""General conversations from a file that the user names, against forgetting; Lumen brings none of its own.

The file is JSON Lines: ``{"messages": [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]}``.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from lumen_desktop.domain.library import storable
from lumen_desktop.errors import InputError
from trainer.licences import LICENCES
from trainer.records import Example, Message, Reject

_LONGEST_CHARACTERS = 12_000
_FEWEST_TURNS = 2


def examples(lines: Iterable[str | bytes], *, name: str, licence: str) -> Iterator[Example | Reject]:
    """Each line as an example of the family replay.

    Args:
        lines: of the file.
        name: what the source is called in documents' ids.
        licence: identifier in `trainer.licences`, which the user must state.

    Raises:
        InputError: the licence is none that is known (TRN-020).
    """
    if licence not in LICENCES:
        raise InputError(
            "The licence of the general conversations is none that Lumen knows.",
            code="TRN-020",
            hint="State the licence's SPDX identifier, or leave the file out.",
        )
    for number, line in enumerate(lines, start=1):
        messages = _messages(line)
        if messages is None:
            words = "The line is no conversation that ends with an answer."
            yield Reject("examples", f"{name}:{number}", "wrong-form", words)
            continue
        document = f"{name}:{number}"
        yield Example(
            family="replay", template=name, messages=messages, origins=(), doc_ids=(document,),
            groups=(f"document:{document}",), licences=(licence,), commercial=LICENCES[licence].commercial,
        )  # fmt: skip


def _messages(line: str | bytes) -> tuple[Message, ...] | None:
    """The turns: perhaps a system's, then user and assistant by turns, an assistant's last."""
    try:
        turns = json.loads(line)["messages"]
        messages = tuple(_message(turn) for turn in turns)
    except (ValueError, KeyError, TypeError):
        return None
    roles = [message.role for message in messages]
    roles = roles[1:] if roles[:1] == ["system"] else roles
    by_turns = len(roles) >= _FEWEST_TURNS and roles == ["user", "assistant"] * (len(roles) // 2)
    short = sum(len(message.content) for message in messages) <= _LONGEST_CHARACTERS
    return messages if by_turns and short and all(message.content.strip() for message in messages) else None


def _message(turn: dict[str, Any]) -> Message:
    if not isinstance(turn["role"], str) or not isinstance(turn["content"], str):
        raise TypeError
    return Message(turn["role"], storable(turn["content"]))
