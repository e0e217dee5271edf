"""The step after fine-tuning that learns from consented feedback which of two answers is the better.

A pair is a question over its passages with the answer that the user corrected, and the correction. Only those count
that curation left in the training part, so that neither a withdrawn consent nor a held-out drug gets in. What the
fine-tuned model thinks of both answers is reckoned once, before the first step: it needs no second model in memory.
Source: Rafailov et al. 2023, arXiv 2305.18290.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn.functional import logsigmoid

from lumen_desktop.errors import InputError, Stopped
from trainer.collect import Stop
from trainer.dataset import feedback
from trainer.lines import read_examples
from trainer.ownership.work import Work
from trainer.packing import Document, Pack, collate_to_learn
from trainer.recipe import Preference
from trainer.records import Example, Message, Record
from trainer.turns import Turns

_SOURCE = "feedback"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers to one prompt, as tokens with what of them is learnt."""

    chosen: Document
    rejected: Document


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the step did.

    Attributes:
        pairs: that it learnt from.
        steps: optimiser steps.
        margin: by how much likelier the better answers became against the worse ones, on average, nats.
        right_before: share of pairs whose better answer was the likelier.
        right_after: the same afterwards.
    """

    pairs: int
    steps: int
    margin: float
    right_before: float
    right_after: float


def pairs(work: Work, turns: Turns, *, longest: int) -> list[Pair]:
    """The pairs of a work folder, in the order of its files.

    Args:
        work: with collected feedback and a dataset.
        turns: of the base.
        longest: tokens of an answer with its prompt; longer ones are left out.

    Raises:
        InputError: there is none (TRN-078).
    """
    wanted = {one.id for one in read_examples(work.dataset / "train.jsonl") if one.family == _SOURCE}
    found = []
    for better, worse in _corrected(work):
        if better.id not in wanted or better.answer == worse:
            continue
        messages = (*better.messages[:-1], Message("assistant", worse))
        pair = Pair(_document(turns, better.messages), _document(turns, messages))
        if max(len(pair.chosen.ids), len(pair.rejected.ids)) <= longest:
            found.append(pair)
    if not found:
        raise InputError(
            "The preference step has no pairs: the training part holds no corrected answer from feedback.",
            code="TRN-078", hint="Collect the app's feedback and give it a share of dataset.mix, or turn the step off.",
        )  # fmt: skip
    return found


def _corrected(work: Work) -> Iterator[tuple[Example, str]]:
    """Each corrected answer as the dataset makes an example of it, with the answer that was shown."""
    records = (one for one in work.records() if one.source == _SOURCE)
    for _, group in itertools.groupby(records, key=lambda one: one.doc_id):
        document = list(group)
        shown = _text(document, "answer")
        if shown and _text(document, "correction"):
            for made in feedback.examples(document, seed=0):
                if isinstance(made, Example):
                    yield made, shown


def _text(document: Iterable[Record], code: str) -> str:
    return next((one.text for one in document if one.section_code == code), "")


def _document(turns: Turns, messages: Sequence[Message]) -> Document:
    learnt = turns.learnt(messages)
    return Document(np.array(learnt.ids, dtype=np.int64), np.array(learnt.learn, dtype=np.bool_))


def prefer(
    model: Any,
    found: Sequence[Pair],
    how: Preference,
    *,
    seed: int,
    step_pairs: int,
    forward: Callable[[], Any],
    stop: Stop,
    told: Callable[[str, int, int], None],
) -> Outcome:
    """Trains the adapters of a fine-tuned model on pairs.

    Args:
        model: with adapters, on its device.
        found: the pairs.
        how: the configuration.
        seed: of their order.
        step_pairs: in one optimiser step.
        forward: a context in which the model is run, such as autocast.
        stop: asks it to end; nothing is kept then.
        told: the stage, the steps done and the steps there are.

    Raises:
        Stopped: it was asked to.
    """
    with torch.no_grad(), forward():
        model.eval()
        reference = [log_odds(model, pair).item() for pair in found]
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=how.learning_rate, weight_decay=0.0)
    order = _order(len(found), how.epochs, seed)
    steps = -(-len(order) // step_pairs)
    for step in range(steps):
        told("preference", step, steps)
        model.train()
        batch = order[step * step_pairs : (step + 1) * step_pairs]
        for number in batch:
            with forward():
                margin = how.beta * (log_odds(model, found[number]) - reference[number])
            loss: Any = -logsigmoid(margin) / len(batch)
            loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if stop.asked:
            raise Stopped
    with torch.no_grad(), forward():
        model.eval()
        after = [log_odds(model, pair).item() for pair in found]
    return _outcome(reference, after, steps)


def log_odds(model: Any, pair: Pair) -> torch.Tensor:
    """How much likelier the better answer is than the worse, nats: both in one row, neither seeing the other."""
    batch = collate_to_learn([Pack(0, (pair.chosen, pair.rejected))])
    device = next(model.parameters()).device
    del batch["labels"]  # with them the model would compute a loss of its own
    wanted, in_chosen = batch.pop("shift_labels")[0].to(device), batch["logits_to_keep"] < len(pair.chosen.ids)
    moved = {name: one.to(device) if isinstance(one, torch.Tensor) else one for name, one in batch.items()}
    logits = model(**moved).logits[0].float()
    said: torch.Tensor = logits.log_softmax(-1).gather(1, wanted[:, None])[:, 0]
    chosen = in_chosen.to(device)
    return said[chosen].sum() - said[~chosen].sum()


def _order(pairs_there: int, epochs: float, seed: int) -> list[int]:
    generator = np.random.default_rng(seed)
    size = max(1, round(pairs_there * epochs))
    laid = [generator.permutation(pairs_there) for _ in range(-(-size // pairs_there))]
    return [int(number) for number in np.concatenate(laid)[:size]]


def _outcome(before: Sequence[float], after: Sequence[float], steps: int) -> Outcome:
    right_before, right_after = (float(np.mean(np.array(odds) > 0)) for odds in (before, after))
    return Outcome(len(before), steps, float(np.mean(np.subtract(after, before))), right_before, right_after)
