"""Rounding to the type that ships: what it takes away from a merged model, and that nothing of it stays behind."""

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from lumen_desktop.errors import EngineError, Stopped
from tests.trainer.tuned import HAS_CONVERTER, NO_CONVERTER, altered, tuned
from trainer import base
from trainer.config import Config
from trainer.conversations import Conversation, few
from trainer.distance import mean_loss
from trainer.ownership.work import Work
from trainer.rounding import losses_as_shipped
from trainer.tensors import Tensors
from trainer.trained import Trained
from trainer.turns import Turns

pytestmark = [
    pytest.mark.usefixtures("spawning"),
    pytest.mark.skipif(not HAS_CONVERTER, reason=NO_CONVERTER),
]


def quietly(_stage: str, _done: int, _all: int) -> None:
    """Hears it and says nothing."""


def asked(config: Config) -> list[Conversation]:
    """Some conversations of validation."""
    prepared = base.prepare(config)
    split = Work(config.work_folder).dataset / "validation.jsonl"
    return few(split, Turns(prepared, base.tokenizer(prepared)), count=4, longest=512)


def steps(weight: torch.Tensor) -> torch.Tensor:
    """Of each weight, how far apart the values are that a Q8_0 file can hold: of 32 each, a 127th of the largest."""
    blocks = weight.reshape(-1, 32)
    step = (blocks.abs().amax(dim=1, keepdim=True) / 127).half().float()
    return step.expand_as(blocks).reshape(weight.shape)


def written(folder: Path, like: Path, weights: dict[str, torch.Tensor]) -> Path:
    """A model's folder of other weights."""
    folder.mkdir()
    for file in like.iterdir():
        if file.suffix != ".safetensors" and file.is_file():
            shutil.copyfile(file, folder / file.name)
    save_file(weights, folder / "model.safetensors")
    return folder


def test_what_is_smaller_than_half_a_step_is_rounded_away(tmp_path: Path) -> None:
    """As in a base that comes from a Q8_0 file: a better model, but not once it is such a file again."""
    config = tuned(tmp_path)
    source, conversations = base.prepare(config).folder, asked(config)
    read = Tensors(source)
    weights = {name: read.read(name).float() for name in read.places}
    rounded = {name: (one / steps(one)).round() * steps(one) if one.dim() > 1 else one for name, one in weights.items()}
    before = written(tmp_path / "before", source, rounded)
    with Trained(before, threads=1) as model:
        model.model.requires_grad_(requires_grad=True)
        ids = torch.tensor([conversations[0].ids])
        model.model(input_ids=ids, labels=ids).loss.backward()
        slopes = {name: one.grad for name, one in model.model.named_parameters() if name.endswith("_proj.weight")}
    nudged = {name: one - 0.3 * steps(one) * slopes[name].sign() if name in slopes else one
              for name, one in rounded.items()}  # fmt: skip
    after = written(tmp_path / "after", source, nudged)
    exact = []
    for folder in (before, after):
        with Trained(folder, threads=1) as model:
            exact.append(mean_loss(conversations, model.logits))
    shipped = losses_as_shipped(config, [before, after], conversations, tmp_path / "tried", quietly)
    gained = exact[0] - exact[1]
    assert gained > 0.05
    assert shipped["before"] - shipped["after"] < gained / 3


def test_its_files_are_gone_afterwards_also_when_it_is_stopped(tmp_path: Path) -> None:
    config = tuned(tmp_path)
    room, model = tmp_path / "tried", base.prepare(config).folder
    room.mkdir()
    (room / "of-a-killed-run.gguf").write_bytes(b"half")

    def stopped(stage: str, done: int, _all: int) -> None:
        if stage == f"score {model.name} as Q8_0" and done == 2:
            assert sorted(path.name for path in room.glob("*.gguf")) == ["shipped.gguf", "whole.gguf"]
            raise Stopped

    with pytest.raises(Stopped):
        losses_as_shipped(config, [model], asked(config), room, stopped)
    assert not room.exists()


def test_a_converter_that_fails_leaves_its_words_where_the_refusal_says(tmp_path: Path) -> None:
    config = tuned(tmp_path)
    prepared = base.prepare(config).folder
    model = written(
        tmp_path / "strange", prepared, {name: Tensors(prepared).read(name) for name in Tensors(prepared).places}
    )
    altered(model / "config.json", architectures=["StrangeForCausalLM"])
    with pytest.raises(EngineError) as refusal:
        losses_as_shipped(config, [model], asked(config), tmp_path / "tried", quietly)
    assert (refusal.value.code, refusal.value.hint.split(";")[0]) == (
        "TRN-084", "Its last words are in convert.log beside the exported files",
    )  # fmt: skip
    assert b"StrangeForCausalLM" in (Work(config.work_folder).exported / "convert.log").read_bytes()
    assert not (tmp_path / "tried").exists()


def test_a_file_of_16_bits_is_scored_as_it_is(tmp_path: Path) -> None:
    whole, rounded = (tuned(tmp_path / ship, export={"ship": ship}) for ship in ("F16", "Q8_0"))
    losses = [
        losses_as_shipped(one, [base.prepare(one).folder], asked(one), tmp_path / "tried", quietly)
        for one in (whole, rounded)
    ]
    first, second = (next(iter(found.values())) for found in losses)
    assert first != second
    assert first == pytest.approx(second, rel=0.01)
