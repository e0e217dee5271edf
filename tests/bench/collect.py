"""Collecting: MB of XML a second of one core and peak memory, over many times the real labels and citations.

``python -m tests.bench collect [--gb 2] [--processes 1] [--source pubmed]``: multiplies ../shared/data to a release of
labels (a zip of zips, as DailyMed ships them) and to one file of citations, each under an identity of its own, and
collects them with the command as a process. MB are of XML, unpacked. Goals: 20 MB/s of one core's time, 500 MB.
"""

import argparse
import io
import os
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from trainer.collect.run import sources_of

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
GOAL_MB_S, GOAL_MB = 20.0, 500.0
MB = 1_000_000


def labels(folder: Path, size_bytes: int) -> int:
    """A release of labels; returns how many bytes of XML it holds."""
    files = sorted((SHARED / "spl_xml").glob("*.xml"))
    texts = [file.read_text(encoding="utf-8") for file in files]
    made, number = 0, 0
    with zipfile.ZipFile(folder / "release.zip", "w") as release:
        while made < size_bytes:
            identity = f"{number:08x}-0000-4000-8000-000000000000"
            text = re.sub(r'(<setId root=")[^"]*', rf"\g<1>{identity}", texts[number % len(texts)]).encode()
            inner = io.BytesIO()
            with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as label:
                label.writestr(f"{identity}.xml", text)
            release.writestr(f"prescription/20240101_{identity}.zip", inner.getvalue())
            made, number = made + len(text), number + 1
    return made


def citations(folder: Path, size_bytes: int) -> int:
    """One file of citations, not packed; returns its size."""
    article = re.compile(r"<PubmedArticle>.*?</PubmedArticle>", re.DOTALL)
    files = sorted((SHARED / "pubmed_xml").glob("*.xml"))
    found = [one for file in files for one in article.findall(file.read_text(encoding="utf-8"))]
    parts = [re.split(r"(?<=>)\d+(?=</PMID>)", one, maxsplit=1) for one in found if "<AbstractText" in one]
    made, number = 0, 0
    with (folder / "pubmed25n0001.xml").open("wb") as file:
        file.write(b"<?xml version='1.0' encoding='utf-8'?>\n<PubmedArticleSet>\n")
        while made < size_bytes:
            before, after = parts[number % len(parts)]
            made += file.write(f"{before}{number + 1}{after}\n".encode())
            number += 1
        file.write(b"</PubmedArticleSet>\n")
    return made


MAKERS: dict[str, Callable[[Path, int], int]] = {"dailymed": labels, "pubmed": citations}


def measured(config: Path, processes: int) -> tuple[float, float, float]:
    """Runs the command; wall time and processor time in seconds, peak memory of its largest process in MB."""
    command = [sys.executable, "-m", "trainer", "collect", "--config", str(config), "--processes", str(processes)]
    began = time.monotonic()
    with subprocess.Popen(command, stdout=sys.stderr) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(process.returncode)
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / MB


def main(argv: list[str]) -> int:
    """Makes the files in a temporary folder, collects them, prints the figures; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(prog="collect", description=__doc__)
    parser.add_argument("--gb", type=float, default=0.1, help="size of the XML of each source")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--source", choices=sorted(MAKERS), action="append")
    options = parser.parse_args(argv)
    known = {source.name for source in sources_of()}
    missed = False
    for name in options.source or MAKERS:
        if name not in known or not SHARED.is_dir():
            sys.stdout.write(f"{name:10} left out: no such source here, or no ../shared/data\n")
            continue
        with tempfile.TemporaryDirectory(prefix="lumen-collect-") as folder:
            place = Path(folder)
            (place / "in").mkdir()
            size = MAKERS[name](place / "in", int(options.gb * 1e9))
            config = place / "bench.yaml"
            config.write_text(f"version: 1\nwork: work\nsources: {{{name}: {{files: [in]}}}}\n", encoding="utf-8")
            wall_s, core_s, peak_mb = measured(config, options.processes)
        rate = size / MB / core_s
        missed |= rate < GOAL_MB_S or peak_mb > GOAL_MB
        sys.stdout.write(
            f"{name:10} {size / 1e9:.2f} GB of XML: {wall_s:.1f} s, {core_s:.1f} s of processors, "
            f"{rate:.1f} MB/s a core, peak {peak_mb:.0f} MB; 500 GB: {5e5 / rate / 3600:.1f} core hours\n"
        )
    return int(missed)
