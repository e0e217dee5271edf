"""Shapes of base models, data sheets of GPUs, and published training runs: the numbers that a plan is worked out from.

Knows no request. `trainer.plan` is its reader.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Base:
    """A decoder of the Llama family, by the names of its ``config.json``."""

    name: str
    layers: int
    hidden: int
    intermediate: int
    heads_width: int  # num_attention_heads times head_dim
    kv_width: int  # num_key_value_heads times head_dim
    vocabulary: int
    longest: int  # max_position_embeddings
    tied: bool = False

    @property
    def matrices(self) -> tuple[tuple[int, int], ...]:
        """(in, out) of each linear layer of one block."""
        d, f, q, kv = self.hidden, self.intermediate, self.heads_width, self.kv_width
        return (d, q), (d, kv), (d, kv), (q, d), (d, f), (d, f), (f, d)

    @property
    def linear(self) -> int:
        """Weights in the linear layers of all blocks: what NF4 holds."""
        return self.layers * sum(inner * outer for inner, outer in self.matrices)

    @property
    def head(self) -> int:
        """Weights of the output layer; the embedding has as many."""
        return self.vocabulary * self.hidden

    @property
    def parameters(self) -> int:
        """All weights."""
        norms = (2 * self.layers + 1) * self.hidden
        return self.linear + self.head * (1 if self.tied else 2) + norms

    def adapters(self, rank: int) -> int:
        """Weights of LoRA on all linear layers."""
        return self.layers * rank * sum(inner + outer for inner, outer in self.matrices)


# From the config.json of each; Mistral 7B v0.1's is BioMistral's.
BASES = {
    base.name: base
    for base in (
        Base("biomistral-7b", 32, 4_096, 14_336, 4_096, 1_024, 32_000, 32_768),
        Base("llama-3.1-8b", 32, 4_096, 14_336, 4_096, 1_024, 128_256, 131_072),
        Base("smollm2-135m", 30, 576, 1_536, 576, 192, 49_152, 8_192, tied=True),
    )
}
LLAMA_2_7B = Base("llama-2-7b", 32, 4_096, 11_008, 4_096, 4_096, 32_000, 4_096)


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU as its maker's data sheet has it.

    Attributes:
        tflops: dense bf16 on tensor cores with fp32 sums, without sparsity.
        memory_gb: billions of bytes, as named.
        bandwidth_gb_s: of its memory.
        reached: share of an A100's efficiency that its programs are taken to reach.
        known: where ``reached`` comes from.
    """

    name: str
    tflops: float
    memory_gb: float
    bandwidth_gb_s: float
    reached: float
    known: str


_ITSELF = "an A100 itself"
# Matrix products reach about 790 of 989 TFLOP/s there, and training about 45 % where an A100 has 50 %.
_HOPPER = "scaled from an A100, no published QLoRA run on it is known to us"
_GUESSED = "an estimate, no published run on it is known to us"
GPUS = {
    gpu.name: gpu
    for gpu in (
        # NVIDIA A100 Tensor Core GPU data sheet (2021), SXM
        Gpu("a100-40", 312.0, 40, 1_555, 1.0, _ITSELF),
        Gpu("a100-80", 312.0, 80, 2_039, 1.0, _ITSELF),
        # NVIDIA H100 Tensor Core GPU data sheet, SXM: 1,979 with sparsity, half of it dense
        Gpu("h100-80", 989.4, 80, 3_350, 0.89, _HOPPER),
        # NVIDIA H200 Tensor Core GPU data sheet, SXM
        Gpu("h200", 989.4, 141, 4_800, 0.89, _HOPPER),
        # NVIDIA L40S data sheet: 733 with sparsity
        Gpu("l40s", 362.0, 48, 864, 0.8, _GUESSED),
        # NVIDIA Ada GPU architecture white paper: fp16 and bf16 with fp32 sums
        Gpu("rtx4090", 165.2, 24, 1_008, 0.8, _GUESSED),
        # NVIDIA A10 data sheet: 250 with sparsity
        Gpu("a10", 125.0, 24, 600, 0.8, _GUESSED),
    )
}


@dataclass(frozen=True, slots=True)
class Run:
    """A training run that somebody published.

    Attributes:
        gpu: name in `GPUS`.
        base: whose shape it had.
        sequence: tokens in a row.
        tokens_per_s: of one GPU.
        source: where it stands, with what is not certain of it.
        checkpointed: whether activations were computed twice so that they need not be kept.
    """

    gpu: str
    base: Base
    sequence: int
    tokens_per_s: float
    source: str
    checkpointed: bool = True


QLORA_RUNS = (
    Run(
        "a100-40", LLAMA_2_7B, 1_024, 2_415,
        "LLaMA-Factory wiki, Performance comparison: Hugging Face, 4 x 1,024 (the GPU is named for its other table)",
    ),
    Run("a100-40", LLAMA_2_7B, 2_048, 2_741, "LLaMA-Factory wiki, Performance comparison: FlashAttention 2"),
    Run(
        "a100-80", BASES["biomistral-7b"], 2_048, 3_428,
        "IBM fms-acceleration, pull request 14: Mistral 7B, bitsandbytes, batch 4 (believed to be this GPU and length)",
    ),
)  # fmt: skip
# Llama 2 paper, table 2: 184,320 hours of A100-80 for 2 trillion tokens (Touvron et al. 2023, arXiv 2307.09288).
PRETRAINING_RUN = Run(
    "a100-80", LLAMA_2_7B, 4_096, 2e12 / (184_320 * 3_600), "Llama 2 paper, table 2", checkpointed=False
)
