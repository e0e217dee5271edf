"""The engines' figures: speed against llama.cpp alone, warm against cold, stop, kill, one process or two.

Ratios are taken between neighbours of one run, so that other work on the machine meets both; the
interval is that of the median by order statistics, 95 % or more. `python -m tests.bench engine`.
"""

import argparse
import contextlib
import json
import math
import os
import random
import secrets
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psutil

from lumen_desktop import paths
from lumen_desktop.engine import ChatEngine, EmbeddingEngine, Finished, Sampling, TextDelta, Turn
from lumen_desktop.engine.llama import LARGEST_BATCH_TOKENS
from lumen_desktop.errors import EngineError

CHAT = paths.models() / "smollm2-135m-instruct-q8_0.gguf"
EMBEDDING = paths.models() / "all-minilm-l6-v2-f16.gguf"
TEMPLATE = paths.resources() / "prompts" / "smollm2.jinja"
LIBRARY = sorted((paths.resources() / "library").glob("*.md"))
SPEED_TOKENS, SPEED_CHARS = 32, 1_800
PREFIX_CHARS = 3_450  # some 800 tokens
STOP_GOAL_S, KILLS = 0.150, 50


@dataclass(frozen=True, slots=True)
class Figure:
    """A median with its interval, and what it should be."""

    name: str
    values: Sequence[float]
    goal: float
    more_is_better: bool

    @property
    def reached(self) -> bool:
        median = statistics.median(self.values)
        return median >= self.goal if self.more_is_better else median <= self.goal

    def __str__(self) -> str:
        low, high = interval(self.values)
        sign = ">=" if self.more_is_better else "<="
        return (
            f"{self.name}: median {statistics.median(self.values):.3f} [{low:.3f}, {high:.3f}] of {len(self.values)}, "
            f"worst {(min if self.more_is_better else max)(self.values):.3f}, goal {sign} {self.goal:.3f}: "
            f"{'reached' if self.reached else 'MISSED'}"
        )


@dataclass(frozen=True, slots=True)
class Measured:
    """One answer as its reader sees it."""

    text: str
    finished: Finished
    first_s: float
    total_s: float
    cpu_s: float


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Bounds of the median: the innermost pair of order statistics that covers it with 95 % or more."""
    ordered, count = sorted(values), len(values)
    outside, index = 0.0, 0
    for k in range(count // 2):
        outside += 2 * math.comb(count, k) / 2**count
        if outside > 0.05:
            break
        index = k
    return ordered[index], ordered[-1 - index]


def sources(size_chars: int) -> str:
    """Real text that begins differently each time, so that nothing evaluated before can be reused."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in LIBRARY)
    start = random.randrange(len(text) - size_chars)
    return f"{secrets.token_hex(4)} {text[start : start + size_chars]}"


def turns(system: str, *rest: str) -> list[Turn]:
    """A conversation: sources first, then question, answer, question …"""
    roles = ["user", "assistant"] * len(rest)
    return [Turn("system", system), *(Turn(role, text) for role, text in zip(roles, rest, strict=False))]  # type: ignore[arg-type]


def rendered(conversation: Sequence[Turn]) -> str:
    """The prompt as a string; `tests.engine.test_llama` shows that the ids are the same."""
    return (
        "".join(f"<|im_start|>{turn.role}\n{turn.text}<|im_end|>\n" for turn in conversation)
        + "<|im_start|>assistant\n"
    )


def ask(engine: ChatEngine, conversation: Sequence[Turn], tokens: int) -> Measured:
    process = psutil.Process(engine.pid)
    before, began, first, text = sum(process.cpu_times()[:2]), time.perf_counter(), 0.0, ""
    for event in engine.generate(conversation, Sampling(answer_tokens=tokens)):
        if isinstance(event, TextDelta):
            first = first or time.perf_counter() - began
            text += event.text
    assert isinstance(event, Finished)
    return Measured(text, event, first, time.perf_counter() - began, sum(process.cpu_times()[:2]) - before)


@contextlib.contextmanager
def chat_engine() -> Iterator[ChatEngine]:
    engine = ChatEngine(CHAT, template=TEMPLATE, threads=1, context_tokens=4096)
    engine.describe()
    try:
        yield engine
    finally:
        engine.close()


class Direct:
    """The process of `tests.bench.direct`."""

    def __init__(self, batch_tokens: int, *models: Path) -> None:
        command = [sys.executable, "-m", "tests.bench.direct", str(batch_tokens), *map(str, models)]
        environment = os.environ | {"OMP_WAIT_POLICY": "passive"}
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        assert self._process.stdin
        assert self._process.stdout
        self._in: IO[bytes] = self._process.stdin
        self._out: IO[bytes] = self._process.stdout
        self.ready: dict[str, Any] = json.loads(self._out.readline())

    def ask(self, conversation: Sequence[Turn], tokens: int) -> dict[str, float]:
        self._in.write(json.dumps({"prompt": rendered(conversation), "tokens": tokens}).encode() + b"\n")
        self._in.flush()
        figures: dict[str, float] = json.loads(self._out.readline())
        return figures

    def close(self) -> None:
        self._in.close()
        self._out.close()
        self._process.wait()


def speed(pairs: int) -> list[Figure]:
    """Tokens a second through the child, as a share of those without it."""
    shares: dict[str, list[float]] = {}
    for batch_tokens in (LARGEST_BATCH_TOKENS, 512):
        direct = Direct(batch_tokens, CHAT)
        with chat_engine() as engine:
            ask(engine, turns("Warm up.", "Ready?"), 4)
            direct.ask(turns("Warm up.", "Ready?"), 4)
            for index in range(pairs):
                for kind, share in _pair(engine, direct, child_first=index % 2 == 0).items():
                    name = f"{kind}, share of llama.cpp alone with a batch of {batch_tokens}"
                    shares.setdefault(name, []).append(share)
        direct.close()
    return [Figure(name, values, 0.95, more_is_better=True) for name, values in shares.items()]


def _pair(engine: ChatEngine, direct: Direct, *, child_first: bool) -> dict[str, float]:
    """Two prompts in the order A B B A: the child's speed as a share of llama.cpp's alone."""
    totals = {True: [0.0, 0.0, 0.0], False: [0.0, 0.0, 0.0]}
    for first in (child_first, not child_first):
        conversation = turns(sources(SPEED_CHARS), "Retell these passages at length.")
        for child in (first, not first):
            seconds = _seconds(engine if child else direct, conversation)
            totals[child] = [a + b for a, b in zip(totals[child], seconds, strict=True)]
    names = ("prompt speed by the clock", "generation speed by the clock", "both in processor time")
    return {name: other / mine for name, mine, other in zip(names, totals[True], totals[False], strict=True)}


def _seconds(engine: ChatEngine | Direct, conversation: Sequence[Turn]) -> list[float]:
    """Seconds to the first token, for each token from there on, and of the processor."""
    if isinstance(engine, Direct):
        figures = engine.ask(conversation, SPEED_TOKENS)
        processor_s = figures["prompt_cpu_s"] + figures["generate_cpu_s"]
        return [figures["prompt_s"], figures["generate_s"] / (figures["answer_tokens"] - 1), processor_s]
    mine = ask(engine, conversation, SPEED_TOKENS)
    assert mine.finished.reused_tokens == 0
    token_s = (mine.total_s - mine.first_s) / (mine.finished.answer_tokens - 1)
    print(f"prompt {mine.finished.prompt_tokens / mine.first_s:.0f}, generation {1 / token_s:.0f} tokens a second")
    return [mine.first_s, token_s, mine.cpu_s]


def prefix(pairs: int) -> list[Figure]:
    """Time to the first token of a second turn, as a share of a cold first one's."""
    another, onward = [], []
    with chat_engine() as engine:
        for _ in range(pairs):
            system = sources(PREFIX_CHARS)
            cold = ask(engine, turns(system, "What must be recorded?"), 16)
            warm = ask(engine, turns(system, "Who must be informed, and when?"), 16)
            another.append(warm.first_s / cold.first_s)
            cold = ask(engine, turns(system := sources(PREFIX_CHARS), "What must be recorded?"), 16)
            warm = ask(engine, turns(system, "What must be recorded?", cold.text, "Who must be informed?"), 16)
            onward.append(warm.first_s / cold.first_s)
            print(
                f"cold {cold.finished.prompt_tokens} tokens {cold.first_s:.2f} s, "
                f"then {warm.finished.reused_tokens} of {warm.finished.prompt_tokens} reused, {warm.first_s:.2f} s"
            )
    return [
        Figure("first token, another question on the same sources, share of cold", another, 0.10, more_is_better=False),
        Figure("first token, second turn of a conversation, share of cold", onward, 0.10, more_is_better=False),
    ]


def stop(count: int) -> list[Figure]:
    """Seconds from `stop` to the end of the answer, in both phases."""
    in_prompt, in_generation = [], []
    with chat_engine() as engine:
        for _ in range(count):
            asked_at = [0.0]

            def ask_to_stop(at: list[float] = asked_at) -> None:
                at[0] = time.perf_counter()
                engine.stop()

            timer = threading.Timer(random.uniform(0.05, 1.5), ask_to_stop)
            timer.start()
            stopped = ask(engine, turns(sources(PREFIX_CHARS * 2), "What must be recorded?"), 200)
            if stopped.finished.answer_tokens == 0:
                in_prompt.append(time.perf_counter() - asked_at[0])
            timer.join()
            deltas, after = 0, random.randrange(1, 12)
            for event in engine.generate(turns("Be brief.", "Tell a story."), Sampling(answer_tokens=200)):
                deltas += isinstance(event, TextDelta)
                if deltas == after:
                    ask_to_stop(asked_at)
                    deltas += 1
            in_generation.append(time.perf_counter() - asked_at[0])
    return [
        Figure("stop while the prompt is read, s", in_prompt, STOP_GOAL_S, more_is_better=False),
        Figure("stop while it writes, s", in_generation, STOP_GOAL_S, more_is_better=False),
    ]


def kill(count: int) -> list[Figure]:
    """kill -9 at random moments of loading, reading and writing: a typed error, then the right answer."""
    conversation = turns(LIBRARY[0].read_text(encoding="utf-8")[:900], "What must be recorded?")
    with chat_engine() as engine:
        reference = ask(engine, conversation, 16)
    good, codes = [], []
    for index in range(count):
        engine = ChatEngine(CHAT, template=TEMPLATE, threads=1, context_tokens=4096)
        if index % 5:
            engine.describe()
            within_s = reference.total_s
        else:
            engine.start()
            within_s = reference.total_s + 1.0
        process = psutil.Process(engine.pid)
        timer = threading.Timer(random.uniform(0, within_s), process.kill)
        timer.start()
        codes.append(_code(lambda engine=engine: ask(engine, conversation, 16)))  # type: ignore[misc]
        timer.join()
        process.wait(5)
        began = time.perf_counter()
        again = ask_anew(engine, conversation)
        good.append(
            codes[-1] in {"ENG-002", "finished before"} and again == reference.text and engine.pid != process.pid
        )
        engine.close()
        print(f"{index + 1}: {codes[-1]}, right again after {time.perf_counter() - began:.1f} s: {good[-1]}")
    print(f"{codes.count('ENG-002')} of {count} kills met a running request, {sum(good)} went as they should")
    return [Figure("kill -9: typed error, restart, next answer right", [sum(good) / count], 1.0, more_is_better=True)]


def ask_anew(engine: ChatEngine, conversation: Sequence[Turn]) -> str:
    """An answer of an engine that may have to start first."""
    events = engine.generate(conversation, Sampling(answer_tokens=16))
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def _code(work: Callable[[], object]) -> str:
    try:
        work()
    except EngineError as error:
        return error.code
    return "finished before"


def children(count: int) -> list[Figure]:
    """Memory of two processes against one, and a question's embedding while a commentary streams."""
    embedding = EmbeddingEngine(EMBEDDING, threads=1)
    question = ["Which batches must an investigation extend to?"]
    quiet, busy, commentary_s = [], [], []
    with chat_engine() as chat:
        two = chat.describe().rss_bytes + embedding.describe().rss_bytes
        for index in range(count):
            quiet.append(_timed(lambda: embedding.embed(question)))
            began = time.perf_counter()
            for number, _ in enumerate(
                chat.generate(turns("Be exact.", f"Tell story {index}."), Sampling(answer_tokens=64))
            ):
                if number == 3:
                    busy.append(_timed(lambda: embedding.embed(question)))
            commentary_s.append(time.perf_counter() - began)
        memory = [psutil.Process(pid).memory_full_info().uss for pid in (chat.pid, embedding.pid)]
    embedding.close()
    one = Direct(LARGEST_BATCH_TOKENS, CHAT, EMBEDDING)
    print(f"resident after loading: two processes {two / 1e6:.0f} MB, one {one.ready['rss_bytes'] / 1e6:.0f} MB")
    print(f"private after work: chat {memory[0] / 1e6:.0f} MB, embedding {memory[1] / 1e6:.0f} MB")
    print(
        f"a question's embedding: {statistics.median(quiet):.3f} s alone, {statistics.median(busy):.3f} s beside a "
        f"commentary; in one process it would wait for the commentary, up to {statistics.median(commentary_s):.1f} s"
    )
    one.close()
    return []


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def memory(count: int) -> list[Figure]:
    """Growth of the process over many requests."""
    with chat_engine() as engine:
        resident = []
        for index in range(count):
            ask(engine, turns("Be brief.", f"What is number {index}?"), 4)
            resident.append(psutil.Process(engine.pid).memory_info().rss)
    growth = (resident[-1] - resident[count // 3]) / (count - 1 - count // 3)
    return [Figure("growth per request, kB", [growth / 1e3], 20.0, more_is_better=False)]


PARTS: dict[str, tuple[Callable[[int], list[Figure]], int]] = {
    "speed": (speed, 9),
    "prefix": (prefix, 9),
    "stop": (stop, 20),
    "kill": (kill, KILLS),
    "children": (children, 9),
    "memory": (memory, 90),
}


def main(argv: list[str]) -> int:
    """Measures the parts that are named, or all of them.

    Returns:
        0 where every goal is reached, else 1.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.bench engine", description=__doc__)
    parser.add_argument("part", nargs="*", choices=[*PARTS, []], default=[], metavar="PART")
    parser.add_argument("--repeat", type=int, help="pairs, stops, kills or requests, instead of each part's own number")
    options = parser.parse_args(argv)
    missed = 0
    for name in options.part or PARTS:
        measure, repeat = PARTS[name]
        for figure in measure(options.repeat or repeat):
            print(f"** {figure}", flush=True)
            missed += not figure.reached
    return 1 if missed else 0
