"""What a build takes: the arithmetic against published numbers, and what cannot be is refused."""

import json
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from lumen_desktop.errors import InputError
from trainer import arithmetic
from trainer.arithmetic import work
from trainer.catalogue import BASES, GPUS, LLAMA_2_7B, PRETRAINING_RUN, QLORA_RUNS
from trainer.cli.plan import command
from trainer.plan import (
    CAUTIOUS_RATE,
    EXPECTED_RATE,
    GOAL_RATE,
    Method,
    Plan,
    Request,
    hours,
    plan,
)

MISTRAL, A100 = BASES["biomistral-7b"], GPUS["a100-80"]


def ways(made: Plan) -> tuple[Method, Method, Method]:
    qlora, full, scratch = made.methods
    assert [one.name for one in made.methods] == ["qlora", "full", "scratch"]
    return qlora, full, scratch


def refusal(**changes: Any) -> InputError:
    with pytest.raises(InputError) as caught:
        plan(Request(**{"examples": 1_000, "gpu": "a100-80", **changes}))
    return caught.value


def test_the_weights_of_mistral_7b() -> None:
    assert MISTRAL.linear == 6_979_321_856
    assert MISTRAL.head == 131_072_000
    assert MISTRAL.parameters == 7_241_732_096  # as its files hold
    assert MISTRAL.adapters(16) == 41_943_040


def test_the_weights_of_others() -> None:
    assert LLAMA_2_7B.parameters == 6_738_415_616  # as its files hold
    assert BASES["llama-3.1-8b"].parameters == 8_030_261_248  # as its files hold
    assert round(BASES["smollm2-135m"].parameters / 1e6, 1) == 134.5


def test_operations_a_token() -> None:
    operations = work(MISTRAL, sequence=2_048, adapters=True)
    assert round(operations.plain, 1) == 30.6
    assert round(operations.checkpointed, 1) == 45.2
    all_weights = work(MISTRAL, sequence=2_048, adapters=False)
    assert all_weights.plain / 6 == pytest.approx(7.11 + 0.31, abs=0.01)  # six a weight, and attention


def test_memory_of_base_and_adapters() -> None:
    assert round(arithmetic.nf4_gb(MISTRAL), 1) == 4.1
    assert round(arithmetic.trained_gb(MISTRAL.adapters(16)), 2) == 0.67
    assert round(arithmetic.trained_gb(MISTRAL.parameters)) == 116
    kept = arithmetic.activations_gb(MISTRAL, 4_096, checkpointed=False)
    assert kept == pytest.approx(33, abs=1)  # about 8 MB a token


def test_dequantising_is_paid_a_microbatch_not_a_token() -> None:
    assert arithmetic.dequantising_gb(MISTRAL) == pytest.approx(31, abs=1)
    taken = arithmetic.dequantising_ms(MISTRAL, A100)
    assert taken == pytest.approx(60, abs=1)
    at_1k, at_16k = (taken / (tokens / EXPECTED_RATE * 1e3) for tokens in (1_024, 16_384))
    assert at_1k == pytest.approx(0.20, abs=0.01)
    assert at_16k == pytest.approx(0.013, abs=0.001)


@pytest.mark.parametrize(
    ("examples", "rate", "expected"),
    [
        (50_000, CAUTIOUS_RATE, 8.7),
        (50_000, EXPECTED_RATE, 6.0),
        (50_000, GOAL_RATE, 4.2),
        (200_000, CAUTIOUS_RATE, 34.7),
        (200_000, EXPECTED_RATE, 23.8),
        (200_000, GOAL_RATE, 16.7),
    ],
)
def test_the_table_of_hours(examples: int, rate: int, expected: float) -> None:
    assert round(hours(Request(examples, "a100-80").tokens, rate), 1) == expected


def test_the_plan_of_the_reference_gives_the_reference() -> None:
    qlora, _, _ = ways(plan(Request(200_000, "a100-80", 1.8)))
    assert qlora.tokens_per_s == pytest.approx(EXPECTED_RATE)
    assert (round(qlora.hours, 1), round(qlora.hours_cautious, 1)) == (23.8, 34.7)
    assert qlora.gpus == 1
    assert qlora.cost == pytest.approx(23.81 * 1.8, abs=0.01)
    assert 10 < qlora.memory_gb < 16  # published: 7 to 12 GB at 2 to 8 thousand tokens, 15.9 GiB with batch 4
    assert any("5,000 tokens/s" in remark and "16.7 hours" in remark for remark in qlora.remarks)


def test_published_runs_lie_where_the_rates_lie() -> None:
    reference = work(MISTRAL, sequence=2_048, adapters=True).checkpointed
    least, most = (rate * reference / (A100.tflops * 1e3) for rate in (CAUTIOUS_RATE, EXPECTED_RATE))
    assert most == pytest.approx(0.507, abs=0.001)
    for run in QLORA_RUNS:
        assert least * 0.9 < arithmetic.share(run, adapters=True) < most
    assert arithmetic.share(PRETRAINING_RUN, adapters=False) == pytest.approx(0.41, abs=0.01)


def test_a_full_fine_tune_says_how_many_gpus_it_needs() -> None:
    _, full, _ = ways(plan(Request(50_000, "a100-80")))
    assert full.gpus == 2
    assert any("Does not fit one a100-80" in remark and "needs 2" in remark for remark in full.remarks)
    _, full, _ = ways(plan(Request(50_000, "h200")))
    assert (full.gpus, full.remarks) == (1, ())
    _, full, _ = ways(plan(Request(50_000, "a10")))
    assert full.gpus > 5


def test_from_scratch_wants_text_that_is_not_there() -> None:
    _, _, scratch = ways(plan(Request(200_000, "a100-80", 1.8)))
    assert scratch.tokens == 20 * MISTRAL.parameters
    assert scratch.cost is not None
    assert scratch.cost > 20_000
    assert any("0.07%" in remark for remark in scratch.remarks)


@pytest.mark.parametrize("gpu", GPUS)
@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("sequence", [512, 8_192])
def test_whatever_is_planned_fits(gpu: str, base: str, sequence: int) -> None:
    for method in plan(Request(1_000, gpu, 2.0, base=base, sequence=sequence)).methods:
        assert method.memory_gb <= GPUS[gpu].memory_gb
        assert 0 < method.hours < method.hours_cautious
        assert method.gpu_hours == pytest.approx(method.hours * method.gpus)
        assert method.cost == pytest.approx(method.gpu_hours * 2.0)


def test_more_takes_longer_and_a_faster_gpu_less() -> None:
    small, large = (ways(plan(Request(examples, "a100-80")))[0] for examples in (1_000, 2_000))
    assert large.hours == pytest.approx(2 * small.hours)
    assert ways(plan(Request(1_000, "h100-80")))[0].tokens_per_s == pytest.approx(10_000, rel=0.02)  # 45 % of the peak
    assert ways(plan(Request(1_000, "a10")))[0].hours > small.hours


def test_what_nobody_measured_is_said_to_be_an_estimate() -> None:
    assert "estimate" in ways(plan(Request(1_000, "l40s")))[0].basis
    assert "scaled" in ways(plan(Request(1_000, "h200")))[0].basis
    assert "estimate" not in ways(plan(Request(1_000, "a100-40")))[0].basis
    assert any("Nothing here was measured by Lumen" in one for one in plan(Request(1_000, "a100-80")).assumptions)


def test_a_microbatch_is_of_whole_rows() -> None:
    for sequence, tokens in ((1_000, "8,000"), (2_048, "8,192"), (16_384, "16,384")):
        assert (
            f"Microbatches of {tokens} tokens" in ways(plan(Request(1_000, "a100-80", sequence=sequence)))[0].remarks[0]
        )


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({"examples": 0}, "TRN-050", "Examples must lie between 1"),
        ({"examples": -5}, "TRN-050", "Examples"),
        ({"examples": 10**10}, "TRN-050", "Examples"),
        ({"epochs": 0}, "TRN-050", "Epochs"),
        ({"tokens_per_example": 0}, "TRN-050", "Tokens per example"),
        ({"sequence": 0}, "TRN-050", "Sequence"),
        ({"price_per_hour": 0.0}, "TRN-050", "price"),
        ({"price_per_hour": float("nan")}, "TRN-050", "price"),
        ({"price_per_hour": float("inf")}, "TRN-050", "price"),
        ({"gpu": "abacus"}, "TRN-051", "a100-40, a100-80, h100-80, h200, l40s, rtx4090, a10"),
        ({"base": "gpt-2"}, "TRN-052", "biomistral-7b"),
        ({"sequence": 40_000}, "TRN-053", "reads 32,768"),
        ({"sequence": 32_768, "gpu": "a10"}, "TRN-053", "of the 24 GB of one a10"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], code: str, says: str) -> None:
    error = refusal(**changes)
    assert error.code == code
    assert says in error.message


def run(*options: str) -> str:
    app = typer.Typer()
    app.command()(command)
    result = CliRunner().invoke(app, ["--examples", "200000", "--gpu", "a100-80", *options])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_command_shows_a_table_with_its_assumptions() -> None:
    shown = run("--price-per-hour", "1.8")
    for words in ("QLoRA", "Full fine-tune", "From scratch", "23.8", "43", "Assumptions", "predicted"):
        assert words in shown
    assert "Cost" not in run()
    assert all(row == row.rstrip() for row in shown.splitlines())


def test_the_command_prints_one_json_value() -> None:
    made = json.loads(run("--price-per-hour", "1.8", "--json"))
    assert made["request"]["tokens"] == 300_000_000
    assert [one["name"] for one in made["methods"]] == ["qlora", "full", "scratch"]
    assert made["methods"][0]["cost"] == pytest.approx(42.86, abs=0.01)
    assert made["methods"][0]["memory_gb"] == pytest.approx(sum(made["methods"][0]["memory"].values()))
    assert run("--json") == run("--json")


def test_the_command_passes_a_refusal_on() -> None:
    app = typer.Typer()
    app.command()(command)
    result = CliRunner().invoke(app, ["--examples", "0"])
    assert isinstance(result.exception, InputError)
