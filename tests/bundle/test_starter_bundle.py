"""The starter model in a sealed bundle: taken out again, it answers through the app's own engine child."""

import hashlib
from pathlib import Path

import pytest

from lumen_desktop import paths
from lumen_desktop.bundle import BuildManifest, Signer, check_gguf, extract, seal, write
from lumen_desktop.engine import ChatEngine, Finished, Sampling, Turn
from tests.bundle.conftest import DIGEST, GOLDEN_TEXT, Judge, facts

pytestmark = pytest.mark.model
STARTER = "smollm2-135m-instruct-q8_0.gguf"
QUESTION = [Turn("user", "What is the heart and what does it do?")]
GREEDY = Sampling(answer_tokens=24)


def answer(model: Path, template: Path) -> str:
    engine = ChatEngine(model, template=template, threads=1, context_tokens=512)
    try:
        return "".join(event.text for event in engine.generate(QUESTION, GREEDY) if not isinstance(event, Finished))
    finally:
        engine.close()


def starter_facts(model: Path, template: Path) -> BuildManifest:
    found = check_gguf(model)
    return facts(
        name="smollm2-135m", quantisation="Q8_0", parameters=found.parameters, context_tokens=found.context_tokens,
        vocabulary=found.vocabulary, tokenizer_sha256=found.tokenizer_sha256,
        template_sha256=hashlib.sha256(template.read_bytes()).hexdigest(), evaluation_sha256=DIGEST,
    )  # fmt: skip


def test_a_model_out_of_a_sealed_bundle_answers(tmp_path: Path, publishers: tuple[Signer, ...], judge: Judge) -> None:
    model, template = paths.models() / STARTER, paths.resources() / "prompts" / "smollm2.jinja"
    if not model.is_file():
        pytest.skip(f"{STARTER} is missing: run the set-up")
    golden = tmp_path / "golden"
    golden.write_bytes(GOLDEN_TEXT)
    path = tmp_path / "starter.lumenbuild"
    parts = {"model.gguf": model, "chat_template.jinja": template, "golden_prompts.jsonl": golden}
    write(path, starter_facts(model, template), parts)
    for publisher in publishers[:2]:
        seal(path, publisher)
    verified = judge(path)
    for name in ("model.gguf", "chat_template.jinja"):
        extract(path, name, tmp_path / name, manifest=verified.manifest)
    answered = answer(tmp_path / "model.gguf", tmp_path / "chat_template.jinja")
    assert answered == answer(model, template)
    assert "heart" in answered
