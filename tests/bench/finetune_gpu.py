"""QLoRA of a 7B shape on one GPU: tokens a second without padding, memory and step times, over a matrix of settings.

NOT RUN ON A GPU YET: no GPU was at hand; ``--shape tiny --device cpu`` shows that it runs. The weights are random and
are quantised as they are made, so no model file is needed: speed does not depend on their values (zeros would be too
fast, the multipliers then draw less power). Documents are drawn from a log-normal with a real dataset's mean and
spread. One JSON line a setting, as it finishes, so that a run cut short has said what it measured::

    python -m tests.bench finetune_gpu --first                    # parity, then one setting: is the set-up right?
    python -m tests.bench finetune_gpu --cap-gb 80 > h200.jsonl   # the matrix, in the memory of an A100-80
    python -m tests.bench finetune_gpu --cap-gb 40 --tokens 4096 8192

What an A100 would do is a prediction from the share of the peak reached here, and is named so.
"""

import argparse
import itertools
import json
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import bitsandbytes
import numpy as np
import torch
from transformers import MistralConfig, MistralForCausalLM

from trainer.arithmetic import work
from trainer.base import keep_unpacked
from trainer.catalogue import BASES, GPUS, Base
from trainer.packing import Document, Pack, collate_to_learn
from trainer.recipe import Finetune
from trainer.training import adapters, attention, probe

SHAPES = {
    "7b": BASES["biomistral-7b"],
    "tiny": Base("tiny", 2, 256, 512, 256, 64, 1_024, 4_096),
}
GOAL_TOKENS_PER_S = 12_000  # on an H200 in 80 GB
H200_TFLOPS = 790  # dense bf16 that a large product of matrices reaches, not the data sheet's 989
A100_TFLOPS = GPUS["a100-80"].tflops
MEAN_TOKENS, SPREAD = 500.0, 0.6  # of a document: mean, and sigma of its logarithm


@dataclass(frozen=True, slots=True)
class Setting:
    """One cell of the matrix."""

    precision: str
    attention: str
    liger: bool
    checkpointing: str
    tokens: int


def main(argv: list[str]) -> int:
    """Measures; 1 where no setting reaches the goal on a GPU, or where parity is off."""
    options = _options(argv)
    device = torch.device(options.device)
    if device.type == "cuda" and options.cap_gb:
        total = torch.cuda.get_device_properties(device).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, options.cap_gb * 1e9 / total), device)
    attention.register()
    _say({"machine": _machine(device), "options": vars(options), "lengths": {"mean": MEAN_TOKENS, "sigma": SPREAD}})
    parity = _parity(device)
    _say({"parity": parity})
    if parity["gradient cosine"] < 0.9999 or parity["logits"] > 0.05:
        return 1
    best = 0.0
    for setting in _matrix(options):
        result = _measured(setting, options, device)
        _say({**asdict(setting), **result})
        best = max(best, result.get("tokens_per_s", 0.0))
    _say({"best tokens_per_s": best, "goal": GOAL_TOKENS_PER_S, "kind": "measured"})
    return 0 if device.type == "cpu" or best >= GOAL_TOKENS_PER_S else 1


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="finetune_gpu")
    parser.add_argument("--shape", choices=SHAPES, default="7b")
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--cap-gb", type=float, default=0.0, help="at most so much of the GPU's memory")
    parser.add_argument("--tokens", type=int, nargs="+", default=[4_096, 8_192, 16_384, 32_768])
    parser.add_argument("--precision", nargs="+", default=["nf4", "bf16"], choices=["nf4", "bf16"])
    parser.add_argument("--attention", nargs="+", default=[attention.NAME, "sdpa"])
    parser.add_argument("--checkpointing", nargs="+", default=["none", "half", "full"])
    parser.add_argument("--liger", nargs="+", default=["yes", "no"], choices=["yes", "no"])
    parser.add_argument("--warm", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--first", action="store_true", help="one setting only")
    return parser.parse_args(argv)


def _matrix(options: argparse.Namespace) -> Iterator[Setting]:
    if options.first:
        yield Setting("nf4", options.attention[0], liger=False, checkpointing="full", tokens=options.tokens[0])
        return
    for precision, kind, liger, checkpointing, tokens in itertools.product(
        options.precision, options.attention, options.liger, options.checkpointing, options.tokens
    ):
        yield Setting(precision, kind, liger == "yes", checkpointing, tokens)


def _say(value: Any) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def _machine(device: torch.device) -> dict[str, Any]:
    found: dict[str, Any] = {"torch": torch.__version__, "threads": torch.get_num_threads()}
    if device.type == "cuda":
        fact = torch.cuda.get_device_properties(device)
        found |= {"gpu": fact.name, "gpu_gb": round(fact.total_memory / 1e9, 1), "cuda": torch.version.cuda}
    return found


# ---- the model ------------------------------------------------------------------------------------------------------


def model_of(shape: Base, setting: Setting, device: torch.device) -> Any:
    """A random model with adapters, built straight on the device in its precision, never whole in another."""
    config = MistralConfig(
        vocab_size=shape.vocabulary, hidden_size=shape.hidden, intermediate_size=shape.intermediate,
        num_hidden_layers=shape.layers, num_attention_heads=shape.heads_width // 64 if shape.hidden < 4_096 else 32,
        num_key_value_heads=shape.kv_width // 64 if shape.hidden < 4_096 else 8,
        max_position_embeddings=shape.longest, sliding_window=None, use_cache=False,
        attn_implementation=setting.attention,
    )  # fmt: skip
    with torch.device("meta"):
        model = MistralForCausalLM(config).to(torch.bfloat16)
    _fill(model, device, four=setting.precision == "nf4")
    model.model.rotary_emb = type(model.model.rotary_emb)(config).to(device)  # its buffers lie on meta
    model.is_loaded_in_4bit = setting.precision == "nf4"
    keep_unpacked(model)
    if setting.liger:
        from liger_kernel.transformers import _apply_liger_kernel_to_instance  # noqa: PLC0415 - only where CUDA is

        _apply_liger_kernel_to_instance(model=model)
    adapted = adapters.add(model, Finetune(dropout=0.0))
    probe.switch(model, setting.checkpointing)
    return adapted.train()


def _fill(model: Any, device: torch.device, *, four: bool) -> None:
    generator = torch.Generator(device).manual_seed(1)

    def drawn(shape: tuple[int, ...]) -> torch.Tensor:
        return torch.randn(shape, generator=generator, device=device, dtype=torch.bfloat16) * 0.02

    for name, layer in list(model.named_modules()):
        if isinstance(layer, torch.nn.Linear) and four and name != "lm_head":
            _replace(model, name, _four_bit(layer, drawn, device))
            continue
        for kind, weight in list(layer.named_parameters(recurse=False)):
            values = drawn(tuple(weight.shape)) if weight.ndim > 1 else torch.ones_like(weight, device=device)
            setattr(layer, kind, torch.nn.Parameter(values, requires_grad=False))


def _four_bit(layer: torch.nn.Linear, drawn: Any, device: torch.device) -> Any:
    made = bitsandbytes.nn.Linear4bit(
        layer.in_features, layer.out_features, bias=False, compute_dtype=torch.bfloat16, compress_statistics=True,
        quant_type="nf4", device="meta",
    )  # fmt: skip
    made.weight = bitsandbytes.nn.Params4bit(
        drawn((layer.out_features, layer.in_features)), requires_grad=False, quant_type="nf4",
        compress_statistics=True, module=made,
    ).to(device)  # fmt: skip
    return made


def _replace(model: Any, name: str, made: Any) -> None:
    above, _, last = name.rpartition(".")
    setattr(model.get_submodule(above), last, made)


# ---- one setting ----------------------------------------------------------------------------------------------------


def batches(shape: Base, tokens: int, *, seed: int) -> Iterator[dict[str, Any]]:
    """Full rows of documents of real lengths, without end."""
    generator = np.random.default_rng(seed)
    while True:
        left, documents = tokens, []
        while left >= 8:
            mean = np.log(MEAN_TOKENS) - SPREAD**2 / 2
            length = min(left, max(8, int(generator.lognormal(mean, SPREAD))))
            learn = np.arange(length) >= length // 2
            documents.append(Document(generator.integers(0, shape.vocabulary, length), learn))
            left -= length
        yield collate_to_learn([Pack(0, tuple(documents))])


def _measured(setting: Setting, options: argparse.Namespace, device: torch.device) -> dict[str, Any]:
    gpu = device.type == "cuda"
    if gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    try:
        times, tokens = _timed(setting, options, device)
    except torch.OutOfMemoryError:
        return {"fits": False}
    except ImportError as error:
        return {"fits": False, "why": str(error)}
    peak = torch.cuda.max_memory_allocated(device) / 1e9 if gpu else 0.0
    return _figures(SHAPES[options.shape], setting, times, tokens=tokens, peak_gb=peak, gpu=gpu)


def _timed(setting: Setting, options: argparse.Namespace, device: torch.device) -> tuple[list[float], int]:
    """Seconds of each step after the first few, and the tokens in them."""
    shape = SHAPES[options.shape]
    model = model_of(shape, setting, device)
    trained = [one for one in model.parameters() if one.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4, fused=device.type == "cuda")
    times, tokens = [], 0
    for number, batch in enumerate(
        itertools.islice(batches(shape, setting.tokens, seed=1), options.warm + options.steps)
    ):
        seconds = _step(model, optimizer, batch, device)
        if number >= options.warm:
            times.append(seconds)
            tokens += batch["input_ids"].numel()
    return times, tokens


def _step(model: Any, optimizer: Any, batch: dict[str, Any], device: torch.device) -> float:
    """Seconds of one optimiser step over one row, the copy to the device included."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    begun = time.perf_counter()
    moved = {name: one.to(device) if isinstance(one, torch.Tensor) else one for name, one in batch.items()}
    with torch.autocast(device.type, torch.bfloat16):
        loss = model(**moved).loss
    loss.backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - begun


def _figures(
    shape: Base, setting: Setting, times: list[float], *, tokens: int, peak_gb: float, gpu: bool
) -> dict[str, Any]:
    rate = tokens / sum(times)
    operations = work(shape, sequence=int(MEAN_TOKENS), adapters=True)
    again = {"none": 0.0, "half": 0.5, "full": 1.0}[setting.checkpointing]
    reached = rate * (operations.plain + again * operations.recomputing) / (H200_TFLOPS * 1e3)
    found = {
        "fits": True, "kind": "measured", "tokens_per_s": round(rate, 1), "peak_gb": round(peak_gb, 2),
        "step_p50_s": round(statistics.median(times), 4), "step_p95_s": round(sorted(times)[int(0.95 * len(times))], 4),
    }  # fmt: skip
    predicted = round(rate * A100_TFLOPS / H200_TFLOPS, 1)
    return found | ({"share_of_h200": round(reached, 3), "a100_tokens_per_s_PREDICTED": predicted} if gpu else {})


def _parity(device: torch.device) -> dict[str, float]:
    """Gradients in NF4 against the same weights dequantised, and documents apart against masked attention."""
    shape = SHAPES["tiny"]
    batch = next(batches(shape, 512, seed=2))
    moved = {name: one.to(device) if isinstance(one, torch.Tensor) else one for name, one in batch.items()}
    made = {}
    for kind in ("sdpa", attention.NAME, "dequantised"):
        setting = Setting("nf4", "sdpa" if kind == "dequantised" else kind, liger=False, checkpointing="none", tokens=0)
        torch.manual_seed(1)
        model = model_of(shape, setting, device)
        _open_adapters(model)
        if kind == "dequantised":
            _dequantise(model)
        with torch.autocast(device.type, torch.bfloat16):
            out = model(**moved)
        out.loss.backward()
        grads = torch.cat([one.grad.flatten() for one in model.parameters() if one.grad is not None])
        made[kind] = (out.logits.detach().float(), grads.float())
    cosine = torch.nn.functional.cosine_similarity(made["sdpa"][1], made["dequantised"][1], dim=0)
    return {
        "gradient cosine": round(float(cosine), 6),
        "logits": round(float((made["sdpa"][0] - made[attention.NAME][0]).abs().max()), 6),
    }


def _open_adapters(model: Any) -> None:
    """Adapters begin as zero, which would hide half of the gradients."""
    generator = torch.Generator().manual_seed(3)
    for name, one in model.named_parameters():
        if "lora_B" in name:
            one.data = (torch.randn(one.shape, generator=generator) * 0.02).to(one.device)


def _dequantise(model: Any) -> None:
    for name, layer in list(model.named_modules()):
        if isinstance(layer, bitsandbytes.nn.Linear4bit):
            weight = bitsandbytes.functional.dequantize_4bit(layer.weight.data, layer.weight.quant_state)
            plain = torch.nn.Linear(layer.in_features, layer.out_features, bias=False, device="meta")
            plain.weight = torch.nn.Parameter(weight.to(torch.bfloat16), requires_grad=False)
            _replace(model, name, plain)
