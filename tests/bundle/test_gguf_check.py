"""The model file's header, cut short, flipped and edited: a sentence each time, and nothing native is asked."""

import io
import random
import struct
from collections.abc import Mapping
from pathlib import Path

import pytest

from lumen_desktop import paths
from lumen_desktop.bundle import check_gguf, gguf_check
from lumen_desktop.errors import BundleError
from tests.bundle import tiny_model
from tests.bundle.tiny_model import (
    F32,
    STRING,
    TOKENS,
    U32,
    array,
    fields,
    header,
    scalar,
    shapes,
    text,
    weights_bytes,
)  # fmt: skip

STARTER = "smollm2-135m-instruct-q8_0.gguf"


def checked(content: bytes, size_bytes: int | None = None) -> gguf_check.GgufFacts:
    return gguf_check.check(io.BytesIO(content), len(content) if size_bytes is None else size_bytes)


def refused(content: bytes, size_bytes: int | None = None) -> str:
    with pytest.raises(BundleError) as caught:
        checked(content, size_bytes)
    assert caught.value.code == "BUN-014"
    return caught.value.message


def test_a_right_file_says_what_it_is() -> None:
    facts = checked(tiny_model.model())
    assert (facts.architecture, facts.vocabulary, facts.context_tokens) == ("llama", len(TOKENS), 64)
    assert facts.parameters == sum(size // 4 for size in map(tiny_model.size_bytes, shapes().values()))
    assert facts.template == "{{ messages[0].content }}"


def test_the_tokenizers_digest_is_of_the_tokenizer_alone() -> None:
    same = checked(tiny_model.model()).tokenizer_sha256
    other_template = {"tokenizer.chat_template": struct.pack("<I", STRING) + text("{{ 1 }}")}
    assert checked(built(other_template)).tokenizer_sha256 == same
    assert checked(built({"general.name": struct.pack("<I", STRING) + text("Other")})).tokenizer_sha256 == same
    assert checked(built({"tokenizer.ggml.bos_token_id": scalar("I", U32, 2)})).tokenizer_sha256 != same
    reordered = dict(reversed(fields().items()))
    assert checked(rebuilt(reordered)).tokenizer_sha256 == same


def rebuilt(written: Mapping[str, bytes], tensors: Mapping[str, tuple[int, ...]] | None = None) -> bytes:
    tensors = shapes() if tensors is None else tensors
    return header(written, tensors) + bytes(weights_bytes(tensors))


def built(changes: Mapping[str, bytes]) -> bytes:
    return rebuilt(fields() | dict(changes))


NAN, INFINITE = float("nan"), float("inf")
BROKEN = {
    "no blocks": {"llama.block_count": scalar("I", U32, 0)},
    "513 blocks": {"llama.block_count": scalar("I", U32, 513)},
    "2^31 - 1 blocks": {"llama.block_count": scalar("I", U32, 2**31 - 1)},
    "2^32 - 1 blocks": {"llama.block_count": scalar("I", U32, 2**32 - 1)},
    "blocks as a float": {"llama.block_count": scalar("f", F32, 1.0)},
    "two blocks and tensors of one": {"llama.block_count": scalar("I", U32, 2)},
    "eps not a number": {"llama.attention.layer_norm_rms_epsilon": scalar("f", F32, NAN)},
    "eps nought": {"llama.attention.layer_norm_rms_epsilon": scalar("f", F32, 0.0)},
    "eps large": {"llama.attention.layer_norm_rms_epsilon": scalar("f", F32, 0.5)},
    "rope base infinite": {"llama.rope.freq_base": scalar("f", F32, INFINITE)},
    "rope base negative": {"llama.rope.freq_base": scalar("f", F32, -1e4)},
    "rope wider than a head": {"llama.rope.dimension_count": scalar("I", U32, 3)},
    "heads that do not divide": {"llama.attention.head_count": scalar("I", U32, 3)},
    "more pairs than heads": {"llama.attention.head_count_kv": scalar("I", U32, 4)},
    "another width": {"llama.embedding_length": scalar("I", U32, 8)},
    "another inner width": {"llama.feed_forward_length": scalar("I", U32, 7)},
    "another vocabulary": {"llama.vocab_size": scalar("I", U32, 6)},
    "no context": {"llama.context_length": scalar("I", U32, 0)},
    "experts": {"llama.expert_count": scalar("I", U32, 8)},
    "a field that nobody knows": {"llama.rope.scaling.factor": scalar("f", F32, 8.0)},
    "fields of another architecture": {"gemma.block_count": scalar("I", U32, 1)},
    "another architecture": {"general.architecture": struct.pack("<I", STRING) + text("gptj")},
    "architecture as a number": {"general.architecture": scalar("I", U32, 1)},
    "an unknown type": {"general.name": struct.pack("<I", 13)},
    "an array of an unknown type": {"general.name": array(99, 0, b"")},
    "an array in an array": {"general.name": array(9, 1, array(4, 0, b"")[4:])},
    "neither true nor false": {"tokenizer.ggml.add_bos_token": struct.pack("<IB", 7, 2)},
    "a name that is no UTF-8": {"general.name": struct.pack("<I", STRING) + text(b"\xff")},
    "a text of a gigabyte": {"general.name": struct.pack("<IQ", STRING, 2**30)},
    "a text of 2^64 - 1": {"general.name": struct.pack("<IQ", STRING, 2**64 - 1)},
    "an array of 2^40": {"general.name": struct.pack("<IIQ", 9, 4, 2**40)},
    "an alignment of nought": {"general.alignment": scalar("I", U32, 0)},
    "an alignment of 33": {"general.alignment": scalar("I", U32, 33)},
    "an unknown tokenizer": {"tokenizer.ggml.model": struct.pack("<I", STRING) + text("rwkv")},
    "no tokens": {"tokenizer.ggml.tokens": array(STRING, 0, b"")},
    "tokens as numbers": {"tokenizer.ggml.tokens": array(5, 5, bytes(20))},
    "fewer scores than tokens": {"tokenizer.ggml.scores": array(6, 4, bytes(16))},
    "more types than tokens": {"tokenizer.ggml.token_type": array(5, 6, bytes(24))},
    "a type that is none": {"tokenizer.ggml.token_type": array(5, 5, struct.pack("<5i", 1, 1, 1, 1, 7))},
    "a beginning outside the tokens": {"tokenizer.ggml.bos_token_id": scalar("I", U32, 5)},
    "a negative end": {"tokenizer.ggml.eos_token_id": scalar("i", 5, -1)},
    "a template that is no text": {"tokenizer.chat_template": scalar("I", U32, 1)},
    "an empty key": {"": scalar("I", U32, 1)},
    "a key with a space": {"general.a b": scalar("I", U32, 1)},
    "a key of 200 characters": {"general." + "a" * 200: scalar("I", U32, 1)},
}  # fmt: skip


@pytest.mark.parametrize("changes", BROKEN.values(), ids=BROKEN)
def test_a_broken_rule_is_said(changes: Mapping[str, bytes]) -> None:
    assert refused(built(changes)).startswith("The model file breaks a rule of its form: ")


@pytest.mark.parametrize("missing", [name for name in fields() if name.startswith(("general.arch", "llama."))])
def test_a_file_without_what_it_needs_is_refused(missing: str) -> None:
    optional = {
        "llama.vocab_size",
        "llama.rope.freq_base",
        "llama.rope.dimension_count",
        "llama.attention.head_count_kv",
    }
    written = {name: value for name, value in fields().items() if name != missing}
    if missing not in optional - {"llama.attention.head_count_kv"}:
        refused(rebuilt(written))
    else:
        checked(rebuilt(written))


def test_tensors_have_the_places_and_shapes_that_the_figures_ask_for() -> None:
    right, weights = fields(), bytes(weights_bytes(shapes()))
    assert "does not lie" in refused(header(right, shapes(), moved=32) + weights)
    assert "unknown type" in refused(header(right, shapes(), kind=4) + weights)
    assert "cannot be" in refused(header(right, shapes(), kind=8) + weights)  # blocks of 32 in a row of 4
    for name, shape in (
        ("blk.0.attn_q.weight", (4, 2)),
        ("output_norm.weight", (4, 1)),
        ("blk.9.attn_q.weight", (4, 4)),
    ):
        assert "another shape" in refused(rebuilt(right, shapes() | {name: shape}))
    odd: tuple[tuple[int, ...], ...] = ((), (0,), (2**58,), (2**20, 2**20, 2**20), (4, 1, 1, 1, 1))
    for wrong in odd:
        refused(header(right, shapes() | {"output_norm.weight": wrong}) + weights)
    without = {name: shape for name, shape in shapes().items() if name != "output_norm.weight"}
    assert "missing" in refused(rebuilt(right, without))
    checked(rebuilt(right, shapes() | {"output.weight": (4, len(TOKENS)), "rope_freqs.weight": (1,)}))


def test_counts_are_believed_only_as_far_as_they_can_be() -> None:
    weights = bytes(weights_bytes(shapes()))
    tensors, written = len(shapes()), len(fields())
    for counts in ((2**63, written), (tensors, 2**63), (tensors + 1, written), (tensors - 1, written), (tensors, 1)):
        refused(header(fields(), shapes(), counts=counts) + weights)


def test_a_name_twice_is_refused() -> None:
    content = tiny_model.model()
    assert "twice" in refused(content.replace(b"blk.0.attn_k.weight", b"blk.0.attn_v.weight"))
    again = built({"general.nama": struct.pack("<I", STRING) + text("Tiny")})
    assert "twice" in refused(again.replace(b"general.nama", b"general.name"))


def test_every_truncation_of_the_small_file_is_refused() -> None:
    content = tiny_model.model()
    for length in range(len(content)):
        if length < len(content) - 31:  # the last tensor's end may be padded, or not
            refused(content[:length])
    refused(content + b"\0")
    refused(content[:1000], len(content))  # shorter than its length says


def test_no_flipped_bit_of_the_small_header_does_anything_but_refuse_or_pass() -> None:
    content, whole = bytearray(tiny_model.model()), tiny_model.model()
    size = len(header(fields(), shapes()))
    passed = 0
    for bit in range(size * 8):
        content[bit // 8] ^= 1 << bit % 8
        try:
            checked(bytes(content))
            passed += 1
        except BundleError as error:
            assert error.code == "BUN-014"  # noqa: PT017 - in a loop
        content[bit // 8] = whole[bit // 8]
    assert 0 < passed < size * 8 / 2  # in names, scores and texts; digests are for those


@pytest.fixture(scope="module")
def starter() -> Path:
    path = paths.models() / STARTER
    if not path.is_file():
        pytest.skip(f"{STARTER} is missing: run the set-up")
    return path


STARTER_HEADER_BYTES = 1_800_000


@pytest.mark.model
def test_the_starter_model_keeps_every_rule(starter: Path) -> None:
    facts = check_gguf(starter)
    assert (facts.architecture, facts.vocabulary, facts.parameters) == ("llama", 49152, 134_515_008)
    assert facts.template == (paths.resources() / "prompts" / "smollm2.jinja").read_text(encoding="utf-8")


@pytest.mark.model
def test_the_starter_model_cut_short_is_refused(starter: Path) -> None:
    size = starter.stat().st_size
    with starter.open("rb") as file:
        beginning = file.read(STARTER_HEADER_BYTES)
    for percent in range(100):
        refused(beginning[: STARTER_HEADER_BYTES * percent // 100])
    for percent in range(0, 100, 10):
        with starter.open("rb") as file, pytest.raises(BundleError):
            gguf_check.check(file, size * percent // 100)


@pytest.mark.model
def test_flipped_bits_in_the_starter_models_header_never_surprise(starter: Path) -> None:
    """Single bits in what is not a token's text: the fields before the tokens, and the list of tensors."""
    size, draw, passed = starter.stat().st_size, random.Random(4), 0
    with starter.open("rb") as file:
        content = bytearray(file.read(STARTER_HEADER_BYTES))
    at = content.index(b"tokenizer.ggml.tokens")
    tensors = content.index(b"token_embd.weight") - 8
    for _ in range(30):
        place = draw.randrange(at) if draw.random() < 0.5 else draw.randrange(tensors, tensors + 10_000)
        content[place] ^= 1 << (bit := draw.randrange(8))
        try:
            checked(bytes(content), size)
            passed += 1
        except BundleError as error:
            assert error.code == "BUN-014"  # noqa: PT017 - in a loop
        content[place] ^= 1 << bit
    assert passed < 15
