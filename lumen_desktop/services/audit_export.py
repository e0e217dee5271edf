r"""The audit trail as a file for somebody else.

``csv`` for a spreadsheet: one line per event, UTF-8 with a byte order mark, ``before`` and ``after`` as JSON. A cell
that a spreadsheet would take for a formula gets an apostrophe in front.

``json`` for a check by a third party. One object::

    {"format": "lumen-audit-export-1",
     "site_id": …, "made_utc": …, "filters": {…}, "genesis": hex, "key": hex (Ed25519 public key of the site),
     "anchors": [{"n", "head", "time_utc", "previous", "key", "signature"}, …],
     "events": [{"seq": 1, "body": "…", "previous": hex, "hash": hex}, …]}

``body`` is the event's canonical JSON (RFC 8785), as text, byte for byte. To check it:

- each event: ``hash`` is SHA-256 of ``LUMEN-AUDIT-v1\0``, ``previous`` (32 bytes) and ``body`` (UTF-8);
- where no filter left events out: ``seq`` counts from 1, ``previous`` is the ``hash`` of the event before, that of the
  first is ``genesis``, which is SHA-256 of ``LUMEN-GENESIS-v1\0`` and ``site_id``;
- each anchor: without ``signature``, as canonical JSON after ``LUMEN-ANCHOR-v1\0``, it is what the signature signs with
  ``key``; SHA-256 of the same bytes is ``previous`` of the next anchor (of the first: ``genesis``);
- the event whose ``seq`` is an anchor's ``n`` has its ``head`` as ``hash``.

``pdf`` for a reader: see `audit_print`. A further format is a function in `FORMATS`.
"""

import contextlib
import csv
import hashlib
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from lumen_desktop.domain.accounts import Actor
from lumen_desktop.domain.audit import AuditEvent, Filters, genesis
from lumen_desktop.errors import InputError, StorageError
from lumen_desktop.storage import audit

_COLUMNS = (
    "seq", "time_utc", "utc_offset_minutes", "actor", "role", "act", "entity", "entity_id", "reason", "before", "after",
    "app", "hash",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Title:
    """What stands at the head of an extract.

    Attributes:
        site: the site's name.
        profile: as people say it.
        demonstration: whether every page says so.
        by: who prints, in which duty.
        printed_names: of everybody at the site, by user name.
        total: events in the trail.
        head: hash of the last one, hex.
        last_anchor: last line of the anchors file; empty without any.
    """

    site: str
    profile: str
    demonstration: bool
    by: Actor
    printed_names: Mapping[str, str]
    total: int
    head: str
    last_anchor: bytes


@dataclass(frozen=True, slots=True)
class About:
    """What an export says of itself.

    Attributes:
        site_id: whose trail it is.
        made_utc: when it was made.
        filters: which events were chosen.
        key: the site's public key, 32 bytes.
        anchors: lines of the anchors, as in the anchors file.
        title: what stands at the head of a printed extract.
    """

    site_id: str
    made_utc: datetime
    filters: Filters
    key: bytes
    anchors: Sequence[bytes]
    title: Title


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: the format, how many events, and the digest of the file (hex)."""

    kind: str
    events: int
    sha256: str


class Out:
    """A binary stream that knows the digest of what went through it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()

    def write(self, words: str) -> None:
        """Writes text as UTF-8."""
        self.write_bytes(words.encode())

    def write_bytes(self, content: bytes) -> None:
        """Writes what is no text."""
        self._digest.update(content)
        self._stream.write(content)

    def sha256(self) -> str:
        """Digest of all that was written so far, hex."""
        return self._digest.hexdigest()


Writer = Callable[[Out, Iterable[AuditEvent], About], int]


def plain(filters: Filters) -> dict[str, str]:
    """Filters that choose something, as JSON values."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(filters).items()
        if value
    }


def writer(kind: str) -> Writer:
    """The writer of a format.

    Raises:
        InputError: it is unknown (AUD-015).
    """
    if kind not in FORMATS:
        raise InputError(
            f"The trail cannot be exported as {kind}.", code="AUD-015", hint=f"Choose one of: {', '.join(FORMATS)}."
        )
    return FORMATS[kind]


def _csv(out: Out, events: Iterable[AuditEvent], about: About) -> int:  # noqa: ARG001 - a table says nothing of itself
    out.write("\ufeff" + _row(_COLUMNS))
    number = 0
    for number, event in enumerate(events, 1):  # noqa: B007 - the count
        fields = audit.shown(event)
        out.write(_row([_cell(fields.get(name)) for name in _COLUMNS]))
    return number


def _row(cells: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False)
    return "'" + value if isinstance(value, str) and value.startswith(_FORMULA) else value


def _json(out: Out, events: Iterable[AuditEvent], about: About) -> int:
    head: dict[str, Any] = {
        "format": "lumen-audit-export-1",
        "site_id": about.site_id,
        "made_utc": about.made_utc.isoformat(timespec="microseconds"),
        "filters": plain(about.filters),
        "genesis": genesis(about.site_id).hex(),
        "key": about.key.hex(),
    }
    out.write(json.dumps(head, ensure_ascii=False)[:-1] + ',\n"anchors": [')
    for number, line in enumerate(about.anchors):
        out.write((",\n" if number else "\n") + line.decode().rstrip("\n"))
    out.write('],\n"events": [')
    number = 0
    for number, event in enumerate(events, 1):
        audit.shown(event)  # an event that was spoilt is not handed on as if it were true
        fields = {
            "seq": event.seq, "body": event.body.decode(), "previous": event.previous.hex(), "hash": event.hash.hex(),
        }  # fmt: skip
        out.write((",\n" if number > 1 else "\n") + json.dumps(fields, ensure_ascii=False))
    out.write("]}\n")
    return number


def _pdf(out: Out, events: Iterable[AuditEvent], about: About) -> int:
    from lumen_desktop.services import audit_print  # noqa: PLC0415 - most runs print nothing

    asked = ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in plain(about.filters).items())
    content, number = audit_print.extract(
        events, about.title, site_id=about.site_id, made_utc=about.made_utc, selection=asked
    )
    out.write_bytes(content)
    return number


FORMATS: dict[str, Writer] = {"csv": _csv, "json": _json, "pdf": _pdf}


@contextlib.contextmanager
def opened(target: Path | BinaryIO, *, replace: bool) -> Iterator[Out]:
    """What an export is written to: a stream, or a file that appears whole at the end, for its owner only.

    Raises:
        InputError: the file is there already and may not be replaced (AUD-014).
        StorageError: it cannot be written (AUD-016).
    """
    if not isinstance(target, Path):
        yield Out(target)
        return
    _check_free(target, replace=replace)
    fresh = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "wb") as file:
            yield Out(file)
            file.flush()
            os.fsync(file.fileno())
        _check_free(target, replace=replace)
        fresh.replace(target)
    except OSError as error:
        raise StorageError(
            f"The export cannot be written to {target} ({error.strerror}).",
            code="AUD-016",
            hint="Name a file in a folder that you can write to.",
        ) from error
    finally:
        fresh.unlink(missing_ok=True)


def _check_free(target: Path, *, replace: bool) -> None:
    if target.is_dir() or (not replace and target.exists()):
        raise InputError(
            f"There is a file or folder {target} already.",
            code="AUD-014",
            hint="Name another file; in the terminal, --force replaces a file.",
        )
