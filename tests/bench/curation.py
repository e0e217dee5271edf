"""Curation: recall and precision on planted faults, false alarms on real text, speed and memory.

``python -m tests.bench curation --seed N`` reports figures; use each seed once and never mend the code on it. With
``--speed 200000`` it curates so many generated examples on two processes instead, and says how long each step took.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

from tests.trainer.planting import Planted, Planter
from trainer.curation import Settings, curate
from trainer.curation.personal import Detector

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
GOALS = {"duplicates recall": 0.98, "duplicates precision": 0.98, "names": 0.90, "phones": 0.98, "mails": 0.98}


def main(argv: list[str]) -> int:
    """Prints the figures; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(prog="curation")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--letters", type=int, default=2000)
    parser.add_argument("--speed", type=int, default=0)
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        if options.speed:
            return _speed(Path(folder), options.speed, options.seed)
        missed = _planted(Path(folder), options.count, options.seed)
    missed += _letters(options.letters, options.seed)
    _false_alarms()
    for goal in missed:
        _say(f"missed: {goal}")
    return 1 if missed else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _write(folder: Path, planted: Planted) -> tuple[Path, Path]:
    part, queries = folder / "examples.jsonl", folder / "planted" / "queries.jsonl"
    queries.parent.mkdir()
    part.write_text("".join(f"{e.as_line()}\n" for e in planted.examples), encoding="utf-8")
    queries.write_text("".join(f"{json.dumps(q)}\n" for q in planted.queries), encoding="utf-8")
    return part, queries.parent


def figures(folder: Path, planted: Planted, seed: int, processes: int) -> dict[str, float]:
    """Recall and precision of the planted faults, by running all of curation on them."""
    part, evaluation = _write(folder, planted)
    out = folder / "out"
    out.mkdir()
    curate([part], out, Settings(seed=seed), evaluation=[evaluation], processes=processes)
    gone: defaultdict[str, set[str]] = defaultdict(set)
    for line in (out / "rejects.jsonl").read_text(encoding="utf-8").splitlines():
        reject = json.loads(line)
        gone[reject["step"]].add(reject["where"])
    repeated = gone["exact duplicates"] | gone["near duplicates"]
    clusters = Counter(planted.same.values())
    removed = Counter(planted.same[one] for one in repeated if one in planted.same)
    right = sum(min(count, clusters[number] - 1) for number, count in removed.items())
    found = {
        "duplicates recall": right / max(1, sum(clusters.values()) - len(clusters)),
        "duplicates precision": right / max(1, len(repeated)),
        "conflicts": len(planted.conflicts & gone["quality"]) / max(1, len(planted.conflicts)),
        "clean examples taken for contaminated": len(gone["decontaminate"] - set(planted.contaminated))
        / len(planted.examples),
    }
    kinds = Counter(planted.contaminated.values())
    caught = Counter(planted.contaminated[one] for one in gone["decontaminate"] if one in planted.contaminated)
    found |= {f"contamination {kind}": caught[kind] / kinds[kind] for kind in sorted(kinds)}
    drugs = {name: _drugs(out / f"{name}.jsonl") for name in ("train", "validation", "test")}
    found["test drugs in train"] = len((drugs["test"] | drugs["validation"]) & drugs["train"])
    return found


def _drugs(path: Path) -> set[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return {group for line in lines for group in json.loads(line)["groups"]}


def _planted(folder: Path, count: int, seed: int) -> list[str]:
    planted = Planter(seed).planted(count, max(20, count // 50))
    found = figures(folder, planted, seed, 2)
    for name, value in found.items():
        _say(f"{name:40} {value:.4f}")
    missed = [name for name, goal in GOALS.items() if name in found and found[name] < goal]
    whole = [
        name
        for name, value in found.items()
        if name.startswith(("contamination verb", "contamination ins")) and value < 1
    ]
    return missed + whole + ["test drugs in train"] * (found["test drugs in train"] > 0)


def personal(count: int, seed: int) -> tuple[dict[str, float], dict[str, list[str]], int]:
    """Recall by kind on letters, what was missed, and how many words were taken out that are no one's."""
    detector = Detector()
    there, caught = Counter[str](), Counter[str]()
    missed: defaultdict[str, list[str]] = defaultdict(list)
    wrong = 0
    for letter in Planter(seed).letters(count):
        text = detector.cleaned([letter.text])[0][0]
        for kind, value in letter.pieces:
            there[kind] += 1
            left = [word for word in value.split() if len(word) > 2 and word in text and letter.text.count(word) == 1]
            if value in text or (kind in {"name", "address"} and len(left) > len(value.split()) // 2):
                missed[kind].append(value)
            else:
                caught[kind] += 1
        private = " ".join(value for _, value in letter.pieces)
        kept = [word for word in letter.text.split() if word.strip(".,:;<>()") not in private]
        lost = Counter(kept) - Counter(text.split())
        wrong += sum(n for word, n in lost.items() if word.strip(".,:;<>()\n").isalnum())
    return {kind: caught[kind] / there[kind] for kind in sorted(there)}, missed, wrong


def _letters(count: int, seed: int) -> list[str]:
    recall, missed, wrong = personal(count, seed)
    for kind, value in recall.items():
        _say(f"{kind + ' recall':40} {value:.4f}")
    _say(f"{'other words taken out of letters':40} {wrong} in {count} letters")
    _say(f"names missed, some: {missed['name'][:12]}")
    return [kind for kind, goal in GOALS.items() if recall.get(kind.removesuffix("s"), 1.0) < goal]


def _false_alarms() -> None:
    """Pieces taken out of real labels' and leaflets' text, which names nobody."""
    leaflets = DATA / "ema_leaflets" / "leaflets_150.jsonl"
    if not leaflets.is_file():
        _say("false alarms: no ../shared/data here")
        return
    detector, counts, words = Detector(), Counter[str](), 0
    for line in leaflets.read_text(encoding="utf-8").splitlines()[:40]:
        text = " ".join(_strings(json.loads(line)))
        words += len(text.split())
        counts.update(detector.cleaned([text])[1])
    _say(f"false alarms in {words} words of leaflets: {dict(counts)}")


def _strings(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in _strings(one)]
    if isinstance(value, list):
        return [text for one in value for text in _strings(one)]
    return [value] if isinstance(value, str) else []


def _speed(folder: Path, count: int, seed: int) -> int:
    planter = Planter(seed)
    planted = planter.planted(int(count / 1.35), count // 130)
    part, evaluation = _write(folder, planted)
    sets = [evaluation, *(DATA / name for name in ("mcq", "pubmedqa", "retrieval") if (DATA / name).is_dir())]
    out = folder / "out"
    out.mkdir()
    begun = time.monotonic()
    report = curate([part], out, Settings(seed=seed), evaluation=sets, processes=2)
    _say(f"{len(planted.examples)} examples, {part.stat().st_size / 1e6:.0f} MB: {time.monotonic() - begun:.0f} s")
    _say(json.dumps(report.seconds))
    own, children = (
        resource.getrusage(who).ru_maxrss / 2**20 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    _say(f"peak memory: {own:.2f} GB in this process (generator included), {children:.2f} GB in the largest other")
    return 0
