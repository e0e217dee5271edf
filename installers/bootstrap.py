"""`python3 installers/bootstrap.py run|test|setup`: the one command of the README.

Only looks whether this Python can run the set-up, in a syntax that older ones read too, and hands over to the package
that it stands in. Called by people and by .ci/run; knows none of the steps.
"""

import runpy
import sys
from pathlib import Path

OLDEST, NEWEST = 11, 13


def refusal(major: int, minor: int) -> str:
    """The sentence for a Python that the locked packages do not fit, or an empty string."""
    if major == 3 and OLDEST <= minor <= NEWEST:  # noqa: PLR2004 - Python 3
        return ""
    return (
        f"Lumen Desktop needs Python 3.{OLDEST} to 3.{NEWEST}; this is Python {major}.{minor} ({sys.executable}). "
        f"Install one of those and start this command with it."
    )


if __name__ == "__main__":
    SENTENCE = refusal(*sys.version_info[:2])
    if SENTENCE:
        sys.stderr.write(SENTENCE + "\n")
        sys.exit(2)
    # The package, and not its folder, is what `import` shall see.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    runpy.run_module("installers", run_name="__main__")
