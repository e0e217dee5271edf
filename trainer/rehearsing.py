"""A build tried in small before a GPU is rented: what would fail after hours fails here in a minute or two.

Each part says one sentence, good or not; what one part refuses does not hide the others, unless they rest on it.
Called by `lumen-trainer run --dry-run`. Nothing of it is kept but a folder `trial`, which the next one clears.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import torch

from lumen_desktop.errors import EngineError, LumenError, Stopped
from trainer import base
from trainer.base import Prepared
from trainer.collect import Stop
from trainer.collect.inputs import chosen, found
from trainer.collect.run import sources_of
from trainer.config import Config
from trainer.convert import to_gguf, truncated
from trainer.finetune import finetune
from trainer.lines import read_examples
from trainer.llama import GgufModel
from trainer.ownership.work import SPLITS, Work
from trainer.records import Example, Message
from trainer.training import needs
from trainer.turns import Turns

Told = Callable[[str, int, int], None]
_LOOKED_AT = 200  # examples whose tokens are counted
_COMPARED = 20  # texts whose token ids are compared with llama.cpp's
_STEPS = 2
_CONTEXT_TOKENS = 512
_WRITTEN_BYTES = 8  # a weight: two merges, a GGUF of 16 bits, the smaller ones


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the trial: whether it is as it should be, and a sentence."""

    name: str
    good: bool
    words: str


def rehearse(config: Config, *, stop: Stop, told: Told) -> Iterator[Part]:
    """Tries data, template, tokens, memory, disk, two steps of training and the export of one layer.

    Raises:
        Stopped: it was asked for.
    """
    yield _tried("data", lambda: _data(config))
    ready: list[Prepared] = []
    yield _tried("template", lambda: _template(config, ready, told))
    if not ready or not (Work(config.work_folder).dataset / "train.jsonl").is_file():
        return
    prepared = ready[0]
    yield _tried("tokens", lambda: _tokens(config, prepared))
    yield _tried("room", lambda: _room(config, prepared))
    yield _tried("training", lambda: _steps(config, stop, told))
    yield _tried("export", lambda: _export(config, prepared, stop))


def _tried(name: str, work: Callable[[], str]) -> Part:
    try:
        return Part(name, good=True, words=work())
    except Stopped:
        raise
    except LumenError as error:
        return Part(name, good=False, words=f"{error.code}: {error.message} Hint: {error.hint}")


def _data(config: Config) -> str:
    work = Work(config.work_folder)
    if (work.dataset / "train.jsonl").is_file():
        counts = [f"{_count(work.dataset / f'{split}.jsonl'):,} {split}" for split in SPLITS]
        return f"a dataset is there: {', '.join(counts)}."
    files = found(config, chosen(config, sources_of()))
    size = sum(file.size_bytes for file in files)
    return f"no dataset yet; {len(files):,} files, {size / 1e9:.2f} GB would be read. The parts below need one."


def _count(path: Path) -> int:
    with path.open("rb") as lines:
        return sum(1 for _ in lines)


def _examples(config: Config, split: str, most: int) -> list[Example]:
    return list(islice(read_examples(Work(config.work_folder).dataset / f"{split}.jsonl"), most))


def _template(config: Config, ready: list[Prepared], told: Told) -> str:
    prepared = base.prepare(config, told=told)
    ready.append(prepared)
    turns = Turns(prepared, base.tokenizer(prepared))
    ids = turns.ids([Message("user", "How much?"), Message("assistant", "10 mg [1].")])
    return f"{prepared.name} is there, its template renders; a question and an answer are {len(ids)} tokens."


def _tokens(config: Config, prepared: Prepared) -> str:
    turns = Turns(prepared, base.tokenizer(prepared))
    lengths = [len(turns.ids(example.messages)) for example in _examples(config, "train", _LOOKED_AT)]
    count, how = _count(Work(config.work_folder).dataset / "train.jsonl"), config.finetune
    mean, longer = sum(lengths) / len(lengths), sum(length > how.example_tokens for length in lengths)
    tokens = round(mean * count * how.epochs)
    if how.steps:
        tokens = min(tokens, how.steps * how.step_tokens)
    return (
        f"{mean:.0f} tokens an example on average, {max(lengths):,} the longest; {longer / len(lengths):.1%} are "
        f"longer than {how.example_tokens:,} and would be left out; about {tokens:,} tokens are trained on."
    )


def _room(config: Config, prepared: Prepared) -> str:
    shape = needs.shape(json.loads((prepared.folder / "config.json").read_bytes()))
    device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    there, how = needs.machine(Work(config.work_folder).folder, device), config.finetune
    optimizer = needs.chosen_optimizer(shape, how, there)
    checkpointing = needs.chosen_checkpointing(shape, how, there, optimizer=optimizer)
    dataset = Work(config.work_folder).dataset
    size = sum((dataset / f"{split}.jsonl").stat().st_size for split in SPLITS)
    taken = needs.needs(
        shape, how, device=there.device, checkpointing=checkpointing, optimizer=optimizer, data_bytes=size
    )
    weights_gb = shape.parameters * _WRITTEN_BYTES / 1e9
    needs.require(replace(taken, disk_gb=taken.disk_gb + weights_gb), there, tokens=0)
    return (
        f"{there.device}, checkpointing {checkpointing}, {optimizer}: about {taken.memory_gb:.1f} of "
        f"{there.memory_gb:.1f} GB of memory, {taken.disk_gb + weights_gb:.1f} of {there.disk_gb:.1f} GB of disk."
    )


def _steps(config: Config, stop: Stop, told: Told) -> str:
    done = finetune(config, stop=stop, told=told, steps=_STEPS)
    shutil.rmtree(done.folder, ignore_errors=True)
    rate = done.tokens / done.seconds if done.seconds else 0.0
    return f"{_STEPS} steps, {rate:,.0f} tokens a second, validation loss {done.validation_loss:.3f}."


def _export(config: Config, prepared: Prepared, stop: Stop) -> str:
    folder = Work(config.work_folder).folder / "trial"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(parents=True)
        file = folder / "one-layer.gguf"
        to_gguf(truncated(prepared.folder, folder / "model"), file, name="trial", asked=lambda: _go_on(stop))
        return _same_ids(config, prepared, file)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _go_on(stop: Stop) -> None:
    if stop.asked:
        raise Stopped


def _same_ids(config: Config, prepared: Prepared, file: Path) -> str:
    turns = Turns(prepared, base.tokenizer(prepared))
    examples = _examples(config, "validation", _COMPARED)
    with GgufModel(file, context_tokens=_CONTEXT_TOKENS, threads=1) as model:
        if model.metadata.get("tokenizer.chat_template") != prepared.template:
            raise EngineError(
                "The template does not arrive in the GGUF as it is.", code="TRN-089",
                hint="See that it stands in one place of the base's folder only.",
            )  # fmt: skip
        other = sum(model.tokens(turns.text(one.messages)) != turns.ids(one.messages) for one in examples)
    if other:
        raise EngineError(
            f"llama.cpp reads {other} of {len(examples)} texts as other tokens than the trainer.", code="TRN-089",
            hint="The base's tokenizer files do not belong together; take them from where its weights come from.",
        )  # fmt: skip
    return f"one layer was exported; llama.cpp reads {len(examples)} texts as the same tokens, the template is intact."
