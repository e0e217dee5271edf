"""MedQA's training split as a source: questions in the style of the US licensing examination."""

from functools import partial

from lumen_desktop.formats import mcq
from trainer.sources import Source
from trainer.sources.splits import training_questions

SOURCE = Source(
    name="medqa",
    title="MedQA, US medical licensing questions (training split)",
    publisher="Di Jin and others (MedQA)",
    licence="MIT",
    how=(
        "Download data_clean.zip as the repository's readme says, unpack it and name questions/US/train.jsonl or "
        "questions/US/4_options/phrases_no_exclude_train.jsonl; dev and test are refused. MIT is what the repository "
        "states of its collection; the questions come from examinations of others."
    ),
    url="https://github.com/jind11/MedQA",
    size="10,178 questions for training (2021)",
    endings=(".jsonl", ".json"),
    read=partial(training_questions, form=mcq.MEDQA),
)
