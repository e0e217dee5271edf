"""The set-up does each step once, resumes, and says what a person can do about a failure."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from installers import bootstrap, engine_check, environment, progress, system
from installers.environment import Environment, Step

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def here(tmp_path: Path) -> Environment:
    """An environment in a folder whose name has spaces, not made yet."""
    root = tmp_path / "a folder with spaces"
    (root / ".venv").mkdir(parents=True)
    return Environment(root)


def run(here: Environment, code: str) -> None:
    """Run a piece of Python as a step of the set-up would run."""
    here.call("Working", [sys.executable, "-c", code])


@pytest.mark.parametrize(("version", "accepted"), [((3, 10), 0), ((3, 11), 1), ((3, 13), 1), ((3, 14), 0), ((4, 0), 0)])
def test_an_unsuitable_python_is_refused_in_one_sentence(version: tuple[int, int], *, accepted: int) -> None:
    sentence = bootstrap.refusal(*version)
    assert (sentence == "") == bool(accepted)
    if not accepted:
        assert "3.11 to 3.13" in sentence
        assert f"{version[0]}.{version[1]}" in sentence


def test_an_unknown_command_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, str(ROOT / "installers" / "bootstrap.py"), "fly"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert ended.returncode == 2
    assert "run" in ended.stderr
    assert not list(tmp_path.iterdir())


def test_a_step_is_done_once_and_again_when_its_inputs_change(here: Environment) -> None:
    calls: list[str] = []
    step = Step("one", "One", ("a",), calls.append)
    assert not environment.is_done(here, step)
    environment.do(here, step, "One")
    assert environment.is_done(here, step)
    assert not environment.is_done(here, Step("one", "One", ("b",), calls.append))
    assert calls == ["One"]


def test_a_step_that_fails_is_not_done_even_if_it_was_before(here: Environment) -> None:
    step = Step("one", "One", ("a",), lambda _title: None)
    environment.do(here, step, "One")
    failing = Step("one", "One", ("a",), lambda _title: run(here, "raise SystemExit(3)"))
    with pytest.raises(progress.CommandFailedError) as failure:
        environment.do(here, failing, "One")
    assert failure.value.status == 3
    assert not environment.is_done(here, step)


def test_a_half_made_environment_is_made_anew(here: Environment) -> None:
    (here.folder / "bin").mkdir()
    (here.folder / "bin" / "python").write_text("half a", encoding="utf-8")
    (here.folder / "pyvenv.cfg").write_text("", encoding="utf-8")
    here.log.write_text("what happened before\n", encoding="utf-8")
    here.make("Virtual environment")
    answer = subprocess.run(
        [str(here.python), "-c", "import sys; print(sys.prefix != sys.base_prefix)"],
        capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    assert answer.stdout == "True\n"
    assert here.log.read_text(encoding="utf-8").startswith("what happened before")


def test_misleading_settings_do_not_reach_pip(here: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_USER", "1")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.invalid/simple")
    monkeypatch.delenv("CMAKE_ARGS", raising=False)
    variables = here.variables()
    assert "PIP_USER" not in variables
    assert "PYTHONPATH" not in variables
    assert variables["PIP_INDEX_URL"] == "https://mirror.invalid/simple"
    assert variables["CMAKE_ARGS"] == environment.CMAKE_ARGUMENTS
    monkeypatch.setenv("CMAKE_ARGS", "-DGGML_CUDA=ON")
    assert here.variables()["CMAKE_ARGS"] == "-DGGML_CUDA=ON"


def test_a_failure_keeps_the_last_lines_and_the_log_has_all(here: Environment) -> None:
    with pytest.raises(progress.CommandFailedError) as failure:
        run(here, "for n in range(100): print('line', n)\nraise SystemExit('the reason')")
    assert failure.value.tail[-1] == "the reason"
    assert len(failure.value.tail) == progress.TAIL_LINES
    assert "line 0\n" in here.log.read_text(encoding="utf-8")


def test_progress_is_read_from_what_pip_and_ninja_say() -> None:
    sighting = progress.Sighting()
    sighting.take("  Building wheel for llama-cpp-python (pyproject.toml): started")
    assert (sighting.words(), sighting.bar()) == ("llama-cpp-python", "")
    sighting.take("Progress 38200000 of 76400000")
    assert sighting.words() == "llama-cpp-python 38 of 76 MB"
    sighting.take("  [45/180] Building CXX object x.o")
    assert sighting.words() == "llama-cpp-python 45 of 180 files compiled"
    assert sighting.bar() == "#####............... "
    assert progress.clock(133.9) == "2:13"


def test_a_second_set_up_waits_for_the_first(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from installers import environment\n"
        "with environment.locked(Path(sys.argv[1])): print('mine', flush=True); time.sleep(float(sys.argv[2]))"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen([*command, "1.5"], cwd=ROOT, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "mine\n"
        begun = time.monotonic()
        second = subprocess.run([*command, "0"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    assert second.stdout.splitlines() == ["Another set-up is at work in this folder; waiting for it to end.", "mine"]
    assert time.monotonic() - begun > 1


def test_without_the_right_to_install_the_exact_command_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # neither a compiler nor a package tool
    monkeypatch.delenv("CXX", raising=False)
    assert "a C++ compiler" in system.missing()
    with pytest.raises(system.MissingError, match="C\\+\\+ compiler"):
        system.ensure(log=tmp_path / "log")
    apt = tmp_path / "apt-get"
    apt.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    apt.chmod(0o755)
    assert f"apt-get install -y {' '.join(system.apt_packages())}" in system.by_hand()


def test_apt_that_fails_is_one_sentence_with_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "missing", lambda: ["a C++ compiler"])
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 0)
    apt = tmp_path / "apt-get"
    apt.write_text("#!/bin/sh\necho no such archive\nexit 100\n", encoding="utf-8")
    apt.chmod(0o755)
    with pytest.raises(system.MissingError, match="'apt-get update' failed"):
        system.ensure(log=tmp_path / "log")
    assert (tmp_path / "log").read_text(encoding="utf-8") == "no such archive\n"


def test_every_library_of_the_window_that_cannot_be_loaded_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(system, "WINDOW_LIBRARIES", {"libc.so.6": ("libc6",) * 4, "libnever.so.1": ("libnever1",) * 4})
    assert system.window_libraries() == ["libnever.so.1"]
    assert "libnever1" in system.apt_packages()
    monkeypatch.setattr(sys, "platform", "darwin")
    assert system.window_libraries() == []


def test_a_window_that_lacks_libraries_keeps_nobody_from_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(system, "missing", list)
    monkeypatch.setattr(system, "window_libraries", lambda: ["libEGL.so.1"])
    monkeypatch.setenv("PATH", str(tmp_path))
    dnf = tmp_path / "dnf"
    dnf.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    dnf.chmod(0o755)
    system.ensure(log=tmp_path / "log")
    said = capsys.readouterr().out
    assert "libEGL.so.1" in said
    assert "terminal" in said
    assert "sudo dnf install -y gcc-c++ libgomp python3 dbus-libs fontconfig glib2 libglvnd-egl" in said


def test_apt_is_asked_for_what_the_window_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "missing", list)
    lacking = [["libEGL.so.1"], []]
    monkeypatch.setattr(system, "window_libraries", lambda: lacking.pop(0))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 0)
    apt = tmp_path / "apt-get"
    apt.write_text('#!/bin/sh\necho "$@"\n', encoding="utf-8")
    apt.chmod(0o755)
    system.ensure(log=tmp_path / "log")
    asked = (tmp_path / "log").read_text(encoding="utf-8")
    assert all(names[system.APT] in asked for names in system.WINDOW_LIBRARIES.values())


def test_the_processor_has_a_name() -> None:
    assert len(engine_check.processor()) > len("x86_64")


def test_a_pip_that_was_killed_leaves_its_mark_and_one_that_failed_does_not(here: Environment) -> None:
    here.python.parent.mkdir()
    here.python.symlink_to(sys.executable)
    with pytest.raises(progress.CommandFailedError):
        here.pip("pip", "--no-such-option")
    assert not here.mark.exists()
    here.python.unlink()
    here.python.write_text("#!/bin/sh\nkill -9 $$\n", encoding="utf-8")
    here.python.chmod(0o755)
    with pytest.raises(progress.CommandFailedError):
        here.pip("pip", "anything")
    assert here.mark.exists()


def test_one_package_of_a_lock_stands_alone() -> None:
    lock = "a==1 \\\n    --hash=sha256:11\n    # via b\nb==2 \\\n    --hash=sha256:22 \\\n    --hash=sha256:23\n"
    assert environment.pin(lock, "a") == "a==1 \\\n    --hash=sha256:11\n    # via b\n"
    assert environment.pin(lock, "b").count("--hash") == 2
