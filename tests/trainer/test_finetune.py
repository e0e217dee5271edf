"""Fine-tuning a tiny Mistral: it learns, says what it did, stops and goes on, and refuses another run's folder."""

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import peft
import pytest
import torch

from lumen_desktop.errors import InputError, Stopped
from tests.trainer import learning
from trainer.base import load, prepare, tokenizer
from trainer.collect import Stop
from trainer.finetune import Finetuned, finetune
from trainer.rows import rows
from trainer.training.loop import mean_loss
from trainer.turns import Turns


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Finetuned, list[tuple[str, int, int]]]:
    """A whole run, with what it told."""
    config, told = learning.work(tmp_path_factory.mktemp("ran"), steps=16), []
    done = finetune(config, told=lambda *one: told.append(one))
    return config, done, told


def test_it_learns(ran: tuple[Any, Finetuned, Any]) -> None:
    _, done, _ = ran
    looks = learning.told(done.folder, "step", "validation_loss")
    assert looks[0][0] == 0
    assert done.validation_loss < 0.8 * looks[0][1]
    assert done.validation_loss == min(loss for _, loss in looks)
    assert (done.best_step, done.validation_loss) in looks


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`")  # peft asks for it by its old name
def test_the_adapter_is_the_one_that_was_best(ran: tuple[Any, Finetuned, Any]) -> None:
    config, done, _ = ran
    prepared = prepare(config)
    model = peft.PeftModel.from_pretrained(load(prepared, precision="fp32", compute="fp32"), done.adapter)
    looked = rows(config, Turns(prepared, tokenizer(prepared)), "validation", most=6)
    assert mean_loss(model, looked, torch.device("cpu")) == pytest.approx(done.validation_loss, abs=1e-5)


def test_all_linear_layers_but_the_output_layer_are_adapted(ran: tuple[Any, Finetuned, Any]) -> None:
    fields = json.loads((ran[1].adapter / "adapter_config.json").read_bytes())
    assert set(fields["target_modules"]) == {
        "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
    }  # fmt: skip
    assert fields["base_model_name_or_path"] == "tiny-mistral"
    assert fields["inference_mode"] is True


def test_every_step_is_told_in_a_line_and_in_the_terminal(ran: tuple[Any, Finetuned, Any]) -> None:
    _, done, told = ran
    steps = learning.told(done.folder, "step", "loss", "grad_norm", "learning_rate", "tokens_per_s", "memory_gb",
                          "seconds_left", "waiting_s")  # fmt: skip
    assert [one[0] for one in steps] == list(range(1, 17))
    assert all(value >= 0 for one in steps for value in one)
    assert learning.told(done.folder, "tokens")[-1][0] == done.tokens
    shown = [(words, step) for words, step, of in told if words.startswith("training") and of == 16]
    assert shown[-1][1] == 16
    assert re.search(r"loss \d.*tokens/s.*GB.*left", shown[-1][0])


def test_the_page_stands_alone(ran: tuple[Any, Finetuned, Any]) -> None:
    page = (ran[1].folder / "progress.html").read_text()
    assert page.count("<svg") == 5
    assert "Done after 16 steps" in page
    assert "<script" not in page
    assert "http://" not in page
    assert "https://" not in page
    assert "refresh" not in page.partition("</head>")[0]


def test_the_run_says_what_went_in_and_came_out(ran: tuple[Any, Finetuned, Any]) -> None:
    config, done, _ = ran
    fields = json.loads((done.folder / "run.json").read_bytes())
    assert fields["schema"] == "lumen-training-run"
    assert set(fields["identity"]["digests"]) == {"base", "template", "train", "validation"}
    assert fields["identity"]["digests"]["base"] == prepare(config).sha256
    assert fields["identity"]["steps"] == 16
    assert fields["identity"]["rows_per_step"] == 2
    assert fields["facts"]["seeds"] == {"finetune": 1, "dataset": 1}
    assert fields["facts"]["train"]["examples"] == 30
    (session,) = fields["sessions"]
    assert session["threads"] == 1
    assert session["device"] == "cpu"
    assert session["packages"]["torch"] == torch.__version__
    result = fields["result"]
    assert result["ended"] == "finished"
    assert result["best_step"] == done.best_step
    assert [one["name"] for one in result["adapter"]] == ["adapter_config.json", "adapter_model.safetensors"]
    assert str(done.folder) not in json.dumps(fields)


def test_checkpoints_hold_data_only(ran: tuple[Any, Finetuned, Any]) -> None:
    _, done, _ = ran
    files = [path for path in done.folder.rglob("*") if path.is_file() and "tokens" not in path.parts]
    assert {path.suffix for path in files} == {".json", ".jsonl", ".html", ".safetensors"}
    assert not any(zipfile.is_zipfile(path) for path in files)
    kept = sorted(path.name for path in done.folder.glob("checkpoint-*"))
    assert kept == sorted({f"checkpoint-{done.best_step}", "checkpoint-16"})


def test_a_run_that_is_done_is_not_done_again(ran: tuple[Any, Finetuned, Any]) -> None:
    config, done, _ = ran
    before = (done.folder / "progress.jsonl").stat().st_mtime_ns
    assert finetune(config) == done
    assert (done.folder / "progress.jsonl").stat().st_mtime_ns == before


def test_another_run_in_the_folder_is_refused_and_nothing_overwritten(ran: tuple[Any, Finetuned, Any]) -> None:
    config, done, _ = ran
    before = {path: path.read_bytes() for path in done.folder.rglob("*") if path.is_file()}
    other = config.model_copy(update={"finetune": config.finetune.model_copy(update={"learning_rate": 0.5, "rank": 8})})
    with pytest.raises(InputError, match=r"differs in finetune\.learning_rate, finetune\.rank\.") as refused:
        finetune(other)
    assert refused.value.code == "TRN-072"
    assert {path: path.read_bytes() for path in done.folder.rglob("*") if path.is_file()} == before


def test_a_trial_leaves_the_run_alone(ran: tuple[Any, Finetuned, Any]) -> None:
    config, done, _ = ran
    record = (done.folder / "run.json").read_bytes()
    tried = finetune(config, steps=2)
    assert tried.folder == done.folder / "trial"
    assert len(learning.told(tried.folder, "step", "loss")) == 2
    assert (tried.adapter / "adapter_model.safetensors").is_file()
    assert (done.folder / "run.json").read_bytes() == record


def test_stopped_it_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    (tmp_path / "stopped").mkdir()
    whole = finetune(learning.work(tmp_path / "whole", steps=6))
    config, stop = learning.work(tmp_path / "stopped", steps=6, save_every=100), Stop()

    def told(words: str, step: int, _of: int) -> None:
        if words.startswith("training") and step == 3:
            stop.ask()

    with pytest.raises(Stopped):
        finetune(config, stop=stop, told=told)
    folder = config.work_folder / "finetuned"
    assert (folder / "checkpoint-4" / "whole.json").is_file() or (folder / "checkpoint-3" / "whole.json").is_file()
    assert not (folder / "adapter").exists()
    done = finetune(config)
    names = ("step", "loss", "grad_norm")
    assert learning.told(done.folder, *names) == learning.told(whole.folder, *names)
    assert done.validation_loss == whole.validation_loss
    weights = "adapter_model.safetensors"
    assert (done.adapter / weights).read_bytes() == (whole.adapter / weights).read_bytes()
    assert len(json.loads((folder / "run.json").read_bytes())["sessions"]) == 2


def test_it_ends_early_where_validation_gets_no_better(tmp_path: Path) -> None:
    done = finetune(learning.work(tmp_path, steps=40, learning_rate=0.3, evaluate_every=2, patience=2, warmup=0.0))
    fields = json.loads((done.folder / "run.json").read_bytes())["result"]
    assert fields["ended"] == "early"
    assert fields["steps"] == fields["best_step"] + 4 < 40
