"""The embedding model that we convert is the one that was published; the chat model keeps its own chat template."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
import llama_cpp

from installers import gguf_files, models

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = json.loads((Path(__file__).parent / "golden_vectors.json").read_text(encoding="utf-8"))
COSINE_AT_LEAST = 0.9999

pytestmark = pytest.mark.model


def starter(role: str) -> tuple[models.Model, Path]:
    """The starter model of this role and its file, or a skip where it was not made."""
    entry = next(model for model in models.read_catalogue() if model["role"] == role)
    path = models.default_folder() / str(entry["file"])
    if not path.is_file():
        pytest.skip("the starter models are not there; `python3 installers/bootstrap.py setup` makes them")
    return entry, path


@pytest.fixture(scope="module")
def encoder() -> Any:
    model = llama_cpp.Llama(
        str(starter("embedding")[1]), embedding=True, n_ctx=512, n_batch=512, n_ubatch=512, flash_attn=True,
        n_threads=1, n_threads_batch=1, verbose=False,
    )  # fmt: skip
    yield model
    model.close()


@pytest.mark.parametrize("golden", GOLDEN["vectors"], ids=lambda golden: repr(golden["text"][:24]))
def test_vectors_are_those_of_the_reference(encoder: Any, golden: Any) -> None:
    """The reference is transformers with torch on the same weights: mean over the tokens, then normalised."""
    reference = np.array(golden["vector"])
    vector = np.array(encoder.embed(golden["text"], normalize=True))
    assert vector @ reference / np.linalg.norm(reference) >= COSINE_AT_LEAST
    assert len(encoder.tokenize(golden["text"].encode(), special=False)) == golden["tokens"]


def test_the_golden_vectors_are_of_the_weights_in_the_catalogue() -> None:
    assert starter("embedding")[0]["member_sha256"] == GOLDEN["weights_sha256"]


def test_a_chat_token_in_a_text_stays_text(encoder: Any) -> None:
    """Text that spells a control token is read as letters; the reference would read the token."""
    assert len(encoder.tokenize(b"[MASK]", special=False)) > len(encoder.tokenize(b"[MASK]", special=True))


def test_the_template_is_the_models_own() -> None:
    entry, path = starter("chat")
    model = llama_cpp.Llama(str(path), vocab_only=True, verbose=False)
    template = (ROOT / "resources" / "prompts" / str(entry["chat_template"])).read_bytes()
    assert template == model.metadata["tokenizer.chat_template"].encode()
    model.close()


def test_an_unknown_type_and_a_file_that_is_no_model_are_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF but no more")
    with pytest.raises(ValueError, match="knows no type"):
        gguf_files.requantise(broken, tmp_path / "out", "Q99")
    with pytest.raises(ValueError, match="could not rewrite"):
        gguf_files.requantise(broken, tmp_path / "out", "Q8_0")


def test_every_licence_text_is_there() -> None:
    for entry in models.read_catalogue():
        assert (ROOT / "resources" / "licences" / str(entry["licence_file"])).is_file()
