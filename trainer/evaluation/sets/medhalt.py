"""Med-HALT's three tests of reasoning: senseless questions, "none of the above", and wrong answers that are proposed.

Source: Pal et al. 2023, arXiv 2307.15343, and the files of its repository. Knows no model.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from trainer.evaluation.prompts import Choice
from trainer.evaluation.sets.reading import Fields, bad, options, records, text

TESTS = ("fake", "nota", "fct")
_PROPOSED = ("correct answer", "student_answer", "proposed_answer")  # what the files call the answer that is proposed
_MOST_OPTIONS = 10


def medhalt(folder: Path) -> Iterator[Choice]:
    """The tests whose files lie in a folder: reasoning_fake, reasoning_nota, reasoning_FCT, as CSV, JSON or JSON lines.

    Raises:
        InputError: none does, or a record is wrong (TRN-090).
    """
    files = {test: _file(folder, test) for test in TESTS}
    if not any(files.values()):
        raise bad(folder, "it holds none of reasoning_fake, reasoning_nota and reasoning_FCT")
    for test, path in files.items():
        if path:
            for number, (where, fields) in enumerate(records(path), start=1):
                yield _READ[test](path, where, fields, number)


def _file(folder: Path, test: str) -> Path | None:
    found = sorted(path for path in folder.glob("*") if path.suffix in {".csv", ".json", ".jsonl"})
    return next((path for path in found if path.stem.lower().endswith(test)), None)


def _fake(path: Path, where: str, fields: Fields, number: int) -> Choice:
    """A question without sense: its last option, "I do not know", is right."""
    given = _listed(path, where, fields)
    return _made(path, where, fields, number, test="fake", given=given, right=len(given) - 1)


def _nota(path: Path, where: str, fields: Fields, number: int) -> Choice:
    """The right option was taken out: "None of the above" is right."""
    given = _listed(path, where, fields)
    return _made(path, where, fields, number, test="nota", given=given, right=_right(path, where, fields, given))


def _fct(path: Path, where: str, fields: Fields, number: int) -> Choice:
    """An answer is proposed, mostly a wrong one."""
    given = _listed(path, where, fields)
    all_fields: Mapping[str, object] = {**fields, **options(path, where, fields.get("options"))}
    proposed = text(path, where, all_fields, *_PROPOSED)
    rows = "\n".join(f"{letter}. {option}" for letter, option in zip("ABCDEFGHIJ", given, strict=False))
    right = given[_right(path, where, fields, given)]
    return Choice(
        id=_id(fields, number), set="medhalt-fct", form="proposed", options=("yes", "no"),
        question=text(path, where, fields, "question"), context=f"{rows}\nProposed answer: {proposed}",
        wanted="yes" if proposed == right else "no",
    )  # fmt: skip


_READ = {"fake": _fake, "nota": _nota, "fct": _fct}


def _listed(path: Path, where: str, fields: Fields) -> tuple[str, ...]:
    """The options in the order of their numbers."""
    given = {name: value for name, value in options(path, where, fields.get("options")).items() if name.isdigit()}
    if not 2 <= len(given) <= _MOST_OPTIONS:  # noqa: PLR2004 - one option is no choice
        raise bad(path, "it has no numbered options", where)
    return tuple(given[name] for name in sorted(given, key=int))


def _right(path: Path, where: str, fields: Fields, given: tuple[str, ...]) -> int:
    written = str(fields.get("correct_index", "")).removesuffix(".0")
    if not written.isdigit() or int(written) >= len(given):
        raise bad(path, "its correct_index is none of the options", where)
    return int(written)


def _made(
    path: Path, where: str, fields: Fields, number: int, *, test: str, given: tuple[str, ...], right: int
) -> Choice:
    return Choice(
        id=_id(fields, number), set=f"medhalt-{test}", form="medqa", question=text(path, where, fields, "question"),
        options=given, wanted="ABCDEFGHIJ"[right],
    )  # fmt: skip


def _id(fields: Fields, number: int) -> str:
    return str(fields.get("id") or number)
