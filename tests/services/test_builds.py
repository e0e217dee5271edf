"""A model file is used only if it is the one that was installed."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from lumen_desktop.errors import EngineError
from lumen_desktop.services.builds import LIST, installed

CONTENT = b"GGUF" + bytes(range(256)) * 16


@pytest.fixture
def models(tmp_path: Path) -> Path:
    listed(tmp_path)
    (tmp_path / "chat.gguf").write_bytes(CONTENT)
    return tmp_path


def entry(**values: Any) -> dict[str, Any]:
    return {
        "role": "chat", "file": "chat.gguf", "sha256": hashlib.sha256(CONTENT).hexdigest(), "size_bytes": len(CONTENT),
        "context_tokens": 2048, "prose": False, "licence": "Apache-2.0", "chat_template": "smollm2.jinja", **values,
    }  # fmt: skip


def listed(folder: Path, **values: Any) -> None:
    (folder / LIST).write_text(json.dumps({"models": [{"role": "embedding"}, entry(**values)]}), encoding="utf-8")


def refused(models: Path, role: str = "chat") -> str:
    with pytest.raises(EngineError) as caught:
        installed(models, models / "prompts", role)
    assert "bootstrap" in caught.value.hint
    return caught.value.code


def test_an_installed_build_is_described_by_its_manifest(models: Path) -> None:
    found = installed(models, models / "prompts", "chat")
    assert (found.build.id, found.build.role, found.build.prose) == ("chat", "chat", False)
    assert (found.path, found.template) == (models / "chat.gguf", models / "prompts" / "smollm2.jinja")
    assert found.build.sha256 == hashlib.sha256(CONTENT).hexdigest()


def test_a_build_without_a_template_has_none(models: Path) -> None:
    listed(models, chat_template=None)
    assert installed(models, models / "prompts", "chat").template is None


def test_a_missing_file_is_one_sentence(models: Path) -> None:
    (models / "chat.gguf").unlink()
    assert refused(models) == "BLD-002"


@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_a_truncated_file_is_refused(models: Path, share: float) -> None:
    (models / "chat.gguf").write_bytes(CONTENT[: int(len(CONTENT) * share)])
    assert refused(models) == "BLD-003"


@pytest.mark.parametrize("place", [0, 4, 100, len(CONTENT) - 1])
def test_a_single_changed_bit_is_refused(models: Path, place: int) -> None:
    changed = bytearray(CONTENT)
    changed[place] ^= 1
    (models / "chat.gguf").write_bytes(changed)
    assert refused(models) == "BLD-003"


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b'{"models": 7}', b'{"models": [7]}', b"\xff"], ids=repr)
def test_without_a_readable_list_nothing_is_installed(models: Path, content: bytes | None) -> None:
    (models / LIST).unlink() if content is None else (models / LIST).write_bytes(content)
    assert refused(models) == "BLD-001"


@pytest.mark.parametrize("values", [{"prose": "yes"}, {"sha256": None}, {"file": 7}, {"size_bytes": "1"}], ids=repr)
def test_an_entry_with_a_value_of_another_kind_is_none(models: Path, values: dict[str, Any]) -> None:
    listed(models, **values)
    assert refused(models) == "BLD-001"


def test_a_role_that_is_not_listed_is_not_installed(models: Path) -> None:
    assert refused(models, "reranking") == "BLD-001"
    assert refused(models, "embedding") == "BLD-001"


def test_no_name_in_the_list_leads_out_of_the_folder(models: Path) -> None:
    listed(models, file="../../../../etc/passwd", chat_template="/etc/passwd")
    assert refused(models) == "BLD-002"
