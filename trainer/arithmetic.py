"""Operations and bytes of training a decoder: formulas over its shape, each with where it comes from.

Knows no price, no request and no wall clock. `trainer.plan` puts them together.
"""

from dataclasses import dataclass

from trainer.catalogue import GPUS, Base, Gpu, Run

LORA_RANK = 16  # on all linear layers, as BioMistral's own fine-tuning
BANDWIDTH = 0.77  # of the data sheet's: 31.5 GB in 20 ms on an A100-80
_TRAINED_BYTES = 16  # of a trained weight: itself, gradient, two moments, in fp32 or in bf16 with an fp32 copy
_LOGIT_BYTES = 10  # bf16, fp32 and gradient


@dataclass(frozen=True, slots=True)
class Work:
    """Billions of floating point operations a token: forward and backward, and what recomputing activations adds."""

    plain: float
    recomputing: float

    @property
    def checkpointed(self) -> float:
        """Together."""
        return self.plain + self.recomputing


def work(base: Base, *, sequence: int, adapters: bool) -> Work:
    """Operations a token.

    Two a weight and pass; frozen weights need no gradient of their own, so 4 instead of 6 in all. Causal attention over
    a full row; its backward pass in FlashAttention takes 2.5 times its forward one.
    Source: Kaplan et al. 2020, arXiv 2001.08361; Dao 2023, arXiv 2307.08691.

    Args:
        base: the model.
        sequence: tokens in a row.
        adapters: whether only LoRA's weights are trained.
    """
    attention = 2 * sequence * base.heads_width * base.layers
    lora = base.adapters(LORA_RANK) if adapters else 0
    passes = 4 if adapters else 6
    plain = passes * (base.linear + base.head) + 6 * lora + 3.5 * attention
    recomputing = 2 * (base.linear + lora) + attention
    return Work(plain / 1e9, recomputing / 1e9)


def share(run: Run, *, adapters: bool) -> float:
    """Which share of its GPU's peak a published run used, with what it recomputed."""
    operations = work(run.base, sequence=run.sequence, adapters=adapters)
    used = operations.checkpointed if run.checkpointed else operations.plain
    return run.tokens_per_s * used / (GPUS[run.gpu].tflops * 1e3)


def nf4_gb(base: Base) -> float:
    """Gigabytes of a base whose linear layers are in NF4 with double quantisation, the rest in bf16.

    Source: Dettmers et al. 2023, arXiv 2305.14314: half a byte a weight, a byte a block of 64, four bytes 256 blocks.
    """
    quantised = base.linear * (0.5 + 1 / 64 + 4 / (64 * 256))
    return (quantised + 2 * (base.parameters - base.linear)) / 1e9


def trained_gb(weights: int) -> float:
    """Gigabytes of weights that are trained, with gradients and AdamW's moments."""
    return weights * _TRAINED_BYTES / 1e9


def dequantising_gb(base: Base) -> float:
    """Gigabytes that one pass over NF4 weights moves: read, written as bf16, read again."""
    return base.linear * (0.5 + 1 / 64 + 2 + 2) / 1e9


def dequantising_ms(base: Base, gpu: Gpu) -> float:
    """Milliseconds that a microbatch spends so, whatever its size: forward, recomputing, backward."""
    return 3 * dequantising_gb(base) / (gpu.bandwidth_gb_s * BANDWIDTH) * 1e3


def activations_gb(base: Base, tokens: int, *, checkpointed: bool = True) -> float:
    """Gigabytes of activations and logits for a microbatch; an estimate, about 8 MB a token for 7 B if all are kept.

    With recomputing only each block's input is kept, and one block's inside at a time.
    """
    block = 2 * (16 * base.hidden + 4 * base.intermediate)
    kept = 2 * base.hidden * base.layers + block if checkpointed else block * base.layers
    return tokens * (kept + base.vocabulary * _LOGIT_BYTES) / 1e9
