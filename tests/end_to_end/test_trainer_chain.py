"""The whole chain on a tiny model of BioMistral's kind: from files to a sealed build that answers in the engine."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from lumen_desktop.bundle import extract
from lumen_desktop.engine import ChatEngine
from lumen_desktop.engine.protocol import Sampling, Turn
from tests.conftest import ROOT
from trainer.convert import converter

pytestmark = pytest.mark.timeout(900)
PASSPHRASE = "a passphrase of some length"


@dataclass(frozen=True)
class Chain:
    """A work folder after `lumen-trainer run`, and what the command said."""

    folder: Path
    said: str

    @property
    def work(self) -> Path:
        return self.folder / "work"

    def trainer(self, *arguments: str, typed: str = "") -> "subprocess.CompletedProcess[str]":
        return trainer(self.folder, arguments, typed)


def trainer(folder: Path, arguments: Sequence[str], typed: str = "") -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    command = [sys.executable, "-m", "trainer", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, input=typed, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    if not (converter() / "convert_hf_to_gguf.py").is_file():
        pytest.skip("llama.cpp's converter is not installed; `bootstrap.py test` puts it there")
    folder = tmp_path_factory.mktemp("chain")
    configs = ROOT / "trainer" / "configs"
    shutil.copytree(configs / "sample", folder / "sample")
    written = (configs / "tiny_mistral.yaml").read_text(encoding="utf-8")
    (folder / "tiny.yaml").write_text(written.replace("work: ../../build/tiny-mistral", "work: work"), encoding="utf-8")
    ended = trainer(folder, ["run", "--config", "tiny.yaml"])
    assert ended.returncode == 1, ended.stderr  # a random model does not pass the gate
    return Chain(folder, ended.stdout)


def test_every_step_says_what_it_did_and_the_gate_why_it_holds_the_build_back(chain: Chain) -> None:
    steps = [line.split()[0] for line in chain.said.splitlines()[:7]]
    assert steps == ["collect", "dataset", "finetune", "merge", "export", "evaluate", "gate"]
    assert "The gate holds it back" in chain.said
    for name in (
        "finetuned/run.json",
        "finetuned/progress.html",
        "gated/gate.json",
        "gated/report.html",
        "gated/report.pdf",
    ):
        assert (chain.work / name).stat().st_size > 0


def test_the_files_are_the_trained_model(chain: Chain) -> None:
    files = json.loads((chain.work / "exported" / "export.json").read_bytes())["files"]
    assert set(files) == {"F16", "Q8_0", "Q4_K_M"}
    assert all(one["token_ids_equal"] == 1 and one["template_equal"] for one in files.values())
    assert files["F16"]["kl_mean"] <= 1e-4
    assert files["F16"]["kl_mean"] <= files["Q8_0"]["kl_mean"] <= files["Q4_K_M"]["kl_mean"]


def test_a_second_run_does_nothing_again(chain: Chain) -> None:
    again = chain.trainer("run", "--config", "tiny.yaml", "--json")
    assert again.returncode == 1
    done = {step["name"]: step["skipped"] for step in json.loads(again.stdout)["steps"]}
    assert done == {name: name != "collect" for name in done}
    assert len(done) == 7


def test_the_dry_run_tries_each_part(chain: Chain) -> None:
    tried = chain.trainer("run", "--config", "tiny.yaml", "--dry-run")
    assert tried.returncode == 0, tried.stdout + tried.stderr
    words = [line.split()[:2] for line in tried.stdout.splitlines()]
    assert words == [["yes", name] for name in ("data", "template", "tokens", "room", "training", "export")]


def test_two_publishers_seal_it_and_it_answers_in_the_engine(chain: Chain, tmp_path: Path) -> None:
    secret = f"{PASSPHRASE}\n"
    for name in ("one", "two", "three"):
        made = chain.trainer("keygen", name, "--folder", str(tmp_path), "--password-stdin", typed=secret)
        assert made.returncode == 0, made.stderr
    private = {name: str(tmp_path / f"{name}.key.json") for name in ("one", "two", "three")}
    public = [word for name in private for word in ("--key", str(tmp_path / f"{name}.public.json"))]
    root = str(tmp_path / "root.json")
    assert chain.trainer("root", "make", root, *public, "--expires", "2090-01-01").returncode == 0
    for name in ("one", "two"):
        sealed = chain.trainer("root", "sign", root, "--key", private[name], "--password-stdin", typed=secret)
        assert sealed.returncode == 0, sealed.stderr

    def release(name: str) -> Path:
        arguments = ["--config", "tiny.yaml", "--sign", private[name], "--password-stdin", "--json"]
        done = chain.trainer("release", *arguments, typed=secret)
        assert done.returncode == 0, done.stderr
        return Path(json.loads(done.stdout)["bundle"])

    bundle = chain.folder / release("one")
    assert chain.trainer("verify", str(bundle), "--root", root).returncode == 1  # one of two
    release("three")
    verified = chain.trainer("verify", str(bundle), "--root", root)
    assert verified.returncode == 0, verified.stdout
    assert "sealed by one, three" in verified.stdout
    assert "Gate FAIL; prose not allowed" in verified.stdout
    _answers(bundle, tmp_path)
    _refused_with_one_byte_changed(chain, bundle, root)


def _answers(bundle: Path, folder: Path) -> None:
    extract(bundle, "model.gguf", folder / "model.gguf")
    extract(bundle, "chat_template.jinja", folder / "template.jinja")
    engine = ChatEngine(folder / "model.gguf", template=folder / "template.jinja", threads=1, context_tokens=512)
    try:
        said = list(engine.generate([Turn("user", "What is the usual dose?")], Sampling(answer_tokens=8)))
    finally:
        engine.close()
    assert said


def _refused_with_one_byte_changed(chain: Chain, bundle: Path, root: str) -> None:
    size = bundle.stat().st_size
    for place in (0, size // 3, size // 2, size - 1):
        with bundle.open("r+b") as file:
            file.seek(place)
            byte = file.read(1)
            file.seek(place)
            file.write(bytes([byte[0] ^ 1]))
        assert chain.trainer("verify", str(bundle), "--root", root).returncode in {1, 2}
        with bundle.open("r+b") as file:
            file.seek(place)
            file.write(byte)
    assert chain.trainer("verify", str(bundle), "--root", root).returncode == 0
