"""What is left of a merged model once it is rounded to the type that ships: its loss as such a file.

Two merges can be equally good until then: where a base comes from a Q8_0 file, its weights lie on that type's own
steps, and what training added to them is smaller than half a step and goes (measured: task loss +.125). So
`trainer.merge` chooses by this. Without importance figures, which are made of the model that was chosen.
"""

import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from trainer.config import Config
from trainer.conversations import Conversation
from trainer.convert import LOG, WHOLE, to_gguf
from trainer.distance import mean_loss
from trainer.lines import refused_if_unwritable
from trainer.llama import GgufModel, quantise
from trainer.ownership.work import Work

Heard = Callable[[str, int, int], None]


def losses_as_shipped(
    config: Config, models: Sequence[Path], asked: Sequence[Conversation], room: Path, heard: Heard
) -> dict[str, float]:
    """The loss of each model as the file that would ship, by its folder's name; mean over learnt tokens, nats.

    Args:
        config: says the type, and the threads.
        models: folders of merged models.
        asked: what they are asked.
        room: a folder for files that are gone afterwards.
        heard: stage, done and all; may raise to stop.

    Raises:
        EngineError: llama.cpp's converter or quantiser failed (TRN-084, TRN-061).
        StorageError: TRN-010.
    """
    shutil.rmtree(room, ignore_errors=True)  # of a run that was killed
    with refused_if_unwritable(room):
        room.mkdir()
        Work(config.work_folder).exported.mkdir(exist_ok=True)
    try:
        return {model.name: _loss(config, model, asked, room, heard) for model in models}
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _loss(config: Config, model: Path, asked: Sequence[Conversation], room: Path, heard: Heard) -> float:
    kind, threads = config.export.ship, config.finetune.all_threads
    stage, whole, shipped = f"score {model.name} as {kind}", room / "whole.gguf", room / "shipped.gguf"
    log = Work(config.work_folder).exported / LOG  # where the refusal says that it is
    to_gguf(model, whole, name=model.name, log=log, asked=lambda: heard(stage, 0, len(asked)))
    if kind == WHOLE:
        shipped = whole
    else:
        quantise(whole, shipped, kind, threads=threads)
    longest = max(len(one.ids) for one in asked)
    with GgufModel(shipped, context_tokens=longest, threads=threads, every_logit=True) as file:
        return mean_loss(asked, file.logits, heard=partial(heard, stage))
