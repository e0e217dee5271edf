"""Fine-tuning where things go wrong or wide: killed, a loss that is no number, two processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from lumen_desktop.errors import EngineError
from tests.conftest import ROOT
from tests.trainer import learning
from trainer.base import prepare, tokenizer
from trainer.config import Config
from trainer.finetune import finetune
from trainer.records import Message
from trainer.turns import Turns


def _begun(config: Config, *before: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, *before, "-c", learning.DRIVER, str(config.file)], cwd=ROOT,
        env={**os.environ, **learning.environment()}, stdout=subprocess.DEVNULL,
    )  # fmt: skip


def _until(folder: Path, step: int, process: subprocess.Popen[bytes]) -> None:
    """Waits until the run has told of a step."""
    path = folder / "progress.jsonl"
    while not (path.is_file() and f'"step":{step},' in path.read_text()):
        assert process.poll() is None, "it ended before"
        time.sleep(0.01)


def test_killed_it_goes_on_to_the_last_bit(tmp_path: Path) -> None:
    """In four bits, with arithmetic in bf16, dropout, accumulation, and every second block computed again."""
    how: dict[str, Any] = {"steps": 6, "precision": "nf4", "compute": "bf16", "checkpointing": "half"}
    (tmp_path / "whole").mkdir()
    (tmp_path / "killed").mkdir()
    whole = finetune(learning.work(tmp_path / "whole", **how))
    config = learning.work(tmp_path / "killed", **how)
    process = _begun(config)
    try:
        _until(config.work_folder / "finetuned", 3, process)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not (config.work_folder / "finetuned" / "adapter").exists()
    done = finetune(config)
    names = ("step", "loss", "grad_norm", "learning_rate")
    assert learning.told(done.folder, *names) == learning.told(whole.folder, *names)
    assert learning.told(done.folder, "step", "validation_loss") == learning.told(
        whole.folder, "step", "validation_loss"
    )
    for name in ("adapter_model.safetensors", "adapter_config.json"):
        assert (done.adapter / name).read_bytes() == (whole.adapter / name).read_bytes()


def test_a_loss_that_is_no_number_ends_the_run_and_names_the_batch(tmp_path: Path) -> None:
    """One token's weights are no numbers, and one example holds it."""
    prepared = prepare(learning.work(tmp_path))
    (number,) = _only(prepared, "☃")
    weights = load_file(prepared.folder / "model.safetensors")
    weights["model.embed_tokens.weight"][number] = float("nan")
    folder = tmp_path / "poisoned"
    folder.mkdir()
    for path in prepared.folder.iterdir():
        if path.name not in ("model.safetensors", "base.json"):
            (folder / path.name).write_bytes(path.read_bytes())
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    base = {"model": str(folder), "revision": "", "name": "poisoned"}
    poison = learning.asked(99, more=" ☃")
    train = [*(learning.asked(n) for n in range(29)), poison]
    config = learning.work(tmp_path, train=train, base=base, steps=40, save_every=1)
    with pytest.raises(EngineError) as refused:
        finetune(config)
    assert refused.value.code == "TRN-075"
    assert poison.id in refused.value.message
    assert "loss" in refused.value.message
    kept = sorted((config.work_folder / "finetuned").glob("checkpoint-*"))
    assert (f"{kept[-1].name.removeprefix('checkpoint-')} is kept" in refused.value.message) if kept else True


def _only(prepared: Any, letter: str) -> list[int]:
    """The token of a letter that no other example holds."""

    turns = Turns(prepared, tokenizer(prepared))
    plain = set(turns.ids((Message("user", "a"), Message("assistant", "b c ."))))
    for number in range(40):
        plain |= set(turns.ids(learning.asked(number).messages))
    return [one for one in turns.ids((Message("user", "a"), Message("assistant", f"b {letter}"))) if one not in plain][
        :1
    ]


def test_two_processes_are_one_with_accumulation(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    how: dict[str, Any] = {"steps": 4, "dropout": 0.0, "step_tokens": 1024}
    config = learning.work(tmp_path / "two", **how)
    script = tmp_path / "driver.py"
    script.write_text(learning.DRIVER)
    subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "--log-dir",
         str(tmp_path / "logs"), str(script), str(config.file)],
        cwd=ROOT, env={**os.environ, **learning.environment()}, check=True, timeout=200, capture_output=True,
    )  # fmt: skip
    one = finetune(learning.work(tmp_path / "one", **how))
    two = config.work_folder / "finetuned"
    for names in (("loss",), ("grad_norm",), ("validation_loss",)):
        ours = [value for (value,) in learning.told(one.folder, *names)]
        theirs = [value for (value,) in learning.told(two, *names)]
        assert theirs == pytest.approx(ours, rel=1e-6)
    assert learning.told(two, "step", "tokens") == learning.told(one.folder, "step", "tokens")
    assert (two / "adapter" / "adapter_model.safetensors").is_file()
