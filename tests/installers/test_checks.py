"""The checks stop at the first failure, and a layer below its floor is a failure."""

from pathlib import Path

import pytest

from installers import checks, coverage_floors

SUMMARIES = {
    "lumen_desktop/domain/a.py": {"num_statements": 8, "covered_lines": 8, "num_branches": 2, "covered_branches": 1},
    "lumen_desktop/domain/b.py": {"num_statements": 10, "covered_lines": 10},
    "lumen_desktop/cli.py": {"num_statements": 4, "covered_lines": 2},
    "lumen_desktop/empty/__init__.py": {"num_statements": 0, "covered_lines": 0},
}


@pytest.mark.parametrize(("layer", "reached"), [("domain", 95.0), ("cli", 50.0), ("empty", 100.0), ("dom", None)])
def test_a_share_counts_lines_and_branches_of_the_layer_alone(layer: str, reached: float | None) -> None:
    assert coverage_floors.share(SUMMARIES, layer) == reached


def test_a_layer_below_its_floor_and_one_that_is_not_there_are_both_said() -> None:
    assert coverage_floors.shortfalls(SUMMARIES, {"domain": 95, "cli": 40}) == []
    lacking = coverage_floors.shortfalls(SUMMARIES, {"domain": 96, "absent": 1})
    assert [line.split(":")[0] for line in lacking] == ["domain", "absent"]


def test_the_closing_line_counts_what_pytest_ran(tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    junit.write_text(
        '<testsuites><testsuite tests="9" failures="1" errors="1" skipped="2"/><testsuite tests="1"/></testsuites>',
        encoding="utf-8",
    )
    assert checks.closing_line(junit) == "6 passed, 2 failed, 2 skipped"
    alone = tmp_path / "alone.xml"
    alone.write_text('<testsuites><testsuite tests="3" failures="1"/></testsuites>', encoding="utf-8")
    assert checks.closing_line(junit, alone) == "8 passed, 3 failed, 2 skipped"


def test_every_test_runs_in_one_of_the_two_parts() -> None:
    parts = [check.arguments for check in checks.CHECKS if check.name.startswith("tests")]
    chosen = [part[part.index("-m", 1) + 1] for part in parts]
    assert chosen == ["not alone", "alone"]
    assert ["--cov-append" in part for part in parts] == [False, True], "what the first measured is kept"


def test_the_first_failing_check_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    said = [checks.Check(name, "python", ("-c", f"print('{name}'); raise SystemExit({status})"))
            for name, status in (("one", 0), ("two", 5), ("three", 0))]  # fmt: skip
    monkeypatch.setattr(checks, "CHECKS", tuple(said))
    monkeypatch.setattr(checks, "REPORTS", tmp_path)
    monkeypatch.setattr(checks, "JUNIT", tmp_path / "junit.xml")
    assert checks.main() == 5
    assert [line for line in capfd.readouterr().out.splitlines() if not line.startswith("==")] == ["one", "two"]


def test_every_tool_that_is_called_is_in_the_lock() -> None:
    locked = (checks.ROOT / "installers" / "dev.lock").read_text(encoding="utf-8")
    package = {"lint-imports": "import-linter"}
    tools = {check.tool for check in checks.CHECKS} - {"python"}
    assert all(f"\n{package.get(tool, tool)}==" in f"\n{locked}" for tool in tools)
