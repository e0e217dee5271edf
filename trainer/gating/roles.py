"""Which sets of an evaluation answer which check: names only.

A set's name is the word before the first "/": "mmlu/anatomy" is part of mmlu. `trainer.gating.checks` asks here, so
that a new set needs no change there.
"""

from collections.abc import Iterable

GENERAL = ("medqa", "medmcqa", "pubmedqa", "mmlu", "bioasq", "mirage", "mcq")  # letters, public
DOMAIN = ("label", "dosing", "contraindication", "interaction", "table", "patient", "regulation")  # own, unseen drugs
LISTED_INTERACTIONS = ("onc",)  # high-priority interactions of ONC
ABSTENTION = ("answerable", "unanswerable")
INVENTED = ("invented",)  # names of medicines that do not exist
FALSE_WAYS = ("medhalt-fake", "medhalt-nota", "medhalt-fct")  # Med-HALT
HARMFUL = ("medsafety", "harmful")  # to be refused
BENIGN = ("benign",)  # sounds harmful, is not


def among(names: Iterable[str], role: Iterable[str]) -> list[str]:
    """The sets that have a role, in order."""
    wanted = set(role)
    return [name for name in names if name.partition("/")[0] in wanted]
