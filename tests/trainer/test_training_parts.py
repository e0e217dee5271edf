"""The parts of fine-tuning each for itself: states, checkpoints, order, needs, attention, the probe, progress."""

import inspect
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import MistralConfig, MistralForCausalLM

from lumen_desktop.errors import InputError, IntegrityError, StorageError
from trainer.catalogue import BASES
from trainer.packing import Document, Pack, collate
from trainer.recipe import Finetune
from trainer.training import attention, needs, probe, states
from trainer.training.checkpoints import Checkpoints
from trainer.training.order import accumulation, order
from trainer.training.page import chart
from trainer.training.record import RunRecord
from trainer.training.watching import Watch

CPU = torch.device("cpu")
MISTRAL = BASES["biomistral-7b"]


# ---- states ---------------------------------------------------------------------------------------------------------


def test_a_state_comes_back_as_it_was(tmp_path: Path) -> None:
    one = torch.randn(3, 2)
    tree = {
        "state": {0: {"step": torch.tensor(3.0), "moments": one, "again": one}, 1: {"bytes": torch.zeros(4).byte()}},
        "groups": [{"lr": 1e-4 / 3, "betas": (0.9, 0.999), "none": None, "fused": True, "params": [0, 1]}],
        "empty": torch.zeros(0),
    }
    states.save(tmp_path, "one", tree)
    back = states.load(tmp_path, "one")
    assert back["groups"] == tree["groups"]
    assert isinstance(back["groups"][0]["betas"], tuple)
    assert torch.equal(back["state"][0]["moments"], one)
    assert back["state"][0]["again"] is back["state"][0]["moments"]
    assert back["state"][1]["bytes"].dtype == torch.uint8
    assert back["empty"].numel() == 0


def test_a_state_takes_no_object(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        states.save(tmp_path, "one", {"object": Path()})


def test_random_numbers_go_on_where_they_were(tmp_path: Path) -> None:
    random.gauss(0, 1)  # leaves one of a pair behind
    np.random.standard_normal()  # noqa: NPY002
    states.save(tmp_path, "random", states.random_state(CPU))

    def drawn() -> tuple[Any, ...]:
        return random.gauss(0, 1), random.random(), np.random.standard_normal(), torch.rand(3).tolist()  # noqa: NPY002

    first = drawn()
    states.set_random_state(states.load(tmp_path, "random"), CPU)
    assert drawn() == first


# ---- checkpoints ----------------------------------------------------------------------------------------------------


def _filled(text: str) -> Any:
    return lambda folder: (folder / "weights").write_text(text)


def test_the_last_whole_checkpoint_is_gone_on_from(tmp_path: Path) -> None:
    made = Checkpoints(tmp_path, "run")
    assert made.last() is None
    for step in (2, 4, 10):
        made.write(step, _filled(f"of step {step}"))
    assert made.last() == 10
    (made.at(10) / "weights").write_text("of step 11")
    assert made.last() == 4
    (made.at(4) / "whole.json").unlink()
    assert made.last() == 2
    made.write(10, _filled("again"))  # over the damaged one
    assert made.last() == 10


def test_a_checkpoint_that_was_not_finished_is_none(tmp_path: Path) -> None:
    made = Checkpoints(tmp_path, "run")

    def killed(folder: Path) -> None:
        (folder / "weights").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made.write(3, killed)
    assert made.steps() == []
    made.write(3, _filled("whole"))
    assert made.last() == 3


def test_only_damaged_checkpoints_are_refused(tmp_path: Path) -> None:
    made = Checkpoints(tmp_path, "run")
    made.write(3, _filled("whole"))
    (made.at(3) / "weights").write_text("other")
    with pytest.raises(IntegrityError, match="checkpoint-3 is damaged"):
        made.last()


def test_another_runs_checkpoint_is_refused(tmp_path: Path) -> None:
    Checkpoints(tmp_path, "run").write(3, _filled("whole"))
    with pytest.raises(InputError, match="belongs to another run") as refused:
        Checkpoints(tmp_path, "another").last()
    assert refused.value.code == "TRN-072"


def test_old_checkpoints_go(tmp_path: Path) -> None:
    made = Checkpoints(tmp_path, "run")
    for step in (1, 2, 3):
        made.write(step, _filled("whole"))
    made.keep({1, 3, None})
    assert made.steps() == [1, 3]


def test_a_damaged_record_is_refused(tmp_path: Path) -> None:
    assert RunRecord.read(tmp_path) is None
    RunRecord({"steps": 3}).write(tmp_path)
    path = tmp_path / "run.json"
    path.write_text(path.read_text().replace('"steps": 3', '"steps": 4'))
    with pytest.raises(IntegrityError):
        RunRecord.read(tmp_path)


# ---- order ----------------------------------------------------------------------------------------------------------


def test_each_epoch_holds_every_row_once_in_another_order() -> None:
    laid = order(10, rows_per_step=4, epochs=2, steps=None, seed=1)
    assert laid.steps == 5
    first, second = laid.rows[:10].tolist(), laid.rows[10:].tolist()
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second
    assert laid.of(1).tolist() == laid.rows[4:8].tolist()


def test_the_last_step_is_filled_up() -> None:
    laid = order(3, rows_per_step=4, epochs=1, steps=None, seed=1)
    assert len(laid.rows) == 4
    assert set(laid.rows.tolist()) == {0, 1, 2}


def test_the_order_is_the_seeds() -> None:
    one, same, other = (order(50, rows_per_step=2, epochs=1, steps=9, seed=seed) for seed in (1, 1, 2))
    assert one.steps == 9
    assert one.sha256 == same.sha256 != other.sha256


def test_rows_that_cannot_be_shared_are_refused() -> None:
    assert accumulation(4, 2) == 2
    with pytest.raises(InputError, match="4 rows cannot be shared by 3 processes"):
        accumulation(4, 3)


# ---- needs ----------------------------------------------------------------------------------------------------------


def _taken(how: Finetune, **more: Any) -> needs.Needs:
    chosen = {"device": "cuda", "checkpointing": "full", "optimizer": "adamw", "data_bytes": 10**9, **more}
    return needs.needs(MISTRAL, how, **chosen)


def test_a_small_gpu_is_refused_with_the_figures() -> None:
    there = needs.Machine("cuda", memory_gb=6.0, disk_gb=500, cores=8)
    with pytest.raises(InputError, match=r"needs about \d+\.\d GB of memory \(base in nf4 4\.1, .*6\.0 GB are free"):
        needs.require(_taken(Finetune()), there, tokens=10**6)


def test_a_full_disk_is_refused_with_the_figures() -> None:
    there = needs.Machine("cuda", memory_gb=80, disk_gb=1.0, cores=8)
    with pytest.raises(StorageError, match=r"needs about 3\.5 GB on the disk and 1\.0 GB are free"):
        needs.require(_taken(Finetune()), there, tokens=10**6)


def test_no_gpu_is_refused_where_the_processor_would_take_months() -> None:
    there = needs.Machine("cpu", memory_gb=500, disk_gb=500, cores=2)
    taken = _taken(Finetune(), device="cpu")
    with pytest.raises(InputError, match=r"needs a GPU .* 75,000,000 tokens .* 2 cores about \d+ days") as refused:
        needs.require(taken, there, tokens=75_000_000)
    assert refused.value.code == "TRN-070"
    needs.require(taken, there, tokens=65_536)  # a trial of two steps


def test_auto_goes_by_memory() -> None:
    large, middle, small = (needs.Machine("cuda", memory, 500, 8) for memory in (141.0, 60.0, 12.0))
    how = Finetune()
    assert needs.chosen_checkpointing(MISTRAL, how, large, optimizer="adamw") == "none"
    assert needs.chosen_checkpointing(MISTRAL, how, middle, optimizer="adamw") == "half"
    assert needs.chosen_checkpointing(MISTRAL, how, small, optimizer="adamw") == "full"
    assert needs.chosen_optimizer(MISTRAL, how, large) == "adamw"
    assert needs.chosen_optimizer(MISTRAL, how, needs.Machine("cuda", 9.0, 500, 8)) == "paged_adamw_8bit"
    assert needs.chosen_optimizer(MISTRAL, how, needs.Machine("cpu", 1.0, 500, 8)) == "adamw"
    said = how.model_copy(update={"checkpointing": "full", "optimizer": "adamw"})
    assert needs.chosen_checkpointing(MISTRAL, said, large, optimizer="adamw") == "full"


def test_the_shape_is_read_from_the_models_own_file() -> None:
    fields = {
        "hidden_size": 4096, "intermediate_size": 14336, "num_attention_heads": 32, "num_key_value_heads": 8,
        "num_hidden_layers": 32, "vocab_size": 32000, "max_position_embeddings": 32768, "model_type": "mistral",
    }  # fmt: skip
    assert needs.shape(fields).parameters == MISTRAL.parameters
    assert needs.shape(fields).adapters(16) == 41_943_040


def test_this_machine_is_looked_at(tmp_path: Path) -> None:
    there = needs.machine(tmp_path / "not" / "yet", CPU)
    assert there.device == "cpu"
    assert there.memory_gb > 0
    assert there.disk_gb > 0
    assert there.cores > 0


# ---- attention ------------------------------------------------------------------------------------------------------


def _model(kind: str) -> Any:
    torch.manual_seed(1)
    config = MistralConfig(
        vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=256, sliding_window=None, attn_implementation=kind,
    )  # fmt: skip
    return MistralForCausalLM(config)


def _batch() -> dict[str, Any]:
    generator = np.random.default_rng(1)
    documents = tuple(
        Document(generator.integers(0, 64, length), np.ones(length, dtype=np.bool_)) for length in (9, 31, 2, 17)
    )
    return collate([Pack(0, documents)])


@pytest.mark.parametrize("checkpointed", [False, True])
def test_documents_apart_give_what_masked_attention_gives(*, checkpointed: bool) -> None:
    attention.register()
    made = []
    for kind in ("sdpa", attention.NAME):
        model = _model(kind)
        if checkpointed:
            probe.switch(model, "full")
        model.train()
        out = model(**_batch())
        out.loss.backward()
        made.append((out.logits, model.model.layers[0].self_attn.q_proj.weight.grad))
    torch.testing.assert_close(made[1][0], made[0][0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(made[1][1], made[0][1], atol=1e-6, rtol=1e-4)


def test_one_document_needs_no_bounds() -> None:
    query, key, value = torch.randn(1, 4, 7, 8), torch.randn(1, 2, 7, 8), torch.randn(1, 2, 7, 8)
    out, _ = attention.attend(torch.nn.Identity(), query, key, value, None)
    bounds = torch.tensor([0, 7], dtype=torch.int32)
    again, _ = attention.attend(torch.nn.Identity(), query, key, value, None, cu_seq_lens_q=bounds, max_length_q=7)
    assert out.shape == (1, 7, 4, 8)
    torch.testing.assert_close(out, again)


def test_torchs_kernel_takes_what_the_gpus_branch_gives_it() -> None:
    """The branch itself has not run: no GPU was at hand."""

    kernel = attention._kernel()
    assert kernel is not None
    named = inspect.signature(kernel).parameters
    assert {"scale", "enable_gqa"} <= set(named)
    assert "window_size" in named or "is_causal" in named


def test_a_model_takes_it_and_says_the_same() -> None:
    model, batch = _model("sdpa").eval(), _batch()
    masked = model(**batch).logits
    assert attention.use(model)
    assert model.config._attn_implementation == attention.NAME
    torch.testing.assert_close(model(**batch).logits, masked, atol=1e-5, rtol=1e-5)


# ---- the probe ------------------------------------------------------------------------------------------------------


def test_trials_end_with_the_first_that_fits_and_move_no_generator() -> None:
    before = states.random_state(CPU)

    def trial(kind: str) -> probe.Trial:
        torch.rand(5)
        random.random()
        return probe.Trial(kind, fits=kind != "none")

    assert [one.checkpointing for one in probe.tried(probe.KINDS, trial, CPU)] == ["none", "half"]
    after = states.random_state(CPU)
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_half_checkpoints_every_second_block() -> None:
    model = _model("sdpa")
    for kind, wanted in (("full", [True, True]), ("half", [True, False]), ("none", [False, False])):
        probe.switch(model, kind)
        assert sorted((layer.gradient_checkpointing for layer in model.model.layers), reverse=True) == wanted


# ---- progress -------------------------------------------------------------------------------------------------------


def test_what_was_told_after_the_checkpoint_is_cut_away(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    first = Watch(tmp_path, title="one", steps=9, from_step=0, told=lambda *one: told.append(one))
    for step in (1, 2, 3):
        first.step(step, loss=1.0 / step, tokens=100, step_s=0.5, memory_gb=1.0)
    first.close()
    with (tmp_path / "progress.jsonl").open("a") as file:
        file.write('{"step":4,"lo')
    again = Watch(tmp_path, title="one", steps=9, from_step=2, told=lambda *one: told.append(one))
    assert [one["step"] for one in again.lines] == [1, 2]
    assert again.tokens == 200
    again.step(3, loss=0.3, tokens=50, step_s=0.1)
    again.close()
    assert again.tokens == 250
    assert len((tmp_path / "progress.jsonl").read_text().splitlines()) == 3
    assert again.seconds >= first.lines[1]["seconds"]


def test_a_curve_of_one_height_or_no_point_is_drawn() -> None:
    assert "Nothing yet" in chart([], name="none")
    assert "nan" not in chart([(1, 2.0)], name="one")
    assert chart([(n, 1.0) for n in range(5_000)], name="many").count(",") < 1_400


# ---- a title ---------------------------------------------------------------------------------------------------------


def test_a_title_is_text(tmp_path: Path) -> None:
    watch = Watch(tmp_path, title="<b>one</b>", steps=1, from_step=0, told=lambda *_: None)
    watch.draw()
    watch.close()
    assert "<b>one" not in (tmp_path / "progress.html").read_text()
