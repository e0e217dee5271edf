"""Questions with options, worded as lm-evaluation-harness words its tasks, so that figures compare with published ones.

Source: the tasks medqa_4options, medmcqa, pubmedqa and mmlu_* of github.com/EleutherAI/lm-evaluation-harness (v0.4). No
chat template stands around them, as there by default. Sets that it has no task for are worded as medqa.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Form: TypeAlias = Literal["medqa", "medmcqa", "pubmedqa", "mmlu", "proposed"]
_WORDED = frozenset({"pubmedqa", "proposed"})  # answered by the option's words, not by a letter


@dataclass(frozen=True, slots=True)
class Choice:
    """One question with options.

    Attributes:
        id: of the question, the same for every model.
        set: name of its set.
        form: how it is worded.
        question: as published.
        options: their texts, in the published order.
        wanted: the right letter, or the right word of a form that is answered by words.
        context: what is shown before it: an abstract, or the answer that was proposed.
        subject: of MMLU.
        facts: what the report may group by, JSON values.
    """

    id: str
    set: str
    form: Form
    question: str
    options: tuple[str, ...]
    wanted: str
    context: str = ""
    subject: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def labels(self) -> tuple[str, ...]:
        """What is answered, in the options' order: letters, or the options themselves."""
        return self.options if self.form in _WORDED else tuple("ABCDEFGHIJ"[: len(self.options)])

    @property
    def turns(self) -> bool:
        """Whether its options may stand in another order."""
        return self.form not in _WORDED

    def prompt(self, turn: int = 0) -> str:
        """All that stands before the answer.

        Args:
            turn: by how many places the options are moved up, the first ones to the end.
        """
        options = self.options[turn:] + self.options[:turn]
        rows = "".join(f"{letter}. {text}\n" for letter, text in zip(self.labels, options, strict=True))
        return _WORDINGS[self.form](self, rows)

    def original(self, label: str, turn: int) -> str:
        """The label that an option has in the published order, from the one it had when they were turned."""
        labels = self.labels
        return labels[(labels.index(label) + turn) % len(labels)]


def _medqa(one: Choice, rows: str) -> str:
    return f"Question: {one.question}\n{rows}Answer:"


def _medmcqa(one: Choice, rows: str) -> str:
    return f"Question: {one.question}\nChoices:\n{rows}Answer:"


def _pubmedqa(one: Choice, _rows: str) -> str:
    return f"Abstract: {one.context}\nQuestion: {one.question}\nAnswer:"


def _mmlu(one: Choice, rows: str) -> str:
    subject = one.subject.replace("_", " ")
    about = f"The following are multiple choice questions (with answers) about {subject}.\n\n"
    return f"{about}{one.question.strip()}\n{rows}Answer:"


def _proposed(one: Choice, _rows: str) -> str:
    """Med-HALT's test of false confidence, which no task of the harness has: is the proposed answer right?"""
    return f"Question: {one.question}\n{one.context}\nIs the proposed answer right?\nAnswer:"


_WORDINGS = {
    "medqa": _medqa, "medmcqa": _medmcqa, "pubmedqa": _pubmedqa, "mmlu": _mmlu, "proposed": _proposed,
}  # fmt: skip
