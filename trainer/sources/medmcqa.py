"""MedMCQA's training split as a source: examination questions with explanations."""

from functools import partial

from lumen_desktop.formats import mcq
from trainer.sources import Source
from trainer.sources.splits import training_questions

SOURCE = Source(
    name="medmcqa",
    title="MedMCQA, Indian medical entrance examinations (training split)",
    publisher="Ankit Pal and others (Saama AI Research)",
    licence="MIT",
    how=(
        "Download the data named in the repository's readme, unpack it and name train.json; dev and test are refused. "
        "MIT is what the repository states of its collection; the questions come from examinations of others."
    ),
    url="https://github.com/medmcqa/medmcqa",
    size="182,822 questions for training (2022)",
    endings=(".json", ".jsonl"),
    read=partial(training_questions, form=mcq.MEDMCQA),
)
