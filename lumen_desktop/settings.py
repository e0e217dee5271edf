"""What may differ from machine to machine: threads, limits, thresholds of time.

Values, not files: a settings screen joins with the window. Everything here has a default that
was chosen by a measurement or a rule named beside it.
"""

import os
from dataclasses import dataclass, field


def _threads() -> int:
    """All cores but one, so that the machine stays usable; llama.cpp spins when it has them all."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores - 1)


@dataclass(frozen=True, slots=True)
class Settings:
    """How this machine runs the app.

    Attributes:
        threads: threads of one llama.cpp context (both for prompt and for generation).
        context_tokens: context window asked of the chat model, tokens.
        answer_tokens: longest commentary, tokens.
        passages: passages offered to an answer.
        quotes: sentences that lead an answer.
    """

    threads: int = field(default_factory=_threads)
    context_tokens: int = 4096
    answer_tokens: int = 256
    passages: int = 5
    quotes: int = 3
