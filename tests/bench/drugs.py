"""Measures drug name recognition: names missed, misspellings missed, and drugs seen where none is named.

    python -m tests.bench drugs [--seed N] [--examples]

Three sets of 300: names drawn from the dictionary, the same kind of names with one letter changed, and questions on
GMP that name no drug. Beside them stand real questions of ../shared/data where that folder is present.
"""

import argparse
import csv
import gzip
import json
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from lumen_desktop.domain.drugs import COMBINED, DrugNames
from tests.bench import gmp_questions

ROOT = Path(__file__).resolve().parents[2]
DRUGS = ROOT / "resources" / "drugs"
RETRIEVAL = ROOT.parent / "shared" / "data" / "retrieval"
COUNT = 300
QUESTIONS = (
    "What is the maximum daily dose of {}?",
    "How should {} be stored after opening?",
    "Can {} be given to a patient with renal impairment?",
    "is {} safe in pregnancy",
    "What are the contraindications of {}?",
    "Which interactions of {} need a dose change?",
)
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def main(argv: list[str]) -> int:
    """Run all sets and print the figures as one JSON document; return 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench drugs")
    parser.add_argument("--seed", type=int, default=20250101)
    parser.add_argument("--examples", action="store_true", help="list every miss and every false hit")
    options = parser.parse_args(argv)
    started, used = time.perf_counter(), time.process_time()
    drugs = DrugNames.load(DRUGS)
    load_ms, load_cpu_ms = (time.perf_counter() - started) * 1000, (time.process_time() - used) * 1000
    source = random.Random(options.seed)
    names = dictionary_names()
    gmp = gmp_questions.questions(COUNT, options.seed)
    report: dict[str, object] = {
        "load_ms": {"clock": round(load_ms, 1), "processor": round(load_cpu_ms, 1)},
        "names": len(names),
        "exact": exact(drugs, source.sample(sorted(names.items()), COUNT), source),
        "misspelt": misspelt(drugs, names, source),
        "gmp": false_hits(drugs, gmp),
        "latency_ms": latency(drugs, gmp),
    } | real_questions(drugs)
    if not options.examples:
        report = {key: without_examples(value) for key, value in report.items()}
    print(json.dumps(report, indent=2, ensure_ascii=False))
    return 0


def without_examples(value: object) -> object:
    """Return a set's figures alone."""
    return {k: v for k, v in value.items() if not isinstance(v, list)} if isinstance(value, dict) else value


def dictionary_names() -> dict[str, str]:
    """Return the dictionary's names with their ingredients, without the stop words."""
    stopped = set((DRUGS / "stop_words.txt").read_text(encoding="utf-8").splitlines())
    lines = gzip.decompress((DRUGS / "names.tsv.gz").read_bytes()).decode("utf-8").splitlines()
    return {name: ingredient for name, ingredient in csv.reader(lines, delimiter="\t") if name not in stopped}


def exact(drugs: DrugNames, drawn: list[tuple[str, str]], source: random.Random) -> dict[str, object]:
    """Ask for names as they are; missed is a name that is not found whole with its ingredient."""
    missed = []
    flagged = 0
    for name, ingredient in drawn:
        question = source.choice(QUESTIONS).format(name)
        if all((found.name, found.ingredient) != (name, ingredient) for found in drugs.find(question)):
            missed.append(name)
        flagged += bool(drugs.near_misses(question))
    return {"questions": len(drawn), "missed": len(missed), "also_called_misspelt": flagged, "misses": missed}


def misspelt(drugs: DrugNames, names: dict[str, str], source: random.Random) -> dict[str, object]:
    """Ask for names with one letter wrong; caught is a near miss, or the right ingredient all the same."""
    tally: Counter[str] = Counter()
    missed: list[str] = []
    kinds = [change for change in (substituted, shortened, lengthened, swapped) for _ in range(COUNT // 4)]
    pool = sorted(names)
    while kinds:
        name = source.choice(pool)
        slip = kinds[-1](name, source)
        if slip == name:
            continue
        question = source.choice(QUESTIONS).format(slip)
        found = drugs.find(question)
        if any(mention.name == slip for mention in found):
            tally["became_another_known_name"] += 1
            continue
        kinds.pop()
        near = drugs.near_misses(question)
        right = set(names[name].split(COMBINED)) <= {part for m in found for part in m.ingredient.split(COMBINED)}
        suggested = any(suggests(miss.suggestions, name) for miss in near)
        tally["found_by_find_alone"] += right
        tally["right_name_suggested"] += suggested
        tally["caught"] += bool(near) or right
        tally["missed_and_another_drug_found"] += bool(not near and not right and found)
        if not near and not right:
            missed.append(f"{slip} ({name})")
    return {"questions": COUNT, **tally, "missed": COUNT - tally["caught"], "misses": missed}


def suggests(suggestions: Iterable[str], name: str) -> bool:
    """Whether the name, or the word of it that was misspelt, is among the suggestions."""
    return any(name == other or other in re.split(r"[ /-]", name) for other in suggestions)


def substituted(name: str, source: random.Random) -> str:
    """Return a name with one letter replaced."""
    at = letter_of(name, source)
    return name[:at] + source.choice(LETTERS) + name[at + 1 :]


def shortened(name: str, source: random.Random) -> str:
    """Return a name with one letter left out."""
    at = letter_of(name, source)
    return name[:at] + name[at + 1 :]


def lengthened(name: str, source: random.Random) -> str:
    """Return a name with one letter put in."""
    at = letter_of(name, source)
    return name[:at] + source.choice(LETTERS) + name[at:]


def swapped(name: str, source: random.Random) -> str:
    """Return a name with two neighbouring letters in each other's place."""
    at = letter_of(name, source)
    return name[:at] + name[at + 1] + name[at] + name[at + 2 :] if name[at + 1 : at + 2].isalpha() else name


def letter_of(name: str, source: random.Random) -> int:
    """Return the place of one of a name's letters."""
    return source.choice([at for at, letter in enumerate(name) if letter.isalpha()])


def false_hits(drugs: DrugNames, questions: list[str]) -> dict[str, object]:
    """Ask questions that name no drug; any mention or near miss is false."""
    by_find = [q for q in questions if drugs.find(q)]
    by_either = [(q, [m.name for m in drugs.find(q)], [n.written for n in drugs.near_misses(q)]) for q in questions]
    hits = [f"{q} -> {found + near}" for q, found, near in by_either if found or near]
    return {"questions": len(questions), "find_alone": len(by_find), "find_and_near_misses": len(hits), "hits": hits}


def latency(drugs: DrugNames, questions: list[str]) -> dict[str, float]:
    """Return the time that find and near_misses together take for a question with one unknown word."""
    clock, processor = [], []
    for question in questions:
        started, used = time.perf_counter(), time.process_time()
        drugs.find(f"{question} hydroxyzzinne")
        drugs.near_misses(f"{question} hydroxyzzinne")
        processor.append((time.process_time() - used) * 1000)
        clock.append((time.perf_counter() - started) * 1000)
    return {
        f"{name}_{label}": round(sorted(took)[int(share * len(took))], 2)
        for name, took in (("clock", clock), ("processor", processor))
        for label, share in (("p50", 0.5), ("p95", 0.95))
    }


def real_questions(drugs: DrugNames) -> dict[str, object]:
    """Ask the real questions of the retrieval sets, where they are present."""
    if not RETRIEVAL.is_dir():
        return {}
    consumer = [(q["text"], q["drug"]) for q in queries("medicationqa_dev")]
    labels = [(q["text"], q["drug"]) for q in queries("fda_labels_factual")]
    diseases = [q["text"] for q in queries("medquad4k")]
    return {
        "medicationqa": named(drugs, consumer, drugs.find),
        "fda_labels": named(drugs, labels, drugs.find),
        "medquad_disease_questions": false_hits(drugs, diseases),
    }


def queries(name: str) -> Iterator[dict[str, str]]:
    """Yield the queries of one retrieval set."""
    for line in (RETRIEVAL / name / "queries.jsonl").read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def named(
    drugs: DrugNames, questions: list[tuple[str, str]], find: Callable[[str], tuple[object, ...]]
) -> dict[str, object]:
    """Ask real questions about a drug (real misspellings included); silent is one where nothing was seen."""
    found = [question for question, _ in questions if find(question)]
    seen = [question for question, _ in questions if find(question) or drugs.near_misses(question)]
    silent = [f"{question} [{drug}]" for question, drug in questions if question not in set(seen)]
    return {"questions": len(questions), "find_alone": len(found), "find_and_near_misses": len(seen), "silent": silent}
