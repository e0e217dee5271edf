"""Files and functions stay small enough to be read at one sitting."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILE_LINES, FUNCTION_LINES, WINDOW_LINES, BUILD_LINES = 500, 40, 250, 60
SOURCES = sorted(
    path for folder in ("lumen_desktop", "trainer", "installers", "tests") for path in (ROOT / folder).rglob("*.py")
)


def functions(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every function's name and its length in lines, the docstring not counted."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            length = node.end_lineno - node.lineno + 1
            first = node.body[0]
            if ast.get_docstring(node, clean=False) is not None:
                assert first.end_lineno is not None
                length -= first.end_lineno - first.lineno + 1
            yield node.name, length


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_sizes(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    limit = WINDOW_LINES if path.name == "main_window.py" else FILE_LINES
    assert len(source.splitlines()) <= limit
    # A widget's _build lists what is on it and may take longer.
    widgets = "ui" in path.relative_to(ROOT).parts
    long = [
        (name, lines)
        for name, lines in functions(ast.parse(source))
        if lines > (BUILD_LINES if widgets and name == "_build" else FUNCTION_LINES)
    ]
    assert not long


def test_the_sources_are_found() -> None:
    assert len(SOURCES) > 10
