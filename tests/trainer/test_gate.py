"""The gate over a real tiny model: what lies on the disk is believed only where it fits together."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from lumen_desktop.bundle import Signer
from lumen_desktop.errors import InputError
from tests.trainer import built, judged
from trainer import base, gate
from trainer.config import Config
from trainer.convert import MODULE, converter
from trainer.evaluation import statistics
from trainer.evaluation.results import NAME
from trainer.gating import evidence, integrity, review
from trainer.gating.result import GateResult, Outcome
from trainer.lines import read_examples
from trainer.ownership import card
from trainer.ownership.verdict import STAMP
from trainer.ownership.work import Work

TODAY = date(2026, 11, 23)
REASON = "Med-HALT could not be had in time; it is asked before the next build."
pytestmark = pytest.mark.skipif(
    not (converter() / f"{MODULE}.py").is_file(), reason="llama.cpp's converter is not installed"
)


@pytest.fixture(autouse=True, scope="module")
def quick() -> Iterator[None]:
    """Fewer draws of the bootstrap: the same intervals, a little rougher."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statistics, "_DRAWS", 1_000)
        yield


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work folder with everything that a good build leaves, made once."""
    return judged.whole(tmp_path_factory.getbasetemp())


@pytest.fixture
def qa() -> Signer:
    return Signer.new("qa")


@pytest.fixture
def configure(template: Path, tmp_path: Path, qa: Signer) -> Callable[..., Config]:
    """A configuration over a copy of it."""
    shutil.copytree(template / "work", tmp_path / "work", dirs_exist_ok=True)
    return lambda **sections: judged.configured(tmp_path, qa, **sections)


@pytest.fixture
def config(configure: Callable[..., Config]) -> Config:
    return configure()


def reviewed(config: Config, qa: Signer, *, rejected: int = 0) -> None:
    """A person has judged the drawn answers."""
    path = gate.draw_review(config)

    def fill(sheet: dict[str, list[dict[str, str]]]) -> None:
        for number, one in enumerate(sheet["items"]):
            one["verdict"] = "reject" if number < rejected else "accept"

    judged.spoilt(path, fill)
    gate.sign_review(config, by="qa", key=qa, today=TODAY)


def outcomes(result: GateResult, *outcome: Outcome) -> set[int]:
    return {check.number for check in result.checks if check.outcome in outcome}


def test_a_whole_build_passes_and_leaves_its_papers(config: Config, qa: Signer) -> None:
    reviewed(config, qa)
    result = gate.gate(config, today=TODAY)
    assert (result.word, result.passed) == ("PASS", True)
    assert outcomes(result, Outcome.FAIL) == set()
    assert outcomes(result, Outcome.NOT_RUN) == {5}
    folder = Work(config.work_folder).gated
    assert GateResult.read(folder) == result == gate.last(config)
    assert {path.name for path in folder.iterdir()} >= {"gate.json", "report.html", "report.pdf", "model_card.md"}


def test_the_same_files_and_day_give_the_same_bytes(config: Config) -> None:
    folder = Work(config.work_folder).gated
    gate.gate(config, today=TODAY)
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    gate.gate(config, today=TODAY)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first


def test_without_a_review_it_fails_and_says_so(config: Config) -> None:
    result = gate.gate(config, today=TODAY)
    assert (result.word, outcomes(result, Outcome.FAIL)) == ("FAIL", {12})
    assert result.check(12).why == "Not measured. Nobody has judged answers and signed for it."


def test_nothing_to_gate_is_one_sentence(configured: Callable[..., Config]) -> None:
    with pytest.raises(InputError, match="exported") as refused:
        gate.gate(configured({}), today=TODAY)
    assert refused.value.code == "TRN-100"


def test_an_evaluation_of_another_file_is_none(config: Config) -> None:
    path = Work(config.work_folder).evaluated / judged.BUILD / NAME
    judged.spoilt(path, lambda fields: fields.update(sha256="77" * 32))
    with pytest.raises(InputError, match="was not evaluated") as refused:
        gate.gate(config, today=TODAY)
    assert refused.value.code == "TRN-100"


def shift(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1] + b"\x07")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda work: shift(work.exported / judged.FILE), "is not the file that was exported"),
        (lambda work: judged.spoilt(work.exported / "export.json", lambda f: f.update(base="11" * 32)), "another base"),
        (lambda work: (work.finetuned / "run.json").unlink(), "left no record"),
        (lambda work: judged.run(work, base="11" * 32, done=False), "did not end"),
        (lambda work: judged.spoilt(work.finetuned / "run.json", lambda f: f["identity"].update(digests={"a": "b"})),
         "another dataset"),
        (lambda work: (work.dataset / "NOTICE").write_text("nothing", encoding="utf-8"), "not as they were built"),
        (lambda work: (work.dataset / "manifest.json").unlink(), "manifest is missing"),
        (lambda work: judged.spoilt(work.evaluated / judged.BUILD / NAME,
                                    lambda f: f["scores"][0].update(value=0.99)), "is not that of its items"),
    ],
)  # fmt: skip
def test_integrity_fails_where_files_do_not_fit_together(
    config: Config, spoil: Callable[[Work], None], words: str
) -> None:
    spoil(Work(config.work_folder))
    found = gate.gate(config, today=TODAY).check(0)
    assert found.outcome is Outcome.FAIL
    assert words in found.why


def test_a_file_with_another_template_or_vocabulary_fails(config: Config) -> None:
    found, prepared = evidence.gathered(config), base.prepare(config)
    fields = json.loads((prepared.folder / "config.json").read_bytes())
    (prepared.folder / "config.json").write_text(json.dumps({**fields, "vocab_size": 4_096}), encoding="utf-8")
    looked = integrity.looked(config, found, replace(prepared, template=prepared.template + " "))
    assert looked.faults == (
        "Its vocabulary has 2,048 tokens, the base's 4,096.",
        "Its chat template is not the base's.",
    )


def test_training_on_what_is_asked_fails(config: Config, configure: Callable[..., Config], tmp_path: Path) -> None:
    asked = "How much on day 3?"
    path = tmp_path / "own-set.json"
    path.write_text(json.dumps({"1": {"question": asked}}), encoding="utf-8")
    found = gate.gate(configure(dataset={"evaluation": [str(path)]}), today=TODAY).check(2)
    assert found.outcome is Outcome.FAIL
    assert found.why.startswith("1 training examples hold items of own-set.")
    assert found.value == "1 of 5 examples hold any of 1 items of 1 sets"


def test_public_sets_that_are_asked_are_looked_for_though_curation_was_not_given_them(
    configure: Callable[..., Config], tmp_path: Path
) -> None:
    question = {"question": "How much on day 3?", "options": {"A": "20 mg", "B": "30 mg"}, "answer": "A"}
    path = tmp_path / "benchmark.json"
    path.write_text(json.dumps({"mmlu": {"anatomy-1": question}}), encoding="utf-8")
    found = gate.gate(configure(evaluate={"sets": {"mirage": str(path)}}), today=TODAY).check(2)
    assert (found.outcome, found.why) == (Outcome.FAIL, "1 training examples hold items of mirage/mmlu.")


def test_a_medicine_on_both_sides_of_the_split_fails(config: Config) -> None:
    work = Work(config.work_folder)
    train = [
        *read_examples(work.dataset / "train.jsonl"),
        built.example("label", built.LABEL, groups=("drug:metformin",)),
    ]
    (work.dataset / "train.jsonl").write_text("".join(one.as_line() + "\n" for one in train), encoding="utf-8")
    found = gate.gate(config, today=TODAY).check(2)
    assert found.outcome is Outcome.FAIL
    assert "1 groups of the test part, such as drug:metformin, are trained on too." in found.why


def test_a_card_without_the_report_on_decontamination_fails(config: Config) -> None:
    path = Work(config.work_folder).dataset / card.NAME
    path.write_text(path.read_text(encoding="utf-8").replace("## Decontamination", "## Nothing"), encoding="utf-8")
    assert gate.gate(config, today=TODAY).check(2).why.endswith("The dataset's card has no report on decontamination.")


def test_a_base_that_may_not_be_sold_stamps_every_paper(configure: Callable[..., Config]) -> None:
    config = configure(base={"licence": "CC-BY-NC-4.0"})
    result = gate.gate(config, today=TODAY)
    assert (result.commercial, result.stamp) == (False, STAMP)
    folder = Work(config.work_folder).gated
    assert STAMP in (folder / "model_card.md").read_text(encoding="utf-8")
    assert STAMP in (folder / "report.html").read_text(encoding="utf-8")


def test_a_waiver_lets_a_failed_check_pass_and_is_named(config: Config, qa: Signer) -> None:
    gate.gate(config, today=TODAY)
    result = gate.waive(config, 12, by="qa", reason=REASON, key=qa, today=TODAY)
    assert (result.word, result.passed) == ("WAIVED", True)
    waived = result.check(12).waived
    assert waived is not None
    assert (waived.by, waived.reason, waived.key) == ("qa", REASON, qa.public.hex())
    assert REASON in (Work(config.work_folder).gated / "model_card.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("number", [0, 2])
def test_integrity_and_decontamination_cannot_be_waived(config: Config, qa: Signer, number: int) -> None:
    work = Work(config.work_folder)
    (work.dataset / card.NAME).write_text("no report", encoding="utf-8")
    assert gate.gate(config, today=TODAY).check(number).outcome is Outcome.FAIL
    with pytest.raises(InputError, match="cannot be waived by anybody") as refused:
        gate.waive(config, number, by="qa", reason=REASON, key=qa, today=TODAY)
    assert refused.value.code == "TRN-101"
    moved = work.gated / "waivers"
    gate.waive(config, 12, by="qa", reason=REASON, key=qa, today=TODAY)
    shutil.copy(moved / "12.json", moved / f"{number}.json")
    assert gate.gate(config, today=TODAY).check(number).outcome is Outcome.FAIL


def test_a_waiver_wants_a_failed_check_a_reason_and_a_key_that_may(config: Config, qa: Signer) -> None:
    with pytest.raises(InputError) as refused:
        gate.waive(config, 12, by="qa", reason=REASON, key=qa, today=TODAY)
    assert refused.value.code == "TRN-100"
    gate.gate(config, today=TODAY)
    for number, reason, words in ((1, REASON, "did not fail"), (99, REASON, "no check 99"), (12, "so", "the reason")):
        with pytest.raises(InputError, match=words) as refused:
            gate.waive(config, number, by="qa", reason=reason, key=qa, today=TODAY)
        assert refused.value.code == "TRN-101"
    for by, key in (("qa", Signer.new("qa")), ("someone", qa)):
        with pytest.raises(InputError, match="does not name this key") as refused:
            gate.waive(config, 12, by=by, reason=REASON, key=key, today=TODAY)
        assert refused.value.code == "TRN-102"


def test_an_edited_waiver_does_not_count(config: Config, qa: Signer) -> None:
    gate.gate(config, today=TODAY)
    gate.waive(config, 12, by="qa", reason=REASON, key=qa, today=TODAY)
    path = Work(config.work_folder).gated / "waivers" / "12.json"
    judged.spoilt(path, lambda fields: fields["fields"].update(reason="Everybody agreed to this."))
    found = gate.gate(config, today=TODAY).check(12)
    assert found.outcome is Outcome.FAIL
    assert "A waiver does not count: 12.json was changed after it was signed" in found.why


def test_a_waiver_of_another_check_or_evaluation_does_not_count(config: Config, qa: Signer) -> None:
    work = Work(config.work_folder)
    speed = work.evaluated / judged.BUILD / NAME
    judged.spoilt(speed, lambda fields: fields["speed"].update(memory_gb=20.0))
    gate.gate(config, today=TODAY)
    gate.waive(config, 12, by="qa", reason=REASON, key=qa, today=TODAY)
    folder = work.gated / "waivers"
    shutil.copy(folder / "12.json", folder / "11.json")
    found = gate.gate(config, today=TODAY)
    assert (found.check(12).outcome, found.check(11).outcome) == (Outcome.WAIVED, Outcome.FAIL)
    assert found.check(11).why.endswith("A waiver does not count: it is of other measurements.")
    judged.spoilt(speed, lambda fields: fields["speed"].update(memory_gb=1.0))
    assert gate.gate(config, today=TODAY).check(12).outcome is Outcome.FAIL


def test_a_waiver_of_a_key_that_is_named_no_more_does_not_count(config: Config, qa: Signer) -> None:
    gate.gate(config, today=TODAY)
    gate.waive(config, 12, by="qa", reason=REASON, key=qa, today=TODAY)
    nobody = config.model_copy(update={"gate": config.gate.model_copy(update={"approvers": {}})})
    assert "gate.approvers does not name" in gate.gate(nobody, today=TODAY).check(12).why


def test_a_review_with_too_many_rejected_fails(config: Config, qa: Signer) -> None:
    reviewed(config, qa, rejected=6)
    found = gate.gate(config, today=TODAY).check(12)
    assert (found.outcome, found.why) == (Outcome.FAIL, "6 answers were rejected.")
    assert found.value == f"44 of 50 accepted by qa on {TODAY}"


def test_a_review_is_drawn_by_the_answers_spread_over_sets_and_not_overwritten(config: Config) -> None:
    path = gate.draw_review(config)
    sheet = json.loads(path.read_bytes())
    assert len(sheet["items"]) == 50
    assert len({one["set"] for one in sheet["items"]}) == 9  # every set that is answered in words
    with pytest.raises(InputError, match="already") as refused:
        gate.draw_review(config)
    assert refused.value.code == "TRN-109"


def test_a_review_must_be_whole_and_of_the_drawn_answers(config: Config, qa: Signer) -> None:
    with pytest.raises(InputError, match="not there or damaged"):
        gate.sign_review(config, by="qa", key=qa, today=TODAY)
    path = gate.draw_review(config)
    with pytest.raises(InputError, match="50 of 50 answers have no verdict"):
        gate.sign_review(config, by="qa", key=qa, today=TODAY)
    judged.spoilt(path, lambda sheet: sheet["items"].pop())
    with pytest.raises(InputError, match="not of this evaluation's answers"):
        gate.sign_review(config, by="qa", key=qa, today=TODAY)


def test_a_review_of_other_answers_or_edited_does_not_count(config: Config, qa: Signer) -> None:
    reviewed(config, qa)
    work = Work(config.work_folder)
    path = work.gated / review.NAME
    kept = path.read_bytes()
    judged.spoilt(path, lambda fields: fields["fields"]["items"][0].update(verdict="reject"))
    assert "A review does not count: review.json was changed" in gate.gate(config, today=TODAY).check(12).why
    path.write_bytes(kept)
    judged.spoilt(work.evaluated / judged.BUILD / NAME, lambda fields: fields["speed"].update(memory_gb=1.0))
    assert gate.gate(config, today=TODAY).check(12).why.endswith("A review does not count: it is of other answers.")
