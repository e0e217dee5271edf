"""Sites made by the command line itself, over rehearsal engines, and what a refusal looks like."""

import functools
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import pytest
import typer.main

from lumen_desktop import cli
from lumen_desktop.app import DEMONSTRATION_NOTICE
from tests.conftest import AS_HOLDER, HOLDER, PASSWORD, ROOT, lumen_command, lumen_environment
from tests.rehearsal import RehearsalSite

_built_once = functools.cache(typer.main.get_command)
Result = subprocess.CompletedProcess[str]
Rehearse = Callable[..., Result]

QUESTION = "Which batches must an investigation extend to when a batch fails its specification?"


def run_rehearsed(
    *arguments: object,
    data: Path | None,
    given: str = "",
    env: Mapping[str, str] | None = None,
    engines: Mapping[str, Any] | None = None,
) -> Result:
    """Runs `lumen` over rehearsal engines; whatever happens, no traceback is shown."""
    result = subprocess.run(
        lumen_command(*arguments, data=data, rehearsal=True),
        env=lumen_environment({"LUMEN_CHEAP_KEYS": "1", **(env or {})}, engines or {}),
        cwd=ROOT, input=given, capture_output=True, text=True, check=False, timeout=240, errors="surrogateescape",
    )  # fmt: skip
    assert "Traceback" not in result.stderr, result.stderr
    return result


def refusal(result: Result) -> str:
    """The code of a refusal, which is one line with code and hint, and nothing on standard output."""
    assert result.returncode == 2, result
    assert result.stdout == ""
    lines = [line for line in result.stderr.splitlines() if line != DEMONSTRATION_NOTICE]
    assert len(lines) == 1, result.stderr
    code, rest = lines[0].split(": ", 1)
    assert " Hint: " in rest
    return code


def document(result: Result, status: int = 0) -> Any:
    """The one JSON document on standard output."""
    assert result.returncode == status, result
    return json.loads(result.stdout)


class Here(Protocol):
    """Runs a command line in this process."""

    def __call__(
        self, *arguments: object, data: Path | None, password: str = "", user: str = HOLDER.user, given: str = ""
    ) -> Result: ...


@pytest.fixture
def here(rehearsed: type[RehearsalSite], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Here:
    """As `run_rehearsed`, without the second that a process takes to start: for tables of refusals."""
    monkeypatch.setattr(typer.main, "get_command", _built_once)  # as a process does

    def run(
        *arguments: object, data: Path | None, password: str = "", user: str = HOLDER.user, given: str = ""
    ) -> Result:
        for name, value in (("LUMEN_USER", user), ("LUMEN_PASSWORD", password)):
            if password:
                monkeypatch.setenv(name, value)
            else:
                monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        words = [*(["--data", str(data)] if data else []), *map(str, arguments)]
        capfd.readouterr()
        status = cli.run(words)
        out, err = capfd.readouterr()
        return Result(words, status, out, err)

    return run


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demonstration that `lumen demo` made, with two answers; not to be changed."""
    folder = tmp_path_factory.mktemp("cli") / "demo"
    for arguments in (["demo"], ["ask", QUESTION, "--json"], ["ask", "What is chocolate?", "--json"]):
        made = run_rehearsed(*arguments, data=folder)
        assert made.returncode == 0, made.stderr
    return folder


@pytest.fixture
def demo(demo_folder: Path, tmp_path: Path) -> Path:
    """A copy of the demonstration."""
    return Path(shutil.copytree(demo_folder, tmp_path / "demo"))


@pytest.fixture
def own(site_folder: Path, here: Here) -> Callable[..., Result]:
    """Runs `lumen` on a copy of the stocked site, whose holder's name and password stand in the environment.

    ``engines``, ``given`` or ``apart`` run it in a process of its own, which each command is once at least.
    """

    def run(
        *arguments: object, given: str = "", engines: Mapping[str, Any] | None = None, apart: bool = False
    ) -> Result:
        if not given and engines is None and not apart:
            return here(*arguments, data=site_folder, password=PASSWORD)
        env = {**AS_HOLDER}
        return run_rehearsed(*arguments, data=site_folder, given=given, env=env, engines=engines)

    return run
