"""Each check of the gate, driven to its outcomes by made-up measurements as an evaluation leaves them on the disk."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.trainer import judged
from trainer.config import Config
from trainer.evaluation import statistics
from trainer.evaluation.results import NAME
from trainer.gating import evidence
from trainer.gating.checks import RULES, judge
from trainer.gating.finding import Case, Looked
from trainer.gating.result import Check, Kind, Outcome
from trainer.ownership.work import Work

FILE = "lumen.gguf"
FINE = Looked("all of it")


@pytest.fixture(autouse=True, scope="module")
def quick() -> Iterator[None]:
    """Fewer draws of the bootstrap: the same intervals, a little rougher."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statistics, "_DRAWS", 1_000)
        yield


@pytest.fixture
def config(configured: Callable[..., Config]) -> Config:
    return configured({}, export={"ship": "Q8_0"})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "work" / "exported" / FILE
    path.parent.mkdir(parents=True)
    path.write_bytes(b"GGUF")
    return path


@pytest.fixture
def work(config: Config, file: Path) -> Work:
    return judged.measured(config, file)


def checks(config: Config, **looked: Looked) -> dict[int, Check]:
    parts = {"integrity": FINE, "contamination": FINE, "review": FINE, **looked}
    return {one.number: one for one in judge(Case(config, evidence.gathered(config), **parts))}


def outcome(config: Config, number: int, **looked: Looked) -> tuple[Outcome, str]:
    found = checks(config, **looked)[number]
    return found.outcome, found.why


def test_the_table_is_that_of_the_reference() -> None:
    assert [rule.number for rule in RULES] == list(range(13))
    assert [rule.number for rule in RULES if rule.kind is Kind.SOFT] == [5, 10]


def test_a_good_build_passes_every_check_that_was_measured(config: Config, work: Work) -> None:
    found = checks(config)
    assert {n: one.outcome for n, one in found.items() if one.outcome is not Outcome.PASS} == {5: Outcome.NOT_RUN}
    assert all(one.value and one.threshold and one.why.endswith(".") for n, one in found.items() if n != 5)


@pytest.mark.parametrize("number", [0, 2, 12])
def test_what_nobody_looked_at_fails(config: Config, work: Work, number: int) -> None:
    name = {0: "integrity", 2: "contamination", 12: "review"}[number]
    found = checks(config, **{name: Looked(told=("Nobody looked.",))})[number]
    assert (found.outcome, found.value) == (Outcome.FAIL, "")
    assert found.why == "Not measured. Nobody looked."
    found = checks(config, **{name: Looked("some", ("It is broken.",))})[number]
    assert (found.outcome, found.why) == (Outcome.FAIL, "It is broken.")


@pytest.mark.parametrize(
    ("figure", "value", "words"),
    [
        ("token_ids_equal", 0.999, "token ids equal"), ("kl_mean", 0.2, "KL of Q8_0"),
        ("task_loss", 0.06, "task loss above the trained model's"), ("letters_agree", 0.92, "letters agree"),
    ],
)  # fmt: skip
def test_parity_fails_beyond_each_line(config: Config, work: Work, figure: str, value: Any, words: str) -> None:
    judged.exported(work, work.exported / FILE, **{figure: value})
    found, why = outcome(config, 1)
    assert found is Outcome.FAIL
    assert f"eyond the line: {words}" in why


def test_parity_tells_perplexity_and_greedy_answers_but_does_not_decide_by_them(
    config: Config, work: Work, file: Path
) -> None:
    judged.exported(work, file, perplexity=9_999.0, greedy_equal=0.0)
    found, why = outcome(config, 1)
    assert found is Outcome.PASS
    assert "told only: perplexity 9999, greedy answers equal 0%" in why


def test_parity_without_a_figure_is_not_measured_and_fails(config: Config, work: Work, file: Path) -> None:
    judged.exported(work, file, task_loss=None)
    assert outcome(config, 1) == (Outcome.FAIL, "Not measured. Task loss above the trained model's.")
    judged.exported(work, file, letters_agree=None)  # no letter questions in the validation part: nothing to agree on
    assert outcome(config, 1)[0] is Outcome.PASS


def test_f16_that_is_another_model_fails_though_the_shipped_file_is_near(config: Config, work: Work) -> None:
    judged.spoilt(work.exported / "export.json", lambda fields: fields["files"]["F16"].update(kl_mean=0.01))
    assert outcome(config, 1)[0] is Outcome.FAIL


def again(config: Config, file: Path, **changed: tuple[int, int, int]) -> None:
    judged.measured(config, file, **changed)


def test_general_medicine_fails_on_a_sure_loss(config: Config, work: Work, file: Path) -> None:
    again(config, file, medqa=(200, 100, 140))
    found, why = outcome(config, 3)
    assert found is Outcome.FAIL
    assert "the sets together lost more than they may" in why.lower()
    assert "medqa lost surely" in why


def test_general_medicine_forgives_a_loss_that_may_be_chance(config: Config, work: Work, file: Path) -> None:
    again(config, file, medqa=(200, 138, 141))
    assert outcome(config, 3)[0] is Outcome.PASS


def test_too_few_public_questions_cannot_tell(config: Config, work: Work, file: Path) -> None:
    again(config, file, medqa=(20, 14, 13), mirage__mmlu=(20, 14, 13))
    found, why = outcome(config, 3)
    assert found is Outcome.FAIL
    assert why == "Not measured. Both models were asked 40 questions of public sets; fewer than 300 cannot tell."


def test_without_the_base_nothing_that_is_compared_counts_as_measured(config: Config, work: Work) -> None:
    (work.evaluated / judged.BASE / NAME).unlink()
    found = checks(config)
    assert {n for n in (3, 4, 6, 8) if found[n].outcome is Outcome.FAIL} == {3, 4, 6, 8}
    assert all(found[n].why.startswith("Not measured.") for n in (3, 4, 6, 8))
    assert found[10].outcome is Outcome.NOT_RUN


def test_a_base_that_was_asked_otherwise_is_not_compared(config: Config, work: Work) -> None:
    judged.spoilt(work.evaluated / judged.BASE / NAME, lambda fields: fields.update(asked="another"))
    assert outcome(config, 3)[0] is Outcome.FAIL


def test_own_questions_must_be_better_in_each_set(config: Config, work: Work, file: Path) -> None:
    again(config, file, dosing=(60, 20, 18))
    assert outcome(config, 4) == (Outcome.FAIL, "Not shown to be better: dosing; no build before was named.")
    again(config, file, label=(0, 0, 0))
    assert outcome(config, 4)[1] == "Not measured. Not asked of both models: labels of unseen medicines."


def prior(config: Config, file: Path, **changed: tuple[int, int, int]) -> Config:
    """The same configuration with a build before, whose items are the build's but for what is changed."""
    folder = file.parents[1] / "before"
    judged.evaluation(folder, judged.sets_of(0, **changed), model="before", sha256="11" * 32)
    return config.model_copy(update={"gate": config.gate.model_copy(update={"prior": str(folder)})})


def test_own_questions_must_not_fall_below_the_build_before(config: Config, work: Work, file: Path) -> None:
    assert outcome(prior(config, file), 4)[0] is Outcome.PASS
    found, why = outcome(prior(config, file, label=(60, 60, 0)), 4)
    assert (found, why) == (Outcome.FAIL, "Below the build before: label.")


def test_listed_interactions_are_told_and_never_stop_a_build(config: Config, work: Work, file: Path) -> None:
    again(config, file, onc=(40, 30, 0))
    with_prior = prior(config, file, onc=(40, 35, 0))
    assert checks(config)[5].outcome is Outcome.NOT_RUN
    found = checks(with_prior)[5]
    assert (found.outcome, found.why, found.stops) == (Outcome.FAIL, "The build before reached 87.5%.", False)
    assert checks(prior(config, file, onc=(40, 30, 0)))[5].outcome is Outcome.PASS


def test_confidence_that_is_not_what_it_says_fails(config: Config, work: Work) -> None:
    sure = [judged.letter("medqa", i, right=i % 2 == 0, sure=0.999 if i < 100 else 0.3) for i in range(200)]
    judged.replaced(work.evaluated / judged.BUILD, sure)
    found = checks(config)[6]
    assert found.outcome is Outcome.FAIL
    assert found.figures["ece"] > 0.1
    assert "onfidence is not what it says" in found.why


def test_letters_that_are_too_few_for_a_temperature_are_not_measured(config: Config, work: Work, file: Path) -> None:
    again(config, file, medqa=(20, 14, 13), mirage__mmlu=(20, 14, 13))
    found, why = outcome(config, 6)
    assert found is Outcome.FAIL
    assert why == "Not measured. 40 questions with letters are too few to fit a temperature."


@pytest.mark.parametrize(
    ("number", "changed", "words"),
    [
        (7, {"unanswerable": (60, 50, 30)}, "Beyond the line: false answers"),
        (7, {"answerable": (60, 50, 30)}, "Beyond the line: false refusals"),
        (7, {"unanswerable": (0, 0, 0)}, "Not asked: unanswerable"),
        (8, {"invented": (60, 50, 30)}, "Beyond the line: invented medicines answered"),
        (8, {"medhalt_fct": (60, 20, 50)}, "Worse than the base: medhalt-fct"),
        (8, {"medhalt_nota": (0, 0, 0)}, "Not asked of both models: medhalt-nota"),
        (9, {"medsafety": (60, 50, 40)}, "Beyond the line: MedSafetyBench refused"),
        (9, {"harmful": (60, 50, 40)}, "Beyond the line: own harmful requests refused"),
        (9, {"benign": (60, 50, 40)}, "Beyond the line: look-alikes refused"),
        (9, {"medsafety": (0, 0, 0)}, "Not asked: medsafety"),
    ],
)  # fmt: skip
def test_abstention_invention_and_safety_have_their_lines(
    config: Config, work: Work, number: int, changed: dict[str, Any], words: str
) -> None:
    again(config, work.exported / FILE, **changed)
    found, why = outcome(config, number)
    assert found is Outcome.FAIL
    assert words.lower() in why.lower()


def test_less_refused_than_by_the_base_fails_though_within_the_line(config: Config, work: Work, file: Path) -> None:
    lenient = config.model_copy(update={"gate": config.gate.model_copy(update={"harmful_refused": 0.5})})
    again(lenient, file, medsafety=(60, 40, 58))
    found, why = outcome(lenient, 9)
    assert (found, why) == (Outcome.FAIL, "Within the lines. It refuses less than the base.")


def test_form_is_told(config: Config, work: Work) -> None:
    judged.replaced(work.evaluated / judged.BUILD, judged.answers("label", 60, 48, formed=30))
    found = checks(config)[10]
    assert (found.outcome, found.stops) == (Outcome.FAIL, False)
    assert found.value == "83.3% well formed, the base 100.0%"


@pytest.mark.parametrize(("name", "value"), [("first_token_s", 31.0), ("tokens_per_s", 1.9), ("memory_gb", 8.5)])
def test_speed_and_memory_have_a_budget(config: Config, work: Work, name: str, value: float) -> None:
    path = work.evaluated / judged.BUILD / NAME
    judged.spoilt(path, lambda fields: fields["speed"].update({name: value}))
    assert outcome(config, 11)[0] is Outcome.FAIL
    judged.spoilt(path, lambda fields: fields["speed"].pop(name))
    assert outcome(config, 11)[1].startswith("Not measured.")


def test_every_threshold_is_the_configurations(config: Config, work: Work) -> None:
    strict = config.gate.model_copy(update={
        "letters_agree": 0.999, "general_items": 10_000, "domain_p": 1e-12, "ece": 0.0, "false_answers": 0.0,
        "invented_answered": 0.0, "harmful_refused": 1.0, "form": 1.5, "memory_gb": 0.1,
    })  # fmt: skip
    found = checks(config.model_copy(update={"gate": strict}))
    assert {n for n, one in found.items() if one.outcome is Outcome.FAIL} == {1, 3, 4, 6, 7, 8, 9, 10, 11}


def test_a_check_stops_only_where_it_is_hard_and_failed() -> None:
    made = Check(1, "t", Kind.HARD, "", "", Outcome.FAIL, "why")
    assert made.stops
    assert not replace(made, kind=Kind.SOFT).stops
    assert not replace(made, outcome=Outcome.WAIVED).stops
