"""Figures on a judged set so small that they can be worked out by hand."""

import json
import math
from pathlib import Path

import pytest

from lumen_desktop import app
from lumen_desktop.errors import InputError, Stopped
from lumen_desktop.services.evaluation import EvaluationProgress, Figures, evaluate, ndcg_at
from tests.rehearsal import EMBEDDING, RehearsalSite

CORPUS = {
    "apple": "Apples grow on trees in orchards.",
    "pear": "Pears ripen late in autumn.",
    "steel": "Steel tanks are welded and polished.",
    "glass": "Glass vials are washed and dried.",
}
# each question shares words with one record only, so that the order is certain
QUERIES = {
    "q1": "apples orchards trees",
    "q2": "steel tanks welded polished",
    "q3": "glass vials washed dried",
    "unjudged": "pears",
}
QRELS = [("q1", "apple", 1), ("q2", "glass", 1), ("q3", "glass", 2), ("q3", "steel", 0), ("elsewhere", "pear", 1)]


@pytest.fixture
def judged(tmp_path: Path) -> tuple[Path, Path, Path]:
    corpus, queries, qrels = tmp_path / "corpus.jsonl", tmp_path / "queries.jsonl", tmp_path / "qrels.tsv"
    lines = [json.dumps({"_id": name, "title": name, "text": words}) for name, words in CORPUS.items()]
    corpus.write_text("\n".join([*lines, ""]), encoding="utf-8")
    queries.write_text("\n".join(json.dumps({"_id": i, "text": t}) for i, t in QUERIES.items()), encoding="utf-8")
    rows = "".join(f"{query}\t{record}\t{grade}\n" for query, record, grade in QRELS)
    qrels.write_text("query-id\tcorpus-id\tscore\n" + rows, encoding="utf-8")
    return corpus, queries, qrels


def figures(site: app.Site, corpus: Path, queries: Path, qrels: Path) -> tuple[list[EvaluationProgress], Figures]:
    *progress, last = evaluate(
        corpus, queries, qrels, folder=site.place.folder.temporary, embedder=site.embedder,
        embedder_sha256=EMBEDDING.sha256,
    )  # fmt: skip
    assert isinstance(last, Figures)
    return [step for step in progress if isinstance(step, EvaluationProgress)], last


def test_figures_are_those_worked_out_by_hand(site: app.Site, judged: tuple[Path, Path, Path]) -> None:
    progress, found = figures(site, *judged)
    shown = found.as_json()
    place = 1 / found.reciprocal10[1]  # where glass stands for a question about steel: second to fourth
    assert place in {2, 3, 4}
    assert list(found.ndcg10) == pytest.approx([1, 1 / math.log2(place + 1), 1])
    assert shown["ndcg@10"] == pytest.approx((2 + 1 / math.log2(place + 1)) / 3, abs=1e-4)
    assert shown["mrr@10"] == pytest.approx((2 + 1 / place) / 3, abs=1e-4)
    assert shown["recall@5"] == 1.0
    assert shown["queries"] == 3
    assert 0 < shown["latency_ms"]["p50"] <= shown["latency_ms"]["p95"]
    assert [(p.stage, p.done, p.total) for p in progress][-1] == ("searching", 3, 3)
    assert list(site.place.folder.temporary.iterdir()) == []
    assert [d.collection for d in site.library.documents() if d.collection == "evaluation"] == []


def test_what_fails_midway_leaves_nothing(site: app.Site, judged: tuple[Path, Path, Path]) -> None:
    steps = evaluate(
        *judged, folder=site.place.folder.temporary, embedder=site.embedder, embedder_sha256=EMBEDDING.sha256
    )
    next(steps)
    steps.close()  # type: ignore[attr-defined]
    assert list(site.place.folder.temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("ranked", "grades", "expected"),
    [
        ([], {"a": 1}, 0.0),
        (["a"], {}, 0.0),
        (["a", "b"], {"a": 1}, 1.0),
        (["b", "a"], {"a": 1}, 1 / math.log2(3)),
        (["b", "a"], {"a": 2, "b": 1}, (1 + 2 / math.log2(3)) / (2 + 1 / math.log2(3))),
        ([*"bcdefghijk", "a"], {"a": 1}, 0.0),
    ],
)
def test_ndcg_is_that_of_the_definition(ranked: list[str], grades: dict[str, int], expected: float) -> None:
    assert ndcg_at(10, ranked, grades) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("file", "content", "code"),
    [
        (0, None, "EVL-001"), (1, None, "EVL-001"), (2, None, "EVL-001"),
        (0, "no json", "EVL-001"), (0, "7", "EVL-001"), (0, '{"_id": "a"}', "EVL-001"), (0, b"\xff", "EVL-001"),
        (2, "", "EVL-001"), (2, "a\tb\n1\t2\n", "EVL-001"), (2, "a\tb\tc\nq1\tapple\thigh\n", "EVL-001"),
        (2, "a\tb\tc\n" + "x" * 200_000 + "\tapple\t1\n", "EVL-001"),
        (0, "", "EVL-002"), (1, "", "EVL-002"), (2, "a\tb\tc\n", "EVL-002"),
    ],
)  # fmt: skip
def test_files_of_another_form_are_one_sentence(
    site: app.Site, judged: tuple[Path, Path, Path], file: int, content: str | bytes | None, code: str
) -> None:
    if content is None:
        judged[file].unlink()
    else:
        judged[file].write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as caught:
        figures(site, *judged)
    assert caught.value.code == code
    assert list(site.place.folder.temporary.iterdir()) == []


def test_a_stop_ends_it(site: app.Site, rehearsed: type[RehearsalSite], judged: tuple[Path, Path, Path]) -> None:
    long_text = "A sentence of twelve words that is here to be cut apart. " * 200
    lines = [json.dumps({"_id": f"l{n}", "title": "t", "text": long_text}) for n in range(400)]
    judged[0].write_text("\n".join(lines), encoding="utf-8")
    steps = evaluate(
        *judged, folder=site.place.folder.temporary, embedder=site.embedder, embedder_sha256=EMBEDDING.sha256
    )
    embed = site.embedder._embed_one
    calls = 0

    def stopping(text: str, dimensions: int) -> object:
        nonlocal calls
        calls += 1
        if calls == 3:
            site.embedder.stop()
        return embed(text, dimensions)

    site.embedder._embed_one = stopping  # type: ignore[method-assign, assignment]
    with pytest.raises(Stopped):
        list(steps)
    assert calls < 10
    assert list(site.place.folder.temporary.iterdir()) == []
