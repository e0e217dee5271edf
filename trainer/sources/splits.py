"""Which halves of an examination set may be trained on: what its file is called says.

`trainer.sources.medmcqa` and `medqa` ask before they read.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from lumen_desktop.errors import InputError
from lumen_desktop.formats import mcq
from lumen_desktop.formats.document import Fault, PublicDocument

_EVALUATION = frozenset(
    {"dev", "test", "tests", "testing", "val", "valid", "validation", "eval", "benchmark", "mirage"}
)
_PLACES = re.compile(r"[\\/]")
_WORDS = re.compile(r"[^a-z]+")


def training_questions(stream: BinaryIO, name: str, *, form: str) -> Iterator[PublicDocument | Fault]:
    """The questions of a file that holds a set's training split.

    A file that nothing names as kept for evaluation is taken: what it shares with the sets evaluated on is found by
    decontamination, which knows them.

    Args:
        stream: the file's bytes.
        name: with the names inside an archive after "!"; the last part of each is looked at, no folder.
        form: one of `mcq.MEDMCQA` and `mcq.MEDQA`; a question of another form is a fault "wrong-form".

    Raises:
        InputError: kept for evaluation by its name (FMT-030) or its form (FMT-031); as `mcq.documents` says.
    """
    if any(_for_evaluation(part) for part in name.split("!")):
        raise InputError(
            "The file is a development, validation or test split, which models are evaluated on.",
            code="FMT-030",
            hint="Collect the file train; name this one under the evaluation sets.",
        )
    for found in mcq.documents(stream, name):
        if isinstance(found, PublicDocument) and found.facts["form"] != form:
            yield _other(found, form)
        else:
            yield found


def _for_evaluation(name: str) -> bool:
    return not _EVALUATION.isdisjoint(_WORDS.split(_PLACES.split(name)[-1].lower()))


def _other(document: PublicDocument, form: str) -> Fault:
    if document.facts["form"] == mcq.MIRAGE:
        raise InputError(
            "The file is MIRAGE, which gathers the test halves of other sets for evaluation.",
            code="FMT-031",
            hint="Collect the file train of MedMCQA or MedQA; name this one under the evaluation sets.",
        )
    return Fault(document.id, "wrong-form", f"The question is not in the form of {form}.")
