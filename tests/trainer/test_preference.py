"""The preference step: corrected answers become likelier than the ones shown; only what may be trained on counts."""

import json
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch

from lumen_desktop.errors import InputError, Stopped
from tests.trainer import learning
from tests.trainer.built import record
from trainer.base import load, prepare, tokenizer
from trainer.collect import Stop
from trainer.dataset import feedback
from trainer.finetune import finetune
from trainer.ownership.work import Work
from trainer.recipe import Preference
from trainer.records import Example, Record
from trainer.training import adapters, preference
from trainer.turns import Turns

PASSAGE = "The recommended dose is 40 mg once daily. Do not take more than 80 mg in a day. Store below 25 degrees."


def given(number: int, *, correction: str = "It is 40 mg once daily [1].") -> list[Record]:
    """What a user gave: a question, the answer shown, a correction, the passage cited."""
    doc_id = f"feedback:consent-{number}/item-{number}"
    facts = {"question": f"What is the dose on day {number}?", "rating": "wrong"}
    texts = [("answer", "It is 80 mg once daily [1]."), ("correction", correction), ("passage", PASSAGE)]
    return [
        record(doc_id, "LicenseRef-Consent", number=place, text=text, section_code=code, kind="feedback", facts=facts)
        for place, (code, text) in enumerate(texts, start=1)
        if text
    ]  # fmt: skip


def example_of(document: Sequence[Record]) -> Example:
    """As the dataset makes it."""
    (made,) = feedback.examples(document, seed=0)
    assert isinstance(made, Example)
    return made


def collected(folder: Path, documents: Sequence[Sequence[Record]]) -> None:
    """The feedback as `lumen-trainer collect` leaves it."""
    path = folder / "work" / "collected" / "feedback" / "part-00000.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(one.as_line() + "\n" for document in documents for one in document), encoding="utf-8")


@pytest.fixture
def ready(tmp_path: Path) -> tuple[Any, Turns, list[preference.Pair]]:
    """A configuration with six pairs, of which four are in the training part."""
    documents = [given(number) for number in range(6)]
    config = learning.work(tmp_path, train=[*(learning.asked(n) for n in range(8)), *map(example_of, documents[:4])])
    collected(tmp_path, documents)
    prepared = prepare(config)
    turns = Turns(prepared, tokenizer(prepared))
    return config, turns, preference.pairs(Work(config.work_folder), turns, longest=1_000)


def test_only_what_the_training_part_holds_is_a_pair(ready: tuple[Any, Turns, list[preference.Pair]]) -> None:
    config, turns, found = ready
    assert len(found) == 4
    model = tokenizer(prepare(config))
    for one in found:
        better, worse = (model.decode(part.ids[part.learn]) for part in (one.chosen, one.rejected))
        assert "40 mg" in better
        assert "80 mg" in worse
        prompt = int(one.chosen.learn.argmax())
        assert one.chosen.ids[:prompt].tolist() == one.rejected.ids[:prompt].tolist()
    assert not preference_of(config, turns, longest=10)


def preference_of(config: Any, turns: Turns, *, longest: int) -> list[preference.Pair]:
    """The pairs; none where there are none."""
    try:
        return preference.pairs(Work(config.work_folder), turns, longest=longest)
    except InputError as error:
        if error.code != "TRN-078":
            raise
        return []


def test_an_answer_without_correction_is_no_pair(tmp_path: Path) -> None:
    config = learning.work(tmp_path)
    collected(tmp_path, [given(1, correction="")])
    prepared = prepare(config)
    assert not preference_of(config, Turns(prepared, tokenizer(prepared)), longest=1_000)


def test_the_better_answer_becomes_likelier(ready: tuple[Any, Turns, list[preference.Pair]]) -> None:
    config, _, found = ready
    torch.manual_seed(1)
    model = adapters.add(load(prepare(config), precision="fp32", compute="fp32"), config.finetune)
    how = Preference(use=True, learning_rate=5e-3, epochs=6)
    told: list[tuple[str, int, int]] = []
    outcome = preference.prefer(
        model, found, how, seed=1, step_pairs=2, forward=nullcontext, stop=Stop(), told=lambda *one: told.append(one)
    )
    assert (outcome.pairs, outcome.steps) == (4, 12)
    assert outcome.margin > 1
    assert outcome.right_after >= outcome.right_before
    assert told[-1] == ("preference", 11, 12)


def test_both_answers_in_one_row_do_not_see_each_other(ready: tuple[Any, Turns, list[preference.Pair]]) -> None:
    config, _, found = ready
    model = load(prepare(config), precision="fp32", compute="fp32")
    pair = found[0]

    def alone(part: Any) -> float:
        ids = torch.from_numpy(part.ids)
        said = model(ids[None]).logits[0, :-1].log_softmax(-1).gather(1, ids[1:, None])[:, 0]
        return float(said[torch.from_numpy(part.learn)[1:]].sum())

    with torch.no_grad():
        assert float(preference.log_odds(model, pair)) == pytest.approx(
            alone(pair.chosen) - alone(pair.rejected), abs=1e-3
        )


def test_stopped_it_keeps_nothing(ready: tuple[Any, Turns, list[preference.Pair]]) -> None:
    config, _, found = ready
    model = adapters.add(load(prepare(config), precision="fp32", compute="fp32"), config.finetune)
    stop = Stop()
    stop.ask()
    with pytest.raises(Stopped):
        preference.prefer(
            model, found, Preference(use=True), seed=1, step_pairs=2, forward=nullcontext, stop=stop,
            told=lambda *_: None,
        )  # fmt: skip


def test_the_recipe_prefers_after_it_fine_tuned(tmp_path: Path) -> None:
    documents = [given(number) for number in range(4)]
    config = learning.work(
        tmp_path, train=[*(learning.asked(n) for n in range(8)), *map(example_of, documents)],
        steps=3, row_tokens=1024, step_tokens=1024,
        example_tokens=1024,
        sections={"preference": {"use": True, "learning_rate": 0.005, "epochs": 8.0}},
    )  # fmt: skip
    collected(tmp_path, documents)
    done = finetune(config)
    result = json.loads((done.folder / "run.json").read_bytes())["result"]
    assert result["preference"]["margin"] > 0.5
    assert result["validation_loss"] == done.validation_loss
    before = done.folder / "adapter-before-preference" / "adapter_model.safetensors"
    assert before.read_bytes() != (done.adapter / "adapter_model.safetensors").read_bytes()
