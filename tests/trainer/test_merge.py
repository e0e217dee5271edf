"""Merging: the trained model and nothing else, in the base's own form, whole or not at all."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
import torch
from peft import PeftModel

from lumen_desktop.errors import InputError, Stopped, StorageError
from tests.trainer.conftest import environment
from tests.trainer.tuned import adapted, altered, configured, peft_as_it_is, tuned, weights
from trainer import base, merge, tensors
from trainer.adapter import Adapter
from trainer.collect import Stop
from trainer.config import Config
from trainer.ownership.work import Work
from trainer.tensors import Tensors

pytestmark = pytest.mark.usefixtures("spawning")
KILLED = """
import os, sys
from pathlib import Path
from trainer import merge, tensors
from trainer.config import load
tensors.SHARD_BYTES = 1_000_000
def told(stage, done, _all):
    if stage == "merge dequantised" and done == 20:
        os.kill(os.getpid(), 9)
merge.merge(load(Path(sys.argv[1])), told=told)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, merge.Merged]:
    """A work folder and what merging made of it."""
    config = tuned(tmp_path_factory.mktemp("made"))
    return config, merge.merge(config)


def _merged_by_peft(config: Config, *, dequantised: bool) -> dict[str, torch.Tensor]:
    prepared = base.prepare(config)
    if dequantised:
        model = base.load(prepared, precision="nf4", compute="fp32").dequantize(dtype=torch.float32)
    else:
        model = base.load(prepared, precision="fp32", compute="fp32")
    adapter = Work(config.work_folder).finetuned / "adapter"
    with peft_as_it_is():
        whole: dict[str, torch.Tensor] = PeftModel.from_pretrained(model, adapter).merge_and_unload().state_dict()
    return whole


def _ours(config: Config, kind: str) -> Iterator[tuple[str, torch.Tensor]]:
    prepared, work = base.prepare(config), Work(config.work_folder)
    read = Tensors(prepared.folder)
    build = merge.Build(kind, prepared, Adapter(work.finetuned / "adapter"), config.finetune.compute, Path())
    for name in read.places:
        yield name, build.weight(read, name)


@pytest.mark.parametrize("kind", [merge.DEQUANTISED, merge.ORIGINAL])
def test_both_merges_are_those_of_peft(made: tuple[Config, merge.Merged], kind: str) -> None:
    config, _ = made
    theirs = _merged_by_peft(config, dequantised=kind == merge.DEQUANTISED)
    ours = dict(_ours(config, kind))
    assert ours.keys() == theirs.keys()
    for name, weight in ours.items():
        assert torch.allclose(weight, theirs[name].float(), rtol=0, atol=1e-6), name


@pytest.mark.parametrize("compute", ["bf16", "fp32"])
def test_a_weight_is_seen_as_training_sees_it(
    made: tuple[Config, merge.Merged], compute: Literal["bf16", "fp32"]
) -> None:
    """To the bit: the same quantiser, from the same type."""
    prepared = base.prepare(made[0])
    seen = base.load(prepared, precision="nf4", compute=compute).dequantize().state_dict()
    read, kind = Tensors(prepared.folder), {"bf16": torch.bfloat16, "fp32": torch.float32}[compute]
    for name in read.places:
        assert torch.equal(merge.as_trained(name, read.read(name), kind), seen[name]), name


def test_the_two_merges_differ_and_so_does_the_base(made: tuple[Config, merge.Merged]) -> None:
    """Otherwise the tests beside this one would pass on a merge that does nothing."""
    config, _ = made
    name = "model.layers.0.mlp.up_proj.weight"
    one, other = (dict(_ours(config, kind))[name] for kind in (merge.DEQUANTISED, merge.ORIGINAL))
    untouched = Tensors(base.prepare(config).folder).read(name).float()
    assert (one - other).abs().max() > 1e-4
    assert (other - untouched).abs().max() > 1e-3


def test_what_is_written_is_that_in_the_bases_type_and_never_in_4_bits(made: tuple[Config, merge.Merged]) -> None:
    config, merged = made
    written, before = Tensors(merged.folder), Tensors(base.prepare(config).folder)
    assert {name: (place.type, place.shape) for name, place in written.places.items()} == {
        name: (place.type, place.shape) for name, place in before.places.items()
    }
    for name, weight in _ours(config, merged.kept):
        assert torch.equal(written.read(name), weight.to(torch.bfloat16)), name
    assert "quantization_config" not in json.loads((merged.folder / "config.json").read_bytes())


def test_tokenizer_and_template_are_the_bases_to_the_byte(made: tuple[Config, merge.Merged]) -> None:
    config, merged = made
    prepared = base.prepare(config)
    for name in ("tokenizer.json", "tokenizer.model", "tokenizer_config.json", "chat_template.jinja", "config.json"):
        assert (merged.folder / name).read_bytes() == (prepared.folder / name).read_bytes()


def test_the_better_one_is_kept_and_both_losses_are_recorded(made: tuple[Config, merge.Merged]) -> None:
    config, merged = made
    folder = Work(config.work_folder).merged
    record = json.loads((folder / merge.NAME).read_bytes())
    assert set(merged.losses) == set(merged.shipped) == {merge.DEQUANTISED, merge.ORIGINAL}
    assert merged.shipped[merged.kept] == min(merged.shipped.values())
    assert merged.shipped != merged.losses, "rounded, and by another library"
    assert sorted(path.name for path in folder.iterdir()) == sorted([merged.kept, merge.NAME])
    assert record["apart"]["kl_mean"] > 0
    assert record["sha256"] == merged.sha256


def test_a_second_run_makes_nothing(made: tuple[Config, merge.Merged]) -> None:
    config, merged = made
    before = {path: path.stat().st_mtime_ns for path in merged.folder.iterdir()}
    assert merge.merge(config) == merged == merge.read(config)
    assert {path: path.stat().st_mtime_ns for path in merged.folder.iterdir()} == before


def test_without_nf4_there_is_one_merge(tmp_path: Path) -> None:
    config = tuned(tmp_path, finetune={"precision": "fp32", "compute": "fp32", "rank": 4, "alpha": 8, "threads": 1})
    merged = merge.merge(config)
    assert set(merged.losses) == {merge.ORIGINAL}
    assert not merged.shipped, "nothing to choose"


def test_a_killed_merge_goes_on_and_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tuned(tmp_path, export={"merge": "dequantised", "parity_examples": 2})
    work = Work(config.work_folder)
    monkeypatch.setattr(tensors, "SHARD_BYTES", 1_000_000)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(config.file)], env=environment(), check=False, timeout=120
    )
    assert killed.returncode == -9
    assert [path.name for path in work.merged.iterdir()] == ["dequantised.part"]
    whole = {path.name: path.stat().st_mtime_ns for path in weights(work.merged / "dequantised.part")}
    assert whole
    folder = merge.merge(config).folder
    assert {name: (folder / name).stat().st_mtime_ns for name in whole} == whole
    written = Tensors(folder)
    for name, weight in _ours(config, merge.DEQUANTISED):
        assert torch.equal(written.read(name), weight.to(torch.bfloat16)), name


def test_a_stopped_merge_leaves_nothing_under_its_final_name(tmp_path: Path) -> None:
    config, stop = tuned(tmp_path), Stop()

    def told(stage: str, done: int, _all: int) -> None:
        if stage == "merge original" and done == 3:
            stop.ask()

    with pytest.raises(Stopped):
        merge.merge(config, stop=stop, told=told)
    names = {path.name for path in Work(config.work_folder).merged.iterdir()}
    assert names == {"dequantised", "original.part"}
    with pytest.raises(InputError, match="no merged model"):
        merge.read(config)
    assert merge.merge(config).folder.is_dir()


def test_an_adapter_of_another_base_is_refused(tmp_path: Path) -> None:
    config = tuned(tmp_path)
    adapted(config, base_sha256="0" * 64)
    with pytest.raises(InputError) as refusal:
        merge.merge(config)
    assert refusal.value.code == "TRN-082"
    assert not Work(config.work_folder).merged.exists()


def test_without_an_adapter_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refusal:
        merge.merge(configured(tmp_path))
    assert refusal.value.code == "TRN-080"


@pytest.mark.parametrize(
    "fields", [{"use_dora": True}, {"peft_type": "IA3"}, {"r": 0}, {"modules_to_save": ["lm_head"]}, {"r": "many"}]
)
def test_an_adapter_that_is_not_plain_lora_is_refused(tmp_path: Path, fields: dict[str, object]) -> None:
    config = tuned(tmp_path)
    folder = Work(config.work_folder).finetuned / "adapter"
    altered(folder / "adapter_config.json", **fields)
    with pytest.raises(InputError) as refusal:
        merge.merge(config)
    assert refusal.value.code == "TRN-080"


def test_cut_weights_are_refused(tmp_path: Path) -> None:
    config = tuned(tmp_path)
    file = Work(config.work_folder).finetuned / "adapter" / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:-8])
    with pytest.raises(InputError, match="cut short") as refusal:
        merge.merge(config)
    assert refusal.value.code == "TRN-083"


def test_a_full_disk_is_said_before_anything_is_written(small_disk: Path) -> None:
    config = configured(small_disk)
    adapted(config)
    with pytest.raises(StorageError, match=r"needs 0\.\d GB") as refusal:
        merge.merge(config)
    assert refusal.value.code == "TRN-081"
    assert not Work(config.work_folder).merged.exists()
