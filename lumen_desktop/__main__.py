"""`python -m lumen_desktop`: the program, or with a switch one of its child processes.

Parses only what decides which; a child loads nothing but its own code, so that its limits hold
before any heavy library is there. Started by people, and by `children.parent`.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence

_CHILDREN = {
    "reader": "lumen_desktop.retrieval.readers.child",
    "engine": "lumen_desktop.engine.worker",
    "engine-fake": "lumen_desktop.engine.fake",
    "index": "lumen_desktop.retrieval.vectors",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the child that a switch names; without one, starts the application.

    Args:
        arguments: the command line without the program's name; None takes the process's own.

    Returns:
        The exit status.
    """
    parser = argparse.ArgumentParser(prog="lumen_desktop", allow_abbrev=False)
    role = parser.add_mutually_exclusive_group()
    for name in _CHILDREN:
        role.add_argument(f"--{name}", dest="role", action="store_const", const=name)
    parser.add_argument("--memory-bytes", type=int, default=0)
    parser.add_argument("arguments", nargs="*")
    options = parser.parse_args(arguments)
    if options.role is None:
        started: int = importlib.import_module("lumen_desktop.cli").start()
        return started
    run = importlib.import_module(_CHILDREN[options.role]).run
    status: int = run(options.memory_bytes, *options.arguments)
    return status


if __name__ == "__main__":
    sys.exit(main())
