"""How fast a file answers and how much memory that takes, measured in a process of its own on fixed prompts.

As a module it is that process: ``python -m trainer.evaluation.speed FILE CONTEXT THREADS`` prints one line of JSON.
Knows no question set; `trainer.evaluate` calls `measured`.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from lumen_desktop.errors import EngineError
from trainer.llama import GgufModel

_PASSAGE = (
    "Tablets are taken with a glass of water, once a day, at about the same time. The usual dose is 10 mg; it may be "
    "doubled after four weeks where the response is not sufficient. In severe renal impairment 5 mg are not exceeded. "
)
_PROMPTS = tuple(f"Question {n}: which dose is given? Sources:\n" + _PASSAGE * 6 + "\nAnswer:" for n in range(2))
_ANSWER_TOKENS = 32
_SMALLEST_CONTEXT = 1_024
_LIMIT_S = 3_600


def measured(model: Path, *, context_tokens: int, threads: int) -> dict[str, float]:
    """Seconds to the first token (median), tokens a second of the answer (median), peak memory in GB (10^9 bytes).

    Raises:
        EngineError: the process failed (TRN-060).
    """
    command = [sys.executable, "-m", __name__, str(model), str(max(context_tokens, _SMALLEST_CONTEXT)), str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT_S, check=False)
    try:
        found: Mapping[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    except (ValueError, IndexError):
        raise EngineError(
            f"{model.name} cannot be opened by llama.cpp.", code="TRN-060",
            hint="Run the step that made it again; if memory is short, close other programs.",
        ) from None  # fmt: skip
    return dict(found)


def measure(model: Path, *, context_tokens: int, threads: int) -> dict[str, float]:
    """The same in this process; memory is all that it ever held."""
    firsts: list[float] = []
    rates: list[float] = []
    with GgufModel(model, context_tokens=context_tokens, threads=threads) as gguf:
        for prompt in _PROMPTS:
            began = time.perf_counter()
            answer = gguf.greedy(gguf.tokens(prompt, control=False), most=_ANSWER_TOKENS)
            next(answer, None)
            first = time.perf_counter()
            rest = sum(1 for _ in answer)
            firsts.append(first - began)
            rates += [rest / (time.perf_counter() - first)] if rest else []
    return {
        "first_token_s": round(statistics.median(firsts), 4),
        "tokens_per_s": round(statistics.median(rates or [0.0]), 2),
        "memory_gb": round(_peak_bytes() / 1e9, 4),
    }


def _peak_bytes() -> int:
    """The most memory that this process held; where the system does not say, what it holds now.

    Not `getrusage`: on Linux a process that was started inherits the peak of the one that started it.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        held = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM:"))
        return int(held.split()[1]) * 1_024
    memory = psutil.Process().memory_info()
    return int(getattr(memory, "peak_wset", memory.rss))


if __name__ == "__main__":
    sys.stdout.write(
        json.dumps(measure(Path(sys.argv[1]), context_tokens=int(sys.argv[2]), threads=int(sys.argv[3]))) + "\n"
    )
