"""The texts of collected records by their id, from files that are read a line at a time when one is asked for.

Holds where each record stands, not what it says; each process makes its own.
"""

import json
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from trainer.records import Origin

_REMEMBERED = 256


class Origins:
    """Where the records of some files stand.

    Args:
        files: of Record lines.
    """

    def __init__(self, files: Iterable[Path]) -> None:
        self._files = tuple(files)
        self._places: dict[str, tuple[int, int]] = {}
        for number, file in enumerate(self._files):
            with file.open("rb") as stream:
                start = 0
                for line in stream:
                    self._places[json.loads(line)["id"]] = (number, start)
                    start += len(line)
        self._read = lru_cache(_REMEMBERED)(self._fields)

    def __call__(self, origin: Origin) -> str | None:
        """The heading of the record and the characters of the origin; None where there is no such record."""
        if origin.record_id not in self._places:
            return None
        heading, text = self._read(origin.record_id)
        return f"{heading}\n{text[origin.start : origin.end]}"

    def _fields(self, record_id: str) -> tuple[str, str]:
        number, start = self._places[record_id]
        with self._files[number].open("rb") as stream:
            stream.seek(start)
            fields = json.loads(stream.readline())
        heading = " — ".join([fields["title"], *fields["section_path"], fields["section_code"]])
        return heading, fields["text"]
