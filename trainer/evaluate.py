"""Asks a GGUF every question there is and writes down each answer and the scores. Called by `trainer.cli.evaluate`.

The recipe, read from top to bottom: what is asked, by whom it is answered, set after set, the scores, the speed. Every
answer lies on the disk before the next question is put, so that a run goes on where it was stopped or killed.
"""

import importlib.metadata
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

import lumen_desktop
from lumen_desktop.errors import InputError
from trainer.base import prepare
from trainer.collect import Stop
from trainer.config import Config
from trainer.dataset.chance import Chance
from trainer.evaluation import invented, own, scoring, sets, speed
from trainer.evaluation.asking import Asker
from trainer.evaluation.keeping import answered, opened
from trainer.evaluation.letters import GgufScorer, Letters
from trainer.evaluation.prompts import Choice
from trainer.evaluation.questions import Open, digest, part, share
from trainer.evaluation.results import ITEMS, Evaluation, Item, Score
from trainer.lines import LinesFile
from trainer.llama import GgufModel
from trainer.ownership.manifest import digested
from trainer.ownership.work import Work

FORM = 1  # of questions, wordings and judgements; another number is asked and compared anew
TURNED = 0.2  # share of the letter questions that are asked with their options in other orders too
_UNCALIBRATED = "medhalt"  # sets whose letters say nothing of the model's certainty on real questions

Told = Callable[[str, int, int], None]


def evaluate(
    config: Config, *, model: Path | None = None, name: str = "", quick: bool | None = None,
    stop: Stop | None = None, told: Told = lambda _stage, _done, _all: None,
) -> Evaluation:  # fmt: skip
    """Asks a model; goes on where a run that was stopped or killed left off.

    Args:
        config: what is asked, and where the dataset and the answers lie.
        model: a GGUF; None is the one that the configuration ships. Another than that is taken for the base and is
            shown ``evaluate.shots`` worked examples with each own question.
        name: of the folder under ``evaluated``; without one, the file's name.
        quick: instead of the configuration's.
        stop: ends the run between two questions.
        told: told the set, how many of its questions are answered, and how many there are.

    Raises:
        InputError: no model (TRN-091), a question file that cannot be used (TRN-090), nothing to ask (TRN-094), a model
            with another template than the base's (TRN-095).
        Stopped: what was answered stays.
        StorageError: TRN-010, TRN-014.
    """
    file = model or built(config)
    _refuse_missing(file)
    quick = config.evaluate.quick if quick is None else quick
    asked = questions(config, quick=quick)
    folder = Work(config.work_folder).evaluated / folder_name(name or file.stem)
    shots = 0 if file.absolute() == built(config).absolute() else config.evaluate.shots
    run = _Run(config, file, folder, quick=quick, shots=shots)
    told("digest", 0, 1)
    with opened(folder, run.identity(asked)):
        items = run.ask(asked, stop or Stop(), told)
        told("speed", 0, 1)
        evaluation = run.scored(asked, items)
        evaluation.write(folder)
    return evaluation


def built(config: Config) -> Path:
    """The file that the configuration ships."""
    name = f"{config.release.name}-{config.export.ship}.gguf"
    return Work(config.work_folder).exported / name


def folder_name(written: str) -> str:
    """A model's name as a folder has it: small letters, digits, dots and dashes."""
    return re.sub(r"[^a-z0-9.]+", "-", written.lower()).strip("-.")[:80] or "model"


@dataclass(frozen=True, slots=True)
class Asked:
    """All that a model is asked, by set, in order: first what is answered by letters."""

    letters: Mapping[str, Sequence[Choice]]
    words: Mapping[str, Sequence[Open]]

    @property
    def all(self) -> list[Choice | Open]:
        """Every question."""
        return [one for of in (self.letters, self.words) for some in of.values() for one in some]


def questions(config: Config, *, quick: bool) -> Asked:
    """Every question, or of each set a fixed part.

    Raises:
        InputError: TRN-090, TRN-094, or a damaged dataset (TRN-008, TRN-009).
    """
    settings = config.evaluate
    letters = sets.letter_questions(config)
    if quick:
        most = share({name: len(some) for name, some in letters.items()}, settings.quick_items)
        letters = {name: part(some, most[name]) for name, some in letters.items()}
    own_questions = own.questions(Work(config.work_folder))
    words = {name: _by_shots(part(some, settings.own_items)) for name, some in own_questions.items()}
    over = [one for name in own.OVER_PASSAGES for one in words.get(name, ())]
    words["invented"] = invented.questions(over, settings.own_items)
    for name, some in sets.word_questions(config).items():
        words[name] = part(some, settings.own_items) if quick else part(some, len(some))
    asked = Asked({name: part(some, len(some)) for name, some in letters.items() if some},
                  {name: some for name, some in words.items() if some})  # fmt: skip
    if not asked.all:
        raise InputError(
            "There is nothing to ask: no dataset with a test part and no question set.", code="TRN-094",
            hint="Run `lumen-trainer dataset` first, or name question files under evaluate.sets.",
        )  # fmt: skip
    return asked


def _by_shots(some: Sequence[Open]) -> list[Open]:
    """Those with the same worked examples one after the other, so that the model reads them once."""
    return sorted(some, key=lambda one: [turn.content for turn in one.shots])


def _refuse_missing(file: Path) -> None:
    if not file.is_file():
        raise InputError(
            f"There is no model {file.name} to evaluate.", code="TRN-091",
            hint="Run `lumen-trainer export` first, or name a GGUF file with --model.",
        )  # fmt: skip


class _Run:
    """One model being asked."""

    def __init__(self, config: Config, file: Path, folder: Path, *, quick: bool, shots: int) -> None:
        self._config, self._file, self._folder = config, file, folder
        self._quick, self._shots = quick, shots
        self._sha256 = digested(file).sha256
        self._threads = config.finetune.threads or psutil.cpu_count(logical=False) or 1

    def identity(self, asked: Asked) -> dict[str, object]:
        """What decides the answers."""
        settings = self._config.evaluate
        return {
            "model": self._sha256, "asked": digest(asked.all, FORM, settings.answer_tokens), "shots": self._shots,
            "context_tokens": settings.context_tokens, "threads": self._threads, "programs": _programs(),
        }  # fmt: skip

    def ask(self, asked: Asked, stop: Stop, told: Told) -> dict[str, list[Item]]:
        """Every set's items."""
        settings = self._config.evaluate
        found: dict[str, list[Item]] = {}
        with GgufModel(self._file, context_tokens=settings.context_tokens, threads=self._threads) as gguf:
            asker = self._asker(gguf) if asked.words else None
            letters = Letters(GgufScorer(gguf), context_tokens=settings.context_tokens)
            for name, choices in asked.letters.items():
                found[name] = answered(
                    self._folder, name, choices, lambda one: letters.answer(one, turned=_turned(one)),
                    stop=stop, told=told,
                )  # fmt: skip
            for name, some in asked.words.items():
                assert asker is not None
                found[name] = answered(self._folder, name, some, asker.answer, stop=stop, told=told)
        return found

    def _asker(self, gguf: GgufModel) -> Asker:
        """Puts conversations by the base's template, which the file must carry too."""
        from trainer.base import tokenizer  # noqa: PLC0415 - torch and transformers take seconds
        from trainer.turns import Turns  # noqa: PLC0415

        prepared = prepare(self._config)
        carried = gguf.metadata.get("tokenizer.chat_template", "")
        if carried.strip() != prepared.template.strip() and not self._config.base.template:
            raise InputError(
                f"{self._file.name} has another chat template than the base of this configuration.", code="TRN-095",
                hint="Evaluate it with the configuration that it was made with.",
            )  # fmt: skip
        settings = self._config.evaluate
        return Asker(
            gguf, Turns(prepared, tokenizer(prepared)).prompt, context_tokens=settings.context_tokens,
            answer_tokens=settings.answer_tokens, shots=self._shots,
        )  # fmt: skip

    def scored(self, asked: Asked, found: dict[str, list[Item]]) -> Evaluation:
        """The scores, and how fast it answers."""
        settings = self._config.evaluate
        answerable = scoring.answerable(found, own.ANSWERED)
        if answerable:
            found = {**found, scoring.ANSWERABLE: answerable}
            with LinesFile(self._folder / ITEMS / f"{scoring.ANSWERABLE}.jsonl") as file:
                for item in answerable:
                    file.write(item.as_line())
        real = [item for name in asked.letters if not name.startswith(_UNCALIBRATED) for item in found[name]]
        temperature, calibration = scoring.calibration(real)
        scores: list[Score] = [scoring.score(name, items) for name, items in found.items()]
        return Evaluation(
            model=self._folder.name,
            sha256=self._sha256,
            quick=self._quick,
            asked=digest(asked.all, FORM, settings.answer_tokens),
            scores=(*scores, *([calibration] if calibration else [])),
            temperature=temperature,
            speed=speed.measured(self._file, context_tokens=settings.context_tokens, threads=self._threads),
            made_by={**_programs(), "shots": str(self._shots), "threads": str(self._threads)},
        )


def _turned(one: Choice) -> bool:
    return Chance(1, one.id).happens("turned", TURNED)


def _programs() -> dict[str, str]:
    return {
        "lumen": lumen_desktop.__version__,
        "llama_cpp_python": importlib.metadata.version("llama-cpp-python"),
    }
