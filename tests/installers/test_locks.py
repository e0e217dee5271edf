"""The locks hold what is asked for, and what the application imports is asked for."""

import ast
import re
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUR_OWN = {"lumen_desktop", "trainer", "installers", "tests"}


def asked(stem: str) -> list[str]:
    """The pins in a .in file."""
    lines = (ROOT / "installers" / f"{stem}.in").read_text(encoding="utf-8").splitlines()
    return [line.split("#")[0].strip() for line in lines if line and not line.startswith("#")]


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
    package, equals, version = name.partition("==")
    return re.sub(r"[-_.]+", "-", package).lower() + equals + version


def test_every_locked_package_has_a_digest_and_every_pin_is_in_its_lock() -> None:
    for stem in ("pip", "build", "requirements", "dev", "trainer", "finetune", "converter"):
        locked = (ROOT / "installers" / f"{stem}.lock").read_text(encoding="utf-8")
        pins = [line for line in locked.splitlines() if line and line[0] not in " #"]
        assert pins
        assert all("==" in pin and pin.endswith("\\") for pin in pins)
        assert locked.count("--hash=sha256:") >= len(pins)
        assert all(f"\n{normal(line)} " in f"\n{locked}" for line in asked(stem))


def test_what_the_application_imports_is_asked_for_by_name() -> None:
    """Not left to what another package happens to bring, or to what only the test tools bring."""
    assert not unasked("lumen_desktop", {normal(pin.split("==")[0]) for pin in asked("requirements")})


def test_what_the_trainer_imports_is_asked_for_by_name() -> None:
    stems = ("requirements", "trainer", "finetune")
    ours = {normal(pin.split("==")[0]) for stem in stems for pin in asked(stem)}
    assert not unasked("trainer", ours | {"torch"})


def unasked(folder: str, ours: set[str]) -> dict[str, str]:
    """What a folder imports that no package of these brings."""
    providers = metadata.packages_distributions()
    return {
        name: path
        for name, path in imported(ROOT / folder).items()
        if not ours & {normal(distribution) for distribution in providers.get(name, [])}
    }
