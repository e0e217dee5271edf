"""The steps of a build, from files that were downloaded to a bundle without seals: what each takes, makes and says.

`trainer.running` does them; every step is also a command of its own. torch and llama.cpp are imported by the step that
needs them.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path

from trainer import building, collect
from trainer.collect import Stop
from trainer.config import Config
from trainer.ownership.work import SPLITS, Work
from trainer.running import Step, Told

_SHIPPED, _BASE = "shipped", "base"
_DATA = ("sources", "collect", "dataset")


def steps() -> tuple[Step, ...]:
    """All of them, in order."""
    return (
        Step("collect", ("sources", "collect"), lambda _: [], _collection, _collect, looks=True),
        Step("dataset", _DATA, _records, _splits, _dataset),
        Step("finetune", ("base", "finetune", "preference"), _splits, _adapter, _finetune),
        Step("merge", ("base", "finetune", "export"), _trained, _merged, _merge),
        Step("export", ("base", "export", "release"), _to_export, _exported, _export),
        Step("evaluate", ("base", "export", "evaluate", "release"), _to_ask, _evaluations, _evaluate),
        Step("gate", ("gate", "export", "release"), _to_judge, _gate_files, _gate),
    )


def _work(config: Config) -> Work:
    return Work(config.work_folder)


def _collection(config: Config) -> Sequence[Path]:
    return [_work(config).collected / "summary.json"]


def _collect(config: Config, stop: Stop, told: Told) -> str:
    done = collect.collect(config, stop=stop, progress=lambda done, total, _words: told("bytes", done, total))
    documents = sum(tally.documents for tally in done.sources.values())
    return f"{documents:,} documents collected"


def _records(config: Config) -> Sequence[Path]:
    return [*_collection(config), *_work(config).record_files()]


def _splits(config: Config) -> Sequence[Path]:
    return [_work(config).dataset / f"{split}.jsonl" for split in SPLITS]


def _dataset(config: Config, stop: Stop, told: Told) -> str:
    built = building.build(config, stop=stop, told=told)
    counts = [f"{part['examples']:,} {name}" for name, part in built.report["splits"].items()]
    return f"examples: {', '.join(counts)}"


def _adapter(config: Config) -> Sequence[Path]:
    folder = _work(config).finetuned
    return [
        *(folder / "adapter" / name for name in ("adapter_config.json", "adapter_model.safetensors")),
        folder / "run.json",
    ]


def _finetune(config: Config, stop: Stop, told: Told) -> str:
    from trainer.finetune import finetune  # noqa: PLC0415 - see above

    done = finetune(config, stop=stop, told=told)
    return f"best at step {done.best_step:,}, validation loss {done.validation_loss:.4f}, {done.tokens:,} tokens"


def _trained(config: Config) -> Sequence[Path]:
    return [*_adapter(config), *_splits(config)]


def _merged(config: Config) -> Sequence[Path]:
    folder = _work(config).merged
    return [folder / "merge.json", *sorted(folder.glob("*/*.safetensors"))]


def _merge(config: Config, stop: Stop, told: Told) -> str:
    from trainer.merge import merge  # noqa: PLC0415 - see above

    merged = merge(config, stop=stop, told=told)
    losses = ", ".join(f"{name} {loss:.4f}" for name, loss in (merged.shipped or merged.losses).items())
    return f"kept {merged.kept}: validation loss {f'as {config.export.ship} ' if merged.shipped else ''}{losses}"


def _to_export(config: Config) -> Sequence[Path]:
    return [*_merged(config), *_splits(config)]


def _exported(config: Config) -> Sequence[Path]:
    folder = _work(config).exported
    names = [f"{config.release.name}-{kind}.gguf" for kind in config.export.quantisations]
    return [folder / "export.json", *(folder / name for name in names)]


def _export(config: Config, stop: Stop, told: Told) -> str:
    from trainer.export import export  # noqa: PLC0415 - see above

    exported = export(config, stop=stop, told=told)
    return ", ".join(fact.name for fact in exported.files.values())


def _to_ask(config: Config) -> Sequence[Path]:
    return [*_exported(config), *_splits(config), *_question_files(config)]


def _question_files(config: Config) -> Iterator[Path]:
    for written in config.evaluate.sets.model_dump().values():
        place = config.place(written) if written else None
        if place and place.is_dir():
            yield from sorted(path for path in place.rglob("*") if path.is_file())
        elif place:
            yield place


def _evaluations(config: Config) -> Sequence[Path]:
    return [_work(config).evaluated / name / "evaluation.json" for name in (_BASE, _SHIPPED)]


def _evaluate(config: Config, stop: Stop, told: Told) -> str:
    from trainer.evaluate import evaluate  # noqa: PLC0415 - see above
    from trainer.untouched import untouched  # noqa: PLC0415

    evaluate(config, model=untouched(config, stop=stop, told=told), name=_BASE, stop=stop, told=told)
    found = evaluate(config, name=_SHIPPED, stop=stop, told=told)
    return ", ".join(f"{score.set} {score.value:.1%}" for score in found.scores)


def _to_judge(config: Config) -> Sequence[Path]:
    return [*_exported(config), *_evaluations(config), *_adapter(config)]


def _gate_files(config: Config) -> Sequence[Path]:
    return [_work(config).gated / "gate.json"]


def _gate(config: Config, _stop: Stop, _told: Told) -> str:
    from trainer.gate import gate  # noqa: PLC0415 - see above

    result = gate(config, today=dt.datetime.now(dt.UTC).date())
    failed = [f"{check.number} {check.title}" for check in result.checks if check.stops]
    return f"{result.word}" + (f": {', '.join(failed)}" if failed else "")
