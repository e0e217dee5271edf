"""The steps of the set-up, in order, and what follows: starting the application or checking the source.

Called through `installers/bootstrap.py`. A step whose stamp is current costs nothing, so a second start only looks at
stamps and at the models' digests. Exit status: 0 done, 2 refused with one sentence; for `test`, the failed check's own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from installers import engine_check, environment, models, progress, system
from installers.environment import Environment, Step

ROOT = Path(__file__).resolve().parent.parent
# Above what a program returns by itself; Windows tells so of an illegal instruction, others with a negative number.
SIGNALS_FROM = 256
TORCH = "torch==2.13.0"
FINETUNING_LOCKS = ("finetune.lock", "converter.lock")
WORDS = "start it, check it, only set it up, or set it up with what fine-tuning needs"


def steps(here: Environment, *, for_tests: bool, finetuning: bool) -> list[Step]:
    """All steps, each with what it depends on."""

    def lock(name: str) -> str:
        return (ROOT / "installers" / name).read_text(encoding="utf-8")

    def own(title: str) -> None:
        here.pip(title, "--no-deps", "--no-build-isolation", "-e", str(ROOT))

    tests = Step("dev", "Test tools", (lock("dev.lock"),), lambda title: here.install(title, "dev.lock"))
    return [
        Step("venv", "Virtual environment", (sys.version, sys.base_prefix, str(here.folder)), here.make),
        Step("pip", "pip", (lock("pip.lock"),), here.upgrade_pip),
        Step("build", "Build tools", (lock("build.lock"),), lambda title: here.install(title, "build.lock")),
        Step(
            "packages", "Packages (compiling llama.cpp takes 3 to 10 minutes, once)", (lock("requirements.lock"),),
            lambda title: here.install(title, "requirements.lock"),
        ),
        Step(
            "trainer", "Trainer's packages", (lock("trainer.lock"),), lambda title: here.install(title, "trainer.lock"),
        ),
        *(_finetuning(here) if finetuning else []),
        Step("lumen", "Lumen itself", ((ROOT / "pyproject.toml").read_text(encoding="utf-8"),), own),
        *([tests] if for_tests else []),
    ]  # fmt: skip


def _finetuning(here: Environment) -> list[Step]:
    """What makes a model: it is large, and neither the app nor the trainer's first half needs it."""
    lock, converter = ((ROOT / "installers" / name).read_text(encoding="utf-8") for name in FINETUNING_LOCKS)
    return [
        Step("finetune", "Fine-tuning packages", (lock,), lambda title: here.install(title, FINETUNING_LOCKS[0])),
        # With what it depends on, unlike all others: on a machine with a GPU that is CUDA, which no lock of ours names.
        Step("torch", "PyTorch", (TORCH,), lambda title: here.pip(title, *environment.RAW_PROGRESS, TORCH)),
        Step(
            "converter", "Converter to GGUF", (converter,),
            lambda title: here.install_apart(title, FINETUNING_LOCKS[1], "converter"),
        ),
    ]  # fmt: skip


def set_up(here: Environment, *, for_tests: bool, finetuning: bool) -> None:
    """Do what is not done yet.

    Raises:
        MissingError: the machine lacks something.
        CommandFailedError: a step's command failed.
        ModelError: models.toml cannot be read.
    """
    due = _due(here, steps(here, for_tests=for_tests, finetuning=finetuning))
    if due:
        system.ensure(log=here.log)
    for number, step in enumerate(due, start=1):
        environment.do(here, step, f"[{number}/{len(due)}] {step.title}")
    _models(here)
    check = Step("engine", "Engine check", (engine_check.processor(), *_locks()), lambda title: _check(here, title))
    if not environment.is_done(here, check):
        environment.do(here, check, check.title)


def _due(here: Environment, all_steps: list[Step]) -> list[Step]:
    """The steps to do; all of them where the virtual environment has to be made, because a new one is empty."""
    first, *others = all_steps
    if here.mark.exists() or not environment.is_done(here, first):
        return [first, *others]
    return [step for step in others if not environment.is_done(here, step)]


def _locks() -> list[str]:
    return [(ROOT / "installers" / name).read_text(encoding="utf-8") for name in ("build.lock", "requirements.lock")]


def _models(here: Environment) -> None:
    catalogue = models.read_catalogue()
    if len(models.sound_notes(catalogue, models.default_folder())) < len(catalogue):
        here.run("Starter models", "-m", "installers.models")


def _check(here: Environment, title: str) -> None:
    """Try the engine; where the processor stops it, build it for this processor and try once more."""
    try:
        here.run(title, "-m", "installers.engine_check")
    except progress.CommandFailedError as failure:
        if 0 < failure.status < SIGNALS_FROM:
            raise
        here.rebuild("Compiling llama.cpp for this processor", "llama-cpp-python", "requirements.lock")
        here.run(title, "-m", "installers.engine_check")


def _start(here: Environment, arguments: list[str]) -> int:
    """Become the application, so that its signals and its terminal are its own."""
    command = [str(here.python), *arguments]
    if sys.platform == "win32":
        return subprocess.run(command, cwd=ROOT, check=False).returncode
    os.chdir(ROOT)
    return os.execv(command[0], command)  # noqa: S606 - no shell is wanted


def main(arguments: list[str]) -> int:
    """Set up, then do what was asked for."""
    parser = argparse.ArgumentParser(prog="bootstrap.py", description="Set up Lumen Desktop, and start or check it.")
    parser.add_argument("command", choices=("run", "test", "setup", "trainer"), help=WORDS)
    command = parser.parse_args(arguments).command
    try:
        with environment.locked(ROOT) as here:
            set_up(here, for_tests=command == "test", finetuning=command in {"test", "trainer"})
    except progress.CommandFailedError as failure:
        return _explain(failure)
    except (system.MissingError, models.ModelError) as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"The set-up cannot read or write what it needs: {error}.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from here.", file=sys.stderr)
        return 130
    after = {"run": ["-m", "lumen_desktop"], "test": ["-m", "installers.checks"]}
    return _start(here, after[command]) if command in after else 0


def _explain(failure: progress.CommandFailedError) -> int:
    for line in failure.tail:
        print(f"  | {line}", file=sys.stderr)
    print(
        f"That step failed; the lines above are its last, and {ROOT / '.venv' / environment.LOG} has all of them. "
        "Without a network, or with one that broke off, start the same command again: it goes on from here. "
        "If it fails at the same place, delete the folder .venv and start once more.",
        file=sys.stderr,
    )
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
