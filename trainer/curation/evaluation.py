"""The questions and answers of evaluation sets, in whatever form the sets are published.

Reads BEIR folders (queries, corpus, judgements), PubMedQA, MIRAGE's multiple choice and lines of questions. Only
`contamination` uses what it yields; nothing here reaches a training example.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lumen_desktop.errors import InputError

_QUESTIONS = ("question", "QUESTION", "text", "query", "claim", "Question")
_ANSWERS = ("answer", "long_answer", "LONG_ANSWER", "Answer")


@dataclass(frozen=True, slots=True)
class Item:
    """One text that must not be learnt.

    Attributes:
        set: name of its evaluation set.
        id: of the question in it.
        part: question or answer.
        text: as published.
    """

    set: str
    id: str
    part: str
    text: str


def items(paths: Sequence[Path]) -> Iterator[Item]:
    """Every question and answer of some sets; a folder without a set's files is looked through for sets.

    Raises:
        InputError: a file that is no evaluation set (TRN-030).
    """
    for path in paths:
        if path.is_dir():
            if (path / "queries.jsonl").is_file():
                yield from _beir(path)
            else:
                yield from items(sorted(p for p in path.iterdir() if p.is_dir() or p.suffix in {".json", ".jsonl"}))
        else:
            yield from _file(path)


def _beir(folder: Path) -> Iterator[Item]:
    """Questions, their answers, and the passages judged right for a question that has no answer of its own."""
    unanswered = set()
    for fields in _lines(folder / "queries.jsonl"):
        yield from _item(folder.name, str(fields["_id"]), fields)
        if not any(fields.get(name) for name in _ANSWERS):
            unanswered.add(str(fields["_id"]))
    judged: dict[str, list[str]] = {}
    judgements = folder / "qrels.tsv"
    for line in judgements.read_text(encoding="utf-8").splitlines() if judgements.is_file() else ():
        query, passage, *grade = line.split("\t")
        if query in unanswered and grade != ["0"]:
            judged.setdefault(passage, []).append(query)
    for fields in _lines(folder / "corpus.jsonl") if judged else ():
        for query in judged.get(str(fields["_id"]), ()):
            yield Item(folder.name, query, "answer", fields["text"])


def _file(path: Path) -> Iterator[Item]:
    name = path.stem
    if path.suffix == ".jsonl":
        for number, fields in enumerate(_lines(path), start=1):
            yield from _item(name, str(fields.get("_id", fields.get("id", number))), fields)
        return
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise _unreadable(path) from error
    yield from _mapping(name, found, path)


def _mapping(name: str, found: Any, path: Path) -> Iterator[Item]:
    """Items of a JSON value: an object of questions, an object of such objects, or a list of questions."""
    pairs = found.items() if isinstance(found, Mapping) else enumerate(found if isinstance(found, list) else ())
    some = False
    for key, fields in pairs:
        if isinstance(fields, Mapping) and any(isinstance(fields.get(word), str) for word in _QUESTIONS):
            yield from _item(name, str(key), fields)
        elif isinstance(fields, Mapping):
            yield from _mapping(f"{name}/{key}", fields, path)
        else:
            raise _unreadable(path)
        some = True
    if not some:
        raise _unreadable(path)


def _item(name: str, number: str, fields: Mapping[str, Any]) -> Iterator[Item]:
    question = next((fields[word] for word in _QUESTIONS if fields.get(word)), "")
    options = fields.get("options")
    if isinstance(options, Mapping):
        yield Item(name, number, "question", "\n".join([question, *map(str, options.values())]))
    if question:
        yield Item(name, number, "question", question)
    if not isinstance(options, Mapping):
        for word in _ANSWERS:
            if isinstance(fields.get(word), str) and fields[word]:
                yield Item(name, number, "answer", fields[word])


def _lines(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        with path.open("rb") as stream:
            for line in stream:
                yield json.loads(line)
    except (OSError, ValueError) as error:
        raise _unreadable(path) from error


def _unreadable(path: Path) -> InputError:
    return InputError(
        f"{path.name} is no evaluation set that is known.",
        code="TRN-030",
        hint="Name a BEIR folder, a PubMedQA or MIRAGE file, or lines of JSON with a question each.",
    )
