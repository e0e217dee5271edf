"""Check 0: whether the file is the one that was exported and evaluated, and its dataset and licences are in order.

Opens the file as the app will: first by rule in plain Python, then with llama.cpp. Knows no line of the gate.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lumen_desktop.bundle import GgufFacts, check_gguf
from lumen_desktop.errors import LumenError
from trainer.base import Prepared
from trainer.config import Config
from trainer.gating.evidence import Evidence
from trainer.gating.finding import Looked
from trainer.licences import LICENCES
from trainer.llama import GgufModel
from trainer.ownership import manifest, papers
from trainer.ownership.verdict import STAMP
from trainer.ownership.work import Work

_CONTEXT_TOKENS = 256
_CLOSE = 1e-6


@dataclass(frozen=True, slots=True)
class Terms:
    """Whether what it was trained on, base included, lets it be sold; the stamp that every paper carries if not."""

    commercial: bool

    @property
    def stamp(self) -> str:
        """Empty where it may be sold."""
        return "" if self.commercial else STAMP


def terms(config: Config) -> Terms:
    """What the dataset's ledger and the base's licence say; where neither is known, it may not be sold."""
    known = LICENCES.get(config.base.licence)
    try:
        ledger = json.loads((Work(config.work_folder).dataset / papers.LEDGER).read_bytes())
        sold = bool(ledger["verdict"]["commercial"])
    except (OSError, ValueError, KeyError, TypeError):
        sold = False
    return Terms(sold and known is not None and known.commercial)


def looked(config: Config, evidence: Evidence, prepared: Prepared) -> Looked:
    """Everything that is wrong with the build's files."""
    faults = [
        *_file(evidence, prepared),
        *_evaluation(evidence),
        *_origin(config, evidence, prepared),
        *_papers(config),
    ]
    told = (terms(config).stamp,) if not terms(config).commercial else ()
    seen = f"{len(faults)} faults" if faults else "file, tokenizer, template, evaluation, dataset and licences in order"
    return Looked(seen, tuple(faults), told)


def _file(evidence: Evidence, prepared: Prepared) -> Iterator[str]:
    path = evidence.file
    if not path.is_file() or manifest.digested(path).sha256 != evidence.facts["sha256"]:
        yield f"{path.name} is not the file that was exported."
        return
    try:
        facts = check_gguf(path)
        yield from _model(facts, prepared)
        with GgufModel(path, context_tokens=_CONTEXT_TOKENS, threads=1) as model:
            if model.vocabulary != facts.vocabulary:
                yield "llama.cpp reads another vocabulary from it than the header says."
    except LumenError as error:
        yield error.message


def _model(facts: GgufFacts, prepared: Prepared) -> Iterator[str]:
    """The exported model against the base."""
    base: Mapping[str, Any] = json.loads((prepared.folder / "config.json").read_bytes())
    if facts.vocabulary != base.get("vocab_size"):
        yield f"Its vocabulary has {facts.vocabulary:,} tokens, the base's {base.get('vocab_size'):,}."
    if facts.template != prepared.template:
        yield "Its chat template is not the base's."


def _evaluation(evidence: Evidence) -> Iterator[str]:
    """Scores against the items that they are of: whoever changes one must change the other."""
    for asked in filter(None, (evidence.build, evidence.base, evidence.prior)):
        for score in asked.evaluation.scores:
            items = asked.items(score.set)
            judged = [bool(item.right) for item in items if item.right is not None]
            if judged and len(judged) == len(items) == score.items:
                if abs(sum(judged) / len(judged) - score.value) > _CLOSE:
                    yield f"The score of {score.set} of {asked.evaluation.model} is not that of its items."
            elif items and len(items) != score.items:
                yield f"{asked.evaluation.model} has {len(items)} items of {score.set} and a score of {score.items}."


def _origin(config: Config, evidence: Evidence, prepared: Prepared) -> Iterator[str]:
    """Base, training run and dataset are those that this build came from."""
    if evidence.exported.get("base") != prepared.sha256:
        yield "It was exported from another base."
    work = Work(config.work_folder)
    try:
        run = json.loads((work.finetuned / "run.json").read_bytes())
        digests = set(run["identity"]["digests"].values())
        trained = run["result"] is not None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        yield "The training run left no record."
        return
    if not trained:
        yield "The training run did not end."
    train = work.dataset / "train.jsonl"
    if not train.is_file() or not digests & {manifest.digested(train).sha256, _manifest_sha256(work)}:
        yield "It was trained on another dataset than the one that lies here."


def _manifest_sha256(work: Work) -> str:
    path = work.dataset / manifest.NAME
    return manifest.digested(path).sha256 if path.is_file() else ""


def _papers(config: Config) -> Iterator[str]:
    work = Work(config.work_folder)
    try:
        differences = manifest.verify(work.dataset)
    except LumenError as error:
        yield error.message
        return
    if differences:
        yield f"{len(differences)} files of the dataset are not as they were built, such as {differences[0].name}."
    if not (work.dataset / papers.LEDGER).is_file():
        yield "The dataset has no licence ledger."
    if config.base.licence not in LICENCES:
        yield f"The base's licence, {config.base.licence}, is not known."
