"""llama-cpp-python called without any of Lumen's code, in a process of its own: what the engine is measured against.

Reads one JSON request a line, answers with one line of figures. Started by `tests.bench.engine`.
"""

import json
import resource
import sys
import time
from typing import Any

import llama_cpp
import psutil


def load(path: str, *, batch_tokens: int, embedding: bool) -> llama_cpp.Llama:
    context_tokens = 512 if embedding else 4096
    return llama_cpp.Llama(
        path,
        n_ctx=context_tokens,
        n_batch=batch_tokens,
        n_ubatch=batch_tokens,
        n_threads=1,
        n_threads_batch=1,
        flash_attn=True,
        embedding=embedding,
        verbose=False,
    )


def measure(llama: llama_cpp.Llama, prompt: str, tokens: int) -> dict[str, float]:
    """Wall and processor time to the first token and from there to the last."""
    began, cpu = time.perf_counter(), _cpu_s()
    ids = llama.tokenize(prompt.encode(), add_bos=False, special=True)
    first = first_cpu = 0.0
    drawn = llama.generate(ids, top_k=0, top_p=1.0, min_p=0.0, temp=0.0, repeat_penalty=1.1)
    for number, token in enumerate(drawn, 1):
        llama.detokenize([token])
        if number == 1:
            first, first_cpu = time.perf_counter(), _cpu_s()
        if number == tokens or token == llama.token_eos():
            break
    return {
        "prompt_tokens": len(ids),
        "answer_tokens": number,
        "prompt_s": first - began,
        "generate_s": time.perf_counter() - first,
        "prompt_cpu_s": first_cpu - cpu,
        "generate_cpu_s": _cpu_s() - first_cpu,
    }


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main(arguments: list[str]) -> int:
    batch_tokens, *paths = arguments
    models = [load(path, batch_tokens=int(batch_tokens), embedding=False) for path in paths[:1]]
    models += [load(path, batch_tokens=512, embedding=True) for path in paths[1:]]
    ready: dict[str, Any] = {"rss_bytes": psutil.Process().memory_info().rss}
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    for line in sys.stdin:
        request = json.loads(line)
        sys.stdout.write(json.dumps(measure(models[0], request["prompt"], request["tokens"])) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
