"""A model build: which file answers or embeds, what it may do, and how it is known for sure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelBuild:
    """An installed model file and what its manifest says of it.

    Attributes:
        id: name of the build, such as ``smollm2-135m-instruct-q8_0``.
        role: ``chat`` or ``embedding``.
        sha256: digest of the model file.
        size_bytes: its size.
        context_tokens: longest context it was made for.
        prose: whether its qualification lets it add prose to an answer.
        licence: SPDX identifier.
    """

    id: str
    role: str
    sha256: str
    size_bytes: int
    context_tokens: int
    prose: bool
    licence: str
