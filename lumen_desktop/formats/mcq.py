"""Multiple choice questions of medical examinations: MedMCQA, MedQA, and MIRAGE, which gathers test halves.

Reads any split; which may be trained on, `trainer.sources` decides. Decontamination and evaluation read through here
too. Sources: Pal et al. 2022 (MedMCQA), Jin et al. 2021 (MedQA), Xiong et al. 2024 (MIRAGE), and their repositories.
"""

import hashlib
import itertools
import json
import string
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from lumen_desktop.errors import InputError
from lumen_desktop.formats import objects
from lumen_desktop.formats.document import Fault, PublicDocument, PublicSection

MEDMCQA, MEDQA, MIRAGE = "medmcqa", "medqa", "mirage"  # ``facts["form"]``
_AHEAD = 1_000  # items; in the real files the third shows from where answers are counted
_MEDMCQA_OPTIONS = ("opa", "opb", "opc", "opd")

_Item = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Question:
    id: str
    form: str
    question: str
    options: dict[str, str]
    answer: str
    explanation: str = ""
    subject: str = ""
    topic: str = ""


def documents(stream: BinaryIO, name: str) -> Iterator[PublicDocument | Fault]:
    """Each question as a document of kind "mcq" with one section: question, options, answer and explanation as lines.

    ``facts``: form, question, options (letter to text), answer (letter), explanation, subject, topic; the last three
    may be empty. MedQA has no ids: a digest of question and options stands for it.

    Args:
        stream: the file's bytes: JSON Lines, a list, or MIRAGE's object of sets.
        name: unused: the form shows in the file.

    Raises:
        InputError: broken (FMT-001), cut off (FMT-002) or another format (FMT-003).
    """
    del name
    head, stream = objects.beginning(stream)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
        return _from_items(_numbered(stream))
    if _is_lines(head):
        return _from_items(objects.lines(stream))
    return _from_mirage(stream)


def _is_lines(head: bytes) -> bool:
    """Whether the first line is a whole question; MIRAGE's first line opens its sets or holds them all."""
    try:
        first = json.loads(head.removeprefix(b"\xef\xbb\xbf").lstrip().split(b"\n", 1)[0])
    except (ValueError, RecursionError):
        return False
    return isinstance(first, dict) and "question" in first


def _numbered(stream: BinaryIO) -> Iterator[_Item | Fault]:
    for number, (_, item) in enumerate(objects.entries(stream, depth=1), start=1):
        place = f"record {number}"
        yield (place, item) if isinstance(item, dict) else Fault(place, "wrong-form", "The item is no object.")


def _from_items(items: Iterator[_Item | Fault]) -> Iterator[PublicDocument | Fault]:
    ahead = list(itertools.islice(items, _AHEAD))
    known = [one for one in ahead if not isinstance(one, Fault)]
    if known and not any("opa" in item or "answer_idx" in item for _, item in known):
        raise InputError(
            "The file is neither MedMCQA's nor MedQA's.", code="FMT-003", hint="Choose the file train of either."
        )
    first = _first_answer([item for _, item in known])
    for one in itertools.chain(ahead, items):
        if isinstance(one, Fault):
            yield one
            continue
        place, item = one
        question = _medmcqa(item, first) if "opa" in item else _medqa(item)
        yield question if isinstance(question, Fault) else _checked(question, place)


def _first_answer(items: list[dict[str, Any]]) -> int | None:
    """The number of MedMCQA's first option: 1 as published, 0 in copies from Hugging Face; None where neither shows.

    Taking the one for the other would teach a wrong answer to every question.
    """
    numbers = {item.get("cop") for item in items if isinstance(item.get("cop"), int)}
    from_0, from_1 = 0 in numbers, len(_MEDMCQA_OPTIONS) in numbers
    return None if from_0 == from_1 else int(from_1)


def _medmcqa(item: dict[str, Any], first: int | None) -> _Question:
    number = item.get("cop")
    place = number - first if isinstance(number, int) and first is not None else -1
    return _Question(
        id=objects.words(item.get("id")),
        form=MEDMCQA,
        question=objects.words(item.get("question")),
        options={
            letter: objects.words(item.get(key)) for letter, key in zip("ABCD", _MEDMCQA_OPTIONS, strict=True)
        },
        answer="ABCD"[place] if 0 <= place < len(_MEDMCQA_OPTIONS) else "",
        explanation=objects.words(item.get("exp")),
        subject=objects.words(item.get("subject_name")),
        topic=objects.words(item.get("topic_name")),
    )  # fmt: skip


def _medqa(item: dict[str, Any]) -> _Question:
    options = _options(item.get("options"))
    question, answer = objects.words(item.get("question")), objects.words(item.get("answer_idx"))
    said = objects.words(item.get("answer"))
    return _Question(
        id=_digest(question, options),
        form=MEDQA,
        question=question,
        options=options,
        answer=answer if said in ("", options.get(answer)) else "",
    )


def _from_mirage(stream: BinaryIO) -> Iterator[PublicDocument | Fault]:
    found = False
    for (of, key), item in objects.entries(stream, depth=2):
        if not found and not (isinstance(item, dict) and {"question", "options", "answer"} <= set(item)):
            break
        found = True
        place = f"{of}/{key}"
        if not isinstance(item, dict):
            yield Fault(place, "wrong-form", "The item is no object.")
            continue
        question = _Question(
            place, MIRAGE, objects.words(item.get("question")), _options(item.get("options")),
            objects.words(item.get("answer")), subject=of,
        )  # fmt: skip
        yield _checked(question, place)
    if not found:
        raise InputError(
            "The file holds no multiple choice questions of a known form.",
            code="FMT-003",
            hint="Choose a file of MedMCQA, MedQA or MIRAGE.",
        )


def _options(value: object) -> dict[str, str]:
    if isinstance(value, list):
        value = {one.get("key"): one.get("value") for one in value if isinstance(one, dict)}
    return {str(letter): objects.words(text) for letter, text in value.items()} if isinstance(value, dict) else {}


def _checked(question: _Question, place: str) -> PublicDocument | Fault:
    letters = tuple(question.options)
    if not question.question or len(letters) < 2 or letters != tuple(string.ascii_uppercase[: len(letters)]):  # noqa: PLR2004
        return Fault(question.id or place, "wrong-form", "The item lacks a question or lettered options.")
    if not all(question.options.values()):
        return Fault(question.id or place, "no-text", "An option of the question is empty.")
    if question.answer not in letters:
        return Fault(question.id or place, "no-answer", "Which option is right cannot be said for certain.")
    if not question.id:
        return Fault(place, "no-id", "The item has no id.")
    return _document(question)


def _document(one: _Question) -> PublicDocument:
    rows = [one.question, *(f"{letter}. {text}" for letter, text in one.options.items())]
    rows.append(f"Answer: {one.answer}. {one.options[one.answer]}")
    path = tuple(part for part in (one.subject, one.topic) if part)
    facts = {
        "form": one.form, "question": one.question, "options": one.options, "answer": one.answer,
        "explanation": one.explanation, "subject": one.subject, "topic": one.topic,
    }  # fmt: skip
    text = "\n".join([*rows, one.explanation] if one.explanation else rows)
    title = one.question if len(one.question) <= 120 else one.question[:119].rstrip() + "…"  # noqa: PLR2004
    return PublicDocument(
        id=one.id, kind="mcq", title=title, sections=(PublicSection(path, "", text),), facts=facts
    )  # fmt: skip


def _digest(question: str, options: dict[str, str]) -> str:
    """Sixteen hexadecimal digits: the same question is the same document."""
    whole = json.dumps([question, options], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()[:16]
