"""A work folder as fine-tuning leaves it, made in a second: tiny base, small dataset, an adapter of random numbers.

The adapter's matrices are both far from nought, so that a merge that forgets one is seen.
"""

import contextlib
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import tqdm  # type: ignore[import-untyped]
import yaml
from peft import LoraConfig, get_peft_model

from trainer import base, convert
from trainer.config import Config, load
from trainer.lines import LinesFile, write_json
from trainer.ownership.work import Work
from trainer.records import Example, Message
from trainer.training import adapters

LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
NAME = "tiny-mistral"
HAS_CONVERTER = (convert.converter() / f"{convert.MODULE}.py").is_file()
NO_CONVERTER = "llama.cpp's converter is not set up"


def example(number: int) -> Example:
    """A question on a drug that is not there, with a system's turn and letters of several alphabets."""
    drug, dose = f"Zelbo{number}rax", 5 * number + 5
    turns = (
        Message("system", "Answer from the passages only."),
        Message(
            "user", f"[1] {drug}  10 mg – naïve patients ≥ 18 years:\n\n\tCmax 1.2 µg/mL\nWhat is the dose of {drug}?"
        ),
        Message(
            "assistant", f"The dose of {drug} is {dose} mg once daily [1]. Do not exceed {2 * dose} mg in one day."
        ),
    )
    return Example("label", "label-1", turns, (), (), (), (), commercial=True)


def configured(folder: Path, **sections: Any) -> Config:
    """A configuration over the tiny base; sections by keyword stand beside those that keep it small."""
    small: dict[str, Any] = {
        "base": {"model": NAME, "revision": "", "name": NAME},
        "finetune": {"compute": "fp32", "rank": 4, "alpha": 8, "example_tokens": 512, "threads": 1},
        "export": {"quantisations": ["F16", "Q8_0", "Q4_K_M"], "ship": "Q8_0", "importance_examples": 6,
                   "parity_examples": 6},
        "evaluate": {"context_tokens": 1024},
        "release": {"name": NAME},
    }  # fmt: skip
    merged = {name: {**small.get(name, {}), **sections.get(name, {})} for name in {**small, **sections}}
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "lumen-trainer.yaml"
    file.write_text(yaml.safe_dump({"version": 1, "work": "work", **merged}), encoding="utf-8")
    return load(file)


def tuned(folder: Path, **sections: Any) -> Config:
    """A work folder with base, dataset and adapter."""
    config = configured(folder, **sections)
    work = Work(config.work_folder)
    for split, numbers in (("train", range(100, 116)), ("validation", range(12))):
        with LinesFile(work.dataset / f"{split}.jsonl") as file:
            for number in numbers:
                file.write(example(number).as_line())
    adapted(config)
    return config


def adapted(config: Config, *, scale: float = 0.2, base_sha256: str = "") -> None:
    """Writes an adapter of random numbers for the configuration's base, as training leaves it."""
    prepared, work = base.prepare(config), Work(config.work_folder)
    model = base.load(prepared, precision="nf4", compute="fp32")
    torch.manual_seed(7)
    how = LoraConfig(r=config.finetune.rank, lora_alpha=config.finetune.alpha, target_modules=LINEAR,
                     init_lora_weights=False, task_type="CAUSAL_LM")  # fmt: skip
    with peft_as_it_is():
        added = get_peft_model(model, how)
    with torch.no_grad():
        for name, parameter in added.named_parameters():
            if "lora_" in name:
                parameter.mul_(scale)
    folder = work.finetuned / "adapter"
    folder.mkdir(parents=True, exist_ok=True)
    adapters.save(added, folder, base=prepared.name)
    write_json(work.finetuned / "run.json", {"identity": {"digests": {"base": base_sha256 or prepared.sha256}}})


@contextlib.contextmanager
def peft_as_it_is() -> Iterator[None]:
    """It asks transformers by a name that will go; nothing else of it is let pass."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
        watched, tqdm.tqdm.monitor_interval = tqdm.tqdm.monitor_interval, 0  # else a bar leaves a thread behind
        yield
        tqdm.tqdm.monitor_interval = watched


def weights(folder: Path) -> Iterator[Path]:
    """The weight files of a model."""
    yield from sorted(folder.glob("*.safetensors"))


def altered(path: Path, **fields: Any) -> None:
    """Changes fields of a JSON file."""
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **fields}), encoding="utf-8")
