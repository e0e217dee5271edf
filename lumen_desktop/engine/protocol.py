"""What goes over an engine's pipe, and the checks on what comes back.

Texts travel as payload, everything else as fields of a line. Values from the child are
``untrusted_…`` until a reader here returned them. Knows no process and no model; `client` and
`worker` are its two ends.

Operations::

    generate  payload: turns; fields: Sampling   → delta {text} · alive {} · done {Finished}
    count     payload: turns                     → done {tokens}
    embed     payload: the text, UTF-8           → done {vector}: base64 of little-endian float32
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, cast, get_args

import numpy as np
import numpy.typing as npt

from lumen_desktop.errors import InputError

Role = Literal["system", "user", "assistant"]
Reason = Literal["end", "length", "stopped"]
EngineRole = Literal["chat", "embedding"]
Vector = npt.NDArray[np.float32]
Untrusted = Mapping[str, Any]

LONGEST_DELTA_CHARS: Final = 65_536
LARGEST_COUNT: Final = 2**48
LONGEST_S: Final = 1e6
LARGEST_SEED: Final = 2**32 - 2  # the next one means "random" to llama.cpp
_NORM_TOLERANCE: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a conversation; its text is never read as control tokens."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are chosen; with the prompt and the build it makes an answer repeatable.

    Attributes:
        temperature: 0 takes the likeliest token always; at most 2.
        top_p: only tokens of the likeliest mass are drawn from, above 0 up to 1.
        seed: of the draws; without effect at temperature 0.
        answer_tokens: longest answer.
        repeat_penalty: divides the score of the last 64 tokens of the answer (never of the prompt); 1 is
            off. At 1 a model of 135M parameters falls into loops.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    answer_tokens: int = 256
    repeat_penalty: float = 1.1

    def __post_init__(self) -> None:
        """Raises: InputError: a value is out of its range (ENG-022)."""
        fits = (
            0 <= self.temperature <= 2  # noqa: PLR2004 - the ranges of the docstring
            and 0 < self.top_p <= 1
            and 0 <= self.seed <= LARGEST_SEED
            and 1 <= self.answer_tokens <= 32_768  # noqa: PLR2004
            and 1 <= self.repeat_penalty <= 2  # noqa: PLR2004
        )
        if not fits:
            raise InputError(
                "A sampling value is out of its range.",
                code="ENG-022",
                hint="Temperature 0 to 2, top_p above 0 to 1, repeat penalty 1 to 2, answer 1 to 32768 tokens.",
            )


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next stretch of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of an answer.

    Attributes:
        reason: the model ended it, it reached its longest length, or it was stopped.
        prompt_tokens: length of the prompt.
        reused_tokens: how many of them the previous request had left evaluated.
        answer_tokens: tokens drawn, the one that ends an answer not counted.
        prompt_s: from request to first token.
        generate_s: from first token to the end.
    """

    reason: Reason
    prompt_tokens: int
    reused_tokens: int
    answer_tokens: int
    prompt_s: float
    generate_s: float


@dataclass(frozen=True, slots=True)
class EngineDescription:
    """What a running engine says of itself and its model.

    Attributes:
        dimensions: length of a vector; 0 for a chat engine.
        context_tokens: longest prompt and answer together, or longest text that is embedded whole.
        size_bytes: of the model file.
        rss_bytes: resident memory of the process after loading.
        runtime: version of llama.cpp and its binding.
    """

    role: EngineRole
    architecture: str
    name: str
    context_tokens: int
    vocabulary_size: int
    parameters: int
    dimensions: int
    size_bytes: int
    rss_bytes: int
    runtime: str


def turns_payload(turns: Sequence[Turn]) -> bytes:
    """Turns as bytes of a request."""
    return json.dumps([asdict(turn) for turn in turns]).encode()


def read_turns(payload: bytes) -> list[Turn]:
    """Turns from the bytes of a request.

    Raises:
        ValueError: they are no turns.
    """
    turns = [Turn(**item) for item in json.loads(payload)]
    if not all(turn.role in get_args(Role) and isinstance(turn.text, str) for turn in turns):
        raise ValueError("turns")
    return turns


def refuse_too_long(prompt_tokens: int, *, answer_tokens: int, context_tokens: int) -> None:
    """Refuses a prompt that leaves no room for its answer, before anything is computed.

    Raises:
        InputError: with the figures (ENG-020).
    """
    if prompt_tokens + answer_tokens > context_tokens:
        raise InputError(
            f"The text is too long for the model: {prompt_tokens} tokens and {answer_tokens} for the answer, "
            f"where {context_tokens} fit.",
            code="ENG-020",
            hint="Ask a shorter question, or offer fewer passages.",
        )


def read_event(untrusted: Untrusted) -> TextDelta | Finished | None:
    """An event of ``generate``; None for a sign of life.

    Raises:
        ValueError: it is not in the protocol.
    """
    if untrusted["event"] == "delta":
        return TextDelta(_text(untrusted, "text", LONGEST_DELTA_CHARS))
    if untrusted["event"] == "alive":
        return None
    reason = _text(untrusted, "reason", 16)
    if untrusted["event"] != "done" or reason not in get_args(Reason):
        raise ValueError("reason")
    finished = Finished(
        cast("Reason", reason),
        prompt_tokens=_whole(untrusted, "prompt_tokens"),
        reused_tokens=_whole(untrusted, "reused_tokens"),
        answer_tokens=_whole(untrusted, "answer_tokens"),
        prompt_s=_seconds(untrusted, "prompt_s"),
        generate_s=_seconds(untrusted, "generate_s"),
    )
    if finished.reused_tokens > finished.prompt_tokens:
        raise ValueError("reused_tokens")
    return finished


def read_count(untrusted: Untrusted) -> int:
    """The answer to ``count``, tokens.

    Raises:
        ValueError: it is not in the protocol.
    """
    return _whole(untrusted, "tokens")


def write_vector(vector: Vector) -> str:
    """A vector as text for the pipe."""
    return base64.b64encode(vector.astype("<f4").tobytes()).decode()


def read_vector(untrusted: Untrusted, dimensions: int) -> Vector:
    """The answer to ``embed``: float32, length ``dimensions``, norm 1.

    Raises:
        ValueError: another length, not finite, or not normalised.
    """
    try:
        data = base64.b64decode(_text(untrusted, "vector", 8 * dimensions + 8), validate=True)
    except binascii.Error as error:
        raise ValueError("vector") from error
    vector = np.frombuffer(data, dtype="<f4").astype(np.float32)
    if vector.shape != (dimensions,) or not abs(float(np.linalg.norm(vector)) - 1) <= _NORM_TOLERANCE:
        raise ValueError("vector")
    return vector


def read_description(untrusted: Untrusted, role: EngineRole) -> EngineDescription:
    """The fields of the ready line.

    Raises:
        ValueError: they are not in the protocol, or of another role.
    """
    if untrusted.get("role") != role:
        raise ValueError("role")
    return EngineDescription(
        role=role,
        architecture=_text(untrusted, "architecture", 200),
        name=_text(untrusted, "name", 200),
        context_tokens=_whole(untrusted, "context_tokens"),
        vocabulary_size=_whole(untrusted, "vocabulary_size"),
        parameters=_whole(untrusted, "parameters"),
        dimensions=_whole(untrusted, "dimensions"),
        size_bytes=_whole(untrusted, "size_bytes"),
        rss_bytes=_whole(untrusted, "rss_bytes"),
        runtime=_text(untrusted, "runtime", 200),
    )


def _text(untrusted: Untrusted, key: str, longest: int) -> str:
    value = untrusted.get(key)
    if not isinstance(value, str) or len(value) > longest:
        raise ValueError(key)
    return value


def _whole(untrusted: Untrusted, key: str) -> int:
    value = untrusted.get(key)
    if type(value) is not int or not 0 <= value <= LARGEST_COUNT:  # bool is an int to isinstance
        raise ValueError(key)
    return value


def _seconds(untrusted: Untrusted, key: str) -> float:
    value = untrusted.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= LONGEST_S:  # false for NaN
        raise ValueError(key)
    return float(value)
