"""The model card: what the build is for and not for, what it was made of, how it fared and where it got worse.

Markdown with the head that Hugging Face reads. Every figure comes from the files that the report reads.

Source: Mitchell et al. 2019, arXiv 1810.03993; Hugging Face, "Model cards".
"""

from collections.abc import Iterator

import yaml

from trainer.dossier.sections import Told, digests, made_of, worse
from trainer.evaluation.results import Score
from trainer.gating.finding import signed
from trainer.gating.result import Outcome
from trainer.gating.waivers import given
from trainer.ownership.card import table

NAME = "model_card.md"
_INTENDED = (
    "Answers over passages that the Lumen app finds and shows, for pharmacists, clinicians and quality staff.",
    "Readers who hold each answer against the source beside it and decide themselves.",
    "Saying that the passages do not answer, where they do not.",
)
_NOT_FOR = (
    "Decisions on a patient's treatment without a professional who checks the source.",
    "Emergencies and anything else where there is no time to check.",
    "Answers from memory: without passages it was neither made nor judged to be relied on.",
    "People who ask about their own treatment.",
    "Languages other than those of its dataset.",
)
_LIMITS = (
    "It may state what no source holds; the app holds each sentence against the passages, other programs do not.",
    "Sources age: it knows nothing newer than its dataset, and what it learnt by heart may be out of date.",
    "A difference between two scores whose interval holds 0 may be chance.",
    "Figures are of one file, asked as the app asks it; another quantisation or another prompt gives others.",
)


def card(told: Told) -> str:
    """The whole card."""
    result = told.result
    parts = [
        f"---\n{_head(told)}---", f"# {result.build}, build {result.number}, {result.quantisation}",
        f"> **{result.stamp}**" if result.stamp else "", _verdict(told),
        _part("Intended use", _list(_INTENDED)), _part("Not for", _list(_NOT_FOR)),
        _part("What it was made of", table(("what", "value"), [row for row in made_of(told) if row[1]])),
        _data(told), _evaluation(told), _worse(told), _gate(told), _part("Limits", _list(_limits(told))),
        _part("Digests", table(("of", "SHA-256"), [row for row in digests(told) if row[1]])),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(told: Told) -> str:
    licence = told.base["licence"].lower()
    head = {
        "license": licence if told.result.commercial else "other",
        **({} if told.result.commercial else {"license_name": "non-commercial", "license_link": "NOTICE"}),
        "base_model": told.base["name"], "language": ["en"], "library_name": "gguf",
        "pipeline_tag": "text-generation",
        "tags": ["medical", "pharmacy", "gguf", told.result.quantisation.lower(),
                 *([] if told.result.commercial else ["non-commercial"])],
    }  # fmt: skip
    written: str = yaml.safe_dump(head, sort_keys=False, allow_unicode=True)
    return written


def _verdict(told: Told) -> str:
    said = {
        "PASS": "It passed its gate.",
        "WAIVED": "It passed its gate with waivers, which stand below.",
        "FAIL": "**It did not pass its gate** and must not write text of its own; it is for development only.",
    }
    return f"{said[told.result.word]} Judged on {told.result.day}."


def _data(told: Told) -> str:
    materials = [one for one in told.dataset.get("materials", []) if any(one["examples"].values())]
    rows = [
        (one["source"], one["licence"] or "own wording", "yes" if one["commercial"] else "**no**",
         one["used_documents"], sum(one["examples"].values()))
        for one in materials
    ]  # fmt: skip
    if not rows:
        return _part("Training data", "The dataset left no ledger.")
    head = ("source", "licence", "may be sold", "documents used", "examples")
    words = "`dataset_card.md` tells how it was collected and curated; `NOTICE` holds what the licences ask for."
    return _part("Training data", f"{table(head, rows)}\n\n{words}")


def _evaluation(told: Told) -> str:
    evaluation = told.evidence.build.evaluation
    rows = [_scored(told, score) for score in evaluation.scores if score.items and score.set != "calibration"]
    head = ("set", "asked", "measure", "build, 95 %", "base", "commonest answer", "difference in points, 95 %")
    part = "a fixed part of the public sets" if evaluation.quick else "the whole of the public sets"
    words = f"Asked of the GGUF as the app runs it, {part}; the base is the untouched model, paired by question."
    return _part("Evaluation", f"{words}\n\n{table(head, rows)}")


def _scored(told: Told, score: Score) -> tuple[object, ...]:
    base = told.evidence.base.evaluation.score(score.set) if told.evidence.base else None
    against = told.evidence.against_base.get(score.set)
    return (
        score.set, score.items, score.measure, f"{score.value:.1%} [{score.low:.1%}, {score.high:.1%}]",
        f"{base.value:.1%}" if base else "not asked",
        f"{score.majority:.1%}" if score.majority is not None else "",
        signed(against.right.difference) if against else "",
    )  # fmt: skip


def _worse(told: Told) -> str:
    found = [
        f"{one.set}: {signed(one.right.difference)} points"
        f"{'' if one.right.difference.high < 0 else ', which may be chance'}"
        for one in worse(told)
    ]
    if not told.evidence.against_base:
        return _part("What got worse", "Not known: the base was not asked the same questions.")
    return _part("What got worse", _list(found) if found else "No set that both were asked.")


def _gate(told: Told) -> str:
    rows = [(one.number, one.title, one.kind.value, one.outcome.value, one.value or "not measured", one.threshold)
            for one in told.result.checks]  # fmt: skip
    words = table(("no.", "check", "kind", "result", "measured", "line"), rows)
    waived = [f"{check.title}: {by.by}, {by.day}: {by.reason}" for check, by in given(told.result)]
    return _part("Gate", words + (f"\n\nWaived:\n\n{_list(waived)}" if waived else ""))


def _limits(told: Told) -> Iterator[str]:
    yield from _LIMITS
    absent = [one.title.lower() for one in told.result.checks if not one.value and one.outcome is not Outcome.PASS]
    if absent:
        yield f"Not measured of this build: {', '.join(absent)}."


def _part(title: str, words: str) -> str:
    return f"## {title}\n\n{words}"


def _list(words: Iterator[str] | tuple[str, ...] | list[str]) -> str:
    return "\n".join(f"- {' '.join(one.split())}" for one in words)
