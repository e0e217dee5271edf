"""Public question sets, read from the files that the user names; each reader knows one publisher's form.

A file that cannot be used is refused in one sentence with the line (TRN-090); nothing of it is asked.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from trainer.config import Config
from trainer.evaluation.prompts import Choice
from trainer.evaluation.questions import Open
from trainer.evaluation.sets.choices import medmcqa, medqa, mirage, mmlu, pubmed
from trainer.evaluation.sets.medhalt import medhalt
from trainer.evaluation.sets.words import kqa, medicationqa, medsafety

LETTERS: dict[str, Callable[[Path], Iterator[Choice]]] = {
    "medqa": medqa, "medmcqa": medmcqa, "pubmedqa": pubmed, "mmlu": mmlu, "mirage": mirage, "medhalt": medhalt,
}  # fmt: skip
WORDS: dict[str, Callable[[Path], Iterator[Open]]] = {"medicationqa": medicationqa, "kqa": kqa, "medsafety": medsafety}


def letter_questions(config: Config) -> dict[str, list[Choice]]:
    """The questions with options of all files that the configuration names, by set.

    Raises:
        InputError: TRN-090.
    """
    found: dict[str, list[Choice]] = {}
    for field, read in LETTERS.items():
        if written := getattr(config.evaluate.sets, field):
            for one in read(config.place(written)):
                found.setdefault(one.set, []).append(one)
    return found


def word_questions(config: Config) -> dict[str, list[Open]]:
    """The questions that are answered in words, by set.

    Raises:
        InputError: TRN-090.
    """
    found: dict[str, list[Open]] = {}
    for field, read in WORDS.items():
        if written := getattr(config.evaluate.sets, field):
            for one in read(config.place(written)):
                found.setdefault(one.set, []).append(one)
    return found
