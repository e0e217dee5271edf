"""Publishers, their root file, and a small bundle with a real model's form."""

import datetime as dt
import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lumen_desktop.bundle import BuildManifest, Root, Signer, TrustedKey, Verified, gguf_check, seal, verify, write
from lumen_desktop.errors import BundleError
from tests.bundle import tiny_model

TODAY = dt.date(2026, 11, 23)
TEMPLATE_TEXT = b"{{ messages[0].content }}"
GOLDEN_TEXT = b'{"prompt":"a","ids":[3]}\n'
DIGEST = "ab" * 32


def made_root(*signers: Signer, threshold: int = 2, version: int = 1, expires: dt.date = dt.date(2027, 1, 1)) -> Root:
    """A root file's content, sealed by all its keys."""
    root = Root(version, tuple(TrustedKey(one.name, one.public) for one in signers), threshold, expires)
    for signer in signers:
        root = root.sealed_by(signer)
    return root


@pytest.fixture(scope="session")
def publishers() -> tuple[Signer, ...]:
    return tuple(map(Signer.new, ("trainer", "quality", "release")))


@pytest.fixture(scope="session")
def root(publishers: tuple[Signer, ...]) -> Root:
    return made_root(*publishers)


def facts(model: bytes | None = None, **changes: Any) -> BuildManifest:
    """A manifest that is true of a model file, the small one where none is given."""
    content = tiny_model.model() if model is None else model
    found = gguf_check.check(io.BytesIO(content), len(content))
    values: dict[str, Any] = {
        "name": "lumen-tiny", "build": 7, "created": "2026-11-23", "expires": "2027-11-23",
        "base_model": "BioMistral/BioMistral-7B", "base_revision": "9a11e1f", "base_licence": "Apache-2.0",
        "licence": "Apache-2.0", "quantisation": "F32", "architecture": found.architecture,
        "parameters": found.parameters, "context_tokens": found.context_tokens, "vocabulary": found.vocabulary,
        "prose": True, "min_app": "0.1.0", "template_sha256": hashlib.sha256(TEMPLATE_TEXT).hexdigest(),
        "tokenizer_sha256": found.tokenizer_sha256, "dataset_sha256": DIGEST, "training_sha256": DIGEST,
        "evaluation_sha256": DIGEST, "golden_sha256": hashlib.sha256(GOLDEN_TEXT).hexdigest(), "gate": "PASS",
        "gate_sha256": DIGEST, "non_commercial": False,
    }  # fmt: skip
    return BuildManifest(**(values | changes))


def files(folder: Path, model: bytes | None = None, **more: bytes) -> dict[str, Path]:
    """The parts of a bundle as files of their own."""
    contents = {
        "model.gguf": tiny_model.model() if model is None else model, "chat_template.jinja": TEMPLATE_TEXT,
        "golden_prompts.jsonl": GOLDEN_TEXT, "NOTICE": b"Made of public sources.\n", **more,
    }  # fmt: skip
    folder.mkdir(exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return {name: folder / name for name in contents}


@pytest.fixture
def bundle(tmp_path: Path, publishers: tuple[Signer, ...]) -> Path:
    """A bundle that all three publishers have sealed."""
    path = tmp_path / "tiny.lumenbuild"
    write(path, facts(), files(tmp_path / "parts"))
    for publisher in publishers:
        seal(path, publisher)
    return path


@dataclass(frozen=True)
class Judge:
    """Verifies as an app of today would."""

    root: Root

    def __call__(self, path: Path, **changes: Any) -> Verified:
        values: dict[str, Any] = {"root": self.root, "today": TODAY, "app_version": "0.1.0"} | changes
        return verify(path, values.pop("root"), **values)

    def code(self, path: Path, **changes: Any) -> str:
        """The code of the refusal."""
        with pytest.raises(BundleError) as caught:
            self(path, **changes)
        return caught.value.code


@pytest.fixture
def judge(root: Root) -> Judge:
    return Judge(root)


Refused = Callable[[], object]


def code_of(act: Refused) -> str:
    """The code with which something is refused."""
    with pytest.raises(BundleError) as caught:
        act()
    assert caught.value.message.endswith(".")
    assert caught.value.hint.endswith(".")
    return caught.value.code
