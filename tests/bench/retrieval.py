"""Retrieval on six judged sets through the product's own path, with BM25, MiniLM and rank fusion beside it.

Each set is cut, embedded, stored and searched by the services that `lumen library evaluate` uses. The
single legs are taken from the same database and the same vectors in the same run: BM25 is the full-text
leg alone, MiniLM an exact search, RRF the reciprocal rank fusion (k = 60) of both. Figures are means over
questions with bootstrap 95 % intervals. Run: ``python -m tests.bench retrieval [SET …] [--json FILE] [--exact]``.

Measured November 2026, nDCG@10 (hit@5 for the long papers), index in use:

| set | hybrid | BM25 | MiniLM | RRF | goal |
|---|---|---|---|---|---|
| scifact | .744 [.704, .783] | .684 | .657 | .724 | .725 |
| medicationqa_dev | .867 [.841, .892] | .796 | .858 | .848 | .86 |
| medquad4k | .879 [.858, .900] | .822 | .850 | .877 | .86 |
| pubmedqa | .978 [.970, .985] | .953 | .969 | .973 | .978 |
| fda_labels_factual | .937 [.889, .973] | .937 | .907 | .936 | |
| covidqa_long, hit@5 | .753 [.731, .775] | .762 | .530 | .687 | .75 |
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lumen_desktop.retrieval.nearest import exact
from lumen_desktop.retrieval.ranking import LEG, query_words
from lumen_desktop.services.evaluation import ndcg_at
from lumen_desktop.storage import library as stored
from tests.bench.embeddings import CachedEmbedder
from tests.bench.intervals import mean, percentile
from tests.bench.sets import LONG_PAPERS, NAMES, Ready, ready

GOALS = {"scifact": 0.725, "medicationqa_dev": 0.86, "medquad4k": 0.86, "pubmedqa": 0.978, LONG_PAPERS: 0.75}
MARGIN = 0.01  # the hybrid may be this much below the better leg
HYBRID, LEGS = "hybrid", ("bm25", "minilm", "rrf")
_RRF = 60

Ranking = list[str]


def rankings(bench: Ready, question: str) -> tuple[dict[str, Ranking], float, str]:
    """Records in order for one question, by each method; seconds of the product's search, and its vector leg."""
    found = bench.searcher.find(question, collection=None, most=LEG)
    with bench.database.reading() as session:
        place = stored.collections(session)[0]
        assert place.id is not None
        text = stored.search_text(session, query_words(question), [place.id], most=LEG)
    held = bench.searcher.hold(place)
    vector = exact(held.ids, held.vectors, found.question, most=LEG)
    by_rank: dict[int, float] = {}
    for leg in (text, vector):
        for rank, (identity, _) in enumerate(leg, start=1):
            by_rank[identity] = by_rank.get(identity, 0.0) + 1 / (_RRF + rank)
    passages = {
        HYBRID: [c.passage.id for c in found.candidates],
        "bm25": [identity for identity, _ in text],
        "minilm": [identity for identity, _ in vector],
        "rrf": sorted(by_rank, key=lambda identity: (-by_rank[identity], identity)),
    }
    with bench.database.reading() as session:
        known = stored.passages(session, sorted({i for ids in passages.values() for i in ids}))
    records = {
        method: list(dict.fromkeys(bench.record_of[known[i].document_id] for i in ids))
        for method, ids in passages.items()
    }
    return records, found.seconds, found.vector_leg


def figures(ranked: Ranking, grades: dict[str, int]) -> dict[str, float]:
    """nDCG@10, recall@5, MRR@10 and hit@5 of one ranking."""
    relevant = {record for record, grade in grades.items() if grade > 0}
    top = set(ranked[:5])
    return {
        "ndcg@10": ndcg_at(10, ranked, grades),
        "recall@5": len(relevant & top) / len(relevant) if relevant else 0.0,
        "mrr@10": next((1 / n for n, record in enumerate(ranked[:10], start=1) if record in relevant), 0.0),
        "hit@5": float(bool(relevant & top)),
    }


def measure(name: str, embedder: CachedEmbedder, *, index: bool) -> dict[str, Any]:
    """Runs one set."""
    values: dict[str, dict[str, list[float]]] = {method: {} for method in (HYBRID, *LEGS)}
    seconds, legs = [], set()
    with ready(name, embedder, index=index) as bench:
        for query, text in bench.judged.queries:
            ranked, took, leg = rankings(bench, text)
            seconds.append(took)
            legs.add(leg)
            for method, order in ranked.items():
                for figure, value in figures(order, dict(bench.judged.qrels[query])).items():
                    values[method].setdefault(figure, []).append(value)
    decisive = "hit@5" if name == LONG_PAPERS else "ndcg@10"
    hybrid = np.array(values[HYBRID][decisive])
    result: dict[str, Any] = {
        "queries": len(hybrid),
        "figure": decisive,
        "goal": GOALS.get(name),
        "methods": {m: {f: mean(v).as_json() for f, v in by.items()} for m, by in values.items()},
        "hybrid_minus": {m: mean(list(hybrid - np.array(values[m][decisive]))).as_json() for m in LEGS},
        "search_ms": {"p50": 1000 * percentile(seconds, 0.5), "p95": 1000 * percentile(seconds, 0.95)},
        "vector_leg": sorted(legs),
    }
    result["missed"] = list(missed(result))
    return result


def missed(result: dict[str, Any]) -> Iterator[str]:
    """What a set's figures fall short of."""
    reached = {method: by[result["figure"]][0] for method, by in result["methods"].items()}
    if result["goal"] is not None and reached[HYBRID] < result["goal"]:
        yield f"{result['figure']} {reached[HYBRID]:.3f} is below the goal {result['goal']}"
    better = max(reached["bm25"], reached["minilm"])
    if reached[HYBRID] < better - MARGIN:
        yield f"the hybrid is {better - reached[HYBRID]:.3f} below the better leg"


def table(name: str, result: dict[str, Any]) -> Iterator[str]:
    """The figures of a set as lines of Markdown."""
    for method, by in result["methods"].items():
        cells = [f"{by[f][0]:.3f} [{by[f][1]:.3f}, {by[f][2]:.3f}]" for f in ("ndcg@10", "recall@5", "mrr@10", "hit@5")]
        yield f"| {name} | {method} | " + " | ".join(cells) + " |"


def main(argv: Sequence[str]) -> int:
    """Runs the sets named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench retrieval")
    parser.add_argument("sets", nargs="*", choices=[*NAMES, []], default=[], metavar="SET")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--exact", action="store_true", help="without the vector index")
    chosen = parser.parse_args(argv)
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    embedder, results = CachedEmbedder(), {}
    sys.stdout.write("| set | method | nDCG@10 | recall@5 | MRR@10 | hit@5 |\n|---|---|---|---|---|---|\n")
    try:
        for name in chosen.sets or NAMES:
            results[name] = result = measure(name, embedder, index=not chosen.exact)
            sys.stdout.write("\n".join(table(name, result)) + "\n")
            sys.stdout.write("".join(f"MISSED {name}: {what}\n" for what in result["missed"]))
            sys.stdout.flush()
    finally:
        embedder.close()
    if chosen.json:
        chosen.json.write_text(json.dumps(results, indent=1), encoding="utf-8")
    return int(any(result["missed"] for result in results.values()))
