"""Whether a disk has room for what a step is going to write, said before it begins. Knows no step."""

import shutil
from pathlib import Path

from lumen_desktop.errors import StorageError

_GB = 1e9
_SPARE = 1.02  # for headers, tokenizers and a file system's own blocks


def refuse_full(folder: Path, needed_bytes: int, what: str) -> None:
    """Refuses where the disk of a folder is too small.

    Args:
        folder: that exists, or whose parent does.
        needed_bytes: that are going to be written beside what is there.
        what: that is written, as the subject of a sentence.

    Raises:
        StorageError: TRN-081.
    """
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    needed, free = int(needed_bytes * _SPARE), shutil.disk_usage(there).free
    if free < needed:
        raise StorageError(
            f"{what} needs {needed / _GB:.1f} GB on the disk of the work folder, and {free / _GB:.1f} GB are free.",
            code="TRN-081", hint="Make room, or move the work folder; the same command goes on from here.",
        )  # fmt: skip
