"""The locks hold what is asked for, and what the application imports is asked for."""

import ast
import re
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUR_OWN = {"lumen_desktop", "installers", "tests"}


def asked(stem: str) -> list[str]:
    """The pins in a .in file."""
    lines = (ROOT / "installers" / f"{stem}.in").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def imported(folder: Path) -> dict[str, str]:
    """Top-level names of other people's packages that the sources import, with one file that does."""
    found: dict[str, str] = {}
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.append(node.module)
            found |= {name.split(".")[0]: path.relative_to(ROOT).as_posix() for name in names}
    return {name: path for name, path in found.items() if name not in sys.stdlib_module_names | OUR_OWN}


def normal(name: str) -> str:
    """A distribution's name as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_locked_package_has_a_digest_and_every_pin_is_in_its_lock() -> None:
    for stem in ("pip", "build", "requirements", "dev"):
        locked = (ROOT / "installers" / f"{stem}.lock").read_text(encoding="utf-8")
        pins = [line for line in locked.splitlines() if line and line[0] not in " #"]
        assert pins
        assert all("==" in pin and pin.endswith("\\") for pin in pins)
        assert locked.count("--hash=sha256:") >= len(pins)
        assert all(f"\n{line} " in f"\n{locked}" for line in asked(stem))


def test_what_the_application_imports_is_asked_for_by_name() -> None:
    """Not left to what another package happens to bring, or to what only the test tools bring."""
    ours = {normal(pin.split("==")[0]) for pin in asked("requirements")}
    providers = metadata.packages_distributions()
    unasked = {
        name: path
        for name, path in imported(ROOT / "lumen_desktop").items()
        if not ours & {normal(distribution) for distribution in providers.get(name, [])}
    }
    assert not unasked
