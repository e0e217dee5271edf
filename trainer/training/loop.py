"""The loop of transformers' Trainer with what this product promises on top.

Rows come in the order laid out before; checkpoints hold no pickle and appear whole; validation counts tokens, not
batches; a loss that is no number ends the run before the weights take it; a stop is asked of all processes at once.
Called by `trainer.finetune`, which gives it everything; knows no configuration file.
"""

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import psutil
import torch
from torch.utils.data import Dataset, Sampler, SequentialSampler
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer import TRAINER_STATE_NAME

from lumen_desktop.errors import EngineError, InputError
from trainer.collect import Stop
from trainer.packing import Pack, collate_to_learn
from trainer.rows import Rows
from trainer.training import adapters, states
from trainer.training.checkpoints import Checkpoints
from trainer.training.order import Order
from trainer.training.watching import Watch

_OPTIMIZER, _RANDOM = "optimizer", "random"
_NAMED = 6  # examples in a sentence
METRIC = "eval_loss"


class Laid(Dataset[Pack]):
    """The rows in the run's order, from its first step to its last.

    Args:
        rows: of the training part.
        order: of the whole run.
    """

    def __init__(self, rows: Rows, order: Order) -> None:
        self.rows, self.order = rows, order

    def __len__(self) -> int:
        return len(self.order.rows)

    def __getitem__(self, number: int) -> Pack:
        return self.rows[int(self.order.rows[number])]


@dataclass(frozen=True, slots=True)
class Parts:
    """What the loop is given.

    Attributes:
        laid: rows to train on.
        validation: rows to look at.
        checkpoints: where they go.
        watch: who is told; None on all processes but the first.
        stop: asks the run to end.
        base: short name of the base, which the adapters say they belong to.
        patience: looks at validation without a better loss after which the run ends.
    """

    laid: Laid
    validation: Rows
    checkpoints: Checkpoints
    watch: Watch | None
    stop: Stop
    base: str
    patience: int


class Loop(Trainer):  # type: ignore[misc] # transformers is not followed by mypy
    """One run."""

    def __init__(self, model: Any, args: TrainingArguments, parts: Parts) -> None:
        self.parts = parts
        self._micro = self._tokens = 0
        self._waiting_s = 0.0
        self._begun = time.perf_counter()
        self.stopped = False
        self.control: Any = None  # made by the class above
        super().__init__(
            model=model,
            args=args,
            train_dataset=parts.laid,
            eval_dataset=parts.validation,
            data_collator=collate_to_learn,
            callbacks=[_Ends(self)],
        )
        self.remove_callback(PrinterCallback)

    # ---- what is trained on -----------------------------------------------------------------------------------------

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        return SequentialSampler(train_dataset or self.train_dataset)

    def get_batch_samples(self, *args: Any, **more: Any) -> Any:
        """A step's microbatches; how long they are waited for is kept."""
        begun = time.perf_counter()
        found = super().get_batch_samples(*args, **more)
        self._begun = begun
        self._waiting_s = time.perf_counter() - begun
        self._micro = self._tokens = 0
        return found

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> torch.Tensor:
        """Forward and backward of one row.

        Raises:
            EngineError: the loss is no number (TRN-075).
        """
        self._tokens += inputs["input_ids"].numel()
        loss = cast("torch.Tensor", super().training_step(model, inputs, num_items_in_batch))
        if not math.isfinite(loss.item()):
            place = self._micro * self.args.world_size + self.args.process_index
            raise self._no_number("loss", [place])
        self._micro += 1
        return loss

    def _get_grad_norm(self, model: Any, grad_norm: Any = None) -> float:
        norm = float(super()._get_grad_norm(model, grad_norm=grad_norm))
        if not math.isfinite(norm):
            raise self._no_number("gradient", list(range(self.parts.laid.order.rows_per_step)))
        return norm

    def _no_number(self, what: str, places: list[int]) -> EngineError:
        step = self.state.global_step
        rows = self.parts.laid.order.of(step)
        names = [name for place in places for name in self.parts.laid.rows[int(rows[place])].examples]
        shown = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else "")
        last = self.parts.checkpoints.steps()
        kept = f"the checkpoint of step {last[-1]:,} is kept" if last else "no checkpoint was made before"
        return EngineError(
            f"The {what} of step {step + 1:,} is no number, in the batch of the examples {shown}; {kept}.",
            code="TRN-075", hint="Look at these examples, or begin anew with a lower learning rate.",
        )  # fmt: skip

    # ---- what is said -----------------------------------------------------------------------------------------------

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Tells of a step; nothing piles up in the state, which every checkpoint holds."""
        del start_time
        self.control.should_log = False
        if "grad_norm" not in logs:
            return
        tokens = int(self._over_all(torch.tensor(self._tokens, dtype=torch.int64)))
        if self.parts.watch:
            self.parts.watch.step(
                self.state.global_step, loss=logs["loss"], tokens=tokens, step_s=time.perf_counter() - self._begun,
                grad_norm=logs["grad_norm"], learning_rate=logs["learning_rate"], memory_gb=self._memory_gb(),
                waiting_s=self._waiting_s,
            )  # fmt: skip

    def _memory_gb(self) -> float:
        if self.args.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.args.device) / 1e9
        return float(psutil.Process().memory_info().rss) / 1e9

    def evaluate(self, *_args: Any, **_more: Any) -> dict[str, float]:
        """Mean loss over all learnt tokens of validation; draws nothing from any generator."""
        begun = time.perf_counter()
        loss = mean_loss(self.model, self.parts.validation, self.args.device, shared=(self.args.process_index,
                         self.args.world_size), summed=self._over_all)  # fmt: skip
        if self.parts.watch:
            self.parts.watch.validated(self.state.global_step, loss, taken_s=time.perf_counter() - begun)
        metrics = {METRIC: loss}
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def _determine_best_metric(self, metrics: dict[str, float], trial: Any) -> bool:
        better = bool(super()._determine_best_metric(metrics, trial))
        since = self.state.global_step - (self.state.best_global_step or 0)
        self.control.should_save |= better
        if since >= self.parts.patience * self.args.eval_steps:
            self.control.should_training_stop = self.control.should_save = True
        return better

    def _over_all(self, one: torch.Tensor) -> torch.Tensor:
        """The sum over all processes."""
        if self.args.world_size == 1:
            return one
        return cast("torch.Tensor", self.accelerator.reduce(one.to(self.args.device), reduction="sum")).cpu()

    def asked_to_stop(self) -> bool:
        """Whether any process was."""
        return bool(self._over_all(torch.tensor(int(self.parts.stop.asked))))

    # ---- checkpoints ------------------------------------------------------------------------------------------------

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        del model, trial
        random = self._random_of_all()
        weights = self.accelerator.get_state_dict(self.model) if self.is_fsdp_enabled else None
        if self.args.should_save:
            self.parts.checkpoints.write(self.state.global_step, lambda folder: self._fill(folder, random, weights))
            self.parts.checkpoints.keep({self.state.global_step, self.state.best_global_step})
        self.accelerator.wait_for_everyone()

    def _fill(self, folder: Path, random: dict[str, Any], weights: dict[str, Any] | None) -> None:
        model = self.accelerator.unwrap_model(self.model)
        adapters.save(model, folder, base=self.parts.base, weights=weights)
        if not self.is_fsdp_enabled:
            states.save(folder, _OPTIMIZER, {"optimizer": self.optimizer.state_dict(),
                                             "scheduler": self.lr_scheduler.state_dict()})  # fmt: skip
            states.save(folder, _RANDOM, random)
        self.state.save_to_json(str(folder / TRAINER_STATE_NAME))

    def _random_of_all(self) -> dict[str, Any]:
        """Every process's generators, by its rank."""
        own = states.random_state(self.args.device)
        if self.args.world_size == 1:
            return {"0": own}
        together = {name: self.accelerator.gather(one[None].to(self.args.device)).cpu() for name, one in own.items()
                    if one.numel()}  # fmt: skip
        return {str(rank): {name: together[name][rank] if name in together else one for name, one in own.items()}
                for rank in range(self.args.world_size)}  # fmt: skip

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        del model
        if self.is_fsdp_enabled:
            raise InputError(
                "A run whose weights are shared out by FSDP cannot go on from a checkpoint yet.", code="TRN-077",
                hint="Move the finetuned folder away to begin anew, or train without FSDP.",
            )  # fmt: skip
        adapters.load(self.model, Path(resume_from_checkpoint))

    def _load_callback_state(self) -> None:
        """How often is looked and kept goes by the configuration, not by what the checkpoint says of it."""
        self.state.compute_steps(self.args, self.args.max_steps)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint:
            state = states.load(Path(checkpoint), _OPTIMIZER)
            self.optimizer.load_state_dict(state["optimizer"])
            self.lr_scheduler.load_state_dict(state["scheduler"])

    def _load_rng_state(self, checkpoint: str | None) -> None:
        """Exact for as many processes as before; a process that is new keeps the generators that its seed gave."""
        if checkpoint:
            state = states.load(Path(checkpoint), _RANDOM)
            if own := state.get(str(self.args.process_index)):
                states.set_random_state(own, self.args.device)


class _Ends(TrainerCallback):  # type: ignore[misc]
    """Ends a run in order where somebody asks."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop

    def on_step_end(self, _args: Any, _state: Any, control: Any, **_more: Any) -> Any:
        if self._loop.asked_to_stop():
            self._loop.stopped = True
            control.should_training_stop = control.should_save = True
        return control


def mean_loss(
    model: Any,
    rows: Rows,
    device: torch.device,
    *,
    shared: tuple[int, int] = (0, 1),
    summed: Callable[[torch.Tensor], torch.Tensor] = lambda one: one,
) -> float:
    """Mean loss over all learnt tokens, in evaluation mode; the model's mode is put back.

    Args:
        model: with or without adapters.
        rows: to look at.
        device: where the model is.
        shared: this process's number, and how many share the rows.
        summed: adds up over all of them.
    """
    training = model.training
    model.eval()
    total = torch.zeros(2, dtype=torch.float64)
    first, step = shared
    with torch.no_grad():
        for number in range(first, len(rows), step):
            batch = collate_to_learn([rows[number]])
            learnt = batch["shift_labels"].numel()
            moved = {name: one.to(device) if isinstance(one, torch.Tensor) else one for name, one in batch.items()}
            total += torch.tensor([float(model(**moved).loss) * learnt, learnt], dtype=torch.float64)
    model.train(training)
    loss, tokens = summed(total).tolist()
    return float(loss / tokens)


def arguments(folder: Path, *, device: torch.device, **chosen: Any) -> TrainingArguments:
    """Of the loop: what is always so, and what was chosen for this run.

    Args:
        folder: of the run.
        device: on which it computes.
        **chosen: further fields of transformers' TrainingArguments.
    """
    gpu = device.type == "cuda"
    return TrainingArguments(
        output_dir=str(folder), use_cpu=not gpu, per_device_train_batch_size=1, remove_unused_columns=False,
        label_names=["labels"], lr_scheduler_type="cosine", logging_steps=1, logging_nan_inf_filter=False,
        eval_strategy="steps", save_strategy="steps", metric_for_best_model=METRIC, greater_is_better=False,
        report_to="none", disable_tqdm=True, log_level="error", log_level_replica="error",
        dataloader_pin_memory=gpu, dataloader_num_workers=2 if gpu else 0,
        ddp_find_unused_parameters=False, ddp_backend=None if gpu or "RANK" not in os.environ else "gloo",
        accelerator_config={"split_batches": False, "dispatch_batches": False, "use_seedable_sampler": False,
                            "even_batches": True},
        **chosen,
    )  # fmt: skip
