"""What a model will take before a GPU is rented: tokens, memory, hours and money, for three ways to make it.

Arithmetic over the base's shape and a GPU's data sheet, with efficiencies worked back from runs that others published.
Nothing here was measured by Lumen, and every result says so. `trainer.cli.plan` shows it; knows no file.

======= ===============================================
code    meaning
======= ===============================================
TRN-050 a number that cannot be
TRN-051 a GPU that is not in the catalogue
TRN-052 a base that is not in the catalogue
TRN-053 a row that the base or the GPU cannot hold
======= ===============================================
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from lumen_desktop.errors import InputError
from trainer.arithmetic import LORA_RANK, Work, activations_gb, dequantising_ms, nf4_gb, share, trained_gb, work
from trainer.catalogue import BASES, GPUS, PRETRAINING_RUN, QLORA_RUNS, Base, Gpu, Run

MICROBATCH_TOKENS = 8_192  # smaller ones wait for dequantising, which takes as long for one token as for all
UNCHECKPOINTED_TOKENS = 4_096
CHINCHILLA_TOKENS = 20  # a parameter; Hoffmann et al. 2022, arXiv 2203.15556
SHARDING = 0.9  # speed left when states lie on several GPUs; an estimate
UNTUNED = 0.7  # speed of a program that nobody tuned, where no published run says it; an estimate
RESERVE_GB = 2.0  # CUDA's context, a layer's dequantised weights, fragments

# Tokens a second of an A100 with QLoRA on Mistral 7B, rows of 2,048, activations recomputed.
CAUTIOUS_RATE = 2_400  # plain programs: LLaMA-Factory without FlashAttention 2,415, Qwen's readme 2,340
EXPECTED_RATE = 3_500  # packing and FlashAttention: IBM 3,428, LLaMA-Factory with rows of 16,384 3,542
GOAL_RATE = 5_000  # nobody's measurement: the same share of the peak with nothing recomputed
_LIMITS = {"examples": 10**9, "tokens_per_example": 10**6, "epochs": 100, "sequence": 10**6}
_DEAREST_HOUR = 10_000


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for.

    Attributes:
        examples: how many.
        gpu: name in `trainer.catalogue.GPUS`.
        price_per_hour: of one GPU, in whatever currency.
        tokens_per_example: mean of prompt and answer; packing leaves no padding to count.
        epochs: how often each is seen.
        base: name in `trainer.catalogue.BASES`.
        sequence: tokens in a packed row.
    """

    examples: int
    gpu: str
    price_per_hour: float | None = None
    tokens_per_example: int = 500
    epochs: int = 3
    base: str = "biomistral-7b"
    sequence: int = 2_048

    @property
    def tokens(self) -> int:
        """Trained on, all epochs."""
        return self.examples * self.tokens_per_example * self.epochs


@dataclass(frozen=True, slots=True)
class Method:
    """One way to make the model.

    Attributes:
        name: qlora, full or scratch.
        title: for people.
        tokens: that are trained on.
        gflop_per_token: with activations recomputed.
        gpus: the fewest that hold it.
        memory: gigabytes a GPU, by what takes them.
        tokens_per_s: of one GPU, as expected.
        tokens_per_s_cautious: the same for a program that nobody tuned.
        price_per_hour: of one GPU.
        basis: what the speed rests on.
        remarks: sentences.
    """

    name: str
    title: str
    tokens: int
    gflop_per_token: float
    gpus: int
    memory: Mapping[str, float]
    tokens_per_s: float
    tokens_per_s_cautious: float
    price_per_hour: float | None
    basis: str
    remarks: tuple[str, ...] = ()

    @property
    def memory_gb(self) -> float:
        """Gigabytes a GPU, together."""
        return sum(self.memory.values())

    @property
    def hours(self) -> float:
        """By the clock, on all GPUs together, as expected."""
        return hours(self.tokens, self.tokens_per_s * self.gpus)

    @property
    def hours_cautious(self) -> float:
        """By the clock for a program that nobody tuned."""
        return hours(self.tokens, self.tokens_per_s_cautious * self.gpus)

    @property
    def gpu_hours(self) -> float:
        """What is paid for, as expected."""
        return self.hours * self.gpus

    @property
    def cost(self) -> float | None:
        """As expected; None where no price was given."""
        return None if self.price_per_hour is None else self.gpu_hours * self.price_per_hour

    def as_json(self) -> dict[str, Any]:
        """JSON values, with all that follows from them."""
        derived = ("memory_gb", "hours", "hours_cautious", "gpu_hours", "cost")
        return {**asdict(self), **{name: getattr(self, name) for name in derived}}


@dataclass(frozen=True, slots=True)
class Plan:
    """Three ways side by side, and what was assumed."""

    request: Request
    methods: tuple[Method, ...]
    assumptions: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """JSON values, with all that follows from them."""
        return {
            "request": {**asdict(self.request), "tokens": self.request.tokens},
            "methods": [method.as_json() for method in self.methods],
            "assumptions": list(self.assumptions),
        }


def plan(request: Request) -> Plan:
    """Three ways side by side.

    Raises:
        InputError: TRN-050 to TRN-053.
    """
    base, gpu = _known(request)
    methods = (_qlora(request, base, gpu), _full(request, base, gpu), _scratch(request, base, gpu))
    return Plan(request, methods, _assumptions(request, base, gpu))


def hours(tokens: int, tokens_per_s: float) -> float:
    """Hours for so many tokens at so many a second."""
    return tokens / tokens_per_s / 3_600


def _known(request: Request) -> tuple[Base, Gpu]:
    for name, most in _LIMITS.items():
        if not 1 <= getattr(request, name) <= most:
            called = name.replace("_", " ").capitalize()
            raise _impossible(f"{called} must lie between 1 and {most:,}.", "Name what you mean to train on.")
    price = request.price_per_hour
    if price is not None and not 0 < price <= _DEAREST_HOUR:
        raise _impossible("The price of an hour must lie above 0.", "Leave it out where it is not known.")
    if request.gpu not in GPUS:
        raise InputError(
            f"The catalogue holds no GPU of that name; it holds {', '.join(GPUS)}.",
            code="TRN-051", hint="Name the one that comes nearest to yours.",
        )  # fmt: skip
    if request.base not in BASES:
        raise InputError(
            f"The catalogue holds no base of that name; it holds {', '.join(BASES)}.",
            code="TRN-052", hint="Name the one that comes nearest to yours.",
        )  # fmt: skip
    base, gpu = BASES[request.base], GPUS[request.gpu]
    _refuse_long(request.sequence, base, gpu)
    return base, gpu


def _refuse_long(sequence: int, base: Base, gpu: Gpu) -> None:
    needed = _fixed_gb(base) + activations_gb(base, sequence)
    if sequence > base.longest or needed > gpu.memory_gb:
        raise InputError(
            f"Rows of {sequence:,} tokens are too long: {base.name} reads {base.longest:,}, and QLoRA with one such "
            f"row would take {needed:.0f} of the {gpu.memory_gb:.0f} GB of one {gpu.name}.",
            code="TRN-053",
            hint="Take shorter rows; 2,048 holds nearly every example.",
        )


def _impossible(sentence: str, hint: str) -> InputError:
    return InputError(sentence, code="TRN-050", hint=hint)


def _qlora(request: Request, base: Base, gpu: Gpu) -> Method:
    operations = work(base, sequence=request.sequence, adapters=True)
    expected, cautious = (
        _speed(gpu, _reached(rate), operations.checkpointed) for rate in (EXPECTED_RATE, CAUTIOUS_RATE)
    )
    microbatch = max(1, MICROBATCH_TOKENS // request.sequence) * request.sequence  # fits each GPU of the catalogue
    waiting = dequantising_ms(base, gpu) / (microbatch / expected * 1e3)
    remark = f"Microbatches of {microbatch:,} tokens, of whose time dequantising takes about {waiting:.0%}."
    return Method(
        name="qlora",
        title="QLoRA",
        tokens=request.tokens,
        gflop_per_token=operations.checkpointed,
        gpus=1,
        memory={
            "base in NF4": nf4_gb(base),
            "adapters, gradients, optimizer": trained_gb(base.adapters(LORA_RANK)),
            "activations": activations_gb(base, microbatch),
            "reserve": RESERVE_GB,
        },
        tokens_per_s=expected,
        tokens_per_s_cautious=cautious,
        price_per_hour=request.price_per_hour,
        basis=f"{CAUTIOUS_RATE:,} to {EXPECTED_RATE:,} tokens/s as published for 7 B on A100s; this GPU: {gpu.known}",
        remarks=(remark, *_goal(request, base, gpu, operations)),
    )


def _goal(request: Request, base: Base, gpu: Gpu, operations: Work) -> Iterator[str]:
    needed = _fixed_gb(base) + activations_gb(base, UNCHECKPOINTED_TOKENS, checkpointed=False)
    if needed <= gpu.memory_gb and request.sequence <= UNCHECKPOINTED_TOKENS:
        rate = _speed(gpu, _reached(GOAL_RATE, plain=True), operations.plain)
        taken = hours(request.tokens, rate)
        yield (
            f"A goal that nobody has measured: {rate:,.0f} tokens/s with all activations kept ({needed:.0f} GB), "
            f"{taken:,.1f} hours."
        )


def _full(request: Request, base: Base, gpu: Gpu) -> Method:
    states, method = trained_gb(base.parameters), _all_weights(request, base, gpu)
    if method.gpus == 1:
        return method
    remark = (
        f"Does not fit one {gpu.name}: weights, gradients and optimizer take {states:.0f} GB and it has "
        f"{gpu.memory_gb:.0f}. It needs {method.gpus}, with states sharded (FSDP or ZeRO-3)."
    )
    return replace(method, remarks=(remark,))


def _scratch(request: Request, base: Base, gpu: Gpu) -> Method:
    own = request.examples * request.tokens_per_example
    tokens = max(request.tokens, CHINCHILLA_TOKENS * base.parameters)
    wanting = (
        f"Takes at least {CHINCHILLA_TOKENS} tokens a weight, {tokens / 1e9:,.0f} billion; yours are {own / 1e9:,.3f} "
        f"billion, {own / tokens:.2%} of that: the rest would be text that you do not have."
    )
    anchor = "For comparison, Llama 2 7B took 184,320 hours of A100-80 for 2,000 billion tokens."
    method = _all_weights(request, base, gpu)
    return replace(method, name="scratch", title="From scratch", tokens=tokens, remarks=(wanting, anchor))


def _all_weights(request: Request, base: Base, gpu: Gpu) -> Method:
    """Training all weights on the fewest GPUs that hold all states; one row a microbatch."""
    operations = work(base, sequence=request.sequence, adapters=False)
    states, activations = trained_gb(base.parameters), activations_gb(base, request.sequence)
    gpus = math.ceil(states / (gpu.memory_gb - activations - RESERVE_GB))
    expected = _speed(gpu, share(PRETRAINING_RUN, adapters=False), operations.checkpointed)
    expected *= SHARDING if gpus > 1 else 1
    return Method(
        name="full",
        title="Full fine-tune",
        tokens=request.tokens,
        gflop_per_token=operations.checkpointed,
        gpus=gpus,
        memory={
            "weights, gradients, optimizer": states / gpus,
            "activations": activations,
            "reserve": RESERVE_GB,
        },
        tokens_per_s=expected,
        tokens_per_s_cautious=expected * UNTUNED,
        price_per_hour=request.price_per_hour,
        basis=f"the share of the peak in Llama 2 7B's published pre-training on A100s; this GPU: {gpu.known}",
    )


def _speed(gpu: Gpu, reached: float, gflop: float) -> float:
    """Tokens a second of a GPU that reaches a share of its peak as an A100 would."""
    return reached * gpu.reached * gpu.tflops * 1e3 / gflop


def _reached(rate: float, *, plain: bool = False) -> float:
    """Share of an A100's peak behind a rate of the reference: Mistral 7B, rows of 2,048."""
    reference = Run("a100-80", BASES["biomistral-7b"], 2_048, rate, "", checkpointed=not plain)
    return share(reference, adapters=True)


def _fixed_gb(base: Base) -> float:
    return nf4_gb(base) + trained_gb(base.adapters(LORA_RANK)) + RESERVE_GB


def _assumptions(request: Request, base: Base, gpu: Gpu) -> tuple[str, ...]:
    operations = work(base, sequence=request.sequence, adapters=True)
    runs = "; ".join(f"{run.tokens_per_s:,.0f} tokens/s, {run.source}" for run in QLORA_RUNS)
    weights = (
        f"{base.name}: {base.parameters / 1e9:.2f} billion weights, {base.linear / 1e9:.3f} billion of them in linear "
        f"layers; LoRA of rank {LORA_RANK} on all of these trains {base.adapters(LORA_RANK) / 1e6:.1f} million."
    )
    counted = (
        f"QLoRA: {operations.plain:.1f} billion operations a token, {operations.checkpointed:.1f} with activations "
        f"recomputed: 4 a frozen weight, 6 a trained one, causal attention over {request.sequence:,} tokens."
    )
    sheet = (
        f"{gpu.name}: {gpu.tflops:,.0f} TFLOP/s dense bf16, {gpu.memory_gb:.0f} GB, {gpu.bandwidth_gb_s:,.0f} GB/s by "
        f"its data sheet; efficiency taken as {gpu.reached:.0%} of an A100's ({gpu.known})."
    )
    return (
        weights,
        counted,
        sheet,
        f"Measured by others: {runs}.",
        "Estimates: memory for activations, the loss from sharding, the speed of an untuned full fine-tune.",
        "Rows are packed without padding. Loading, evaluation, checkpoints, merging and export come on top.",
        "Nothing here was measured by Lumen: measure ten minutes before you rent a day.",
    )
