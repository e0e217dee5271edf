"""From two ranked legs to one: the sum of both scores, each stretched to 0..1 over its own best hundred.

Level with or better than BM25, MiniLM and reciprocal rank fusion on all of eight sets measured.
Source: Bruch, Gai, Ingber 2023 (arXiv 2210.11934), convex combination.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lumen_desktop.domain.sentences import STOP_WORDS, words

LEG = 100
WEIGHT = 0.5
_MOST_WORDS = 64  # a longer question adds cost and noise, no meaning


@dataclass(frozen=True, slots=True)
class Ranked:
    """One passage in the fused list; a leg that did not find it has neither rank nor score.

    Attributes:
        passage_id: the passage.
        score: fused, 0 to 1.
        text_rank, text_score: place from 1 and BM25 score in the full-text leg.
        vector_rank, cosine: place from 1 and cosine in the vector leg.
    """

    passage_id: int
    score: float
    text_rank: int | None
    text_score: float | None
    vector_rank: int | None
    cosine: float | None


def query_words(question: str) -> list[str]:
    """Words for the full-text leg: no stop words, each once, in order; all words where only stop words are left."""
    every = list(dict.fromkeys(words(question)))
    return ([word for word in every if word not in STOP_WORDS] or every)[:_MOST_WORDS]


def fuse(text_leg: Sequence[tuple[int, float]], vector_leg: Sequence[tuple[int, float]]) -> list[Ranked]:
    """Both legs as one list, best first; equal ones by passage id.

    Args:
        text_leg: (passage id, BM25 score), best first.
        vector_leg: (passage id, cosine), best first.
    """
    text, vector = text_leg[:LEG], vector_leg[:LEG]
    stretched_text, stretched_vector = _stretched(text), _stretched(vector)
    places_text = {identity: place for place, (identity, _) in enumerate(text, start=1)}
    places_vector = {identity: place for place, (identity, _) in enumerate(vector, start=1)}
    raw_text, raw_vector = dict(text), dict(vector)
    fused = [
        Ranked(
            passage_id=identity,
            score=WEIGHT * stretched_text.get(identity, 0.0) + (1 - WEIGHT) * stretched_vector.get(identity, 0.0),
            text_rank=places_text.get(identity),
            text_score=raw_text.get(identity),
            vector_rank=places_vector.get(identity),
            cosine=raw_vector.get(identity),
        )
        for identity in {**raw_text, **raw_vector}
    ]
    return sorted(fused, key=lambda ranked: (-ranked.score, ranked.passage_id))


def _stretched(leg: Sequence[tuple[int, float]]) -> dict[int, float]:
    if not leg:
        return {}
    scores = [score for _, score in leg]
    low, high = min(scores), max(scores)
    return {identity: (score - low) / (high - low) if high > low else 1.0 for identity, score in leg}
