"""A whole evaluation: asked, killed, gone on with, scored and compared; on real models, a small one and a tiny one."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from lumen_desktop.domain.grounding import ABSTENTION
from lumen_desktop.errors import InputError, Stopped, StorageError
from tests.conftest import ROOT
from tests.trainer.making import built, record
from tests.trainer.test_evaluation_letters import STARTER, choice
from trainer.collect import Stop
from trainer.compare import compare
from trainer.config import Config, load
from trainer.evaluate import Asked, _by_shots, evaluate, folder_name, questions
from trainer.evaluate import built as shipped
from trainer.evaluation import own, scoring
from trainer.evaluation.keeping import answered, opened
from trainer.evaluation.letters import GgufScorer, Letters, TorchScorer
from trainer.evaluation.prompts import Choice
from trainer.evaluation.questions import Judge, Open
from trainer.evaluation.results import Evaluation, Item, Score, items
from trainer.llama import GgufModel
from trainer.ownership.work import Work
from trainer.records import Message

QUESTIONS = 16
CONVERTER = Path(os.environ.get("LUMEN_CONVERTER", Path(sys.prefix) / "converter"))
KILLED = """
import os, signal, sys
from pathlib import Path
from trainer.config import load
from trainer.evaluate import evaluate

def told(stage, done, _all):
    if stage == "medqa" and done == 7:
        os.kill(os.getpid(), signal.SIGKILL)

evaluate(load(Path(sys.argv[1])), model=Path(sys.argv[2]), name="killed", told=told)
"""


def letters(folder: Path, count: int = QUESTIONS) -> Path:
    path = folder / "medqa.jsonl"
    words = ("iron", "zinc", "lead", "gold")
    path.write_text(
        "".join(
            json.dumps(
                {"question": f"Which metal is number {n}, {words[n % 4]} by name?",
                 "options": dict(zip("ABCD", words, strict=True)), "answer_idx": "ABCD"[n % 4]}
            ) + "\n" for n in range(count)
        )
    )  # fmt: skip
    return path


@pytest.fixture
def configured(tmp_path: Path) -> Callable[..., Config]:
    def configure(**sections: Any) -> Config:
        file = tmp_path / "c.yaml"
        file.write_text(yaml.safe_dump({"version": 1, "work": "work", "finetune": {"threads": 1}, **sections}))
        return load(file)

    return configure


@pytest.fixture
def asking(tmp_path: Path, configured: Callable[..., Config]) -> Config:
    letters(tmp_path)
    return configured(evaluate={"context_tokens": 512, "sets": {"medqa": "medqa.jsonl"}})


@pytest.mark.model
@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is POSIX")
def test_an_evaluation_that_was_killed_goes_on_and_says_the_same(asking: Config) -> None:
    child = subprocess.run(
        [sys.executable, "-c", KILLED, str(asking.file), str(STARTER)],
        check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert child.returncode == -signal.SIGKILL
    folder = Work(asking.work_folder).evaluated / "killed"
    part = folder / "items" / "medqa.jsonl.open"
    kept = part.read_bytes()
    assert kept.count(b"\n") == 7
    part.write_bytes(kept + b'{"id": "half a li')
    asked: list[int] = []
    again = evaluate(asking, model=STARTER, name="killed",
                     told=lambda stage, done, _all: asked.append(done) if stage == "medqa" else None)  # fmt: skip
    assert asked == list(range(7, QUESTIONS + 1))
    assert (folder / "items" / "medqa.jsonl").read_bytes().startswith(kept)
    assert not part.exists()
    whole = evaluate(asking, model=STARTER, name="Whole run")
    assert whole.model == "whole-run"
    assert replace(again, model="", speed={}) == replace(whole, model="", speed={})
    assert Evaluation.read(folder) == again
    _reads_as_scores(whole)
    _compares(Work(asking.work_folder).evaluated)


def _reads_as_scores(found: Evaluation) -> None:
    score = found.score("medqa")
    assert score is not None
    assert (score.measure, score.items, score.majority) == ("accuracy", QUESTIONS, 0.25)
    assert score.low <= score.value <= score.high
    assert score.facts["turned_items"] > 0
    assert 0 <= score.facts["turned_same"] <= 1
    assert set(found.speed) == {"first_token_s", "tokens_per_s", "memory_gb"}
    assert 0.1 < found.speed["memory_gb"] < 2
    assert found.speed["tokens_per_s"] > 0 < found.speed["first_token_s"]
    assert found.temperature == 1.0  # too few letters to fit one


def _compares(evaluated: Path) -> None:
    found = compare(evaluated / "killed", evaluated / "whole-run")
    [one] = found.sets
    assert (one.set, one.right.items, one.right.difference.value, one.right.p) == ("medqa", QUESTIONS, 0.0, 1.0)
    assert one.formed is None
    assert json.loads(json.dumps(found.as_json()))["sets"][0]["set"] == "medqa"


def item(identity: str, **fields: Any) -> Item:
    return replace(Item(id=identity, set="medqa", right=True, score=1.0, said="A", wanted="A"), **fields)


def choices(count: int) -> list[Choice]:
    return [Choice(str(n), "medqa", "medqa", f"Which {n}?", ("x", "y"), "A") for n in range(count)]


def test_a_stop_keeps_what_was_answered(tmp_path: Path) -> None:
    stop, some = Stop(), choices(5)

    def answer(one: Choice) -> Item:
        if one.id == "2":
            stop.ask()
        return item(one.id)

    with pytest.raises(Stopped):
        answered(tmp_path, "medqa", some, answer, stop=stop, told=_silent)
    found = answered(tmp_path, "medqa", some, lambda one: item(one.id, said="B"), stop=Stop(), told=_silent)
    assert [one.said for one in found] == ["A", "A", "A", "B", "B"]
    assert list(items(tmp_path, "medqa")) == found
    again = answered(tmp_path, "medqa", some, _never, stop=Stop(), told=_silent)
    assert again == found


def _silent(_stage: str, _done: int, _all: int) -> None:
    pass


def _never(one: Choice) -> Item:
    raise AssertionError(f"{one.id} was asked again")


@pytest.mark.parametrize("damage", [b"\xff\n", b'{"id": "1"}\n', b"[]\n", b'{"id": "9", "logits": []}\n', b"null"])
def test_lines_behind_a_damaged_one_are_asked_again(tmp_path: Path, damage: bytes) -> None:
    part = tmp_path / "items" / "medqa.jsonl.open"
    part.parent.mkdir()
    part.write_bytes(item("0").as_line().encode() + b"\n" + damage + item("2").as_line().encode() + b"\n")
    asked: list[str] = []

    def answer(one: Choice) -> Item:
        asked.append(one.id)
        return item(one.id)

    found = answered(tmp_path, "medqa", choices(4), answer, stop=Stop(), told=_silent)
    assert asked == ["1", "2", "3"]
    assert list(items(tmp_path, "medqa")) == found == [item(str(n)) for n in range(4)]


def test_answers_of_another_run_are_thrown_away(tmp_path: Path) -> None:
    with opened(tmp_path, {"model": "a"}):
        answered(tmp_path, "medqa", choices(2), lambda one: item(one.id), stop=Stop(), told=_silent)
        with pytest.raises(StorageError) as caught, opened(tmp_path, {"model": "a"}):
            pass
        assert caught.value.code == "TRN-014"
    with opened(tmp_path, {"model": "a"}):
        assert (tmp_path / "items" / "medqa.jsonl").is_file()
    with opened(tmp_path, {"model": "b"}):
        assert not (tmp_path / "items").exists()


@pytest.mark.parametrize("code", ["TRN-091", "TRN-094"])
def test_refusals(tmp_path: Path, configured: Callable[..., Config], code: str) -> None:
    config = configured()
    model = tmp_path / "model.gguf"
    if code == "TRN-094":
        model.write_bytes(b"GGUF")
    with pytest.raises(InputError) as caught:
        evaluate(config, model=model)
    assert caught.value.code == code
    with pytest.raises(InputError) as caught:
        evaluate(config)
    assert shipped(config).name in caught.value.message


def evaluation(folder: Path, asked: str, *found: Item, name: str = "label") -> Path:
    by_id = {one.id: one for one in found}
    some = [Choice(one.id, name, "medqa", "", (), "") for one in found]
    answered(folder, name, some, lambda one: by_id[one.id], stop=Stop(), told=_silent)
    scores = (scoring.score(name, found),)
    Evaluation(folder.name, "0" * 64, quick=True, asked=asked, scores=scores, temperature=1.0, speed={},
               made_by={}).write(folder)  # fmt: skip
    return folder


def test_builds_are_compared_question_by_question(tmp_path: Path) -> None:
    one = evaluation(tmp_path / "one", "x", *(item(str(n), right=n < 8, formed=n < 9) for n in range(10)))
    other = evaluation(tmp_path / "other", "x", *(item(str(n), right=n < 3, formed=n < 9) for n in range(10)))
    [found] = compare(one, other).sets
    assert (found.right.one, found.right.other, found.right.only_one, found.right.only_other) == (0.8, 0.3, 5, 0)
    assert found.right.p == 2 / 2**5
    assert found.formed is not None
    assert found.formed.difference.value == 0.0
    trend = evaluation(tmp_path / "t", "x", *(item(str(n), right=None, score=0.5) for n in range(4)), name="kqa")
    assert compare(trend, trend).sets[0].right.p is None
    assert compare(one, trend).only_in_one == ("label",)
    assert compare(one, trend).only_in_other == ("kqa",)


def test_overlap_of_words_is_compared_apart_from_right_and_all_sets_over_passages_together(tmp_path: Path) -> None:
    one = evaluation(tmp_path / "one", "x", *(item(str(n), right=False, formed=True, score=0.5) for n in range(6)))
    other = evaluation(tmp_path / "other", "x", *(item(str(n), right=False, formed=True, score=0.2) for n in range(6)))
    found = compare(one, other)
    [label] = found.sets
    assert label.right.difference.value == 0.0
    assert label.overlap is not None
    assert label.overlap.difference.value == pytest.approx(0.3)
    assert label.overlap.difference.low > 0
    assert label.overlap.p is None
    assert found.together is not None
    assert (found.together.set, found.together.right.items) == ("over passages", 6)
    letters = evaluation(tmp_path / "letters", "x", item("1"), name="medqa")
    assert compare(letters, letters).together is None
    assert compare(letters, letters).sets[0].overlap is None


def test_questions_with_the_same_worked_examples_follow_each_other() -> None:
    shown = {word: (Message("user", word), Message("assistant", "a")) for word in ("x", "y")}
    some = [Open(str(n), "label", Judge.SPAN, (Message("user", "q"),), shots=shown["xy"[n % 2]]) for n in range(6)]
    assert [one.id for one in _by_shots(some)] == ["0", "2", "4", "1", "3", "5"]


def test_what_was_asked_otherwise_is_not_compared(tmp_path: Path) -> None:
    one = evaluation(tmp_path / "one", "x", item("1"))
    other = evaluation(tmp_path / "other", "y", item("1"))
    with pytest.raises(InputError) as caught:
        compare(one, other)
    assert caught.value.code == "TRN-092"
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError) as caught:
        compare(one, tmp_path / "none")
    assert caught.value.code == "TRN-093"


def test_scores_say_what_went_wrong() -> None:
    some = [item(str(n), right=n > 0, logits=(), formed=True, facts={"abstained": n == 3}) for n in range(4)]
    assert scoring.score("unanswerable", some).facts["false_answers"] == 0.25
    assert scoring.score("benign", some).measure == "answered"
    [*rest, silent] = scoring.answerable({"label": some, "mcq": some}, own.ANSWERED)
    assert [one.right for one in rest] == [True] * 3
    assert (silent.right, silent.set, silent.facts) == (False, "answerable", {"of": "label"})
    assert scoring.score("answerable", [*rest, silent]).facts["false_refusals"] == 0.25
    trend = scoring.score("kqa", [item(str(n), right=None, score=n / 4) for n in range(4)])
    assert (trend.measure, trend.value, trend.majority) == ("stated", 0.375, None)


def test_calibration_is_measured_where_nothing_was_fitted() -> None:
    some = [
        item(str(n), right=n % 4 != 0, wanted="A" if n % 4 else "B", logits=(4.0, 0.0), confidence=0.982,
             facts={"labels": ["A", "B"]})
        for n in range(400)
    ]  # fmt: skip
    heat, found = scoring.calibration(some)
    assert isinstance(found, Score)
    assert heat == pytest.approx(4 / 1.0986, rel=0.5)  # three of four right
    assert found.facts["ece"] < 0.1 < found.facts["ece_raw"]
    assert found.items + found.facts["fitted_on"] == 400
    assert scoring.calibration(some[:30]) == (1.0, None)


def test_a_folder_s_name_is_plain() -> None:
    assert folder_name("../SmolLM2 135M/Q8_0") == "smollm2-135m-q8-0"
    assert folder_name("...") == "model"


LEAFLET = (
    "Zelbor contains the active substance zelboraxib. Zelbor is used to treat mild pain in adults.",
    (
        "Do not take Zelbor if you are allergic to zelboraxib. Driving and using machines Do not drive if dizzy. "
        "If you forget to take Zelbor Take the next tablet at the usual time."
    ),
    "The recommended dose is 10 mg once a day. If you take more Zelbor than you should An overdose can be fatal.",
    "Store below 25 °C. Keep this medicine out of the sight and reach of children.",
)
HEADINGS = ("1. What Zelbor is and what it is used for", "2. What you need to know before you take Zelbor",
            "3. How to take Zelbor", "5. How to store Zelbor")  # fmt: skip
DOCUMENT = tuple(
    record(text, heading, number=n, kind="leaflet", title="Zelbor leaflet")
    for n, (text, heading) in enumerate(zip(LEAFLET, HEADINGS, strict=True), start=1)
)


def dataset(config: Config) -> None:
    """A dataset of made documents: the same for training and test, which only these tests may do."""
    folder = Work(config.work_folder).dataset
    folder.mkdir(parents=True)
    for split, seeds in (("train", range(12)), ("test", range(12, 24))):
        found = {one.id: one for seed in seeds for one in built(*DOCUMENT, seed=seed)}
        (folder / f"{split}.jsonl").write_text("".join(one.as_line() + "\n" for one in found.values()))


def test_own_questions_come_from_the_test_part(configured: Callable[..., Config]) -> None:
    config = configured(evaluate={"own_items": 3})
    dataset(config)
    asked = questions(config, quick=True)
    assert {"patient", "harmful", "benign", "unanswerable", "invented"} <= set(asked.words)
    assert max(map(len, asked.words.values())) <= 3
    assert all(one.messages[-1].role == "user" for one in asked.words["patient"])
    assert all(one.wanted == ABSTENTION for one in asked.words["unanswerable"])
    answers = [turn.content for turn in asked.words["patient"][0].shots if turn.role == "assistant"]
    assert 0 < len(answers) <= 8
    assert questions(config, quick=True) == asked
    assert isinstance(asked, Asked)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration of the tiny model with its own GGUF as the build, converted once."""
    if not (CONVERTER / "convert_hf_to_gguf.py").is_file():
        pytest.skip("needs the converter")
    from trainer.base import prepare  # noqa: PLC0415 - torch

    folder = tmp_path_factory.mktemp("tiny")
    letters(folder, 60)
    (folder / "kqa.jsonl").write_text('{"Question": "why", "Must_have": ["Rest.", "See a doctor."]}\n')
    sections = {
        "base": {"model": "tiny-mistral", "revision": "", "name": "tiny-mistral"},
        "release": {"name": "tiny-mistral"},
        "export": {"quantisations": ["F16"], "ship": "F16"},
        "evaluate": {"own_items": 2, "quick_items": 50, "answer_tokens": 8, "context_tokens": 2048,
                     "sets": {"medqa": "medqa.jsonl", "kqa": "kqa.jsonl"}},
    }  # fmt: skip
    file = folder / "c.yaml"
    file.write_text(yaml.safe_dump({"version": 1, "work": "work", "finetune": {"threads": 1}, **sections}))
    config = load(file)
    target = shipped(config)
    target.parent.mkdir(parents=True)
    subprocess.run(
        [sys.executable, "-m", "convert_hf_to_gguf", str(prepare(config).folder), "--outfile", str(target), "--outtype",
         "f16"], check=True, capture_output=True, env={**os.environ, "PYTHONPATH": str(CONVERTER)},
    )  # fmt: skip
    dataset(config)
    return file


def test_the_same_letters_from_torch_and_from_its_gguf(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At least 97 % equal on an f16 file: parity by construction."""
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "inductor"))  # torch makes a folder on import
    from trainer.base import load as loaded  # noqa: PLC0415 - torch
    from trainer.base import prepare, tokenizer  # noqa: PLC0415

    config = load(tiny)
    prepared = prepare(config)
    asked = [choice(f"Which of {n} is taken {'twice ' * (n % 3)}a day?", f"{n} mg", "none", "both", "water") for n in
             range(60)]  # fmt: skip
    trained = loaded(prepared, precision="fp32", compute="fp32").eval()
    with GgufModel(shipped(config), context_tokens=512, threads=1) as model:
        scorer = GgufScorer(model)
        torch = TorchScorer(trained, tokenizer(prepared), begin=scorer.begin)
        assert scorer.begin == (1,)
        assert [scorer.ids(one.prompt()) for one in asked] == [torch.ids(one.prompt()) for one in asked]
        ours, theirs = Letters(scorer, context_tokens=512), Letters(torch, context_tokens=512)
        pairs = [(ours.answer(one), theirs.answer(one)) for one in asked]
    assert sum(a.said == b.said for a, b in pairs) / len(pairs) >= 0.97
    assert max(abs(x - y) for a, b in pairs for x, y in zip(a.logits, b.logits, strict=True)) < 0.05


def test_a_build_is_asked_everything_in_words(tiny: Path) -> None:
    """The tiny model says nothing sensible; that everything is asked, kept and scored is what counts."""
    config = load(tiny)
    build = evaluate(config)
    assert build.model == "tiny-mistral-f16"
    assert build.made_by["shots"] == "0"
    names = {score.set: score for score in build.scores}
    assert {"medqa", "kqa", "patient", "harmful", "unanswerable", "answerable", "invented"} <= set(names)
    assert names["medqa"].items == 50
    assert names["answerable"].items == sum(names[name].items for name in own.ANSWERED if name in names)
    folder = Work(config.work_folder).evaluated
    assert all(one.set == "patient" and one.facts["shots"] == 0 for one in items(folder / build.model, "patient"))
    other = tiny.with_name("base.gguf")
    other.hardlink_to(shipped(config))
    base = evaluate(config, model=other)
    assert base.made_by["shots"] == "2"
    assert any(one.facts["shots"] > 0 for one in items(folder / "base", "patient"))
    assert base.asked == build.asked
    compared = {one.set: one for one in compare(folder / build.model, folder / "base").sets}
    assert compared["medqa"].right.difference.value == 0.0
    assert compared["kqa"].right.p is None


def test_a_model_of_another_base_is_refused(tiny: Path) -> None:
    """Its template is another, so that it would be asked in a form that it never saw."""
    with pytest.raises(InputError) as caught:
        evaluate(load(tiny), model=STARTER)
    assert caught.value.code == "TRN-095"
