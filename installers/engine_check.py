"""Does llama.cpp, as built, run on this processor? Loads both starter models and computes one word with each.

Run in the virtual environment as `python -m installers.engine_check`, after the models are made and again where the
processor changed: llama.cpp is compiled for the processor it was built on, and a build from elsewhere (a copied disk, a
shared pip cache) ends at the first instruction that this one lacks.
"""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path

from installers.models import RECORD, default_folder

PROCESSOR_LINES = ("model name", "flags", "Features", "CPU part")


def processor() -> str:
    """What tells this processor from another, as far as the compiler minds."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split("\n\n")[0].splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    return "\n".join([platform.machine(), *(line for line in lines if line.startswith(PROCESSOR_LINES))])


def main() -> int:
    """Load, compute, say so."""
    import llama_cpp  # noqa: PLC0415 - this module is also imported where the package is not installed yet

    folder = default_folder()
    for note in json.loads((folder / RECORD).read_text(encoding="utf-8"))["models"]:
        embedding = note["role"] == "embedding"
        model = llama_cpp.Llama(
            str(folder / note["file"]), n_ctx=64, n_threads=1, n_threads_batch=1, embedding=embedding,
            flash_attn=True, verbose=False,
        )  # fmt: skip
        if embedding:
            model.embed("batch")
        else:
            model.eval(model.tokenize(b"batch"))
        print(f"{note['title']} runs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
