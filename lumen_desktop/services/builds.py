"""Which model files are installed, and that they are what they were when they were made."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lumen_desktop.domain.builds import ModelBuild
from lumen_desktop.errors import EngineError

LIST = "installed.json"
ROLES = ("chat", "embedding")
_HINT = "Run `python3 installers/bootstrap.py setup`: it makes the starter models anew."


@dataclass(frozen=True, slots=True)
class InstalledBuild:
    """A build and where its files are; ``template`` only for a chat build."""

    build: ModelBuild
    path: Path
    template: Path | None


def installed(models: Path, prompts: Path, role: str) -> InstalledBuild:
    """The installed build of a role, its file checked against the digest taken when it was made.

    Args:
        models: folder with `LIST` and the model files.
        prompts: folder with the chat templates.
        role: ``chat`` or ``embedding``.

    Raises:
        EngineError: none is installed (BLD-001), its file is missing (BLD-002) or is not the one installed (BLD-003).
    """
    fields = _entry(models / LIST, role)
    build = _build(fields, role)
    path = models / Path(fields["file"]).name
    _check(path, build)
    template = prompts / Path(fields["chat_template"]).name if fields.get("chat_template") else None
    return InstalledBuild(build, path, template)


def listed(models: Path) -> tuple[ModelBuild, ...]:
    """What the list of installed builds says, at once; `installed` also checks their files.

    Raises:
        EngineError: there is no list, or a build is missing in it (BLD-001).
    """
    return tuple(_build(_entry(models / LIST, role), role) for role in ROLES)


def _build(fields: dict[str, Any], role: str) -> ModelBuild:
    return ModelBuild(
        id=Path(fields["file"]).stem,
        role=role,
        sha256=fields["sha256"],
        size_bytes=fields["size_bytes"],
        context_tokens=fields["context_tokens"],
        prose=fields["prose"],
        licence=fields["licence"],
    )


def _entry(path: Path, role: str) -> dict[str, Any]:
    try:
        untrusted = json.loads(path.read_bytes())
        entry = next(m for m in untrusted["models"] if m["role"] == role)
        shape = {"file": str, "sha256": str, "size_bytes": int, "context_tokens": int, "prose": bool, "licence": str}
        if all(isinstance(entry.get(name), kind) for name, kind in shape.items()):
            return dict(entry)
    except (OSError, ValueError, KeyError, TypeError, StopIteration, AttributeError):
        pass
    raise EngineError(f"No {role} model is installed.", code="BLD-001", hint=_HINT)


def _check(path: Path, build: ModelBuild) -> None:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EngineError(
            f"The model file {path.name} is missing or cannot be read.", code="BLD-002", hint=_HINT
        ) from error
    if digest != build.sha256:
        raise EngineError(f"The model file {path.name} is damaged or is another file.", code="BLD-003", hint=_HINT)
