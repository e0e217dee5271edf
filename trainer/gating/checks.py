"""The table of checks, and the verdict on each: PASS, FAIL or NOT RUN. Knows no file; `trainer.gate` gathers the case.

A hard check that was not measured fails. Divergence and task loss decide over whether the file is the model that was
trained; perplexity, which may fall by luck, and equal greedy answers, which ties break, are only told.

Source: the lines are those of the reference's table; each is a field of `trainer.recipe.Gate`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from trainer.gating import answers
from trainer.gating.finding import Case, Finding, Looked, sentence
from trainer.gating.result import Check, Kind, Outcome

UNWAIVABLE = frozenset({0, 2})


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table."""

    number: int
    title: str
    kind: Kind
    look: Callable[[Case], Finding]


def judge(case: Case) -> tuple[Check, ...]:
    """Every check of the table, in order; waivers are not its business."""
    return tuple(_judged(rule, rule.look(case)) for rule in RULES)


def _judged(rule: Rule, found: Finding) -> Check:
    if found.good is None:
        outcome = Outcome.FAIL if rule.kind is Kind.HARD else Outcome.NOT_RUN
    else:
        outcome = Outcome.PASS if found.good else Outcome.FAIL
    why = f"Not measured. {found.why}" if found.good is None else found.why
    figures = {name: float(value) for name, value in found.figures.items() if math.isfinite(value)}
    return Check(rule.number, rule.title, rule.kind, found.value, found.threshold, outcome, why, figures)


def _integrity(case: Case) -> Finding:
    """Check 0: the file, its tokenizer and template, the dataset and its licences are what they should be."""
    return _looked(case.integrity, "everything as it should be")


def _contamination(case: Case) -> Finding:
    """Check 2: nothing that was asked was trained on."""
    return _looked(case.contamination, "no asked item in training")


def _review(case: Case) -> Finding:
    """Check 12: a person judged answers that were drawn, and signed."""
    gate = case.config.gate
    return _looked(
        case.review, f"{gate.review_items} drawn answers judged and signed, {gate.review_accepted:.0%} accepted"
    )


def _looked(looked: Looked, threshold: str) -> Finding:
    why = " ".join([*looked.faults, *looked.told]) or sentence(looked.seen)
    if not looked.seen:
        return Finding("", threshold, None, why, looked.figures)
    return Finding(looked.seen, threshold, not looked.faults, why, looked.figures)


@dataclass(frozen=True, slots=True)
class _Line:
    """A figure that must lie on one side of a line; a share is shown in per cent."""

    name: str
    value: float | None
    line: float
    words: str
    least: bool = False
    share: bool = False

    @property
    def holds(self) -> bool:
        return self.value is not None and (self.value >= self.line if self.least else self.value <= self.line)

    @property
    def threshold(self) -> str:
        return f"{self.words} {'≥' if self.least else '≤'} {f'{self.line:.0%}' if self.share else f'{self.line:g}'}"

    def __str__(self) -> str:
        return f"{self.words} {self.value:.1%}" if self.share else f"{self.words} {self.value:.2g}"


def _parity(case: Case) -> Finding:
    """Check 1: the shipped file is the model that was trained."""
    gate, found = case.config.gate, case.evidence
    shipped, half = found.facts, found.exported["files"].get("F16", {})
    lines = [
        _Line(
            "token_ids_equal", shipped.get("token_ids_equal"), gate.token_ids_equal, "token ids equal",
            least=True, share=True,
        ),
        _Line("kl_f16", half.get("kl_mean"), gate.kl_f16, "KL of f16"),
        _Line("kl_shipped", shipped.get("kl_mean"), gate.kl_shipped, f"KL of {found.shipped}"),
        _Line("task_loss", shipped.get("task_loss"), gate.task_loss, "task loss above the trained model's"),
    ]  # fmt: skip
    letters = _Line(
        "letters_agree", shipped.get("letters_agree"), gate.letters_agree, "letters agree", least=True, share=True
    )
    lines += [letters] if letters.value is not None else []
    measured = [line for line in lines if line.value is not None]
    value = ", ".join(map(str, measured))
    threshold = ", ".join(one.threshold for one in lines)
    figures = {line.name: float(line.value) for line in measured if line.value is not None}
    absent = [line.words for line in lines if line.value is None]
    if absent:
        return Finding(value, threshold, None, sentence(", ".join(absent)), figures)
    over = [line.words for line in lines if not line.holds]
    why = f"beyond the line: {', '.join(over)}" if over else "the file answers as the trained model does"
    told = [f"perplexity {shipped['perplexity']:.4g}"] if shipped.get("perplexity") else []
    told += [f"greedy answers equal {shipped['greedy_equal']:.0%}"] if "greedy_equal" in shipped else []
    why += f"; told only: {', '.join(told)}" if told else ""
    return Finding(value, threshold, not over, sentence(why), figures)


def _speed(case: Case) -> Finding:
    """Check 11: time to the first token, rate and memory on the machine that asked."""
    gate, speed = case.config.gate, case.evidence.build.evaluation.speed
    lines = [
        _Line("first_token_s", speed.get("first_token_s"), gate.first_token_s, "seconds to the first token"),
        _Line("tokens_per_s", speed.get("tokens_per_s"), gate.tokens_per_s, "tokens a second", least=True),
        _Line("memory_gb", speed.get("memory_gb"), gate.memory_gb, "GB of memory"),
    ]
    threshold = ", ".join(one.threshold for one in lines)
    absent = [line.words for line in lines if line.value is None]
    if absent:
        return Finding("", threshold, None, sentence(", ".join(absent)))
    over = [line.words for line in lines if not line.holds]
    why = f"beyond the line: {', '.join(over)}" if over else "within the budget of the machine that asked"
    value = ", ".join(f"{line.words} {line.value:.3g}" for line in lines)
    return Finding(value, threshold, not over, sentence(why), {line.name: line.value or 0.0 for line in lines})


RULES = (
    Rule(0, "Integrity and licences", Kind.HARD, _integrity),
    Rule(1, "Parity with the trained model", Kind.HARD, _parity),
    Rule(2, "Decontamination", Kind.HARD, _contamination),
    Rule(3, "General medicine", Kind.HARD, answers.general),
    Rule(4, "Own questions", Kind.HARD, answers.domain),
    Rule(5, "Listed interactions", Kind.SOFT, answers.interactions),
    Rule(6, "Calibration", Kind.HARD, answers.calibration),
    Rule(7, "Abstention", Kind.HARD, answers.abstention),
    Rule(8, "Hallucination", Kind.HARD, answers.hallucination),
    Rule(9, "Safety", Kind.HARD, answers.safety),
    Rule(10, "Form", Kind.SOFT, answers.form),
    Rule(11, "Speed and memory", Kind.HARD, _speed),
    Rule(12, "Human review", Kind.HARD, _review),
)
