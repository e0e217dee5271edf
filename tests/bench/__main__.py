"""Runs a bench: ``python -m tests.bench NAME [arguments]``; without a name it lists them.

A bench is a module beside this one with ``main(argv) -> int``: 0 done, 1 where a goal is missed.
"""

import ast
import importlib
import sys
from pathlib import Path


def benches() -> dict[str, str]:
    """Names of the benches, with the first line of each one's docstring."""
    found = {}
    for file in sorted(Path(__file__).parent.glob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body):
            found[file.stem] = (ast.get_docstring(tree) or "").partition("\n")[0]
    found.pop("__main__", None)
    return found


def main(argv: list[str]) -> int:
    """Runs the bench named first."""
    known = benches()
    if not argv or argv[0] not in known:
        for name, purpose in known.items():
            sys.stdout.write(f"{name:14} {purpose}\n")
        return 2 if argv else 0
    return int(importlib.import_module(f"tests.bench.{argv[0]}").main(argv[1:]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
