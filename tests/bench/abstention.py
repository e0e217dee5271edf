"""The evidence gate: fitted, and measured on questions with and without their gold passage.

Four judged sets give each question twice: as it is, and with every passage of its gold records taken away before the
legs are fused. The starter library gives hand-written questions that it answers, near ones that it does not, and
foreign ones (`gate_questions`). The features come from the product (`grounding.signs`); the fit is a plain
logistic regression, every set's two classes weighing the same, cross-validated by leaving one set out. "guard" is the
same-drug rule of `services.chat`. Run: ``python -m tests.bench abstention [--cases FILE] [--json FILE]``;
``--cases`` keeps the features, so that a later run only fits.

Measured November 2026 with the guard; "at 10 %": constants fitted on the other sets, threshold at 10 % false refusals:

| set | false refusals, as shipped | wrong, as shipped | wrong at 10 % |
|---|---|---|---|
| starter library, near questions | .05 [.01, .09] | .14 [.07, .23] | .10 [.04, .17] |
| starter library, foreign questions | | .00 of 60 | .00 |
| fda_labels_factual, gold removed | .09 [.02, .16] | .25 [.15, .36] (.51 without the guard) | .18 [.09, .27] |
| medicationqa_dev, gold removed | .06 [.04, .09] | .59 [.54, .64] (.68) | .50 [.45, .56] |
| medquad4k, gold removed | .00 [.00, .01] | .93 [.91, .95] (.94) | .57 [.53, .62] |
| scifact, gold removed | .16 [.12, .21] | .67 [.62, .72] (.70) | .78 [.74, .83] |

The goal, at most .20 at 10 %, is reached on labels and the starter library and missed where the passages left speak of
the same disease or drug: two plain signs cannot tell a passage beside the point from one on it.
"""

import argparse
import json
import secrets
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lumen_desktop import paths
from lumen_desktop.domain import grounding
from lumen_desktop.domain.drugs import DrugNames
from lumen_desktop.domain.grounding import Candidate
from lumen_desktop.domain.library import Kind, Passage
from lumen_desktop.domain.same_drug import DrugGuard
from lumen_desktop.retrieval.ranking import Ranked, fuse
from lumen_desktop.retrieval.readers.client import ReaderProcess
from lumen_desktop.services.authority import Housekeeping
from lumen_desktop.services.library import Library
from lumen_desktop.services.search import Found, Searcher
from lumen_desktop.settings import Settings
from lumen_desktop.storage import library as stored
from lumen_desktop.storage.database import Database
from tests.bench.embeddings import CachedEmbedder
from tests.bench.gate_questions import answered, foreign, unanswered
from tests.bench.intervals import mean
from tests.bench.sets import ready

SETS = ("fda_labels_factual", "medicationqa_dev", "medquad4k", "scifact")
LIBRARY = "starter library"
FALSE_REFUSALS = 0.10
_MOST = 4 * Settings().passages  # as services.chat asks
_BEST = Settings().passages

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Case:
    """One question against one state of a library.

    Attributes:
        source: which set.
        kind: ``answerable``, ``gold removed``, ``near`` or ``foreign``.
        question: as asked.
        signs: what the gate sees, without the same-drug rule.
        guarded: the same with the rule's passages; None where the rule refuses.
        gold_rank: place of the first passage that answers, where there is one.
    """

    source: str
    kind: str
    question: str
    signs: tuple[float, ...]
    guarded: tuple[float, ...] | None
    gold_rank: int | None = None

    @property
    def answerable(self) -> bool:
        """Whether the library answers it."""
        return self.kind == "answerable"


def case(source: str, kind: str, question: str, candidates: Sequence[Candidate], found: Found, drugs: DrugNames, gold: frozenset[int] = frozenset()) -> Case:  # noqa: E501, PLR0917  # fmt: skip
    """Takes the signs of one question as `services.chat` would."""
    guard = DrugGuard.of(question, [c.passage for c in candidates], drugs)
    admitted = [c for c in candidates if guard.admits(c.passage)]
    plain = grounding.signs(question, candidates[:_BEST], found.weights)
    guarded = grounding.signs(question, admitted[:_BEST], found.weights)
    rank = next((n for n, c in enumerate(candidates, start=1) if c.passage.id in gold), None)
    return Case(source, kind, question, plain, None if guard.refusals or not admitted else guarded, rank)


def judged_cases(name: str, embedder: CachedEmbedder, drugs: DrugNames) -> Iterator[Case]:
    """Each question of a judged set with its gold passages and without."""
    with ready(name, embedder, index=False) as bench:
        for query, question in bench.judged.queries:
            found = bench.searcher.find(question, collection=None, most=_MOST)
            relevant = {record for record, grade in bench.judged.qrels[query].items() if grade > 0}
            with bench.database.reading() as session:
                known = stored.passages(session, [ranked.passage_id for ranked in found.ranked])
            gold = frozenset(i for i, p in known.items() if bench.record_of[p.document_id] in relevant)
            yield case(name, "answerable", question, found.candidates, found, drugs, gold)
            rest = candidates_of(without(found.ranked, gold), known)
            yield case(name, "gold removed", question, rest, found, drugs)


def without(ranked: Sequence[Ranked], gold: frozenset[int]) -> list[Ranked]:
    """The fused list as it would be had the gold passages never been there."""
    left = [r for r in ranked if r.passage_id not in gold]
    text = [(r.passage_id, r.text_score) for r in left if r.text_score is not None]
    vector = [(r.passage_id, r.cosine) for r in left if r.cosine is not None]
    return fuse(sorted(text, key=lambda hit: -hit[1]), sorted(vector, key=lambda hit: -hit[1]))


def candidates_of(ranked: Sequence[Ranked], known: dict[int, Passage]) -> list[Candidate]:
    """The best of a list with their passages."""
    return [Candidate(known[r.passage_id], r.score, r.cosine) for r in ranked[:_MOST]]


def library_cases(embedder: CachedEmbedder, drugs: DrugNames) -> Iterator[Case]:
    """The hand-written questions on the starter library."""
    asked = [("answerable", stem, question) for stem, question in answered()]
    asked += [("near", "", question) for question in unanswered()] + [("foreign", "", q) for q in foreign()]
    with tempfile.TemporaryDirectory(prefix="lumen-bench-") as folder:
        database = Database.open(
            Path(folder) / "bench.db", secrets.token_bytes(32), site_id="bench", clock=lambda: datetime.now(UTC),
            writable=True,
        )  # fmt: skip
        searcher = Searcher(database, embedder=embedder, embedder_sha256=embedder.sha256, index=None)
        reader = ReaderProcess()
        library = Library(
            database, Housekeeping(), searcher=lambda: searcher,
            embedder=lambda: (embedder, embedder.sha256), reader=reader, index=None,
        )  # fmt: skip
        try:
            list(library.add([paths.resources() / "library"], collection=LIBRARY, kind=Kind.SUMMARY))
            names = {document.id: Path(document.name).stem for document in library.documents()}
            for kind, stem, question in asked:
                found = searcher.find(question, collection=None, most=_MOST)
                gold = frozenset(c.passage.id for c in found.candidates if names[c.passage.document_id] == stem)
                yield case(LIBRARY, kind, question, found.candidates, found, drugs, gold)
        finally:
            reader.close()
            database.close()


def collect() -> list[Case]:
    """All cases of all sets."""
    embedder, drugs = CachedEmbedder(), DrugNames.load(paths.resources() / "drugs")
    try:
        cases = list(library_cases(embedder, drugs))
        for name in SETS:
            cases += judged_cases(name, embedder, drugs)
            sys.stderr.write(f"{name} done\n")
    finally:
        embedder.close()
    return cases


def fit(cases: Sequence[Case]) -> Matrix:
    """Constant and weights of a logistic regression by Newton's method; each set's classes weigh the same."""
    signs = np.array([[1.0, *c.signs] for c in cases])
    truth = np.array([c.answerable for c in cases], dtype=float)
    groups = [(c.source, c.answerable) for c in cases]
    weight = np.array([1 / groups.count(group) for group in groups])
    constants: Matrix = np.zeros(signs.shape[1])
    for _ in range(30):
        likely = 1 / (1 + np.exp(-signs @ constants))
        gradient = signs.T @ (weight * (likely - truth))
        curvature = (signs * (weight * likely * (1 - likely))[:, None]).T @ signs
        constants -= np.linalg.solve(curvature + 1e-6 * np.eye(len(constants)), gradient)
    return constants


def likelihoods(constants: Matrix, cases: Sequence[Case], *, guard: bool) -> Matrix:
    """How likely each case is answerable; 0 where the same-drug rule refuses."""
    values = []
    for c in cases:
        signs = c.guarded if guard else c.signs
        values.append(0.0 if signs is None else 1 / (1 + np.exp(-np.dot(constants, [1.0, *signs]))))
    return np.array(values)


def rates(likely: Matrix, cases: Sequence[Case], threshold: float) -> dict[str, list[float]]:
    """False refusals, and wrong answers of each unanswerable kind, with intervals."""
    answers = likely >= threshold
    kinds: dict[str, list[float]] = {}
    for answer, c in zip(answers, cases, strict=True):
        kinds.setdefault(c.kind, []).append(float(not answer if c.answerable else answer))
    return {("false refusals" if k == "answerable" else f"wrong, {k}"): mean(v).as_json() for k, v in kinds.items()}


def area(likely: Matrix, cases: Sequence[Case]) -> float:
    """Chance that an answerable question scores above an unanswerable one."""
    truth = np.array([c.answerable for c in cases])
    good, bad = likely[truth][:, None], likely[~truth][None]
    return float(np.mean((good > bad) + 0.5 * (good == bad)))


def measure(cases: Sequence[Case]) -> dict[str, Any]:
    """All figures: by set held out at its own 10 % threshold, and with the constants that the product has."""
    constants = fit(cases)
    result: dict[str, Any] = {"fitted": [round(float(c), 2) for c in constants], "sets": {}}
    product = np.array(grounding.GATE)
    for name in dict.fromkeys(c.source for c in cases):
        inside = [c for c in cases if c.source == name]
        held = fit([c for c in cases if c.source != name])
        figures: dict[str, Any] = {"questions": len(inside)}
        for label, guard in (("gate", False), ("gate and guard", True)):
            likely = likelihoods(held, inside, guard=guard)
            good = likely[[c.answerable for c in inside]]
            at_ten = max(float(np.quantile(good, FALSE_REFUSALS)), 1e-9)
            figures[f"{label}, held out, at 10 % false refusals"] = rates(likely, inside, at_ten)
            figures[f"{label}, held out, area"] = round(area(likely, inside), 3)
            shipped = likelihoods(product, inside, guard=guard)
            figures[f"{label}, as shipped"] = rates(shipped, inside, grounding.EVIDENCE_THRESHOLD)
        result["sets"][name] = figures
    return result


def main(argv: Sequence[str]) -> int:
    """Collects, fits and measures; 1 where the gate refuses more than a tenth of the library's own questions."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench abstention")
    parser.add_argument("--cases", type=Path)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args(argv)
    if chosen.cases and chosen.cases.exists():
        cases = [Case(**fields) for fields in json.loads(chosen.cases.read_bytes())]
    else:
        cases = collect()
        if chosen.cases:
            chosen.cases.write_text(json.dumps([asdict(c) for c in cases]), encoding="utf-8")
    result = measure(cases)
    sys.stdout.write(json.dumps(result, indent=1) + "\n")
    if chosen.json:
        chosen.json.write_text(json.dumps(result, indent=1), encoding="utf-8")
    own = result["sets"][LIBRARY]["gate and guard, as shipped"]
    return int(own["false refusals"][0] > FALSE_REFUSALS)
