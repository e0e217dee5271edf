"""How far a step is, in a terminal: bytes, rate and time left. Elsewhere nothing, so that a log holds only results.

Knows no step; `trainer.cli` shows it.
"""

import contextlib
import sys
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from lumen_desktop.domain.names import shown

Report = Callable[[int, int, str], None]


@contextlib.contextmanager
def reading(title: str) -> Iterator[Report]:
    """A bar over bytes.

    Args:
        title: what is being done, one or two words.

    Yields:
        A function that takes the bytes done, the bytes there are, and a few words such as a file's name.
    """
    columns = (
        TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn(),
        TimeRemainingColumn(), TextColumn("{task.fields[words]}", markup=False),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as bar:
        task = bar.add_task(title, total=None, words="")

        def report(done: int, total: int, words: str) -> None:
            bar.update(task, completed=min(done, total), total=total, words=shown(words))

        yield report


@contextlib.contextmanager
def stages() -> Iterator[Callable[[str, int, int], None]]:
    """A bar over the parts of one stage after the other.

    Yields:
        A function that takes the stage's name, the parts done and the parts there are.
    """
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as bar:
        task = bar.add_task("", total=None)

        def report(stage: str, done: int, total: int) -> None:
            bar.update(task, description=stage, completed=min(done, total), total=total)

        yield report
