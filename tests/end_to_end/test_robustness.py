"""Offline in every process, and nothing lost when it is killed or its model files are damaged."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lumen_desktop import paths
from tests.conftest import ROOT, Lumen, lumen_command, lumen_environment
from tests.end_to_end.conftest import BATCHES

UNSHARE, STRACE = "/usr/bin/unshare", "/usr/bin/strace"


def permitted(*command: str) -> bool:
    try:
        return subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.mark.model
def test_asking_and_adding_open_no_network_socket(demonstration: Path, tmp_path: Path) -> None:
    """Without any network, and under the eyes of strace; every child process included."""
    if not permitted(UNSHARE, "-rn"):
        pytest.skip("a name space without network is not permitted here")
    if not permitted(UNSHARE, "-rn", STRACE, "-f", "-qq", "-e", "trace=network", "-o", str(tmp_path / "try")):
        pytest.skip("strace is absent or not permitted here")
    document = tmp_path / "sop.md"
    document.write_text("# SOP 7\n\n## Cleaning\n\nShared equipment is cleaned within 24 hours.\n", encoding="utf-8")
    jobs = (["ask", BATCHES, "--prose", "--json"], ["library", "add", str(document), "--json"])
    for number, arguments in enumerate(jobs):
        trace = tmp_path / f"trace{number}"
        watch = [UNSHARE, "-rn", STRACE, "-f", "-qq", "-e", "trace=network", "-o", str(trace)]
        done = subprocess.run(
            [*watch, *lumen_command(*arguments, data=demonstration)], env=lumen_environment(), cwd=ROOT,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout)
        assert result.get("status") == "grounded" or result.get("added") == 1
        calls = trace.read_text(encoding="utf-8")
        assert not re.search("AF_INET|PF_INET|AF_PACKET|AF_NETLINK", calls), calls


@pytest.mark.model
def test_the_application_without_a_command_answers_a_sample(demonstration_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(demonstration_folder, tmp_path / "Lumen Desktop" / "demonstration")
    no_display = {"DISPLAY": "", "WAYLAND_DISPLAY": "", "QT_QPA_PLATFORM": ""}
    env = lumen_environment({"XDG_DATA_HOME": str(tmp_path), **no_display})
    if sys.platform != "linux":
        pytest.skip("the place of user data is set as on Linux")
    done = subprocess.run(
        [sys.executable, "-m", "lumen_desktop"], env=env, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "other batches of the same" in done.stdout
    assert "DEMONSTRATION" in done.stdout
    assert "emergenc" in done.stdout.lower()


@pytest.mark.model
@pytest.mark.parametrize(("damage", "code"), [("truncated", "BLD-003"), ("missing", "BLD-002"), ("none", "BLD-001")])
def test_a_damaged_model_file_is_one_line(
    demonstration: Path, tmp_path: Path, lumen: Lumen, damage: str, code: str
) -> None:
    models = tmp_path / "models"
    models.mkdir()
    if damage != "none":
        shutil.copy(paths.models() / "installed.json", models)
    if damage == "truncated":
        (embedding,) = paths.models().glob("all-minilm*.gguf")
        (models / embedding.name).write_bytes(embedding.read_bytes()[:1_000_000])
    result = lumen("ask", BATCHES, data=demonstration, env={"LUMEN_MODELS": str(models)})
    assert result.returncode == 2
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 2  # the demonstration's notice and the refusal
    assert lines[1].startswith(f"{code}: ")
    assert "bootstrap" in lines[1]


@pytest.mark.skipif(os.name != "posix", reason="kills are POSIX signals")
def test_nothing_is_lost_by_kills_at_random_points() -> None:
    """A few points of `python -m tests.bench kill`, which does a hundred."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", "kill", "--points", "6", "--engine-points", "3", "--seed", "3"],
        env=lumen_environment(), cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    assert result["processes"]["points"] == 6
    assert result["processes"]["faults"] == result["engines"]["faults"] == []
