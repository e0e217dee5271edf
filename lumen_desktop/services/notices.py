"""Lumen's own licence and the notices of what it is made from, found in a checkout or an installed package."""

import importlib.metadata
from dataclasses import dataclass
from pathlib import Path

from lumen_desktop import paths

_TITLES = {"LICENSE": "Lumen Desktop: Apache License 2.0", "NOTICE": "Notices of third parties"}


@dataclass(frozen=True, slots=True)
class Notice:
    """One text to show; its file is there."""

    title: str
    path: Path

    def text(self) -> str:
        """The whole text."""
        return self.path.read_text(encoding="utf-8", errors="replace")


def notices() -> list[Notice]:
    """Licence, notices and the licences of what ships along, in this order."""
    own = [Notice(title, path) for name, title in _TITLES.items() if (path := _own(name)) is not None]
    folder = paths.resources() / "licences"
    carried = [Notice(_title(path), path) for path in sorted(folder.glob("*.txt"))]
    words = paths.resources() / "drugs" / "SCOWL-COPYRIGHT.txt"
    return [*own, *carried, *([Notice("SCOWL word lists", words)] if words.is_file() else [])]


def _title(path: Path) -> str:
    return path.stem.replace("-", " ").capitalize()


def _own(name: str) -> Path | None:
    """A file that stands beside the resources in a checkout or frozen app, and in the metadata of a package."""
    beside = paths.resources().parent / name
    if beside.is_file():
        return beside
    try:
        files = importlib.metadata.files("lumen-desktop") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    found = (Path(str(file.locate())) for file in files if file.name == name)
    return next((path for path in found if path.is_file()), None)
